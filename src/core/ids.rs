//! Identifiers: 128 random bits each, generated with the injected [`Rng`], one type for each kind of thing. A fact that may
//! be written twice gets an id that is computed from the fact.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::time::Rng;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub fn generate(rng: &dyn Rng) -> Self {
                let mut bytes = [0; 16];
                rng.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// The id of this fact: the same fact always has the same id.
            pub fn from_fact(fact: &str) -> Self {
                let digest: [u8; 32] = Sha256::digest(fact).into();
                let (bytes, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
                Self(uuid::Builder::from_custom_bytes(*bytes).into_uuid())
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Parses the usual hyphenated form.
            ///
            /// # Errors
            /// When `text` is not a UUID.
            pub fn parse(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        }

        impl From<$name> for [u8; 16] {
            fn from(id: $name) -> Self {
                *id.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

impl AttemptId {
    /// Of the attempt of a try that needs no submission: nothing was typed for it.
    pub fn without_submission(session: ConnectSessionId) -> Self {
        Self::from_fact(&format!("waiting {session}"))
    }
}

ids! {
    /// A business on whose behalf accounts are linked.
    PartnerId,
    /// A partner's request that somebody links; a walk-in gets an implicit one.
    IntentId,
    /// One try at linking; outlives dialogs.
    ConnectSessionId,
    /// What a person agreed to, word for word.
    ConsentId,
    /// One submission of secrets to a provider.
    AttemptId,
    /// All submissions that one consent allows, or that one renewal is; they are numbered.
    SeriesId,
    /// The durable result of linking.
    LinkId,
    /// One bank account under a link.
    LinkedAccountId,
    /// A piece of work that may safely run twice.
    JobId,
    /// One server process; drawn at its start.
    NodeId,
    /// One text message to a person.
    MessageId,
    /// A brand or branch of a partner.
    EntityId,
    /// Somebody who works for a partner.
    UserId,
    /// What users may do, under a name.
    RoleId,
    /// Where a partner receives webhooks.
    EndpointId,
    /// Something that happened, as partners are told it; the same on every retry.
    EventId,
    /// One event on its way to one endpoint.
    DeliveryId,
    /// The erasure of one person at one partner.
    ErasureId,
    /// A person's wish to get an SMS when an institution is back.
    BankAlertId,
    /// Looking whether an institution is back, for all who wish to know.
    WatchId,
    /// What belongs to a person at a partner at one provider.
    ProviderPersonId,
    /// What webhooks of an endpoint are signed with.
    WebhookSecretId,
}
