//! How the stand-in calls back: one form each, and a text from a person again until it is answered with 200.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::state::SmsState;
use crate::http_client::{HttpClient, HttpClientOptions, OutboundRequest};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long before each repeat of a text that was not answered with 200.
const REPEATS: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallbackKind {
    /// A text from a person.
    Incoming,
    /// What became of a text.
    Report,
}

/// One call to make.
#[derive(Debug)]
pub(super) struct QueuedCallback {
    pub(super) kind: CallbackKind,
    pub(super) fields: Vec<(&'static str, String)>,
    /// Not before.
    pub(super) after: Duration,
}

/// Makes the calls, each beside the others but begun in their order.
pub(super) async fn deliver(state: Arc<SmsState>, mut posts: UnboundedReceiver<QueuedCallback>) {
    let Ok(client) = HttpClient::new(&HttpClientOptions::default()) else {
        return;
    };
    while let Some(post) = posts.recv().await {
        rt::spawn(make(Arc::clone(&state), client.clone(), post));
    }
}

async fn make(state: Arc<SmsState>, client: HttpClient, post: QueuedCallback) {
    rt::time::sleep(post.after).await;
    let repeats: &[Duration] = match post.kind {
        CallbackKind::Incoming => REPEATS,
        CallbackKind::Report => &[],
    };
    for pause in repeats.iter().map(Some).chain([None]) {
        let url = state.callback_for(post.kind).and_then(|url| Url::parse(&url).ok());
        let taken = match url {
            Some(url) => {
                let call = OutboundRequest::post(url).form(&post.fields).timeout(PATIENCE);
                client.send(call).await.is_ok_and(|answer| answer.status == 200)
            }
            None => false,
        };
        match pause {
            Some(pause) if !taken => rt::time::sleep(*pause).await,
            _ => return,
        }
    }
}
