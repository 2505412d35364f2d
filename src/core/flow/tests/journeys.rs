//! Whole journeys: how few screens, what is recorded, and what a redial shows at every stage.

use std::time::Duration;

use super::phone::{Phone, code_form, failed, link, opened};
use crate::core::flow::{Effect, Fate, Known, News, Unsettled};
use crate::core::gsm7;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::next_step::{AccountChoice, FailureClass};

/// A bank with two fields and one account takes at most six screens of ours from dial to linked.
#[test]
fn six_screens_or_fewer() {
    let phone = Phone::linked();
    assert!(phone.says().starts_with("Done! Zenith Bank ..4321"), "{}", phone.says());
    assert!(phone.answer().is_some_and(|answer| answer.end));
    assert!(phone.shown <= 6, "{} screens", phone.shown);
}

/// What is recorded of a consent is what stood on the screen, word for word, with its version and language.
#[test]
fn the_consent_is_what_was_on_the_screen() {
    for locale in Locale::ALL {
        let mut phone = Phone::new();
        phone.state.locale = locale;
        phone.dial();
        let mut read = Vec::new();
        loop {
            read.push(phone.says());
            if !phone.state.cursor.more {
                break;
            }
            phone.types("9");
        }
        phone.types("1");
        let consent = phone.session().consent.clone().expect("a consent");
        let screen: String = read.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        let words: Vec<_> = consent.text.split_whitespace().collect();
        let mut rest = screen.as_str();
        for word in &words {
            let at = rest.find(word);
            rest = &rest[at.unwrap_or_else(|| panic!("{locale}: {word:?} of the consent was not shown: {screen}"))..];
        }
        assert!(
            read.len() > 1 || screen.starts_with(&words.join(" ")),
            "{locale}: {screen}"
        );
        assert_eq!(
            gsm7::fold_lines(&consent.text),
            consent.text,
            "{locale}: shown otherwise than recorded"
        );
        assert_eq!(consent.locale, locale);
        assert_eq!(consent.version, phone.flow.texts.version(locale, "welcome"));
        assert_eq!((consent.channel.as_str(), consent.at), ("at-ng", phone.now));
    }
}

fn accounts() -> Vec<AccountChoice> {
    ["1234", "5678"]
        .iter()
        .map(|masked| AccountChoice {
            key: format!("key-{masked}"),
            masked: (*masked).to_owned(),
            label: "Savings".to_owned(),
            currency: None,
        })
        .collect()
}

/// Going on after a redial never shows or keeps what was typed, and asks where it stopped.
#[test]
fn going_on_asks_where_it_stopped() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada"]);
    phone.dial();
    let text = phone.types("1");
    assert!(text.starts_with("Zenith Bank: PASSWORD"), "{text}");
    assert!(!text.contains("ada"));
    phone.types("Zq7secret");
    let submit = phone.submit();
    let names: Vec<_> = submit
        .answers
        .iter()
        .map(|(name, answer)| (name.as_str(), answer.expose()))
        .collect();
    assert_eq!(names, [("username", "ada"), ("password", "Zq7secret")]);
    assert!(!phone.value().contains("Zq7secret"));
}

/// Starting again forgets the session; another bank keeps the consent; one field back keeps the bank.
#[test]
fn ways_back() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada"]);
    let consent = phone.session().consent.clone();
    assert!(phone.types("0").starts_with("Zenith Bank: USERNAME"));
    assert!(phone.session().answers.is_empty());
    assert!(phone.types("0").starts_with("Choose your bank"));
    assert_eq!(phone.session().consent, consent);
    phone.types("1");
    phone.dial();
    assert!(phone.types("2").starts_with("Umoja Credit asks"));
    assert!(phone.state.session.is_none());
}

/// Retrying after the search was given up is another try: what is found late belongs to the old one.
#[test]
fn a_retry_is_another_try() {
    let (mut phone, id) = Phone::submitted();
    let first = phone.session().id;
    phone.fate(id, Fate::Unknown);
    phone.fate(id, Fate::Lapsed);
    phone.types("1");
    assert_ne!(phone.session().id, first);
    assert!(!phone.hears(&News::Opened {
        session: first,
        result: opened("old", None)
    }));
}
