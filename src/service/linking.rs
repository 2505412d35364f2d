//! From a grant to a durable link, and from silence to the truth.
//!
//! Everything here may run twice: exchanging a grant again finds it used and looks the account up instead, a link is
//! written once per attempt, unlinking what is gone is done. "Linked" is said only after the row is there.

mod accounts;
mod foreign;
mod renewal;
mod search;
mod verifying;

use std::sync::Arc;
use std::time::Duration;

use super::jobs::Verdict;
use super::known::brief;
use super::news::Newsroom;
use super::partner::{CallError, Providers};
use super::runtime::{Edge, Runtime};
use super::sealing::Sealing;
use crate::core::flow::{Fate, News};
use crate::core::ids::{AttemptId, JobId, LinkId, PartnerId};
use crate::core::next_step::{Failure, FailureClass};
use crate::core::seal::Tag;
use crate::providers::{ProviderAccount, ProviderError};
use crate::records::{
    Attempt, AttemptState, AuditEvent, Completed, Job, JobKind, Link, LinkState, Records, RecordsError,
};
use crate::store::StoreError;

/// How long "linked" is held back for what an account says of itself.
const READ_PATIENCE: Duration = Duration::from_secs(2);

/// Makes links.
pub struct Linking {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Providers with the partner's credentials.
    pub providers: Arc<Providers>,
    /// Seals and opens fields.
    pub sealing: Sealing,
    /// Tells people.
    pub newsroom: Newsroom,
    /// Clock, chance.
    pub runtime: Runtime,
}

/// Whom accounts that came back are to belong to, and where they came from.
pub struct Owner<'a> {
    partner: PartnerId,
    tag: &'a Tag,
    provider: &'a str,
}

impl<'a> From<&'a Attempt> for Owner<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            partner: attempt.partner,
            tag: &attempt.tag,
            provider: &attempt.provider,
        }
    }
}

impl<'a> From<&'a Link> for Owner<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            partner: link.partner,
            tag: &link.tag,
            provider: &link.provider,
        }
    }
}

/// Why something is to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The records are not available.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A provider call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The live store is not available.
    #[error(transparent)]
    Store(StoreError),
    /// Something sealed does not open.
    #[error("a sealed field does not open")]
    Sealed,
}

impl Trouble {
    /// Whether the provider says that asking again will not help.
    pub fn refused(&self) -> bool {
        matches!(self, Self::Call(CallError::Provider(error)) if !error.retryable())
    }
}

impl From<ProviderError> for Trouble {
    fn from(error: ProviderError) -> Self {
        Self::Call(CallError::Provider(error))
    }
}

impl Linking {
    /// Exchanges an attempt's grant and writes the link.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn redeem(&self, id: AttemptId) -> Result<Verdict, Trouble> {
        let Some((attempt, grant)) = self.records.attempt(id).await? else {
            return Ok(Verdict::GiveUp("no such attempt"));
        };
        let Some(sealed) = grant.filter(|_| attempt.state == AttemptState::Granted) else {
            return Ok(Verdict::Done);
        };
        // Redeemed, and not compared yet: whoever was at it may not have come to that.
        if let Some(link) = self.records.link_of_attempt(id).await?
            && link.state == LinkState::Verifying
        {
            return self.verify(&link).await;
        }
        let grant = self
            .sealing
            .open_grant(&attempt.tag, id, &sealed)
            .map_err(|_| Trouble::Sealed)?;
        let (provider, credentials) = self
            .providers
            .with_credentials(attempt.partner, &attempt.provider)
            .await?;
        match provider.redeem(&credentials, &grant).await {
            // Exchanged for nothing; a renewal may well be.
            Ok(accounts) if accounts.is_empty() && attempt.renews.is_none() => self.look_for(attempt).await,
            Ok(accounts) => {
                self.runtime.pass(Edge::Redeemed);
                self.complete(&attempt, accounts).await
            }
            // Used or over: perhaps by ourselves, with the answer lost.
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => self.look_for(attempt).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out what became of an attempt.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn settle(&self, id: AttemptId) -> Result<Verdict, Trouble> {
        let Some((attempt, _)) = self.records.attempt(id).await? else {
            return Ok(Verdict::GiveUp("no such attempt"));
        };
        let failed = |class| {
            Fate::Failed(Failure {
                class,
                retry_after: None,
            })
        };
        let fate = match attempt.state {
            AttemptState::Open => return self.close(&attempt).await,
            AttemptState::Sending | AttemptState::Unknown => return self.look_for(attempt).await,
            AttemptState::Granted => return self.redeem(id).await,
            AttemptState::Linked => {
                self.tell_link(id).await?;
                return Ok(Verdict::Done);
            }
            // What it asked for is not kept: the person starts at the first field again.
            AttemptState::Accepted => failed(FailureClass::SessionExpired),
            AttemptState::Refused => failed(FailureClass::Refused),
            AttemptState::WrongCode => failed(FailureClass::WrongCode),
            AttemptState::NotSent => Fate::NotSent,
            AttemptState::Undone => self.why_undone(&attempt).await?,
            AttemptState::Lapsed => return self.look_again(attempt).await,
        };
        self.tell(&attempt, fate).await;
        Ok(Verdict::Done)
    }

    /// Tells again what became of an attempt, if that is known.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn retell(&self, id: AttemptId) -> Result<(), Trouble> {
        match self.records.attempt(id).await? {
            // Whoever is at it tells.
            Some((attempt, _)) if attempt.state.unsettled() => Ok(()),
            Some(_) => self.settle(id).await.map(drop),
            None => Ok(()),
        }
    }

