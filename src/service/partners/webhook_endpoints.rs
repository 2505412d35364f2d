//! Where a partner receives webhooks, and what these are signed with.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::serialize_exposed;
use super::{ApiError, ApiTime, List, RequestContext, Validation, into_result};
use crate::core::events::EventKind;
use crate::core::ids::{EndpointId, EntityId, PartnerId, UserId, WebhookSecretId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::public_address::{PublicAddressPolicy, WebhookUrlError};
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::time::{Rng, Timestamp};
use crate::core::webhook::{SECRET_OVERLAP, SigningSecret};
use crate::http_client::ssrf_safe::SsrfSafeClient;
use crate::records::{EndpointChange, EndpointState, Records, WebhookEndpoint, WebhookSecret};
use crate::service::deps::Deps;
use crate::service::webhooks::secret_context;

/// How many endpoints a partner may have.
pub const MAX_ENDPOINTS: u32 = 20;
/// For how long the secret before may go on being used beside a new one, at most.
const MAX_OVERLAP: Duration = Duration::from_hours(7 * 24);
/// Where the URL stands in a request.
const URL_POINTER: &str = "/url";

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Where webhooks are sent: https, a host of the public internet by its full name, port 443 or one from 1024.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// Which kinds of events are sent; none, or left out: all.
    #[serde(default)]
    pub kinds: Vec<EventKind>,
}

/// What is to be different in an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WebhookEndpointEdit)]
#[serde(deny_unknown_fields)]
pub struct EndpointEdit {
    /// Where webhooks are sent.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: Option<String>,
    /// Which kinds of events are sent from now on; none: all.
    pub kinds: Option<Vec<EventKind>>,
    /// Whether anything is sent.
    pub state: Option<WebhookEndpointState>,
}

/// Whether an endpoint is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookEndpointState)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEndpointState {
    /// It is.
    Enabled,
    /// It is not, until it is enabled again.
    Disabled,
}

/// How a secret is replaced.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = WebhookSecretRotation)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// For how many seconds the secret before goes on being used beside the new one: 0 to 604800, a day when left out.
    #[schema(minimum = 0, maximum = 604_800)]
    pub overlap_seconds: Option<u64>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct EndpointView {
    /// Its id.
    pub id: EndpointId,
    /// Only what happens in this entity is sent; null: all that happens.
    #[schema(required)]
    pub entity_id: Option<EntityId>,
    /// Where webhooks are sent.
    pub url: String,
    /// Which kinds of events are sent; none: all.
    pub kinds: Vec<EventKind>,
    /// Whether anything is sent.
    pub state: WebhookEndpointState,
    /// Why nothing is: `by_request`, `gone` (it answered 410), `failing` (it took nothing for days); null: it is enabled.
    #[schema(required)]
    pub reason: Option<String>,
    /// The user who made it; null: the partner itself.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: ApiTime,
    /// When it was last changed, or its secret replaced.
    pub updated_at: ApiTime,
}

impl From<WebhookEndpoint> for EndpointView {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id,
            entity_id: endpoint.entity,
            url: endpoint.url,
            kinds: endpoint.kinds,
            state: match endpoint.state {
                EndpointState::Enabled => WebhookEndpointState::Enabled,
                EndpointState::Disabled | EndpointState::Deleted => WebhookEndpointState::Disabled,
            },
            reason: endpoint.reason,
            created_by: endpoint.created_by,
            created_at: ApiTime(endpoint.created_at),
            updated_at: ApiTime(endpoint.updated_at),
        }
    }
}

/// An endpoint that was just made, with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
pub struct EndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// What webhooks are signed with: `whsec_` and base64. Shown this once.
    #[serde(serialize_with = "serialize_exposed")]
    #[schema(value_type = String, format = Password)]
    pub secret: Secret,
}

/// A secret that was just replaced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RotatedWebhookSecret)]
pub struct RotatedSecret {
    /// Of which endpoint.
    pub id: EndpointId,
    /// What webhooks are signed with from now on. Shown this once.
    #[serde(serialize_with = "serialize_exposed")]
    #[schema(value_type = String, format = Password)]
    pub secret: Secret,
    /// Until when they are signed with the secret before, too.
    pub previous_secret_until: ApiTime,
}

