//! Turns put together from parts, as the server does it, over a store and a gateway of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::core::ids::{NodeId, PartnerId};
use kiungo::core::outside::Outside;
use kiungo::core::policy::{Policy, SecretsOverSms, SecretsOverUssd};
use kiungo::core::seal::Keyring;
use kiungo::core::secret::Secret;
use kiungo::core::time::Clock;
use kiungo::core::webhook::Pace;
use kiungo::gateways::agreed::Agreement;
use kiungo::providers::http::ClientOptions;
use kiungo::providers::http::guarded::{Guarded, SystemResolver};
use kiungo::providers::{Credentials, Provider, Registry};
use kiungo::records::Records;
use kiungo::service::admission::{Gate, Rates};
use kiungo::service::attempts::Attempts;
use kiungo::service::bank_back::BankBacks;
use kiungo::service::bank_health::BankHealth;
use kiungo::service::catalogue::Catalogue;
use kiungo::service::handover::HandOvers;
use kiungo::service::hooks::Hooks;
use kiungo::service::jobs::{Jobs, Lanes};
use kiungo::service::known::Facts;
use kiungo::service::linking::Linking;
use kiungo::service::live::Live;
use kiungo::service::messages::{Answers, Lines, Outbox};
use kiungo::service::metrics::Metrics;
use kiungo::service::networks::Networks;
use kiungo::service::news::Newsroom;
use kiungo::service::partner::{CustomerPattern, Providers, enrol};
use kiungo::service::people::Erasing;
use kiungo::service::runtime::{Edge, Runtime};
use kiungo::service::sealing::Sealing;
use kiungo::service::turn::{TurnService, Turns};
use kiungo::service::wakes::Wakes;
use kiungo::service::webhooks::Webhooks;
use kiungo::service::{Callbacks, Channel, OwnedRequest};
use kiungo::store::Store;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::doubles::Plain;
use super::flow::flow;
use super::limits::{FOREVER, PLENTY};
use super::one_bank::OneBank;
use super::records::{Backend, Fixture, lender, partner};

/// The one channel's name and its secret.
pub const CHANNEL: (&str, &str) = ("test-ng", "Zq7-path-secret-0123456789abcdef");

/// A ring whose active key is the first of these.
pub fn keyring(ids: &[&str]) -> Keyring {
    let key = |seed: u8| kiungo::core::seal::Key::new([seed; 32]);
    let keys: BTreeMap<_, _> = ids.iter().map(|id| ((*id).to_owned(), key(id.as_bytes()[0]))).collect();
    Keyring::new(ids[0], keys, key(1)).expect("a keyring")
}

/// Turns, and what they stand on.
pub struct Assembled {
    /// What answers callbacks.
    pub service: TurnService,
    /// Everything under way.
    pub tasks: TaskTracker,
    /// What runs jobs.
    pub jobs: Arc<Jobs>,
    /// What takes webhooks.
    pub hooks: Hooks,
    /// The provider.
    pub bank: Arc<OneBank>,
    channel: Arc<Channel>,
    /// The records.
    pub records: Fixture,
}