    /// Tells the person of the link that an attempt has made, if it has. Whoever made it may not have come to it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn tell_link(&self, id: AttemptId) -> Result<(), RecordsError> {
        if let Some(link) = self.records.link_of_attempt(id).await? {
            let fate = Fate::Linked(brief(&link, false));
            self.newsroom.tell(&link.tag, &News::Attempt { id, fate }).await;
        }
        Ok(())
    }

    /// Writes the link, or undoes what was linked behind the person's back.
    async fn complete(&self, attempt: &Attempt, accounts: Vec<ProviderAccount>) -> Result<Verdict, Trouble> {
        if let Some(link) = attempt.renews {
            return self.renewed(attempt, link, accounts).await;
        }
        let (accounts, foreign) = self.told_apart(attempt, accounts).await?;
        self.turn_away(&attempt.into(), foreign).await?;
        if accounts.is_empty() {
            return self.not_kept(attempt).await;
        }
        let id = LinkId::draw(self.runtime.entropy.as_ref());
        let expected = self.is_expected(attempt.consent).await?;
        let link = Link {
            state: if expected {
                LinkState::Verifying
            } else {
                LinkState::Active
            },
            ..self.new_link(id, attempt, &accounts)?
        };
        let read = self.reading(&link);
        // By then whoever waits has been told.
        let text = self.text_of_link(attempt.id, read.due_at);
        let jobs: Vec<_> = [read].into_iter().chain(text.filter(|_| !expected)).collect();
        let id = match self.records.complete_link(&link, &jobs).await? {
            Completed::Written(id) => id,
            Completed::Superseded => return self.undo(attempt, accounts).await,
            Completed::Over => {
                let undone = self.undo(attempt, accounts).await?;
                self.tell(attempt, Fate::Over).await;
                return Ok(undone);
            }
        };
        self.runtime.pass(Edge::Linked);
        let Some(written) = self.records.link(id).await? else {
            return Ok(Verdict::Done);
        };
        if written.state == LinkState::Verifying {
            return self.verify(&written).await;
        }
        self.audit(&attempt.into(), "link.created", id.to_string()).await;
        let again = id == link.id && self.keep_details(&link, &accounts).await;
        if let Some(link) = self.records.link(id).await? {
            self.tell(attempt, Fate::Linked(brief(&link, again))).await;
        }
        Ok(Verdict::Done)
    }

    /// The job that reads what a new link's accounts say of themselves.
    fn reading(&self, link: &Link) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
            partner: link.partner,
            kind: JobKind::ReadAccounts(link.id),
            due_at: self.runtime.clock.now().plus(READ_PATIENCE),
            tries: 0,
            key: format!("read:{}", link.id),
        }
    }

    /// The person has begun anew since: nothing may stay open behind their back.
    async fn undo(&self, attempt: &Attempt, accounts: Vec<ProviderAccount>) -> Result<Verdict, Trouble> {
        self.give_back(&attempt.into(), &accounts).await?;
        self.records
            .move_attempt(attempt.id, AttemptState::Undone, self.runtime.clock.now())
            .await?;
        self.audit(&attempt.into(), "link.undone", attempt.id.to_string()).await;
        Ok(Verdict::Done)
    }

    /// What came of an attempt was not theirs to have: the person is told that nothing was linked.
    async fn not_kept(&self, attempt: &Attempt) -> Result<Verdict, Trouble> {
        self.records
            .move_attempt(attempt.id, AttemptState::Undone, self.runtime.clock.now())
            .await?;
        self.tell(attempt, Fate::Lapsed).await;
        Ok(Verdict::Done)
    }

    /// Ends the access to accounts that are not linked here. One that is in use under a link is left to that link.
    async fn give_back(&self, owner: &Owner<'_>, accounts: &[ProviderAccount]) -> Result<(), Trouble> {
        let (api, credentials) = self.providers.with_credentials(owner.partner, owner.provider).await?;
        for account in accounts {
            let digest = self.sealing.account_digest(owner.provider, &account.id);
            if self
                .records
                .link_by_account(&digest)
                .await?
                .is_some_and(|link| link.is_kept())
            {
                continue;
            }
            match api.unlink(&credentials, &account.id).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tells the provider that a link is over.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn unlink(&self, id: LinkId) -> Result<Verdict, Trouble> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(Verdict::GiveUp("no such link"));
        };
        let (provider, credentials) = self.providers.with_credentials(link.partner, &link.provider).await?;
        for account in &link.accounts {
            let account = self
                .sealing
                .open_account(&link.tag, account.id, &account.account)
                .map_err(|_| Trouble::Sealed)?;
            match provider.unlink(&credentials, &account).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.records
            .move_link(id, LinkState::Removed, &[], self.runtime.clock.now())
            .await?;
        Ok(Verdict::Done)
    }

    async fn tell(&self, attempt: &Attempt, fate: Fate) {
        self.newsroom
            .tell(&attempt.tag, &News::Attempt { id: attempt.id, fate })
            .await;
    }

    async fn audit(&self, owner: &Owner<'_>, kind: &'static str, detail: String) {
        let event = AuditEvent {
            partner: owner.partner,
            tag: Some(*owner.tag),
            kind,
            detail,
            at: self.runtime.clock.now(),
        };
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, kind, "a security event could not be kept");
        }
    }
}
