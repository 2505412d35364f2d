//! Providers' webhooks: what happened to accounts, links and sessions behind our back.

mod effects;
pub mod receiver;
