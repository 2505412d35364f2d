//! Where a partner receives webhooks, and the secrets they are signed with.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::context::RequestContext;
use super::error::{ApiError, into_result};
use super::validation::Validation;
use super::views::{ApiTime, List};
use super::views::{serialize_exposed, view};
use crate::core::access::{AccessDenied, Caller, Permission};
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
use crate::service::webhooks::deliveries::secret_context;

/// For each partner.
pub const MAX_ENDPOINTS: u32 = 20;
/// The most at which a user can make another one.
const MAX_ENDPOINTS_OF_USERS: u32 = 15;
/// For how long the previous secret may be used beside a new one.
const MAX_OVERLAP: Duration = Duration::from_hours(7 * 24);
const URL_POINTER: &str = "/url";

/// A webhook endpoint to create.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Where webhooks are sent: https, a host of the public internet by its full name, port 443 or one from 1024.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// Which kinds of events are sent; by default, and if empty, all.
    #[serde(default)]
    pub kinds: Vec<EventKind>,
}

/// Changes to a webhook endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WebhookEndpointEdit)]
#[serde(deny_unknown_fields)]
pub struct EndpointEdit {
    /// Where webhooks are sent.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: Option<String>,
    /// Which kinds of events are sent from now on; if empty, all.
    pub kinds: Option<Vec<EventKind>>,
    /// Whether webhooks are sent.
    pub state: Option<WebhookEndpointState>,
}

/// Whether webhooks are sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WebhookEndpointState)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEndpointState {
    /// They are.
    Enabled,
    /// They are not, until it is enabled again.
    Disabled,
}

/// How a secret is rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = WebhookSecretRotation)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// For how many seconds the previous secret is used beside the new one: 0 to 604800, by default a day.
    #[schema(minimum = 0, maximum = 604_800)]
    pub overlap_seconds: Option<u64>,
}

view! {
    /// An endpoint.
    #[schema(as = WebhookEndpoint)]
    pub struct EndpointView(endpoint: WebhookEndpoint) {
        /// Its id.
        id: EndpointId = endpoint.id,
        /// Only events of this entity are sent; null: all events.
        #[schema(required)]
        entity_id: Option<EntityId> = endpoint.entity,
        /// Where webhooks are sent.
        url: String = endpoint.url,
        /// Which kinds of events are sent; if empty, all.
        kinds: Vec<EventKind> = endpoint.kinds,
        /// Whether webhooks are sent.
        state: WebhookEndpointState = match endpoint.state {
            EndpointState::Enabled => WebhookEndpointState::Enabled,
            EndpointState::Disabled | EndpointState::Deleted => WebhookEndpointState::Disabled,
        },
        /// Why it is disabled: `by_request`, `gone` (it answered 410) or `failing` (it failed for days); null: it is enabled.
        #[schema(required)]
        reason: Option<String> = endpoint.reason,
        /// The user who created it; null: the partner itself.
        #[schema(required)]
        created_by: Option<UserId> = endpoint.created_by,
        /// When it was created.
        created_at: ApiTime = ApiTime(endpoint.created_at),
        /// When it was last changed, or its secret rotated.
        updated_at: ApiTime = ApiTime(endpoint.updated_at),
    }
}

/// A new endpoint with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
pub struct EndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// What webhooks are signed with: `whsec_` and base64. Shown only here.
    #[serde(serialize_with = "serialize_exposed")]
    #[schema(value_type = String, format = Password)]
    pub secret: Secret,
}

/// A rotated secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RotatedWebhookSecret)]
pub struct RotatedSecret {
    /// The endpoint.
    pub id: EndpointId,
    /// What webhooks are signed with from now on. Shown only here.
    #[serde(serialize_with = "serialize_exposed")]
    #[schema(value_type = String, format = Password)]
    pub secret: Secret,
    /// Until then they are also signed with the previous secret.
    pub previous_secret_until: ApiTime,
}

/// A partner's webhook endpoints.
pub struct WebhookEndpointApi {
    pub records: Arc<dyn Records>,
    pub keyring: Arc<Keyring>,
    pub outside: PublicAddressPolicy,
    /// Resolves names.
    pub client: Arc<SsrfSafeClient>,
    pub deps: Deps,
}

impl WebhookEndpointApi {
    pub(crate) async fn list_endpoints(
        &self,
        context: &RequestContext,
        page: PageRequest,
    ) -> Result<List<EndpointView>, ApiError> {
        let after = page.after.map(|last| (last.at, EndpointId::from_bytes(last.id)));
        let rows = self.records.endpoints(&context.scope, after, page.limit + 1).await?;
        let paged = Paged::from_rows(rows, &page, |endpoint| PageCursor {
            at: endpoint.created_at,
            id: *endpoint.id.as_bytes(),
        });
        Ok(paged.map(EndpointView::new).into())
    }

