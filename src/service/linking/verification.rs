//! A link for which its partner expects a certain account: compared as soon as that can be read, before anybody is told
//! that it is linked.
//!
//! The link is in the records while its account is read, out of use and shown to nobody; its attempt stays granted, so the
//! person goes on seeing that their bank is asked. A node may die at any moment: the job that reads the account, and the one
//! that settles the attempt, come to the same result. If it is not the expected account, the link is ended at its provider,
//! and person and partner are told.

use super::linker::Linking;
use super::unlink::Unlink;
use crate::core::flow::AttemptResult;
use crate::core::flow::handover::Notification;
use crate::core::ids::{AttemptId, ConsentId, LinkId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::AccountDetails;
use crate::records::{
    Attempt, IntentState, Job, JobType, Link, LinkState, LinkVerification, RecordsError, VerificationOutcome,
};
use crate::service::facts_reader::link_summary;
use crate::service::job::{JobError, JobOutcome};
use crate::service::sealing::SealedIntent;

impl Linking {
    /// Whether the partner expects a certain account of the person who gave this consent: one that it has named, or the one
    /// that was linked before and is to be linked again.
    pub(super) async fn expects_account(&self, consent: ConsentId) -> Result<bool, RecordsError> {
        let intent = self.deps.records.intent_of_consent(consent).await?;
        Ok(intent.is_some_and(|intent| intent.expected.is_some() || intent.renews.is_some()))
    }

    /// Compares a link's accounts with the one that is expected, and goes on from there.
    pub(super) async fn verify(&self, link: &Link) -> Result<JobOutcome, JobError> {
        let mut details = Vec::with_capacity(link.accounts.len());
        for account in &link.accounts {
            let read = self.read_account(link, account).await;
            let age = self.deps.clock.now().since(link.created_at);
            if read.is_err() && age >= self.providers.settle_for(&link.provider) {
                // The job goes on reading; the person need not wait. They are told if it turns out to be the expected account.
                self.notify_of(link, AttemptResult::Lapsed).await;
            }
            let (session, read) = read?;
            if let Some(why) = self.late_rejection(link, session.as_deref(), &read).await? {
                return self.undo_link(link, why).await;
            }
            details.push(read);
        }
        let now = self.deps.clock.now();
        let follow_up: Vec<_> = self.linked_sms_job(link.attempt, now).into_iter().collect();
        let verification = LinkVerification {
            matches: self.matches_expected(link, &details).await?,
            follow_up: &follow_up,
            unlink: &Unlink::job(link.partner, link.id, now),
        };
        match self.deps.records.verify_link(link, &verification, now).await? {
            VerificationOutcome::AlreadySettled => {}
            VerificationOutcome::Linked => self.complete_verified(link, &details).await?,
            VerificationOutcome::Superseded => self.audit(&link.into(), "link.undone", link.id).await,
            VerificationOutcome::IntentClosed => {
                self.audit(&link.into(), "link.undone", link.id).await;
                self.notify_of(link, AttemptResult::RequestEnded).await;
            }
            VerificationOutcome::Mismatched => {
                tracing::info!(link = %link.id, "link to another account than the partner expects, ended");
                self.audit(&link.into(), "account.mismatched", link.id).await;
                self.notify_of(link, AttemptResult::Mismatched).await;
            }
        }
        Ok(JobOutcome::Done)
    }

    /// It is the expected account: its details are saved, and the person is told that it is linked.
    async fn complete_verified(&self, link: &Link, details: &[AccountDetails]) -> Result<(), JobError> {
        self.audit(&link.into(), "link.created", link.id).await;
        let mut duplicate = false;
        for (account, details) in link.accounts.iter().zip(details) {
            duplicate |= self.save_reading(link, account, details).await?;
        }
        if let Some(link) = self.deps.records.link(link.id).await? {
            self.notify_of(&link, AttemptResult::Linked(link_summary(&link, duplicate)))
                .await;
        }
        Ok(())
    }

    /// Whether one of these accounts is the one that is expected.
    async fn matches_expected(&self, link: &Link, details: &[AccountDetails]) -> Result<bool, JobError> {
        let intent = self.deps.records.intent_of_consent(link.consent).await?;
        if let Some(before) = intent.as_ref().and_then(|intent| intent.renews) {
            return self.is_account_of(before, link, details).await;
        }
        let Some((intent, sealed)) = intent
            .as_ref()
            .and_then(|intent| Some((intent, intent.expected.as_deref()?)))
        else {
            // It was redacted: nobody can say any more what it must be.
            return Ok(false);
        };
        let sealed_intent = SealedIntent {
            partner: intent.partner,
            id: intent.id,
        };
        let expected = self.deps.sealing.open_expected(sealed_intent, sealed)?;
        let matches = |details: &AccountDetails| {
            let holder = details.holder.as_ref().map(Secret::expose);
            expected.matches(details.number.expose(), holder)
        };
        Ok(details.iter().any(matches))
    }

    /// Whether one of these accounts is one that this person had linked in the link before, at the same bank: another may have
    /// an account of the same number, such as a wallet whose numbers are phone numbers. One that was never read then is nobody's,
    /// for a number may be somebody else's by now.
    async fn is_account_of(&self, before: LinkId, link: &Link, details: &[AccountDetails]) -> Result<bool, JobError> {
        let before = self.deps.records.link(before).await?;
        let same_bank = |before: &Link| {
            (&before.provider, &before.provider_institution) == (&link.provider, &link.provider_institution)
        };
        let Some(before) = before.filter(|before| before.tag == link.tag && same_bank(before)) else {
            return Ok(false);
        };
        // As it was read then: the provider may list the bank as another one of ours today.
        let number = |details: &AccountDetails| self.deps.sealing.number_digest(&before.institution, &details.number);
        let known: Vec<_> = before
            .accounts
            .iter()
            .filter_map(|account| account.number_digest)
            .collect();
        Ok(details.iter().any(|details| known.contains(&number(details))))
    }

    /// No job will read an account that was to be compared: the link is ended, and the person is told that nothing could be
    /// confirmed.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_verification(&self, id: LinkId) -> Result<(), RecordsError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok(());
        };
        let now = self.deps.clock.now();
        if link.state == LinkState::Verifying {
            let unlink = Unlink::job(link.partner, link.id, now);
            let to = LinkState::Removing;
            if self.deps.records.move_link(id, to, &[unlink], now).await? {
                self.audit(&(&link).into(), "link.undone", id).await;
                self.notify_of(&link, AttemptResult::Lapsed).await;
            }
        }
        Ok(())
    }

    /// Why a link was undone, as the person is told.
    pub(super) async fn undone_result(&self, attempt: &Attempt) -> Result<AttemptResult, RecordsError> {
        let intent = self.deps.records.intent_of_consent(attempt.consent).await?;
        Ok(match intent.map(|intent| intent.state) {
            Some(IntentState::Mismatched) => AttemptResult::Mismatched,
            Some(IntentState::Cancelled | IntentState::Completed) => AttemptResult::RequestEnded,
            Some(IntentState::Open | IntentState::Expired) | None => AttemptResult::Lapsed,
        })
    }

    /// The job that tells a person who is no longer there that an account is linked, by SMS; `None` where none can be sent.
    pub(super) fn linked_sms_job(&self, attempt: AttemptId, due_at: Timestamp) -> Option<Job> {
        let queue = self.updater.handovers.as_ref()?;
        Some(queue.job(attempt, Notification::Linked, due_at))
    }
}
