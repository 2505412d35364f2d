//! `[[sms]]`: the gateways that carry SMS.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use url::Url;

use super::channels::{NAME_REMEDY, is_path_safe, unique_name};
use super::http_url::{URL_REMEDY, https_or_loopback};
use super::own_settings;
use super::policy::{COUNTRY_REMEDY, parse_country};
use super::secret::ConfigSecret;
use super::section::Section;
use crate::gateways::settings::SettingValues;
use crate::gateways::sms::SmsRequirements;
use crate::gateways::{GatewayRegistration, SmsRegistration, gateway_names, registration};

/// The most messages a person gets in a day.
const DAILY_CAP: u32 = 40;

/// One SMS gateway.
#[derive(Debug, Serialize)]
pub struct SmsConfig {
    /// As in the callback's path: `/sms/{name}/{secret}`.
    pub name: String,
    /// One of [`crate::gateways::GATEWAYS`] that carries SMS.
    pub gateway: String,
    /// Its row.
    #[serde(skip)]
    pub registration: SmsAdapter,
    pub base_url: Url,
    pub username: Option<String>,
    pub api_key: ConfigSecret,
    /// Verifies its signatures, if it has a key of its own for that.
    pub signing_key: Option<ConfigSecret>,
    /// Its way of sending, if it has several.
    pub route: Option<String>,
    /// A registered name, a number or a short code.
    pub sender: Option<String>,
    /// The secret segment of the callback's path.
    pub secret: ConfigSecret,
    /// ISO 3166-1 alpha-2, upper case: whose numbers it serves, and of numbers in national format.
    pub country: String,
    /// The most messages one person gets from it in 24 hours.
    pub daily_cap: u32,
    /// What the gateway's adapter declares.
    #[serde(flatten)]
    pub own: SettingValues,
}

/// How the gateway is built.
#[derive(Clone, Copy)]
pub struct SmsAdapter(pub SmsRegistration);

impl fmt::Debug for SmsAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmsAdapter")
    }
}

/// `public`: whether our own public URL is known.
pub(super) fn read(
    sections: Vec<Section<'_>>,
    gateways: &'static [GatewayRegistration],
    public: bool,
) -> Vec<SmsConfig> {
    let mut names = BTreeSet::new();
    sections
        .into_iter()
        .filter_map(|section| read_one(section, gateways, &mut names, public))
        .collect()
}

fn read_one(
    mut section: Section<'_>,
    gateways: &'static [GatewayRegistration],
    names: &mut BTreeSet<String>,
    public: bool,
) -> Option<SmsConfig> {
    let name = section.required("name", NAME_REMEDY, |text| unique_name(text, names));
    let known = format!(
        "known SMS gateways: {}",
        gateway_names(gateways, |gateway| gateway.sms.is_some())
    );
    let gateway = section.required("gateway", &known, |text| {
        let found = registration(gateways, text).and_then(|gateway| gateway.sms);
        found
            .map(|sms| (text.to_owned(), sms))
            .ok_or_else(|| "is not an SMS gateway known here".to_owned())
    });
    let api_key = section.required_secret("api_key");
    let secret = section
        .required_secret("secret")
        .filter(|secret| is_path_safe(&section, secret));
    let country = section.required("country", COUNTRY_REMEDY, parse_country);
    let daily_cap = section.number("daily_cap", 1..=1000).unwrap_or(DAILY_CAP);
    let sender_given = section.contains("sender");
    let sender = section.parsed(
        "sender",
        "write at most 34 characters of the GSM alphabet",
        parse_sender,
    );
    let Some((gateway, adapter)) = gateway else {
        skip_gateway_specific(section, gateways);
        return None;
    };
    let needs = adapter.requirements;
    if needs.sender && !sender_given {
        let remedy = "name what texts come from, as registered with the gateway";
        section.report("sender", "is missing", remedy);
    }
    if needs.public_url && !public {
        let problem = "signs over our own public URL, which is not known";
        section.report("gateway", problem, "set public_url in [server]");
    }
    let specific = read_gateway_specific(&mut section, needs);
    let own = own_settings::read(&mut section, needs.settings);
    section.report_unknown_keys();
    let (base_url, username, signing_key, route) = specific?;
    Some(SmsConfig {
        name: name?,
        gateway,
        registration: SmsAdapter(adapter),
        base_url,
        username,
        api_key: api_key?,
        signing_key,
        route,
        sender,
        secret: secret?,
        country: country?,
        daily_cap,
        own: own?,
    })
}

/// The other keys may be right for the gateway that was meant.
fn skip_gateway_specific(mut section: Section<'_>, gateways: &[GatewayRegistration]) {
    for key in ["base_url", "username", "route", "signing_key", "signing_key_file"] {
        section.skip(key);
    }
    own_settings::skip_all(&mut section, gateways, |gateway| {
        gateway.sms.map_or(&[], |sms| sms.requirements.settings)
    });
    section.report_unknown_keys();
}

type GatewaySpecific = (Url, Option<String>, Option<ConfigSecret>, Option<String>);

/// The keys that differ between gateways.
fn read_gateway_specific(section: &mut Section<'_>, needs: &SmsRequirements) -> Option<GatewaySpecific> {
    let base_url = match needs.base_url.filter(|_| !section.contains("base_url")) {
        Some(usual) => {
            section.mark_known("base_url");
            Url::parse(usual).ok()
        }
        None => section.required("base_url", URL_REMEDY, https_or_loopback),
    };
    let username = if let Some(what) = needs.username {
        Some(section.required("username", &format!("give {what}"), |text| Ok(text.to_owned()))?)
    } else {
        section.reject_unused("username");
        None
    };
    let signing_key = if needs.signing_key {
        section.secret("signing_key")
    } else {
        section.reject_unused("signing_key");
        section.reject_unused("signing_key_file");
        None
    };
    let route = if needs.routes.is_empty() {
        section.reject_unused("route");
        None
    } else {
        let words: Vec<_> = needs.routes.iter().map(|word| (*word, *word)).collect();
        let route = section.one_of("route", &words).or(needs.routes.first().copied());
        route.map(str::to_owned)
    };
    Some((base_url?, username, signing_key, route))
}

fn parse_sender(text: &str) -> Result<String, String> {
    let plain = crate::core::gsm7::septets(text).is_some_and(|septets| septets <= 34);
    if plain && !text.contains(['\n', '\r']) {
        Ok(text.to_owned())
    } else {
        Err("cannot stand as a sender".to_owned())
    }
}
