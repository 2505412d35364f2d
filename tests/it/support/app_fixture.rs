//! Turns put together from parts, as the server does it, over a store and a gateway of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::ids::NodeId;
use kiungo::core::policy::{Policy, SecretsOverSms, SecretsOverUssd};
use kiungo::core::public_address::PublicAddressPolicy;
use kiungo::core::seal::Keyring;
use kiungo::core::secret::Secret;
use kiungo::core::service_codes::ServiceCodes;
use kiungo::core::time::Clock;
use kiungo::core::webhook::WebhookTiming;
use kiungo::gateways::limit_overrides::ChannelLimitOverrides;
use kiungo::gateways::{UssdGateway, WireReply};
use kiungo::http_client::ssrf_safe::{SsrfSafeClient, SystemResolver};
use kiungo::http_client::{HttpClient, HttpClientOptions};
use kiungo::providers::{Provider, ProviderKeys, ProviderRegistry};
use kiungo::records::Records;
use kiungo::service::admission::{TurnLimiter, TurnRates};
use kiungo::service::callbacks::{IncomingRequest, UssdCallbacks};
use kiungo::service::catalogue::Catalogue;
use kiungo::service::channel::Channel;
use kiungo::service::deps::{CrashPoint, Deps};
use kiungo::service::effects::runner::EffectRunner;
use kiungo::service::facts_reader::FactsReader;
use kiungo::service::flow_in_force::FlowInForce;
use kiungo::service::handover_queue::HandoverQueue;
use kiungo::service::institution_health::InstitutionHealth;
use kiungo::service::job_list::{JobDeps, JobHandlers};
use kiungo::service::job_runner::JobRunner;
use kiungo::service::live::LiveValues;
use kiungo::service::metrics::Metrics;
use kiungo::service::networks::Networks;
use kiungo::service::page_links::PageLinks;
use kiungo::service::pages::BrowserPages;
use kiungo::service::provider_webhooks::receiver::ProviderWebhookReceiver;
use kiungo::service::providers::{Providers, save_partner};
use kiungo::service::sealing::Sealing;
use kiungo::service::session_updater::SessionUpdater;
use kiungo::service::sms::outbox::SmsOutbox;
use kiungo::service::sms::routes::SmsRoutes;
use kiungo::service::sms_responder::SmsResponder;
use kiungo::service::strangers::Strangers;
use kiungo::service::turn::{TurnHandle, TurnRunner};
use kiungo::service::wakeups::Wakeups;
use kiungo::service::webhooks::deliveries::WebhookDeliveries;
use kiungo::store::Store;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::doubles::PlainGateway;
use super::flow::flow;
use super::limits::{FOREVER, PLENTY};
use super::one_bank::OneBank;
use super::records::{Backend, Fixture, operator_partner, partner};

/// The one channel's name and its secret.
pub const CHANNEL: (&str, &str) = ("test-ng", "Zq7-path-secret-0123456789abcdef");

/// A ring whose active key is the first of these.
pub fn keyring(ids: &[&str]) -> Keyring {
    let key = |seed: u8| kiungo::core::seal::SealKey::new([seed; 32]);
    let keys: BTreeMap<_, _> = ids.iter().map(|id| ((*id).to_owned(), key(id.as_bytes()[0]))).collect();
    Keyring::new(ids[0], keys, key(1)).expect("a keyring")
}

/// Turns, and what they stand on.
pub struct TestApp {
    /// What answers callbacks.
    pub service: TurnHandle,
    /// Everything under way.
    pub tasks: TaskTracker,
    pub deps: Deps,
    /// What runs jobs.
    pub jobs: Arc<JobRunner>,
    /// What jobs do.
    pub handlers: JobHandlers,
    /// What takes webhooks.
    pub hooks: Arc<ProviderWebhookReceiver>,
    /// The provider.
    pub bank: Arc<OneBank>,
    pub channel: Arc<Channel>,
    /// The records.
    pub records: Fixture,
}

impl TestApp {
    /// Answers one request; `None` when it is not the gateway's.
    pub async fn send(&self, request: IncomingRequest) -> Option<WireReply> {
        self.service.answer(self.channel.clone(), request).await
    }

    /// Answers one callback.
    pub async fn answer(&self, body: &str) -> String {
        let reply = self.send(posted("", &[], body)).await;
        let reply = reply.expect("the gateway's own");
        assert_eq!(reply.status, 200);
        String::from_utf8(reply.body).expect("text")
    }
}

