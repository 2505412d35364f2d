//! `[providers.…]`: who links accounts, and our keys there.

use std::time::Duration;

use url::Url;

use super::http_url::{URL_REMEDY, https_or_loopback};
use super::section::Section;
use super::{MIN_SECRET_LENGTH, Mode};
use crate::core::secret::Secret;

/// In seconds. Mono's own list says 35 to 50 for some institutions; giving up early would make an answer Unknown.
const TIMEOUT: u64 = 60;
/// Where Mono answers; the key decides whether it is its sandbox.
const MONO: &str = "https://api.withmono.com";
/// Banks come and go slowly, and Mono asks for its list to be cached.
const INSTITUTIONS_TTL: u64 = 6 * 60 * 60;

/// The providers that are set up.
#[derive(Debug)]
pub struct ProvidersConfig {
    /// Mono, if it is.
    pub mono: Option<MonoConfig>,
}

/// How to use Mono.
#[derive(Debug)]
pub struct MonoConfig {
    /// Where it answers.
    pub base_url: Url,
    /// Our key (`mono-sec-key`).
    pub secret_key: Secret,
    /// Which generation of its API to speak.
    pub dialect: MonoApiVersion,
    /// Our application id; there exactly when the dialect is v1.
    pub app_id: Option<String>,
    /// Whom to say the account belongs to.
    pub customer: CustomerPattern,
    /// What Mono sends with its webhooks. Without it none is taken.
    pub webhook_secret: Option<Secret>,
    /// How long its list of institutions is used before it is read again.
    pub institutions_ttl: Duration,
    /// Names of institutions to show first, in this order.
    pub favourites: Vec<String>,
    /// How long a login may take where Mono's list does not say.
    pub timeout: Duration,
    /// What Mono does not publish.
    pub unpublished: MonoUnpublished,
}

/// What Mono's documentation leaves open, and an installation can find out in Mono's own sandbox. Without a word here the
/// likelier answer is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonoUnpublished {
    /// The JSON member that an unlinking carries the account's id in; without it, the id stands in the path.
    pub unlink_member: Option<String>,
    /// Where the later answers of a renewal are posted, below the base.
    pub renewal_path: Option<String>,
    /// Whether the code that ends a renewal is exchanged like that of a link.
    pub renewal_code: Option<bool>,
    /// Whether an account names the connect session it was linked in.
    pub account_names_session: Option<bool>,
}

/// A generation of Mono's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonoApiVersion {
    /// The present one.
    V2,
    /// The one before.
    V1,
}

/// Patterns for the customer a provider is told about; people at a keypad are not asked for an e-mail address.
/// `{ref}` stands for a reference that tells people apart and says nothing about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerPattern {
    /// For the name.
    pub name: String,
    /// For the e-mail address.
    pub email: String,
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
            section.report("app_id", "is missing", "the v1 dialect sends it with every session")
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

fn read_customer(mut section: Section<'_>) -> Option<CustomerPattern> {
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
    Some(CustomerPattern { name, email: email? })
}
