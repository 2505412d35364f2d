//! What depends on the installation, what Mono's documentation leaves open, and how both stand in `[providers.mono]`.

use std::sync::Arc;
use std::time::Duration;

use super::Mono;
use crate::http_client::base_url::{BaseUrl, BaseUrlError, parse_base_url};
use crate::providers::registration::{
    LoginKind, ProviderDefaults, ProviderRegistration, ProviderSetting, ProviderSetup, SettingFault, SettingKind,
    Strictness,
};
use crate::providers::{Journey, KeyRequirement, ProviderKeys};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonoApiVersion {
    /// With v3's list of institutions: the current one.
    V2,
    /// With flat replies: the one of 2022.
    V1,
}

/// What depends on the installation, or is left open by Mono's documentation.
pub struct MonoSettings {
    /// The root of the API, such as `https://api.withmono.com`; the key selects live or sandbox.
    pub base_url: BaseUrl,
    pub dialect: MonoApiVersion,
    pub customer: CustomerTemplate,
    /// See `ProviderFacts::timeout`. Mono's list says 35 to 50 seconds for some institutions; giving up early would make an
    /// answer Unknown.
    pub submit_timeout: Duration,
    pub institutions_ttl: Duration,
    pub favourites: Vec<String>,
    pub unlink: UnlinkCall,
    /// Where the later answers of a reauthorisation are posted, below the base URL. Only the first call is documented; the
    /// commit path of linking is the likeliest.
    pub reauth_commit_path: String,
    /// Whether the code that ends a reauthorisation is exchanged like that of a link; not documented. If it is not, the grant
    /// is empty, and redeeming it makes no call and returns no account.
    pub exchange_reauth_code: bool,
    /// Whether `meta.session_id` of an account is the connect session it was linked in. The field is documented, its meaning
    /// is not. If it means something else, it does not identify accounts, and a login whose answer was lost cannot be found
    /// by it. `None`: it is seen from the accounts themselves, see [`SessionMeaning::Unpublished`].
    ///
    /// [`SessionMeaning::Unpublished`]: crate::providers::SessionMeaning::Unpublished
    pub account_names_session: Option<bool>,
    /// How long calls other than submissions may take.
    pub call_timeout: Duration,
}

impl MonoSettings {
    /// With the likelier answer to each open question.
    pub fn new(base_url: BaseUrl, dialect: MonoApiVersion) -> Self {
        Self {
            base_url,
            dialect,
            customer: CustomerTemplate {
                name: "Customer {ref}".to_owned(),
                email: "customer+{ref}@example.invalid".to_owned(),
            },
            submit_timeout: TIMEOUT,
            institutions_ttl: INSTITUTIONS_TTL,
            favourites: Vec::new(),
            unlink: UnlinkCall::InPath,
            reauth_commit_path: match dialect {
                MonoApiVersion::V2 => "v2/connect/commit".to_owned(),
                MonoApiVersion::V1 => "v1/connect/commit".to_owned(),
            },
            exchange_reauth_code: true,
            account_names_session: None,
            call_timeout: Duration::from_secs(15),
        }
    }
}

/// The customer that Mono is given for an account. `{ref}` stands for a short reference to the person at their partner: it
/// stays the same, so that one person is one customer, no two people share an address, and nobody's number is given away;
/// many people here have no e-mail address.
#[derive(Clone, Debug)]
pub struct CustomerTemplate {
    pub name: String,
    pub email: String,
}

/// The keys of a partner at Mono.
pub const KEYS: &[KeyRequirement] = &[
    KeyRequirement {
        name: "secret_key",
        required: true,
        help: "The secret key of the app in Mono's dashboard; it decides between Mono's sandbox (test_sk_) and live (live_sk_).",
        check: secret_key,
        is_production: |key| key.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("live_")),
    },
    KeyRequirement {
        name: "app_id",
        required: false,
        help: "The app's public id; only the v1 API wants it.",
        check: not_empty,
        is_production: |_| false,
    },
    KeyRequirement {
        name: "webhook_secret",
        required: false,
        help: "What Mono sends with its webhooks; without it none is accepted.",
        check: not_empty,
        is_production: |_| false,
    },
];

fn not_empty(value: &str) -> Result<(), &'static str> {
    if value.is_empty() { Err("is empty") } else { Ok(()) }
}

/// A blank at an end would be lost on the way to Mono, and hide which environment a key is of.
fn secret_key(value: &str) -> Result<(), &'static str> {
    not_empty(value)?;
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("has blanks or other signs that no key has")
    }
}

/// How an account is unlinked: known clients do the first, one source documents a path without an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkCall {
    /// `POST accounts/{id}/unlink`, without a body.
    InPath,
    /// `POST accounts/unlink`, the id in a JSON member of this name.
    InBody(String),
}

/// The key decides whether this is Mono's sandbox.
const BASE_URL: &str = "https://api.withmono.com";
/// Mono's list says 35 to 50 seconds for some institutions; giving up early would make an answer Unknown.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Institutions change rarely, and Mono asks that its list be cached.
const INSTITUTIONS_TTL: Duration = Duration::from_hours(6);
/// The fewest characters of the secret that proves a webhook, where it protects anything.
const MIN_WEBHOOK_SECRET: usize = 16;