/// A request whose body this is.
pub fn posted(tail: &str, headers: &[(&str, &str)], body: &str) -> IncomingRequest {
    let headers = headers.iter();
    IncomingRequest {
        method: "POST".to_owned(),
        tail: tail.to_owned(),
        query: Vec::new().into(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: Some(body.as_bytes().to_vec().into()),
    }
}

fn channel(gateway: impl UssdGateway + 'static) -> Arc<Channel> {
    Arc::new(Channel {
        name: CHANNEL.0.to_owned(),
        gateway: Box::new(gateway),
        service_code: "*384*96#".to_owned(),
        secret: Secret::new(CHANNEL.1),
        country: "NG".to_owned(),
        sources: Networks::default(),
        agreement: ChannelLimitOverrides::default(),
    })
}

/// What the services share.
pub struct SharedDeps {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub catalogue: Arc<Catalogue>,
    pub health: Arc<InstitutionHealth>,
    pub updater: SessionUpdater,
}

/// What is done to the records at an edge.
pub type Trip = fn(CrashPoint, &Arc<dyn Records>);

/// Puts turns together over this store and gateway; the list of banks has been read.
pub async fn assemble(store: Arc<dyn Store>, gateway: impl UssdGateway + 'static) -> TestApp {
    assemble_in(store, gateway, AppOptions::default()).await
}

/// What turns are put together with.
pub struct AppOptions {
    /// The providers; what is done with "the bank" is done with the first.
    pub banks: Vec<Arc<OneBank>>,
    /// How many turns are taken.
    pub rates: TurnRates,
    /// What happens at an edge.
    pub trip: Trip,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether people are texted.
    pub texts: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            banks: vec![OneBank::ready("mono")],
            rates: PLENTY,
            trip: |_, _| (),
            clock: Arc::new(SystemClock),
            texts: false,
        }
    }
}

/// The same, with something else around it.
pub async fn assemble_in(store: Arc<dyn Store>, gateway: impl UssdGateway + 'static, around: AppOptions) -> TestApp {
    let assembled = assemble_unread(store, gateway, around).await;
    assembled.service.0.catalogue.refresh().await;
    assembled
}

/// The same; no list of banks has been read.
pub async fn assemble_unread(
    store: Arc<dyn Store>,
    gateway: impl UssdGateway + 'static,
    around: AppOptions,
) -> TestApp {
    let fixture = Backend::Sqlite.create().await;
    let bank = around.banks[0].clone();
    let rates = around.rates;
    let shared = shared(store, fixture.shared(), around).await;
    let handlers = handlers(&shared, no_gateway(&shared));
    let jobs = Arc::new(JobRunner::new(shared.deps.clone(), handlers.all(), FOREVER));
    let channel = channel(gateway);
    let turns = turns(&shared, &handlers, jobs.clone(), rates, channel.clone());
    TestApp {
        service: TurnHandle(Arc::new(turns)),
        hooks: Arc::new(ProviderWebhookReceiver::new(
            shared.deps.clone(),
            shared.providers.clone(),
        )),
        tasks: shared.deps.tasks.clone(),
        deps: shared.deps,
        jobs,
        handlers,
        bank,
        channel,
        records: fixture,
    }
}

fn turns(
    shared: &SharedDeps,
    handlers: &JobHandlers,
    jobs: Arc<JobRunner>,
    rates: TurnRates,
    channel: Arc<Channel>,
) -> TurnRunner {
    let deps = &shared.deps;
    let facts = FactsReader {
        records: deps.records.clone(),
        partner: partner(1).id,
        pins: true,
        sealing: deps.sealing.clone(),
        runtime: deps.clone(),
    };
    TurnRunner {
        flow: shared.updater.flow.clone(),
        live: shared.updater.live.clone(),
        facts: facts.clone(),
        catalogue: shared.catalogue.clone(),
        attempts: Arc::new(EffectRunner {
            deps: deps.clone(),
            providers: shared.providers.clone(),
            updater: shared.updater.clone(),
            facts,
            jobs,
            linking: handlers.linking.clone(),
            bank_alerts: handlers.bank_alerts.clone(),
            consent_end: handlers.consent_end.clone(),
            reminders: handlers.reminders.clone(),
            page_texts: handlers.page_texts.clone(),
            health: shared.health.clone(),
            catalogue: shared.catalogue.clone(),
        }),
        keyring: deps.sealing.keyring.clone(),
        runtime: deps.clone(),
        wakes: shared.updater.wakes.clone(),
        shutdown: CancellationToken::new(),
        metrics: deps.metrics.clone(),
        gate: TurnLimiter::new(rates, std::slice::from_ref(&channel)),
        http: HttpClient::new(&HttpClientOptions::default()).expect("an HTTP client"),
        channels: vec![channel],
    }
}

/// Where people's browsers reach the app.
pub const PUBLIC_URL: &str = "https://link.example.com";

pub fn page_links(deps: &Deps) -> Arc<PageLinks> {
    let url = PUBLIC_URL.parse().expect("a URL");
    Arc::new(PageLinks::new(deps.clone(), Some(&url)))
}

