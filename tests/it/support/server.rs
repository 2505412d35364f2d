//! The real web server with what is behind its traits made up.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kiungo::core::flow::state::TurnReply;
use kiungo::core::messages::Locale;
use kiungo::core::secret::Secret;
use kiungo::gateways::limit_overrides::ChannelLimitOverrides;
use kiungo::gateways::sms::CallbackOutcome;
use kiungo::gateways::{
    Echo, ParseError, RawRequest, UssdGateway, UssdLimits, UssdRefusal, UssdReply, UssdRequest, WireReply,
};
use kiungo::http::{HttpState, Transport, serve};
use kiungo::providers::{ProviderReply, ProviderRequest};
use kiungo::service::callbacks::{
    IncomingRequest, OpenedPage, PartState, PersonPage, PersonPages, ProviderWebhookOutcome, ProviderWebhooks,
    Readiness, SmsCallbacks, UssdCallbacks, WebhookAdmission, WebhookDestination, WebhookSender,
};
use kiungo::service::channel::Channel;
use kiungo::service::metrics::Metrics;
use kiungo::service::networks::Networks;
use kiungo::service::sms::routes::SmsRoute;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The one channel's name.
pub const CHANNEL: &str = "ng";
/// Its secret.
pub const SECRET: &str = "Zq7-path-secret-0123456789abcdef";

/// A dialect of two words.
struct TestGateway;

impl UssdGateway for TestGateway {
    fn name(&self) -> &'static str {
        "dialect"
    }

    fn overhead(&self) -> u16 {
        4
    }

    fn limits(&self, _: Option<&str>) -> UssdLimits {
        UssdLimits::default()
    }

    fn parse(&self, _: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        Err(ParseError::NotACallback.into())
    }

    fn render(&self, reply: &UssdReply<'_>, _: &Echo) -> WireReply {
        let body = match reply {
            UssdReply::Continue { text, .. } => format!("CON {text}"),
            UssdReply::End { text } => format!("END {text}"),
            _ => String::new(),
        };
        WireReply {
            status: 200,
            content_type: "text/plain",
            headers: vec![("x-flag", "one".to_owned())],
            body: body.into_bytes(),
        }
    }
}

/// Answers with what it got, when it is let.
pub struct FakeCallbacks {
    channel: Arc<Channel>,
    /// What came in.
    pub requests: Mutex<Vec<IncomingRequest>>,
    /// One permit for each answer that has begun.
    pub begun: Semaphore,
    /// An answer takes a permit from here before it ends.
    pub go: Semaphore,
    /// One permit for each answer that came to its end.
    pub ended: Semaphore,
    /// One permit for each answer that was dropped before its end.
    pub dropped: Arc<Semaphore>,
    /// Whether to panic instead, with what came in.
    pub panics: AtomicBool,
}

/// Notices that a future is dropped before its end.
struct Unfinished(Option<Arc<Semaphore>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            dropped.add_permits(1);
        }
    }
}

#[async_trait]
impl UssdCallbacks for FakeCallbacks {
    fn admit(&self, name: &str, secret: &str, _: Option<IpAddr>) -> Option<Arc<Channel>> {
        (name == CHANNEL && secret == SECRET).then(|| Arc::clone(&self.channel))
    }

    async fn answer(&self, channel: Arc<Channel>, request: IncomingRequest) -> Option<WireReply> {
        let mut unfinished = Unfinished(Some(Arc::clone(&self.dropped)));
        let reply = match &request.body {
            Some(body) => TurnReply::ask(format!("{} {} bytes", request.method, body.len())),
            None => TurnReply::end("Please try again.".to_owned()),
        };
        let panics = self.panics.load(Ordering::Relaxed);
        assert!(
            !panics,
            "{}",
            String::from_utf8_lossy(request.body.as_deref().map_or(&[][..], Vec::as_slice))
        );
        self.requests.lock().unwrap().push(request);
        self.begun.add_permits(1);
        self.go.acquire().await.unwrap().forget();
        self.ended.add_permits(1);
        unfinished.0 = None;
        Some(channel.gateway.render(&UssdReply::from(&reply), &Echo::default()))
    }
}

