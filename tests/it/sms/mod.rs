//! SMS gateways: what each writes and understands, and what all must do alike.

mod conformance;
mod hearing;
pub mod kit;
mod sending;
