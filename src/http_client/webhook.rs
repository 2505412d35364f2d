//! Webhooks on the wire: one signed POST to an address that a partner named.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use zeroize::Zeroizing;

use super::OutboundRequest;
use super::ssrf_safe::SsrfSafeClient;
pub use super::ssrf_safe::{DeliveryError, DeliveryResponse};
use crate::core::time::Timestamp;
use crate::core::webhook::unix_seconds;

/// One webhook, signed and ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    pub url: String,
    /// `webhook-id`: the same on every try.
    pub id: String,
    /// `webhook-timestamp`: of this try.
    pub sent_at: Timestamp,
    /// `webhook-signature`: one for each secret, separated by spaces.
    pub signatures: String,
    /// The JSON that was signed.
    pub body: Vec<u8>,
    /// How long the receiver may take to answer.
    pub timeout: Duration,
}

/// Sends webhooks.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Sends one, once. An answer with any status is an answer.
    ///
    /// # Errors
    /// When there is none.
    async fn send(&self, request: WebhookRequest) -> Result<DeliveryResponse, DeliveryError>;
}

#[async_trait]
impl WebhookSender for SsrfSafeClient {
    async fn send(&self, request: WebhookRequest) -> Result<DeliveryResponse, DeliveryError> {
        let url = Url::parse(&request.url).map_err(|_| DeliveryError::Blocked)?;
        let call = OutboundRequest::post(url)
            .header("webhook-id", &request.id)
            .header("webhook-timestamp", &unix_seconds(request.sent_at).to_string())
            .header("webhook-signature", &request.signatures)
            .json(Zeroizing::new(request.body))
            .timeout(request.timeout);
        Self::send(self, call).await
    }
}