/// What a server may have open.
const DESCRIPTORS: usize = 1_024;

/// Knows one provider; the body says what becomes of a webhook.
struct FakeHooks;

#[async_trait]
impl ProviderWebhooks for FakeHooks {
    async fn admit(&self, provider: &str, owner: Option<&str>, head: &ProviderRequest<'_>) -> WebhookAdmission {
        assert!(head.body.is_empty());
        let to = Box::new(FakeDestination {
            looks: provider == "seen",
            owner: owner.map(str::to_owned),
        });
        if to.looks {
            // Only this one looks at its URL first; its answer is what it saw.
            let by = WebhookSender::Unproven;
            return WebhookAdmission::Admitted { by, to };
        }
        if provider != "mono" || owner.is_some() || head.method != "POST" {
            return WebhookAdmission::Refused(None);
        }
        match head.header("mono-webhook-secret") {
            Some(b"right") => WebhookAdmission::Admitted {
                by: WebhookSender::Operators,
                to,
            },
            _ => WebhookAdmission::Refused(Some(ProviderWebhookOutcome::Unauthentic)),
        }
    }
}

struct FakeDestination {
    looks: bool,
    owner: Option<String>,
}

#[async_trait]
impl WebhookDestination for FakeDestination {
    async fn receive(&self, request: &ProviderRequest<'_>) -> ProviderWebhookOutcome {
        match request.body {
            _ if self.looks => ProviderWebhookOutcome::Accepted(seen(self.owner.as_deref(), request)),
            b"rubbish" => ProviderWebhookOutcome::Malformed,
            b"later" => ProviderWebhookOutcome::Unavailable,
            _ => ProviderWebhookOutcome::Accepted(ProviderReply::ok()),
        }
    }
}

fn seen(owner: Option<&str>, request: &ProviderRequest<'_>) -> ProviderReply {
    let ProviderRequest {
        method,
        path,
        tail,
        query,
        body,
        ..
    } = request;
    let body = String::from_utf8_lossy(body);
    let signature = request.header("x-signature").map(String::from_utf8_lossy);
    ProviderReply {
        status: 202,
        content_type: Some("text/plain; charset=utf-8"),
        body: format!("{method} {path} {owner:?} [{tail}] {query} {signature:?} {body}").into_bytes(),
    }
}

/// Says what it is asked, and opens one link.
struct FakePages;

fn fake_page(status: u16, text: String, button: bool) -> PersonPage {
    PersonPage {
        status,
        locale: Locale::En,
        title: "A & <b>title</b>".to_owned(),
        text,
        button: button.then(|| "Go".to_owned()),
        plain_http: false,
    }
}

#[async_trait]
impl PersonPages for FakePages {
    async fn show(&self, token: &Secret, locale: Locale) -> PersonPage {
        match token.expose() {
            "good" => fake_page(200, format!("in {locale}"), true),
            token if token.starts_with("to-") => PersonPage {
                plain_http: true,
                ..fake_page(200, format!("in {locale}"), true)
            },
            _ => fake_page(404, format!("over in {locale}"), false),
        }
    }

    async fn open(&self, token: &Secret, locale: Locale) -> OpenedPage {
        if let Some(port) = token.expose().strip_prefix("to-") {
            let url = format!("http://127.0.0.1:{port}/back/seen?state=s1");
            return OpenedPage::Redirect(Secret::new(url));
        }
        match token.expose() {
            "good" => OpenedPage::Redirect(Secret::new("https://bank.example.com/login?state=1")),
            _ => OpenedPage::Page(fake_page(404, format!("over in {locale}"), false)),
        }
    }

    async fn returned(&self, provider: &str, request: &ProviderRequest<'_>, _: Locale) -> Option<PersonPage> {
        let seen = String::from_utf8(seen(None, request).body).expect("text");
        (provider == "seen").then(|| fake_page(200, seen, false))
    }

