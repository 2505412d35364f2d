//! Links: a consent and one or more accounts.

mod state;

use async_trait::async_trait;

pub use self::state::LinkState;
use super::columns::{Bytes, Nullable};
use super::{AttemptState, AuditEntry, Consent, Job, QueuedSms, Result};
use crate::core::access::TenantScope;
use crate::core::ids::{
    AttemptId, ConnectSessionId, ConsentId, EntityId, IntentId, LinkId, LinkedAccountId, NodeId, PartnerId, UserId,
};
use crate::core::page::{PageRequest, Paged};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// A durable link.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Link {
    #[sqlx(rename = "link_id")]
    pub id: LinkId,
    pub partner: PartnerId,
    pub tag: SubscriberTag,
    /// What allows it.
    pub consent: ConsentId,
    /// The submission that made it; one link an attempt.
    pub attempt: AttemptId,
    pub provider: String,
    /// Our id of the institution.
    pub institution: String,
    /// The provider's own id of it.
    pub provider_institution: String,
    pub institution_name: String,
    pub state: LinkState,
    /// From then on nothing is read: its consent ends, or the provider's access.
    pub until: Timestamp,
    /// From then on it is told that it ends.
    pub notice_from: Timestamp,
    /// When the provider ends its access by itself, if it says.
    pub access_until: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When its person last saw it on a screen, or linked its account again.
    pub used_at: Timestamp,
    /// What its provider needs to see again.
    #[sqlx(flatten)]
    pub access: LinkAccess,
    /// One row each, beside the link's.
    #[sqlx(skip)]
    pub accounts: Vec<LinkedAccount>,
}

/// What a provider needs to see again whenever it is asked about a link. Nothing of it where it needs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkAccess {
    /// A keyed digest of the provider's own id of the link (a connection, a consent), to recognise it in webhooks.
    #[sqlx(try_from = "Nullable<Bytes<32>>")]
    pub handle_digest: Option<[u8; 32]>,
    /// That id, sealed.
    pub handle: Option<Vec<u8>>,
    /// The provider's own words, such as a refresh token, sealed. None once the provider has ended it.
    #[sqlx(rename = "access")]
    pub sealed: Option<Vec<u8>>,
    /// Counts up with every replacement.
    #[sqlx(rename = "access_version", try_from = "i64")]
    pub version: u32,
}

impl Link {
    /// A link that is being ended, or has been, is not in use.
    pub fn in_use(&self) -> bool {
        matches!(self.state, LinkState::Active | LinkState::ReauthRequired)
    }

    /// Whether it is in use then, and may be read.
    pub fn in_use_at(&self, now: Timestamp) -> bool {
        self.in_use() && now < self.until
    }

    /// Where it stands then: it has ended when its consent has, whether or not that was written down yet.
    pub fn state_at(&self, now: Timestamp) -> LinkState {
        if self.in_use() && now >= self.until {
            LinkState::Expired
        } else {
            self.state
        }
    }

    /// Whether its accounts are its own: it is in use, or may yet be.
    pub fn owns_accounts(&self) -> bool {
        self.in_use() || self.state == LinkState::Verifying
    }
}

/// One account under a link.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkedAccount {
    #[sqlx(rename = "account_id")]
    pub id: LinkedAccountId,
    /// The provider's account id, sealed.
    pub account: Vec<u8>,
    /// A keyed digest of the provider's account id, to recognise it in webhooks.
    #[sqlx(try_from = "Bytes<32>")]
    pub account_digest: [u8; 32],
    /// The last digits of the number, once read.
    pub masked: Option<String>,
    /// A keyed digest of institution and number, once read: the same account linked twice is seen.
    #[sqlx(try_from = "Nullable<Bytes<32>>")]
    pub number_digest: Option<[u8; 32]>,
    /// The holder's name, sealed, once read.
    pub holder: Option<Vec<u8>>,
    /// The provider's word for the account's type.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

/// What reading an account added to it: see [`LinkedAccount`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReading {
    pub masked: String,
    pub number_digest: [u8; 32],
    pub holder: Option<Vec<u8>>,
    pub kind: Option<String>,
    pub currency: Option<String>,
}

/// What became of completing a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCompletion {
    /// The attempt's link is durable, under this id.
    Written(LinkId),
    /// Nothing was written: the person has begun another connect session since.
    Superseded,
    /// Nothing was written: the partner's intent is over, or somebody else has completed it.
    IntentClosed,
}

/// What is to be written of a link whose account was compared.
#[derive(Clone, Copy, Debug)]
pub struct LinkVerification<'a> {
    /// Whether it is the account that is expected.
    pub matches: bool,
    /// What follows where it is in use.
    pub follow_up: &'a [Job],
    /// What ends it at its provider where it is not.
    pub unlink: &'a Job,
}

