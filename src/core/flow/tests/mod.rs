//! The conversation, played by a pure phone: no clock, store, records or provider, only turns and news.

mod asking;
mod back;
mod banks;
mod channel;
mod dialogs;
mod endings;
mod forms;
mod happenings;
mod health;
mod journeys;
mod losses;
mod made_up;
mod outcomes;
mod phone;
mod pins;
mod properties;
mod renewals;
mod screens;
mod text_order;
mod texting;
mod texts;
mod ways_back;
