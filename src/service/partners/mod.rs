//! What a request of a partner's server means. Routes are in `http`, rows in `records`.
//!
//! The middleware in front of all routes authenticates the caller once. From then on there is a
//! [`RequestContext`](context::RequestContext) with the caller and the rows that the request may touch; everything here passes
//! that scope on to the records.

pub mod access;
pub mod account_api;
pub mod budgets;
pub mod context;
pub mod eligibility;
pub mod entities;
pub mod error;
pub mod events;
mod failed_auth;
pub mod idempotency;
pub mod intents;
pub mod linking_api;
pub mod links;
pub mod partner_buckets;
pub mod profile;
pub mod provisioning;
pub mod purposes;
pub mod roles;
pub mod schemas;
pub mod sessions;
pub mod subscribers;
mod token_cache;
pub mod users;
mod validation;
pub mod views;
pub mod webhook_endpoints;
