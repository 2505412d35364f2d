//! What each gateway sends and wants back, as tables: see [`kit`]. What the port carries beyond them is shown on a gateway
//! that is invented.

mod africastalking;
mod awkward;
mod carrier;
#[cfg(feature = "sandbox")]
mod configured;
mod conformance;
pub mod invented;
mod kit;
