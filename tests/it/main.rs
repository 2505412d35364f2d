//! Integration tests: one binary, one folder an area.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there and then")]

mod records;
mod support;