impl Assembled {
    /// Answers one callback.
    pub async fn answer(&self, body: &str) -> String {
        let request = OwnedRequest {
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

fn channel(gateway: Plain) -> Arc<Channel> {
    Arc::new(Channel {
        name: CHANNEL.0.to_owned(),
        gateway: Box::new(gateway),
        service_code: "*384*96#".to_owned(),
        secret: Secret::new(CHANNEL.1),
        country: "NG".to_owned(),
        sources: Networks::default(),
        agreement: Agreement::default(),
    })
}

/// What the services share.
pub struct Shared {
    pub records: Arc<dyn Records>,
    pub keyring: Arc<Keyring>,
    pub runtime: Runtime,
    pub providers: Arc<Providers>,
    pub catalogue: Arc<Catalogue>,
    pub health: Arc<BankHealth>,
    pub metrics: Arc<Metrics>,
    pub sealing: Sealing,
    pub newsroom: Newsroom,
}

/// For how long a list of banks holds.
const HOUR: Duration = Duration::from_hours(1);

/// What is done to the records at an edge.
pub type Trip = fn(Edge, &Arc<dyn Records>);

/// Puts turns together over this store and gateway; the list of banks has been read.
pub async fn assemble(store: Arc<dyn Store>, gateway: Plain) -> Assembled {
    assemble_in(store, gateway, Around::default()).await
}

/// What turns are put together with.
pub struct Around {
    /// The providers; what is done with "the bank" is done with the first.
    pub banks: Vec<Arc<OneBank>>,
    /// How many turns are taken.
    pub rates: Rates,
    /// What happens at an edge.
    pub trip: Trip,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Default for Around {
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
pub async fn assemble_in(store: Arc<dyn Store>, gateway: Plain, around: Around) -> Assembled {
    let assembled = assemble_unread(store, gateway, around).await;
    assembled.service.0.catalogue.refresh().await;
    assembled
}

/// The same; no list of banks has been read.
pub async fn assemble_unread(store: Arc<dyn Store>, gateway: Plain, around: Around) -> Assembled {
    let fixture = Backend::Sqlite.fresh().await;
    let bank = around.banks[0].clone();
    let rates = around.rates;
    let shared = shared(store, fixture.shared(), around).await;
    let jobs = Arc::new(jobs(&shared));
    let channel = channel(gateway);
    let turns = turns(&shared, jobs.clone(), rates, channel.clone());
    Assembled {
        service: TurnService(Arc::new(turns)),
        hooks: Hooks {
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

fn turns(shared: &Shared, jobs: Arc<Jobs>, rates: Rates, channel: Arc<Channel>) -> Turns {
    let facts = Facts {
        records: shared.records.clone(),
        partner: partner(1).id,
        pins: true,
        sealing: shared.sealing.clone(),
        runtime: shared.runtime.clone(),
    };
    Turns {
        flow: shared.newsroom.flow.clone(),
        live: shared.newsroom.live.clone(),
        facts,
        catalogue: shared.catalogue.clone(),
        attempts: Arc::new(attempts(shared, jobs)),
        keyring: shared.keyring.clone(),
        runtime: shared.runtime.clone(),
        wakes: shared.newsroom.wakes.clone(),
        leaving: CancellationToken::new(),
        metrics: shared.metrics.clone(),
        gate: Gate::new(rates, std::slice::from_ref(&channel)),
        channels: vec![channel],
    }
}

/// What answers texts, so many of each person; the list of banks has been read.
pub async fn answers(shared: &Shared, rates: Rates) -> Answers {
    shared.catalogue.refresh().await;
    let channel = channel(Plain { sink: None });
    Answers(Arc::new(turns(shared, Arc::new(jobs(shared)), rates, channel)))
}

pub async fn shared(store: Arc<dyn Store>, records: Arc<dyn Records>, around: Around) -> Shared {
    let Around { banks, trip, clock, .. } = around;
    let keyring = Arc::new(keyring(&["k1"]));
    let runtime = Runtime {
        clock,
        entropy: Arc::new(OsEntropy),
        node: NodeId::from_bytes([1; 16]),
        handle: Handle::current(),
        tasks: TaskTracker::new(),
        tripwire: {
            let records = records.clone();
            Arc::new(move |edge| trip(edge, &records))
        },
    };
    let (clock, entropy) = (runtime.clock.clone(), runtime.entropy.clone());
    let keys = |bank: &Arc<OneBank>| {
        let keys = Credentials {
            secret_key: Secret::new("key"),
            app_id: None,
        };
        (bank.name, keys)
    };
    let owner = lender();
    let keys = banks.iter().map(keys).collect::<Vec<_>>();
    let enrolled = enrol(
        records.as_ref(),
        &keyring,
        clock.as_ref(),
        entropy.as_ref(),
        &owner,
        &keys,
    );
    enrolled.await.expect("the records");
    let policy = policy();
    let providers = Arc::new(providers(owner.id, records.clone(), keyring.clone(), banks));
    let catalogue = Arc::new(Catalogue::new(providers.clone(), policy.clone(), HOUR, clock));
    let newsroom = Newsroom {
        flow: Arc::new(flow(policy, keyring.clone())),
        live: Live::new(store, keyring.clone(), entropy.clone()),
        wakes: Wakes::default(),
        desk: None,
        runtime: runtime.clone(),
    };
    let metrics = Arc::new(Metrics::new());
    Shared {
        records,
        sealing: Sealing {
            keyring: keyring.clone(),
            entropy,
        },
        keyring,
        health: Arc::new(BankHealth::new(runtime.clock.clone(), metrics.clone())),
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

fn jobs(shared: &Shared) -> Jobs {
    let outbox = Arc::new(Outbox::new(
        shared.records.clone(),
        shared.keyring.clone(),
        partner(1).id,
        Lines::default(),
        shared.runtime.clone(),
    ));
    Jobs {
        records: shared.records.clone(),
        linking: Linking {
            records: shared.records.clone(),
            providers: shared.providers.clone(),
            sealing: shared.sealing.clone(),
            newsroom: shared.newsroom.clone(),
            runtime: shared.runtime.clone(),
        },
        hand_overs: hand_overs(shared, outbox.clone()),
        erasing: erasing(shared),
        bank_backs: bank_backs(shared, outbox),
        retention: FOREVER,
        webhooks: webhooks(shared),
        lanes: Lanes::default(),
        runtime: shared.runtime.clone(),
        metrics: shared.metrics.clone(),
    }
}

/// What erases people.
pub fn erasing(shared: &Shared) -> Erasing {
    Erasing {
        records: shared.records.clone(),
        live: shared.newsroom.live.clone(),
        runtime: shared.runtime.clone(),
    }
}

/// What sends webhooks, to this machine too.
pub fn webhooks(shared: &Shared) -> Webhooks {
    let outside = Outside { loopback: true };
    let client = Guarded::new(&ClientOptions::default(), outside, Arc::new(SystemResolver));
    Webhooks {
        records: shared.records.clone(),
        keyring: shared.keyring.clone(),
        post: Arc::new(client.expect("a client")),
        pace: Pace::default(),
        runtime: shared.runtime.clone(),
    }
}

/// What writes and sends texts, by this outbox.
pub fn hand_overs(shared: &Shared, outbox: Arc<Outbox>) -> HandOvers {
    HandOvers {
        records: shared.records.clone(),
        newsroom: shared.newsroom.clone(),
        sealing: shared.sealing.clone(),
        outbox,
        codes: vec![(CHANNEL.0.to_owned(), "*384*96#".to_owned())],
    }
}

/// What looks whether banks are back, and sends texts about it by this outbox.
pub fn bank_backs(shared: &Shared, outbox: Arc<Outbox>) -> BankBacks {
    BankBacks {
        records: shared.records.clone(),
        providers: shared.providers.clone(),
        catalogue: shared.catalogue.clone(),
        health: shared.health.clone(),
        newsroom: shared.newsroom.clone(),
        sealing: shared.sealing.clone(),
        outbox,
        codes: vec![(CHANNEL.0.to_owned(), "*384*96#".to_owned())],
    }
}

fn attempts(shared: &Shared, jobs: Arc<Jobs>) -> Attempts {
    Attempts {
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
    let customer = CustomerPattern {
        name: "Customer {ref}".to_owned(),
        email: "{ref}@example.invalid".to_owned(),
    };
    let banks = banks.into_iter().map(|bank| -> Arc<dyn Provider> { bank });
    let registry = Registry::new(banks.collect());
    Providers::new(registry, partner, records, keyring, customer, vec!["NG".to_owned()])
}
