//! Turns put together from parts, as the server does it, over a store and a gateway of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::core::ids::{NodeId, PartnerId};
use kiungo::core::msisdn::Msisdn;
use kiungo::core::policy::{Policy, SecretsOverUssd};
use kiungo::core::seal::{Keyring, Tag};
use kiungo::core::secret::Secret;
use kiungo::core::time::Clock;
use kiungo::gateways::{
    Callback, Event, Gateway, Limits, Notice, ParseError, Parsed, RawRequest, Reply, ReplySink, WireReply,
};
use kiungo::providers::{Credentials, Provider, Registry};
use kiungo::records::Records;
use kiungo::service::admission::{Gate, Rates};
use kiungo::service::attempts::Attempts;
use kiungo::service::bank_health::BankHealth;
use kiungo::service::catalogue::Catalogue;
use kiungo::service::hooks::Hooks;
use kiungo::service::jobs::Jobs;
use kiungo::service::known::Facts;
use kiungo::service::linking::Linking;
use kiungo::service::live::Live;
use kiungo::service::messages::{Lines, Outbox};
use kiungo::service::metrics::Metrics;
use kiungo::service::networks::Networks;
use kiungo::service::news::Newsroom;
use kiungo::service::partner::{CustomerPattern, Providers, enrol};
use kiungo::service::runtime::{Edge, Runtime};
use kiungo::service::sealing::Sealing;
use kiungo::service::turn::{TurnService, Turns};
use kiungo::service::wakes::Wakes;
use kiungo::service::{Callbacks, Channel, OwnedRequest};
use kiungo::store::{IndexKey, Store, StoreError, Stored, Swap, Version};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::flow::flow;
use super::limits::PLENTY;
use super::one_bank::OneBank;
use super::records::{Backend, Fixture, partner};

/// The one channel's name and its secret.
pub const CHANNEL: (&str, &str) = ("test-ng", "Zq7-path-secret-0123456789abcdef");

/// A store that counts what it is asked.
pub struct Counting<S> {
    inner: S,
    /// Values read.
    pub loads: AtomicUsize,
    /// Values written.
    pub swaps: AtomicUsize,
    /// After this many writes it answers nothing any more.
    pub last_swap: AtomicUsize,
}

impl<S> Counting<S> {
    /// Counts what this store is asked.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            loads: AtomicUsize::new(0),
            swaps: AtomicUsize::new(0),
            last_swap: AtomicUsize::new(usize::MAX),
        }
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.swaps.load(Ordering::SeqCst) >= self.last_swap.load(Ordering::SeqCst) {
            return Err(StoreError("timeout".to_owned()));
        }
        Ok(())
    }

    /// Loads and swaps since the last time.
    pub fn taken(&self) -> (usize, usize) {
        (
            self.loads.swap(0, Ordering::SeqCst),
            self.swaps.swap(0, Ordering::SeqCst),
        )
    }
}

#[async_trait]
impl<S: Store> Store for Counting<S> {
    async fn load(&self, tag: &Tag) -> Result<Option<Stored>, StoreError> {
        self.alive()?;
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(tag).await
    }

    async fn swap(
        &self,
        tag: &Tag,
        expected: Option<Version>,
        next: &Stored,
        ttl: Duration,
    ) -> Result<Swap, StoreError> {
        self.alive()?;
        self.swaps.fetch_add(1, Ordering::SeqCst);
        self.inner.swap(tag, expected, next, ttl).await
    }

    async fn point(&self, name: &IndexKey, tag: &Tag, ttl: Duration) -> Result<(), StoreError> {
        self.inner.point(name, tag, ttl).await
    }

