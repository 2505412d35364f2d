//! SMS gateways: what each writes and understands, and what all must do alike.

#[cfg(feature = "sandbox")]
mod back;
mod conformance;
#[cfg(feature = "sandbox")]
mod handover;
mod hearing;
#[cfg(feature = "sandbox")]
mod journeys;
pub mod kit;
#[cfg(feature = "sandbox")]
mod menu;
#[cfg(feature = "sandbox")]
mod post;
mod sending;
#[cfg(feature = "sandbox")]
mod service;
#[cfg(feature = "sandbox")]
mod troubles;
