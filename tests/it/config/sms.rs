//! `[[sms]]`: what each gateway must be told, and what it must not.

use kiungo::core::policy::{SecretsOverSms, SecretsOverUssd};

use super::{GOOD, load};

const AT: &str = r#"
[[sms]]
name = "ng-texts"
gateway = "africastalking"
username = "duka"
api_key = "at-api-key-0123456789"
secret = "0123456789abcdef-B_"
country = "NG"
"#;

const TERMII: &str = r#"
[[sms]]
name = "ng-termii"
gateway = "termii"
base_url = "https://v3.api.termii.com"
api_key = "termii-api-key-0123456789"
signing_key = "termii-signing-key"
route = "generic"
sender = "Duka"
secret = "0123456789abcdef-C_"
country = "NG"
daily_cap = 3
"#;

const TWILIO: &str = r#"
[[sms]]
name = "ke-texts"
gateway = "twilio"
username = "AC0001"
api_key = "twilio-token-0123456789"
sender = "MG0001"
secret = "0123456789abcdef-D_"
country = "KE"
"#;

/// By default secrets may not be sent by SMS; an exception may be for SMS only, and is shown as it was written.
#[test]
fn secrets_may_be_texted_only_where_it_is_said() {
    let exception = "[[policy.overrides]]\nprovider = \"mono\"\nsecrets_over_sms = ";
    for (written, general, mono) in [
        ("", SecretsOverSms::Deny, SecretsOverSms::Deny),
        ("\"allow\"", SecretsOverSms::Deny, SecretsOverSms::Allow),
        ("\"deny\"", SecretsOverSms::Deny, SecretsOverSms::Deny),
    ] {
        let rule = if written.is_empty() {
            String::new()
        } else {
            format!("{exception}{written}\n\n")
        };
        let text = GOOD
            .replace("secrets_over_ussd = \"deny\"", "secrets_over_ussd = \"warn\"")
            .replace("[partner]", &format!("{rule}[partner]"));
        let config = load(&text, &[]).unwrap();
        assert_eq!(config.policy.rules.sms_rule("KE", "other", "x"), general, "{written}");
        assert_eq!(config.policy.rules.sms_rule("KE", "mono", "x"), mono, "{written}");
        assert_eq!(
            config.policy.rules.ussd_rule("KE", "mono", "x"),
            SecretsOverUssd::Warn,
            "{written}"
        );
        let shown = config.to_string();
        assert!(
            shown.contains("secrets_over_sms = \"deny\"") && shown.contains(written),
            "{shown}"
        );
    }
}

