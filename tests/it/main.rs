//! The integration tests: one binary, real servers, faults made on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there and then")]

mod records;
mod store;
mod support;
