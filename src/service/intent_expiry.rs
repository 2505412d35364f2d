//! Ends partners' intents whose time is over.

use std::sync::Arc;

use async_trait::async_trait;

use super::deps::Deps;
use super::job::{JobError, JobHandler, JobOutcome};
use crate::core::ids::IntentId;
use crate::records::ExpireIntent;

pub struct IntentExpiry(Deps);

impl IntentExpiry {
    pub fn new(deps: &Deps) -> Arc<Self> {
        Arc::new(Self(deps.clone()))
    }
}

#[async_trait]
impl JobHandler<ExpireIntent> for IntentExpiry {
    async fn run(&self, intent: IntentId) -> Result<JobOutcome, JobError> {
        let now = self.0.clock.now();
        let later = self.0.records.expire_intent(intent, now).await?;
        Ok(later.map_or(JobOutcome::Done, |due| JobOutcome::RetryIn("not yet", due.since(now))))
    }
}
