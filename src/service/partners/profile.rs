//! A partner's settings, its keys at providers, and its audit trail.
//!
//! The partner of the configuration is set up there, and written anew at every start: what is changed here would be lost,
//! so it is refused.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::schemas::environments;
use super::{AccountApi, ApiError, ApiTime, List, Profile, RequestContext, Validation};
use crate::core::api_key::ApiEnvironment;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::page::PageRequest;
use crate::core::secret::Secret;
use crate::providers::{Credentials, ProviderError};
use crate::records::{Partner, PartnerChange, StoredAuditEntry};
use crate::service::providers::seal_credentials;

/// As long as a phone's screen can show it beside the rest of the consent.
const MAX_PURPOSE_CHARS: usize = 40;
/// Days that people can be asked for, at most.
const MAX_DAYS: u16 = 730;

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerView {
    /// Its id: the `client_id` of its tokens.
    pub id: PartnerId,
    /// As people see it in the consent; the operator sets it.
    pub name: String,
    /// What the data are for, as people see it in the consent.
    pub purpose: String,
    /// For how many days people agree, where an intent does not say.
    pub data_days: u16,
    /// Whether it is offered to whoever dials the plain code.
    pub walk_in: bool,
    /// `sandbox` or `live`.
    #[schema(schema_with = environments)]
    pub environment: &'static str,
    /// When it was first seen.
    pub created_at: ApiTime,
}

/// What is to be different in a partner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerEdit {
    /// What the data are for; 1 to 40 characters.
    #[schema(min_length = 1, max_length = 40, format = "printed")]
    pub purpose: Option<String>,
    /// For how many days people agree, 1 to 730.
    #[schema(minimum = 1, maximum = 730)]
    pub data_days: Option<u16>,
    /// Whether it is offered to whoever dials the plain code.
    pub walk_in: Option<bool>,
}

/// Keys at a provider, as they are handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredentials {
    /// The provider's secret key.
    #[schema(value_type = String, format = Password, write_only)]
    pub secret_key: Secret,
    /// The provider's application id, where it has one.
    pub app_id: Option<String>,
}

/// Whether there are keys at a provider. The keys are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Credentials)]
pub struct CredentialsView {
    /// The provider.
    pub provider: String,
    /// Whether there are keys.
    pub present: bool,
    /// Since when they are these.
    #[schema(required)]
    pub updated_at: Option<ApiTime>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditView {
    /// Its id.
    pub id: Uuid,
    /// A stable word, such as `role.created`.
    pub kind: String,
    /// The id of what it was done to, and the like.
    pub detail: String,
    /// In which entity; null: in none.
    #[schema(required)]
    pub entity_id: Option<EntityId>,
    /// The user who did it; null: the partner itself, an operator, or nobody.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// When.
    pub at: ApiTime,
}

impl From<StoredAuditEntry> for AuditView {
    fn from(event: StoredAuditEntry) -> Self {
        Self {
            id: Uuid::from_bytes(event.id),
            kind: event.kind,
            detail: event.detail,
            entity_id: event.entity,
            user_id: event.user,
            at: ApiTime(event.at),
        }
    }
}

#[async_trait]
impl Profile for AccountApi {
    async fn get_partner(&self, asked: &RequestContext) -> Result<PartnerView, ApiError> {
        let partner = self.records.partner(asked.reach.partner).await?;
        partner
            .map(|partner| self.partner_view(partner))
            .ok_or(ApiError::NotFound)
    }

    async fn update_partner(&self, asked: &RequestContext, edit: PartnerEdit) -> Result<PartnerView, ApiError> {
        let mut faults = Validation::default();
        faults.check_optional_text("/purpose", edit.purpose.as_ref(), MAX_PURPOSE_CHARS);
        if edit.data_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            faults.add("/data_days", "out_of_range", format!("1 to {MAX_DAYS}"));
        }
        faults.finish()?;
        self.check_changeable(asked)?;
        let change = PartnerChange {
            purpose: edit.purpose.map(|purpose| purpose.trim().to_owned()),
            days: edit.data_days,
            walk_in: edit.walk_in,
        };
        let deed = asked.audit_entry("partner.changed", asked.reach.partner, self.now());
        let partner = self.records.change_partner(&change, &deed).await?;
        partner
            .map(|partner| self.partner_view(partner))
            .ok_or(ApiError::NotFound)
    }

