//! The configuration: what it accepts, and that it reports every error without secrets.

mod eligibility;
mod faults;
mod languages;
mod providers;
mod secrets;
mod sms;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiungo::config::{Config, RecordsConfig, StoreConfig};
use kiungo::core::pin::SubscriberPin;
use kiungo::core::policy::SecretsOverUssd;
use tempfile::TempDir;

use crate::support::config_text::GOOD;

/// Limits agreed with the gateway of a channel, to be appended to the channel.
const AGREED: &str = r#"turn = 8
out_septets = 150

[[channels.networks]]
code = "62130"
idle = 25
out_septets = 182

"#;

fn written(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kiungo.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let (_dir, path) = written(text);
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(Some(&path), &env).map_err(|errors| errors.to_string())
}

/// Every key is read, and what is left out has its documented default.
#[test]
fn a_good_file_is_understood() {
    let config = load(GOOD, &[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:0");
    assert_eq!(config.server.public_url.unwrap().as_str(), "https://link.example.com/");
    assert!(matches!(&config.store, StoreConfig::Redis(url) if url.expose().starts_with("redis://")));
    let RecordsConfig::Sqlite(path) = &config.records else {
        panic!("{:?}", config.records);
    };
    assert_eq!(path, Path::new("/var/lib/kiungo/kiungo.db"));
    assert_eq!(
        (config.keys.dir.to_str(), config.keys.active.as_str()),
        (Some("/etc/kiungo/keys"), "k2")
    );
    assert_eq!(config.policy.rules.ussd_rule("KE", "mono", "x"), SecretsOverUssd::Deny);
    assert_eq!(config.policy.rules.ussd_rule("NG", "mono", "x"), SecretsOverUssd::Warn);
    assert!(config.policy.rules.card_and_pin);
    assert_eq!(config.policy.subscriber_pin, SubscriberPin::Required);
    assert_eq!(config.policy.ask_login_after(), Some(Duration::from_hours(90 * 24)));
    assert_eq!(config.channels[0].service_code, "*384*96#");
    assert_eq!(config.channels[0].secret.expose(), "0123456789abcdef-A_");
    assert_eq!(
        (config.partner.name.as_str(), config.partner.data_days),
        ("Duka Credit", 90)
    );
    let mono = config.providers.get("mono").unwrap();
    assert_eq!(mono.setup.base_url.as_str(), "https://api.withmono.com/");
    assert_eq!(mono.setup.own.text("dialect"), Some("v2"));
    assert_eq!(mono.setup.own.text("customer.email"), Some("kiungo+{ref}@duka.example"));
    assert!(mono.keys.get("app_id").is_none() && mono.keys.get("webhook_secret").is_none());
    assert_eq!(mono.setup.institutions_ttl, Duration::from_hours(6));
    assert_eq!(mono.setup.timeout, Duration::from_mins(1));
    assert_eq!(mono.setup.favourites, ["Zenith Bank", "GTBank"]);
}

/// Environment variables override the file, also inside lists, and unrelated ones are ignored.
#[test]
fn variables_win() {
    let config = load(
        GOOD,
        &[
            ("KIUNGO_SERVER__LISTEN", "[::1]:9"),
            ("KIUNGO_CHANNELS__0__SECRET", "from-the-environment"),
            ("KIUNGO_PROVIDERS__MONO__FAVOURITES", "A Bank, B Bank"),
            ("KIUNGO_PROVIDERS__MONO__INSTITUTIONS_TTL", "60"),
            ("KIUNGO_POLICY__CARD_AND_PIN", "false"),
            ("KIUNGO_POLICY__ASK_LOGIN_AFTER_DAYS", "0"),
            ("KIUNGO_PORT", "tcp://10.0.0.1:80"),
            ("KIUNGO_SERVICE_HOST", "10.0.0.1"),
            ("HOME", "/"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:9");
    assert_eq!(config.channels[0].secret.expose(), "from-the-environment");
    assert_eq!(config.channels[0].name, "ng-main");
    assert!(!config.policy.rules.card_and_pin);
    assert_eq!(config.policy.ask_login_after(), None);
    let mono = config.providers.get("mono").unwrap();
    assert_eq!(mono.setup.favourites, ["A Bank", "B Bank"]);
    assert_eq!(mono.setup.institutions_ttl, Duration::from_mins(1));
}

/// Any secret may be in a file of its own: its first line counts, without leading and trailing spaces.
#[test]
fn secrets_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    fs::write(&path, "  live_sk_from_a_file \r\nsecond line\n").unwrap();
    let text = GOOD.replace(
        "secret_key = \"live_sk_1234567890\"",
        &format!("secret_key_file = \"{}\"", path.display()),
    );
    let config = load(&text, &[]).unwrap();
    let key = config.providers.get("mono").unwrap().keys.get("secret_key").unwrap();
    assert_eq!(key.expose(), "live_sk_from_a_file");
}

/// The sandbox needs no settings, listens on this machine only, and refuses what is meant for production.
#[test]
fn the_sandbox_stays_at_home() {
    let config = Config::sandbox(Path::new("some \"dir\""), &[]).unwrap();
    assert!(config.server.listen.ip().is_loopback());
    assert!(matches!(config.store, StoreConfig::Memory));
    assert_eq!(config.keys.dir, Path::new("some \"dir\"/keys"));
    let RecordsConfig::Sqlite(path) = &config.records else {
        panic!("{:?}", config.records);
    };
    assert_eq!(path, Path::new("some \"dir\"/kiungo.db"));
    assert_eq!(
        config.providers.get("mono").unwrap().setup.base_url.host_str(),
        Some("127.0.0.1")
    );
    for (name, value, told) in [
        ("KIUNGO_PROVIDERS__MONO__SECRET_KEY", "live_sk_real", "production key"),
        ("KIUNGO_SERVER__LISTEN", "0.0.0.0:8080", "this machine only"),
    ] {
        let env = [(name.to_owned(), value.to_owned())];
        let errors = Config::sandbox(Path::new("data"), &env).unwrap_err().to_string();
        assert!(errors.contains(name) && errors.contains(told), "{errors}");
        assert!(!errors.contains("live_sk_real"), "{errors}");
    }
}

/// The URL of a database server may contain a password: it may come from a file, and is shown without the password.
#[test]
fn the_records_may_be_in_postgresql() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records_url");
    let url = "postgres://kiungo:hunter2-0123@10.0.0.6:5433/kiungo?sslmode=verify-ca&sslrootcert=/etc/ca.pem";
    fs::write(&path, format!("{url}\n")).unwrap();
    let key = "url = \"sqlite:/var/lib/kiungo/kiungo.db\"";
    for written in [format!("url = \"{url}\""), format!("url_file = \"{}\"", path.display())] {
        let config = load(&GOOD.replace(key, &written), &[]).unwrap();
        assert!(matches!(&config.records, RecordsConfig::Postgres(found) if found.expose() == url));
        let shown = config.to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("kiungo:hidden@10.0.0.6:5433/kiungo?sslmode=verify-ca"),
            "{shown}"
        );
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

/// `config show` redacts every secret, and its output is a valid configuration once they are filled in.
#[test]
fn what_is_shown_hides_secrets() {
    let text = GOOD
        .replace("favourites", "webhook_secret = \"whsec-0123456789abcdef\"\nfavourites")
        .replace("[providers.mono]", &format!("{AGREED}[providers.mono]"));
    let shown = load(&text, &[]).unwrap().to_string();
    for secret in ["live_sk_", "0123456789abcdef", "redis-pass-word", "whsec"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let filled = shown
        .replacen("secret = \"(set)\"", "secret = \"0123456789abcdef-A_\"", 1)
        .replacen(
            "webhook_secret = \"(set)\"",
            "webhook_secret = \"whsec-0123456789abcdef\"",
            1,
        )
        .replacen("secret_key = \"(set)\"", "secret_key = \"live_sk_1\"", 1);
    assert_eq!(load(&filled, &[]).unwrap().to_string(), shown);
}

/// Limits of a channel apply to all its networks, those of one network to that; the others are the gateway's.
#[test]
fn agreed_limits_come_before_the_gateways() {
    let text = GOOD.replace("[providers.mono]", &format!("{AGREED}[providers.mono]"));
    let channel = &load(&text, &[]).unwrap().channels[0];
    let gateway = &channel.adapter.0;
    for (network, turn, idle, septets) in [
        (None, 8, 20, 150),
        (Some("62120"), 8, 20, 150),
        (Some("62130"), 8, 25, 182),
        (Some("63902"), 8, 30, 150),
    ] {
        let limits = channel.limit_overrides.apply_to(gateway.limits(network), network);
        let found = (limits.turn.as_secs(), limits.idle.as_secs(), limits.out_septets);
        assert_eq!(found, (turn, idle, septets), "{network:?}");
        assert_eq!(limits.dialog.as_secs(), 180, "{network:?}");
    }
}

/// Networks are read from the file and from variables; a channel without any is open to all.
#[test]
fn networks_are_understood() {
    let config = load(GOOD, &[]).unwrap();
    assert!(config.channels[0].sources.is_empty() && config.server.trusted_proxies.is_empty());
    let text = GOOD.replace(
        "[providers.mono]",
        "sources = [\"192.0.2.0/24\", \"2001:db8::/32\", \"198.51.100.7\"]\n[providers.mono]",
    );
    let config = load(&text, &[("KIUNGO_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).unwrap();
    let sources = &config.channels[0].sources;
    for (address, want) in [("192.0.2.77", true), ("198.51.100.8", false), ("2001:db8::9", true)] {
        assert_eq!(sources.contains(address.parse().unwrap()), want, "{address}");
    }
    assert_eq!(config.server.trusted_proxies.to_strings(), ["10.0.0.0/8", "::1/128"]);
}

/// Callback URLs are shown with the public URL, one line each, and never with a secret.
#[test]
fn callers_are_told_their_urls() {
    let shown = load(GOOD, &[]).unwrap().to_string();
    let told: Vec<_> = shown.lines().take_while(|line| line.starts_with("# ")).collect();
    assert_eq!(
        told,
        [
            "# gateway of ng-main: https://link.example.com/ussd/ng-main/(secret)",
            "# webhooks of mono: https://link.example.com/hooks/mono",
        ]
    );
    let below = GOOD.replace("https://link.example.com", "https://example.com/kiungo/");
    let shown = load(&below, &[]).unwrap().to_string();
    assert!(
        shown.contains(": https://example.com/kiungo/ussd/ng-main/(secret)\n"),
        "{shown}"
    );
    let without = GOOD.replace("public_url = \"https://link.example.com\"\n", "");
    assert!(!load(&without, &[]).unwrap().to_string().starts_with('#'));
}

/// Use is noted once a day: fewer days than a week would ask those who dial daily to link again.
#[test]
fn nobody_who_dials_daily_links_again() {
    for (days, good) in [("0", true), ("1", false), ("2", false), ("6", false), ("7", true)] {
        let loaded = load(GOOD, &[("KIUNGO_POLICY__ASK_LOGIN_AFTER_DAYS", days)]);
        let refused = loaded
            .err()
            .is_some_and(|errors| errors.contains("say 7 or more, or 0"));
        assert_eq!(refused, !good, "{days}");
    }
}
