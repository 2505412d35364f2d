//! The configuration: what it takes, and that it tells everything that is wrong without telling secrets.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiungo::config::{Config, MonoDialect, Origin, RecordsConfig, StoreConfig, sandbox};
use kiungo::core::policy::SecretsOverUssd;
use tempfile::TempDir;

const GOOD: &str = r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://link.example.com"

[store]
url = "redis://:redis-pass-word@10.0.0.5:6379/0"

[records]
url = "sqlite:/var/lib/kiungo/kiungo.db"

[keys]
dir = "/etc/kiungo/keys"
active = "k2"

[policy]
secrets_over_ussd = "deny"
card_and_pin = true

[[policy.overrides]]
country = "NG"
provider = "mono"
secrets_over_ussd = "warn"

[partner]
name = "Duka Credit"
purpose = "a loan decision"

[[channels]]
name = "ng-main"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "0123456789abcdef-A_"
country = "NG"

[providers.mono]
secret_key = "live_sk_1234567890"
customer = { name = "Duka {ref}", email = "kiungo+{ref}@duka.example" }
favourites = ["Zenith Bank", "GTBank"]
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

/// Every key gets where it belongs, and what is left out has its documented value.
#[test]
fn a_good_file_is_understood() {
    let config = load(GOOD, &[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:0");
    assert_eq!(config.server.public_url.unwrap().as_str(), "https://link.example.com/");
    assert!(matches!(&config.store, StoreConfig::Redis(url) if url.expose().starts_with("redis://")));
    let RecordsConfig::Sqlite(path) = &config.records;
    assert_eq!(path, Path::new("/var/lib/kiungo/kiungo.db"));
    assert_eq!(
        (config.keys.dir.to_str(), config.keys.active.as_str()),
        (Some("/etc/kiungo/keys"), "k2")
    );
    assert_eq!(config.policy.secrets("KE", "mono", "x"), SecretsOverUssd::Deny);
    assert_eq!(config.policy.secrets("NG", "mono", "x"), SecretsOverUssd::Warn);
    assert!(config.policy.card_and_pin);
    assert_eq!(config.channels[0].service_code, "*384*96#");
    assert_eq!(config.channels[0].secret.expose(), "0123456789abcdef-A_");
    assert_eq!(
        (config.partner.name.as_str(), config.partner.data_days),
        ("Duka Credit", 90)
    );
    let mono = config.providers.mono.unwrap();
    assert_eq!(mono.base_url.as_str(), "https://api.withmono.com/");
    assert_eq!((mono.dialect, mono.app_id), (MonoDialect::V2, None));
    assert_eq!(mono.customer.email, "kiungo+{ref}@duka.example");
    assert!(mono.webhook_secret.is_none());
    assert_eq!(mono.institutions_ttl, Duration::from_secs(21_600));
    assert_eq!(mono.favourites, ["Zenith Bank", "GTBank"]);
}

/// Variables win over the file, also inside lists, and what is not a setting of ours is left alone.
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
            ("KIUNGO_PORT", "tcp://10.0.0.1:80"),
            ("KIUNGO_SERVICE_HOST", "10.0.0.1"),
            ("HOME", "/"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:9");
    assert_eq!(config.channels[0].secret.expose(), "from-the-environment");
    assert_eq!(config.channels[0].name, "ng-main");
    assert!(!config.policy.card_and_pin);
    let mono = config.providers.mono.unwrap();
    assert_eq!(mono.favourites, ["A Bank", "B Bank"]);
    assert_eq!(mono.institutions_ttl, Duration::from_secs(60));
}

/// Any secret may stand in a file of its own: its first line counts, blanks at the ends do not.
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
    assert_eq!(
        config.providers.mono.unwrap().secret_key.expose(),
        "live_sk_from_a_file"
    );
}

/// One fault in an otherwise good file: the fault names the key and what is wrong, and never the secret.
#[test]
fn each_fault_is_named() {
    for (from, to, key, problem) in [
        (
            "listen = \"127.0.0.1:0\"",
            "listen = \"here\"",
            "server.listen",
            "not an address",
        ),
        ("listen = \"127.0.0.1:0\"\n", "", "server.listen", "is missing"),
        ("listen =", "lisen =", "server.lisen", "did you mean listen?"),
        ("[server]", "[sever]", "sever", "did you mean server?"),
        (
            "https://link",
            "http://link",
            "server.public_url",
            "neither https nor on this machine",
        ),
        (
            "redis://:redis-pass-word",
            "http://:redis-pass-word",
            "store.url",
            "neither",
        ),
        ("sqlite:/var", "postgres:/var", "records.url", "not a SQLite file"),
        (
            "active = \"k2\"",
            "active = \"tag\"",
            "keys.active",
            "not the id of a sealing key",
        ),
        (
            "secrets_over_ussd = \"deny\"\n",
            "",
            "policy.secrets_over_ussd",
            "there is no default",
        ),
        (
            "= \"warn\"",
            "= \"maybe\"",
            "policy.overrides[0].secrets_over_ussd",
            "not one of the three",
        ),
        (
            "country = \"NG\"\nprovider",
            "country = \"ng\"\nprovider",
            "policy.overrides[0].country",
            "not a country code",
        ),
        (
            "card_and_pin = true",
            "card_and_pin = 1",
            "policy.card_and_pin",
            "neither true nor false",
        ),
        ("name = \"Duka Credit\"\n", "", "partner.name", "is missing"),
        (
            "Duka Credit",
            "Duka Credit and Savings Company Limited",
            "partner.name",
            "longer than 30",
        ),
        (
            "purpose = \"a loan decision\"",
            "purpose = \"x\"\ndata_days = 0",
            "partner.data_days",
            "1 to 730",
        ),
        ("kind = \"ussd\"", "kind = \"sms\"", "channels[0].kind", "not a kind"),
        (
            "africastalking",
            "africatalking",
            "channels[0].gateway",
            "africastalking",
        ),
        ("*384*96#", "384", "channels[0].service_code", "not a short code"),
        ("*384*96#", "*384**96#", "channels[0].service_code", "not a short code"),
        ("ng-main", "NG main", "channels[0].name", "not a name"),
        (
            "0123456789abcdef-A_",
            "0123456789abcde",
            "channels[0].secret",
            "shorter than 16",
        ),
        (
            "0123456789abcdef-A_",
            "0123456789abcdef/%2",
            "channels[0].secret",
            "do not stand in a path",
        ),
        (
            "0123456789abcdef-A_",
            sandbox::CHANNEL_SECRET,
            "channels[0].secret",
            "everybody knows",
        ),
        (
            "live_sk_1234567890",
            sandbox::MONO_KEY,
            "providers.mono.secret_key",
            "everybody knows",
        ),
        (
            "secret_key =",
            "secret_key_file =",
            "providers.mono.secret_key_file",
            "cannot be read",
        ),
        (
            "secret_key =",
            "secret_key_file = \"/x\"\nsecret_key =",
            "providers.mono.secret_key",
            "given twice",
        ),
        (
            "secret_key = \"live_sk_1234567890\"\n",
            "",
            "providers.mono.secret_key",
            "is missing",
        ),
        (
            "[providers.mono]",
            "[providers.momo]",
            "providers.momo",
            "did you mean mono?",
        ),
        (
            "favourites",
            "dialect = \"v1\"\nfavourites",
            "providers.mono.app_id",
            "is missing",
        ),
        (
            "favourites",
            "app_id = \"a\"\nfavourites",
            "providers.mono.app_id",
            "not used by the v2",
        ),
        (
            "favourites",
            "dialect = \"v3\"\nfavourites",
            "providers.mono.dialect",
            "\"v2\" or \"v1\"",
        ),
        (
            "favourites",
            "base_url = \"http://api.example.com\"\nfavourites",
            "providers.mono.base_url",
            "https",
        ),
        (
            "favourites",
            "base_url = \"https://u:p4ss@example.com\"\nfavourites",
            "providers.mono.base_url",
            "carries a user",
        ),
        (
            "favourites",
            "webhook_secret = \"short\"\nfavourites",
            "providers.mono.webhook_secret",
            "shorter than 16",
        ),
        (
            "favourites",
            "institutions_ttl = 5\nfavourites",
            "providers.mono.institutions_ttl",
            "60 to",
        ),
        ("\"GTBank\"", "5", "providers.mono.favourites", "list of texts"),
        (
            "kiungo+{ref}@",
            "kiungo@",
            "providers.mono.customer.email",
            "one customer",
        ),
        (
            "[providers.mono]",
            "[log]\nlevel = \"loud\"\n[providers.mono]",
            "log.level",
            "\"error\" or \"warn\"",
        ),
        ("[server]", "[server\nx = \"hunter2-hunter2\"", "line 2", "is not TOML"),
        ("[server]", "[limits]\n[server]", "limits", "known here"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let errors = load(&text, &[]).expect_err(to);
        assert!(errors.contains(&format!("kiungo.toml: {key} ")), "{to}: {errors}");
        assert!(errors.contains(problem), "{to}: {errors}");
        for secret in [
            "live_sk_",
            "0123456789abcde",
            "redis-pass-word",
            "p4ss",
            "hunter2",
            "sandbox-channel",
            "\"short",
        ] {
            assert!(!errors.contains(secret), "{to} tells a secret: {errors}");
        }
    }
}

/// Everything that is wrong is told at once, each with where it was written.
#[test]
fn all_faults_are_told_at_once() {
    let text = GOOD
        .replace("*384*96#", "none")
        .replace("secrets_over_ussd = \"deny\"\n", "")
        .replace("[partner]", "[partners]");
    let (_dir, path) = written(&text);
    let env = [("KIUNGO_SERVER__LISTEN".to_owned(), "nowhere".to_owned())];
    let errors = Config::load(Some(&path), &env).unwrap_err().0;
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.origin.clone(), error.key.as_str()))
        .collect();
    let file = Origin::File(path);
    assert_eq!(
        found,
        [
            (Origin::Environment("KIUNGO_SERVER__LISTEN".to_owned()), "server.listen"),
            (file.clone(), "policy.secrets_over_ussd"),
            (file.clone(), "partner.name"),
            (file.clone(), "partner.purpose"),
            (file.clone(), "channels[0].service_code"),
            (file, "partners"),
        ]
    );
}

