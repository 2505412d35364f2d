//! Webhooks to partners: signed, sent until they are taken, to public addresses only, and each receiver by itself.

mod guard;
mod kit;
mod lanes;
#[cfg(feature = "sandbox")]
mod outage;
#[cfg(feature = "sandbox")]
mod receivers;
mod registering;
mod sending;
