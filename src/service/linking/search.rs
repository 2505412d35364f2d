//! Looks for what nobody knows of: an account at the provider that carries an attempt's session.
//!
//! The search ends: an attempt is looked for as long as the provider may take to show an account, then the person is told
//! that nothing could be confirmed, and may go on. What shows later all the same (the provider sends a webhook, and
//! `service/hooks.rs` knows the session) is looked for once more, and linked or undone.

use std::time::Duration;

use super::super::jobs::JobOutcome;
use super::{JobError, Linking};
use crate::core::flow::AttemptResult;
use crate::core::ids::AttemptId;
use crate::providers::AccountsQuery;
use crate::records::{Attempt, AttemptState, RecordsError};

/// How long an attempt nobody knows about is looked for. Mono says an account shows within ten minutes.
pub(super) const SEARCH_FOR: Duration = Duration::from_mins(15);

/// How many accounts that name no session are looked into, newest first, to find a lost one.
const MAX_UNNAMED: usize = 50;

/// Nothing at the provider carries the attempt's session, so far.
const NOT_FOUND: JobOutcome = JobOutcome::Retry("not found");

impl Linking {
    /// Looks for an account that carries the attempt's session, and gives up looking after a while.
    pub(super) async fn search_or_lapse(&self, attempt: Attempt) -> Result<JobOutcome, JobError> {
        let now = self.runtime.clock.now();
        if attempt.state == AttemptState::Sending {
            self.records
                .move_attempt(attempt.id, AttemptState::Unknown, now)
                .await?;
        }
        let over = now.since(attempt.created_at) >= SEARCH_FOR;
        match self.search(&attempt).await {
            Ok(found) if found != NOT_FOUND => Ok(found),
            Ok(_) if over => {
                self.lapse(&attempt).await?;
                Ok(JobOutcome::Done)
            }
            Ok(again) => {
                // Said again although nothing is new: somebody may be waiting to hear that much.
                self.notify(&attempt, AttemptResult::Unknown).await;
                Ok(again)
            }
            Err(trouble) => {
                // It does not let us look. The job goes on asking, for there may be an account; the person need not wait.
                if over && trouble.is_permanent() {
                    self.lapse(&attempt).await?;
                }
                Err(trouble)
            }
        }
    }

    /// Closes an attempt that nobody has begun to send: from now on nobody can, and the person may type it again.
    pub(super) async fn close_unsent(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let now = self.runtime.clock.now();
        if !self
            .records
            .move_attempt(attempt.id, AttemptState::NotSent, now)
            .await?
        {
            return Ok(JobOutcome::Retry("its owner was quicker"));
        }
        self.notify(attempt, AttemptResult::NotSent).await;
        Ok(JobOutcome::Done)
    }

    /// Looks once more for an attempt of which nothing was found in its time.
    pub(super) async fn search_once_more(&self, attempt: Attempt) -> Result<JobOutcome, JobError> {
        self.notify(&attempt, AttemptResult::Lapsed).await;
        let found = self.search(&attempt).await?;
        Ok(if found == NOT_FOUND { JobOutcome::Done } else { found })
    }

    /// Nobody goes on asking what became of an attempt: the person is told, if they are still owed an answer.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_attempt(&self, id: AttemptId) -> Result<(), RecordsError> {
        match self.records.attempt(id).await? {
            Some((attempt, _)) if attempt.state.is_pending() => self.lapse(&attempt).await,
            _ => Ok(()),
        }
    }

    /// Ends the search. Nothing is told when somebody else has found out in the meantime: they tell.
    async fn lapse(&self, attempt: &Attempt) -> Result<(), RecordsError> {
        let now = self.runtime.clock.now();
        if self.records.move_attempt(attempt.id, AttemptState::Lapsed, now).await? {
            self.notify(attempt, AttemptResult::Lapsed).await;
        }
        Ok(())
    }

    async fn search(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let session = self.session_of(attempt)?;
        let (provider, credentials) = self
            .providers
            .with_credentials(attempt.partner, &attempt.provider)
            .await?;
        let mut unnamed = Vec::new();
        let mut found = Vec::new();
        for account in provider.accounts(&credentials, AccountsQuery::All).await? {
            match &account.session_id {
                Some(id) if *id == session => found.push(account),
                Some(_) => {}
                None => unnamed.push(account),
            }
        }
        for account in unnamed.iter().rev().take(MAX_UNNAMED) {
            if !found.is_empty() {
                break;
            }
            let known = self.sealing.account_digest(&attempt.provider, &account.id);
            if self.records.link_by_account(&known).await?.is_some() {
                continue;
            }
            let read = provider.accounts(&credentials, AccountsQuery::One(&account.id)).await?;
            found.extend(
                read.into_iter()
                    .filter(|read| read.session_id.as_deref() == Some(session.as_str())),
            );
        }
        if found.is_empty() {
            Ok(NOT_FOUND)
        } else {
            self.complete(attempt, found).await
        }
    }
}
