//! The stand-ins do what they promise.

mod mono_standin;
mod sms_standin;
