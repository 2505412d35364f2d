//! What a test wants otherwise in the configuration of its servers.

use kiungo::sandbox::mono::{APP, KEY, MonoSwitches};
use kiungo::service::deps::CrashPoint;

use super::node::{CHANNEL, SECRET};
use super::world::WEBHOOK_SECRET;

/// Limits that no test meets by dialling fast; those about limits say their own.
const ROOMY: &str = "turns_per_second = 10_000\nperson_turns_per_minute = 6_000";

/// What is in the configuration apart from what every test needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lines under `[policy]`, and tables after it.
    pub policy: String,
    /// Lines under `[partner]`, beside its name and purpose.
    pub partner: &'static str,
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
    pub switches: MonoSwitches,
    /// Where the provider is, if it is not the stand-in.
    pub provider: Option<String>,
    /// The log's level.
    pub level: &'static str,
    /// How much longer than the provider's timeout a lease lasts, in seconds; as in production without it.
    pub lease_margin: Option<u64>,
    /// The key to seal with.
    pub active: String,
    /// Where the work that passes it first panics.
    pub panic_at: Option<CrashPoint>,
    /// Options of Redis.
    pub redis: Vec<&'static str>,
    /// Whether a proxy stands before Redis, which can break things.
    pub proxy: bool,
    /// Whether what stands before Redis keeps every value and can bring old ones back.
    pub recorder: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: "secrets_over_ussd = \"allow\"".to_owned(),
            partner: "",
            server: "",
            channel: "",
            limits: ROOMY,
            favourites: vec!["Providus Bank", "Zenith Bank"],
            timeout: 60,
            v1: false,
            switches: MonoSwitches::immediate(),
            provider: None,
            level: "trace",
            lease_margin: None,
            active: "k1".to_owned(),
            panic_at: None,
            redis: Vec::new(),
            proxy: false,
            recorder: false,
        }
    }
}

impl Options {
    /// The part of a configuration that says whom it serves, and through a provider at which address; it may end itself at
    /// an edge.
    pub fn serves(&self, base: &str, abort: Option<(CrashPoint, u64)>) -> String {
        let dialect = if self.v1 {
            format!("dialect = \"v1\"\napp_id = \"{APP}\"")
        } else {
            "customer.email = \"test+{ref}@example.com\"".to_owned()
        };
        let margin = self.lease_margin.map(|margin| format!("lease_margin = {margin}\n"));
        let panics = self.panic_at.map(|edge| format!("panic_at = \"{}\"\n", edge.as_str()));
        let abort = abort.map(|(edge, after)| format!("abort_at = \"{}\"\nabort_after = {after}\n", edge.as_str()));
        format!(
            r#"
[[channels]]
name = "{CHANNEL}"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "{SECRET}"
country = "NG"
{channel}

[providers.mono]
base_url = "{base}"
secret_key = "{KEY}"
webhook_secret = "{WEBHOOK_SECRET}"
favourites = {favourites:?}
timeout = {timeout}
{dialect}

[policy]
{policy}

[sandbox]
{margin}{abort}{panics}"#,
            channel = self.channel,
            favourites = self.favourites,
            timeout = self.timeout,
            policy = self.policy,
            margin = margin.unwrap_or_default(),
            abort = abort.unwrap_or_default(),
            panics = panics.unwrap_or_default(),
        )
    }
}
