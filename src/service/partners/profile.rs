//! A partner's settings, its provider credentials, and its audit trail.
//!
//! The partner of the configuration is written from there at every start. A change here would be lost, so it is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::ApiError;
use super::purposes::NewPurpose;
use super::schemas::environments;
use super::validation::{OtherBusinesses, Validation};
use super::views::{ApiTime, List, deserialize_nullable, view};
use crate::core::api_key::ApiEnvironment;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::page::PageRequest;
use crate::core::purpose::Purpose;
use crate::core::secret::Secret;
use crate::providers::{KeyRequirement, ProviderError, ProviderKeys};
use crate::records::{Partner, PartnerChange, StoredAuditEntry};
use crate::service::providers::{ProviderCallError, open_keys, seal_keys};

const MAX_DAYS: u16 = 730;

view! {
    /// A partner.
    #[schema(as = Partner)]
    pub struct PartnerView(partner: Partner, environment: ApiEnvironment) {
        /// Its id: the `client_id` of its tokens.
        id: PartnerId = partner.id,
        /// The name shown in the consent; set by the operator.
        name: String = partner.name,
        /// What the data are used for, as shown in the consent.
        purpose: Purpose = partner.purpose,
        /// For how many days subscribers consent, unless an intent says otherwise.
        data_days: u16 = partner.days,
        /// Whether it is offered to everyone who dials the plain code.
        walk_in: bool = partner.walk_in,
        /// The telephone number that subscribers can call for help, as screens and SMS say it; null: the operator's.
        #[schema(required)]
        contact: Option<String> = partner.contact,
        /// `sandbox` or `live`.
        #[schema(schema_with = environments)]
        environment: &'static str = match environment {
            ApiEnvironment::Sandbox => "sandbox",
            ApiEnvironment::Live => "live",
        },
        /// When it was first seen.
        created_at: ApiTime = ApiTime(partner.created_at),
    }
}

/// Changes to a partner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerEdit {
    /// What the data are used for; a few words of 1 to 40 characters without `.`, `!`, `?`, `:` and `;` and without the name
    /// of another business; one text, or a text for each language. Stored as a phone shows it, between quotation marks.
    pub purpose: Option<NewPurpose>,
    /// For how many days subscribers consent, 1 to 730.
    #[schema(minimum = 1, maximum = 730)]
    pub data_days: Option<u16>,
    /// `false`: it is no longer offered to everyone who dials the plain code. Only the operator can offer it (again).
    pub walk_in: Option<bool>,
    /// The telephone number that subscribers can call for help: digits, blanks and hyphens, and a plus before them; at most 20
    /// characters. Null: the operator's.
    #[serde(default, deserialize_with = "deserialize_nullable")]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 20, pattern = "^\\s*\\+?[0-9 -]*\\s*$", example = "0700 123 4567")]
    pub contact: Option<Option<String>>,
}

/// The keys at a provider, by the names that the provider declares.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = BTreeMap<String, String>)]
pub struct NewCredentials(BTreeMap<String, Secret>);

/// Whether credentials at a provider are set. The keys are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Credentials)]
pub struct CredentialsView {
    /// The provider.
    pub provider: String,
    /// Whether credentials are set.
    pub present: bool,
    /// When they were set.
    #[schema(required)]
    pub updated_at: Option<ApiTime>,
    /// The keys that the provider declares.
    pub keys: Vec<CredentialKeyView>,
}

/// A key that a provider declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CredentialKey)]
pub struct CredentialKeyView {
    /// Its name.
    pub name: &'static str,
    /// Whether nothing can be called without it.
    pub required: bool,
    /// What it is and where to find it.
    pub help: &'static str,
    /// Whether it is set.
    pub present: bool,
}

/// The declared keys, and which of them are among these.
fn key_views(declared: &'static [KeyRequirement], keys: &ProviderKeys) -> Vec<CredentialKeyView> {
    let view = |requirement: &'static KeyRequirement| CredentialKeyView {
        name: requirement.name,
        required: requirement.required,
        help: requirement.help,
        present: keys.get(requirement.name).is_some(),
    };
    declared.iter().map(view).collect()
}

