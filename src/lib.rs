//! Kiungo links bank accounts from any phone by dialling a short code.

pub mod core;
pub mod gateways;
pub mod providers;
pub mod records;
pub mod service;
pub mod store;
