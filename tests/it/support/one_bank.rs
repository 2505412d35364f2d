//! A provider with one bank, so small that nothing of it can go wrong.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo::core::linking::{AuthMethod, SessionKind};
use kiungo::core::next_step::{Field, FieldKind, Form, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Credentials, Institution, Opened, Opening, Provider, ProviderAccount, ProviderError, ProviderEvent,
    ProviderSession, Submission, SubmitError, WebhookError, Which,
};
use tokio::sync::Semaphore;

/// A provider with one bank, which opens sessions and takes no login.
pub struct OneBank {
    /// What it is called.
    pub name: &'static str,
    /// What its list waits for, if it waits.
    pub gate: Option<Arc<Semaphore>>,
}

impl OneBank {
    /// One that answers at once.
    pub fn ready(name: &'static str) -> Self {
        Self { name, gate: None }
    }

    /// One that gives its list when this gate is opened.
    pub fn behind(name: &'static str, gate: &Arc<Semaphore>) -> Self {
        Self {
            name,
            gate: Some(gate.clone()),
        }
    }
}

fn form() -> Form {
    let field = |name: &str, kind| Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        max_len: None,
        exact_len: None,
    };
    Form {
        title: None,
        fields: vec![field("username", FieldKind::Text), field("password", FieldKind::Secret)],
    }
}

#[async_trait]
impl Provider for OneBank {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn institutions(&self, _: &Credentials) -> Result<Vec<Institution>, ProviderError> {
        if let Some(gate) = &self.gate {
            let _open = gate.acquire().await;
        }
        Ok(vec![Institution {
            id: "b1:p".to_owned(),
            provider_id: "b1".to_owned(),
            name: "Savanna Bank".to_owned(),
            country: Some("NG".to_owned()),
            business: false,
            methods: vec![AuthMethod {
                id: "mobile_banking".to_owned(),
                name: "Mobile".to_owned(),
                form: form(),
                card_and_pin: false,
            }],
            timeout: None,
        }])
    }

    async fn open(&self, _: &Credentials, _: Opening<'_>) -> Result<Opened, ProviderError> {
        Ok(Opened::Session(ProviderSession {
            id: "s1".to_owned(),
            expires_at: None,
            form: Some(form()),
            kind: SessionKind::Link,
        }))
    }

    async fn submit(&self, _: &Credentials, _: Submission<'_>) -> Result<NextStep, SubmitError> {
        Err(SubmitError::NotSent("takes no login"))
    }

    async fn redeem(&self, _: &Credentials, _: &Grant) -> Result<Vec<ProviderAccount>, ProviderError> {
        Err(ProviderError::NotFound)
    }

    async fn accounts(&self, _: &Credentials, _: Which<'_>) -> Result<Vec<ProviderAccount>, ProviderError> {
        Ok(Vec::new())
    }

    async fn unlink(&self, _: &Credentials, _: &Secret) -> Result<(), ProviderError> {
        Err(ProviderError::NotFound)
    }

    fn webhook(&self, _: &[(String, Vec<u8>)], _: &[u8]) -> Result<Option<ProviderEvent>, WebhookError> {
        Err(WebhookError::Garbled)
    }
}
