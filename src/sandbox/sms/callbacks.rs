//! The stand-in's callbacks: one form each. An SMS from a person is repeated until it is answered with 200.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::state::SmsState;
use crate::sandbox::callbacks::{CallbackBody, CallbackRequest, CallbackSender, http_callback_sender, retry};

/// The waits before an SMS from a person is sent again.
const RETRIES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallbackKind {
    Incoming,
    Report,
}

#[derive(Debug)]
pub(super) struct QueuedCallback {
    pub(super) kind: CallbackKind,
    pub(super) fields: Vec<(&'static str, String)>,
    /// How long to wait before it is sent.
    pub(super) after: Duration,
}

/// Sends the callbacks: each runs beside the others, but they start in order.
pub(super) async fn deliver(state: Arc<SmsState>, mut queued: UnboundedReceiver<QueuedCallback>) {
    let sender = http_callback_sender();
    while let Some(callback) = queued.recv().await {
        rt::spawn(send(Arc::clone(&state), Arc::clone(&sender), callback));
    }
}

async fn send(state: Arc<SmsState>, sender: CallbackSender, callback: QueuedCallback) {
    rt::time::sleep(callback.after).await;
    let attempt = async || {
        let Some(url) = state.callback_for(callback.kind).and_then(|url| Url::parse(&url).ok()) else {
            return false;
        };
        let request = CallbackRequest {
            url,
            headers: Vec::new(),
            body: CallbackBody::Form(callback.fields.clone()),
        };
        sender(request).await.is_ok_and(|status| status == 200)
    };
    if !attempt().await && callback.kind == CallbackKind::Incoming {
        retry(RETRIES, attempt).await;
    }
}
