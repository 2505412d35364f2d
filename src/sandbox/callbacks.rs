//! How stand-ins call back: one POST each, repeated until it is answered with 200.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::http_client::{HttpClient, HttpClientOptions, OutboundRequest};

#[derive(Clone, Debug)]
pub struct CallbackRequest {
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: CallbackBody,
}

#[derive(Clone, Debug)]
pub enum CallbackBody {
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

/// Sends a request and returns the HTTP status.
pub type CallbackSender = Arc<dyn Fn(CallbackRequest) -> BoxFuture<'static, io::Result<u16>> + Send + Sync>;

/// How long the HTTP sender waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub fn http_callback_sender() -> CallbackSender {
    let client = HttpClient::new(&HttpClientOptions::default()).ok();
    Arc::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let client = client.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
            let post = OutboundRequest::post(request.url).timeout(TIMEOUT);
            let post = match request.body {
                CallbackBody::Json(body) => post.json(Zeroizing::new(body.to_string().into_bytes())),
                CallbackBody::Form(fields) => post.form(&fields),
            };
            let post = request
                .headers
                .iter()
                .fold(post, |post, (name, value)| post.header(name, value));
            let response = client.send(post).await.map_err(io::Error::other)?;
            Ok(response.status)
        })
    })
}

/// Tries again after each of these waits, until an attempt says that it was accepted.
pub(super) async fn retry(waits: &[Duration], mut attempt: impl AsyncFnMut() -> bool) {
    for wait in waits {
        rt::time::sleep(*wait).await;
        if attempt().await {
            return;
        }
    }
}
