//! `[[channels]]`: the short codes, each on one gateway.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::limit_overrides::{self, NetworkSection};
use super::own_settings;
use super::policy::{COUNTRY_REMEDY, parse_country};
use super::secret::ConfigSecret;
use super::section::Section;
use super::{MIN_SECRET_LENGTH, Mode};
use crate::core::secret::Secret;
use crate::gateways::limit_overrides::ChannelLimitOverrides;
use crate::gateways::settings::SettingValues;
use crate::gateways::ussd::ChannelFacts;
use crate::gateways::{self, GatewayRegistration, UssdGateway, UssdRegistration, UssdSetup};
use crate::service::networks::Networks;

/// One short code on one gateway.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename = "ussd")]
pub struct ChannelConfig {
    /// As in the callback's path: `/ussd/{name}/{secret}`.
    pub name: String,
    /// One of [`gateways::GATEWAYS`] that carries USSD.
    pub gateway: String,
    /// The code people dial, such as `*384*96#`.
    pub service_code: String,
    /// The secret segment of the callback's path.
    pub secret: ConfigSecret,
    /// ISO 3166-1 alpha-2, upper case: of numbers in national format.
    pub country: String,
    /// Where its gateway calls from; empty means from anywhere.
    pub sources: Networks,
    /// What the gateway's adapter declares.
    #[serde(flatten)]
    pub shown_settings: ShownSettings,
    /// The paths below its callback URL that are to be registered with the gateway.
    #[serde(skip)]
    pub callback_paths: &'static [&'static str],
    /// The adapter, built with its settings.
    #[serde(skip)]
    pub adapter: BuiltGateway,
    /// Limits agreed with the gateway, in place of the adapter's.
    #[serde(flatten)]
    pub limit_overrides: ChannelLimitOverrides,
}

impl ChannelConfig {
    /// Septets of the smallest page on any network with limits of its own, without the gateway's prefix.
    pub fn smallest_page(&self) -> u16 {
        let gateway = &self.adapter.0;
        let networks = self.limit_overrides.networks.keys().map(|code| Some(code.as_str()));
        let pages = networks.chain([None]).map(|network| {
            let limits = self.limit_overrides.apply_to(gateway.limits(network), network);
            limits.out_septets.saturating_sub(gateway.overhead())
        });
        pages.min().unwrap_or_default()
    }
}

/// An adapter's own settings as they are shown: without any secret.
#[derive(Debug, Serialize)]
pub struct ShownSettings(serde_json::Map<String, serde_json::Value>);

impl ShownSettings {
    fn of(values: &SettingValues) -> Self {
        match serde_json::to_value(values) {
            Ok(serde_json::Value::Object(shown)) => Self(shown),
            _ => Self(serde_json::Map::new()),
        }
    }
}

/// A gateway's adapter.
pub struct BuiltGateway(pub Box<dyn UssdGateway>);

impl fmt::Debug for BuiltGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// What all channels are read with.
pub(super) struct ChannelReader<'a> {
    pub(super) gateways: &'static [GatewayRegistration],
    /// Our own public URL, without a trailing slash, if it is known.
    pub(super) public_url: Option<&'a str>,
    names: BTreeSet<String>,
}

pub(super) fn read(
    sections: Vec<Section<'_>>,
    gateways: &'static [GatewayRegistration],
    public_url: Option<&str>,
) -> Vec<ChannelConfig> {
    let mut reader = ChannelReader {
        gateways,
        public_url,
        names: BTreeSet::new(),
    };
    sections
        .into_iter()
        .filter_map(|section| reader.read_one(section))
        .collect()
}

fn carries_ussd(gateway: &GatewayRegistration) -> bool {
    gateway.ussd.is_some()
}