    async fn follow(&self, name: &IndexKey) -> Result<Option<Tag>, StoreError> {
        self.inner.follow(name).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

/// A dialect that says what it means: `dialog number text`, the text being everything typed so far; a dialog that has
/// ended is told without a text.
pub struct Plain {
    /// Where screens go when they do not travel in the answer.
    pub sink: Option<UnboundedSender<WireReply>>,
}

/// Hands screens to the test.
struct Handed(UnboundedSender<WireReply>);

#[async_trait]
impl ReplySink for Handed {
    async fn deliver(self: Box<Self>, reply: WireReply) {
        self.0.send(reply).expect("the test listens");
    }
}

impl Gateway for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn sink(&self) -> Option<Box<dyn ReplySink>> {
        Some(Box::new(Handed(self.sink.clone()?)))
    }

    fn overhead(&self) -> u16 {
        4
    }

    fn limits(&self, _: Option<&str>) -> Limits {
        Limits {
            out_septets: 160,
            ..Limits::default()
        }
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<Parsed, ParseError> {
        let body = std::str::from_utf8(request.body).map_err(|_| ParseError::Encoding)?;
        let mut parts = body.splitn(3, ' ');
        let dialog = parts.next().ok_or(ParseError::Field("dialog"))?.to_owned();
        let number = parts.next().ok_or(ParseError::Field("number"))?;
        let msisdn = Msisdn::parse(number, request.country).map_err(|_| ParseError::Msisdn)?;
        let Some(text) = parts.next() else {
            return Ok(Parsed::Notice(Notice {
                dialog,
                msisdn: Some(msisdn),
                closed: kiungo::gateways::Closed::Abandoned,
            }));
        };
        Ok(Parsed::Turn(Callback {
            dialog,
            msisdn,
            network: None,
            service_code: None,
            event: if text.is_empty() {
                Event::Begin { dialled: Vec::new() }
            } else {
                Event::Whole(Secret::new(text))
            },
            turn_id: None,
            echo: Vec::new(),
        }))
    }

    fn render(&self, reply: Option<&Reply>, _: &[(String, String)]) -> WireReply {
        let body = match reply {
            Some(Reply::Continue(text)) => format!("CON {text}"),
            Some(Reply::End(text)) => format!("END {text}"),
            None => "taken".to_owned(),
        };
        WireReply {
            status: 200,
            content_type: "text/plain",
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }
}

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

/// What the services share.
pub struct Shared {
    pub records: Arc<dyn Records>,
    pub keyring: Arc<Keyring>,
    pub runtime: Runtime,
    pub providers: Arc<Providers>,
    catalogue: Arc<Catalogue>,
    pub metrics: Arc<Metrics>,
    pub sealing: Sealing,
    pub newsroom: Newsroom,
}

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
    let channel = Arc::new(Channel {
        name: CHANNEL.0.to_owned(),
        gateway: Box::new(gateway),
        service_code: "*384*96#".to_owned(),
        secret: Secret::new(CHANNEL.1),
        country: "NG".to_owned(),
        sources: Networks::default(),
    });
    let facts = Facts {
        records: shared.records.clone(),
        partner: partner(1).id,
        sealing: shared.sealing.clone(),
        runtime: shared.runtime.clone(),
    };
    let turns = Turns {
        flow: shared.newsroom.flow.clone(),
        live: shared.newsroom.live.clone(),
        facts,
        catalogue: shared.catalogue.clone(),
        attempts: Arc::new(attempts(&shared, jobs.clone())),
        keyring: shared.keyring.clone(),
        runtime: shared.runtime.clone(),
        wakes: shared.newsroom.wakes.clone(),
        leaving: CancellationToken::new(),
        metrics: shared.metrics.clone(),
        gate: Gate::new(rates, std::slice::from_ref(&channel)),
        channels: vec![channel.clone()],
    };
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
    let (owner, keys) = (partner(1), banks.iter().map(keys).collect::<Vec<_>>());
    let enrolled = enrol(
        records.as_ref(),
        &keyring,
        clock.as_ref(),
        entropy.as_ref(),
        &owner,
        &keys,
    );
    enrolled.await.expect("the records");
    let policy = Policy {
        secrets_over_ussd: SecretsOverUssd::Allow,
        overrides: Vec::new(),
        card_and_pin: false,
    };
    let providers = Arc::new(providers(owner.id, records.clone(), keyring.clone(), banks));
    let hour = Duration::from_hours(1);
    let catalogue = Arc::new(Catalogue::new(providers.clone(), policy.clone(), hour, clock));
    let newsroom = Newsroom {
        flow: Arc::new(flow(policy, keyring.clone())),
        live: Live::new(store, keyring.clone(), entropy.clone()),
        wakes: Wakes::default(),
        runtime: runtime.clone(),
    };
    Shared {
        records,
        sealing: Sealing {
            keyring: keyring.clone(),
            entropy,
        },
        keyring,
        runtime,
        providers,
        catalogue,
        metrics: Arc::new(Metrics::new()),
        newsroom,
    }
}

fn jobs(shared: &Shared) -> Jobs {
    let outbox = Outbox::new(
        shared.records.clone(),
        shared.keyring.clone(),
        partner(1).id,
        Lines::default(),
        shared.runtime.clone(),
    );
    Jobs {
        records: shared.records.clone(),
        linking: Linking {
            records: shared.records.clone(),
            providers: shared.providers.clone(),
            sealing: shared.sealing.clone(),
            newsroom: shared.newsroom.clone(),
            runtime: shared.runtime.clone(),
        },
        outbox: Arc::new(outbox),
        runtime: shared.runtime.clone(),
        metrics: shared.metrics.clone(),
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
        health: Arc::new(BankHealth::new(shared.runtime.clock.clone(), shared.metrics.clone())),
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
