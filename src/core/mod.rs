//! What Kiungo is when nothing is plugged in: values in, values out. No clock, no chance, no I/O.

pub mod access;
pub mod api_key;
pub mod attempt;
pub mod bucket;
pub mod budget;
pub mod dial_code;
pub mod flow;
pub mod gsm7;
pub mod health;
pub mod ids;
pub mod linking;
pub mod menu;
pub mod messages;
pub mod msisdn;
pub mod next_step;
pub mod page;
pub mod pin;
pub mod policy;
pub mod screen;
pub mod seal;
pub mod search;
pub mod secret;
pub mod sms;
pub mod texted;
pub mod time;
