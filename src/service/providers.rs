//! The providers, called with a partner's credentials.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::deps::Deps;
use super::sealing::wiped_json;
use crate::core::ids::{ConnectSessionId, PartnerId};
use crate::core::seal::{Keyring, SealContext};
use crate::core::secret::Secret;
use crate::core::time::Rng;
use crate::providers::{Credentials, Customer, Institution, Provider, ProviderError, ProviderRegistry};
use crate::records::{Partner, Records, RecordsError};

pub struct Providers {
    registry: ProviderRegistry,
    partner: PartnerId,
    records: Arc<dyn Records>,
    keyring: Arc<Keyring>,
    customer: CustomerTemplate,
    countries: Vec<String>,
}

/// The customer that a provider is given for an account. `{ref}` stands for a short reference to the connect session, so
/// that no two people share an address and nobody's number is given away.
#[derive(Clone, Debug, Serialize)]
pub struct CustomerTemplate {
    pub name: String,
    pub email: String,
}

/// Credentials as they are sealed in their row.
#[derive(Serialize, Deserialize)]
struct SealedCredentials {
    secret_key: Zeroizing<String>,
    app_id: Option<String>,
}

/// Why a provider could not be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderCallError {
    /// There is no such provider, or it has no credentials of this partner.
    #[error("the provider is not set up for this partner")]
    NotSetUp,
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Providers {
    /// The providers of `registry` as `partner` uses them, on channels of these countries.
    pub fn new(
        deps: &Deps,
        registry: ProviderRegistry,
        partner: PartnerId,
        customer: CustomerTemplate,
        countries: Vec<String>,
    ) -> Self {
        Self {
            registry,
            partner,
            records: deps.records.clone(),
            keyring: deps.sealing.keyring.clone(),
            customer,
            countries,
        }
    }

    /// The operator's own partner.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    pub fn names(&self) -> Vec<String> {
        self.registry
            .iter()
            .map(|provider| provider.name().to_owned())
            .collect()
    }

    pub fn countries(&self) -> &[String] {
        &self.countries
    }

    /// A provider's name as a metric label.
    pub fn metric_label(&self, name: &str) -> &'static str {
        self.registry.get(name).map_or("unknown", |provider| provider.name())
    }

    /// A provider, without credentials: for its webhooks.
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.registry.get(name)
    }

    /// A provider with a partner's credentials, opened for one use.
    ///
    /// # Errors
    /// When it is not set up or the records are not available.
    pub async fn with_credentials(
        &self,
        partner: PartnerId,
        name: &str,
    ) -> Result<(Arc<dyn Provider>, Credentials), ProviderCallError> {
        let provider = self.registry.get(name).ok_or(ProviderCallError::NotSetUp)?;
        let sealed = self
            .records
            .credentials(partner, name)
            .await?
            .ok_or(ProviderCallError::NotSetUp)?;
        let opened = self
            .keyring
            .open(&seal_context(&partner, name), &sealed)
            .map_err(|_| ProviderCallError::NotSetUp)?;
        let SealedCredentials { secret_key, app_id } =
            serde_json::from_slice(&opened).map_err(|_| ProviderCallError::NotSetUp)?;
        Ok((
            provider.clone(),
            Credentials {
                secret_key: Secret::new(secret_key.as_str()),
                app_id,
            },
        ))
    }

    /// A provider's institutions.
    ///
    /// # Errors
    /// When they cannot be read now.
    pub async fn institutions(&self, name: &str) -> Result<Vec<Institution>, ProviderCallError> {
        let (provider, credentials) = self.with_credentials(self.partner, name).await?;
        Ok(provider.institutions(&credentials).await?)
    }

    /// The customer that the provider is given for the account of this connect session.
    pub fn customer(&self, session: ConnectSessionId) -> Customer {
        let reference: String = session.to_string().chars().filter(|c| *c != '-').take(16).collect();
        Customer {
            name: self.customer.name.replace("{ref}", &reference),
            email: self.customer.email.replace("{ref}", &reference),
        }
    }
}

/// Saves the partner of the configuration and its credentials, sealed, so that all use is through the records.
///
/// # Errors
/// When the records are not available.
pub async fn save_partner(
    deps: &Deps,
    partner: &Partner,
    credentials: &[(&str, Credentials)],
) -> Result<(), RecordsError> {
    deps.records.put_partner(partner).await?;
    for (provider, keys) in credentials {
        let sealed = seal_credentials(&deps.sealing.keyring, deps.rng.as_ref(), &partner.id, provider, keys)?;
        let now = deps.clock.now();
        deps.records.put_credentials(partner.id, provider, &sealed, now).await?;
    }
    Ok(())
}

/// A partner's credentials for a provider, sealed for their row.
///
/// # Errors
/// When they cannot be sealed: not in practice.
pub fn seal_credentials(
    keyring: &Keyring,
    rng: &dyn Rng,
    partner: &PartnerId,
    provider: &str,
    credentials: &Credentials,
) -> Result<Vec<u8>, RecordsError> {
    let plain = SealedCredentials {
        secret_key: Zeroizing::new(credentials.secret_key.expose().to_owned()),
        app_id: credentials.app_id.clone(),
    };
    let plain = wiped_json(&plain).map_err(|_| RecordsError("credentials".to_owned()))?;
    let sealed = keyring.seal(&seal_context(partner, provider), &plain, rng);
    sealed.map_err(|error| RecordsError(error.to_string()))
}

fn seal_context<'a>(partner: &'a PartnerId, provider: &'a str) -> SealContext<'a> {
    SealContext {
        purpose: "credentials",
        subject: partner.as_bytes(),
        record: provider.as_bytes(),
        field: "keys",
    }
}
