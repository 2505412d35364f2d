//! The language: it is changed wherever the person is, they stay where they were, and it is remembered.

use std::time::Duration;

use super::fixtures::{bank, link, login_form, opened, terms};
use super::phone::{Phone, flow_with};
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{AttemptResult, Effect, SubscriberFacts};
use crate::core::ids::IntentId;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::policy::SecretsOverUssd;

/// Hausa, the second that is offered in Nigeria.
pub const HAUSA: &str = "2";

fn with_links() -> SubscriberFacts {
    SubscriberFacts {
        links: vec![link(7, "zenith:p", "Zenith Bank"), link(8, "access:p", "Access Bank")],
        ..SubscriberFacts::default()
    }
}

/// A phone that has dialled, and pressed these keys.
fn at(keys: &[&str]) -> Phone {
    let mut phone = Phone::new();
    phone.dial_known(&with_links(), &[]);
    phone.keys(keys);
    phone
}

fn searched() -> Phone {
    let mut phone = at(&["1"]);
    phone.banks.push(bank("access-b", "Access Corner", vec![login_form()]));
    phone.types("acc");
    phone
}

fn warned() -> Phone {
    let mut phone = Phone::with(flow_with(SecretsOverUssd::Warn, Vec::new()));
    phone.dial();
    phone.keys(&["1", "1"]);
    phone
}

/// Somebody who is asked again for what they did not finish.
fn resumed() -> Phone {
    let mut phone = at(&["1", "zenith", "ada"]);
    phone.passes(Duration::from_mins(11));
    phone.dial();
    phone
}

fn refused() -> Phone {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(
        id,
        super::fixtures::failed(crate::core::next_step::FailureClass::Refused),
    );
    phone
}

/// Phones that have come to a screen, and that screen.
fn places() -> Vec<(&'static str, Phone)> {
    vec![
        ("welcome", at(&[])),
        ("banks", at(&["1"])),
        ("banks", searched()),
        ("methods", at(&["1", "first", "9"])),
        ("field", warned()),
        ("field", at(&["1", "zenith"])),
        ("field", at(&["1", "zenith", "ada"])),
        ("field-choice", at(&["1", "polaris"])),
        ("checking", {
            let (mut phone, _) = Phone::submitted();
            phone.polls(false);
            phone
        }),
        ("refused", refused()),
        ("resume", resumed()),
        ("links", at(&["2"])),
        ("link", at(&["2", "1"])),
        ("unlink", at(&["2", "1", "2"])),
    ]
}

/// On every screen # and a number change the language, and the same screen is there in it, about the same bank and with the
/// same choices behind the same keys; # and 0 leave everything as it was. What was typed before is still there.
#[test]
fn the_language_is_changed_without_losing_the_place() {
    for (screen, mut phone) in places() {
        let (before, shown) = (phone.says(), phone.state.cursor.shown.clone());
        let (at, link, query) = (
            phone.state.cursor.screen.clone(),
            phone.state.cursor.link,
            phone.state.cursor.query.clone(),
        );
        if phone.stage() != Some(Outcome::Checking) || screen != "checking" {
            assert_eq!(at, screen, "{before}");
        }
        let offered = phone.types("#");
        assert!(offered.contains("1 English\n2 Hausa\n3 Igbo\n4 Yoruba"), "{offered}");
        assert_eq!(phone.types("0"), before, "{screen}");
        phone.types("#");
        let hausa = phone.types(HAUSA);
        let cursor = &phone.state.cursor;
        assert_eq!(
            (&cursor.screen, cursor.link, &cursor.query),
            (&at, link, &query),
            "{screen}: {hausa}"
        );
        // What is agreed to may take more pages in another language.
        assert!(cursor.shown == shown || cursor.has_more, "{screen}: {hausa}");
        assert_ne!(hausa, before, "{screen}");
        assert_eq!(phone.state.locale, Locale::Ha);
        phone.keys(&["#", "1"]);
        assert_eq!(phone.says(), before, "{screen}");
    }
}

/// Between user name and password the language is changed: the login that follows has both, typed once each.
#[test]
fn what_was_typed_is_kept() {
    let mut phone = Phone::at_banks();
    phone.keys(&["zenith", "ada", "#", HAUSA]);
    assert!(phone.says().contains("Kalmar sirri"), "{}", phone.says());
    phone.types("Zq7password");
    let submit = phone.submit();
    let typed: Vec<_> = submit
        .answers
        .iter()
        .map(|(name, answer)| (name.as_str(), answer.expose()))
        .collect();
    assert!(typed.contains(&("username", "ada")) && typed.contains(&("password", "Zq7password")));
    assert_eq!(phone.submits(), 0);
}

