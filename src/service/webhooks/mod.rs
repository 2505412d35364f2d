//! Tells partners what happened: sends an event to every endpoint that wants it, until the endpoint has accepted it.
//!
//! Everything here may run twice. The webhook's id is the event's, so a receiver that is sent one twice (the server died
//! between the answer and writing it down) recognises it.

mod body;
pub mod deliveries;
