//! Searches for an account at the provider that carries an attempt's session, when the attempt's answer was lost.
//!
//! A list shows only accounts. Of a provider that hands out with the exchange what it wants to see again, what a list shows
//! cannot be used: there the session itself is asked first, whose grant can be exchanged, and what only the list shows is
//! ended.
//!
//! The search ends: it goes on for as long as the provider may take to show an account, then the person is told that
//! nothing could be confirmed, and may go on. What shows later all the same (the provider sends a webhook, and
//! `service/provider_webhooks.rs` knows the session) is searched for once more, and linked or undone.

use super::linker::{Linking, Obtained};
use crate::core::flow::AttemptResult;
use crate::core::ids::AttemptId;
use crate::core::next_step::NextStep;
use crate::core::secret::Secret;
use crate::providers::{AccountsQuery, Advance, ProviderAccount, Stepped};
use crate::records::{Attempt, AttemptState, RecordsError};
use crate::service::job::{JobError, JobOutcome};

/// How many accounts that name no session are read, newest first, to find a lost one.
const MAX_UNNAMED: usize = 50;

/// Nothing at the provider carries the attempt's session, so far.
const NOT_FOUND: JobOutcome = JobOutcome::Retry("not found");

/// Its owner has gone on while it was looked at.
const OVERTAKEN: JobOutcome = JobOutcome::Retry("its owner was quicker");

impl Linking {
    /// Searches for an account that carries the attempt's session, and gives up after a while.
    pub(super) async fn search_or_lapse(&self, mut attempt: Attempt) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        if attempt.state == AttemptState::Sending {
            let (records, unknown) = (&self.deps.records, AttemptState::Unknown);
            if !records
                .move_attempt_from(attempt.id, attempt.state, unknown, now)
                .await?
            {
                return Ok(OVERTAKEN);
            }
            attempt.state = unknown;
        }
        let over = now.since(attempt.created_at) >= self.providers.settle_for(&attempt.provider);
        match self.search(&attempt).await {
            Ok(found) if found != NOT_FOUND => Ok(found),
            // While the session does not answer, there may be something in it that only this attempt can ask for.
            found if (found.is_ok() || over) && self.was_renewed(&attempt).await? => {
                self.complete_renewed(&attempt).await
            }
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
        let (records, now) = (&self.deps.records, self.deps.clock.now());
        let closed = records.move_attempt_from(attempt.id, AttemptState::Open, AttemptState::NotSent, now);
        if !closed.await? {
            return Ok(OVERTAKEN);
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
            Some((attempt, _)) if attempt.state.is_pending() => match self.undo_exchanged(&attempt).await {
                Ok(true) => Ok(()),
                Err(JobError::Records(error)) => Err(error),
                // What is stored does not open: nobody can do anything with it.
                Ok(false) | Err(_) => self.lapse(&attempt).await,
            },
            _ => Ok(()),
        }
    }

    /// Ends access to what the grant of an attempt was exchanged for, if it was and there is no link of it. Says whether so.
    async fn undo_exchanged(&self, attempt: &Attempt) -> Result<bool, JobError> {
        let Some(exchanged) = self.exchanged(attempt).await? else {
            return Ok(false);
        };
        if self.deps.records.link_of_attempt(attempt.id).await?.is_some() {
            return Ok(false);
        }
        self.undo(attempt, &exchanged, AttemptResult::Lapsed).await?;
        Ok(true)
    }

    /// Whether its provider has said that the link which it renews was logged in to since it was begun.
    pub(super) async fn was_renewed(&self, attempt: &Attempt) -> Result<bool, RecordsError> {
        match attempt.renews {
            Some(link) => self.deps.records.renewed_since(link, attempt.created_at).await,
            None => Ok(false),
        }
    }

    /// Ends the search, or the wait, unless something has come of it meanwhile: a grant is not given up with it, and anybody
    /// who has found out tells the person.
    pub(super) async fn lapse(&self, attempt: &Attempt) -> Result<(), RecordsError> {
        let (records, now) = (&self.deps.records, self.deps.clock.now());
        let lapsed = records.move_attempt_from(attempt.id, attempt.state, AttemptState::Lapsed, now);
        if lapsed.await? {
            self.notify(attempt, AttemptResult::Lapsed).await;
        }
        Ok(())
    }

    async fn search(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        if let Some(found) = self.ask_session(attempt).await? {
            return Ok(found);
        }
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
        let Some(first) = found.first() else {
            return Ok(NOT_FOUND);
        };
        let handle = first.link.as_ref().map(|link| Secret::new(link.expose()));
        let found = Obtained { handle, ..found.into() };
        let unused = attempt.renews.is_none() && self.deps.records.link_of_attempt(attempt.id).await?.is_none();
        if unused && self.keeps_link_access(attempt) {
            tracing::warn!(provider = attempt.provider, "found without its access, ended");
            return self.undo(attempt, &found, AttemptResult::Lapsed).await;
        }
        match self.terms_of(attempt).await? {
            Some(terms) => self.complete(attempt, terms, found).await,
            None => self.undo(attempt, &found, AttemptResult::Lapsed).await,
        }
    }

    fn keeps_link_access(&self, attempt: &Attempt) -> bool {
        let api = self.providers.provider(&attempt.provider);
        api.is_some_and(|api| api.facts().keeps_link_access)
    }

    /// Asks the attempt's session itself where a list would not do, and follows its grant if there is one.
    async fn ask_session(&self, attempt: &Attempt) -> Result<Option<JobOutcome>, JobError> {
        // The grant that it would give may be known already.
        if attempt.state == AttemptState::Granted || !self.keeps_link_access(attempt) {
            return Ok(None);
        }
        let session = self.open_session_of(attempt)?;
        match self.carry_on(attempt, &session, Advance::Poll).await {
            Ok(Stepped {
                step: NextStep::Done(grant),
                ..
            }) => Ok(Some(Box::pin(self.grant(attempt, &grant)).await?)),
            // Anything else is no end; what has no such call, or cannot be asked now, is looked for in the list.
            Ok(_) | Err(_) => Ok(None),
        }
    }

    async fn accounts_of(&self, attempt: &Attempt, which: AccountsQuery<'_>) -> Result<Vec<ProviderAccount>, JobError> {
        let client = self.providers.of_attempt(attempt).await?;
        let read = client.api.accounts(client.access(), which).await;
        Ok(self.providers.keep(client, read).await?.0)
    }
}
