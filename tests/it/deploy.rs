//! The files in `deploy` work with the real program.

use std::fs;
use std::path::Path;

use kiungo::config::{Config, StoreConfig};
use kiungo::gateways::GATEWAYS;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The example, with its secrets in this directory.
fn example(secrets: &Path) -> String {
    for name in [
        "channel",
        "mono_key",
        "mono_webhook",
        "sms_key",
        "sms_callback",
        "termii_callback",
        "sms_signing",
    ] {
        fs::write(secrets.join(name), format!("{name}-0123456789abcdef0123456789abcdef\n")).unwrap();
    }
    fs::write(secrets.join("redis_url"), "redis://:0123456789@redis:6379\n").unwrap();
    let text = read("deploy/kiungo.example.toml");
    assert!(text.contains("\"/run/secrets/"));
    text.replace("/run/secrets", secrets.to_str().unwrap())
}

/// The example configuration is valid once its secrets exist.
#[test]
fn the_example_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kiungo.toml");
    fs::write(&path, example(dir.path())).unwrap();
    let config = Config::load(Some(&path), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(matches!(config.store, StoreConfig::Redis(_)));
}

/// The example explains every key, including those it leaves out: uncommented, all of them are known.
#[test]
fn the_example_explains_every_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kiungo.toml");
    let text = example(dir.path());
    // A line to uncomment looks like `#key = value` or `#[table]`; prose has a space after the `#`.
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(all, text);
    fs::write(&path, &all).unwrap();
    let config = Config::load(Some(&path), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let shown: toml::Table = toml::from_str(&config.to_string()).unwrap();
    let written: toml::Table = toml::from_str(&all).unwrap();
    assert_eq!(keys(&shown), keys(&written));
}

/// All keys with their tables, secrets without `_file`.
fn keys(table: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in table {
        let inner = match value {
            toml::Value::Table(table) => keys(table),
            toml::Value::Array(items) => items.iter().filter_map(toml::Value::as_table).flat_map(keys).collect(),
            _ => Vec::new(),
        };
        found.push(key.trim_end_matches("_file").to_owned());
        found.extend(inner.into_iter().map(|inner| format!("{key}.{inner}")));
    }
    found.sort();
    found.dedup();
    found
}

/// The example names every gateway there is, and every setting that one of them has of its own.
#[test]
fn the_example_names_every_gateway() {
    let text = read("deploy/kiungo.example.toml");
    for gateway in GATEWAYS {
        assert!(text.contains(&format!("\"{}\"", gateway.name)), "{}", gateway.name);
        let ussd = gateway.ussd.map_or(&[][..], |ussd| ussd.requirements.settings);
        let sms = gateway.sms.map_or(&[][..], |sms| sms.requirements.settings);
        for setting in ussd.iter().chain(sms) {
            assert!(text.contains(setting.key), "{}: {}", gateway.name, setting.key);
        }
    }
}

/// Every Redis setting has its reason, and the two that protect against loss are set.
#[test]
fn redis_settings_have_reasons() {
    let text = read("deploy/redis.conf");
    for needed in ["maxmemory-policy noeviction", "appendonly yes"] {
        assert!(text.lines().any(|line| line == needed), "{needed}");
    }
    let mut before = "";
    for line in text.lines().filter(|line| !line.is_empty()) {
        assert!(
            line.starts_with('#') || before.starts_with('#'),
            "no reason before: {line}"
        );
        before = line;
    }
}
