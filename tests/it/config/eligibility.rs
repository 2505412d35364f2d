//! What an operator states of itself before keys that reach real banks are used.

use super::{GOOD, load};

const KEY: &str = "secret_key = \"live_sk_1234567890\"";

/// The good file without its statement.
fn unstated() -> &'static str {
    GOOD.split("[providers.mono.eligibility]").next().unwrap()
}

/// Each part that is left out or does not hold is told by its key, all at once, with what to do.
#[test]
fn each_part_of_a_statement_is_told_of() {
    let all = "registered licence trading_six_months agreement_signed_on stated_by";
    for (from, to, faults) in [
        (GOOD, unstated(), all),
        ("registered = true\n", "", "registered"),
        ("registered = true", "registered = false", "registered"),
        ("registered = true", "registered = \"maybe\"", "registered"),
        ("licence = \"own\"\n", "", "licence"),
        ("\"own\"", "\"leased\"", "licence"),
        ("\"own\"", "\"partner\"", "licensed_partner"),
        ("\"own\"", "\"own\"\nlicensed_partner = \"Umoja\"", "licensed_partner"),
        (
            "trading_six_months = true",
            "trading_six_months = false",
            "trading_six_months",
        ),
        ("2024-01-31", "9999-01-31", "agreement_signed_on"),
        ("2024-01-31", "\"31 January\"", "agreement_signed_on"),
        ("2024-01-31", "2024-01-31T10:00:00Z", "agreement_signed_on"),
        ("2024-01-31", "20240131", "agreement_signed_on"),
        ("\"Ada Obi\"", "\"\\u200B\"", "stated_by"),
        ("\"Ada Obi\"", "\"12345\"", "stated_by"),
        ("\"Ada Obi\"", "\"\"", "stated_by"),
        ("stated_by =", "stated_bye =", "stated_by stated_bye"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let errors = load(&text, &[]).expect_err(to);
        let found: Vec<_> = errors
            .lines()
            .filter_map(|line| line.split_once("providers.mono.eligibility."))
            .map(|(_, rest)| rest.split(' ').next().unwrap())
            .collect();
        let wanted: Vec<_> = faults.split(' ').collect();
        assert_eq!(found, wanted, "{to}: {errors}");
        assert!(!errors.contains("live_sk_"), "{errors}");
    }
}

/// Nothing is asked for a key of the provider's sandbox, or where what answers stands on this machine; a key is live however its
/// beginning is written.
#[test]
fn only_keys_that_reach_real_banks_need_a_statement() {
    let own = |line: &str| format!("{line}\n{KEY}");
    for (line, served) in [
        (KEY.to_owned(), false),
        (KEY.replace("live_sk_", "LIVE_sk_"), false),
        (KEY.replace("live_sk_", "test_sk_"), true),
        (own("base_url = \"http://127.0.0.1:9\""), true),
        (own("base_url = \"https://localhost\""), true),
        (own("base_url = \"http://[::1]:9/mono\""), true),
        (own("base_url = \"https://127.0.0.1.example.com\""), false),
        (own("base_url = \"https://api.example.com\""), false),
    ] {
        let loaded = load(&unstated().replace(KEY, &line), &[]);
        assert_eq!(loaded.is_ok(), served, "{line}: {:?}", loaded.err());
    }
    // What hides the beginning of a key is no part of one.
    let errors = load(&GOOD.replace("live_sk_", "x live_sk_"), &[]).unwrap_err();
    assert!(errors.contains("providers.mono.secret_key has blanks"), "{errors}");
}

/// A statement is read with its day quoted or not and from variables, is kept for the start, and is shown so that it can be
/// pasted back.
#[test]
fn a_statement_is_read_and_shown() {
    let quoted = GOOD.replace("2024-01-31", "\"2024-01-31\"");
    for text in [GOOD, &quoted] {
        let config = load(
            text,
            &[("KIUNGO_PROVIDERS__MONO__ELIGIBILITY__STATED_BY", " Musa  Bello")],
        )
        .unwrap();
        let mono = config.providers.get("mono").unwrap();
        let stated = mono.eligibility.as_ref().unwrap();
        assert_eq!(
            (stated.stated_by.as_str(), stated.agreement_signed_on.as_str()),
            ("Musa Bello", "2024-01-31")
        );
    }
    let by_partner = GOOD.replace("\"own\"", "\"partner\"\nlicensed_partner = \"Umoja Bank\"");
    let shown = load(&by_partner, &[]).unwrap().to_string();
    for line in [
        "[providers.mono.eligibility]",
        "licensed_partner = \"Umoja Bank\"",
        "stated_by = \"Ada Obi\"",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}
