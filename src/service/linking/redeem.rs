//! Exchanges a grant for accounts, and writes the link.

use async_trait::async_trait;
use backon::Retryable as _;

use super::linker::{DETAILS_TIMEOUT, Linking, Obtained};
use super::read_accounts::ReadAccounts;
use crate::core::flow::AttemptResult;
use crate::core::ids::{AttemptId, LinkId};
use crate::core::next_step::Grant;
use crate::providers::ProviderError;
use crate::records::{Attempt, AttemptState, Consent, JobType, Link, LinkCompletion, LinkState, RecordsError};
use crate::service::deps::{CrashPoint, write_backoff};
use crate::service::facts_reader::link_summary;
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::providers::ProviderCallError;

/// Exchanges the grant of an attempt for accounts.
pub struct Redeem;

impl JobType for Redeem {
    const NAME: &'static str = "redeem";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<Redeem> for Linking {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.redeem(attempt).await
    }

    async fn on_given_up(&self, attempt: AttemptId) -> Result<(), RecordsError> {
        self.give_up_attempt(attempt).await
    }
}

/// What a link is written on.
pub(super) struct LinkTerms {
    consent: Consent,
    /// Whether the partner expects a certain account.
    expects_account: bool,
}

impl Linking {
    pub(super) async fn redeem(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, grant)) = self.deps.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let Some(sealed) = grant.filter(|_| attempt.state == AttemptState::Granted) else {
            return Ok(JobOutcome::Done);
        };
        // Redeemed, and not compared yet: the node that was at it may have died before.
        if let Some(link) = self.deps.records.link_of_attempt(id).await?
            && link.state == LinkState::Verifying
        {
            return self.verify(&link).await;
        }
        let grant = self.deps.sealing.open_grant(&attempt.tag, id, &sealed)?;
        // A grant works once: what the link needs besides is read before.
        let Some(terms) = self.terms_of(&attempt).await? else {
            return Ok(JobOutcome::GiveUp("no such consent"));
        };
        if let Some(known) = self.exchanged(&attempt).await? {
            return self.complete(&attempt, terms, known).await;
        }
        match self.exchange(&attempt, &grant).await {
            // Exchanged for nothing, as only a renewal may be.
            Ok(obtained) if obtained.accounts.is_empty() && attempt.renews.is_none() => {
                self.search_or_lapse(attempt).await
            }
            Ok(obtained) => {
                self.deps.crash_point(CrashPoint::Redeemed);
                self.store_exchanged(&attempt, &obtained).await?;
                self.complete(&attempt, terms, obtained).await
            }
            // Used or expired: perhaps used by us, with the answer lost.
            Err(ProviderCallError::Provider(ProviderError::NotFound | ProviderError::Refused(_))) => {
                self.search_or_lapse(attempt).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn exchange(&self, attempt: &Attempt, grant: &Grant) -> Result<Obtained, ProviderCallError> {
        let renewed = match attempt.renews {
            Some(link) => self.deps.records.link(link).await?,
            None => None,
        };
        let client = match &renewed {
            Some(link) => self.providers.of_any_link(link).await?,
            None => self.providers.of_attempt(attempt).await?,
        };
        let redeemed = client.api.redeem(client.access(), grant).await;
        let (redeemed, access) = self.providers.keep(client, redeemed).await?;
        Ok(Obtained {
            accounts: redeemed.accounts,
            handle: redeemed.link,
            expires_at: redeemed.expires_at,
            access,
        })
    }

    /// What a link of this attempt is written on; `None` where its consent is gone.
    pub(super) async fn terms_of(&self, attempt: &Attempt) -> Result<Option<LinkTerms>, JobError> {
        let expects_account = self.expects_account(attempt.consent).await?;
        let consent = self.deps.records.consent(attempt.consent).await?;
        Ok(consent.map(|consent| LinkTerms {
            consent,
            expects_account,
        }))
    }

    /// Writes the link, or undoes what was linked behind the person's back.
    pub(super) async fn complete(
        &self,
        attempt: &Attempt,
        terms: LinkTerms,
        mut obtained: Obtained,
    ) -> Result<JobOutcome, JobError> {
        if let Some(link) = attempt.renews {
            return self.complete_renewal(attempt, link, obtained).await;
        }
        if let Some(why) = self.keep_own(attempt, &mut obtained).await? {
            self.notify(attempt, why.result()).await;
            return Ok(JobOutcome::Done);
        }
        let LinkTerms {
            consent,
            expects_account: expected,
        } = terms;
        let id = LinkId::generate(self.deps.rng.as_ref());
        let link = Link {
            state: if expected {
                LinkState::Verifying
            } else {
                LinkState::Active
            },
            ..self.new_link(id, (attempt, &consent), &obtained)?
        };
        let read_at = self.deps.clock.now().plus(DETAILS_TIMEOUT);
        let read = ReadAccounts::job(link.partner, link.id, read_at);
        // By then a person who waits has been told.
        let sms = self.linked_sms_job(attempt.id, read_at);
        let jobs: Vec<_> = [read].into_iter().chain(sms.filter(|_| !expected)).collect();
        let complete = || self.deps.records.complete_link(&link, &jobs);
        let id = match complete.retry(write_backoff()).await? {
            LinkCompletion::Written(id) => id,
            LinkCompletion::Superseded => return self.undo(attempt, &obtained, AttemptResult::Lapsed).await,
            LinkCompletion::IntentClosed => return self.undo(attempt, &obtained, AttemptResult::RequestEnded).await,
        };
        self.deps.crash_point(CrashPoint::Linked);
        self.name_person(attempt, &obtained).await;
        let Some(written) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::Done);
        };
        if written.state == LinkState::Verifying {
            return self.verify(&written).await;
        }
        self.audit(&attempt.into(), "link.created", id).await;
        let duplicate = id == link.id && self.save_details(&link, &obtained.accounts).await;
        if let Some(link) = self.deps.records.link(id).await? {
            let summary = link_summary(&link, duplicate);
            self.notify(attempt, AttemptResult::Linked(summary)).await;
        }
        Ok(JobOutcome::Done)
    }

    /// Keeps what the provider calls the person, if it says. The link stands without it.
    async fn name_person(&self, attempt: &Attempt, obtained: &Obtained) {
        let Some(person) = obtained.accounts.iter().find_map(|account| account.person.as_ref()) else {
            return;
        };
        let (partner, provider) = (attempt.partner, &attempt.provider);
        let named = self.providers.name_person(partner, provider, &attempt.tag, person);
        if let Err(error) = named.await {
            tracing::warn!(provider, %error, "keeping what a provider calls a person failed");
        }
    }
}