    /// Creates an endpoint for the chosen entity, or for all.
    ///
    /// # Errors
    /// When the URL is not allowed, there are too many endpoints, or the records are not available.
    pub async fn create_endpoint(
        &self,
        context: &RequestContext,
        new: NewEndpoint,
    ) -> Result<EndpointWithSecret, ApiError> {
        if context.caller.reads_events() == Permission::NotAllowed {
            // It would hear nothing.
            return Err(AccessDenied::Role.into());
        }
        self.check_url(&new.url).await?;
        let now = self.now();
        let endpoint = WebhookEndpoint {
            id: EndpointId::generate(context.rng.as_ref()),
            partner: context.scope.partner,
            entity: context.scope.entity,
            url: new.url,
            kinds: sort_and_dedup(new.kinds),
            state: EndpointState::Enabled,
            reason: None,
            created_by: context.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let (secret, row) = self.generate_secret(context.rng.as_ref(), endpoint.partner, endpoint.id, now)?;
        let audit = context.audit_entry("webhook_endpoint.created", endpoint.id, now);
        // Users leave some for the partner itself.
        let most = match context.caller {
            Caller::Partner(_) => MAX_ENDPOINTS,
            Caller::User { .. } => MAX_ENDPOINTS_OF_USERS,
        };
        let outcome = self.records.add_endpoint(&endpoint, &row, most, &audit).await?;
        Ok(EndpointWithSecret {
            endpoint: EndpointView::new(into_result(outcome, "")?),
            secret: secret.text(),
        })
    }

    pub(crate) async fn get_endpoint(
        &self,
        context: &RequestContext,
        id: EndpointId,
    ) -> Result<EndpointView, ApiError> {
        let endpoint = self.records.endpoint(&context.scope, id).await?;
        endpoint.map(EndpointView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn update_endpoint(
        &self,
        context: &RequestContext,
        id: EndpointId,
        edit: EndpointEdit,
    ) -> Result<EndpointView, ApiError> {
        self.check_direction(context, id).await?;
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
        let audit = context.audit_entry("webhook_endpoint.changed", id, self.now());
        let endpoint = self
            .records
            .change_endpoint(&context.scope, id, &change, &audit)
            .await?;
        endpoint.map(EndpointView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn delete_endpoint(&self, context: &RequestContext, id: EndpointId) -> Result<(), ApiError> {
        self.check_direction(context, id).await?;
        let change = EndpointChange {
            state: Some((EndpointState::Deleted, None)),
            ..EndpointChange::default()
        };
        let audit = context.audit_entry("webhook_endpoint.deleted", id, self.now());
        let ended = self
            .records
            .change_endpoint(&context.scope, id, &change, &audit)
            .await?;
        ended.map(drop).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn rotate_secret(
        &self,
        context: &RequestContext,
        id: EndpointId,
        rotation: SecretRotation,
    ) -> Result<RotatedSecret, ApiError> {
        let overlap = rotation.overlap_seconds.map_or(SECRET_OVERLAP, Duration::from_secs);
        if overlap > MAX_OVERLAP {
            let detail = format!("0 to {}", MAX_OVERLAP.as_secs());
            return Err(ApiError::field("/overlap_seconds", "out_of_range", detail));
        }
        self.check_direction(context, id).await?;
        let now = self.now();
        let (secret, row) = self.generate_secret(context.rng.as_ref(), context.scope.partner, id, now)?;
        let (until, audit) = (
            now.plus(overlap),
            context.audit_entry("webhook_endpoint.secret_rotated", id, now),
        );
        let until = self.records.rotate_secret(&context.scope, &row, until, &audit).await?;
        Ok(RotatedSecret {
            id,
            secret: secret.text(),
            previous_secret_until: ApiTime(until.ok_or(ApiError::NotFound)?),
        })
    }

    /// Whether the caller may say where the events of this endpoint go, what of them, and signed with what.
    async fn check_direction(&self, context: &RequestContext, id: EndpointId) -> Result<(), ApiError> {
        let endpoint = self.records.endpoint(&context.scope, id).await?;
        let maker = endpoint.ok_or(ApiError::NotFound)?.created_by;
        if context.caller.may_direct_endpoint_of(maker) {
            Ok(())
        } else {
            Err(AccessDenied::Role.into())
        }
    }

    fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Whether webhooks may be sent there, by the URL itself and by the addresses of its host.
    async fn check_url(&self, text: &str) -> Result<(), ApiError> {
        let mut validation = Validation::default();
        match self.outside.parse_url(text) {
            Err(fault) => validation.add(URL_POINTER, url_fault_code(fault), fault.to_string()),
            Ok(url) if self.client.is_blocked(&url).await => {
                validation.add(
                    URL_POINTER,
                    "address_blocked",
                    "leads to an address that is not of the public internet",
                );
            }
            Ok(_) => {}
        }
        validation.finish()
    }

    fn generate_secret(
        &self,
        fresh: &dyn Rng,
        partner: PartnerId,
        endpoint: EndpointId,
        now: Timestamp,
    ) -> Result<(SigningSecret, WebhookSecret), ApiError> {
        let id = WebhookSecretId::generate(fresh);
        let secret = SigningSecret::generate(fresh);
        let rng = self.deps.rng.as_ref();
        let sealed = self
            .keyring
            .seal(&secret_context(&partner, &id), secret.as_bytes(), rng);
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

const fn url_fault_code(fault: WebhookUrlError) -> &'static str {
    match fault {
        WebhookUrlError::NotAUrl => "not_a_url",
        WebhookUrlError::NotHttps => "not_https",
        WebhookUrlError::ExtraParts => "not_plain",
        WebhookUrlError::Host => "host_not_public",
        WebhookUrlError::Port => "port_not_allowed",
    }
}

fn sort_and_dedup(mut kinds: Vec<EventKind>) -> Vec<EventKind> {
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
