//! Link intents, links and connect sessions of a partner.

use std::sync::Arc;

use super::error::ApiError;
use crate::core::seal::SealError;
use crate::core::time::Timestamp;
use crate::records::{IntentLimits, Records};
use crate::service::deps::Deps;
use crate::service::sealing::Sealing;
use crate::service::session_updater::SessionUpdater;
use crate::service::sms::outbox::SmsOutbox;
use crate::service::turn::TurnRunner;

/// Link intents, links and connect sessions.
pub struct LinkingApi {
    pub records: Arc<dyn Records>,
    pub sealing: Sealing,
    /// For the conversation's templates, languages, channels and institutions.
    pub turns: Arc<TurnRunner>,
    /// Tells subscribers in an open session.
    pub session_updater: SessionUpdater,
    pub intent_limits: IntentLimits,
    pub outbox: Arc<SmsOutbox>,
    pub deps: Deps,
}

impl LinkingApi {
    pub(super) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }
}

/// A sealed field cannot be opened, or a field cannot be sealed: not the caller's fault.
pub(super) fn seal_failure(error: SealError) -> ApiError {
    tracing::error!(%error, "a field of a partner's request cannot be sealed or opened");
    ApiError::Unavailable
}
