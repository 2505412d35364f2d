//! `[partner.purposes]` and `languages`: what is read, and what is warned of.

use std::collections::BTreeMap;

use kiungo::core::messages::Locale;
use kiungo::core::purpose::Purpose;

use super::load;
use crate::support::config_text::GOOD;

const PURPOSE: &str = "purpose = \"a loan decision\"";

fn with(partner: &str) -> String {
    let text = GOOD.replacen(PURPOSE, partner, 1);
    assert_ne!(text, GOOD);
    text
}

fn translated(texts: &[(Locale, &str)]) -> Purpose {
    let texts: BTreeMap<_, _> = texts
        .iter()
        .map(|(locale, text)| (*locale, (*text).to_owned()))
        .collect();
    Purpose::translated(texts).unwrap()
}

/// One text is for everybody, texts by language go before it, and it counts as the English one; it may be left out beside them.
/// What is written out again is read as the same.
#[test]
fn a_purpose_has_a_text_for_each_language() {
    let both = [(Locale::En, "a tractor"), (Locale::Ha, "tarakta")];
    for (partner, want) in [
        (PURPOSE, "a loan decision".into()),
        (
            "purpose = \"a tractor\"\npurposes = { ha = \"tarakta\" }",
            translated(&both),
        ),
        ("purposes = { ha = \"tarakta\", en = \"a tractor\" }", translated(&both)),
        ("purposes = { ha = \"tarakta\" }", translated(&both[1..])),
    ] {
        let text = if partner == PURPOSE {
            GOOD.to_owned()
        } else {
            with(partner)
        };
        let config = load(&text, &[]).unwrap();
        assert_eq!(config.partner.purpose(), want, "{partner}");
        let shown = toml::to_string(&config.partner).unwrap();
        let again = with(
            &shown
                .lines()
                .filter(|line| !line.starts_with("name"))
                .collect::<Vec<_>>()
                .join("\n"),
        );
        assert!(shown.contains("tarakta") || load(&again, &[]).is_ok(), "{shown}");
    }
    let env = [
        ("KIUNGO_PARTNER__PURPOSES__HA", "tarakta"),
        ("KIUNGO_PARTNER__LANGUAGES", "ha,en"),
    ];
    let config = load(GOOD, &env).unwrap();
    assert_eq!(config.partner.purpose().in_language(Locale::Ha), "tarakta");
    assert_eq!(config.partner.languages, [Locale::Ha, Locale::En]);
}

/// A language in which nobody could read what the data are for is warned of by its tag: those that are offered, else those of the
/// channels' countries. Purposes that all languages have words for need none.
#[test]
fn an_unread_purpose_is_warned_of() {
    for (partner, missing) in [
        (PURPOSE, None),
        ("purpose = \"school fees\"", None),
        ("purpose = \"a tractor\"", Some("in pcm, ha, yo, ig:")),
        ("purpose = \"a tractor\"\nlanguages = [\"en\"]", None),
        ("purpose = \"a tractor\"\nlanguages = [\"en\", \"fr\"]", Some("in fr:")),
        (
            "purpose = \"a tractor\"\nlanguages = [\"en\", \"ha\"]\npurposes = { ha = \"tarakta\" }",
            None,
        ),
    ] {
        let text = if partner == PURPOSE {
            GOOD.to_owned()
        } else {
            with(partner)
        };
        let config = load(&text, &[]).unwrap();
        let warned: Vec<_> = config
            .warnings
            .iter()
            .filter(|warning| warning.key == "partner.purposes")
            .collect();
        let said = warned.first().map(|warning| warning.problem.as_str());
        assert_eq!(said.is_some(), missing.is_some(), "{partner}: {said:?}");
        assert!(
            said.is_none_or(|said| missing.is_some_and(|missing| said.contains(missing))),
            "{said:?}"
        );
    }
    let both = "purpose = \"a tractor\"\npurposes = { en = \"a plough\" }\nlanguages = [\"en\"]";
    let config = load(&with(both), &[]).unwrap();
    assert!(config.warnings.iter().any(|warning| warning.key == "partner.purpose"));
    assert_eq!(config.partner.purpose().in_language(Locale::Fr), "a plough");
}

/// Each error is reported with its key.
#[test]
fn faults_are_told_with_their_key() {
    for (partner, key, problem) in [
        ("", "partner.purpose", "is missing"),
        (
            "purpose = \"x\"\nlanguages = [\"en\", \"xx\"]",
            "partner.languages",
            "is not a list of languages",
        ),
        (
            "purpose = \"x\"\nlanguages = [\"ha\", \"ha\"]",
            "partner.languages",
            "each once",
        ),
        (
            "purpose = \"x\"\nlanguages = []",
            "partner.languages",
            "is not a list of languages",
        ),
        (
            "purpose = \"x\"\npurposes = { haus = \"rance\" }",
            "partner.purposes.haus",
            "is no language that is spoken here",
        ),
        (
            "purpose = \"x\"\npurposes = { ha = \"rance. Umoja\" }",
            "partner.purposes.ha",
            "end of a sentence",
        ),
        ("purposes = {}", "partner.purpose", "is missing"),
    ] {
        let errors = load(&with(partner), &[]).unwrap_err();
        assert!(
            errors.contains(&format!("kiungo.toml: {key} ")) && errors.contains(problem),
            "{partner}: {errors}"
        );
    }
}
