//! What every implementation of the records must do. A new one joins by a case in each table.

mod access;
mod attempts;
mod bank_wishes;
mod deliveries;
mod endpoints;
mod events;
mod facts;
mod intents;
mod jobs;
mod links;
mod messages;
mod moves;
mod outcomes;
mod partners;
mod people;
mod pins;
mod repeats;
mod requests;
mod sealed;
mod staff;
mod upkeep;
mod verifying;