/// What became of a link whose account was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// It is in use.
    Linked,
    /// It is not the account that is expected.
    Mismatched,
    /// The person has begun another connect session since.
    Superseded,
    /// The partner's intent is over, or somebody else has completed it.
    IntentClosed,
    /// That was settled before.
    AlreadySettled,
}

/// Links and their accounts.
#[async_trait]
pub trait LinkRecords: Send + Sync {
    /// Writes a link with its accounts and the jobs that follow, moves its attempt to `Linked` and wipes the grant, in one
    /// transaction. An attempt that has a link already keeps it: its id comes back and nothing is written. Nothing is
    /// written either if the person has begun another connect session since; no such beginning may slip in between
    /// looking and writing. Nor is it if the partner's intent is over by now, but for its time; else it counts the link, and
    /// if it is for one person it is completed. Tells the partner: `link.created`, `intent.completed`.
    async fn complete_link(&self, link: &Link, jobs: &[Job]) -> Result<LinkCompletion>;
    /// Ends the comparing of a link that is [`LinkState::Verifying`]. If its account is the one, it is in use from now on, as
    /// if it were completed now, with the jobs that follow; if not, or if it may not be completed any more, it is out of use
    /// with the job that tells the provider, and its attempt is undone. Of one that is not the one the partner is told:
    /// `intent.mismatched`.
    async fn verify_link(
        &self,
        link: &Link,
        verification: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome>;
    /// Ends a link that turned out not to be what its person has linked, with the jobs that follow, and its attempt with it:
    /// in a state to which no answer leads back. Says whether it ended now; the partner is told why.
    async fn undo_link(&self, link: &Link, attempt: AttemptState, jobs: &[Job], at: Timestamp) -> Result<bool>;
    /// A link with its accounts.
    async fn link(&self, id: LinkId) -> Result<Option<Link>>;
    /// The link that an attempt made.
    async fn link_of_attempt(&self, id: AttemptId) -> Result<Option<Link>>;
    /// Whether an attempt made a link that was ever in use, so that partner and person may have been told of it: only then is
    /// there anything to take back.
    async fn made_link_in_use(&self, id: AttemptId) -> Result<bool>;
    /// The link holding the provider account with this digest, removed ones included; of several the one in use, else
    /// the newest.
    async fn link_by_account(&self, account_digest: &[u8; 32]) -> Result<Option<Link>>;
    /// The same among the links of one partner: others may have an account of the same name, with other keys.
    async fn link_by_account_of(&self, partner: PartnerId, account_digest: &[u8; 32]) -> Result<Option<Link>>;
    /// Adds what reading an account told; answers with the other live links of the same partner and number. The links of the
    /// same person to an account with this number, at whichever partner, have been used when this one was.
    async fn store_account_reading(&self, id: LinkedAccountId, reading: &AccountReading) -> Result<Vec<LinkId>>;
    /// Notes that a person has seen these of their links. It never goes back.
    async fn note_use(&self, tag: &SubscriberTag, links: &[LinkId], at: Timestamp) -> Result<()>;
    /// Moves a link as [`LinkState::next`] allows and writes the jobs that follow, in one transaction. Says whether it
    /// moved; if not, no job is written. Tells the partner of what it can see: `link.updated`, `link.reauth_required`, and
    /// `link.removed` as soon as the link is out of use.
    async fn move_link(&self, id: LinkId, to: LinkState, jobs: &[Job], at: Timestamp) -> Result<bool>;
    /// Links of a partner, newest first, at most `limit`; those that follow `after` if given: when the last link of the page
    /// before was made, and its id, for several may have been made in the same millisecond.
    async fn links(&self, partner: PartnerId, after: Option<(Timestamp, LinkId)>, limit: u32) -> Result<Vec<Link>>;
}

/// What became of putting a new consent in the place of a link's present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentReplacement {
    /// The link may be read until then, by this consent or by one that had come before it.
    Until(Timestamp),
    /// The link has ended: nothing was written.
    Ended,
}

