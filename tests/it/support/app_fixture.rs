//! Turns put together from parts, as the server does it, over a store and a gateway of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::ids::{NodeId, PartnerId};
use kiungo::core::policy::{Policy, SecretsOverSms, SecretsOverUssd};
use kiungo::core::public_address::PublicAddressPolicy;
use kiungo::core::seal::Keyring;
use kiungo::core::secret::Secret;
use kiungo::core::time::Clock;
use kiungo::core::webhook::WebhookTiming;
use kiungo::gateways::limit_overrides::ChannelLimitOverrides;
use kiungo::http_client::HttpClientOptions;
use kiungo::http_client::ssrf_safe::{SsrfSafeClient, SystemResolver};
use kiungo::providers::{Credentials, Provider, ProviderRegistry};
use kiungo::records::Records;
use kiungo::service::admission::{TurnLimiter, TurnRates};
use kiungo::service::bank_alerts::BankAlerts;
use kiungo::service::catalogue::Catalogue;
use kiungo::service::data_subject::Eraser;
use kiungo::service::deps::{CrashPoint, Deps};
use kiungo::service::effects::EffectRunner;
use kiungo::service::facts_reader::FactsReader;
use kiungo::service::handover::HandoverMessages;
use kiungo::service::institution_health::InstitutionHealth;
use kiungo::service::jobs::{ActiveLanes, JobRunner};
use kiungo::service::linking::Linking;
use kiungo::service::live::LiveValues;
use kiungo::service::metrics::Metrics;
use kiungo::service::networks::Networks;
use kiungo::service::provider_webhooks::ProviderWebhookReceiver;
use kiungo::service::providers::{CustomerTemplate, Providers, save_partner};
use kiungo::service::sealing::Sealing;
use kiungo::service::session_updater::SessionUpdater;
use kiungo::service::sms::{SmsOutbox, SmsResponder, SmsRoutes};
use kiungo::service::turn::{TurnHandle, TurnRunner};
use kiungo::service::wakeups::Wakeups;
use kiungo::service::webhooks::WebhookDeliveries;
use kiungo::service::{Channel, IncomingRequest, UssdCallbacks};
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
    /// What runs jobs.
    pub jobs: Arc<JobRunner>,
    /// What takes webhooks.
    pub hooks: ProviderWebhookReceiver,
    /// The provider.
    pub bank: Arc<OneBank>,
    channel: Arc<Channel>,
    /// The records.
    pub records: Fixture,
}

impl TestApp {
    /// Answers one callback.
    pub async fn answer(&self, body: &str) -> String {
        let request = IncomingRequest {
            method: "POST".to_owned(),
            tail: String::new(),
            query: Vec::new().into(),
            headers: Vec::new(),
            body: Some(body.as_bytes().to_vec().into()),
        };
        let reply = self.service.answer(self.channel.clone(), request).await;
        assert_eq!(reply.status, 200);
        String::from_utf8(reply.body).expect("text")
    }
}

fn channel(gateway: PlainGateway) -> Arc<Channel> {
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
    pub records: Arc<dyn Records>,
    pub keyring: Arc<Keyring>,
    pub runtime: Deps,
    pub providers: Arc<Providers>,
    pub catalogue: Arc<Catalogue>,
    pub health: Arc<InstitutionHealth>,
    pub metrics: Arc<Metrics>,
    pub sealing: Sealing,
    pub newsroom: SessionUpdater,
}

/// For how long a list of banks holds.
const HOUR: Duration = Duration::from_hours(1);

/// What is done to the records at an edge.
pub type Trip = fn(CrashPoint, &Arc<dyn Records>);

