//! The conversation, played by a pure phone: no clock, store, records or provider, only turns and events.

mod bank_back_alert;
mod banks;
mod channel;
mod dialogs;
mod endings;
mod fixtures;
mod forms;
mod health;
mod journeys;
mod lost_store;
mod outcomes;
mod phone;
mod pins;
mod properties;
mod random_events;
mod recovery;
mod renewals;
mod requesters;
mod screens;
mod sms;
mod sms_order;
mod sms_phone;
