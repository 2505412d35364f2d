//! Searches for an account at the provider that carries an attempt's session, when the attempt's answer was lost.
//!
//! The search ends: it goes on for as long as the provider may take to show an account, then the person is told that
//! nothing could be confirmed, and may go on. What shows later all the same (the provider sends a webhook, and
//! `service/provider_webhooks.rs` knows the session) is searched for once more, and linked or undone.

use super::linker::Linking;
use crate::core::flow::AttemptResult;
use crate::core::ids::AttemptId;
use crate::providers::{AccountsQuery, ProviderAccount};
use crate::records::{Attempt, AttemptState, RecordsError};
use crate::service::job::{JobError, JobOutcome};

/// How many accounts that name no session are read, newest first, to find a lost one.
const MAX_UNNAMED: usize = 50;

/// Nothing at the provider carries the attempt's session, so far.
const NOT_FOUND: JobOutcome = JobOutcome::Retry("not found");

impl Linking {
    /// Searches for an account that carries the attempt's session, and gives up after a while.
    pub(super) async fn search_or_lapse(&self, attempt: Attempt) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        if attempt.state == AttemptState::Sending {
            self.deps
                .records
                .move_attempt(attempt.id, AttemptState::Unknown, now)
                .await?;
        }
        let over = now.since(attempt.created_at) >= self.providers.settle_for(&attempt.provider);
        match self.search(&attempt).await {
            Ok(found) if found != NOT_FOUND => Ok(found),
            Ok(_) if over => {
                self.lapse(&attempt).await?;
                Ok(JobOutcome::Done)
            }
            Ok(again) => {
                // Told again although nothing is new: a turn may be waiting for just that.
                self.notify(&attempt, AttemptResult::Unknown).await;
                Ok(again)
            }
            Err(error) => {
                // The provider refuses to list. The job goes on, for there may be an account; the person need not wait.
                if over && error.is_permanent() {
                    self.lapse(&attempt).await?;
                }
                Err(error)
            }
        }
    }

    /// Closes an attempt that nobody has begun to send: from now on nobody can, and the person may submit again.
    pub(super) async fn close_unsent(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        if !self
            .deps
            .records
            .move_attempt(attempt.id, AttemptState::NotSent, now)
            .await?
        {
            return Ok(JobOutcome::Retry("its owner was quicker"));
        }
        self.notify(attempt, AttemptResult::NotSent).await;
        Ok(JobOutcome::Done)
    }

    /// Searches once more for an attempt of which nothing was found in its time.
    pub(super) async fn search_once_more(&self, attempt: Attempt) -> Result<JobOutcome, JobError> {
        self.notify(&attempt, AttemptResult::Lapsed).await;
        let found = self.search(&attempt).await?;
        Ok(if found == NOT_FOUND { JobOutcome::Done } else { found })
    }

    /// No job will find out what became of an attempt: the person is told, if they still have no answer.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_attempt(&self, id: AttemptId) -> Result<(), RecordsError> {
        match self.deps.records.attempt(id).await? {
            Some((attempt, _)) if attempt.state.is_pending() => self.lapse(&attempt).await,
            _ => Ok(()),
        }
    }

    /// Ends the search. The person is not told if another node has found out in the meantime: that node tells them.
    pub(super) async fn lapse(&self, attempt: &Attempt) -> Result<(), RecordsError> {
        let now = self.deps.clock.now();
        if self
            .deps
            .records
            .move_attempt(attempt.id, AttemptState::Lapsed, now)
            .await?
        {
            self.notify(attempt, AttemptResult::Lapsed).await;
        }
        Ok(())
    }

    async fn search(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let session = self.session_of(attempt)?;
        let mut unnamed = Vec::new();
        let mut found = Vec::new();
        for account in self.accounts_of(attempt, AccountsQuery::All).await? {
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
            let known = self.deps.sealing.account_digest(&attempt.provider, &account.id);
            if self.deps.records.link_by_account(&known).await?.is_some() {
                continue;
            }
            let read = self.accounts_of(attempt, AccountsQuery::One(&account.id)).await?;
            found.extend(
                read.into_iter()
                    .filter(|read| read.session_id.as_deref() == Some(session.as_str())),
            );
        }
        if found.is_empty() {
            return Ok(NOT_FOUND);
        }
        match self.terms_of(attempt).await? {
            Some(terms) => self.complete(attempt, terms, found.into()).await,
            None => self.undo(attempt, &found.into()).await,
        }
    }

    async fn accounts_of(&self, attempt: &Attempt, which: AccountsQuery<'_>) -> Result<Vec<ProviderAccount>, JobError> {
        let client = self.providers.of_attempt(attempt).await?;
        let read = client.api.accounts(client.access(), which).await;
        Ok(self.providers.keep(client, read).await?.0)
    }
}
