//! How webhooks leave the stand-in: one POST each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use url::Url;
use zeroize::Zeroizing;

use crate::http_client::{HttpClient, HttpClientOptions, OutboundRequest};

/// One request to send.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// Where to.
    pub url: Url,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request and answers the HTTP status.
pub type CallbackSender = Arc<dyn Fn(CallbackRequest) -> BoxFuture<'static, io::Result<u16>> + Send + Sync>;

/// How long the default waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The default: the product's own client, as JSON.
pub fn plain() -> CallbackSender {
    let client = HttpClient::new(&HttpClientOptions::default()).ok();
    Arc::new(move |post| {
        let client = client.clone();
        Box::pin(async move {
            let client = client.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
            let call = OutboundRequest::post(post.url)
                .json(Zeroizing::new(post.body))
                .timeout(PATIENCE);
            let call = post
                .headers
                .iter()
                .fold(call, |call, (name, value)| call.header(name, value));
            client
                .send(call)
                .await
                .map(|answer| answer.status)
                .map_err(io::Error::other)
        })
    })
}
