//! Accounts that came back and are not to be linked: another person's after a mix-up at the provider, or another one than
//! the person chose.
//!
//! Little can be known. An account says in which session it was linked, and ours is known; an account that another person
//! has linked here is recognised by its id; and where the person chose from a list, the digits that stood there are known.
//! Names cannot be compared: nobody told us what the bank calls the person, and the provider's customer was made from a
//! template of ours. A provider that names no session or shows no digits, or cannot be read in time, is believed.

use super::linker::{AccountOwner, DETAILS_TIMEOUT, Linking, Obtained};
use super::rejection::Rejection;
use super::unlink::Unlink;
use crate::core::chosen_account;
use crate::core::flow::SessionEvent;
use crate::core::flow::handover::Notification;
use crate::providers::{
    Access, AccountDetails, AccountsQuery, EndScope, ProviderAccount, ProviderSession, SessionMeaning,
};
use crate::records::{Attempt, JobType, Link, LinkState};
use crate::service::job::{JobError, JobOutcome};

impl Linking {
    /// Reads what came back for an attempt, and ends the access to what is not to be linked. Says why, if that is all of it;
    /// where only the whole can be ended, one account that was not chosen is enough.
    pub(super) async fn keep_own(
        &self,
        attempt: &Attempt,
        obtained: &mut Obtained,
    ) -> Result<Option<Rejection>, JobError> {
        let (mut own, mut rejected) = (Vec::new(), Vec::new());
        for (account, why) in self.judge(attempt, obtained).await? {
            match why {
                None => own.push(account),
                Some(why) => rejected.push((why, account)),
            }
        }
        let (reasons, mut rejected): (Vec<_>, Vec<_>) = rejected.into_iter().unzip();
        let why = [Rejection::NotChosen, Rejection::Foreign];
        let Some(why) = why.into_iter().find(|why| reasons.contains(why)) else {
            obtained.accounts = own;
            if obtained.access.is_some() {
                // Reading may have changed what the provider wants to see again.
                self.store_exchanged(attempt, obtained).await?;
            }
            return Ok(None);
        };
        if own.is_empty() || (why == Rejection::NotChosen && self.ends_as_a_whole(&attempt.provider)) {
            rejected.append(&mut own);
            obtained.accounts = rejected;
            let end = Some(why.state());
            let decided = self.reject(attempt, (&*obtained, &reasons), None, end).await?;
            return decided.then_some(Some(why)).ok_or(JobError::Overtaken);
        }
        obtained.accounts = own;
        let (rejected, own) = (rejected.into(), Some(&*obtained));
        let decided = self.reject(attempt, (&rejected, &reasons), own, None).await?;
        decided.then_some(None).ok_or(JobError::Overtaken)
    }

    /// Reads what came back for an attempt, and says of each account why it is not to be linked, if it is not.
    async fn judge(
        &self,
        attempt: &Attempt,
        obtained: &mut Obtained,
    ) -> Result<Vec<(ProviderAccount, Option<Rejection>)>, JobError> {
        let session = self.open_session_of(attempt)?;
        let mut judged = Vec::new();
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
            let elsewhere = self.is_of_another_session(&attempt.into(), said, &session.id).await?;
            let digest = self.deps.sealing.account_digest(&attempt.provider, &account.id);
            let holder = self.deps.records.link_by_account(&digest).await?;
            let anothers = holder.is_some_and(|link| link.owns_accounts() && link.tag != attempt.tag);
            let why = if elsewhere || anothers {
                Some(Rejection::Foreign)
            } else {
                account
                    .details
                    .as_ref()
                    .and_then(|details| not_chosen(&session, details))
            };
            judged.push((account, why));
        }
        Ok(judged)
    }

    fn ends_as_a_whole(&self, provider: &str) -> bool {
        let api = self.providers.provider(provider);
        api.is_some_and(|api| api.facts().ends == EndScope::Link)
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

    /// Why a link is to be ended when an account of it is read for the first time, after it was linked: it says that it was
    /// linked in another session than the link's, or it is not the one that was chosen. Later it may name the session in
    /// which the link was renewed.
    pub(super) async fn late_rejection(
        &self,
        link: &Link,
        said: Option<&str>,
        details: &AccountDetails,
    ) -> Result<Option<Rejection>, JobError> {
        let Some((attempt, _)) = self.deps.records.attempt(link.attempt).await? else {
            return Ok(None);
        };
        let session = self.open_session_of(&attempt)?;
        if self.is_of_another_session(&link.into(), said, &session.id).await? {
            return Ok(Some(Rejection::Foreign));
        }
        Ok(not_chosen(&session, details))
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

    /// Ends a link whose account is not the person's, or not the one that they chose. If they were told that it is linked,
    /// they are told this.
    pub(super) async fn undo_link(&self, link: &Link, why: Rejection) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        let records = &self.deps.records;
        let unlink = Unlink::job(link.partner, link.id, now);
        let queue = self.updater.handovers.as_ref();
        let told_by = now.plus(DETAILS_TIMEOUT);
        let sms = queue.map(|queue| queue.job(link.attempt, Notification::NotLinked, told_by));
        let jobs: Vec<_> = [unlink].into_iter().chain(sms).collect();
        if records.undo_link(link, why.state(), &jobs, now).await? {
            tracing::error!(provider = link.provider, link = %link.id, ?why, "link to a wrong account, ended");
            self.audit(&link.into(), why.audit_kind(), link.id).await;
            if link.state == LinkState::Verifying {
                self.notify_of(link, why.result()).await;
            } else {
                self.take_back(link, why).await?;
            }
        }
        Ok(JobOutcome::Done)
    }

    /// Tells somebody who was told of a link that it is none. They may have gone on since.
    async fn take_back(&self, link: &Link, why: Rejection) -> Result<(), JobError> {
        let made = match self.deps.records.attempt(link.attempt).await? {
            Some((attempt, _)) => self.facts.standing(attempt).await?,
            None => None,
        };
        let event = SessionEvent::LinkUndone {
            link: link.id,
            attempt: link.attempt,
            result: why.result(),
            made: made.map(Box::new),
        };
        self.updater.apply(&link.tag, &event).await;
        Ok(())
    }
}

/// Whether an account is clearly none of those that were chosen in this session.
fn not_chosen(session: &ProviderSession, details: &AccountDetails) -> Option<Rejection> {
    chosen_account::is_another(&session.chosen, details.number.expose()).then_some(Rejection::NotChosen)
}