    fn returned_empty(&self, provider: &str, locale: Locale) -> Option<PersonPage> {
        (provider == "seen").then(|| fake_page(404, format!("nothing in {locale}"), false))
    }
}

/// One SMS gateway, whose calls are all taken.
struct FakeMessages(Arc<SmsRoute>);

#[async_trait]
impl SmsCallbacks for FakeMessages {
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<SmsRoute>> {
        (name == CHANNEL && secret == SECRET).then(|| Arc::clone(&self.0))
    }

    async fn receive(&self, line: Arc<SmsRoute>, request: IncomingRequest) -> WireReply {
        let body = request
            .body
            .as_ref()
            .map(|body| String::from_utf8_lossy(body).into_owned());
        let query = String::from_utf8_lossy(&request.query);
        let summary = format!("{} [{}] {query} {body:?}", request.method, request.tail);
        let mut reply = line.gateway.render_answer(CallbackOutcome::Accepted);
        reply.body = summary.into_bytes();
        reply
    }
}

/// The SMS gateway, by which nothing is sent.
fn line() -> SmsRoute {
    SmsRoute {
        name: CHANNEL.to_owned(),
        gateway: crate::sms::kit::gateway("africastalking", "http://127.0.0.1:9"),
        sender: None,
        secret: Secret::new(SECRET),
        country: "NG".to_owned(),
        daily_cap: 1,
    }
}

/// Ready unless told otherwise.
#[derive(Default)]
pub struct FakeReadiness(pub AtomicBool);

#[async_trait]
impl Readiness for FakeReadiness {
    async fn checks(&self) -> Vec<(&'static str, PartState)> {
        let store = if self.0.load(Ordering::Relaxed) {
            PartState::Fault("does not answer".to_owned())
        } else {
            PartState::Good
        };
        vec![("records", PartState::Note("works".to_owned())), ("store", store)]
    }
}

/// A running server.
pub struct RunningServer {
    pub address: SocketAddr,
    pub callbacks: Arc<FakeCallbacks>,
    pub readiness: Arc<FakeReadiness>,
    pub shutdown: CancellationToken,
    pub ended: JoinHandle<std::io::Result<()>>,
}

/// Starts a server on a free port; `answers` of its answers come to their end without waiting.
pub fn start(answers: usize) -> RunningServer {
    let channel = Channel {
        name: CHANNEL.to_owned(),
        gateway: Box::new(TestGateway),
        service_code: "*384*96#".to_owned(),
        secret: Secret::new(SECRET),
        country: "NG".to_owned(),
        sources: Networks::default(),
        agreement: ChannelLimitOverrides::default(),
    };
    let callbacks = Arc::new(FakeCallbacks {
        channel: Arc::new(channel),
        requests: Mutex::default(),
        begun: Semaphore::new(0),
        go: Semaphore::new(answers),
        ended: Semaphore::new(0),
        dropped: Arc::new(Semaphore::new(0)),
        panics: AtomicBool::new(false),
    });
    let readiness = Arc::new(FakeReadiness::default());
    let shutdown = CancellationToken::new();
    let parts = HttpState {
        transport: Transport::default(),
        proxies: Networks::default(),
        callbacks: Arc::clone(&callbacks) as _,
        hooks: Arc::new(FakeHooks),
        pages: Arc::new(FakePages),
        messages: Arc::new(FakeMessages(Arc::new(line()))),
        partners: None,
        readiness: Arc::clone(&readiness) as _,
        metrics: Arc::new(Metrics::new()),
        runtime: Handle::current(),
        turn_tasks: TaskTracker::new(),
        #[cfg(feature = "sandbox")]
        sandbox: None,
    };
    let (address, running) = serve(parts, "127.0.0.1:0".parse().unwrap(), DESCRIPTORS, shutdown.clone()).unwrap();
    RunningServer {
        address,
        callbacks,
        readiness,
        shutdown,
        ended: Handle::current().spawn(running),
    }
}

/// The callback's path, with something behind it.
pub fn path(behind: &str) -> String {
    format!("/ussd/{CHANNEL}/{SECRET}{behind}")
}
