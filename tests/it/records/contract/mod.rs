//! What every implementation of the records must do. A new one joins by a case in each table.

mod access;
mod attempts;
mod bank_alerts;
mod data_subject;
mod data_subject_intents;
mod deliveries;
mod endpoints;
mod events;
mod history;
mod idempotency;
mod intents;
mod jobs;
mod link_views;
mod links;
mod messages;
mod moves;
mod organization;
mod partners;
mod pins;
mod returns;
mod sealed;
mod upkeep;
mod verification;
mod waiting;
