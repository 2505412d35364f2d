//! Wires everything: from a configuration to a running server, and back down in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{OsEntropy, SystemClock};
use crate::config::{Config, Mode, MonoConfig, MonoDialect, RecordsConfig, StoreConfig, keys};
use crate::core::flow::{Flow, Settings};
use crate::core::ids::{NodeId, PartnerId};
use crate::core::menu::{Menu, MenuError};
use crate::core::messages::{Texts, TextsError};
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Entropy};
use crate::gateways;
use crate::http::{self, Parts};
use crate::providers::base_url::{BaseUrlError, validate_base_url};
use crate::providers::http::{Client, ClientError, ClientOptions};
use crate::providers::mono::{Dialect, Mono, MonoSettings};
use crate::providers::{Credentials, Registry};
use crate::records::{self, Partner, Records, RecordsError};
use crate::service::Channel;
use crate::service::attempts::Attempts;
use crate::service::catalogue::Catalogue;
use crate::service::health::Health;
use crate::service::hooks::Hooks;
use crate::service::jobs::Jobs;
use crate::service::known::Facts;
use crate::service::linking::Linking;
use crate::service::live::Live;
use crate::service::metrics::Metrics;
use crate::service::news::Newsroom;
use crate::service::partner::{CustomerPattern, Providers, enrol};
use crate::service::runtime::{Runtime, Tripwire};
use crate::service::sealing::Sealing;
use crate::service::turn::{TurnService, Turns};
use crate::service::wakes::Wakes;
use crate::store::{self, ConnectError, Level, Store};

/// How often the lists of institutions are read anew when no provider says.
const INSTITUTIONS_TTL: Duration = Duration::from_hours(1);

/// How long what is under way may go on after the last request was answered: a submission and its conclusion.
const DRAIN: Duration = Duration::from_secs(75);

/// Why the server did not start. Says what to do; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    /// The live store's address makes no sense.
    #[error(transparent)]
    Store(#[from] ConnectError),
    /// The live store is set up so that people would lose their place or worse.
    #[error("the live store must be put right first: {0}")]
    StoreSettings(String),
    /// The records cannot be opened.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The menu built in is broken.
    #[error(transparent)]
    Menu(#[from] MenuError),
    /// The texts built in are broken.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A provider's address cannot be used.
    #[error(transparent)]
    ProviderUrl(#[from] BaseUrlError),
    /// A channel names a gateway that does not exist.
    #[error("there is no gateway {0:?}; there are: {names}", names = gateways::NAMES.join(", "))]
    Gateway(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// A part of the sandbox did not start.
    #[error("the sandbox's stand-in for Mono did not start: {0}")]
    StandIn(#[source] io::Error),
}

/// A running server.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its stand-in for Mono listens, in the sandbox.
    pub stand_in: Option<SocketAddr>,
    running: tokio::task::JoinHandle<io::Result<()>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    #[cfg(feature = "sandbox")]
    _mono: Option<crate::sandbox::mono::Running>,
}

/// What surrounds a server: its metrics exist before it, and tests end the process at an edge.
pub struct Surroundings {
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Told at every edge.
    pub tripwire: Tripwire,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            metrics: Arc::new(Metrics::new()),
            tripwire: Arc::new(|_| ()),
        }
    }
}

impl App {
    /// Starts a server on the present runtime, which must outlive it.
    ///
    /// # Errors
    /// Says what is wrong and where.
    pub async fn start(mut config: Config, around: Surroundings) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        #[cfg(feature = "sandbox")]
        let mono = stand_in(&mut config, &clock, &entropy)?;
        let keyring = Arc::new(match config.mode {
            Mode::Sandbox => keys::load_or_generate(&config.keys, entropy.as_ref())?,
            Mode::Production => keys::load(&config.keys.dir, &config.keys.active)?,
        });
        let store = open_store(&config, clock.clone()).await?;
        let records = open_records(&config.records).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let runtime = Runtime {
            node: NodeId::draw(entropy.as_ref()),
            clock,
            entropy,
            handle: Handle::current(),
            tasks: tasks.clone(),
            tripwire: around.tripwire,
        };
        let base = Base {
            keyring,
            store,
            records,
            runtime,
            metrics: around.metrics,
        };
        let parts = assemble(&mut config, &base, &stop).await?;
        let listen = config.server.listen;
        let (address, serving) =
            http::serve(parts, listen, stop.clone()).map_err(|error| StartError::Listen(listen, error))?;
        #[cfg(feature = "sandbox")]
        if let Some(mono) = &mono {
            let hook = format!("http://{address}/hooks/mono");
            mono.state.send_webhooks_to(&hook);
        }
        let running = base.runtime.handle.spawn(serving);
        Ok(Self {
            address,
            #[cfg(feature = "sandbox")]
            stand_in: mono.as_ref().map(|mono| mono.addr),
            #[cfg(not(feature = "sandbox"))]
            stand_in: None,
            running,
            stop,
            tasks,
            #[cfg(feature = "sandbox")]
            _mono: mono,
        })
    }

    /// Stops in order: no new requests, open ones answered, then what is under way brought to its end.
    ///
    /// # Errors
    /// When the web server broke.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.cancel();
        let served = self.running.await.map_err(io::Error::other).and_then(|served| served);
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("work was still under way at the end; it is settled at the next start");
        }
        served
    }
}

