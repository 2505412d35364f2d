//! Secrets with what variables, files and editors put around them.

use std::fs;

use super::{GOOD, load};
use crate::support::config_text::replaced;

/// A secret is taken without the blanks, line ends and byte order marks around it, however it is given; what nobody could have
/// meant is refused and not shown.
#[test]
fn secrets_are_taken_as_they_were_meant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let (by_name, by_file) = (
        "KIUNGO_PROVIDERS__MONO__SECRET_KEY",
        "KIUNGO_PROVIDERS__MONO__SECRET_KEY_FILE",
    );
    let plain = "secret_key = \"live_sk_1234567890\"\n";
    let without = replaced(GOOD, &[(plain, "")]);
    let named = replaced(GOOD, &[(plain, &format!("secret_key_file = {path:?}\n"))]);
    for (given, taken) in [
        ("live_sk_meant", true),
        ("live_sk_meant\n", true),
        ("live_sk_meant\r\n", true),
        (" \tlive_sk_meant  \n\n", true),
        ("\u{feff}live_sk_meant", true),
        ("\u{feff} live_sk_meant\u{a0}\r\n", true),
        ("\n\u{feff}live_sk_meant\u{200b}", true),
        ("live_sk\u{200b}meant", false),
        ("live_sk\tmeant", false),
        ("live_sk\u{feff}meant\n", false),
        (" \r\n", false),
        ("\u{feff}\n", false),
    ] {
        fs::write(&path, given).unwrap();
        let file = path.to_str().unwrap();
        let escaped: Vec<_> = given.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
        let written = replaced(GOOD, &[("live_sk_1234567890", &escaped.concat())]);
        for (way, loaded) in [
            ("in the file", load(&written, &[])),
            ("by a variable", load(&without, &[(by_name, given)])),
            ("in a file that the file names", load(&named, &[])),
            ("in a file that a variable names", load(&without, &[(by_file, file)])),
            (
                "in a file whose name ends its line",
                load(&without, &[(by_file, &format!("{file}\n"))]),
            ),
        ] {
            match loaded {
                Ok(config) => {
                    let key = config.providers.get("mono").unwrap().keys.get("secret_key");
                    assert_eq!(key.unwrap().expose(), "live_sk_meant", "{given:?} {way}");
                    assert!(taken, "{given:?} {way}");
                    assert!(!config.to_string().contains("meant"), "{given:?} {way}");
                }
                Err(errors) => {
                    assert!(!taken, "{given:?} {way}: {errors}");
                    assert!(errors.contains("providers.mono.secret_key"), "{errors}");
                    assert!(!errors.contains("meant"), "{errors}");
                }
            }
        }
    }
}

/// What is no secret is taken without what stands around it too, numbers and words as well.
#[test]
fn variables_may_end_with_a_line_end() {
    let config = load(
        GOOD,
        &[
            ("KIUNGO_SERVER__LISTEN", " [::1]:9\r\n"),
            ("KIUNGO_KEYS__ACTIVE", "k3\n"),
            ("KIUNGO_POLICY__SECRETS_OVER_USSD", "warn\n"),
            ("KIUNGO_POLICY__CARD_AND_PIN", "false\n"),
            ("KIUNGO_PROVIDERS__MONO__INSTITUTIONS_TTL", " 60\n"),
            ("KIUNGO_PROVIDERS__MONO__FAVOURITES", "A Bank, B Bank\n"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:9");
    assert_eq!(config.keys.active, "k3");
    assert!(!config.policy.rules.card_and_pin);
    let mono = config.providers.get("mono").unwrap();
    assert_eq!(mono.setup.institutions_ttl.as_secs(), 60);
    assert_eq!(mono.setup.favourites, ["A Bank", "B Bank"]);
}
