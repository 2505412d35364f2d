//! The SMS to people who went away in the middle: who gets one, when, and where it leads.

use std::time::Duration;

use super::fixtures::{code_form, failed, terms};
use super::phone::{LASTS, Phone};
use super::sms_phone::code_in;
use crate::core::flow::handover::{HandoverDecision, Notification};
use crate::core::flow::reminder::REMIND_AFTER;
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{AttemptResult, Effect, ReminderSubject, SubscriberFacts};
use crate::core::ids::{AttemptId, IntentId};
use crate::core::menu::Outcome;
use crate::core::next_step::{AccountChoice, FailureClass};

const CODE: &str = "*384*96#";

/// What the person is to be reminded of, which is thereby taken.
fn subject(phone: &mut Phone) -> ReminderSubject {
    let of = |effect: &Effect| match effect {
        Effect::Remind(subject) => Some(*subject),
        _ => None,
    };
    let subject = phone.effects.iter().find_map(of).expect("a reminder");
    phone.effects.retain(|effect| of(effect).is_none());
    subject
}

fn reminder(phone: &mut Phone, subject: ReminderSubject) -> HandoverDecision {
    phone.step(|flow, state, context| flow.reminder_sms(state, subject, CODE, context))
}

/// The network has cut the dialog, or the person has hung up.
fn hangs_up(phone: &mut Phone) {
    assert!(phone.state.close_dialog(&[phone.dialog; 32], false, true));
    phone.state.note_dialog_end(phone.now);
}

fn text(decision: HandoverDecision) -> String {
    match decision {
        HandoverDecision::Send(text) => text,
        other => panic!("{other:?}"),
    }
}

/// Anyone who has agreed and is away for ten minutes is texted once, wherever they were before the login; the code leads straight
/// there, also to the banks, and what was agreed to stands. The text names no bank.
#[test]
fn who_agreed_and_went_away_is_reminded() {
    for (keys, back) in [
        (&[][..], "Choose your bank"),
        (&["1"], "Zenith Bank: USERNAME"),
        (&["1", "ada"], "Zenith Bank: PASSWORD"),
    ] {
        let mut phone = Phone::at_banks();
        let subject = subject(&mut phone);
        phone.keys(keys);
        let consent = phone.session().consent.clone();
        hangs_up(&mut phone);
        let due = phone.now.plus(REMIND_AFTER);
        assert_eq!(reminder(&mut phone, subject), HandoverDecision::Later(due), "{keys:?}");
        phone.passes(REMIND_AFTER);
        let told = text(reminder(&mut phone, subject));
        assert!(
            told.starts_with("Umoja Credit: you began") && !told.contains("Zenith"),
            "{told}"
        );
        assert!(told.len() <= 160, "{told}");
        phone.passes(Duration::from_mins(14));
        let asked = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&told)]);
        assert!(asked.contains(back), "{keys:?}: {asked}");
        assert_eq!(phone.session().consent, consent, "{keys:?}");
        // The same code leads to the banks once.
        hangs_up(&mut phone);
        let again = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&told)]);
        assert!(
            again.starts_with("That code is not valid any more."),
            "{keys:?}: {again}"
        );
    }
}

