//! Sets up what tells partners.

use std::sync::Arc;

use super::StartError;
use super::assemble::Base;
use crate::config::Mode;
use crate::core::outside::Outside;
use crate::providers::http::ClientOptions;
use crate::providers::http::guarded::{Guarded, SystemResolver};
use crate::service::webhooks::Webhooks;

/// What may be called: receivers on the public internet; in the sandbox, on this machine too.
pub(super) fn outside(mode: Mode) -> Outside {
    Outside {
        loopback: mode == Mode::Sandbox,
    }
}

/// What sends webhooks.
pub(super) fn webhooks(base: &Base, mode: Mode) -> Result<Webhooks, StartError> {
    let client = Guarded::new(&ClientOptions::default(), outside(mode), Arc::new(SystemResolver))?;
    Ok(Webhooks {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        post: Arc::new(client),
        runtime: base.runtime.clone(),
    })
}
