//! The web server over real TCP.

mod hooks;
mod leaks;
mod ops;
mod pages;
mod slow;
mod sms;
mod ussd;
