//! Mono.
