//! The conversation, played by a pure phone: no clock, store, records or provider, only turns and news.

mod banks;
mod dialogs;
mod forms;
mod journeys;
mod outcomes;
mod phone;
mod renewals;
mod screens;
