//! `[providers.NAME]`: any provider alone or several together, each with keys and settings as its row declares them.

use std::sync::Arc;
use std::time::Duration;

use kiungo::config::{Config, Mode};
use kiungo::http_client::{HttpClient, HttpClientOptions};
use kiungo::providers::registration::{ProviderDefaults, ProviderSetting, SettingFault, SettingKind};
use kiungo::providers::{KeyRequirement, PROVIDERS, ProviderRegistration};

use super::{GOOD, written};
use crate::support::one_bank::OneBank;

/// Three keys of any shape, one of them optional, and an address that everybody has of their own.
const BAOBAB_KEYS: &[KeyRequirement] = &[
    KeyRequirement {
        name: "domain",
        required: true,
        help: "the part of the address before .baobab.example",
        check: |key| {
            if key.contains('.') {
                Err("carries a dot")
            } else {
                Ok(())
            }
        },
        is_production: |_| false,
    },
    KeyRequirement {
        name: "client_secret",
        required: true,
        help: "from the console",
        check: |_| Ok(()),
        is_production: |key| key.starts_with("prod-"),
    },
    KeyRequirement {
        name: "users_key",
        required: false,
        help: "a PEM file",
        check: |key| {
            if key.starts_with("-----BEGIN") {
                Ok(())
            } else {
                Err("is no PEM file")
            }
        },
        is_production: |_| false,
    },
];

const BAOBAB_SETTINGS: &[ProviderSetting] = &[
    ProviderSetting::optional("tier", SettingKind::Choice(&["small", "large"]), "small or large"),
    ProviderSetting::optional("agent.on", SettingKind::Flag, "true or false"),
];

fn registered() -> &'static [ProviderRegistration] {
    let mono = kiungo::providers::mono::REGISTRATION;
    let baobab = ProviderRegistration {
        name: "baobab",
        keys: BAOBAB_KEYS,
        settings: BAOBAB_SETTINGS,
        logins: &[],
        defaults: ProviderDefaults {
            base_url: None,
            timeout: Duration::from_secs(20),
            institutions_ttl: Duration::from_hours(24),
        },
        asks_eligibility: false,
        check: |setup, keys, _| {
            let alone = setup.own.text("tier") == Some("large") && keys.get("users_key").is_none();
            let fault = alone.then_some(SettingFault {
                key: "users_key",
                problem: "is missing",
                remedy: "the large tier wants it",
            });
            fault.into_iter().collect()
        },
        build: |_, _| Ok(OneBank::ready("baobab")),
    };
    Box::leak(Box::new([mono, baobab]))
}

const MONO: &str = "[providers.mono]\nsecret_key = \"test_sk_1\"\ncustomer.email = \"a+{ref}@b.example\"\n";
const BAOBAB: &str = r#"[providers.baobab]
base_url = "https://b.example"
domain = "umoja"
client_secret = "prod-hunter2"
"#;

/// Everything but providers.
fn without_providers() -> &'static str {
    GOOD.split("[providers.mono]").next().unwrap()
}

fn load(providers: &str) -> Result<Config, String> {
    let (_dir, path) = written(&format!("{}{providers}", without_providers()));
    Config::load_with(&path, &[], registered()).map_err(|errors| errors.to_string())
}

/// Each provider alone, and both: what stands in a table is that provider's, with its own defaults.
#[test]
fn any_provider_alone_or_several() {
    for (text, names) in [
        (MONO.to_owned(), vec!["mono"]),
        (BAOBAB.to_owned(), vec!["baobab"]),
        (format!("{BAOBAB}{MONO}"), vec!["mono", "baobab"]),
    ] {
        let config = load(&text).unwrap();
        let found: Vec<_> = config.providers.0.iter().map(|known| known.registration.name).collect();
        assert_eq!(found, names);
        let figures = |name| {
            let setup = &config.providers.get(name)?.setup;
            Some((setup.timeout.as_secs(), setup.institutions_ttl.as_secs() / 3600))
        };
        assert_eq!(figures("mono"), names.contains(&"mono").then_some((60, 6)));
        assert_eq!(figures("baobab"), names.contains(&"baobab").then_some((20, 24)));
        let urls: Vec<_> = config.callback_urls().into_iter().map(|url| url.path).collect();
        for name in names {
            assert!(urls.contains(&format!("/hooks/{name}")), "{urls:?}");
        }
    }
    let config = load(&format!(
        "{BAOBAB}timeout = 7\nfavourites = [\"Kilima\"]\n{MONO}timeout = 90\n"
    ))
    .unwrap();
    let setups = ["mono", "baobab"].map(|name| &config.providers.get(name).unwrap().setup);
    assert_eq!(setups.map(|setup| setup.timeout.as_secs()), [90, 7]);
    assert_eq!(setups.map(|setup| setup.favourites.len()), [0, 1]);
}

