//! What goes on without the phone: by USSD and by SMS, with a redial in the middle, with leaving and coming back; and how
//! it ends.

use super::away::{ATTEMPT, asked, begun, texted, waiting, waits};
use super::fixtures::{code_form, failed, link};
use crate::core::flow::AttemptResult;
use crate::core::flow::handover::{HandoverDecision, Notification};
use crate::core::next_step::{AccountChoice, Failure, FailureClass};

/// A bank without a form is entered by opening its session: nothing is typed, nothing submitted, and the screen says what
/// to do elsewhere. A redial in the middle says so again and looks once; so does who leaves and comes back, and who has
/// begun by SMS and dials.
#[test]
fn a_redial_shows_where_it_stands() {
    for (what, stage, screen) in waits() {
        for by_sms in [false, true] {
            let mut phone = begun(&what, by_sms);
            let first = if by_sms { texted(screen) } else { screen.to_owned() };
            assert!(phone.says().starts_with(&first), "{}", phone.says());
            assert_eq!(phone.stage(), Some(stage));
            phone.check_screen();
            assert_eq!(asked(&mut phone), 0);

            let again = phone.dial();
            assert!(again.starts_with(screen), "{again}");
            assert_eq!(asked(&mut phone), 1, "{stage:?}");
            // It is told at once, and need not have changed for that.
            assert_eq!(phone.types("1"), "");
            assert_eq!(asked(&mut phone), 1, "{stage:?}");
            let still = waiting(&phone, &what);
            assert!(phone.resolves(ATTEMPT, AttemptResult::Waiting(still)));
            assert!(phone.says().starts_with(screen), "{}", phone.says());

            assert!(
                phone.types("0").starts_with("We keep asking Kuda, up to 15 min"),
                "{}",
                phone.says()
            );
            assert!(phone.dial().starts_with(screen), "{}", phone.says());
            let dialog = phone.dialog;
            let sms = phone.step(|flow, state, context| {
                state.mark_closed(&[dialog; 32], true);
                flow.handover_sms(state, ATTEMPT, "*384*96#", context)
            });
            assert!(!matches!(sms, HandoverDecision::Send(_)), "it was read: {sms:?}");
        }
    }
}

/// By SMS nobody is kept waiting: who asks is shown what to do, and what becomes of it is an SMS of its own.
#[test]
fn texts_show_where_it_stands() {
    for (what, _, screen) in waits() {
        let mut phone = begun(&what, true);
        let screen = texted(screen);
        for line in ["1", "CONTINUE"] {
            let said = phone.sends_text(line).screen();
            assert!(said.starts_with(&screen), "{line}: {said}");
            assert_eq!(asked(&mut phone), 1, "{line}");
        }
        let left = phone.sends_text("0").screen();
        assert!(left.contains("will text you the answer"), "{left}");
        assert!(phone.resolves(ATTEMPT, failed(FailureClass::Denied)));
        let told = phone.step(|flow, state, context| flow.handover_sms(state, ATTEMPT, "*384*96#", context));
        assert!(
            matches!(&told, HandoverDecision::Send(text) if text.contains("no account was linked")),
            "{told:?}"
        );
    }
}

fn account(key: &str) -> AccountChoice {
    AccountChoice {
        key: key.to_owned(),
        masked: "4321".to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    }
}

/// What becomes of it: the event, its screen, what a person who is away is to learn, and what a dial then begins with where
/// that is not the screen itself.
type End = (AttemptResult, &'static str, Option<Notification>, Option<&'static str>);

/// Everything that can become of it.
fn ends() -> Vec<End> {
    let question = Some(Notification::Question);
    let mut ends = vec![
        (
            AttemptResult::Linked(link(1, "kuda:p", "Kuda")),
            "Done! Kuda ..4321",
            Some(Notification::Linked),
            Some("Kuda ..4321 is linked"),
        ),
        (AttemptResult::Prompt(code_form()), "Kuda: OTP", question, None),
        (
            AttemptResult::ChooseAccount(vec![account("a")].into()),
            "Kuda: which account?",
            question,
            None,
        ),
        (
            AttemptResult::Mismatched,
            "This is not the Kuda account",
            Some(Notification::Mismatched),
            None,
        ),
    ];
    let no = Some(Notification::NotLinked);
    ends.extend(noes().into_iter().map(|(result, screen)| (result, screen, no, None)));
    ends
}

/// Every no, and its screen.
fn noes() -> Vec<(AttemptResult, &'static str)> {
    let said = |text: &str| {
        AttemptResult::Failed(Failure {
            message: Some(text.to_owned()),
            ..FailureClass::ActAtBank.into()
        })
    };
    vec![
        (
            failed(FailureClass::Denied),
            "Kuda says that you did not approve. Nothing was linked.\n1 Try again\n2 Another bank\n0 Leave",
        ),
        (
            said("Visit\r\nyour  branch\u{202e} 😀"),
            "Kuda: Visit your branch\n1 Try again",
        ),
        (
            failed(FailureClass::ActAtBank),
            "Kuda: please do what the bank asks of you first.\n1 Try again",
        ),
        (
            failed(FailureClass::PasswordExpired),
            "Kuda wants a new password. Choose it at the bank, then try again.\n1 Try again",
        ),
        (failed(FailureClass::Refused), "Kuda did not let you in"),
        (failed(FailureClass::SessionExpired), "Kuda is not working now"),
        (failed(FailureClass::Busy), "Kuda is not working now"),
        (failed(FailureClass::Unsupported), "Kuda asks for something"),
        (failed(FailureClass::Misconfigured), "We cannot link Kuda"),
        (AttemptResult::Lapsed, "We could not find out from Kuda"),
        (
            AttemptResult::OtherAccount,
            "This is not the Kuda account that you chose",
        ),
        (AttemptResult::RequestEnded, "Umoja Credit has ended"),
    ]
}

/// Whatever becomes of it is on the screen of who waits for it, in the SMS to who does not, and on the first screen of who
/// dials again; and no refusal at the bank's own page counts as a password typed here.
#[test]
fn whatever_becomes_of_it_is_told() {
    for (what, ..) in waits() {
        for by_sms in [false, true] {
            for (result, screen, notification, redial) in ends() {
                let mut phone = begun(&what, by_sms);
                if !by_sms {
                    phone.types("1");
                    assert!(phone.resolves(ATTEMPT, result.clone()));
                    assert!(phone.says().starts_with(screen), "{result:?}: {}", phone.says());
                    phone.check_screen();
                    // That a question was seen does not answer it.
                    let owed = notification.filter(|told| *told == Notification::Question);
                    assert_eq!(phone.state.unseen_notification(ATTEMPT), owed, "{result:?}");
                }

                let mut phone = begun(&what, by_sms);
                phone.state.mark_closed(&[phone.dialog; 32], true);
                assert!(phone.resolves(ATTEMPT, result.clone()));
                assert_eq!(phone.state.unseen_notification(ATTEMPT), notification, "{result:?}");
                assert!(phone.state.refusals.is_empty(), "{result:?}");
                let again = phone.dial();
                let first = redial.unwrap_or(screen);
                assert!(again.starts_with(first), "{result:?}: {again}");
                assert_eq!(phone.submits(), 0);
            }
        }
    }
}
