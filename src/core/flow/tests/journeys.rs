//! Whole journeys: how few screens, what is recorded, and what a redial shows at every stage.

use std::time::Duration;

use super::fixtures::{code_form, failed, link, opened};
use super::phone::Phone;
use crate::core::flow::{AttemptResult, Effect, PendingAttempt, SessionEvent, SubscriberFacts};
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
            if !phone.state.cursor.has_more {
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
        assert_eq!(consent.version, phone.flow.templates.version(locale, "welcome"));
        assert_eq!((consent.channel.as_str(), consent.at), ("at-ng", phone.now));
    }
}

/// Nobody agrees to a text that they have not seen to its end: on a screen too small for it, 1 counts only where the
/// option stands.
#[test]
fn nobody_agrees_to_half_a_text() {
    let mut phone = Phone::new();
    phone.septets = 70;
    let first = phone.dial();
    assert!(!first.contains("1 I agree"), "{first}");
    phone.types("1");
    assert_eq!(phone.state.session.as_ref().map(|session| session.id), None, "{first}");
    for _ in 0..6 {
        if phone.says().contains("1 I agree") {
            phone.types("1");
            assert!(phone.session().consent.is_some());
            return;
        }
        phone.types("9");
    }
    panic!("the option never came: {}", phone.says());
}

/// At the banks, having typed these lines.
fn typed(lines: &[&str]) -> Phone {
    let mut phone = Phone::at_banks();
    phone.keys(lines);
    phone
}

/// Has submitted, and this became of it; while `away` nobody waits for it any more.
fn after(away: bool, fates: Vec<AttemptResult>) -> Phone {
    let (mut phone, id) = Phone::submitted();
    if away {
        phone.polls(false);
    }
    for result in fates {
        assert!(phone.resolves(id, result));
    }
    phone
}

/// What a redial shows while nothing has been submitted, or something is on its way or going on.
#[test]
fn a_redial_resumes_by_facts() {
    for (name, mut phone, want) in vec![
        ("nothing begun", Phone::new(), "Umoja Credit asks"),
        ("agreed, no bank", typed(&[]), "Choose your bank"),
        ("at the first field", typed(&["1"]), "Zenith Bank: USERNAME"),
        ("at the last field", typed(&["1", "ada"]), "Zenith Bank: PASSWORD"),
        ("at the methods", typed(&["first", "9"]), "First Bank: which one"),
        ("under way", after(false, vec![]), "Zenith Bank is checking"),
        (
            "being redeemed",
            after(false, vec![AttemptResult::Granted]),
            "Zenith Bank is checking",
        ),
        (
            "a code is asked",
            after(false, vec![AttemptResult::Prompt(code_form())]),
            "Zenith Bank: OTP",
        ),
        (
            "accounts to choose",
            after(false, vec![AttemptResult::ChooseAccount(accounts().into())]),
            "Zenith Bank: which account?",
        ),
    ] {
        let text = phone.dial();
        assert!(text.starts_with(want), "{name}: {text}");
        phone.check_screen();
    }
}