impl ChannelReader<'_> {
    fn read_one(&mut self, mut section: Section<'_>) -> Option<ChannelConfig> {
        let name = section.required("name", NAME_REMEDY, |text| unique_name(text, &mut self.names));
        let known_kind = section.required("kind", "say \"ussd\"", |text| match text {
            "ussd" => Ok(()),
            _ => Err("is not a kind of channel known here".to_owned()),
        });
        let known = format!(
            "known gateways: {}",
            gateways::gateway_names(self.gateways, carries_ussd)
        );
        let gateway = section.required("gateway", &known, |text| {
            let found = gateways::registration(self.gateways, text);
            let found = found.and_then(|gateway| Some((gateway.name, gateway.ussd?)));
            found.ok_or_else(|| "is not a gateway known here".to_owned())
        });
        let service_code = section.required(
            "service_code",
            "write it as people dial it, such as \"*384*96#\"",
            parse_service_code,
        );
        let secret = section
            .required_secret("secret")
            .filter(|secret| is_path_safe(&section, secret));
        let country = section.required("country", COUNTRY_REMEDY, parse_country);
        let sources = section.networks("sources");
        let mut overrides = limit_overrides::read(&mut section);
        let channel = ChannelFacts {
            callback: self.callback(name.as_deref(), secret.as_deref()),
            name: name.clone().unwrap_or_default(),
            country: country.clone().unwrap_or_default(),
            service_code: service_code.clone().unwrap_or_default(),
        };
        let built = self.build(&mut section, gateway.as_ref(), channel);
        let agreement = std::mem::take(&mut overrides.agreement);
        if let Some((_, adapter)) = &built {
            limit_overrides::check(&section, &overrides.networks, &agreement, adapter.0.as_ref());
        }
        overrides
            .networks
            .into_iter()
            .for_each(NetworkSection::report_unknown_keys);
        section.report_unknown_keys();
        known_kind?;
        let (shown_settings, adapter) = built?;
        let (gateway, ussd) = gateway?;
        Some(ChannelConfig {
            name: name?,
            gateway: gateway.to_owned(),
            callback_paths: ussd.requirements.callback_paths,
            service_code: service_code?,
            secret: secret?,
            country: country?,
            sources,
            shown_settings,
            adapter,
            limit_overrides: agreement,
        })
    }

    /// The public URL of the channel's callback.
    fn callback(&self, name: Option<&str>, secret: Option<&Secret>) -> Option<Secret> {
        let (base, name, secret) = (self.public_url?, name?, secret?);
        Some(Secret::new(format!("{base}/ussd/{name}/{}", secret.expose())))
    }

    /// Reads the adapter's own settings and builds it with them.
    fn build(
        &self,
        section: &mut Section<'_>,
        gateway: Option<&(&'static str, UssdRegistration)>,
        channel: ChannelFacts,
    ) -> Option<(ShownSettings, BuiltGateway)> {
        let Some((_, ussd)) = gateway else {
            own_settings::skip_all(section, self.gateways, |gateway| {
                gateway.ussd.map_or(&[], |ussd| ussd.requirements.settings)
            });
            return None;
        };
        if ussd.requirements.public_url && self.public_url.is_none() {
            section.report(
                "gateway",
                "puts our own public URL into its replies, which is not known",
                "set public_url in [server]",
            );
        }
        let own = own_settings::read(section, ussd.requirements.settings)?;
        let shown = ShownSettings::of(&own);
        match (ussd.build)(UssdSetup { channel, own }) {
            Ok(adapter) => Some((shown, BuiltGateway(adapter))),
            Err(error) => {
                section.report(error.key, error.problem, error.remedy);
                None
            }
        }
    }
}

fn parse_service_code(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('*').and_then(|rest| rest.strip_suffix('#'));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    inner
        .filter(|inner| inner.split('*').all(digits))
        .map(|_| text.to_owned())
        .ok_or_else(|| "is not a short code".to_owned())
}

/// The remedy for [`unique_name`].
pub(super) const NAME_REMEDY: &str = "use small letters, digits and hyphens, each name once";

/// A name that can be a path segment, and that no other channel has.
pub(super) fn unique_name(text: &str, names: &mut BTreeSet<String>) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || !text.bytes().all(plain) {
        return Err("is not a name".to_owned());
    }
    if !names.insert(text.to_owned()) {
        return Err("is the name of another channel, too".to_owned());
    }
    Ok(text.to_owned())
}

/// Long enough, and only of characters that every gateway leaves unchanged in a path.
pub(super) fn is_path_safe(section: &Section<'_>, secret: &ConfigSecret) -> bool {
    let text = secret.expose();
    let remedy = "draw one with: openssl rand -hex 24";
    if section.mode() == Mode::Production && text.len() < MIN_SECRET_LENGTH {
        section.report(
            "secret",
            format!("is shorter than {MIN_SECRET_LENGTH} characters"),
            remedy,
        );
        return false;
    }
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !plain {
        section.report("secret", "has characters that do not stand in a path", remedy);
    }
    plain
}
