//! Durable records.

mod contract;
mod crash;
mod sqlite;