/// Puts turns together over this store and gateway; the list of banks has been read.
pub async fn assemble(store: Arc<dyn Store>, gateway: PlainGateway) -> TestApp {
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
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            banks: vec![OneBank::ready("mono")],
            rates: PLENTY,
            trip: |_, _| (),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The same, with something else around it.
pub async fn assemble_in(store: Arc<dyn Store>, gateway: PlainGateway, around: AppOptions) -> TestApp {
    let assembled = assemble_unread(store, gateway, around).await;
    assembled.service.0.catalogue.refresh().await;
    assembled
}

/// The same; no list of banks has been read.
pub async fn assemble_unread(store: Arc<dyn Store>, gateway: PlainGateway, around: AppOptions) -> TestApp {
    let fixture = Backend::Sqlite.create().await;
    let bank = around.banks[0].clone();
    let rates = around.rates;
    let shared = shared(store, fixture.shared(), around).await;
    let jobs = Arc::new(jobs(&shared));
    let channel = channel(gateway);
    let turns = turns(&shared, jobs.clone(), rates, channel.clone());
    TestApp {
        service: TurnHandle(Arc::new(turns)),
        hooks: ProviderWebhookReceiver {
            records: shared.records.clone(),
            providers: shared.providers.clone(),
            sealing: shared.sealing.clone(),
            runtime: shared.runtime.clone(),
        },
        tasks: shared.runtime.tasks,
        jobs,
        bank,
        channel,
        records: fixture,
    }
}

fn turns(shared: &SharedDeps, jobs: Arc<JobRunner>, rates: TurnRates, channel: Arc<Channel>) -> TurnRunner {
    let facts = FactsReader {
        records: shared.records.clone(),
        partner: partner(1).id,
        pins: true,
        sealing: shared.sealing.clone(),
        runtime: shared.runtime.clone(),
    };
    TurnRunner {
        flow: shared.newsroom.flow.clone(),
        live: shared.newsroom.live.clone(),
        facts,
        catalogue: shared.catalogue.clone(),
        attempts: Arc::new(attempts(shared, jobs)),
        keyring: shared.keyring.clone(),
        runtime: shared.runtime.clone(),
        wakes: shared.newsroom.wakes.clone(),
        shutdown: CancellationToken::new(),
        metrics: shared.metrics.clone(),
        gate: TurnLimiter::new(rates, std::slice::from_ref(&channel)),
        channels: vec![channel],
    }
}

/// What answers texts, so many of each person; the list of banks has been read.
pub async fn answers(shared: &SharedDeps, rates: TurnRates) -> SmsResponder {
    shared.catalogue.refresh().await;
    let channel = channel(PlainGateway { sink: None });
    SmsResponder(Arc::new(turns(shared, Arc::new(jobs(shared)), rates, channel)))
}

pub async fn shared(store: Arc<dyn Store>, records: Arc<dyn Records>, around: AppOptions) -> SharedDeps {
    let AppOptions { banks, trip, clock, .. } = around;
    let keyring = Arc::new(keyring(&["k1"]));
    let runtime = Deps {
        clock,
        rng: Arc::new(OsRng),
        node: NodeId::from_bytes([1; 16]),
        handle: Handle::current(),
        tasks: TaskTracker::new(),
        crash_hook: {
            let records = records.clone();
            Arc::new(move |edge| trip(edge, &records))
        },
    };
    let (clock, rng) = (runtime.clock.clone(), runtime.rng.clone());
    let keys = |bank: &Arc<OneBank>| {
        let keys = Credentials {
            secret_key: Secret::new("key"),
            app_id: None,
        };
        (bank.name, keys)
    };
    let owner = operator_partner();
    let keys = banks.iter().map(keys).collect::<Vec<_>>();
    let enrolled = save_partner(records.as_ref(), &keyring, clock.as_ref(), rng.as_ref(), &owner, &keys);
    enrolled.await.expect("the records");
    let policy = policy();
    let providers = Arc::new(providers(owner.id, records.clone(), keyring.clone(), banks));
    let catalogue = Arc::new(Catalogue::new(providers.clone(), policy.clone(), HOUR, clock));
    let newsroom = SessionUpdater {
        flow: Arc::new(flow(policy, keyring.clone())),
        live: LiveValues::new(store, keyring.clone(), rng.clone()),
        wakes: Wakeups::default(),
        handovers: None,
        runtime: runtime.clone(),
    };
    let metrics = Arc::new(Metrics::new());
    SharedDeps {
        records,
        sealing: Sealing {
            keyring: keyring.clone(),
            rng,
        },
        keyring,
        health: Arc::new(InstitutionHealth::new(runtime.clock.clone(), metrics.clone())),
        runtime,
        providers,
        catalogue,
        metrics,
        newsroom,
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

fn jobs(shared: &SharedDeps) -> JobRunner {
    let outbox = Arc::new(SmsOutbox::new(
        shared.records.clone(),
        shared.keyring.clone(),
        partner(1).id,
        SmsRoutes::default(),
        shared.runtime.clone(),
    ));
    JobRunner {
        records: shared.records.clone(),
        linking: Linking {
            records: shared.records.clone(),
            providers: shared.providers.clone(),
            sealing: shared.sealing.clone(),
            newsroom: shared.newsroom.clone(),
            runtime: shared.runtime.clone(),
        },
        handover_messages: hand_overs(shared, outbox.clone()),
        erasing: erasing(shared),
        bank_alerts: bank_backs(shared, outbox),
        retention: FOREVER,
        webhooks: webhooks(shared),
        lanes: ActiveLanes::default(),
        runtime: shared.runtime.clone(),
        metrics: shared.metrics.clone(),
    }
}

/// What erases people.
pub fn erasing(shared: &SharedDeps) -> Eraser {
    Eraser {
        records: shared.records.clone(),
        live: shared.newsroom.live.clone(),
        runtime: shared.runtime.clone(),
    }
}

/// What sends webhooks, to this machine too.
pub fn webhooks(shared: &SharedDeps) -> WebhookDeliveries {
    let outside = PublicAddressPolicy { allow_loopback: true };
    let client = SsrfSafeClient::new(&HttpClientOptions::default(), outside, Arc::new(SystemResolver));
    WebhookDeliveries {
        records: shared.records.clone(),
        keyring: shared.keyring.clone(),
        sender: Arc::new(client.expect("a client")),
        pace: WebhookTiming::default(),
        runtime: shared.runtime.clone(),
    }
}

/// What writes and sends texts, by this outbox.
pub fn hand_overs(shared: &SharedDeps, outbox: Arc<SmsOutbox>) -> HandoverMessages {
    HandoverMessages {
        records: shared.records.clone(),
        newsroom: shared.newsroom.clone(),
        sealing: shared.sealing.clone(),
        outbox,
        service_codes: vec![(CHANNEL.0.to_owned(), "*384*96#".to_owned())],
    }
}

/// What looks whether banks are back, and sends texts about it by this outbox.
pub fn bank_backs(shared: &SharedDeps, outbox: Arc<SmsOutbox>) -> BankAlerts {
    BankAlerts {
        records: shared.records.clone(),
        providers: shared.providers.clone(),
        catalogue: shared.catalogue.clone(),
        health: shared.health.clone(),
        newsroom: shared.newsroom.clone(),
        sealing: shared.sealing.clone(),
        outbox,
        service_codes: vec![(CHANNEL.0.to_owned(), "*384*96#".to_owned())],
    }
}

fn attempts(shared: &SharedDeps, jobs: Arc<JobRunner>) -> EffectRunner {
    EffectRunner {
        live: shared.newsroom.live.clone(),
        records: shared.records.clone(),
        providers: shared.providers.clone(),
        sealing: shared.sealing.clone(),
        newsroom: shared.newsroom.clone(),
        jobs,
        health: shared.health.clone(),
        catalogue: shared.catalogue.clone(),
        runtime: shared.runtime.clone(),
        metrics: shared.metrics.clone(),
    }
}

fn providers(
    partner: PartnerId,
    records: Arc<dyn Records>,
    keyring: Arc<Keyring>,
    banks: Vec<Arc<OneBank>>,
) -> Providers {
    let customer = CustomerTemplate {
        name: "Customer {ref}".to_owned(),
        email: "{ref}@example.invalid".to_owned(),
    };
    let banks = banks.into_iter().map(|bank| -> Arc<dyn Provider> { bank });
    let registry = ProviderRegistry::new(banks.collect());
    Providers::new(registry, partner, records, keyring, customer, vec!["NG".to_owned()])
}
