//! The stand-ins.

mod clock;
mod mono_standin;
mod sms_standin;