/// Where webhooks go.
#[async_trait]
pub trait WebhookEndpoints: Send + Sync {
    /// A page of endpoints, newest first.
    async fn list_endpoints(&self, asked: &RequestContext, page: PageRequest) -> Result<List<EndpointView>, ApiError>;
    /// Makes one, for the entity that was chosen or for all, and shows its secret.
    async fn create_endpoint(&self, asked: &RequestContext, new: NewEndpoint) -> Result<EndpointWithSecret, ApiError>;
    /// One of them.
    async fn get_endpoint(&self, asked: &RequestContext, id: EndpointId) -> Result<EndpointView, ApiError>;
    /// Changes one.
    async fn update_endpoint(
        &self,
        asked: &RequestContext,
        id: EndpointId,
        edit: EndpointEdit,
    ) -> Result<EndpointView, ApiError>;
    /// Deletes one: it is sent nothing more.
    async fn delete_endpoint(&self, asked: &RequestContext, id: EndpointId) -> Result<(), ApiError>;
    /// Replaces the secret of one, and shows the new one.
    async fn rotate_secret(
        &self,
        asked: &RequestContext,
        id: EndpointId,
        rotation: SecretRotation,
    ) -> Result<RotatedSecret, ApiError>;
}

/// Keeps endpoints.
pub struct WebhookEndpointApi {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Seals what webhooks are signed with.
    pub keyring: Arc<Keyring>,
    /// Where webhooks may go.
    pub outside: PublicAddressPolicy,
    /// Finds out where names lead.
    pub client: Arc<SsrfSafeClient>,
    /// Clock, chance.
    pub runtime: Deps,
}

#[async_trait]
impl WebhookEndpoints for WebhookEndpointApi {
    async fn list_endpoints(&self, asked: &RequestContext, page: PageRequest) -> Result<List<EndpointView>, ApiError> {
        let after = page.after.map(|last| (last.at, EndpointId::from_bytes(last.id)));
        let rows = self.records.endpoints(&asked.reach, after, page.limit + 1).await?;
        let paged = Paged::from_rows(rows, &page, |endpoint| PageCursor {
            at: endpoint.created_at,
            id: *endpoint.id.as_bytes(),
        });
        Ok(paged.map(EndpointView::from).into())
    }

