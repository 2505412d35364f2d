//! `[[channels]]`: the short codes, each on one gateway.

use std::collections::BTreeSet;

use serde::Serialize;

use super::limit_overrides;
use super::policy::{COUNTRY_REMEDY, parse_country};
use super::secret::ConfigSecret;
use super::section::Section;
use super::{MIN_SECRET_LENGTH, Mode};
use crate::gateways;
use crate::gateways::limit_overrides::ChannelLimitOverrides;
use crate::service::networks::Networks;

/// One short code on one gateway.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename = "ussd")]
pub struct ChannelConfig {
    /// As in the callback's path: `/ussd/{name}/{secret}`.
    pub name: String,
    /// One of [`gateways::USSD_GATEWAYS`].
    pub gateway: String,
    /// The code people dial, such as `*384*96#`.
    pub service_code: String,
    /// The secret segment of the callback's path.
    pub secret: ConfigSecret,
    /// ISO 3166-1 alpha-2, upper case: of numbers in national format.
    pub country: String,
    /// Where its gateway calls from; empty means from anywhere.
    pub sources: Networks,
    /// Limits agreed with the gateway, in place of the adapter's.
    #[serde(flatten)]
    pub limit_overrides: ChannelLimitOverrides,
}

pub(super) fn read(sections: Vec<Section<'_>>) -> Vec<ChannelConfig> {
    let mut names = BTreeSet::new();
    sections
        .into_iter()
        .filter_map(|section| read_one(section, &mut names))
        .collect()
}

fn read_one(mut section: Section<'_>, names: &mut BTreeSet<String>) -> Option<ChannelConfig> {
    let name = section.required("name", NAME_REMEDY, |text| unique_name(text, names));
    let known_kind = section.required("kind", "say \"ussd\"", |text| match text {
        "ussd" => Ok(()),
        _ => Err("is not a kind of channel known here".to_owned()),
    });
    let known = format!("known gateways: {}", gateways::ussd_gateway_names());
    let gateway = section.required("gateway", &known, |text| {
        if gateways::ussd_gateway(text).is_some() {
            Ok(text.to_owned())
        } else {
            Err("is not a gateway known here".to_owned())
        }
    });
    let service_code = section.required(
        "service_code",
        "write it as people dial it, such as \"*384*96#\"",
        |text| {
            let inner = text.strip_prefix('*').and_then(|rest| rest.strip_suffix('#'));
            inner
                .filter(|inner| {
                    inner
                        .split('*')
                        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
                })
                .map(|_| text.to_owned())
                .ok_or_else(|| "is not a short code".to_owned())
        },
    );
    let secret = section
        .required_secret("secret")
        .filter(|secret| is_path_safe(&section, secret));
    let country = section.required("country", COUNTRY_REMEDY, parse_country);
    let sources = section.networks("sources");
    let agreement = limit_overrides::read(&mut section, gateway.as_deref());
    section.report_unknown_keys();
    known_kind?;
    Some(ChannelConfig {
        name: name?,
        gateway: gateway?,
        service_code: service_code?,
        secret: secret?,
        country: country?,
        sources,
        limit_overrides: agreement,
    })
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