/// What came meanwhile is shown in the new language instead of the screen that it has overtaken: here the result, which
/// is then told as seen.
#[test]
fn what_has_come_meanwhile_is_shown() {
    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.types("#");
    assert!(phone.resolves(id, AttemptResult::Granted));
    assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
    let said = phone.types(HAUSA);
    assert!(said.starts_with("An gama!"), "{said}");
    // Another question than the one that was left is not answered by what was typed for that.
    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.types("#");
    assert!(phone.resolves(id, AttemptResult::Prompt(super::fixtures::code_form())));
    let said = phone.types(HAUSA);
    assert_eq!(phone.state.cursor.screen, "field", "{said}");
}

/// The first screen's key for the language works behind the short code wherever the dial leads, and what comes back is what
/// the dial led to.
#[test]
fn the_language_can_be_dialled() {
    for (facts, mut phone, first) in [
        (with_links(), at(&[]), "welcome"),
        (SubscriberFacts::default(), resumed(), "resume"),
    ] {
        let said = phone.dial_known(&facts, &["3"]);
        assert_eq!(phone.state.cursor.screen, "languages", "{said}");
        phone.types(HAUSA);
        assert_eq!(
            (phone.state.cursor.screen.as_str(), phone.state.locale),
            (first, Locale::Ha)
        );
    }
    // While the bank is asked, too: what it says is shown afterwards.
    let (mut phone, id) = Phone::submitted();
    let said = phone.dial_known(&SubscriberFacts::default(), &["3"]);
    assert!(said.starts_with("Choose your language"), "{said}");
    assert!(!phone.state.awaits_reply(), "{said}");
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    let said = phone.types(HAUSA);
    assert!(said.starts_with("An gama!"), "{said}");
    // Where there is nothing to choose from, nobody is led to a choice.
    let mut phone = at(&[]);
    phone.dial_known(&with_links(), &["7"]);
    assert_eq!(phone.state.cursor.screen, "welcome");
}

/// Languages are named in their own words on the first screen, without the one that is spoken, and below other screens for
/// those who have not chosen; a field that is asked is never pushed to another page by it.
#[test]
fn languages_are_named_in_their_own_words() {
    let mut phone = Phone::new();
    assert!(phone.dial().contains("\n3 Hausa/Igbo"), "{}", phone.says());
    phone.keys(&["1", "zenith"]);
    assert_eq!(phone.shows(), "Zenith Bank: USERNAME\n# Hausa/Igbo/Yoruba\n0 Back");
    phone.keys(&["#", HAUSA]);
    assert!(!phone.shows().contains('#'), "{}", phone.shows());
    // Other people who use the phone are offered theirs where a dialog begins.
    phone.dial();
    assert!(phone.shows().contains("\n# English/Igbo/Yoruba\n"), "{}", phone.shows());
    phone.types("1");
    assert!(!phone.shows().contains('#'), "{}", phone.shows());
    phone.septets = 60;
    phone.dial();
    assert!(!phone.shows().contains('#'), "{}", phone.shows());
}

/// A chosen language is saved, and found again when the live value is lost; a partner's language is only for those who have not
/// chosen.
#[test]
fn a_chosen_language_is_remembered() {
    let mut phone = Phone::new();
    phone.dial();
    phone.keys(&["3", HAUSA]);
    let saved = phone
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::SaveLanguage(Locale::Ha)));
    assert_eq!(saved.count(), 1);
    let facts = SubscriberFacts {
        language: Some(Locale::Ha),
        ..SubscriberFacts::default()
    };
    let mut lost = Phone::new();
    assert!(
        lost.dial_known(&facts, &[]).contains("Za a shiga banki"),
        "{}",
        lost.says()
    );
    // The records may be older than what was chosen since.
    let mut newer = Phone::new();
    newer.state.language_chosen = true;
    assert!(
        newer.dial_known(&facts, &[]).contains("Bank login needed"),
        "{}",
        newer.says()
    );
    let asked = RequestTerms {
        intent: Some(IntentId::from_bytes([4; 16])),
        locale: Some(Locale::Fr),
        ..terms(1, "Umoja Credit")
    };
    for (facts, want) in [(facts, Locale::Ha), (SubscriberFacts::default(), Locale::Fr)] {
        let mut new = Phone::new();
        let requests = Some(vec![asked.clone()]);
        new.dial_known(&SubscriberFacts { requests, ..facts }, &[]);
        assert_eq!(new.state.locale, want);
    }
}

/// No sign of the key is ever an answer: at a password it changes the language, and the password is still asked.
#[test]
fn the_key_is_no_answer() {
    let mut phone = Phone::new();
    phone.banks = vec![bank("zenith", "Zenith Bank", vec![login_form()])];
    phone.dial();
    phone.keys(&["1", "1", "ada", "#", "0"]);
    let session = phone.session().id;
    assert!(phone.says().contains("PASSWORD"), "{}", phone.says());
    phone.applies(&crate::core::flow::SessionEvent::ProviderSessionOpened {
        session,
        result: opened("again", None),
    });
    assert_eq!(phone.submits(), 0);
    assert_eq!(phone.session().answers.len(), 1);
}
