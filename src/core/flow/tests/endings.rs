//! The end of a dialog's time: what can still be read is shown, what could not be answered any more is not asked.

use std::time::Duration;

use super::fixtures::{code_form, failed, link};
use super::phone::{LASTS, Phone};
use crate::core::flow::AttemptResult;
use crate::core::flow::handover::Notification;
use crate::core::next_step::FailureClass;

const ASKS: Duration = Duration::from_mins(2);
const ENDED: &str = "Time is up. Please dial *384*96# to go on.";

/// The screen that stands after these lines, the last of which is typed a moment after the dialog may ask.
fn late(lines: &[&str]) -> Phone {
    let (last, before) = lines.split_last().expect("a line");
    let mut phone = Phone::new();
    phone.asks = ASKS;
    phone.dial();
    phone.keys(before);
    phone.passes(ASKS + Duration::from_millis(1));
    phone.types(last);
    phone
}

/// Somebody's password was typed, and the answer comes when the dialog may ask nothing any more.
fn answered_late(result: AttemptResult) -> Phone {
    let mut phone = Phone::new();
    phone.asks = ASKS;
    phone.dial();
    phone.keys(&["1", "1", "ada", "Zq7password"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    phone.passes(ASKS + Duration::from_millis(1));
    assert!(phone.resolves(id, result));
    phone
}

/// A screen that asks something is not shown when there is no time left to read it: the dialog is ended, which is said,
/// and the next one goes on from there.
#[test]
fn what_cannot_be_answered_any_more_is_not_asked() {
    for (lines, next) in [
        (&["3"][..], "Umoja Credit asks"),
        (&["1"], "Choose your bank"),
        (&["1", "9"], "Choose your bank"),
        (&["1", "1"], "Zenith Bank: USERNAME"),
        (&["1", "1", "ada"], "Zenith Bank: PASSWORD"),
    ] {
        let mut phone = late(lines);
        assert_eq!(phone.says(), ENDED, "{lines:?}");
        assert!(phone.answer().is_some_and(|answer| answer.end), "{lines:?}");
        assert!(!phone.state.in_dialog(phone.now), "{lines:?}: still on");
        phone.check_screen();
        let told = phone.dial();
        assert!(told.starts_with(next), "{lines:?}: {told}");
        assert!(phone.now.since(phone.state.dialogs[1].started_at) < LASTS, "{lines:?}");
    }
}

/// Up to that moment everything is asked.
#[test]
fn what_can_be_answered_is_asked() {
    let mut phone = Phone::new();
    phone.asks = ASKS;
    phone.dial();
    phone.passes(ASKS);
    let told = phone.types("1");
    assert!(told.starts_with("Choose your bank"), "{told}");
}

/// An end asks nothing, and is shown however late it is; what was typed last is taken in, too.
#[test]
fn what_asks_nothing_is_shown() {
    let phone = late(&["0"]);
    assert!(phone.says().starts_with("Goodbye."), "{}", phone.says());
    let phone = answered_late(AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    assert!(phone.says().starts_with("Done! Zenith Bank"), "{}", phone.says());
    let mut phone = late(&["1", "1", "ada", "Zq7password"]);
    assert!(phone.state.awaits_reply());
    phone.submit();
    let told = phone.polls(true);
    assert!(
        told.starts_with("We keep asking Zenith Bank, up to 15 min, and then text you"),
        "{told}"
    );
}

/// An answer of the bank that comes too late to be read is owed: by a text, and by the next dial.
#[test]
fn what_was_not_asked_is_owed() {
    for (result, notification, next) in [
        (
            AttemptResult::Prompt(code_form()),
            Notification::Question,
            "Zenith Bank: ",
        ),
        (
            failed(FailureClass::Refused),
            Notification::NotLinked,
            "Zenith Bank did not let you in",
        ),
    ] {
        let mut phone = answered_late(result);
        assert_eq!(phone.says(), ENDED, "{notification:?}");
        let owed = phone.state.pending_notification().map(|(_, notification)| notification);
        assert_eq!(owed, Some(notification));
        let mut told = phone.dial();
        if told.starts_with("You began to link") {
            told = phone.types("1");
        }
        assert!(told.starts_with(next), "{notification:?}: {told}");
    }
}
