//! The stand-ins do what they promise.

mod clock;
mod mono_standin;
mod sms_standin;
