//! The integration tests: one binary, real servers, faults made on purpose.
#![cfg(test)]

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there and then")]

mod records;
mod store;
mod support;
//! All integration tests, in one binary so that they link once.
#![cfg(test)]

mod architecture;
mod cli;
mod config;
mod deploy;
mod http;
mod keys;
mod support;
mod telemetry;
//! The integration tests, one binary.
#![expect(clippy::expect_used, reason = "helpers of tests fail loudly, like tests")]

#[cfg(feature = "sandbox")]
mod phone;
//! The tests that need more than one module: one binary, so that they are linked once.

#[cfg(test)]
mod providers;
#[cfg(test)]
//! The integration tests, one binary.
#![cfg(test)]

#[cfg(feature = "sandbox")]
mod sandbox;
mod support;
//! Integration tests, one binary.

#[cfg(test)]
mod gateways;
