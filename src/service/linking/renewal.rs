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
        let (own, foreign) = self.split_foreign(link, std::mem::take(&mut obtained.accounts)).await?;
        obtained.accounts = own;
        if !foreign.is_empty() {
            let ends = obtained.accounts.is_empty().then_some(Rejection::Foreign.state());
            let own = ends.is_none().then_some(&obtained);
            self.reject(attempt, (&foreign.into(), &[Rejection::Foreign]), own, ends)
                .await?;
            if ends.is_some() {
                self.notify(attempt, Rejection::Foreign.result()).await;
                return Ok(JobOutcome::Done);
            }
        }
        let Some(link) = self.renew(&attempt.into(), (link, attempt.consent), obtained).await? else {
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
        let obtained = match grant {
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
        Ok(self.renew(&link.into(), (link.id, consent), obtained).await?.is_some())
    }

    /// A link's own accounts, and those that are not its own.
    async fn split_foreign(
        &self,
        id: LinkId,
        accounts: Vec<ProviderAccount>,
    ) -> Result<(Vec<ProviderAccount>, Vec<ProviderAccount>), JobError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok((Vec::new(), accounts));
        };
        Ok(accounts.into_iter().partition(|account| {
            let digest = self.deps.sealing.account_digest(&link.provider, &account.id);
            link.accounts.iter().any(|linked| linked.account_digest == digest)
        }))
    }

    /// Takes a link back into use if its own account came back, or if the provider only says that it is done. Another account
    /// never renews it, and access to it is ended; the link then stays as it was. A link that was ended meanwhile is not
    /// renewed either: `None`.
    async fn renew(
        &self,
        owner: &AccountOwner<'_>,
        (id, agreed): (LinkId, ConsentId),
        obtained: Obtained,
    ) -> Result<Option<Link>, JobError> {
        let silent = obtained.accounts.is_empty();
        let (own, foreign) = self.split_foreign(id, obtained.accounts).await?;
        if !foreign.is_empty() {
            tracing::error!(
                provider = owner.provider,
                "another account came back for a renewal, ended"
            );
            self.end_access(owner, &foreign.into()).await?;
            self.audit(owner, Rejection::Foreign.audit_kind(), owner.provider).await;
        }
        if (own.is_empty() && !silent) || self.deps.records.link(id).await?.is_none() {
            return Ok(None);
        }
        let now = self.deps.clock.now();
        self.deps
            .records
            .renew_link(id, agreed, obtained.expires_at, now)
            .await?;
        // An ended one is not renewed: its state now tells.
        let renewed = self.deps.records.link(id).await?.filter(|link| link.in_use_at(now));
        if renewed.is_none() {
            self.end_access(owner, &own.into()).await?;
        }
        Ok(renewed)
    }
}
