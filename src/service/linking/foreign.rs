//! Accounts that came back and are not this person's: a mix-up at the provider, or an account other than expected.
//!
//! Little can be known. An account says in which session it was linked, and ours is known; and an account that another
//! person has linked here is recognised by its id. Names and numbers cannot be compared: nobody told us what the bank calls
//! the person, and the provider's customer was made from a template of ours. A provider that names no session, or cannot
//! be read in time, is believed.

use super::linker::{AccountOwner, DETAILS_TIMEOUT, Linking, Obtained};
use super::unlink::Unlink;
use crate::core::flow::{AttemptResult, SessionEvent};
use crate::providers::{Access, AccountsQuery, ProviderAccount, ProviderSession, SessionMeaning};
use crate::records::{Attempt, JobType, Link, LinkState};
use crate::service::job::{JobError, JobOutcome};

impl Linking {
    /// Reads what came back for an attempt, and separates the person's accounts from those that cannot be theirs.
    pub(super) async fn split_foreign(
        &self,
        attempt: &Attempt,
        obtained: &mut Obtained,
    ) -> Result<(Vec<ProviderAccount>, Vec<ProviderAccount>), JobError> {
        let session = self.session_of(attempt)?;
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        let by = tokio::time::Instant::now() + DETAILS_TIMEOUT;
        for mut account in std::mem::take(&mut obtained.accounts) {
            // A call that may change what the provider wants to see again is never cut off.
            let keeps = obtained.access.is_some() || self.keeps_people(&attempt.provider);
            let reading = self.read_details(attempt, &account, obtained);
            let read = if keeps {
                reading.await
            } else {
                tokio::time::timeout_at(by, reading).await.ok().flatten()
            };
            if let Some(read) = read {
                account.details = read.details;
                account.session_id = read.session_id.or(account.session_id);
                account.person = read.person.or(account.person);
            }
            let said = account.session_id.as_deref();
            let elsewhere = self.is_of_another_session(&attempt.into(), said, &session).await?;
            let digest = self.deps.sealing.account_digest(&attempt.provider, &account.id);
            let holder = self.deps.records.link_by_account(&digest).await?;
            let anothers = holder.is_some_and(|link| link.owns_accounts() && link.tag != attempt.tag);
            if elsewhere || anothers {
                foreign.push(account);
            } else {
                own.push(account);
            }
        }
        Ok((own, foreign))
    }

    fn keeps_people(&self, provider: &str) -> bool {
        let api = self.providers.provider(provider);
        api.is_some_and(|api| api.facts().keeps_people)
    }

    /// What an account says of itself, if it can be read now.
    async fn read_details(
        &self,
        attempt: &Attempt,
        account: &ProviderAccount,
        obtained: &mut Obtained,
    ) -> Option<ProviderAccount> {
        let client = self.providers.of_attempt(attempt).await.ok()?;
        let access = Access {
            link: obtained.access.as_ref(),
            ..client.access()
        };
        let read = client.api.accounts(access, AccountsQuery::One(&account.id)).await;
        let (read, changed) = self.providers.keep(client, read).await.ok()?;
        if changed.is_some() {
            obtained.access = changed;
        }
        read.into_iter().next()
    }

    /// Ends the access to accounts that are not this person's, and audits that they came.
    pub(super) async fn reject_foreign(&self, owner: &AccountOwner<'_>, foreign: Obtained) -> Result<(), JobError> {
        if foreign.accounts.is_empty() {
            return Ok(());
        }
        tracing::error!(
            provider = owner.provider,
            "another person's account came back, not linked (if of every link: see account_names_session)"
        );
        self.end_access(owner, &foreign).await?;
        self.audit(owner, "account.foreign", owner.provider).await;
        Ok(())
    }

    /// Whether an account that is read for the first time, after it was linked, says that it was linked in another session
    /// than the link's. Later it may name the session in which the link was renewed.
    pub(super) async fn linked_elsewhere(&self, link: &Link, said: Option<&str>) -> Result<bool, JobError> {
        let (Some(said), Some((attempt, _))) = (said, self.deps.records.attempt(link.attempt).await?) else {
            return Ok(false);
        };
        let session = self.session_of(&attempt)?;
        self.is_of_another_session(&link.into(), Some(said), &session).await
    }

    /// Whether an account is believed that says it was linked in another session than ours. Where the provider does not
    /// publish what that session is, it is believed only after accounts of the same keys have named ours: until then it may
    /// mean anything, and nothing is undone because of it.
    async fn is_of_another_session(
        &self,
        owner: &AccountOwner<'_>,
        said: Option<&str>,
        session: &str,
    ) -> Result<bool, JobError> {
        let Some(said) = said else { return Ok(false) };
        let api = self.providers.provider(owner.provider);
        let published = api.is_none_or(|api| api.facts().session_meaning == SessionMeaning::Published);
        let records = &self.deps.records;
        if said == session {
            if !published {
                records.note_session_match(owner.partner, owner.provider).await?;
            }
            return Ok(false);
        }
        if published || records.session_matched(owner.partner, owner.provider).await? {
            return Ok(true);
        }
        tracing::warn!(
            provider = owner.provider,
            "an account names another session than it was linked in; not believed, for none has named the right one yet"
        );
        self.deps
            .metrics
            .session_mismatch(self.providers.metric_label(owner.provider));
        Ok(false)
    }

    /// The id of an attempt's session at its provider.
    pub(super) fn session_of(&self, attempt: &Attempt) -> Result<String, JobError> {
        Ok(self.open_session_of(attempt)?.id)
    }

    pub(super) fn open_session_of(&self, attempt: &Attempt) -> Result<ProviderSession, JobError> {
        let sealing = &self.deps.sealing;
        Ok(sealing.open_session(&attempt.tag, attempt.id, &attempt.provider_session)?)
    }

    /// Ends a link whose account is not this person's.
    pub(super) async fn unlink_foreign(&self, link: &Link) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        let unlink = Unlink::job(link.partner, link.id, now);
        let to = LinkState::Removing;
        if self.deps.records.move_link(link.id, to, &[unlink], now).await? {
            tracing::error!(provider = link.provider, link = %link.id, "link to another person's account, ended");
            self.audit(&link.into(), "account.foreign", link.id).await;
            if link.state == LinkState::Verifying {
                self.notify_of(link, AttemptResult::Lapsed).await;
            } else {
                let event = SessionEvent::Unlinked(link.id);
                self.updater.apply(&link.tag, &event).await;
            }
        }
        Ok(JobOutcome::Done)
    }
}