    async fn create_endpoint(&self, asked: &RequestContext, new: NewEndpoint) -> Result<EndpointWithSecret, ApiError> {
        self.check_url(&new.url).await?;
        let now = self.now();
        let endpoint = WebhookEndpoint {
            id: EndpointId::generate(asked.rng.as_ref()),
            partner: asked.reach.partner,
            entity: asked.reach.entity,
            url: new.url,
            kinds: sort_and_dedup(new.kinds),
            state: EndpointState::Enabled,
            reason: None,
            created_by: asked.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let (secret, row) = self.generate_secret(asked.rng.as_ref(), endpoint.partner, endpoint.id, now)?;
        let deed = asked.audit_entry("webhook_endpoint.created", endpoint.id, now);
        let kept = self.records.add_endpoint(&endpoint, &row, MAX_ENDPOINTS, &deed).await?;
        Ok(EndpointWithSecret {
            endpoint: into_result(kept, "")?.into(),
            secret: secret.text(),
        })
    }

    async fn get_endpoint(&self, asked: &RequestContext, id: EndpointId) -> Result<EndpointView, ApiError> {
        let endpoint = self.records.endpoint(&asked.reach, id).await?;
        endpoint.map(EndpointView::from).ok_or(ApiError::NotFound)
    }

    async fn update_endpoint(
        &self,
        asked: &RequestContext,
        id: EndpointId,
        edit: EndpointEdit,
    ) -> Result<EndpointView, ApiError> {
        if let Some(url) = &edit.url {
            self.check_url(url).await?;
        }
        let change = EndpointChange {
            url: edit.url,
            kinds: edit.kinds.map(sort_and_dedup),
            state: edit.state.map(|state| match state {
                WebhookEndpointState::Enabled => (EndpointState::Enabled, None),
                WebhookEndpointState::Disabled => (EndpointState::Disabled, Some("by_request")),
            }),
        };
        let deed = asked.audit_entry("webhook_endpoint.changed", id, self.now());
        let endpoint = self.records.change_endpoint(&asked.reach, id, &change, &deed).await?;
        endpoint.map(EndpointView::from).ok_or(ApiError::NotFound)
    }

    async fn delete_endpoint(&self, asked: &RequestContext, id: EndpointId) -> Result<(), ApiError> {
        let change = EndpointChange {
            state: Some((EndpointState::Deleted, None)),
            ..EndpointChange::default()
        };
        let deed = asked.audit_entry("webhook_endpoint.deleted", id, self.now());
        let ended = self.records.change_endpoint(&asked.reach, id, &change, &deed).await?;
        ended.map(drop).ok_or(ApiError::NotFound)
    }

    async fn rotate_secret(
        &self,
        asked: &RequestContext,
        id: EndpointId,
        rotation: SecretRotation,
    ) -> Result<RotatedSecret, ApiError> {
        let overlap = rotation.overlap_seconds.map_or(SECRET_OVERLAP, Duration::from_secs);
        if overlap > MAX_OVERLAP {
            let detail = format!("0 to {}", MAX_OVERLAP.as_secs());
            return Err(ApiError::field("/overlap_seconds", "out_of_range", detail));
        }
        let now = self.now();
        let (secret, row) = self.generate_secret(asked.rng.as_ref(), asked.reach.partner, id, now)?;
        let (until, deed) = (
            now.plus(overlap),
            asked.audit_entry("webhook_endpoint.secret_rotated", id, now),
        );
        let until = self.records.rotate_secret(&asked.reach, &row, until, &deed).await?;
        Ok(RotatedSecret {
            id,
            secret: secret.text(),
            previous_secret_until: ApiTime(until.ok_or(ApiError::NotFound)?),
        })
    }
}

impl WebhookEndpointApi {
    fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }

    /// Whether webhooks may be sent there: by what the URL says, and by where its name leads.
    async fn check_url(&self, text: &str) -> Result<(), ApiError> {
        let mut faults = Validation::default();
        match self.outside.parse_url(text) {
            Err(fault) => faults.add(URL_POINTER, url_fault_code(fault), fault.to_string()),
            Ok(url) if self.client.is_blocked(&url).await => {
                faults.add(
                    URL_POINTER,
                    "address_blocked",
                    "leads to an address that is not of the public internet",
                );
            }
            Ok(_) => {}
        }
        faults.finish()
    }

    /// A secret for an endpoint, and its row.
    fn generate_secret(
        &self,
        fresh: &dyn Rng,
        partner: PartnerId,
        endpoint: EndpointId,
        now: Timestamp,
    ) -> Result<(SigningSecret, WebhookSecret), ApiError> {
        let id = WebhookSecretId::generate(fresh);
        let secret = SigningSecret::generate(fresh);
        let entropy = self.runtime.rng.as_ref();
        let sealed = self
            .keyring
            .seal(&secret_context(&partner, &id), secret.as_bytes(), entropy);
        let sealed = sealed.map_err(|error| {
            tracing::error!(%error, "a webhook secret could not be sealed");
            ApiError::Unavailable
        })?;
        let row = WebhookSecret {
            id,
            endpoint,
            partner,
            sealed,
            created_at: now,
        };
        Ok((secret, row))
    }
}

/// The stable word for what is wrong with a URL.
const fn url_fault_code(fault: WebhookUrlError) -> &'static str {
    match fault {
        WebhookUrlError::NotAUrl => "not_a_url",
        WebhookUrlError::NotHttps => "not_https",
        WebhookUrlError::ExtraParts => "not_plain",
        WebhookUrlError::Host => "host_not_public",
        WebhookUrlError::Port => "port_not_allowed",
    }
}

/// The same kinds in our own order, each once.
fn sort_and_dedup(mut kinds: Vec<EventKind>) -> Vec<EventKind> {
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