/// What everything else stands on.
struct Base {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    records: Arc<dyn Records>,
    runtime: Runtime,
    metrics: Arc<Metrics>,
}

async fn assemble(config: &mut Config, base: &Base, stop: &CancellationToken) -> Result<Parts, StartError> {
    let runtime = &base.runtime;
    let flow = Arc::new(flow(config)?);
    let channels = channels(config)?;
    let countries = channels.iter().map(|channel| channel.country.clone()).collect();
    let partner = partner(config, runtime.clock.as_ref());
    let ttl = config
        .providers
        .mono
        .as_ref()
        .map_or(INSTITUTIONS_TTL, |mono| mono.institutions_ttl);
    let providers = Arc::new(providers(config, base, &partner, countries).await?);
    let catalogue = Catalogue::new(providers.clone(), config.policy.clone(), ttl, runtime.clock.clone());
    let wakes = Wakes::default();
    let tools = tools(base, providers, Arc::new(catalogue), &flow, &wakes);
    let jobs = Arc::new(jobs(base, &tools));
    let turns = Arc::new(Turns {
        flow,
        live: tools.live.clone(),
        facts: facts(base, &tools),
        catalogue: tools.catalogue.clone(),
        attempts: Arc::new(attempts(base, &tools, &jobs)),
        keyring: base.keyring.clone(),
        runtime: runtime.clone(),
        wakes,
        metrics: base.metrics.clone(),
        channels,
    });
    runtime.handle.spawn(
        stop.clone()
            .run_until_cancelled_owned(tools.catalogue.clone().keep_fresh()),
    );
    runtime.spawn(jobs.run(stop.clone()));
    Ok(Parts {
        callbacks: Arc::new(TurnService(turns.clone())),
        hooks: Arc::new(hooks(base, &tools)),
        readiness: Arc::new(Health {
            store: base.store.clone(),
            records: base.records.clone(),
            stop: stop.clone(),
        }),
        metrics: base.metrics.clone(),
        runtime: runtime.handle.clone(),
        turns: runtime.tasks.clone(),
        #[cfg(feature = "sandbox")]
        sandbox: (config.mode == Mode::Sandbox).then(|| crate::sandbox::routes(turns)),
    })
}

/// What several services use.
struct Tools {
    providers: Arc<Providers>,
    sealing: Sealing,
    newsroom: Newsroom,
    live: Live,
    catalogue: Arc<Catalogue>,
}

fn tools(base: &Base, providers: Arc<Providers>, catalogue: Arc<Catalogue>, flow: &Arc<Flow>, wakes: &Wakes) -> Tools {
    let entropy = &base.runtime.entropy;
    let live = Live::new(base.store.clone(), base.keyring.clone(), entropy.clone());
    Tools {
        providers,
        sealing: Sealing {
            keyring: base.keyring.clone(),
            entropy: entropy.clone(),
        },
        newsroom: Newsroom {
            flow: flow.clone(),
            live: live.clone(),
            wakes: wakes.clone(),
            runtime: base.runtime.clone(),
        },
        live,
        catalogue,
    }
}

fn jobs(base: &Base, tools: &Tools) -> Jobs {
    let linking = Linking {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        newsroom: tools.newsroom.clone(),
        runtime: base.runtime.clone(),
    };
    Jobs {
        records: base.records.clone(),
        linking,
        runtime: base.runtime.clone(),
        metrics: base.metrics.clone(),
    }
}

fn attempts(base: &Base, tools: &Tools, jobs: &Arc<Jobs>) -> Attempts {
    Attempts {
        live: tools.live.clone(),
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        newsroom: tools.newsroom.clone(),
        jobs: jobs.clone(),
        catalogue: tools.catalogue.clone(),
        runtime: base.runtime.clone(),
        metrics: base.metrics.clone(),
    }
}

fn facts(base: &Base, tools: &Tools) -> Facts {
    Facts {
        records: base.records.clone(),
        partner: tools.providers.partner(),
        sealing: tools.sealing.clone(),
        runtime: base.runtime.clone(),
    }
}

fn hooks(base: &Base, tools: &Tools) -> Hooks {
    Hooks {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        runtime: base.runtime.clone(),
    }
}

fn flow(config: &Config) -> Result<Flow, StartError> {
    Ok(Flow {
        menu: Menu::embedded()?,
        texts: Texts::embedded()?,
        settings: Settings {
            partner: config.partner.name.clone(),
            purpose: config.partner.purpose.clone(),
            days: config.partner.data_days,
            policy: config.policy.clone(),
            favourites: config
                .providers
                .mono
                .as_ref()
                .map(|mono| mono.favourites.clone())
                .unwrap_or_default(),
            provider_timeout: config
                .providers
                .mono
                .as_ref()
                .map_or(Duration::from_mins(1), |mono| mono.timeout),
        },
    })
}

