//! A login for an account that is linked already.

use super::linker::{AccountOwner, Linking, Obtained};
use super::rejection::Rejection;
use crate::core::flow::AttemptResult;
use crate::core::ids::{ConsentId, LinkId};
use crate::core::next_step::Grant;
use crate::providers::ProviderAccount;
use crate::records::{Attempt, AttemptState, Link};
use crate::service::facts_reader::link_summary;
use crate::service::job::{JobError, JobOutcome};

impl Linking {
    pub(super) async fn complete_renewal(
        &self,
        attempt: &Attempt,
        link: LinkId,
        mut obtained: Obtained,
    ) -> Result<JobOutcome, JobError> {
        let Some(known) = self.deps.records.link(link).await? else {
            return self.undo(attempt, &obtained, AttemptResult::Lapsed).await;
        };
        let (own, foreign) = self.split_foreign(&known, obtained.accounts);
        obtained.accounts = own;
        if !foreign.is_empty() {
            let ends = obtained.accounts.is_empty().then_some(Rejection::Foreign.state());
            let own = ends.is_none().then_some(&obtained);
            let foreign = foreign.into();
            if !self
                .reject(attempt, (&foreign, &[Rejection::Foreign]), own, ends)
                .await?
            {
                return Err(JobError::Overtaken);
            }
            if ends.is_some() {
                self.notify(attempt, Rejection::Foreign.result()).await;
                return Ok(JobOutcome::Done);
            }
        }
        let Some(link) = self.renew(&attempt.into(), (link, attempt.consent), &obtained).await? else {
            let now = self.deps.clock.now();
            let state = Rejection::Foreign.state();
            self.deps.records.move_attempt(attempt.id, state, now).await?;
            self.notify(attempt, Rejection::Foreign.result()).await;
            return Ok(JobOutcome::Done);
        };
        let now = self.deps.clock.now();
        self.deps
            .records
            .move_attempt(attempt.id, AttemptState::Linked, now)
            .await?;
        self.notify(attempt, AttemptResult::Linked(link_summary(&link, false)))
            .await;
        Ok(JobOutcome::Done)
    }

    /// Completes a renewal of which nothing came back but that its provider says it is done.
    pub(super) async fn complete_renewed(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        match attempt.renews {
            Some(link) => self.complete_renewal(attempt, link, Vec::new().into()).await,
            None => Ok(JobOutcome::Done),
        }
    }

    /// Renews a link whose provider asked for no login: it gave a grant at once, or only said that it is done. Says whether
    /// the link is renewed.
    ///
    /// # Errors
    /// When it may be tried again.
    pub async fn renew_at_once(&self, link: &Link, consent: ConsentId, grant: Option<Grant>) -> Result<bool, JobError> {
        let mut obtained: Obtained = match grant {
            None => Vec::new().into(),
            Some(grant) => {
                let client = self.providers.of_link(link).await?;
                let redeemed = client.api.redeem(client.access(), &grant).await;
                let (redeemed, _) = self.providers.keep(client, redeemed).await?;
                Obtained {
                    expires_at: redeemed.expires_at,
                    ..redeemed.accounts.into()
                }
            }
        };
        let owner = &link.into();
        let (own, foreign) = self.split_foreign(link, obtained.accounts);
        let other = own.is_empty() && !foreign.is_empty();
        obtained.accounts = own;
        if !foreign.is_empty() {
            tracing::error!(
                provider = link.provider,
                "another account came back for a renewal, not linked"
            );
            // The grant is spent: what has come of it for this link stands, whether this can be ended or not.
            if let Err(error) = self.end_access(owner, &foreign.into()).await {
                tracing::error!(provider = link.provider, %error, "and access to it could not be ended");
            }
            self.audit(owner, Rejection::Foreign.audit_kind(), &link.provider).await;
        }
        if other {
            return Ok(false);
        }
        Ok(self.renew(owner, (link.id, consent), &obtained).await?.is_some())
    }

    /// A link's own accounts, and those that are not its own.
    fn split_foreign(
        &self,
        link: &Link,
        accounts: Vec<ProviderAccount>,
    ) -> (Vec<ProviderAccount>, Vec<ProviderAccount>) {
        accounts.into_iter().partition(|account| {
            let digest = self.deps.sealing.account_digest(&link.provider, &account.id);
            link.accounts.iter().any(|linked| linked.account_digest == digest)
        })
    }

    /// Takes a link back into use after a new login, of which its own accounts came back, or none where the provider only
    /// says that it is done. A link that was ended meanwhile is not renewed, and access to what came is ended: `None`.
    async fn renew(
        &self,
        owner: &AccountOwner<'_>,
        (id, agreed): (LinkId, ConsentId),
        obtained: &Obtained,
    ) -> Result<Option<Link>, JobError> {
        let now = self.deps.clock.now();
        self.deps
            .records
            .renew_link(id, agreed, obtained.expires_at, now)
            .await?;
        // An ended one is not renewed: its state now tells.
        let renewed = self.deps.records.link(id).await?.filter(|link| link.in_use_at(now));
        if renewed.is_none() {
            self.end_access(owner, obtained).await?;
        }
        Ok(renewed)
    }
}
