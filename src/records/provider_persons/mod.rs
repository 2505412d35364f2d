//! What belongs to a person at a partner at one provider: an account of theirs there, and what opens it. It is made once and
//! used for all their links.

use async_trait::async_trait;

use super::Result;
use super::columns::{Bytes, Nullable};
use crate::core::ids::{NodeId, PartnerId, ProviderPersonId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ProviderPerson {
    /// What `sealed` is bound to, beside the tag. It stays when that is replaced.
    pub id: ProviderPersonId,
    pub partner: PartnerId,
    pub provider: String,
    pub tag: SubscriberTag,
    /// A keyed digest of the provider's own id of the person, to recognise it in webhooks.
    #[sqlx(try_from = "Nullable<Bytes<32>>")]
    pub handle_digest: Option<[u8; 32]>,
    /// The provider's own words, sealed.
    #[sqlx(rename = "access")]
    pub sealed: Vec<u8>,
    /// From 1; counts up with every replacement.
    #[sqlx(try_from = "i64")]
    pub version: u32,
    pub updated_at: Timestamp,
}

/// What became of writing a [`ProviderPerson`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderPersonOutcome {
    /// It stands as it was to be written.
    Written,
    /// Somebody else was quicker: this stands there now, or nothing any more.
    Outdated(Option<ProviderPerson>),
}

/// What belongs to people at providers. It is replaced by comparing versions: of two who replace the same, one wins.
#[async_trait]
pub trait ProviderPersonRecords: Send + Sync {
    async fn provider_person(
        &self,
        partner: PartnerId,
        provider: &str,
        tag: &SubscriberTag,
    ) -> Result<Option<ProviderPerson>>;
    /// Whose account at a provider has this digest, among a partner's people.
    async fn provider_person_by_handle(
        &self,
        partner: PartnerId,
        handle_digest: &[u8; 32],
    ) -> Result<Option<ProviderPerson>>;
    /// Writes version 1 where there is nothing, and any other where the version before it stands; lets its lease go.
    async fn put_provider_person(&self, person: &ProviderPerson) -> Result<ProviderPersonOutcome>;
    /// Takes the right to refresh it until `until`, and says what there is to refresh. `None`: somebody has that right
    /// already, be it on the same node, or there is nothing.
    async fn lease_provider_person(
        &self,
        id: ProviderPersonId,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ProviderPerson>>;
    /// Deletes it in whatever version. Says whether it was there.
    async fn delete_provider_person(&self, id: ProviderPersonId) -> Result<bool>;
}
