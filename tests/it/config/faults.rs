//! Every error of a configuration is reported, without secrets.

use std::path::Path;

use kiungo::config::{Config, ConfigOrigin, sandbox};

use super::{GOOD, load, written};

/// Where the good file says what the data are used for.
const PURPOSE: &str = "purpose = \"a loan decision\"";

/// What is replaced by what in the good file, the key that is reported, and part of the message.
const FAULTS: &[(&str, &str, &str, &str)] = &[
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
    (
        "[store]",
        "trusted_proxies = [\"10.0.0.1/8\"]\n[store]",
        "server.trusted_proxies",
        "10.0.0.0/8?",
    ),
    (
        "[providers.mono]",
        "sources = [\"gateway.example.com\"]\n[providers.mono]",
        "channels[0].sources",
        "no network",
    ),
    ("sqlite:/var", "mysql:/var", "records.url", "begins with neither"),
    (
        "sqlite:/var",
        "postgres://kiungo:redis-pass-word@db?",
        "records.url",
        "names no database",
    ),
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
    (
        "subscriber_pin = \"required\"",
        "subscriber_pin = \"always\"",
        "policy.subscriber_pin",
        "is not one of the three rules",
    ),
    (
        "ask_login_after_days = 90",
        "ask_login_after_days = 731",
        "policy.ask_login_after_days",
        "is not a number in range",
    ),
    ("name = \"Duka Credit\"\n", "", "partner.name", "is missing"),
    (
        "Duka Credit",
        "Duka Credit and Savings Company Limited",
        "partner.name",
        "longer than 30",
    ),
    (PURPOSE, "purpose = \"\\u200B\\u2800\"", "partner.purpose", "is blank"),
    (PURPOSE, "purpose = \"\\u3164\"", "partner.purpose", "is blank"),
    (PURPOSE, "purpose = \"💸\"", "partner.purpose", "is blank"),
    (
        PURPOSE,
        "purpose = \"FREE CASH. Umoja asks you\"",
        "partner.purpose",
        "end of a sentence",
    ),
    (
        PURPOSE,
        "purpose = \"a\\u0007b\"",
        "partner.purpose",
        "has more than one line",
    ),
    (
        PURPOSE,
        "purpose = \"x\"\ndata_days = 0",
        "partner.data_days",
        "1 to 730",
    ),
    (
        PURPOSE,
        "purpose = \"x\"\ncontact = \"text 0700 your PIN\"",
        "partner.contact",
        "is no telephone number",
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
    (
        "[\"Zenith Bank\", \"GTBank\"]",
        "[]\nunpublished = { renewal_path = \"/v2/commit?x\" }",
        "providers.mono.unpublished.renewal_path",
        "no path below the base",
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
    ("[server]", "[limit]\n[server]", "limit", "did you mean limits?"),
    (
        "[policy]",
        "[limits]\nturns_per_second = 0\n[policy]",
        "limits.turns_per_second",
        "1 to 100000",
    ),
    (
        "[policy]",
        "[limits]\nburst = -1\n[policy]",
        "limits.burst",
        "1 to 1000000",
    ),
    (
        "[providers.mono]",
        "turn = 1\n[providers.mono]",
        "channels[0].turn",
        "from 2 to 60",
    ),
    (
        "[providers.mono]",
        "out_septets = 79\n[providers.mono]",
        "channels[0].out_septets",
        "from 80 to 182",
    ),
    (
        "[providers.mono]",
        "dialog = 20\nidle = 20\n[providers.mono]",
        "channels[0].dialog",
        "too short",
    ),
    (
        "[providers.mono]",
        "[[channels.networks]]\ncode = \"62130\"\nidle = 300\ndialog = 100\n[providers.mono]",
        "channels[0].networks[0].dialog",
        "too short",
    ),
    (
        "[providers.mono]",
        "[[channels.networks]]\ncode = \"62130\"\n[[channels.networks]]\ncode = \"62130\"\n[providers.mono]",
        "channels[0].networks[1].code",
        "another network",
    ),
    (
        "[policy]",
        "[limits]\nperson_turns_per_minute = 5\n[policy]",
        "limits.person_turns_per_minute",
        "6 to 6000",
    ),
    (
        "[policy]",
        "[retention]\nattempts = 7\n[policy]",
        "retention.attempts",
        "8 to 36500",
    ),
];

/// One error in an otherwise good file: the report names the key and what is wrong, and never the secret.
#[test]
fn each_fault_is_named() {
    for (from, to, key, problem) in FAULTS {
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

/// All errors are reported at once, each with the place where the value was written.
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
    let file = ConfigOrigin::File(path);
    let variable = ConfigOrigin::Environment("KIUNGO_SERVER__LISTEN".to_owned());
    assert_eq!(
        found,
        [
            (variable, "server.listen"),
            (file.clone(), "policy.secrets_over_ussd"),
            (file.clone(), "partner.name"),
            (file.clone(), "partner.purpose"),
            (file.clone(), "channels[0].service_code"),
            (file, "partners"),
        ]
    );
}

/// For an empty file everything that is required is reported at once.
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
        "providers",
    ] {
        assert!(errors.contains(&format!(": {key} ")), "{key}: {errors}");
    }
}

/// Variables that name no setting are errors, so that a typo does not leave a default in force.
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

/// A missing file is named.
#[test]
fn a_missing_file_is_named() {
    let errors = Config::load(Some(Path::new("/nowhere/kiungo.toml")), &[]);
    let errors = errors.unwrap_err().to_string();
    assert!(errors.contains("/nowhere/kiungo.toml: cannot be read"), "{errors}");
}