/// Nobody is reminded who is on the phone, has only just gone, has left by a key that gives up, is linked or refused, has a login
/// under way, or goes on by SMS; nor is anybody twice in a day.
#[test]
fn nobody_else_is_reminded() {
    let after = |keys: &[&str]| {
        let mut phone = Phone::at_banks();
        let subject = subject(&mut phone);
        phone.keys(keys);
        (phone, subject)
    };
    // The dialog may be on until its network would cut it, and then for ten minutes they may come back by themselves.
    let (mut phone, of) = after(&["1"]);
    let ends = phone.state.dialogs[0].ends_at;
    phone.passes(LASTS);
    assert_eq!(
        reminder(&mut phone, of),
        HandoverDecision::Later(ends.plus(REMIND_AFTER))
    );
    phone.dial();
    assert!(phone.state.came_back(of, phone.now));
    hangs_up(&mut phone);
    assert!(!phone.state.came_back(of, phone.now));

    let (mut phone, of) = after(&["0"]);
    hangs_up(&mut phone);
    phone.passes(REMIND_AFTER);
    assert_eq!(reminder(&mut phone, of), HandoverDecision::Nothing, "gave up");

    for result in [None, Some(AttemptResult::Unknown), Some(failed(FailureClass::Refused))] {
        let (mut phone, of) = after(&["1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        if let Some(result) = result.clone() {
            phone.resolves(id, result);
        }
        hangs_up(&mut phone);
        phone.passes(REMIND_AFTER);
        assert_eq!(reminder(&mut phone, of), HandoverDecision::Nothing, "{result:?}");
    }

    let (mut phone, of) = after(&["1"]);
    hangs_up(&mut phone);
    phone.passes(REMIND_AFTER);
    phone.sends_text("CONTINUE");
    phone.passes(REMIND_AFTER);
    assert_eq!(reminder(&mut phone, of), HandoverDecision::Nothing, "by SMS");

    let (mut phone, of) = after(&[]);
    hangs_up(&mut phone);
    phone.passes(REMIND_AFTER);
    let unwritten = phone.state.clone();
    text(reminder(&mut phone, of));
    // A server that died after it had written the SMS, and nothing else, decides the same again; one that had written both does
    // not make a used code work once more.
    phone.state = unwritten;
    text(reminder(&mut phone, of));
    assert_eq!(reminder(&mut phone, of), HandoverDecision::Nothing, "was told");
    phone.passes(Duration::from_hours(1));
    phone.dial();
    phone.types("1");
    let scheduled = phone.effects.iter().any(|effect| matches!(effect, Effect::Remind(_)));
    assert!(!scheduled, "twice in a day");
    let again = ReminderSubject::Agreed(phone.session().consent.as_ref().expect("agreed").id);
    assert_ne!(again, of);
    hangs_up(&mut phone);
    phone.passes(REMIND_AFTER);
    assert_eq!(reminder(&mut phone, again), HandoverDecision::Nothing, "twice in a day");
}

/// Whom an intent asks by their number is reminded if they are cut at the consent: not if they leave by a key, nor if they agree.
#[test]
fn who_was_cut_at_the_consent_is_asked_again() {
    let request = RequestTerms {
        intent: Some(IntentId::from_bytes([3; 16])),
        reusable: false,
        ..terms(3, "Rent Co")
    };
    let known = SubscriberFacts {
        requests: Some(vec![request]),
        ..SubscriberFacts::default()
    };
    for (keys, want) in [(&[][..], true), (&["3"], true), (&["0"], false), (&["1"], false)] {
        let mut phone = Phone::new();
        phone.dial_known(&known, &[]);
        let of = subject(&mut phone);
        assert_eq!(of, ReminderSubject::Asked(IntentId::from_bytes([3; 16])));
        phone.keys(keys);
        phone.state.close_dialog(&[phone.dialog; 32], false, true);
        phone.state.note_dialog_end(phone.now);
        phone.passes(REMIND_AFTER);
        match reminder(&mut phone, of) {
            HandoverDecision::Send(told) => {
                assert!(
                    want && told.starts_with("Rent Co still asks you") && told.contains(CODE),
                    "{told}"
                );
            }
            other => assert!(!want, "{keys:?}: {other:?}"),
        }
    }
    // What is asked of anybody who dials is not asked twice.
    let mut phone = Phone::new();
    phone.dial();
    assert!(phone.effects.is_empty());
}

fn code_asked() -> (Phone, AttemptId) {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    (phone, id)
}

fn account_asked() -> (Phone, AttemptId) {
    let (mut phone, id) = Phone::submitted();
    let account = AccountChoice {
        key: "a".to_owned(),
        label: "Savings".to_owned(),
        masked: "4321".to_owned(),
        currency: None,
    };
    phone.resolves(id, AttemptResult::ChooseAccount(vec![account].into()));
    (phone, id)
}

/// What a bank asks after a login is texted at once to anyone who leaves it, although they have seen it: by hanging up, by being
/// cut, by a key. It is texted once; nobody who is back at it is texted; and no reminder follows.
#[test]
fn who_leaves_a_question_after_the_login_is_texted_at_once() {
    for asked in [code_asked as fn() -> (Phone, AttemptId), account_asked] {
        for leave in ["hangs up", "is cut", "leaves"] {
            let (mut phone, id) = asked();
            let stage = phone.stage();
            let consent = phone.session().consent.as_ref().expect("a consent").id;
            let texted =
                |phone: &mut Phone| phone.step(|flow, state, context| flow.handover_sms(state, id, CODE, context));
            let ends = phone.state.dialogs[0].ends_at;
            assert_eq!(phone.state.asked_until(phone.now), Some(ends), "{leave}");
            assert_eq!(texted(&mut phone), HandoverDecision::Later(ends), "{leave}");
            assert!(phone.state.knows(id, Notification::Question, phone.now), "{leave}");
            match leave {
                "hangs up" => hangs_up(&mut phone),
                "is cut" => phone.now = ends,
                _ => assert!(phone.types("0").starts_with("Goodbye"), "{}", phone.says()),
            }
            assert!(!phone.state.knows(id, Notification::Question, phone.now), "{leave}");
            let told = text(texted(&mut phone));
            assert!(told.contains("your bank asks one more thing"), "{told}");
            assert_eq!(texted(&mut phone), HandoverDecision::Nothing, "{leave}: twice");
            assert_eq!(
                reminder(&mut phone, ReminderSubject::Agreed(consent)),
                HandoverDecision::Nothing
            );
            let back = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&told)]);
            assert!(back.contains("OTP") || back.contains("which account?"), "{back}");
            assert_eq!(phone.stage(), stage);
        }
    }
}

/// Where the provider's session is over nobody waits for the answer, and none is asked for.
#[test]
fn a_question_that_is_over_is_not_texted() {
    let (mut phone, id) = code_asked();
    let session = phone.state.session.as_mut().expect("a session");
    let provider = session.provider_session.as_mut().expect("the provider's");
    provider.expires_at = Some(phone.now.plus(Duration::from_mins(1)));
    hangs_up(&mut phone);
    phone.passes(Duration::from_mins(1));
    let told = phone.step(|flow, state, context| flow.handover_sms(state, id, CODE, context));
    assert_eq!(told, HandoverDecision::Nothing);
    assert_eq!(phone.stage(), Some(Outcome::Ask));
}
