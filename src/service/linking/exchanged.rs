//! What a grant was exchanged for, from the exchange on.
//!
//! A grant works once. So what it was exchanged for is stored before it is looked at, and what of it is not to be linked is
//! stored, with why and with the job that ends it, before access to it is ended: an account that has ended can no longer be
//! read, and so cannot be judged again. Each step may then fail or be repeated, by any node, and comes to the same.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use backon::Retryable as _;
use serde::{Deserialize, Serialize};

use super::linker::{Linking, Obtained};
use super::rejection::Rejection;
use crate::core::flow::AttemptResult;
use crate::core::ids::AttemptId;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{AccessBlob, ProviderAccount};
use crate::records::{Attempt, AttemptState, JobType, RejectedAccounts};
use crate::service::deps::answer_backoff;
use crate::service::job::{JobError, JobHandler, JobOutcome};

/// Ends access to accounts that came of an attempt and are not to be linked.
pub struct EndRejected;

impl JobType for EndRejected {
    const NAME: &'static str = "end_rejected";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<EndRejected> for Linking {
    /// Nobody but us knows that it is open.
    const ENDLESS: bool = true;

    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.end_rejected(attempt).await?;
        Ok(JobOutcome::Done)
    }
}

/// When the job begins that ends access to rejected accounts: what rejects them tries so at once.
const END_BY_JOB_AFTER: Duration = Duration::from_mins(1);

/// Accounts as they are stored.
#[derive(Serialize, Deserialize)]
struct StoredAccounts<'a> {
    accounts: Vec<StoredAccount<'a>>,
    handle: Option<Cow<'a, str>>,
    expires_at: Option<Timestamp>,
    access: Option<Cow<'a, [u8]>>,
    /// Why they are not to be linked, where that is so.
    reasons: Cow<'a, [Rejection]>,
}

#[derive(Serialize, Deserialize)]
struct StoredAccount<'a> {
    id: Cow<'a, str>,
    session_id: Option<Cow<'a, str>>,
    person: Option<Cow<'a, str>>,
    link: Option<Cow<'a, str>>,
}

impl<'a> StoredAccounts<'a> {
    fn new(obtained: &'a Obtained, reasons: &'a [Rejection]) -> Self {
        let text = |secret: &'a Secret| Cow::Borrowed(secret.expose());
        let account = |account: &'a ProviderAccount| StoredAccount {
            id: text(&account.id),
            session_id: account.session_id.as_deref().map(Cow::Borrowed),
            person: account.person.as_ref().map(text),
            link: account.link.as_ref().map(text),
        };
        Self {
            accounts: obtained.accounts.iter().map(account).collect(),
            handle: obtained.handle.as_ref().map(text),
            expires_at: obtained.expires_at,
            access: obtained.access.as_ref().map(|access| Cow::Borrowed(access.expose())),
            reasons: Cow::Borrowed(reasons),
        }
    }

    /// Adds what was stored before.
    fn add(&mut self, before: StoredAccounts<'a>) {
        self.accounts.extend(before.accounts);
        self.handle = self.handle.take().or(before.handle);
        self.access = self.access.take().or(before.access);
        self.reasons.to_mut().extend_from_slice(&before.reasons);
    }
}

impl From<StoredAccounts<'static>> for Obtained {
    fn from(stored: StoredAccounts<'static>) -> Self {
        let secret = |text: Cow<'static, str>| Secret::new(text.into_owned());
        let account = |account: StoredAccount<'static>| ProviderAccount {
            id: secret(account.id),
            session_id: account.session_id.map(Cow::into_owned),
            person: account.person.map(secret),
            link: account.link.map(secret),
            details: None,
        };
        Self {
            accounts: stored.accounts.into_iter().map(account).collect(),
            handle: stored.handle.map(secret),
            expires_at: stored.expires_at,
            access: stored.access.map(|access| AccessBlob::new(access.into_owned())),
        }
    }
}

impl Linking {
    /// What the grant of an attempt was exchanged for, if it was.
    pub(super) async fn exchanged(&self, attempt: &Attempt) -> Result<Option<Obtained>, JobError> {
        let Some(sealed) = self.deps.records.exchanged(attempt.id).await? else {
            return Ok(None);
        };
        let sealing = &self.deps.sealing;
        let stored: StoredAccounts<'static> = sealing.open_exchanged(&attempt.tag, attempt.id, &sealed)?;
        Ok(Some(stored.into()))
    }

