//! Ways back in: codes that are dialled, and what is texted after a dialog.

use std::time::Duration;

use super::fixtures::{code_form, failed, link};
use super::phone::Phone;
use crate::core::dial_code::DialCode;
use crate::core::flow::handover::HandoverDecision;
use crate::core::flow::recovery::RECOVERY_CODE_TTL;
use crate::core::flow::{AttemptResult, SubscriberFacts};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::next_step::{Failure, FailureClass};

const CODE: &str = "*384*96#";

fn texted(phone: &mut Phone, id: AttemptId) -> HandoverDecision {
    phone.step(|flow, state, context| flow.handover_sms(state, id, CODE, context))
}

/// What was dialled in a message, such as `*384*96*482913507#`, behind the service code.
fn code_in(text: &str) -> String {
    let from = text.find("*384*96*").expect("a code") + "*384*96*".len();
    text[from..].split('#').next().expect("its end").to_owned()
}

/// Has submitted, left at the poll screen, and then the bank asked for a code.
fn asked_while_away() -> (Phone, AttemptId) {
    let (mut phone, id) = Phone::submitted();
    phone.polls(true);
    assert!(phone.resolves(id, AttemptResult::Prompt(code_form())));
    (phone, id)
}

/// A code leads straight to the question, once, and not after its time.
#[test]
fn a_code_goes_straight_in() {
    for (later, works) in [
        (Duration::from_secs(30), true),
        (RECOVERY_CODE_TTL.saturating_sub(Duration::from_secs(1)), true),
        (RECOVERY_CODE_TTL, false),
    ] {
        let (mut phone, id) = asked_while_away();
        let HandoverDecision::Send(text) = texted(&mut phone, id) else {
            panic!("nothing to text");
        };
        let code = code_in(&text);
        phone.passes(later);
        let first = phone.dial_known(&SubscriberFacts::default(), &[&code]);
        assert_eq!(first.contains("Zenith Bank: OTP"), works, "{later:?}: {first}");
        let again = phone.dial_known(&SubscriberFacts::default(), &[&code]);
        assert!(again.starts_with("That code is not valid any more."), "{again}");
        let asks = if later < Duration::from_mins(10) {
            "Zenith Bank: OTP"
        } else {
            "You began to link Zenith Bank. Go on?"
        };
        assert!(again.contains(asks), "{again}");
    }
}

/// After five wrong codes the right one is worth nothing; each says that it is wrong and asks as any dial does.
#[test]
fn wrong_codes_end_the_right_one() {
    for (wrong, works) in [(4, true), (5, false)] {
        let (mut phone, id) = asked_while_away();
        let HandoverDecision::Send(text) = texted(&mut phone, id) else {
            panic!("nothing to text");
        };
        phone.passes(Duration::from_mins(11));
        for n in 0..wrong {
            let other = (0..100_000_000_u32)
                .map(|free| format!("{free:08}"))
                .flat_map(|free| (0..10).map(move |check| format!("{free}{check}")))
                .filter(|code| DialCode::parse(code).is_some() && *code != code_in(&text))
                .nth(n)
                .expect("another code");
            let says = phone.dial_known(&SubscriberFacts::default(), &[&other]);
            assert!(says.starts_with("That code is not valid any more."), "{says}");
        }
        let says = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&text)]);
        assert_eq!(says.contains("Zenith Bank: OTP"), works, "{says}");
    }
}

/// What is dialled behind a code is not taken: it may have been meant for another screen.
#[test]
fn nothing_behind_a_code_is_taken() {
    let (mut phone, id) = asked_while_away();
    let HandoverDecision::Send(text) = texted(&mut phone, id) else {
        panic!("nothing to text");
    };
    phone.dial_known(&SubscriberFacts::default(), &[&code_in(&text), "123456"]);
    assert!(phone.says().contains("Zenith Bank: OTP"), "{}", phone.says());
    assert_eq!(phone.submits(), 0);
}

