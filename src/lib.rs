//! Kiungo links bank accounts from any phone by dialling a short code.

pub mod ambient;
pub mod app;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod core;
pub mod gateways;
pub mod http;
pub mod http_client;
pub mod providers;
pub mod records;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod service;
pub mod store;
pub mod telemetry;
