//! What a test wants otherwise in the configuration of its servers.

use kiungo::sandbox::mono::Switches;
use kiungo::service::runtime::Edge;

/// Limits that no test meets by dialling fast; those about limits say their own.
const ROOMY: &str = "turns_per_second = 10_000\nperson_turns_per_minute = 6_000";

/// What is in the configuration apart from what every test needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lines under `[policy]`, and tables after it.
    pub policy: String,
    /// Lines under `[server]`, beside where it listens.
    pub server: &'static str,
    /// Lines under `[[channels]]`, beside what it needs.
    pub channel: &'static str,
    /// Lines under `[limits]`.
    pub limits: &'static str,
    /// Institutions to show first.
    pub favourites: Vec<&'static str>,
    /// Seconds that the provider is given.
    pub timeout: u64,
    /// Whether to speak the provider's first version.
    pub v1: bool,
    /// How the stand-in behaves at first.
    pub switches: Switches,
    /// Where the provider is, if it is not the stand-in.
    pub provider: Option<String>,
    /// The log's level.
    pub level: &'static str,
    /// How much longer than the provider's timeout a lease lasts, in seconds; as in production without it.
    pub lease_margin: Option<u64>,
    /// The key to seal with.
    pub active: String,
    /// Where the work that passes it first panics.
    pub panic_at: Option<Edge>,
    /// Options of Redis.
    pub redis: Vec<&'static str>,
    /// Whether a proxy stands before Redis, which can break things.
    pub proxy: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: "secrets_over_ussd = \"allow\"".to_owned(),
            server: "",
            channel: "",
            limits: ROOMY,
            favourites: vec!["Providus Bank", "Zenith Bank"],
            timeout: 60,
            v1: false,
            switches: Switches::immediate(),
            provider: None,
            level: "trace",
            lease_margin: None,
            active: "k1".to_owned(),
            panic_at: None,
            redis: Vec::new(),
            proxy: false,
        }
    }
}
