//! SMS gateways: what each writes and understands, and what all must do alike.

#[cfg(feature = "sandbox")]
mod abroad;
#[cfg(feature = "sandbox")]
mod bank_back;
mod callbacks;
mod conformance;
#[cfg(feature = "sandbox")]
mod consent_end;
#[cfg(feature = "sandbox")]
mod failures;
#[cfg(feature = "sandbox")]
mod handover;
#[cfg(feature = "sandbox")]
mod journeys;
#[cfg(feature = "sandbox")]
mod keywords;
pub mod kit;
#[cfg(feature = "sandbox")]
mod menu;
#[cfg(feature = "sandbox")]
mod proof;
#[cfg(feature = "sandbox")]
mod reminders;
mod sending;
#[cfg(feature = "sandbox")]
mod service;
#[cfg(feature = "sandbox")]
mod service_kit;
mod twilio;
