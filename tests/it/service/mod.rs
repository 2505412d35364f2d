//! The services as the server wires them, over stores and gateways of the tests.

mod attempt_model;
mod catalogue;
mod chosen;
mod erasing;
mod exchanged;
mod harness;
mod hooks;
mod jobs;
mod late;
mod limits;
mod linking;
mod own_code;
mod page_abroad;
mod pages;
mod provider_access;
mod redials;
mod renewals;
mod requests;
mod resealing;
mod round_trips;
mod sinks;
mod start;
