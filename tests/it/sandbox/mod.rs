//! The stand-ins.

mod bank;
mod clock;
mod mono_standin;
mod sms_standin;
