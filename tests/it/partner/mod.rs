//! The partner API over real HTTP, against the whole server.

mod anything;
mod auth;
mod operator;
mod problems;
mod profile;
mod reference;
mod repeats;
mod staff;
mod subscribers;
