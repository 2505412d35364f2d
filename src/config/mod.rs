//! The configuration: read once at start, checked whole, and every fault told at once.
//!
//! There is a TOML file, overlaid with environment variables (`KIUNGO_SERVER__LISTEN`); each section is understood by
//! the module of its name. Any secret `x` may stand in a file of its own, named by `x_file`. Without a configuration
//! file the server is a sandbox, whose settings are a text like any other: what is checked for production is checked
//! for it, too, apart from what [`Mode`] says.

pub mod api;
pub mod channels;
pub mod error;
mod http_url;
pub mod keys;
mod limit_overrides;
mod limits;
pub mod log;
pub mod partner;
mod policy;
pub mod providers;
pub mod records;
mod retention;
pub mod sandbox;
mod section;
pub mod server;
mod show;
pub mod sms;
mod source;
pub mod store;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

pub use self::api::ApiConfig;
pub use self::channels::{ChannelConfig, ChannelKind};
pub use self::error::{ConfigError, ConfigErrors, ConfigOrigin};
pub use self::keys::KeysConfig;
pub use self::log::{LogConfig, LogFormat, LogLevel};
pub use self::partner::PartnerConfig;
pub use self::providers::{CustomerPattern, MonoApiVersion, MonoConfig, ProvidersConfig};
pub use self::records::RecordsConfig;
use self::section::{ConfigContext, Section};
pub use self::server::ServerConfig;
pub use self::sms::SmsConfig;
use self::source::ConfigSource;
pub use self::store::StoreConfig;
use crate::core::pin::SubscriberPin;
use crate::core::policy::Policy;
use crate::service::admission::TurnRates;
use crate::service::retention::Retention;

/// The fewest characters a secret of ours may have outside the sandbox.
pub const MIN_SECRET_LENGTH: usize = 16;

/// Where the sandbox keeps its files unless told otherwise.
pub const DATA_DIR: &str = "data";

/// Whether this is for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// There is a configuration file: well-known and short secrets are refused.
    Production,
    /// There is none: production keys are refused.
    Sandbox,
}

/// The whole configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// Whether this is for real.
    pub mode: Mode,
    /// `[server]`
    pub server: ServerConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[records]`
    pub records: RecordsConfig,
    /// `[keys]`
    pub keys: KeysConfig,
    /// `[retention]`
    pub retention: Retention,
    /// `[limits]`
    pub limits: TurnRates,
    /// `[api]`
    pub api: ApiConfig,
    /// `[policy]`
    pub policy: Policy,
    /// `[policy] subscriber_pin`
    pub subscriber_pin: SubscriberPin,
    /// `[[channels]]`, at least one.
    pub channels: Vec<ChannelConfig>,
    /// `[[sms]]`; without one no texts are sent.
    pub sms: Vec<SmsConfig>,
    /// `[partner]`
    pub partner: PartnerConfig,
    /// `[providers.…]`, at least one.
    pub providers: ProvidersConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[sandbox]`
    #[cfg(feature = "sandbox")]
    pub sandbox: sandbox::SandboxConfig,
}

impl Config {
    /// The configuration of a file, or the sandbox's when there is none; either overlaid with the variables in `env`.
    ///
    /// # Errors
    /// With everything that is wrong. A build without the `sandbox` feature wants a file.
    pub fn load(path: Option<&Path>, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        match path {
            Some(path) => {
                let source = source::from_file(path, env).map_err(ConfigErrors)?;
                Self::check(source, Mode::Production)
            }
            None if cfg!(feature = "sandbox") => Self::sandbox(Path::new(DATA_DIR), env),
            None => Err(ConfigErrors(vec![ConfigError {
                origin: ConfigOrigin::Sandbox,
                key: String::new(),
                problem: "are not in this build".to_owned(),
                remedy: "name a configuration file with --config or KIUNGO_CONFIG".to_owned(),
            }])),
        }
    }

    /// The sandbox's configuration, with its files in `data_dir`.
    ///
    /// # Errors
    /// When a variable in `env` is wrong.
    pub fn sandbox(data_dir: &Path, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        let source =
            source::from_text(&sandbox::sandbox_toml(data_dir), ConfigOrigin::Sandbox, env).map_err(ConfigErrors)?;
        Self::check(source, Mode::Sandbox)
    }

    fn check(source: ConfigSource, mode: Mode) -> Result<Self, ConfigErrors> {
        let context = ConfigContext {
            mode,
            origin: source.origin,
            overrides: source.overrides,
            errors: RefCell::new(Vec::new()),
        };
        let read = Self::read(Section::root(&context, source.root));
        let faults = context.errors.into_inner();
        match read {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(ConfigErrors(faults)),
        }
    }

    fn read(mut root: Section<'_>) -> Option<Self> {
        let mode = root.mode();
        let server = server::read(root.section("server"));
        let store = store::read(root.section("store"));
        let records = records::read(root.section("records"));
        let keys = keys::read(root.section("keys"));
        let retention = retention::read(root.section("retention"));
        let limits = limits::read(root.section("limits"));
        let api = api::read(root.section("api"));
        let policy = policy::read(root.section("policy"));
        let partner = partner::read(root.section("partner"));
        let sections = root.sections("channels");
        if sections.is_empty() {
            root.report(
                "channels",
                "has no short code",
                "write [[channels]] and the keys of one",
            );
        }
        let channels = channels::read(sections);
        let public = server.as_ref().is_some_and(|server| server.public_url.is_some());
        let sms = sms::read(root.sections("sms"), public);
        let providers = providers::read(root.section("providers"));
        let log = log::read(root.section("log"));
        #[cfg(feature = "sandbox")]
        let sandbox = sandbox::read(root.section("sandbox"));
        root.report_unknown_keys();
        let (policy, subscriber_pin) = policy?;
        Some(Self {
            mode,
            server: server?,
            store: store?,
            records: records?,
            keys: keys?,
            retention,
            limits,
            api,
            policy,
            subscriber_pin,
            channels,
            sms,
            partner: partner?,
            providers,
            log,
            #[cfg(feature = "sandbox")]
            sandbox,
        })
    }
}

/// The environment variables of this process that are valid text.
pub fn environment_variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The configuration file named on the command line, or else in `KIUNGO_CONFIG`.
pub fn config_file(named: Option<PathBuf>, env: &[(String, String)]) -> Option<PathBuf> {
    let variable = env.iter().find(|(name, _)| name == "KIUNGO_CONFIG");
    named.or_else(|| variable.map(|(_, path)| PathBuf::from(path)))
}
