//! `[providers.NAME]`: how accounts are linked. Any provider may be there alone or beside others; what stands in its table
//! is the common settings, its own, and its keys, all flat. Its row says which, see
//! [`registration`](crate::providers::registration).

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use url::Url;

use super::Mode;
use super::http_url::{URL_REMEDY, https_or_loopback};
use super::secret::REDACTED;
use super::section::Section;
use crate::ambient::SystemClock;
use crate::core::eligibility::{Eligibility, EligibilityStatement};
use crate::core::time::Clock as _;
use crate::providers::registration::{
    OwnSettings, ProviderSetting, ProviderSetup, SettingKind, SettingValue, Strictness,
};
use crate::providers::{KeyRequirement, ProviderKeys, ProviderRegistration};

/// In seconds.
const TIMEOUTS: RangeInclusive<u64> = 1..=120;
/// In seconds.
const INSTITUTIONS_TTLS: RangeInclusive<u64> = 60..=604_800;

/// Those that are configured, in the order of their rows.
#[derive(Debug, Default)]
pub struct ProvidersConfig(pub Vec<ProviderConfig>);

impl ProvidersConfig {
    pub fn get(&self, name: &str) -> Option<&ProviderConfig> {
        self.0.iter().find(|provider| provider.registration.name == name)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut ProviderConfig> {
        self.0.iter_mut().find(|provider| provider.registration.name == name)
    }
}

/// One provider.
#[derive(Debug)]
pub struct ProviderConfig {
    pub registration: &'static ProviderRegistration,
    pub setup: ProviderSetup,
    /// The operator's keys there.
    pub keys: ProviderKeys,
    /// What the operator states of itself, as it is written.
    pub stated: EligibilityStatement,
    /// The same, where the keys are taken only with it.
    pub eligibility: Option<Eligibility>,
}

impl Serialize for ProvidersConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|provider| (provider.registration.name, provider)))
    }
}

/// No key is shown, only that it is set.
impl Serialize for ProviderConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProviderSetup {
            base_url,
            favourites,
            timeout,
            institutions_ttl,
            own,
        } = &self.setup;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("base_url", base_url)?;
        for (name, _) in self.keys.iter() {
            map.serialize_entry(name, REDACTED)?;
        }
        map.serialize_entry("favourites", favourites)?;
        map.serialize_entry("timeout", &timeout.as_secs())?;
        map.serialize_entry("institutions_ttl", &institutions_ttl.as_secs())?;
        own.serialize_into(&mut map)?;
        if self.stated != EligibilityStatement::default() {
            map.serialize_entry("eligibility", &self.stated)?;
        }
        map.end()
    }
}

pub(super) fn read(mut section: Section<'_>) -> ProvidersConfig {
    let registered = section.providers();
    let mut configured = Vec::new();
    let mut any = false;
    for registration in registered {
        let table = section.section(registration.name);
        if table.is_present() {
            any = true;
            configured.extend(read_provider(table, registration));
        }
    }
    let names = registered.iter().map(|known| known.name).collect::<Vec<_>>().join(", ");
    if !section.report_unknown_names("is not a provider known here", &format!("there are: {names}")) && !any {
        section.report_itself(
            "has no provider",
            format!("write [providers.NAME] and its keys; there are: {names}"),
        );
    }
    ProvidersConfig(configured)
}

fn read_provider(mut section: Section<'_>, registration: &'static ProviderRegistration) -> Option<ProviderConfig> {
    let defaults = &registration.defaults;
    let base_url = match defaults.base_url.filter(|_| !section.contains("base_url")) {
        Some(usual) => {
            section.mark_known("base_url");
            Url::parse(usual).ok()
        }
        None => section.required("base_url", URL_REMEDY, https_or_loopback),
    };
    let keys = read_keys(&mut section, registration.keys);
    let own = read_own(&mut section, registration.settings);
    let seconds =
        |section: &mut Section<'_>, key, range, usual| section.number(key, range).map_or(usual, Duration::from_secs);
    let institutions_ttl = seconds(
        &mut section,
        "institutions_ttl",
        INSTITUTIONS_TTLS,
        defaults.institutions_ttl,
    );
    let timeout = seconds(&mut section, "timeout", TIMEOUTS, defaults.timeout);
    let favourites = section.text_list("favourites").unwrap_or_default();
    let asked = match (&base_url, &keys) {
        (Some(base_url), Some(keys)) => {
            let production = keys.production_key(registration.keys).is_some();
            production && section.mode() == Mode::Production && registration.asks_eligibility_at(base_url)
        }
        _ => false,
    };
    let (stated, eligibility) = if registration.asks_eligibility {
        read_eligibility(section.section("eligibility"), asked)
    } else {
        Default::default()
    };
    let setup = base_url.zip(own).map(|(base_url, own)| ProviderSetup {
        base_url,
        favourites,
        timeout,
        institutions_ttl,
        own,
    });
    let mut config = setup.zip(keys).map(|(setup, keys)| ProviderConfig {
        registration,
        setup,
        keys,
        stated,
        eligibility,
    });
    if let Some(ProviderConfig { setup, keys, .. }) = &config {
        let strictness = match section.mode() {
            Mode::Sandbox => Strictness::Lenient,
            Mode::Production => Strictness::Strict,
        };
        let faults = (registration.check)(setup, keys, strictness);
        for fault in &faults {
            section.report(fault.key, fault.problem, fault.remedy);
        }
        config = config.filter(|_| faults.is_empty());
    }
    section.report_unknown_keys();
    config
}