/// Mono's first version names no customer: nobody is asked for the address of one, nor kept from having one. The second does.
#[test]
fn a_customers_address_is_wanted_where_it_is_sent() {
    let without = MONO.replace("customer.email = \"a+{ref}@b.example\"\n", "");
    let v1 = "dialect = \"v1\"\napp_id = \"app\"\n";
    for (text, loads) in [
        (format!("{without}{v1}"), true),
        (format!("{MONO}{v1}"), true),
        (MONO.to_owned(), true),
        (without, false),
    ] {
        let loaded = load(&text).map(drop);
        assert_eq!(loaded.is_ok(), loads, "{text} {loaded:?}");
        if let Err(told) = loaded {
            assert!(told.contains("providers.mono.customer.email"), "{told}");
        }
    }
}

/// What is wrong is told by its key, and no key's value is.
#[test]
fn what_is_wrong_with_a_provider_is_told() {
    let large = BAOBAB.replace("domain", "tier = \"large\"\ndomain");
    for (text, key, told) in [
        (String::new(), "providers", "has no provider"),
        (String::new(), "providers", "there are: mono, baobab"),
        (
            BAOBAB.replace("baobab]", "baobad]"),
            "providers.baobad",
            "did you mean baobab?",
        ),
        (
            format!("{MONO}[providers.tingg]\nkey = \"x\"\n"),
            "providers.tingg",
            "there are: mono, baobab",
        ),
        (
            BAOBAB.replace("client_secret", "client_secre"),
            "providers.baobab.client_secret",
            "is missing",
        ),
        (
            BAOBAB.replace("client_secret", "client_secre"),
            "providers.baobab.client_secre",
            "did you mean client_secret?",
        ),
        (
            BAOBAB.replace("\"umoja\"", "\"hunter2.example\""),
            "providers.baobab.domain",
            "carries a dot",
        ),
        (
            format!("{BAOBAB}users_key = \"hunter2\"\n"),
            "providers.baobab.users_key",
            "is no PEM file",
        ),
        (
            BAOBAB.replace("base_url = \"https://b.example\"\n", ""),
            "providers.baobab.base_url",
            "is missing",
        ),
        (large, "providers.baobab.users_key", "is missing"),
        (
            format!("{BAOBAB}agent.off = true\n"),
            "providers.baobab.agent.off",
            "not a key known here",
        ),
        (
            format!("{BAOBAB}secret_key = \"hunter2\"\n"),
            "providers.baobab.secret_key",
            "not a key known here",
        ),
    ] {
        let errors = load(&text).unwrap_err();
        assert!(errors.contains(&format!(": {key} ")), "{text}: {errors}");
        assert!(errors.contains(told), "{text}: {errors}");
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}

/// The sandbox refuses whatever the provider says is a production key.
#[test]
fn the_sandbox_refuses_production_keys() {
    for requirement in PROVIDERS.iter().flat_map(|provider| provider.keys) {
        assert!(!requirement.help.is_empty(), "{requirement:?}");
    }
    let text = format!(
        "{}{BAOBAB}",
        without_providers().replace("link.example.com", "localhost")
    );
    let errors = Config::from_text(&text, Mode::Sandbox, &[], registered())
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("providers.baobab.client_secret is a production key"),
        "{errors}"
    );
    assert!(!errors.contains("hunter2"), "{errors}");
}

/// What is shown names every key and tells none, and can be pasted back.
#[test]
fn keys_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let pem = dir.path().join("users.pem");
    std::fs::write(&pem, "-----BEGIN hunter2\n").unwrap();
    let text = format!(
        "{BAOBAB}users_key_file = {:?}\nagent.on = true\n",
        pem.display().to_string()
    );
    let config = load(&text).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let shown = config.to_string();
    assert!(!shown.contains("hunter2") && !shown.contains("umoja"), "{shown}");
    for line in [
        "domain = \"(set)\"",
        "client_secret = \"(set)\"",
        "users_key = \"(set)\"",
        "on = true",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let table = shown.split("[providers.baobab]").nth(1).unwrap();
    let pasted = format!("[providers.baobab]{table}")
        .replace("users_key = \"(set)\"", "users_key = \"-----BEGIN x\"")
        .split("[log]")
        .next()
        .unwrap()
        .to_owned();
    assert!(load(&pasted).is_ok(), "{pasted}");
}

/// A row builds a provider of its name, with exactly the keys that it declares.
#[test]
fn rows_build_their_providers() {
    let config = load(&format!("{MONO}{BAOBAB}")).unwrap();
    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    for provider in config.providers.0 {
        let row = provider.registration;
        let names: Vec<_> = provider.keys.iter().map(|(name, _)| name.to_owned()).collect();
        let built: Arc<_> = (row.build)(provider.setup, client.clone()).unwrap();
        assert_eq!(built.name(), row.name);
        assert!(
            names.iter().all(|name| row.keys.iter().any(|key| key.name == name)),
            "{names:?}"
        );
    }
}
