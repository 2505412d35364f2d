//! The partner API over real HTTP, against the whole server.

mod anything;
mod auth;
mod events;
mod expected;
mod intents;
mod kit;
mod links;
mod matrix;
mod operator;
mod problems;
mod profile;
mod reference;
mod repeats;
mod revoking;
mod seeds;
mod sessions;
mod staff;
mod subscribers;
mod tenants;
mod walk;
mod webhook_endpoints;
