//! A link for which its partner expects a certain account: compared as soon as that can be read, before anybody is told
//! that it is linked.
//!
//! The link stands in the records while its account is read, out of use and seen by nobody; its submission stays granted,
//! so the person goes on seeing that their bank is asked. Whoever was at it may die at any moment: the job that reads the
//! account, and the one that settles the submission, come to the same. What is not the account that is expected is ended
//! at its provider, and both are told.

use super::super::facts_reader::link_summary;
use super::super::jobs::JobOutcome;
use super::search::SEARCH_FOR;
use super::{JobError, Linking};
use crate::core::flow::AttemptResult;
use crate::core::flow::handover::Notification;
use crate::core::ids::{AttemptId, ConsentId, JobId, LinkId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{AccountDetails, AccountsQuery, ProviderError};
use crate::records::{
    Attempt, IntentState, Job, JobKind, Link, LinkState, LinkVerification, LinkedAccount, RecordsError,
    VerificationOutcome,
};
use crate::service::sealing::SealedIntent;

/// What an account says of itself, and in which session it says that it was linked.
pub(super) type AccountRead = (Option<String>, AccountDetails);

impl Linking {
    /// Whether a partner expects a certain account of whoever agreed to this.
    pub(super) async fn expects_account(&self, consent: ConsentId) -> Result<bool, RecordsError> {
        let asked = self.records.intent_of_consent(consent).await?;
        Ok(asked.is_some_and(|asked| asked.expected.is_some()))
    }

    /// Compares a link's accounts with the one that is expected, and goes on from there.
    pub(super) async fn verify(&self, link: &Link) -> Result<JobOutcome, JobError> {
        let mut details = Vec::with_capacity(link.accounts.len());
        for account in &link.accounts {
            let read = self.read_account(link, account).await;
            if read.is_err() && self.runtime.clock.now().since(link.created_at) >= SEARCH_FOR {
                // The job goes on reading; the person need not wait. They are told when it turns out to be the one after all.
                self.notify_of(link, AttemptResult::Lapsed).await;
            }
            let (session, read) = read?;
            if self.linked_elsewhere(link, session.as_deref()).await? {
                return self.unlink_foreign(link).await;
            }
            details.push(read);
        }
        let now = self.runtime.clock.now();
        let follow: Vec<_> = self.linked_sms_job(link.attempt, now).into_iter().collect();
        let verifying = LinkVerification {
            matches: self.matches_expected(link, &details).await?,
            follow_up: &follow,
            unlink: &self.unlink_job(link, now),
        };
        match self.records.verify_link(link, &verifying, now).await? {
            VerificationOutcome::AlreadySettled => {}
            VerificationOutcome::Linked => self.complete_verified(link, &details).await?,
            VerificationOutcome::Superseded => self.audit(&link.into(), "link.undone", link.id.to_string()).await,
            VerificationOutcome::IntentClosed => {
                self.audit(&link.into(), "link.undone", link.id.to_string()).await;
                self.notify_of(link, AttemptResult::RequestEnded).await;
            }
            VerificationOutcome::Mismatched => {
                tracing::info!(link = %link.id, "a link was not to the account that its partner expects; it is ended");
                self.audit(&link.into(), "account.mismatched", link.id.to_string())
                    .await;
                self.notify_of(link, AttemptResult::Mismatched).await;
            }
        }
        Ok(JobOutcome::Done)
    }

    /// It is the account that is expected: what it says of itself is kept, and the person is told that it is linked.
    async fn complete_verified(&self, link: &Link, details: &[AccountDetails]) -> Result<(), JobError> {
        self.audit(&link.into(), "link.created", link.id.to_string()).await;
        let mut again = false;
        for (account, details) in link.accounts.iter().zip(details) {
            again |= self.save_reading(link, account, details).await?;
        }
        if let Some(link) = self.records.link(link.id).await? {
            self.notify_of(&link, AttemptResult::Linked(link_summary(&link, again)))
                .await;
        }
        Ok(())
    }

    /// Whether one of these accounts is the one that is expected.
    async fn matches_expected(&self, link: &Link, details: &[AccountDetails]) -> Result<bool, JobError> {
        let asked = self.records.intent_of_consent(link.consent).await?;
        let Some((asked, sealed)) = asked
            .as_ref()
            .and_then(|asked| Some((asked, asked.expected.as_deref()?)))
        else {
            // It was blanked: nobody can say any more what it must be.
            return Ok(false);
        };
        let request = SealedIntent {
            partner: asked.partner,
            id: asked.id,
        };
        let expected = self.sealing.open_expected(request, sealed);
        let expected = expected.map_err(|_| JobError::Sealed)?;
        let is_the_one = |details: &AccountDetails| {
            let holder = details.holder.as_ref().map(Secret::expose);
            expected.matches(details.number.expose(), holder)
        };
        Ok(details.iter().any(is_the_one))
    }

    /// Nobody goes on reading an account that was to be compared: the link is ended, and the person told that nothing could
    /// be confirmed.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_verification(&self, id: LinkId) -> Result<(), RecordsError> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(());
        };
        let now = self.runtime.clock.now();
        if link.state == LinkState::Verifying {
            let unlink = self.unlink_job(&link, now);
            let to = LinkState::Removing;
            if self.records.move_link(id, to, &[unlink], now).await? {
                self.audit(&(&link).into(), "link.undone", id.to_string()).await;
                self.notify_of(&link, AttemptResult::Lapsed).await;
            }
        }
        Ok(())
    }

    /// Why something that was linked was undone, as the person is told it.
    pub(super) async fn undone_result(&self, attempt: &Attempt) -> Result<AttemptResult, RecordsError> {
        let asked = self.records.intent_of_consent(attempt.consent).await?;
        Ok(match asked.map(|asked| asked.state) {
            Some(IntentState::Mismatched) => AttemptResult::Mismatched,
            Some(IntentState::Cancelled | IntentState::Completed) => AttemptResult::RequestEnded,
            Some(IntentState::Open | IntentState::Expired) | None => AttemptResult::Lapsed,
        })
    }

    /// Reads an account of a link's.
    pub(super) async fn read_account(&self, link: &Link, account: &LinkedAccount) -> Result<AccountRead, JobError> {
        let (provider, credentials) = self.providers.with_credentials(link.partner, &link.provider).await?;
        let id = self
            .sealing
            .open_account(&link.tag, account.id, &account.account)
            .map_err(|_| JobError::Sealed)?;
        let mut read = provider
            .accounts(&credentials, AccountsQuery::One(&id))
            .await?
            .into_iter();
        read.find_map(|read| Some((read.session_id, read.details?)))
            .ok_or_else(|| ProviderError::Unavailable("no details yet", None).into())
    }

    /// The job that tells a link's provider that it is over.
    pub(super) fn unlink_job(&self, link: &Link, due_at: Timestamp) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: link.partner,
            kind: JobKind::Unlink(link.id),
            due_at,
            tries: 0,
            key: format!("unlink:{}", link.id),
        }
    }

    /// The job that texts whoever is not there any more that an account is linked; none where nobody can be texted.
    pub(super) fn linked_sms_job(&self, attempt: AttemptId, due_at: Timestamp) -> Option<Job> {
        let desk = self.newsroom.handovers.as_ref()?;
        Some(desk.job(attempt, Notification::Linked, due_at))
    }

    /// Tells whose link it is what became of the submission that made it.
    pub(super) async fn notify_of(&self, link: &Link, fate: AttemptResult) {
        let news = crate::core::flow::SessionEvent::AttemptResolved {
            id: link.attempt,
            result: fate,
        };
        self.newsroom.apply(&link.tag, &news).await;
    }
}
