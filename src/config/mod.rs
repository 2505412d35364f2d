//! The configuration: read once at start, checked as a whole, with every error reported at once.
//!
//! There is a TOML file, overlaid with environment variables (`KIUNGO_SERVER__LISTEN`); each section has a
//! module of its name. Any secret `x` may be in a file of its own, named by `x_file`. Without a configuration file the
//! server is a sandbox, whose settings are TOML like any other: they are checked as those of production are, apart from
//! what [`Mode`] says.

pub mod api;
pub mod channels;
pub mod error;
mod findings;
mod http_url;
pub mod keys;
mod limit_overrides;
mod limits;
mod linking_ways;
pub mod log;
pub mod menu;
mod own_settings;
pub mod partner;
mod policy;
pub mod providers;
pub mod records;
mod retention;
pub mod sandbox;
mod secret;
mod section;
pub mod server;
mod show;
pub mod sms;
mod source;
pub mod store;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::api::ApiConfig;
pub use self::channels::ChannelConfig;
pub use self::error::{ConfigError, ConfigErrors, ConfigOrigin};
pub use self::keys::KeysConfig;
pub use self::limits::LimitsConfig;
pub use self::log::{LogConfig, LogFormat, LogLevel};
pub use self::menu::MenuConfig;
pub use self::partner::PartnerConfig;
pub use self::policy::PolicyConfig;
pub use self::providers::{ProviderConfig, ProvidersConfig};
pub use self::records::RecordsConfig;
pub use self::secret::ConfigSecret;
use self::section::{ConfigContext, Section};
pub use self::server::ServerConfig;
pub use self::show::CallbackUrl;
pub use self::sms::SmsConfig;
use self::source::ConfigSource;
pub use self::store::StoreConfig;
use crate::gateways::{GATEWAYS, GatewayRegistration};
use crate::providers::{PROVIDERS, ProviderRegistration};
use crate::service::retention::Retention;

/// The fewest characters of a secret of ours, outside the sandbox.
pub const MIN_SECRET_LENGTH: usize = 16;

/// The default directory of the sandbox's files.
pub const DATA_DIR: &str = "data";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With a configuration file: well-known and short secrets are refused.
    Production,
    /// Without one: production keys are refused.
    Sandbox,
}

/// What channels, SMS and providers may be on: those of this build, unless said otherwise.
#[derive(Clone, Copy)]
pub struct Registrations {
    pub gateways: &'static [GatewayRegistration],
    pub providers: &'static [ProviderRegistration],
}

impl Default for Registrations {
    fn default() -> Self {
        Self {
            gateways: GATEWAYS,
            providers: PROVIDERS,
        }
    }
}

impl From<&'static [GatewayRegistration]> for Registrations {
    fn from(gateways: &'static [GatewayRegistration]) -> Self {
        Self {
            gateways,
            ..Self::default()
        }
    }
}

impl From<&'static [ProviderRegistration]> for Registrations {
    fn from(providers: &'static [ProviderRegistration]) -> Self {
        Self {
            providers,
            ..Self::default()
        }
    }
}

