//! What leaves for addresses that partners name: webhooks.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use zeroize::Zeroizing;

use crate::core::time::Timestamp;
use crate::core::webhook::unix_seconds;
use crate::providers::http::OutboundRequest;
use crate::providers::http::ssrf_safe::SsrfSafeClient;

pub use crate::providers::http::ssrf_safe::{DeliveryError, DeliveryResponse};

/// One webhook, signed and ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Where to.
    pub url: String,
    /// `webhook-id`: the same on every try.
    pub id: String,
    /// `webhook-timestamp`: of this try.
    pub sent_at: Timestamp,
    /// `webhook-signature`: one for each secret, with spaces between.
    pub signatures: String,
    /// The JSON that was signed.
    pub body: Vec<u8>,
    /// How long the receiver may take to answer.
    pub timeout: Duration,
}

/// Carries webhooks.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Sends one, once. Whatever the answer's status, it is an answer.
    ///
    /// # Errors
    /// When there is none.
    async fn send(&self, parcel: WebhookRequest) -> Result<DeliveryResponse, DeliveryError>;
}

/// Finds out where a URL leads, without going there.
#[async_trait]
pub trait Scout: Send + Sync {
    /// Whether it leads to an address that may not be called. What cannot be found out now is not closed: it is looked at
    /// again whenever something is sent.
    async fn is_closed(&self, url: &Url) -> bool;
}

#[async_trait]
impl Scout for SsrfSafeClient {
    async fn is_closed(&self, url: &Url) -> bool {
        Self::is_blocked(self, url).await
    }
}

#[async_trait]
impl WebhookSender for SsrfSafeClient {
    async fn send(&self, parcel: WebhookRequest) -> Result<DeliveryResponse, DeliveryError> {
        let url = Url::parse(&parcel.url).map_err(|_| DeliveryError::Blocked)?;
        let call = OutboundRequest::post(url)
            .header("webhook-id", &parcel.id)
            .header("webhook-timestamp", &unix_seconds(parcel.sent_at).to_string())
            .header("webhook-signature", &parcel.signatures)
            .json(Zeroizing::new(parcel.body))
            .timeout(parcel.timeout);
        Self::send(self, call).await
    }
}