/// What became of a submission, and the words of the message about it.
#[test]
fn every_answer_that_nobody_saw_is_texted_once() {
    for (result, want) in [
        (
            AttemptResult::Prompt(code_form()),
            Some("your bank asks one more thing"),
        ),
        (
            AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")),
            Some("your account is linked"),
        ),
        (failed(FailureClass::Refused), Some("no account was linked")),
        (
            AttemptResult::Failed(Failure {
                retry_after: Some(Duration::from_secs(90)),
                ..FailureClass::Busy.into()
            }),
            Some("no account was linked"),
        ),
        (AttemptResult::NotSent, Some("no account was linked")),
        (AttemptResult::Granted, None),
        (AttemptResult::Unknown, None),
    ] {
        let name = format!("{result:?}");
        let (mut phone, id) = Phone::submitted();
        phone.polls(true);
        assert!(phone.resolves(id, result), "{name}");
        match (texted(&mut phone, id), want) {
            (HandoverDecision::Send(text), Some(want)) => {
                assert!(text.contains(want), "{name}: {text}");
                assert!(!text.contains("Zenith") && !text.contains("4321"), "{name}: {text}");
                assert!(text.len() <= 160, "{name}: {text}");
            }
            (HandoverDecision::Nothing, None) => {}
            (other, _) => panic!("{name}: {other:?}"),
        }
        assert_eq!(texted(&mut phone, id), HandoverDecision::Nothing, "{name}: twice");
        assert_eq!(
            texted(&mut phone, AttemptId::from_bytes([9; 16])),
            HandoverDecision::Nothing
        );
    }
}

/// Nobody is texted what stands on the screen, or what a dial has told; while a dialog may be on, it is waited for.
#[test]
fn who_knows_is_not_texted() {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, failed(FailureClass::Refused));
    assert_eq!(texted(&mut phone, id), HandoverDecision::Nothing, "on the screen");

    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.resolves(id, failed(FailureClass::Refused));
    let HandoverDecision::Later(at) = texted(&mut phone, id) else {
        panic!("the poll screen may still be read");
    };
    assert!(at > phone.now);
    phone.now = at;
    assert!(matches!(texted(&mut phone, id), HandoverDecision::Send(_)));

    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.resolves(id, failed(FailureClass::Refused));
    let key = [phone.dialog; 32];
    assert!(phone.state.mark_closed(&key, false));
    assert!(matches!(texted(&mut phone, id), HandoverDecision::Send(_)), "hung up");

    let (mut phone, id) = Phone::submitted();
    phone.polls(true);
    phone.resolves(id, failed(FailureClass::Refused));
    phone.dial();
    assert_eq!(phone.stage(), Some(Outcome::Refused));
    assert_eq!(texted(&mut phone, id), HandoverDecision::Nothing, "told by a dial");
}

/// Who leaves a screen that went on has read it, and is told again by a dial only; a last screen that was not delivered,
/// or an answer that came too late for the gateway, was read by nobody.
#[test]
fn who_hangs_up_on_the_answer_is_not_texted() {
    let refused = || {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, failed(FailureClass::Refused));
        (phone, id)
    };
    let linked = || {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
        (phone, id)
    };
    for ((mut phone, id), delivered, left, want) in [
        (refused(), false, true, false),
        (refused(), false, false, true),
        (linked(), false, true, true),
        (linked(), true, false, false),
    ] {
        let key = [phone.dialog; 32];
        phone.state.close_dialog(&key, delivered, left);
        assert_eq!(phone.state.pending_notification().is_some(), want, "{delivered} {left}");
        assert_eq!(
            matches!(texted(&mut phone, id), HandoverDecision::Send(_)),
            want,
            "{delivered} {left}"
        );
        if !delivered {
            let told = phone.dial();
            assert!(told.contains("Zenith Bank"), "{told}");
        }
    }
}

/// Anyone who is asked for a code is told how to leave and come back, wherever there is room, and finds the same session at
/// the provider on the way back.
#[test]
fn a_code_may_be_read_outside() {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    assert!(phone.says().contains("\nIf the code comes by SMS"), "{}", phone.says());
    let before = phone.session().provider_session.clone();
    let opened = phone.opens().len();
    phone.passes(Duration::from_mins(2));
    phone.dial();
    phone.types("1");
    assert!(phone.says().contains("Zenith Bank: OTP"), "{}", phone.says());
    assert_eq!(phone.session().provider_session, before);
    assert_eq!((phone.opens().len(), phone.submits()), (0, 0), "{opened} before");

    phone.septets = 70;
    phone.dial();
    phone.types("1");
    assert!(!phone.says().contains("by SMS"), "{}", phone.says());
}
