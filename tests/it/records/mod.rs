//! Durable records.

mod address;
mod contract;
mod crash;
mod postgres;
mod sqlite;