    async fn list_credentials(&self, asked: &RequestContext) -> Result<List<CredentialsView>, ApiError> {
        let kept = self.records.providers_of(asked.reach.partner).await?;
        let view = |provider: String| {
            let since = kept
                .iter()
                .find(|(name, _)| *name == provider)
                .map(|(_, at)| ApiTime(*at));
            CredentialsView {
                provider,
                present: since.is_some(),
                updated_at: since,
            }
        };
        Ok(List {
            data: self.providers.names().into_iter().map(view).collect(),
            next_cursor: None,
        })
    }

    async fn set_credentials(
        &self,
        asked: &RequestContext,
        provider: &str,
        new: NewCredentials,
    ) -> Result<CredentialsView, ApiError> {
        let api = self.providers.provider(provider).ok_or(ApiError::NotFound)?;
        self.check_changeable(asked)?;
        if self.settings.side == ApiEnvironment::Sandbox && new.secret_key.expose().starts_with("live_") {
            let detail = "a production key, which the sandbox refuses";
            return Err(ApiError::field("/secret_key", "live_key", detail));
        }
        let credentials = Credentials {
            secret_key: new.secret_key,
            app_id: new.app_id,
        };
        match api.institutions(&credentials).await {
            Ok(_) => {}
            Err(ProviderError::Refused(_) | ProviderError::NotFound) => {
                let detail = "the provider does not take this key";
                return Err(ApiError::field("/secret_key", "refused", detail));
            }
            Err(error) => {
                tracing::warn!(provider, %error, "keys could not be checked");
                return Err(ApiError::Unavailable);
            }
        }
        let (partner, entropy) = (asked.reach.partner, self.runtime.rng.as_ref());
        let sealed = seal_credentials(&self.keyring, entropy, &partner, provider, &credentials)?;
        let now = self.now();
        let deed = asked.audit_entry("credentials.set", provider, now);
        self.records.set_credentials(provider, &sealed, &deed).await?;
        Ok(CredentialsView {
            provider: provider.to_owned(),
            present: true,
            updated_at: Some(ApiTime(now)),
        })
    }

    async fn delete_credentials(&self, asked: &RequestContext, provider: &str) -> Result<(), ApiError> {
        self.check_changeable(asked)?;
        let deed = asked.audit_entry("credentials.deleted", provider, self.now());
        if self.records.forget_credentials(provider, &deed).await? {
            Ok(())
        } else {
            Err(ApiError::NotFound)
        }
    }

    async fn list_audit_entries(&self, asked: &RequestContext, page: PageRequest) -> Result<List<AuditView>, ApiError> {
        let events = self.records.audit_trail(&asked.reach, &page).await?;
        Ok(events.map(AuditView::from).into())
    }
}

impl AccountApi {
    fn partner_view(&self, partner: Partner) -> PartnerView {
        PartnerView {
            id: partner.id,
            name: partner.name,
            purpose: partner.purpose,
            data_days: partner.days,
            walk_in: partner.walk_in,
            environment: match self.settings.side {
                ApiEnvironment::Sandbox => "sandbox",
                ApiEnvironment::Live => "live",
            },
            created_at: ApiTime(partner.created_at),
        }
    }

    /// Whether the partner's settings can be changed here.
    fn check_changeable(&self, asked: &RequestContext) -> Result<(), ApiError> {
        if asked.reach.partner == self.providers.partner() {
            let why = "this partner is set up in the server's configuration, and changed there";
            return Err(ApiError::Conflict(why));
        }
        Ok(())
    }
}