fn channels(config: &mut Config) -> Result<Vec<Arc<Channel>>, StartError> {
    let channel = |channel: crate::config::ChannelConfig| {
        let gateway = gateways::by_name(&channel.gateway).ok_or(StartError::Gateway(channel.gateway))?;
        Ok(Arc::new(Channel {
            name: channel.name,
            gateway,
            service_code: channel.service_code,
            secret: channel.secret,
            country: channel.country,
        }))
    };
    std::mem::take(&mut config.channels).into_iter().map(channel).collect()
}

/// The id of the configuration's partner. It comes from its name, so that every node and every start has the same.
pub fn partner_id(name: &str) -> PartnerId {
    let digest = Sha256::digest(format!("kiungo partner\n{name}"));
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(id, byte)| *id = byte);
    PartnerId::from_bytes(id)
}

fn partner(config: &Config, clock: &dyn Clock) -> Partner {
    Partner {
        id: partner_id(&config.partner.name),
        name: config.partner.name.clone(),
        purpose: config.partner.purpose.clone(),
        created_at: clock.now(),
    }
}

async fn providers(
    config: &mut Config,
    base: &Base,
    partner: &Partner,
    countries: Vec<String>,
) -> Result<Providers, StartError> {
    let client = Client::new(&ClientOptions::default())?;
    let mut credentials = Vec::new();
    let mut registry: Vec<Arc<dyn crate::providers::Provider>> = Vec::new();
    let mut customer = CustomerPattern {
        name: String::new(),
        email: String::new(),
    };
    if let Some(mono) = config.providers.mono.take() {
        customer = CustomerPattern {
            name: mono.customer.name.clone(),
            email: mono.customer.email.clone(),
        };
        let (provider, keys) = set_up_mono(mono, client)?;
        registry.push(Arc::new(provider));
        credentials.push(("mono", keys));
    }
    let Base {
        keyring,
        records,
        runtime,
        ..
    } = base;
    enrol(
        records.as_ref(),
        keyring,
        runtime.clock.as_ref(),
        runtime.entropy.as_ref(),
        partner,
        &credentials,
    )
    .await?;
    let registry = Registry::new(registry);
    Ok(Providers::new(
        registry,
        partner.id,
        records.clone(),
        keyring.clone(),
        customer,
        countries,
    ))
}

fn set_up_mono(mono: MonoConfig, client: Client) -> Result<(Mono, Credentials), StartError> {
    let dialect = match mono.dialect {
        MonoDialect::V2 => Dialect::V2,
        MonoDialect::V1 => Dialect::V1,
    };
    let mut settings = MonoSettings::new(validate_base_url(mono.base_url.as_str(), true)?, dialect);
    settings.webhook_secret = mono.webhook_secret;
    Ok((
        Mono::new(settings, client),
        Credentials {
            secret_key: mono.secret_key,
            app_id: mono.app_id,
        },
    ))
}

async fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StartError> {
    let memory = Secret::new("memory:");
    let url = match &config.store {
        StoreConfig::Memory => &memory,
        StoreConfig::Redis(url) => url,
    };
    let store = store::connect(url.expose(), clock)?;
    for finding in store.check().await {
        match finding.level {
            Level::Note => tracing::info!("store: {}", finding.text),
            Level::Warning => tracing::warn!("store: {}", finding.text),
            Level::Error => return Err(StartError::StoreSettings(finding.text)),
        }
    }
    Ok(store)
}

async fn open_records(config: &RecordsConfig) -> Result<Arc<dyn Records>, StartError> {
    let RecordsConfig::Sqlite(path) = config;
    Ok(records::connect(&format!("sqlite:{}", path.display())).await?)
}

/// Starts the built-in stand-in when the sandbox is to talk to it, and points the client at it.
#[cfg(feature = "sandbox")]
fn stand_in(
    config: &mut Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Option<crate::sandbox::mono::Running>, StartError> {
    use crate::config::sandbox::{MONO_KEY, MONO_URL, WEBHOOK_SECRET};
    use crate::sandbox::mono::{MonoStandIn, StandInSettings};
    let Some(mono) = config
        .providers
        .mono
        .as_mut()
        .filter(|mono| mono.base_url.as_str().trim_end_matches('/') == MONO_URL)
    else {
        return Ok(None);
    };
    if config.mode != Mode::Sandbox {
        return Ok(None);
    }
    let settings = StandInSettings {
        keys: vec![Secret::new(MONO_KEY)],
        webhook_secret: Secret::new(WEBHOOK_SECRET),
        ..StandInSettings::default()
    };
    let running = MonoStandIn::start(settings, clock.clone(), entropy.clone()).map_err(StartError::StandIn)?;
    if let Ok(url) = running.url().parse() {
        mono.base_url = url;
    }
    Ok(Some(running))
}
