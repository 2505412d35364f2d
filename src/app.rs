//! Wires everything: from a configuration to a running server, and back down in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{OsRng, SystemClock};
use crate::certificate::{CertificateError, ServerCertificate};
use crate::config::{Config, Mode, RecordsConfig, StoreConfig, keys};
use crate::core::ids::{NodeId, PartnerId};
use crate::core::menu::{Menu, MenuError};
use crate::core::msisdn;
use crate::core::seal::Keyring;
use crate::core::time::{Clock, Rng};
use crate::gateways;
use crate::http;
use crate::http_client::HttpClientError;
use crate::http_client::base_url::BaseUrlError;
use crate::providers::{Provider, ProviderKeys};
use crate::records::{self, Records, RecordsError};
use crate::service::callbacks::UssdCallbacks;
use crate::service::database_clock::DatabaseClock;
use crate::service::deps::{CrashHook, Deps};
use crate::service::metrics::Metrics;
use crate::service::page_links::PageLinks;
use crate::service::sealing::Sealing;
use crate::service::strangers::Strangers;
use crate::store::{self, Severity, Store, StoreConnectError};

use self::assemble::{Assembled, assemble};
use self::menu_dir::{MenuDirError, MenuReload};
pub(crate) use self::partners::api_environment;
#[cfg(feature = "sandbox")]
use self::stand_ins::StandIns;

mod assemble;
pub mod channels;
mod conversation;
pub mod limits;
pub(crate) mod menu_dir;
mod partners;
mod sms;
#[cfg(feature = "sandbox")]
mod stand_ins;
mod webhooks;

/// How long what is under way may go on after the last request was answered: a submission and its conclusion.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a node that goes down says so (`/health/ready` answers 503) and still takes requests, so that a balancer can
/// turn to others first. Not in the sandbox, where nobody stands in front.
const NOT_READY_PERIOD: Duration = Duration::from_secs(2);

/// What a live store says, or does not say, that may answer in a moment.
const STARTING_UP_ERRORS: [&str; 5] = ["timeout", "refused", "closed", "unreachable", "LOADING"];