/// What came of a submission is told by the next dial if nobody saw it, and once.
#[test]
fn a_redial_tells_what_came_of_it() {
    let linked = || AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"));
    let (on, away) = (false, true);
    for (when, fates, want) in [
        (on, vec![AttemptResult::Unknown], "Zenith Bank has not answered"),
        (
            on,
            vec![failed(FailureClass::Refused)],
            "You began to link Zenith Bank. Go on?",
        ),
        (
            away,
            vec![failed(FailureClass::Refused)],
            "Zenith Bank did not let you in",
        ),
        (away, vec![AttemptResult::NotSent], "Zenith Bank is not working"),
        (
            away,
            vec![AttemptResult::Unknown, AttemptResult::Lapsed],
            "We could not find out",
        ),
        (
            away,
            vec![AttemptResult::RequestEnded],
            "Umoja Credit has ended this request",
        ),
        (
            on,
            vec![AttemptResult::Granted, AttemptResult::RequestEnded],
            "Umoja Credit asks",
        ),
        (
            away,
            vec![AttemptResult::Granted, AttemptResult::Mismatched],
            "This is not the Zenith Bank account that Umoja Credit asked for",
        ),
        (
            away,
            vec![AttemptResult::Granted, AttemptResult::OtherAccount],
            "This is not the Zenith Bank account that you chose",
        ),
        (
            away,
            vec![failed(FailureClass::Misconfigured)],
            "We cannot link Zenith Bank",
        ),
        (on, vec![linked()], "Umoja Credit asks"),
        (away, vec![linked()], "Zenith Bank ..4321 is linked"),
    ] {
        let name = format!("{when} {fates:?}");
        let mut phone = after(when, fates);
        let text = phone.dial();
        assert!(text.starts_with(want), "{name}: {text}");
        phone.check_screen();
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
    phone.passes(Duration::from_mins(11));
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
    phone.passes(Duration::from_mins(11));
    phone.dial();
    assert!(phone.types("2").starts_with("Umoja Credit asks"));
    assert!(phone.state.session.is_none());
}

/// What is waiting to be found out after the live value was lost: the records' word is taken up, and settled.
#[test]
fn a_lost_value_is_taken_up_from_the_records() {
    let (phone, _) = Phone::submitted();
    let session = phone.session().clone();
    let mut attempt = session.attempt.clone().expect("an attempt");
    attempt.state = crate::core::attempt::LiveAttemptState::Unknown;
    let known = SubscriberFacts {
        pending: Some(PendingAttempt {
            series: session.series,
            submissions: session.submissions,
            terms: None,
            attempt: attempt.clone(),
            session: session.id,
            consent: session.consent.clone(),
            renews: None,
            institution: session.institution.clone().expect("a bank"),
        }),
        ..SubscriberFacts::default()
    };
    let mut fresh = Phone::new();
    fresh.now = phone.now;
    let text = fresh.dial_known(&known, &[]);
    assert!(text.starts_with("Zenith Bank has not answered"), "{text}");
    fresh.types("1");
    assert!(
        fresh
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::ResolveAttempt(id) if *id == attempt.id))
    );
    assert!(fresh.resolves(attempt.id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
    assert!(fresh.says().starts_with("Done! Zenith Bank ..4321"), "{}", fresh.says());

    // A renewal stays one: it is the link's own, and what comes of it is no new link.
    let mut renewing = Phone::new();
    renewing.now = phone.now;
    let mut of_a_link = known.clone();
    let pending = of_a_link.pending.as_mut().expect("unsettled");
    pending.renews = Some(link(1, "zenith:p", "Zenith Bank").id);
    pending.consent = None;
    renewing.dial_known(&of_a_link, &[]);
    assert!(renewing.session().consent.is_none());
    renewing.types("1");
    assert!(renewing.resolves(attempt.id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
    assert!(renewing.says().contains("is up to date again"), "{}", renewing.says());

    // Somebody who has agreed again since is not thrown back to it.
    let mut later = Phone::new();
    later.now = phone.now;
    later.dial_known(&known, &[]);
    later.passes(Duration::from_secs(5));
    later.keys(&["2", "1", "2"]);
    let bank = later.session().institution.clone();
    later.dial_known(&known, &[]);
    assert_eq!(later.session().institution, bank, "{}", later.says());
}

/// Anyone who hung up while it was being linked has not been told, and is on the next dial.
#[test]
fn a_result_is_told_to_somebody() {
    let (mut phone, id) = Phone::submitted();
    assert!(phone.state.mark_closed(&[1; 32], false));
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    assert_eq!(phone.stage(), Some(Outcome::Linked));
    let text = phone.dial();
    assert!(text.starts_with("Zenith Bank ..4321 is linked"), "{text}");
}

/// Retrying after the search was given up is another try: what is found late belongs to the old one.
#[test]
fn a_retry_is_another_try() {
    let (mut phone, id) = Phone::submitted();
    let first = phone.session().id;
    phone.resolves(id, AttemptResult::Unknown);
    phone.resolves(id, AttemptResult::Lapsed);
    // Checks again, reads that it could not be found out, tries again.
    phone.keys(&["1", "1"]);
    assert_ne!(phone.session().id, first);
    assert!(!phone.applies(&SessionEvent::ProviderSessionOpened {
        session: first,
        result: opened("old", None)
    }));
}
