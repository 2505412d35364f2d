//! The integration tests: one binary so that they link once, with real servers and faults made on purpose.
#![cfg(test)]

mod architecture;
mod certificate;
mod cli;
mod config;
#[cfg(feature = "sandbox")]
mod crash;
mod deploy;
mod docs;
mod gateways;
mod http;
#[cfg(feature = "sandbox")]
mod journeys;
mod keys;
#[cfg(feature = "sandbox")]
mod leak;
mod menu;
mod module_cycles;
#[cfg(feature = "sandbox")]
mod partner;
#[cfg(feature = "sandbox")]
mod phone;
mod providers;
mod records;
#[cfg(feature = "sandbox")]
mod sandbox;
mod service;
mod sms;
mod store;
mod support;
mod telemetry;
mod webhooks;
