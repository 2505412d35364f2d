//! What came of partners' requests, as the partner may see it: links and connect sessions.

use async_trait::async_trait;

use super::{AttemptState, AuditEntry, Consent, Job, Link, LinkState, Result};
use crate::core::access::TenantScope;
use crate::core::ids::{ConnectSessionId, EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// The request that something grew out of, where a partner has made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentSummary {
    /// Its id.
    pub id: IntentId,
    /// For which entity.
    pub entity: Option<EntityId>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// What the data are for.
    pub purpose: String,
    /// For how many days.
    pub days: u16,
    /// Which data.
    pub scope: Scope,
}

/// A link with what allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDetails {
    /// The link.
    pub link: Link,
    /// When its state last changed.
    pub moved_at: Timestamp,
    /// What the person agreed to.
    pub consent: Consent,
    /// The partner's request; none for somebody who dialled without having been asked.
    pub intent: Option<IntentSummary>,
}

/// A connect session: one try at linking, as far as anything was submitted in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectSessionView {
    /// Its id.
    pub id: ConnectSessionId,
    /// Whose.
    pub partner: PartnerId,
    /// The provider's name.
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    /// The institution's name, as shown.
    pub institution_name: String,
    /// Where the submission stands that made the link, or else the last one.
    pub state: AttemptState,
    /// The link that it made, or renews.
    pub link: Option<LinkId>,
    /// The partner's request; none for somebody who dialled without having been asked.
    pub intent: Option<IntentSummary>,
    /// When the first submission was begun.
    pub created_at: Timestamp,
    /// When the state last changed.
    pub moved_at: Timestamp,
}

/// Which links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFilter {
    /// Only those that stand so.
    pub state: Option<LinkState>,
    /// Only those that grew out of this request.
    pub intent: Option<IntentId>,
    /// Only those whose request the partner calls so.
    pub reference: Option<String>,
}

/// A link whose end was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedLink {
    /// Whose.
    pub tag: SubscriberTag,
    /// Where it stands now.
    pub state: LinkState,
    /// Whether this was what ended it.
    pub newly_ended: bool,
}

/// Links and connect sessions within a caller's reach. Whose they are follows from the request they grew out of, so what
/// grew out of none is the partner's as a whole.
#[async_trait]
pub trait LinkViewRecords: Send + Sync {
    /// A link, removed ones included.
    async fn link_view(&self, reach: &TenantScope, id: LinkId) -> Result<Option<LinkDetails>>;
    /// Links, newest first.
    async fn link_views(
        &self,
        reach: &TenantScope,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkDetails>>;
    /// Puts a link that is in use out of use, with the job that tells its provider, in one transaction; one that is out of
    /// use already stays as it is. `None`: there is no such link.
    async fn end_link(
        &self,
        reach: &TenantScope,
        id: LinkId,
        unlink: &Job,
        deed: &AuditEntry,
    ) -> Result<Option<EndedLink>>;
    /// A connect session.
    async fn connect_session(&self, reach: &TenantScope, id: ConnectSessionId) -> Result<Option<ConnectSessionView>>;
    /// Connect sessions, newest first; those for one request only, if it is named.
    async fn connect_sessions(
        &self,
        reach: &TenantScope,
        intent: Option<IntentId>,
        page: &PageRequest,
    ) -> Result<Paged<ConnectSessionView>>;
}
