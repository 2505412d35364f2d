//! The partner API over real HTTP, against the whole server.

mod auth;
mod problems;
mod staff;
mod subscribers;
