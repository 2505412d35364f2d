//! Durable records.

mod contract;
mod crash;
mod database_url;
mod postgres;
mod sqlite;