/// Every key is read, what is left out has its documented default, and every secret is redacted when shown.
#[test]
fn good_gateways_are_understood() {
    let text = format!("{GOOD}{AT}{TERMII}{TWILIO}");
    let config = load(&text, &[]).unwrap();
    let [at, termii, twilio] = &config.sms[..] else {
        panic!("three are wanted: {}", config.sms.len());
    };
    assert_eq!(at.base_url.as_str(), "https://api.africastalking.com/");
    assert_eq!((at.username.as_deref(), at.sender.as_deref()), (Some("duka"), None));
    assert_eq!(
        (at.daily_cap, at.route.as_deref(), at.country.as_str()),
        (40, None, "NG")
    );
    assert_eq!((termii.daily_cap, termii.route.as_deref()), (3, Some("generic")));
    assert_eq!(termii.signing_key.as_ref().unwrap().expose(), "termii-signing-key");
    assert_eq!(twilio.base_url.as_str(), "https://api.twilio.com/");
    let shown = config.to_string();
    for secret in [
        "-api-key-",
        "twilio-token",
        "termii-signing",
        "abcdef-B_",
        "abcdef-C_",
        "abcdef-D_",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(shown.matches("[[sms]]").count(), 3);
    assert!(
        shown.contains("route = \"generic\"") && shown.contains("daily_cap = 3"),
        "{shown}"
    );
    assert!(load(GOOD, &[]).unwrap().sms.is_empty());
}

/// The URLs that SMS gateways must be told are shown: for incoming messages, and for delivery reports where they have a path
/// of their own.
#[test]
fn callback_urls_are_shown() {
    let shown = load(&format!("{GOOD}{AT}{TERMII}"), &[]).unwrap().to_string();
    let told: Vec<_> = shown.lines().take_while(|line| line.starts_with("# ")).collect();
    assert_eq!(
        told,
        [
            "# gateway of ng-main: https://link.example.com/ussd/ng-main/(secret)",
            "# incoming SMS of ng-texts: https://link.example.com/sms/ng-texts/(secret)",
            "# delivery reports of ng-texts: https://link.example.com/sms/ng-texts/(secret)/reports",
            "# incoming SMS of ng-termii: https://link.example.com/sms/ng-termii/(secret)",
            "# webhooks of mono: https://link.example.com/hooks/mono",
        ]
    );
}

/// A gateway, what is replaced by what in it, the key that is reported, and part of the message.
const FAULTS: &[(&str, &str, &str, &str, &str)] = &[
    (AT, "name = \"ng-texts\"", "name = \"NG\"", "sms[0].name", "not a name"),
    (
        AT,
        "\"africastalking\"",
        "\"pigeon\"",
        "sms[0].gateway",
        "not an SMS gateway known here",
    ),
    (AT, "username = \"duka\"\n", "", "sms[0].username", "is missing"),
    (
        AT,
        "country",
        "daily_cp = 3\ncountry",
        "sms[0].daily_cp",
        "did you mean daily_cap?",
    ),
    (
        AT,
        "api_key = \"at-api-key-0123456789\"\n",
        "",
        "sms[0].api_key",
        "is missing",
    ),
    (
        AT,
        "secret = \"0123456789abcdef-B_\"",
        "secret = \"short\"",
        "sms[0].secret",
        "shorter than 16",
    ),
    (AT, "abcdef-B_", "abcdef/B_", "sms[0].secret", "do not stand in a path"),
    (
        AT,
        "at-api-key-0123456789",
        "sandbox-sms-key",
        "sms[0].api_key",
        "everybody knows",
    ),
    (
        AT,
        "country = \"NG\"",
        "country = \"Nigeria\"",
        "sms[0].country",
        "not a country code",
    ),
    (
        AT,
        "country",
        "base_url = \"http://example.com\"\ncountry",
        "sms[0].base_url",
        "neither https",
    ),
    (
        AT,
        "country",
        "daily_cap = 0\ncountry",
        "sms[0].daily_cap",
        "not a number in range",
    ),
    (
        AT,
        "country",
        "route = \"dnd\"\ncountry",
        "sms[0].route",
        "not used by this gateway",
    ),
    (
        AT,
        "country",
        "signing_key = \"x\"\ncountry",
        "sms[0].signing_key",
        "not used by this gateway",
    ),
    (
        AT,
        "country",
        "sender = \"a\\nb\"\ncountry",
        "sms[0].sender",
        "has more than one line",
    ),
    (
        TERMII,
        "base_url = \"https://v3.api.termii.com\"\n",
        "",
        "sms[0].base_url",
        "is missing",
    ),
    (TERMII, "sender = \"Duka\"\n", "", "sms[0].sender", "is missing"),
    (
        TERMII,
        "\"generic\"",
        "\"whatsapp\"",
        "sms[0].route",
        "not a word known here",
    ),
    (
        TERMII,
        "country",
        "username = \"duka\"\ncountry",
        "sms[0].username",
        "not used by this gateway",
    ),
    (TWILIO, "\"ke-texts\"", "\"ke-texts\"", "sms[0].gateway", "public URL"),
];

/// Each error is reported with its key; what one gateway requires, another refuses.
#[test]
fn faults_are_told_with_their_key() {
    for (good, from, to, key, problem) in FAULTS {
        let file = if *good == TWILIO {
            GOOD.replace("public_url = \"https://link.example.com\"\n", "")
        } else {
            GOOD.to_owned()
        };
        let text = format!("{file}{}", good.replacen(*from, to, 1));
        let told = load(&text, &[]).unwrap_err();
        assert!(told.contains(*key) && told.contains(*problem), "{key}: {told}");
        let faults = told.lines().filter(|line| !line.contains("warning:"));
        assert_eq!(faults.filter(|line| line.contains("sms[0]")).count(), 1, "{told}");
        assert!(!told.contains("0123456789"), "{told}");
    }
    let twice = load(&format!("{GOOD}{AT}{AT}"), &[]).unwrap_err();
    assert!(twice.contains("sms[1].name"), "{twice}");
}