/// Why the server did not start. Says what to do, and never contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    /// The live store's address makes no sense.
    #[error(transparent)]
    Store(#[from] StoreConnectError),
    /// The live store is set up so that people would lose their place or worse.
    #[error("the live store must be put right first: {0}")]
    StoreSettings(String),
    /// The records cannot be opened.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The menu built in is broken.
    #[error(transparent)]
    Menu(#[from] MenuError),
    /// The operator's words cannot be used, or those built in.
    #[error(transparent)]
    Words(#[from] MenuDirError),
    /// TLS cannot be set up.
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    /// A provider's address cannot be used.
    #[error(transparent)]
    ProviderUrl(#[from] BaseUrlError),
    /// An SMS gateway cannot be set up.
    #[error("[[sms]] {0}: {1}")]
    Sms(String, #[source] gateways::sms::SmsSetupError),
    /// Our own TLS cannot be set up.
    #[error("[server.tls] {0}")]
    Certificate(CertificateError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// A part of the sandbox did not start.
    #[error("the sandbox's stand-in for {0} did not start: {1}")]
    ProviderStandIn(&'static str, #[source] io::Error),
    /// Another part of the sandbox did not start.
    #[error("the sandbox's stand-in for an SMS gateway did not start: {0}")]
    SmsGatewayStandIn(#[source] io::Error),
}

/// A running server.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the stand-ins for providers listen, by the provider's name; none outside the sandbox.
    pub stand_ins: Vec<(&'static str, SocketAddr)>,
    /// Answers callbacks, with no web server in between.
    pub callbacks: Arc<dyn UssdCallbacks>,
    server: tokio::task::JoinHandle<io::Result<()>>,
    draining: CancellationToken,
    not_ready_period: Duration,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    #[cfg(feature = "sandbox")]
    _stand_ins: StandIns,
    certificate: Option<Arc<ServerCertificate>>,
    menu: Option<MenuReload>,
}

/// What surrounds a server: its metrics exist before it, and tests end the process at an edge.
pub struct StartOptions {
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Told at every edge.
    pub crash_point: CrashHook,
    /// Providers beside those of the configuration, each with the operator's keys there. Every node needs the same ones.
    pub providers: Vec<ReadyProvider>,
}

/// A provider that was made by the caller, not from the configuration.
pub struct ReadyProvider {
    pub provider: Arc<dyn Provider>,
    /// The operator's keys there.
    pub keys: ProviderKeys,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self {
            metrics: Arc::new(Metrics::new()),
            crash_point: Arc::new(|_| ()),
            providers: Vec::new(),
        }
    }
}

/// How long a server that is leaving says so before it stops taking calls.
const fn not_ready_period(mode: Mode) -> Duration {
    match mode {
        Mode::Sandbox => Duration::ZERO,
        Mode::Production => NOT_READY_PERIOD,
    }
}

impl App {
    /// Starts a server on the present runtime, which must outlive it.
    ///
    /// # Errors
    /// Says what is wrong and where.
    pub async fn start(mut config: Config, mut around: StartOptions) -> Result<Self, StartError> {
        let ready_providers = std::mem::take(&mut around.providers);
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        let database_clock = Arc::new(DatabaseClock::new(system_clock(&config)));
        #[cfg(feature = "sandbox")]
        let stand_ins = StandIns::start(&mut config, &database_clock, &rng)?;
        #[cfg(feature = "sandbox")]
        let clock = stand_ins.clock();
        #[cfg(not(feature = "sandbox"))]
        let clock: Arc<dyn Clock> = database_clock.clone();
        let numbering = preload_numbering(&config);
        let deps = open_deps(&config, clock, rng, around).await?;
        database_clock.measure(deps.records.as_ref()).await?;
        let links = Arc::new(PageLinks::new(deps.clone(), config.server.public_url.as_ref()));
        let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
        let Assembled { http: parts, menu } = assemble(
            &mut config,
            ready_providers,
            &deps,
            &links,
            &database_clock,
            &leaving,
            #[cfg(feature = "sandbox")]
            stand_ins.beside(),
        )
        .await?;
        let callbacks = parts.callbacks.clone();
        let certificate = parts.transport.certificate.clone();
        if let Some(certificate) = certificate.clone() {
            deps.spawn(certificate.watch(leaving.clone()));
        }
        // Nobody's first call waits for it; that it panicked would show with the first number.
        let _ = numbering.await;
        let listen = config.server.listen;
        let descriptors = usize::try_from(limits::open_file_limit()).unwrap_or(usize::MAX);
        let (address, serving) =
            http::serve(parts, listen, descriptors, stop.clone()).map_err(|error| StartError::Listen(listen, error))?;
        #[cfg(feature = "sandbox")]
        stand_ins.set_server_url(&url_of(address, certificate.is_some()));
        if config.mode == Mode::Sandbox {
            links.listen_at(&url_of(address, certificate.is_some()));
        }
        let running = deps.handle.spawn(serving);
        Ok(Self {
            address,
            #[cfg(feature = "sandbox")]
            stand_ins: stand_ins.addresses(),
            #[cfg(not(feature = "sandbox"))]
            stand_ins: Vec::new(),
            callbacks,
            server: running,
            draining: leaving,
            not_ready_period: not_ready_period(config.mode),
            shutdown: stop,
            tasks: deps.tasks,
            #[cfg(feature = "sandbox")]
            _stand_ins: stand_ins,
            certificate,
            menu,
        })
    }

    /// Where it is reached from this machine.
    pub fn url(&self) -> String {
        url_of(self.address, self.certificate.is_some())
    }

    /// Reads the files of our certificate again; `None` without one, else whether it is another one now.
    pub fn reload_certificate(&self) -> Option<Result<bool, CertificateError>> {
        Some(self.certificate.as_ref()?.reload())
    }

    /// Reads the operator's words again; `None` without any, else whether others are in force now.
    pub fn reload_menu(&self) -> Option<Result<bool, MenuDirError>> {
        Some(self.menu.as_ref()?.reload())
    }

    /// Stops in order: not ready any more and no new jobs, then no new requests and open ones answered, then what is under
    /// way brought to its end.
    ///
    /// # Errors
    /// When the web server broke.
    pub async fn stop(self) -> io::Result<()> {
        self.draining.cancel();
        tokio::time::sleep(self.not_ready_period).await;
        self.shutdown.cancel();
        let served = self.server.await.map_err(io::Error::other).and_then(|served| served);
        self.tasks.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!("work was still under way at the end; it is settled at the next start");
        }
        served
    }
}

fn url_of(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// The id of the configuration's partner. It comes from its name, so that every node and every start has the same.
pub fn partner_id(name: &str) -> PartnerId {
    let digest = Sha256::digest(format!("kiungo partner\n{name}"));
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(id, byte)| *id = byte);
    PartnerId::from_bytes(id)
}

/// Opens what every service takes.
async fn open_deps(
    config: &Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    options: StartOptions,
) -> Result<Deps, StartError> {
    let keyring = Arc::new(open_keys(config, rng.as_ref())?);
    Ok(Deps {
        node: NodeId::generate(rng.as_ref()),
        store: open_store(config, clock.clone()).await?,
        clock,
        rng: rng.clone(),
        handle: Handle::current(),
        tasks: TaskTracker::new(),
        crash_hook: options.crash_point,
        records: open_records(&config.records).await?,
        sealing: Sealing { keyring, rng },
        strangers: Arc::new(Strangers::new(
            options.metrics.clone(),
            partner_id(&config.partner.name),
        )),
        metrics: options.metrics,
    })
}

/// This machine's clock, which tests of several servers set wrong.
#[cfg_attr(not(feature = "sandbox"), expect(unused_variables, reason = "nobody sets it wrong"))]
fn system_clock(config: &Config) -> Arc<dyn Clock> {
    #[cfg(feature = "sandbox")]
    if config.sandbox.clock_ahead_ms != 0 {
        return Arc::new(crate::sandbox::clock::WrongClock {
            ahead_ms: config.sandbox.clock_ahead_ms,
        });
    }
    Arc::new(SystemClock)
}

fn open_keys(config: &Config, rng: &dyn Rng) -> Result<Keyring, keys::KeysError> {
    match config.mode {
        Mode::Sandbox => keys::load_or_generate(&config.keys, rng),
        Mode::Production => keys::load(&config.keys.dir, &config.keys.active),
    }
}

/// What a start with this configuration would refuse before it asks anybody else: keys, and what gateways and providers are
/// built from. Takes from the configuration what a start takes.
pub fn preflight(config: &mut Config) -> Vec<StartError> {
    let mut faults = Vec::new();
    // The sandbox makes its own.
    if config.mode == Mode::Production {
        faults.extend(open_keys(config, &OsRng).err().map(StartError::from));
    }
    faults.extend(sms::sms_routes(config).err());
    faults.extend(Menu::embedded().err().map(StartError::from));
    faults.extend(menu_dir::open(config).err().map(StartError::from));
    faults.extend(assemble::build_providers(config).err());
    faults
}

/// Loads how numbers are written, beside everything else that a start waits for.
fn preload_numbering(config: &Config) -> tokio::task::JoinHandle<()> {
    let countries: Vec<_> = config.channels.iter().map(|channel| channel.country.clone()).collect();
    Handle::current().spawn_blocking(move || countries.iter().for_each(|country| msisdn::preload_country(country)))
}

async fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StartError> {
    let url = match &config.store {
        StoreConfig::Memory => "memory:",
        StoreConfig::Redis(url) => url.expose(),
    };
    let store = store::connect(url, clock)?;
    // Servers and Redis are often started together, so a store that is only starting up, or busy, is waited for. The check
    // below reports one that does not come up.
    let came = (|| store.ready()).retry(
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(12),
    );
    if let Err(error) = came.when(|error| STARTING_UP_ERRORS.contains(&error.0.as_str())).await {
        tracing::warn!(%error, "the live store did not come up");
    }
    for finding in store.check_setup().await {
        match finding.level {
            Severity::Note => tracing::info!("store: {}", finding.text),
            Severity::Warning => tracing::warn!("store: {}", finding.text),
            Severity::Error => return Err(StartError::StoreSettings(finding.text)),
        }
    }
    Ok(store)
}

async fn open_records(config: &RecordsConfig) -> Result<Arc<dyn Records>, StartError> {
    Ok(records::connect(config.address().expose()).await?)
}