/// The end of a link's consent, and what comes in its place. Each is told once.
#[async_trait]
pub trait LinkEndRecords: Send + Sync {
    /// Tells that a link ends soon, if it is time: `link.expiring`, and this SMS. Says whether it was told now.
    async fn announce_end(&self, id: LinkId, sms: Option<&QueuedSms>, at: Timestamp) -> Result<bool>;
    /// Ends a link whose time is over by now, with the job that ends the access at its provider: `link.expired`. Where
    /// nobody could tell before that it ends, `link.expiring` goes before it, and this SMS with it. Says whether it ended now.
    async fn expire_link(&self, id: LinkId, unlink: &Job, sms: Option<&QueuedSms>, at: Timestamp) -> Result<bool>;
    /// Puts a new consent of the link's person in the place of `replaced`; `link.updated`. If another stands there already,
    /// or the link has ended, nothing is written.
    async fn replace_consent(
        &self,
        id: LinkId,
        replaced: ConsentId,
        consent: &Consent,
        audit: &AuditEntry,
    ) -> Result<ConsentReplacement>;
    /// Takes a link back into use after a new login, on what was agreed to for that, and for as long as its provider says;
    /// `link.updated`. One that has ended stays so.
    async fn renew_link(
        &self,
        id: LinkId,
        agreed: ConsentId,
        access_until: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<()>;
    /// Whether a link was logged in to again then or later, as far as anybody has said.
    async fn renewed_since(&self, id: LinkId, since: Timestamp) -> Result<bool>;
    /// The provider has ended the access to a link that is being ended, or is expired.
    async fn access_ended(&self, id: LinkId, at: Timestamp) -> Result<()>;
}

/// What providers need to see again. It is replaced by comparing versions: of two who replace the same, one wins.
#[async_trait]
pub trait LinkAccessRecords: Send + Sync {
    /// What a link's provider needs to see.
    async fn link_access(&self, id: LinkId) -> Result<Option<LinkAccess>>;
    /// Replaces it where the version before `access.version` stands, and lets its lease go. Says whether it now stands so;
    /// of a link that is removed it never does.
    async fn put_link_access(&self, id: LinkId, access: &LinkAccess) -> Result<bool>;
    /// Takes the right to refresh it until `until`. `None`: somebody has it, be it on the same node, or the link is removed.
    async fn lease_link_access(
        &self,
        id: LinkId,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LinkAccess>>;
    /// A partner's link of which the provider's own id has this digest, removed ones included; of several the one in use, else the
    /// newest.
    async fn link_by_handle(&self, partner: PartnerId, handle_digest: &[u8; 32]) -> Result<Option<Link>>;
    /// A person's links at a partner and provider that are not removed, the first first.
    async fn links_at_provider(&self, partner: PartnerId, provider: &str, tag: &SubscriberTag) -> Result<Vec<Link>>;
}

/// The intent that something grew out of, where a partner has made it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct IntentSummary {
    #[sqlx(rename = "intent_id")]
    pub id: IntentId,
    pub entity: Option<EntityId>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    /// The partner's own name for it.
    pub reference: Option<String>,
}

/// A link with what allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDetails {
    pub link: Link,
    /// When its state last changed.
    pub moved_at: Timestamp,
    pub consent: Consent,
    /// The partner's intent; `None` for somebody who dialled without having been asked.
    pub intent: Option<IntentSummary>,
}

/// A connect session: one try at linking, as far as anything was submitted in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectSessionView {
    pub id: ConnectSessionId,
    pub partner: PartnerId,
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    pub institution_name: String,
    /// Where the submission stands that made the link, or else the last one.
    pub state: AttemptState,
    /// The link that it made, or renews.
    pub link: Option<LinkId>,
    /// The partner's intent; `None` for somebody who dialled without having been asked.
    pub intent: Option<IntentSummary>,
    /// When the first submission was begun.
    pub created_at: Timestamp,
    /// When the state last changed.
    pub moved_at: Timestamp,
}

/// Which links; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFilter {
    pub state: Option<LinkState>,
    pub intent: Option<IntentId>,
    pub reference: Option<String>,
    /// The moment at which the state is looked at.
    pub at: Timestamp,
}

/// A link whose end was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndedLink {
    pub tag: SubscriberTag,
    /// Where it stands now.
    pub state: LinkState,
    /// Whether this was what ended it.
    #[sqlx(skip)]
    pub newly_ended: bool,
}

/// Links and connect sessions as their partner sees them, within a caller's scope. Whose they are follows from the intent
/// they grew out of, so what grew out of none is the partner's as a whole.
#[async_trait]
pub trait LinkViewRecords: Send + Sync {
    /// A link, removed ones included.
    async fn link_view(&self, scope: &TenantScope, id: LinkId) -> Result<Option<LinkDetails>>;
    /// Links, newest first.
    async fn link_views(
        &self,
        scope: &TenantScope,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkDetails>>;
    /// Puts a link that is in use out of use, with the job that tells its provider, in one transaction; one that is out of
    /// use already stays as it is. `None`: there is no such link.
    async fn end_link(
        &self,
        scope: &TenantScope,
        id: LinkId,
        unlink: &Job,
        audit: &AuditEntry,
    ) -> Result<Option<EndedLink>>;
    /// A connect session.
    async fn connect_session(&self, scope: &TenantScope, id: ConnectSessionId) -> Result<Option<ConnectSessionView>>;
    /// Connect sessions, newest first; those for one intent only, if it is named.
    async fn connect_sessions(
        &self,
        scope: &TenantScope,
        intent: Option<IntentId>,
        page: &PageRequest,
    ) -> Result<Paged<ConnectSessionView>>;
}