/// An empty file is told all that is needed, not one thing after the other.
#[test]
fn an_empty_file_is_told_what_is_needed() {
    let errors = load("", &[]).unwrap_err();
    for key in [
        "server.listen",
        "store.url",
        "records.url",
        "keys.dir",
        "keys.active",
        "policy.secrets_over_ussd",
        "partner.name",
        "channels",
        "providers.mono",
    ] {
        assert!(errors.contains(&format!(": {key} ")), "{key}: {errors}");
    }
}

/// Variables that name nothing are faults of their own, so that a slip does not leave a default in force.
#[test]
fn misnamed_variables_are_faults() {
    for (name, told) in [
        ("KIUNGO_SERVER__LISEN", "did you mean listen?"),
        ("KIUNGO_CHANNELS__99999999__SECRET", "does not name a setting"),
        ("KIUNGO___LISTEN", "does not name a setting"),
        ("KIUNGO_SERVER__", "does not name a setting"),
        ("KIUNGO_CHANNELS__1__NAME", "channels[1].secret is missing"),
    ] {
        let errors = load(GOOD, &[(name, "value-of-the-variable")]).expect_err(name);
        assert!(errors.contains(told), "{name}: {errors}");
        assert!(!errors.contains("value-of-the-variable"), "{name}: {errors}");
    }
}

/// A file that is not there is named.
#[test]
fn a_missing_file_is_named() {
    let errors = Config::load(Some(Path::new("/nowhere/kiungo.toml")), &[]).unwrap_err();
    assert!(
        errors.to_string().contains("/nowhere/kiungo.toml: cannot be read"),
        "{errors}"
    );
}

/// The sandbox needs nothing, listens on this machine only, and refuses what is meant for production.
#[test]
fn the_sandbox_stays_at_home() {
    let config = Config::sandbox(Path::new("some \"dir\""), &[]).unwrap();
    assert!(config.server.listen.ip().is_loopback());
    assert!(matches!(config.store, StoreConfig::Memory));
    assert_eq!(config.keys.dir, Path::new("some \"dir\"/keys"));
    let RecordsConfig::Sqlite(path) = &config.records;
    assert_eq!(path, Path::new("some \"dir\"/kiungo.db"));
    assert_eq!(config.providers.mono.unwrap().base_url.host_str(), Some("127.0.0.1"));
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

/// What `config show` prints hides every secret, and is a configuration again once they are filled in.
#[test]
fn what_is_shown_hides_secrets() {
    let text = GOOD.replace("favourites", "webhook_secret = \"whsec-0123456789abcdef\"\nfavourites");
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
