//! The settings that a gateway's adapter declares, flat beside the common ones of its table.

use super::http_url::https_or_loopback;
use super::section::Section;
use crate::gateways::GatewayRegistration;
use crate::gateways::settings::{SettingKind, SettingRequirement, SettingValues};

/// Reads all that are declared; `None` when one is missing or wrong, which has been reported.
pub(super) fn read(section: &mut Section<'_>, declared: &[SettingRequirement]) -> Option<SettingValues> {
    let mut values = SettingValues::default();
    let mut good = true;
    for setting in declared {
        good &= read_one(section, setting, &mut values);
    }
    good.then_some(values)
}

/// `false` when it is missing or wrong.
fn read_one(section: &mut Section<'_>, setting: &SettingRequirement, values: &mut SettingValues) -> bool {
    let (key, remedy) = (setting.key, setting.remedy);
    let given = section.contains(key) || section.contains(&format!("{key}_file"));
    if setting.kind == SettingKind::Secret {
        if !given && setting.required {
            section.mark_known(&format!("{key}_file"));
            section.mark_known(key);
            section.report(key, "is missing", remedy);
            return false;
        }
        let secret = section.secret(key);
        let good = secret.is_some() || !given;
        if let Some(secret) = secret {
            values.set_secret(key, secret.into_inner());
        }
        return good;
    }
    let text = match setting.kind {
        SettingKind::Choice(words) => {
            let pairs: Vec<_> = words.iter().map(|word| (*word, *word)).collect();
            let chosen = section.one_of(key, &pairs);
            let usual = words.first().copied().filter(|_| !given && !setting.required);
            chosen.or(usual).map(str::to_owned)
        }
        SettingKind::Url => {
            let url = section.parsed(key, remedy, https_or_loopback);
            url.map(|url| url.as_str().trim_end_matches('/').to_owned())
        }
        SettingKind::Text | SettingKind::Secret => section.text(key),
    };
    if text.is_none() && !given && setting.required {
        section.report(key, "is missing", remedy);
    }
    let good = text.is_some() || !(given || setting.required);
    if let Some(text) = text {
        values.set_plain(key, text);
    }
    good
}

/// Marks as known whatever some gateway declares: where the gateway's name is wrong, its settings may be right for the one
/// that was meant.
pub(super) fn skip_all(
    section: &mut Section<'_>,
    gateways: &[GatewayRegistration],
    declared: fn(&GatewayRegistration) -> &'static [SettingRequirement],
) {
    for setting in gateways.iter().flat_map(declared) {
        section.skip(setting.key);
        section.skip(&format!("{}_file", setting.key));
    }
}
