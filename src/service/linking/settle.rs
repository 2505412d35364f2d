//! Finds out what became of an attempt, and tells the person.

use async_trait::async_trait;

use super::linker::{Linking, notify_linked};
use crate::core::flow::AttemptResult;
use crate::core::ids::AttemptId;
use crate::core::next_step::{Failure, FailureClass};
use crate::records::{AttemptState, JobType, RecordsError};
use crate::service::job::{JobError, JobHandler, JobOutcome};

/// Finds out what became of an attempt. It is first due when the attempt's lease ends.
pub struct Settle;

impl JobType for Settle {
    const NAME: &'static str = "settle";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<Settle> for Linking {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.settle(attempt).await
    }

    async fn on_given_up(&self, attempt: AttemptId) -> Result<(), RecordsError> {
        self.give_up_attempt(attempt).await
    }
}

impl Linking {
    /// # Errors
    /// When it is to be tried again.
    pub async fn settle(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let failed = |class| AttemptResult::Failed(Failure::from(class));
        let result = match attempt.state {
            AttemptState::Open => return self.close_unsent(&attempt).await,
            AttemptState::Sending | AttemptState::Unknown => return self.search_or_lapse(attempt).await,
            AttemptState::Granted => return self.redeem(id).await,
            // The job that asks the provider how far it is finds out.
            AttemptState::Waiting => return Ok(JobOutcome::Done),
            AttemptState::Linked if notify_linked(&self.deps, &self.updater, &attempt).await? => {
                return Ok(JobOutcome::Done);
            }
            // It has ended since: to somebody who has not heard of it, nothing is linked.
            AttemptState::Linked => AttemptResult::Lapsed,
            // The next form is not stored: the person starts at the first field again.
            AttemptState::Accepted => AttemptResult::QuestionLost,
            AttemptState::Refused => failed(FailureClass::Refused),
            AttemptState::WrongCode => failed(FailureClass::WrongCode),
            AttemptState::NotSent => AttemptResult::NotSent,
            AttemptState::NotTaken => failed(FailureClass::SessionExpired),
            AttemptState::Undone => self.undone_result(&attempt).await?,
            AttemptState::OtherAccount => AttemptResult::OtherAccount,
            AttemptState::Lapsed => return self.search_once_more(attempt).await,
        };
        self.notify(&attempt, result).await;
        Ok(JobOutcome::Done)
    }

    /// Tells the person again what became of an attempt, if that is known.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn notify_again(&self, id: AttemptId) -> Result<(), JobError> {
        match self.deps.records.attempt(id).await? {
            // The one who is working on it tells them.
            Some((attempt, _)) if attempt.state.is_pending() => Ok(()),
            Some(_) => self.settle(id).await.map(drop),
            None => Ok(()),
        }
    }
}