    /// Stores what only this task knows.
    pub(super) async fn store_exchanged(&self, attempt: &Attempt, obtained: &Obtained) -> Result<(), JobError> {
        let stored = StoredAccounts::new(obtained, &[]);
        let sealed = self.deps.sealing.seal_exchanged(&attempt.tag, attempt.id, &stored)?;
        let store = || self.deps.records.store_exchanged(attempt.id, &sealed);
        Ok(store.retry(answer_backoff()).await?)
    }

    /// Decides that accounts are not to be linked, and why, and ends access to them: now if that can be done, or else by a
    /// job. With `state` the attempt ends with them; otherwise `own` goes on. Says whether it was still to be decided.
    pub(super) async fn reject(
        &self,
        attempt: &Attempt,
        (rejected, reasons): (&Obtained, &[Rejection]),
        own: Option<&Obtained>,
        state: Option<AttemptState>,
    ) -> Result<bool, JobError> {
        let (records, sealing) = (&self.deps.records, &self.deps.sealing);
        let (tag, id) = (&attempt.tag, attempt.id);
        let own = own.map(|own| sealing.seal_exchanged(tag, id, &StoredAccounts::new(own, &[])));
        let own = own.transpose()?;
        loop {
            let before = records.rejected_accounts(id).await?;
            let mut all = StoredAccounts::new(rejected, reasons);
            if let Some(before) = &before {
                all.add(sealing.open_rejected(tag, id, before)?);
            }
            let to_end = sealing.seal_rejected(tag, id, &all)?;
            let now = self.deps.clock.now();
            let decision = RejectedAccounts {
                before: before.as_deref(),
                to_end: &to_end,
                own: own.as_deref(),
                end: &EndRejected::job(attempt.partner, id, now.plus(END_BY_JOB_AFTER)).on_occasion(now.as_millis()),
                state,
            };
            if records.reject_accounts(id, &decision, now).await? {
                break;
            }
            if records.rejected_accounts(id).await? == before {
                return Ok(false);
            }
        }
        if reasons.contains(&Rejection::Foreign) {
            tracing::error!(
                provider = attempt.provider,
                "another person's account came back, not linked (if of every link: see account_names_session)"
            );
        }
        if let Err(error) = self.end_rejected(id).await {
            tracing::warn!(provider = attempt.provider, %error, "ending access to accounts failed, its job goes on");
        }
        Ok(true)
    }

    /// What came of an attempt is not to be linked: nothing may stay open behind the person's back, and they are told.
    pub(super) async fn undo(
        &self,
        attempt: &Attempt,
        obtained: &Obtained,
        told: AttemptResult,
    ) -> Result<JobOutcome, JobError> {
        let why = Rejection::Superseded;
        let end = Some(why.state());
        if self.reject(attempt, (obtained, &[why]), None, end).await? {
            self.notify(attempt, told).await;
        }
        Ok(JobOutcome::Done)
    }

    async fn end_rejected(&self, id: AttemptId) -> Result<(), JobError> {
        let records = &self.deps.records;
        let Some(sealed) = records.rejected_accounts(id).await? else {
            return Ok(());
        };
        let Some((attempt, _)) = records.attempt(id).await? else {
            return Ok(());
        };
        let sealing = &self.deps.sealing;
        let stored: StoredAccounts<'static> = sealing.open_rejected(&attempt.tag, id, &sealed)?;
        let reasons = stored.reasons.to_vec();
        let owner = (&attempt).into();
        self.end_access(&owner, &stored.into()).await?;
        for why in [Rejection::Foreign, Rejection::NotChosen] {
            if reasons.contains(&why) {
                self.audit(&owner, why.audit_kind(), &attempt.provider).await;
            }
        }
        if reasons.contains(&Rejection::Superseded) {
            self.audit(&owner, Rejection::Superseded.audit_kind(), id).await;
        }
        Ok(records.rejected_accounts_ended(id, &sealed).await?)
    }
}
