//! A Mono stand-in for a test, and somebody who talks to it.

use super::clock::ManualClock;
use super::eventually;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiungo::core::time::Rng;
use kiungo::sandbox::callbacks::{CallbackBody, CallbackRequest};
use kiungo::sandbox::mono::{CallLog, KEY, MonoDialect, MonoStandInSettings, MonoSwitches, RunningMono};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::http::client;

/// Numbers that look random and are the same on every run.
struct SequentialRng(AtomicU64);

impl Rng for SequentialRng {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (step ^ (step >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_le_bytes()[7];
        }
    }
}

/// Randomness for a stand-in.
pub fn rng() -> Arc<dyn Rng> {
    Arc::new(SequentialRng(AtomicU64::new(1)))
}

/// A webhook as it was received.
#[derive(Clone, Debug)]
pub struct ReceivedWebhook {
    /// The header `mono-webhook-secret`.
    pub secret: String,
    /// The body.
    pub body: Value,
}

/// Takes webhooks and answers with the statuses it was given, then 200.
#[derive(Default)]
pub struct WebhookCapture {
    received: Mutex<Vec<ReceivedWebhook>>,
    answers: Mutex<Vec<u16>>,
    news: Notify,
}

impl WebhookCapture {
    /// Answers the next webhooks so.
    pub fn answer(&self, statuses: &[u16]) {
        self.answers.lock().expect("no panic").extend(statuses);
    }

    /// Waits until `count` webhooks have come and returns all.
    pub async fn wait(&self, count: usize) -> Vec<ReceivedWebhook> {
        loop {
            let news = self.news.notified();
            let received = self.received.lock().expect("no panic").clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::timeout(Duration::from_secs(10), news)
                .await
                .expect("webhooks in time");
        }
    }

    fn take(&self, post: &CallbackRequest) -> u16 {
        let secret = post
            .headers
            .iter()
            .find(|(name, _)| *name == "mono-webhook-secret")
            .expect("the secret")
            .1
            .clone();
        let CallbackBody::Json(body) = post.body.clone() else {
            panic!("webhooks are JSON");
        };
        self.received
            .lock()
            .expect("no panic")
            .push(ReceivedWebhook { secret, body });
        self.news.notify_waiters();
        let mut answers = self.answers.lock().expect("no panic");
        if answers.is_empty() { 200 } else { answers.remove(0) }
    }
}

/// A stand-in and a client of it.
pub struct MonoFixture {
    /// The stand-in.
    pub running: RunningMono,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Who takes its webhooks.
    pub receiver: Arc<WebhookCapture>,
    client: reqwest::Client,
}

impl MonoFixture {
    /// Starts a stand-in without latency, changed as wished.
    pub fn start(change: impl FnOnce(&mut MonoSwitches)) -> Self {
        let clock = Arc::new(ManualClock::default());
        let receiver = Arc::new(WebhookCapture::default());
        let mut switches = MonoSwitches::immediate();
        switches.webhook_url = Some("http://127.0.0.1:9/hooks/mono".to_owned());
        change(&mut switches);
        let taker = Arc::clone(&receiver);
        let settings = MonoStandInSettings {
            switches,
            dialect: MonoDialect {
                keys: [KEY, "test_sk_other"].map(kiungo::core::secret::Secret::new).into(),
                ..MonoDialect::default()
            },
            callback_sender: Arc::new(move |post| {
                let status = taker.take(&post);
                Box::pin(async move { Ok(status) })
            }),
            webhook_retries: vec![Duration::ZERO; 3],
            ..MonoStandInSettings::default()
        };
        let running = kiungo::sandbox::bank::start(settings, clock.clone(), rng()).expect("a free port");
        Self {
            running,
            clock,
            receiver,
            client: client(),
        }
    }

    /// A call with the stand-in's key.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare_call(method, path).header("mono-sec-key", KEY)
    }

    /// A call with nothing.
    pub fn bare_call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.url()))
    }

    /// The status and JSON of a call; null for an empty body.
    pub async fn json(&self, call: RequestBuilder) -> (u16, Value) {
        let answer = call.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (
            status,
            if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).expect("JSON")
            },
        )
    }

    /// The JSON of a GET.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.json(self.call(Method::GET, path)).await
    }

    /// The JSON of a POST.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.json(self.call(Method::POST, path).json(body)).await
    }

    /// Opens a session of the second version and returns its id.
    pub async fn session(&self, institution: &str, method: &str) -> String {
        let body = json!({ "institution": institution, "auth_method": method, "scope": "financial_data",
            "customer": { "name": "Ada Example", "email": "ada@example.invalid" } });
        let (status, reply) = self.post("/v2/connect/session", &body).await;
        assert_eq!(status, 200, "{reply}");
        reply["data"]["session"]["id"]
            .as_str()
            .expect("a session id")
            .to_owned()
    }

    /// A submission in a session, not yet sent.
    pub fn submission(&self, path: &str, session: &str, body: &Value) -> RequestBuilder {
        self.call(Method::POST, path).header("x-session-id", session).json(body)
    }

    /// Logs in with this user name in a new session at a bank with a plain form: the session and the reply.
    pub async fn login(&self, username: &str) -> (String, Value) {
        let session = self.session(PLAIN_BANK, "internet_banking").await;
        let body = json!({ "username": username, "password": "p" });
        let (_, reply) = self.json(self.submission("/v2/connect/login", &session, &body)).await;
        (session, reply)
    }

    /// Answers a 101 or 102.
    pub async fn commit(&self, session: &str, body: &Value) -> Value {
        self.json(self.submission("/v2/connect/commit", session, body)).await.1
    }

    /// Logs in as somebody with one account and exchanges the code: the session and the account id.
    pub async fn linked(&self, username: &str) -> (String, String) {
        let (session, reply) = self.login(username).await;
        let (_, exchanged) = self
            .post("/v2/accounts/auth", &json!({ "code": reply["data"]["code"] }))
            .await;
        (session, exchanged["id"].as_str().expect("an account id").to_owned())
    }

    /// What happened so far.
    pub fn call_log(&self) -> CallLog {
        self.running.state.call_log()
    }

    /// Waits until the call log says so.
    pub async fn until(&self, what: impl Fn(&CallLog) -> bool) -> CallLog {
        eventually(Duration::from_secs(10), async || what(&self.call_log())).await;
        self.call_log()
    }
}

/// A bank whose form is a user name and a password.
pub const PLAIN_BANK: &str = "6a5eed000000000000000013";
