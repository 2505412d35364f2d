//! The settings used without a configuration file: everything on this machine, nothing that costs or harms anybody.

use std::path::Path;
#[cfg(feature = "sandbox")]
use std::time::Duration;

#[cfg(feature = "sandbox")]
use super::section::Section;
#[cfg(feature = "sandbox")]
use crate::core::flow::LEASE_MARGIN;
#[cfg(feature = "sandbox")]
use crate::core::webhook::WebhookTiming;
#[cfg(feature = "sandbox")]
use crate::service::deps::CrashPoint;

/// Switches for tests of the whole server; unknown to a build without the sandbox.
#[cfg(feature = "sandbox")]
#[derive(Debug)]
pub struct SandboxConfig {
    /// The [`CrashPoint`] at which the process ends at once.
    pub abort_at: Option<String>,
    /// How often that crash point is passed unharmed first.
    pub abort_after: u64,
    /// The [`CrashPoint`] at which the work that reaches it first panics.
    pub panic_at: Option<String>,
    /// How much longer than the provider's timeout an attempt's lease lasts, see [`LEASE_MARGIN`].
    pub lease_margin: Duration,
    /// `clock_ahead`: how far this machine's clock is ahead of the right time, in milliseconds; behind when negative.
    pub clock_ahead_ms: i64,
    /// `webhook_patience`, in milliseconds, and `webhook_haste`.
    pub webhooks: WebhookTiming,
}

#[cfg(feature = "sandbox")]
pub(super) fn read(mut section: Section<'_>) -> SandboxConfig {
    let crash_point = |word: &str| {
        let known = CrashPoint::ALL.into_iter().find(|point| point.as_str() == word);
        known
            .map(|point| point.as_str().to_owned())
            .ok_or_else(|| "is no edge of an attempt".to_owned())
    };
    let abort_at = section.parsed("abort_at", "name an edge, or leave it out", crash_point);
    let panic_at = section.parsed("panic_at", "name an edge, or leave it out", crash_point);
    let abort_after = section.number("abort_after", 0..=1_000_000).unwrap_or(0);
    let lease_margin = section
        .number("lease_margin", 1..=60)
        .map_or(LEASE_MARGIN, Duration::from_secs);
    let clock_ahead_ms = section.number("clock_ahead", -100_000_000..=100_000_000).unwrap_or(0);
    let mut webhooks = WebhookTiming::default();
    if let Some(millis) = section.number("webhook_patience", 1..=60_000) {
        webhooks.response_timeout = Duration::from_millis(millis);
    }
    if let Some(haste) = section.number("webhook_haste", 1..=1_000_000) {
        webhooks.speedup = haste;
    }
    section.report_unknown_keys();
    SandboxConfig {
        abort_at,
        abort_after,
        panic_at,
        lease_margin,
        clock_ahead_ms,
        webhooks,
    }
}

/// The secret path segment of the sandbox's channel.
pub const CHANNEL_SECRET: &str = "sandbox";
/// The key that the built-in stand-in for Mono takes.
pub const MONO_KEY: &str = "test_sk_sandbox0000000000";
/// Where the built-in stand-in for Mono is: replaced by its real address once it listens.
pub const MONO_URL: &str = "http://127.0.0.1:0";
/// The key that the built-in stand-in for an SMS gateway takes.
pub const SMS_KEY: &str = "sandbox-sms-key";
/// Where the built-in stand-in for an SMS gateway is: replaced by its real address once it listens.
pub const SMS_URL: &str = "http://127.0.0.1:0";
/// The name of the sandbox's SMS gateway, and our name there.
pub const SMS_NAME: &str = "sandbox";
/// The secret path segment of the sandbox's SMS callback.
pub const SMS_SECRET: &str = "sandbox-sms";
/// The number that the sandbox's texts come from, and that texts can be sent to.
pub const SMS_NUMBER: &str = "38496";
/// What the stand-in sends with its webhooks.
pub const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

/// The secret key of the sandbox's partner at our API.
pub const API_SECRET_KEY: &str = "kg_sk_sandbox_0000000000000000000000000000000000000000000";
/// The publishable key of the sandbox's partner at our API.
pub const API_PUBLISHABLE_KEY: &str = "kg_pub_sandbox_0000000000000000000000000000000000000000000";

/// Secrets that everybody knows: refused wherever there is a configuration file.
pub(super) const WELL_KNOWN_SECRETS: &[&str] = &[CHANNEL_SECRET, MONO_KEY, WEBHOOK_SECRET, SMS_KEY, SMS_SECRET];

/// The sandbox's configuration, as a file would say it.
pub(super) fn sandbox_toml(data_dir: &Path) -> String {
    let database = quoted(&format!("sqlite:{}", data_dir.join("kiungo.db").display()));
    let keys = quoted(&data_dir.join("keys").display().to_string());
    format!(
        r#"
[server]
listen = "127.0.0.1:8080"

[store]
url = "memory:"

[records]
url = {database}

[keys]
dir = {keys}
active = "k1"

[policy]
secrets_over_ussd = "warn"

[partner]
name = "Sandbox Lender"
purpose = "a loan decision"

[[channels]]
name = "sandbox"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "{CHANNEL_SECRET}"
country = "NG"

[[sms]]
name = "{SMS_NAME}"
gateway = "africastalking"
base_url = "{SMS_URL}"
username = "{SMS_NAME}"
api_key = "{SMS_KEY}"
sender = "{SMS_NUMBER}"
secret = "{SMS_SECRET}"
country = "NG"

[providers.mono]
base_url = "{MONO_URL}"
secret_key = "{MONO_KEY}"
webhook_secret = "{WEBHOOK_SECRET}"
favourites = ["GTBank", "Access Bank", "Zenith Bank", "UBA", "First Bank", "Kuda", "OPay", "Moniepoint"]
customer.email = "sandbox+{{ref}}@example.com"
"#
    )
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
