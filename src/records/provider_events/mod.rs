//! Providers' events: each is acted upon once, and none from before what was heard already.

use async_trait::async_trait;

use super::{Job, LinkState, Result};
use crate::core::ids::{LinkId, PartnerId};
use crate::core::time::Timestamp;

/// An event as a provider sent it.
#[derive(Clone, Copy, Debug)]
pub struct IncomingProviderEvent<'a> {
    /// Whose keys it came with: what it is called, and the order of things, are theirs alone.
    pub partner: PartnerId,
    pub provider: &'a str,
    /// What makes it the same event when it comes twice.
    pub dedupe_key: &'a str,
    /// A keyed digest of the account, session, link or person it is about.
    pub subject: &'a [u8; 32],
    /// When it happened, if the provider says.
    pub at: Option<Timestamp>,
}

/// What follows from an event.
#[derive(Clone, Copy, Debug)]
pub enum ProviderEventEffect<'a> {
    /// A link moves, see [`super::LinkRecords::move_link`].
    MoveLink {
        link: LinkId,
        to: LinkState,
        /// Written if it moves.
        jobs: &'a [Job],
    },
    /// A link was logged in to again, and is taken back into use. Every attempt that renews it, was begun before that and
    /// has lost its answer has come to this, as [`super::LinkEndRecords::renew_link`] does it.
    RenewLink {
        link: LinkId,
        /// Whether its provider may have something for these attempts that only they can ask for: then they are not settled
        /// here, but by jobs.
        ask_first: bool,
    },
    Enqueue(&'a [Job]),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEventOutcome {
    /// It was new, and what follows from it is done.
    First,
    /// It had come before. Nothing was done.
    Repeated,
    /// It was new, and something later was heard of its subject before. Nothing was done, but that it is remembered.
    Outdated,
}

/// Events of providers. Old ones are deleted with old jobs.
#[async_trait]
pub trait ProviderEventRecords: Send + Sync {
    /// Remembers an event and does what follows from it, in one transaction: it is lost in no crash, and done in no two
    /// places. One that does not say when it happened is never too old.
    async fn apply_provider_event(
        &self,
        event: &IncomingProviderEvent<'_>,
        effects: &[ProviderEventEffect<'_>],
        now: Timestamp,
    ) -> Result<ProviderEventOutcome>;
}