/// The configuration, checked.
#[derive(Debug, Serialize)]
pub struct Config {
    #[serde(skip)]
    pub mode: Mode,
    /// What the server runs with, and somebody should mend.
    #[serde(skip)]
    pub warnings: Vec<ConfigError>,
    /// `[server]`
    pub server: ServerConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[records]`
    pub records: RecordsConfig,
    /// `[keys]`
    pub keys: KeysConfig,
    /// `[retention]`
    #[serde(serialize_with = "retention::serialize")]
    pub retention: Retention,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[api]`
    pub api: ApiConfig,
    /// `[policy]`
    pub policy: PolicyConfig,
    /// `[[channels]]`, at least one.
    pub channels: Vec<ChannelConfig>,
    /// `[[sms]]`; without one no SMS is sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sms: Vec<SmsConfig>,
    /// `[partner]`
    pub partner: PartnerConfig,
    /// `[menu]`
    #[serde(skip_serializing_if = "MenuConfig::is_empty")]
    pub menu: MenuConfig,
    /// `[providers.…]`, at least one.
    pub providers: ProvidersConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[sandbox]`
    #[cfg(feature = "sandbox")]
    #[serde(skip)]
    pub sandbox: sandbox::SandboxConfig,
}

impl Config {
    /// The configuration of a file, or the sandbox's when there is none; either overlaid with the variables in `env`.
    ///
    /// # Errors
    /// With everything that is wrong. A build without the `sandbox` feature requires a file.
    pub fn load(path: Option<&Path>, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        match path {
            Some(path) => Self::load_with(path, env, Registrations::default()),
            None if cfg!(feature = "sandbox") => Self::sandbox(Path::new(DATA_DIR), env),
            None => Err(vec![ConfigError {
                origin: ConfigOrigin::Sandbox,
                key: String::new(),
                problem: "are not in this build".to_owned(),
                remedy: "name a configuration file with --config or KIUNGO_CONFIG".to_owned(),
            }]
            .into()),
        }
    }

    /// The configuration of a file in which these gateways and providers may be named: a build may have others than ours.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn load_with(
        path: &Path,
        env: &[(String, String)],
        registrations: impl Into<Registrations>,
    ) -> Result<Self, ConfigErrors> {
        let source = source::from_file(path, env).map_err(ConfigErrors::from)?;
        Self::check(source, Mode::Production, registrations.into())
    }

    /// The sandbox's configuration, with its files in `data_dir`.
    ///
    /// # Errors
    /// When a variable in `env` is wrong.
    pub fn sandbox(data_dir: &Path, env: &[(String, String)]) -> Result<Self, ConfigErrors> {
        let text = sandbox::sandbox_toml(data_dir);
        Self::from_text(&text, Mode::Sandbox, env, Registrations::default())
    }

    /// A configuration that stands in no file, in which these gateways and providers may be named: tests of whole servers
    /// have some of their own.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn from_text(
        text: &str,
        mode: Mode,
        env: &[(String, String)],
        registrations: impl Into<Registrations>,
    ) -> Result<Self, ConfigErrors> {
        let source = source::from_text(text, ConfigOrigin::Sandbox, env).map_err(ConfigErrors::from)?;
        Self::check(source, mode, registrations.into())
    }

    fn check(source: ConfigSource, mode: Mode, registrations: Registrations) -> Result<Self, ConfigErrors> {
        let context = ConfigContext {
            mode,
            registrations,
            overrides: source.overrides,
            readable_file: match &source.origin {
                ConfigOrigin::File(path) => section::is_readable_by_all(path),
                _ => false,
            },
            origin: source.origin,
            errors: RefCell::default(),
            warnings: RefCell::default(),
        };
        let read = Self::read(Section::root(&context, source.root));
        let faults = context.errors.into_inner();
        match read {
            Some(mut config) if faults.is_empty() => {
                config.warnings = context.warnings.into_inner();
                Ok(config)
            }
            _ => Err(ConfigErrors(faults, context.warnings.into_inner())),
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
        let menu = menu::read(root.section("menu"));
        let sections = root.sections("channels");
        if sections.is_empty() {
            root.report(
                "channels",
                "has no short code",
                "write [[channels]] and the keys of one",
            );
        }
        let public_url = server.as_ref().and_then(ServerConfig::public_base_url);
        let gateways = root.gateways();
        let channels = channels::read(sections, gateways, public_url.as_deref());
        let sms = sms::read(root.sections("sms"), gateways, public_url.is_some());
        let providers = providers::read(root.section("providers"));
        let log = log::read(root.section("log"));
        #[cfg(feature = "sandbox")]
        let sandbox = sandbox::read(root.section("sandbox"));
        findings::report(&root, server.as_ref(), &channels, &sms, &providers);
        if let Some(partner) = &partner {
            partner::report_languages(&root, partner, &channels);
        }
        root.report_unknown_keys();
        Some(Self {
            mode,
            warnings: Vec::new(),
            server: server?,
            store: store?,
            records: records?,
            keys: keys?,
            retention,
            limits,
            api,
            policy: policy?,
            channels,
            sms,
            partner: partner?,
            menu,
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
