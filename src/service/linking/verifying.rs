//! A link for which its partner expects a certain account: compared as soon as that can be read, before anybody is told
//! that it is linked.
//!
//! The link stands in the records while its account is read, out of use and seen by nobody; its submission stays granted,
//! so the person goes on seeing that their bank is asked. Whoever was at it may die at any moment: the job that reads the
//! account, and the one that settles the submission, come to the same. What is not the account that is expected is ended
//! at its provider, and both are told.

use super::super::jobs::Verdict;
use super::super::known::brief;
use super::search::SETTLE_FOR;
use super::{Linking, Trouble};
use crate::core::flow::Fate;
use crate::core::flow::handover::Tidings;
use crate::core::ids::{AttemptId, ConsentId, JobId, LinkId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{AccountDetails, ProviderError, Which};
use crate::records::{
    Attempt, IntentState, Job, JobKind, Link, LinkState, LinkedAccount, RecordsError, Verified, Verifying,
};
use crate::service::sealing::Request;

/// What an account says of itself, and in which session it says that it was linked.
pub(super) type Read = (Option<String>, AccountDetails);

impl Linking {
    /// Whether a partner expects a certain account of whoever agreed to this.
    pub(super) async fn is_expected(&self, consent: ConsentId) -> Result<bool, RecordsError> {
        let asked = self.records.asked_for(consent).await?;
        Ok(asked.is_some_and(|asked| asked.expected.is_some()))
    }

    /// Compares a link's accounts with the one that is expected, and goes on from there.
    pub(super) async fn verify(&self, link: &Link) -> Result<Verdict, Trouble> {
        let mut details = Vec::with_capacity(link.accounts.len());
        for account in &link.accounts {
            let read = self.read_one(link, account).await;
            if read.is_err() && self.runtime.clock.now().since(link.created_at) >= SETTLE_FOR {
                // The job goes on reading; the person need not wait. They are told when it turns out to be the one after all.
                self.tell_of(link, Fate::Lapsed).await;
            }
            let (session, read) = read?;
            if self.linked_elsewhere(link, session.as_deref()).await? {
                return self.end_foreign(link).await;
            }
            details.push(read);
        }
        let now = self.runtime.clock.now();
        let follow: Vec<_> = self.text_of_link(link.attempt, now).into_iter().collect();
        let verifying = Verifying {
            met: self.is_met(link, &details).await?,
            follow: &follow,
            unlink: &self.unlinking(link, now),
        };
        match self.records.verify_link(link, &verifying, now).await? {
            Verified::Before => {}
            Verified::Linked => self.is_the_one(link, &details).await?,
            Verified::Superseded => self.audit(&link.into(), "link.undone", link.id.to_string()).await,
            Verified::Over => {
                self.audit(&link.into(), "link.undone", link.id.to_string()).await;
                self.tell_of(link, Fate::Over).await;
            }
            Verified::Mismatched => {
                tracing::info!(link = %link.id, "a link was not to the account that its partner expects; it is ended");
                self.audit(&link.into(), "account.mismatched", link.id.to_string())
                    .await;
                self.tell_of(link, Fate::Mismatched).await;
            }
        }
        Ok(Verdict::Done)
    }

    /// It is the account that is expected: what it says of itself is kept, and the person is told that it is linked.
    async fn is_the_one(&self, link: &Link, details: &[AccountDetails]) -> Result<(), Trouble> {
        self.audit(&link.into(), "link.created", link.id.to_string()).await;
        let mut again = false;
        for (account, details) in link.accounts.iter().zip(details) {
            again |= self.keep_reading(link, account, details).await?;
        }
        if let Some(link) = self.records.link(link.id).await? {
            self.tell_of(&link, Fate::Linked(brief(&link, again))).await;
        }
        Ok(())
    }

    /// Whether one of these accounts is the one that is expected.
    async fn is_met(&self, link: &Link, details: &[AccountDetails]) -> Result<bool, Trouble> {
        let asked = self.records.asked_for(link.consent).await?;
        let Some((asked, sealed)) = asked
            .as_ref()
            .and_then(|asked| Some((asked, asked.expected.as_deref()?)))
        else {
            // It was blanked: nobody can say any more what it must be.
            return Ok(false);
        };
        let request = Request {
            partner: asked.partner,
            id: asked.id,
        };
        let expected = self.sealing.open_expected(request, sealed);
        let expected = expected.map_err(|_| Trouble::Sealed)?;
        let is_the_one = |details: &AccountDetails| {
            let holder = details.holder.as_ref().map(Secret::expose);
            expected.is_met_by(details.number.expose(), holder)
        };
        Ok(details.iter().any(is_the_one))
    }

    /// Nobody goes on reading an account that was to be compared: the link is ended, and the person told that nothing could
    /// be confirmed.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn unverified(&self, id: LinkId) -> Result<(), RecordsError> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(());
        };
        let now = self.runtime.clock.now();
        if link.state == LinkState::Verifying {
            let unlink = self.unlinking(&link, now);
            let to = LinkState::Removing;
            if self.records.move_link(id, to, &[unlink], now).await? {
                self.audit(&(&link).into(), "link.undone", id.to_string()).await;
                self.tell_of(&link, Fate::Lapsed).await;
            }
        }
        Ok(())
    }

    /// Why something that was linked was undone, as the person is told it.
    pub(super) async fn why_undone(&self, attempt: &Attempt) -> Result<Fate, RecordsError> {
        let asked = self.records.asked_for(attempt.consent).await?;
        Ok(match asked.map(|asked| asked.state) {
            Some(IntentState::Mismatched) => Fate::Mismatched,
            Some(IntentState::Cancelled | IntentState::Completed) => Fate::Over,
            Some(IntentState::Open | IntentState::Expired) | None => Fate::Lapsed,
        })
    }

    /// Reads an account of a link's.
    pub(super) async fn read_one(&self, link: &Link, account: &LinkedAccount) -> Result<Read, Trouble> {
        let (provider, credentials) = self.providers.with_credentials(link.partner, &link.provider).await?;
        let id = self
            .sealing
            .open_account(&link.tag, account.id, &account.account)
            .map_err(|_| Trouble::Sealed)?;
        let mut read = provider.accounts(&credentials, Which::One(&id)).await?.into_iter();
        read.find_map(|read| Some((read.session_id, read.details?)))
            .ok_or_else(|| ProviderError::Unavailable("no details yet", None).into())
    }

    /// The job that tells a link's provider that it is over.
    pub(super) fn unlinking(&self, link: &Link, due_at: Timestamp) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
            partner: link.partner,
            kind: JobKind::Unlink(link.id),
            due_at,
            tries: 0,
            key: format!("unlink:{}", link.id),
        }
    }

    /// The job that texts whoever is not there any more that an account is linked; none where nobody can be texted.
    pub(super) fn text_of_link(&self, attempt: AttemptId, due_at: Timestamp) -> Option<Job> {
        let desk = self.newsroom.desk.as_ref()?;
        Some(desk.job(attempt, Tidings::Linked, due_at))
    }

    /// Tells whose link it is what became of the submission that made it.
    pub(super) async fn tell_of(&self, link: &Link, fate: Fate) {
        let news = crate::core::flow::News::Attempt { id: link.attempt, fate };
        self.newsroom.tell(&link.tag, &news).await;
    }
}
