//! The web server over real TCP.

mod leaks;
mod ops;
mod slow;
mod sms;
mod ussd;
