//! The partner API over real HTTP, against the whole server.

mod auth;
mod credentials;
mod events;
mod expected;
mod fuzz;
mod helpers;
mod idempotency;
mod intents;
mod links;
mod matrix;
mod oauth;
mod operator;
mod organization;
mod problems;
mod profile;
mod quickstart;
mod reference;
mod revocation;
mod rights;
mod seeds;
mod sessions;
mod subscribers;
mod tenants;
mod webhook_endpoints;
mod wire;