/// The pages of one node.
pub fn browser_pages(shared: &SharedDeps) -> BrowserPages {
    BrowserPages {
        deps: shared.deps.clone(),
        providers: shared.providers.clone(),
        flow: shared.updater.flow.clone(),
        links: page_links(&shared.deps),
    }
}

/// What replies to SMS, so many of each person; the list of banks has been read.
pub async fn responder(shared: &SharedDeps, rates: TurnRates) -> SmsResponder {
    shared.catalogue.refresh().await;
    let channel = channel(PlainGateway { sink: None });
    let handlers = handlers(shared, no_gateway(shared));
    let jobs = Arc::new(JobRunner::new(shared.deps.clone(), handlers.all(), FOREVER));
    SmsResponder(Arc::new(turns(shared, &handlers, jobs, rates, channel)))
}

pub async fn shared(store: Arc<dyn Store>, records: Arc<dyn Records>, around: AppOptions) -> SharedDeps {
    let AppOptions {
        banks,
        trip,
        clock,
        texts,
        ..
    } = around;
    let keyring = Arc::new(keyring(&["k1"]));
    let rng = Arc::new(OsRng);
    let metrics = Arc::new(Metrics::new());
    let deps = Deps {
        clock,
        rng: rng.clone(),
        node: NodeId::from_bytes([1; 16]),
        handle: Handle::current(),
        tasks: TaskTracker::new(),
        crash_hook: {
            let records = records.clone();
            Arc::new(move |point| trip(point, &records))
        },
        store,
        records,
        sealing: Sealing {
            keyring: keyring.clone(),
            rng,
        },
        strangers: Arc::new(Strangers::new(metrics.clone(), operator_partner().id)),
        metrics,
    };
    let keys = |bank: &Arc<OneBank>| {
        let keys: ProviderKeys = [("secret_key", Secret::new("key"))].into_iter().collect();
        (bank.name, keys)
    };
    let keys = banks.iter().map(keys).collect::<Vec<_>>();
    let saved = save_partner(&deps, &operator_partner(), &keys).await;
    saved.expect("the records");
    let policy = policy();
    let providers = Arc::new(providers(&deps, banks));
    let flow = FlowInForce::new(flow(policy.clone(), keyring.clone(), providers.rules()));
    let catalogue = Catalogue::new(providers.clone(), flow.clone(), deps.clock.clone());
    let updater = SessionUpdater {
        flow,
        live: LiveValues::new(deps.store.clone(), keyring, deps.rng.clone()),
        wakes: Wakeups::default(),
        handovers: texts.then(|| HandoverQueue {
            deps: deps.clone(),
            partner: partner(1).id,
        }),
        runtime: deps.clone(),
    };
    let health = InstitutionHealth::new(deps.clock.clone(), deps.metrics.clone());
    SharedDeps {
        deps,
        providers,
        catalogue: Arc::new(catalogue),
        health: Arc::new(health),
        updater,
    }
}

/// Secrets may be typed.
fn policy() -> Policy {
    Policy {
        secrets_over_ussd: SecretsOverUssd::Allow,
        secrets_over_sms: SecretsOverSms::Deny,
        overrides: Vec::new(),
        card_and_pin: false,
    }
}

/// An outbox that no SMS can be sent by.
fn no_gateway(shared: &SharedDeps) -> Arc<SmsOutbox> {
    let (deps, partner) = (shared.deps.clone(), partner(1).id);
    Arc::new(SmsOutbox::new(deps, partner, SmsRoutes::default()))
}

/// What is dialled on the one channel.
pub fn service_codes() -> ServiceCodes {
    ServiceCodes::new(vec![(CHANNEL.0.to_owned(), "*384*96#".to_owned())])
}

/// What jobs do. SMS are sent by this outbox, webhooks to this machine too.
pub fn handlers(shared: &SharedDeps, outbox: Arc<SmsOutbox>) -> JobHandlers {
    let policy = PublicAddressPolicy { allow_loopback: true };
    let client = SsrfSafeClient::new(&HttpClientOptions::default(), policy, Arc::new(SystemResolver));
    JobHandlers::new(&JobDeps {
        deps: shared.deps.clone(),
        providers: shared.providers.clone(),
        catalogue: shared.catalogue.clone(),
        health: shared.health.clone(),
        updater: shared.updater.clone(),
        outbox,
        service_codes: service_codes(),
        webhooks: Arc::new(WebhookDeliveries {
            deps: shared.deps.clone(),
            sender: Arc::new(client.expect("a client")),
            timing: WebhookTiming::default(),
        }),
        pages: page_links(&shared.deps),
    })
}

fn providers(deps: &Deps, banks: Vec<Arc<OneBank>>) -> Providers {
    let banks = banks.into_iter().map(|bank| -> Arc<dyn Provider> { bank });
    let registry = ProviderRegistry::new(banks.collect());
    let partner = operator_partner().id;
    Providers::new(deps, registry, partner, vec!["NG".to_owned()])
}