/// What the operator states of itself; `asked`: it must be whole, for the keys reach real banks.
fn read_eligibility(mut section: Section<'_>, asked: bool) -> (EligibilityStatement, Option<Eligibility>) {
    let texts = ["licence", "licensed_partner", "agreement_signed_on", "stated_by"];
    let flags = ["registered", "trading_six_months"];
    let given = texts.into_iter().chain(flags).filter(|key| section.contains(key));
    let given: Vec<_> = given.collect();
    let [licence, licensed_partner, agreement_signed_on, stated_by] = texts.map(|key| section.text(key));
    let [registered, trading_six_months] = flags.map(|key| section.flag(key));
    let stated = EligibilityStatement {
        registered,
        licence,
        licensed_partner,
        trading_six_months,
        agreement_signed_on,
        stated_by,
    };
    let eligibility = asked.then(|| stated.check(SystemClock.now())).and_then(|checked| {
        let faults = checked.as_ref().err().into_iter().flatten();
        // What is there and cannot be read has been reported.
        for fault in faults.filter(|fault| fault.code != "required" || !given.contains(&fault.field)) {
            section.report(
                fault.field,
                fault.problem,
                format!("the key reaches real banks: {}", fault.remedy),
            );
        }
        checked.ok()
    });
    section.report_unknown_keys();
    (stated, eligibility)
}

/// The keys, each right by itself; `None` when one is missing or wrong, which has been reported.
fn read_keys(section: &mut Section<'_>, requirements: &[KeyRequirement]) -> Option<ProviderKeys> {
    let mut keys = ProviderKeys::default();
    let mut good = true;
    for requirement in requirements {
        let name = requirement.name;
        let given = section.contains(name) || section.contains(&format!("{name}_file"));
        let key = if requirement.required {
            section.required_secret(name)
        } else {
            section.secret(name)
        };
        let Some(key) = key else {
            good &= !given && !requirement.required;
            continue;
        };
        if let Err(fault) = (requirement.check)(key.expose()) {
            section.report(name, fault, requirement.help);
            good = false;
        } else if section.mode() == Mode::Sandbox && (requirement.is_production)(key.expose()) {
            let remedy = "use a key of the provider's own sandbox here; write a configuration file to go live";
            section.report(name, "is a production key, which the sandbox refuses", remedy);
            good = false;
        } else {
            keys.insert(name, key.into_inner());
        }
    }
    good.then_some(keys)
}

/// The settings that only this provider has; `None` when one is missing or wrong, which has been reported.
fn read_own(section: &mut Section<'_>, settings: &[ProviderSetting]) -> Option<OwnSettings> {
    let mut own = OwnSettings::default();
    let mut good = true;
    let mut tables: Vec<&str> = Vec::new();
    for setting in settings {
        match setting.key.split_once('.') {
            None => good &= read_setting(section, setting, setting.key, &mut own),
            Some((table, _)) if !tables.contains(&table) => tables.push(table),
            Some(_) => {}
        }
    }
    for table in tables {
        let mut within = section.section(table);
        for setting in settings {
            if let Some((_, key)) = setting.key.split_once('.').filter(|(of, _)| *of == table) {
                good &= read_setting(&mut within, setting, key, &mut own);
            }
        }
        within.report_unknown_keys();
    }
    good.then_some(own)
}

/// `false` when it is missing or wrong.
fn read_setting(section: &mut Section<'_>, setting: &ProviderSetting, key: &str, own: &mut OwnSettings) -> bool {
    let given = section.contains(key);
    if !given && setting.required {
        section.mark_known(key);
        section.report(key, "is missing", setting.remedy);
        return false;
    }
    let (read, usual) = match setting.kind {
        SettingKind::Text(check) => {
            let check = |text: &str| check(text).map(|()| text.to_owned()).map_err(str::to_owned);
            let text = section.parsed(key, setting.remedy, check);
            (text.map(SettingValue::Text), setting.default)
        }
        SettingKind::Choice(words) => {
            let pairs: Vec<_> = words.iter().map(|word| (*word, *word)).collect();
            let word = section.one_of(key, &pairs).map(str::to_owned);
            (word.map(SettingValue::Text), words.first().copied())
        }
        SettingKind::Flag => (section.flag(key).map(SettingValue::Flag), None),
    };
    let value = match read {
        None if given => return false,
        None => usual.map(|usual| SettingValue::Text(usual.to_owned())),
        read => read,
    };
    if let Some(value) = value {
        own.set(setting.key, value);
    }
    true
}
