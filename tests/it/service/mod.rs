//! The services as the server wires them, over stores and gateways of the tests.

mod attempt_model;
mod catalogue;
mod limits;
mod bench;
mod jobs;
mod linking;
mod renewals;
mod round_trips;
mod sinks;
mod start;