/// `[providers.mono]`
pub const REGISTRATION: ProviderRegistration = ProviderRegistration {
    name: "mono",
    keys: KEYS,
    settings: SETTINGS,
    // Everything is typed: there is no page of Mono's in this API.
    logins: &[LoginKind {
        journey: Journey::Keypad,
        asks_secret: true,
    }],
    defaults: ProviderDefaults {
        base_url: Some(BASE_URL),
        timeout: TIMEOUT,
        institutions_ttl: INSTITUTIONS_TTL,
    },
    // A registered business, a licence or a licensed partner, six months of trading, and Mono's data-privacy agreement.
    asks_eligibility: true,
    check,
    build: |setup, client| Ok(Arc::new(Mono::new(mono_settings(setup)?, client))),
};

const SETTINGS: &[ProviderSetting] = &[
    ProviderSetting::optional(
        "dialect",
        SettingKind::Choice(&["v2", "v1"]),
        "the version of the API that the account is for",
    ),
    ProviderSetting {
        key: "customer.name",
        kind: SettingKind::Text(|_| Ok(())),
        required: false,
        default: Some("Customer {ref}"),
        remedy: "write what Mono is to call a customer, with {ref} in it",
    },
    ProviderSetting {
        key: "customer.email",
        kind: SettingKind::Text(check_email),
        required: false,
        default: None,
        remedy: EMAIL_REMEDY,
    },
    ProviderSetting::optional(
        "unpublished.unlink_member",
        SettingKind::Text(|_| Ok(())),
        "name the JSON member that carries an account's id",
    ),
    ProviderSetting::optional(
        "unpublished.renewal_path",
        SettingKind::Text(check_path),
        "write it without a slash before it: v2/connect/commit",
    ),
    ProviderSetting::optional("unpublished.renewal_code", SettingKind::Flag, "say true or false"),
    ProviderSetting::optional(
        "unpublished.account_names_session",
        SettingKind::Flag,
        "say true or false",
    ),
];

const EMAIL_REMEDY: &str =
    "write an address of a domain of yours with {ref} in it, such as \"kiungo+{ref}@example.com\"";

fn check_email(text: &str) -> Result<(), &'static str> {
    let (local, domain) = text.split_once('@').unwrap_or(("", ""));
    if local.is_empty() || !domain.contains('.') {
        Err("is not an e-mail address")
    } else if text.contains("{ref}") {
        Ok(())
    } else {
        Err("has no {ref}, so that everybody would be one customer")
    }
}

fn check_path(text: &str) -> Result<(), &'static str> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_".contains(&b));
    let below = plain && !text.starts_with('/') && !text.contains("//");
    if below {
        Ok(())
    } else {
        Err("is no path below the base")
    }
}

fn check(setup: &ProviderSetup, keys: &ProviderKeys, strictness: Strictness) -> Vec<SettingFault> {
    let mut faults = Vec::new();
    // In version 1 no session names a customer.
    if dialect(setup) == MonoApiVersion::V2 && setup.own.text("customer.email").is_none() {
        faults.push(SettingFault {
            key: "customer.email",
            problem: "is missing",
            remedy: EMAIL_REMEDY,
        });
    }
    match (dialect(setup), keys.get("app_id")) {
        (MonoApiVersion::V1, None) => faults.push(SettingFault {
            key: "app_id",
            problem: "is missing",
            remedy: "the v1 dialect sends it with every session",
        }),
        (MonoApiVersion::V2, Some(_)) => faults.push(SettingFault {
            key: "app_id",
            problem: "is not used by the v2 dialect",
            remedy: "leave it out",
        }),
        _ => {}
    }
    let secret = keys.get("webhook_secret");
    if strictness == Strictness::Strict && secret.is_some_and(|secret| secret.expose().len() < MIN_WEBHOOK_SECRET) {
        faults.push(SettingFault {
            key: "webhook_secret",
            problem: "is shorter than 16 characters",
            remedy: "draw one with: openssl rand -hex 24",
        });
    }
    faults
}

fn dialect(setup: &ProviderSetup) -> MonoApiVersion {
    match setup.own.text("dialect") {
        Some("v1") => MonoApiVersion::V1,
        _ => MonoApiVersion::V2,
    }
}

/// The settings as they were configured, over those that a new installation begins with.
fn mono_settings(setup: ProviderSetup) -> Result<MonoSettings, BaseUrlError> {
    let mut settings = MonoSettings::new(parse_base_url(setup.base_url.as_str(), true)?, dialect(&setup));
    let own = setup.own;
    let text = |key: &str, usual: String| own.text(key).map_or(usual, str::to_owned);
    let flag = |key: &str, usual: bool| own.flag(key).unwrap_or(usual);
    settings.customer = CustomerTemplate {
        name: text("customer.name", settings.customer.name),
        email: text("customer.email", settings.customer.email),
    };
    settings.submit_timeout = setup.timeout;
    settings.institutions_ttl = setup.institutions_ttl;
    settings.favourites = setup.favourites;
    if let Some(member) = own.text("unpublished.unlink_member") {
        settings.unlink = UnlinkCall::InBody(member.to_owned());
    }
    settings.reauth_commit_path = text("unpublished.renewal_path", settings.reauth_commit_path);
    settings.exchange_reauth_code = flag("unpublished.renewal_code", settings.exchange_reauth_code);
    settings.account_names_session = own.flag("unpublished.account_names_session");
    Ok(settings)
}