/// What is wrong with new keys, each by its name.
fn validate_keys(declared: &[KeyRequirement], keys: &ProviderKeys) -> Validation {
    let mut validation = Validation::default();
    for (name, fault) in keys.faults(declared) {
        let known = declared.iter().any(|requirement| requirement.name == name);
        let code = match keys.get(&name) {
            Some(_) if known => "invalid",
            Some(_) => "unknown",
            None => "missing",
        };
        validation.add(&pointer(&name), code, fault);
    }
    validation
}

/// The JSON pointer to a member.
fn pointer(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Where it is told that a provider takes none of these keys: at the one that is required, or at them all.
fn refused_at(declared: &[KeyRequirement]) -> String {
    let mut required = declared.iter().filter(|requirement| requirement.required);
    match (required.next(), required.next()) {
        (Some(only), None) => pointer(only.name),
        _ => String::new(),
    }
}

view! {
    /// An entry of the audit trail.
    #[schema(as = AuditEntry)]
    pub struct AuditView(event: StoredAuditEntry) {
        /// Its id.
        id: Uuid = Uuid::from_bytes(event.id),
        /// A stable word, such as `role.created`.
        kind: String = event.kind,
        /// What it was done to: an id, or the like.
        detail: String = event.detail,
        /// The entity; null: none.
        #[schema(required)]
        entity_id: Option<EntityId> = event.entity,
        /// The user who did it; null: the partner itself, an operator, or nobody.
        #[schema(required)]
        user_id: Option<UserId> = event.user,
        /// When it happened.
        at: ApiTime = ApiTime(event.at),
    }
}

impl AccountApi {
    pub(crate) async fn get_partner(&self, context: &RequestContext) -> Result<PartnerView, ApiError> {
        let partner = self.records.partner(context.scope.partner).await?;
        partner
            .map(|partner| PartnerView::new(partner, self.settings.environment))
            .ok_or(ApiError::NotFound)
    }

    pub(crate) async fn update_partner(
        &self,
        context: &RequestContext,
        edit: PartnerEdit,
    ) -> Result<PartnerView, ApiError> {
        let mut validation = Validation::default();
        let others = match &edit.purpose {
            Some(_) => OtherBusinesses::of(self.records.as_ref(), &self.catalogue, context.scope.partner).await?,
            None => OtherBusinesses::default(),
        };
        let purpose = validation.check_purpose("/purpose", edit.purpose.as_ref(), &others);
        let contact = edit
            .contact
            .map(|contact| validation.check_contact("/contact", contact.as_ref()));
        if edit.data_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            validation.add("/data_days", "out_of_range", format!("1 to {MAX_DAYS}"));
        }
        validation.finish()?;
        self.check_changeable(context)?;
        if edit.walk_in == Some(true) {
            self.require_walk_in(context.scope.partner).await?;
        }
        let change = PartnerChange {
            purpose,
            days: edit.data_days,
            walk_in: edit.walk_in,
            contact,
        };
        let audit = context.audit_entry("partner.changed", context.scope.partner, self.now());
        let partner = self.records.change_partner(&change, &audit).await?;
        partner
            .map(|partner| PartnerView::new(partner, self.settings.environment))
            .ok_or(ApiError::NotFound)
    }

    pub(crate) async fn list_credentials(&self, context: &RequestContext) -> Result<List<CredentialsView>, ApiError> {
        let stored = self.records.providers_of(context.scope.partner).await?;
        let mut data = Vec::new();
        for provider in self.providers.all() {
            let name = provider.name();
            let set = stored.iter().find(|(known, _)| known == name);
            let keys = match set {
                Some(_) => match self.providers.with_keys(context.scope.partner, name).await {
                    Ok((_, keys)) => keys,
                    Err(ProviderCallError::NotSetUp) => ProviderKeys::default(),
                    Err(_) => return Err(ApiError::Unavailable),
                },
                None => ProviderKeys::default(),
            };
            data.push(CredentialsView {
                provider: name.to_owned(),
                present: set.is_some(),
                updated_at: set.map(|(_, at)| ApiTime(*at)),
                keys: key_views(provider.facts().keys, &keys),
            });
        }
        Ok(List {
            data,
            next_cursor: None,
        })
    }

    pub(crate) async fn set_credentials(
        &self,
        context: &RequestContext,
        provider: &str,
        new: NewCredentials,
    ) -> Result<CredentialsView, ApiError> {
        let api = self.providers.provider(provider).ok_or(ApiError::NotFound)?;
        self.check_changeable(context)?;
        let keys: ProviderKeys = new.0.into_iter().collect();
        let declared = api.facts().keys;
        validate_keys(declared, &keys).finish()?;
        let production = keys.production_key(declared);
        if self.settings.environment == ApiEnvironment::Sandbox
            && let Some(name) = production
        {
            let detail = "a production key, which the sandbox refuses";
            return Err(ApiError::field(&pointer(name), "live_key", detail));
        }
        let (asks, name) = (api.facts().asks_eligibility, api.name());
        if asks && production.is_some() && self.stated_eligibility(context, name).await?.is_none() {
            return Err(ApiError::NotEligible(name));
        }
        match api.check(&keys).await {
            Ok(()) => {}
            Err(ProviderError::Refused(_) | ProviderError::NotFound) => {
                let detail = "the provider does not take these keys";
                return Err(ApiError::field(&refused_at(declared), "refused", detail));
            }
            Err(error) => {
                tracing::warn!(provider, %error, "provider credentials could not be checked");
                return Err(ApiError::Unavailable);
            }
        }
        let (partner, rng) = (context.scope.partner, self.deps.rng.as_ref());
        let now = self.now();
        let stored = self.records.credentials(partner, provider).await?;
        let stored = stored.and_then(|sealed| open_keys(&self.keyring, &partner, provider, &sealed));
        let keys = keys.replacing(&stored.unwrap_or_default(), now);
        let sealed = seal_keys(&self.keyring, rng, &partner, provider, &keys)?;
        let audit = context.audit_entry("credentials.set", provider, now);
        self.records.set_credentials(provider, &sealed, &audit).await?;
        self.providers.note_keys_changed();
        Ok(CredentialsView {
            provider: provider.to_owned(),
            present: true,
            updated_at: Some(ApiTime(now)),
            keys: key_views(declared, &keys),
        })
    }

    pub(crate) async fn delete_credentials(&self, context: &RequestContext, provider: &str) -> Result<(), ApiError> {
        self.check_changeable(context)?;
        let audit = context.audit_entry("credentials.deleted", provider, self.now());
        if self.records.forget_credentials(provider, &audit).await? {
            self.providers.note_keys_changed();
            Ok(())
        } else {
            Err(ApiError::NotFound)
        }
    }

    pub(crate) async fn list_audit_entries(
        &self,
        context: &RequestContext,
        page: PageRequest,
    ) -> Result<List<AuditView>, ApiError> {
        let events = self.records.audit_trail(&context.scope, &page).await?;
        Ok(events.map(AuditView::new).into())
    }

    /// Who is offered to everybody is the operator's decision: a partner may end that, and not begin it.
    async fn require_walk_in(&self, partner: PartnerId) -> Result<(), ApiError> {
        let partner = self.records.partner(partner).await?.ok_or(ApiError::NotFound)?;
        if partner.walk_in {
            return Ok(());
        }
        let detail = "the operator decides who is offered to everyone who dials: ask them";
        Err(ApiError::field("/walk_in", "not_allowed", detail))
    }

    pub(super) fn check_changeable(&self, context: &RequestContext) -> Result<(), ApiError> {
        if context.scope.partner == self.providers.partner() {
            let why = "this partner is set up in the server's configuration, and changed there";
            return Err(ApiError::Conflict(why));
        }
        Ok(())
    }
}
