//! The web server over real TCP.

#[cfg(feature = "sandbox")]
mod floods;
mod hooks;
mod leaks;
mod ops;
mod pages;
mod slow;
mod sms;
mod ussd;
