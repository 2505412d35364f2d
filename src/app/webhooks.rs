//! Sets up what tells partners.

use std::sync::Arc;

use super::StartError;
use super::assemble::Base;
use crate::config::{Config, Mode};
use crate::core::outside::Outside;
use crate::core::webhook::Pace;
use crate::providers::http::ClientOptions;
use crate::providers::http::guarded::{Guarded, SystemResolver};
use crate::service::partners::Receivers;
use crate::service::webhooks::Webhooks;

/// What may be called: receivers on the public internet; in the sandbox, on this machine too.
pub(super) fn outside(mode: Mode) -> Outside {
    Outside {
        loopback: mode == Mode::Sandbox,
    }
}

fn client(mode: Mode) -> Result<Arc<Guarded>, StartError> {
    let client = Guarded::new(&ClientOptions::default(), outside(mode), Arc::new(SystemResolver))?;
    Ok(Arc::new(client))
}

/// What sends webhooks.
pub(super) fn webhooks(base: &Base, config: &Config) -> Result<Webhooks, StartError> {
    Ok(Webhooks {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        post: client(config.mode)?,
        pace: pace(config),
        runtime: base.runtime.clone(),
    })
}

#[cfg(feature = "sandbox")]
fn pace(config: &Config) -> Pace {
    config.sandbox.webhooks
}

#[cfg(not(feature = "sandbox"))]
fn pace(_: &Config) -> Pace {
    Pace::default()
}

/// What keeps the addresses they are sent to.
pub(super) fn receivers(base: &Base, mode: Mode) -> Result<Receivers, StartError> {
    Ok(Receivers {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        outside: outside(mode),
        scout: client(mode)?,
        runtime: base.runtime.clone(),
    })
}
