//! `[providers.…]`: who links accounts, and our credentials there.

use std::time::Duration;

use serde::{Serialize, Serializer};
use url::Url;

use super::http_url::{URL_REMEDY, https_or_loopback};
use super::secret::ConfigSecret;
use super::section::Section;
use super::{MIN_SECRET_LENGTH, Mode};
use crate::providers::mono::{CustomerTemplate, MonoApiVersion};

/// In seconds. Mono's list says 35 to 50 for some institutions; giving up early would make an answer Unknown.
const TIMEOUT: u64 = 60;
/// The key decides whether this is Mono's sandbox.
const MONO: &str = "https://api.withmono.com";
/// In seconds. Institutions change rarely, and Mono asks that its list be cached.
const INSTITUTIONS_TTL: u64 = 6 * 60 * 60;

#[derive(Debug, Serialize)]
pub struct ProvidersConfig {
    pub mono: Option<MonoConfig>,
}

#[derive(Debug, Serialize)]
pub struct MonoConfig {
    pub base_url: Url,
    /// Sent as `mono-sec-key`.
    pub secret_key: ConfigSecret,
    pub dialect: MonoApiVersion,
    /// Required by v1, and only used by it.
    pub app_id: Option<String>,
    pub customer: CustomerTemplate,
    /// What Mono sends with its webhooks. Without it none is accepted.
    pub webhook_secret: Option<ConfigSecret>,
    /// How long its list of institutions is used before it is read again.
    #[serde(serialize_with = "seconds")]
    pub institutions_ttl: Duration,
    /// Names of institutions to show first, in this order.
    pub favourites: Vec<String>,
    /// How long a login may take if Mono's list does not say.
    #[serde(serialize_with = "seconds")]
    pub timeout: Duration,
    #[serde(skip_serializing_if = "MonoUnpublished::is_default")]
    pub unpublished: MonoUnpublished,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

/// What Mono's documentation leaves open, and an installation can find out in Mono's own sandbox. The likelier answer is the
/// default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MonoUnpublished {
    /// The JSON member that carries the account's id when it is unlinked; without it, the id is in the path.
    pub unlink_member: Option<String>,
    /// Where the later answers of a reauthorisation are posted, below the base URL.
    pub renewal_path: Option<String>,
    /// Whether the code that ends a reauthorisation is exchanged like that of a link.
    pub renewal_code: Option<bool>,
    /// Whether an account names the connect session it was linked in.
    pub account_names_session: Option<bool>,
}

impl MonoUnpublished {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn read(mut section: Section<'_>) -> ProvidersConfig {
    let mono = section.section("mono");
    if !mono.is_present() {
        section.report(
            "mono",
            "is missing",
            "set up a provider: write [providers.mono] and its secret_key",
        );
    }
    let mono = mono.is_present().then(|| read_mono(mono)).flatten();
    section.report_unknown_keys();
    ProvidersConfig { mono }
}

fn read_mono(mut section: Section<'_>) -> Option<MonoConfig> {
    let base_url = if section.contains("base_url") {
        section.parsed("base_url", URL_REMEDY, https_or_loopback)
    } else {
        section.mark_known("base_url");
        Url::parse(MONO).ok()
    };
    let secret_key = section.required_secret("secret_key").filter(|key| {
        let live_in_sandbox = section.mode() == Mode::Sandbox && key.expose().starts_with("live_");
        if live_in_sandbox {
            let remedy = "use a test_sk_ key here; write a configuration file to go live";
            section.report("secret_key", "is a production key, which the sandbox refuses", remedy);
        }
        !live_in_sandbox
    });
    let dialect = section
        .one_of("dialect", &[("v2", MonoApiVersion::V2), ("v1", MonoApiVersion::V1)])
        .unwrap_or(MonoApiVersion::V2);
    let app_id = section.text("app_id");
    match (dialect, &app_id) {
        (MonoApiVersion::V1, None) => {
            section.report("app_id", "is missing", "the v1 dialect sends it with every session");
        }
        (MonoApiVersion::V2, Some(_)) => section.report("app_id", "is not used by the v2 dialect", "leave it out"),
        _ => {}
    }
    let customer = read_customer(section.section("customer"));
    let webhook_secret = section.secret("webhook_secret").filter(|secret| {
        let short = section.mode() == Mode::Production && secret.expose().len() < MIN_SECRET_LENGTH;
        if short {
            let problem = format!("is shorter than {MIN_SECRET_LENGTH} characters");
            section.report("webhook_secret", problem, "draw one with: openssl rand -hex 24");
        }
        !short
    });
    let institutions_ttl = section
        .number("institutions_ttl", 60..=604_800)
        .unwrap_or(INSTITUTIONS_TTL);
    let timeout = section.number("timeout", 1..=120).unwrap_or(TIMEOUT);
    let favourites = section.text_list("favourites").unwrap_or_default();
    let unpublished = read_unpublished(section.section("unpublished"));
    section.report_unknown_keys();
    Some(MonoConfig {
        base_url: base_url?,
        secret_key: secret_key?,
        dialect,
        app_id,
        customer: customer?,
        webhook_secret,
        institutions_ttl: Duration::from_secs(institutions_ttl),
        favourites,
        timeout: Duration::from_secs(timeout),
        unpublished,
    })
}

fn read_unpublished(mut section: Section<'_>) -> MonoUnpublished {
    let path = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_".contains(&b));
        let below = plain && !text.starts_with('/') && !text.contains("//");
        below
            .then(|| text.to_owned())
            .ok_or_else(|| "is no path below the base".to_owned())
    };
    let read = MonoUnpublished {
        unlink_member: section.text("unlink_member"),
        renewal_path: section.parsed(
            "renewal_path",
            "write it without a slash before it: v2/connect/commit",
            path,
        ),
        renewal_code: section.flag("renewal_code"),
        account_names_session: section.flag("account_names_session"),
    };
    section.report_unknown_keys();
    read
}

fn read_customer(mut section: Section<'_>) -> Option<CustomerTemplate> {
    let name = section.text("name").unwrap_or_else(|| "Customer {ref}".to_owned());
    let remedy = "write an address of a domain of yours with {ref} in it, such as \"kiungo+{ref}@example.com\"";
    let email = section.required("email", remedy, |text| {
        let (local, domain) = text.split_once('@').unwrap_or(("", ""));
        if local.is_empty() || !domain.contains('.') {
            Err("is not an e-mail address".to_owned())
        } else if text.contains("{ref}") {
            Ok(text.to_owned())
        } else {
            Err("has no {ref}, so that everybody would be one customer".to_owned())
        }
    });
    section.report_unknown_keys();
    Some(CustomerTemplate { name, email: email? })
}
