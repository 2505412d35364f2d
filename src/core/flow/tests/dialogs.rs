//! Repeats, late ones, several dialogs at once, recycled ids.

use std::time::Duration;

use super::fixtures::{code_form, failed, link, without_language_line};
use super::phone::{Phone, cumulative, latest};
use crate::core::flow::state::ReplySlot;
use crate::core::flow::turn_context::TurnEvent;
use crate::core::flow::{AttemptResult, SubscriberFacts};
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;

fn begin() -> TurnEvent {
    TurnEvent::Begin { dialed: Vec::new() }
}

fn text(slot: Option<ReplySlot>) -> String {
    match slot {
        Some(ReplySlot::Set(answer)) => without_language_line(&answer.text),
        Some(ReplySlot::Pending { .. }) => "(pending)".to_owned(),
        None => "(none)".to_owned(),
    }
}

/// A callback delivered again gets the very screen it got, and moves nothing.
#[test]
fn a_repeat_gets_the_same_screen() {
    let mut phone = Phone::new();
    let welcome = phone.dial();
    assert_eq!(text(phone.callback(1, begin(), None)), welcome);
    let banks = phone.types("1");
    let before = phone.value();
    for again in ["1", ""] {
        assert_eq!(text(phone.callback(1, cumulative(again), None)), banks);
    }
    assert_eq!(text(phone.callback(1, begin(), None)), banks);
    assert_eq!(phone.value(), before);
}

/// A repeat of a pending turn waits for the same answer and submits nothing.
#[test]
fn a_repeat_of_a_waiting_turn_waits() {
    let (mut phone, id) = Phone::submitted();
    let whole = "1*1*ada*Zq7password";
    assert_eq!(text(phone.callback(1, cumulative(whole), None)), "(pending)");
    assert_eq!(phone.submits(), 0);
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    assert_eq!(text(phone.callback(1, cumulative(whole), None)), phone.says());
}

/// Text that does not continue what was seen shows the screen again and is never taken for an answer.
#[test]
fn what_does_not_continue_shows_the_screen_again() {
    let mut phone = Phone::at_banks();
    phone.types("1");
    let screen = phone.says();
    for odd in ["7*1*ada", "1*1ada*x", "11*1*ad"] {
        assert_eq!(text(phone.callback(1, cumulative(odd), None)), screen, "{odd}");
    }
    assert!(phone.session().answers.is_empty());
}

/// An answer may hold `*` and `#`: it is what was added, never what follows the last star. Where the gateway joins lines with
/// stars it may be two, of which the store has lost the first, so it is asked for once more; then it is one.
#[test]
fn stars_stand_in_answers() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "a*d#a"]);
    assert!(
        phone.says().contains("If * is part of it, type it again."),
        "{}",
        phone.says()
    );
    phone.keys(&["a*d#b", "a*d#a"]);
    assert!(
        phone.says().contains("USERNAME"),
        "another line is another doubt: {}",
        phone.says()
    );
    phone.keys(&["a*d#a", "*p*1*2#", "*p*1*2#"]);
    let submit = phone.submit();
    let answers: Vec<_> = submit.answers.iter().map(|(_, answer)| answer.expose()).collect();
    assert_eq!(answers, ["a*d#a", "*p*1*2#"]);
}

/// Of several dialogs for one dial either goes on, until one is used; then the others are told where to go on.
#[test]
fn several_starts_for_one_dial() {
    let mut phone = Phone::new();
    let welcome = phone.dial();
    assert_eq!(text(phone.callback(2, begin(), None)), welcome);
    let banks = text(phone.callback(1, cumulative("1"), None));
    assert!(banks.starts_with("Choose your bank"), "{banks}");
    assert_eq!(text(phone.callback(2, cumulative("1"), None)), "(none)");
    assert!(text(phone.callback(1, cumulative("1*1"), None)).starts_with("Zenith Bank: USERNAME"));
}

/// What was typed at an older dialog's screen is no answer to the newest one's, though the same key stands there: a key
/// for something else would agree to what was shown on another phone. It is asked once more, and a code is not sent.
#[test]
fn a_key_means_what_its_own_dialog_shows() {
    let mut phone = Phone::new();
    phone.dial();
    phone.types("3");
    phone.dial();
    assert!(phone.says().starts_with("Umoja Credit asks"));
    let shown = text(phone.callback(1, cumulative("3*1"), None));
    assert!(shown.starts_with("Umoja Credit asks"), "{shown}");
    assert!(phone.state.session.is_none(), "agreed to");
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    let asked = phone.says();
    phone.passes(Duration::from_mins(11));
    phone.dial();
    assert!(phone.says().starts_with("You began to link Zenith Bank. Go on?"));
    let whole = "1*1*ada*Zq7password*1";
    assert_eq!(text(phone.callback(1, cumulative(whole), None)), asked);
    assert_eq!(phone.submits(), 0);
    phone.callback(1, cumulative(&format!("{whole}*123456")), None);
    assert_eq!(phone.submits(), 1);
}

/// A dialog that is over stays over; its id is somebody's new dialog only long after.
#[test]
fn over_is_over() {
    let mut phone = Phone::new();
    phone.dial();
    let goodbye = phone.types("0");
    assert!(goodbye.starts_with("Goodbye"));
    let before = phone.value();
    assert_eq!(text(phone.callback(1, cumulative("0*1"), None)), "(none)");
    assert_eq!(text(phone.callback(1, cumulative("0"), None)), goodbye);
    assert_eq!(text(phone.callback(1, begin(), None)), goodbye);
    assert_eq!(phone.value(), before);
    phone.passes(Duration::from_mins(11));
    assert!(text(phone.callback(1, begin(), None)).starts_with("Umoja Credit asks"));
    assert!(text(phone.callback(1, cumulative("1"), None)).starts_with("Choose your bank"));
}

/// Hanging up ends the dialog and nothing else.
#[test]
fn hanging_up_ends_only_the_dialog() {
    let (mut phone, id) = Phone::submitted();
    assert!(phone.state.mark_closed(&[1; 32], false));
    assert!(!phone.state.mark_closed(&[1; 32], false));
    assert!(!phone.state.mark_closed(&[9; 32], false));
    assert_eq!(phone.stage(), Some(Outcome::Checking));
    assert!(phone.resolves(id, AttemptResult::Unknown));
}

/// What is dialled behind the code moves between screens, and never agrees, picks or answers.
#[test]
fn what_is_dialled_only_moves() {
    for (extras, want) in [
        (&[][..], "Umoja Credit asks"),
        (&["3"], "Choose your language"),
        (&["2"], "You have no linked accounts"),
        (&["1"], "Umoja Credit asks"),
        (&["1", "1", "ada", "secret"], "Umoja Credit asks"),
        (&["0"], "Umoja Credit asks"),
        (&["3", "2"], "Choose your language"),
        (&["3", "0", "2"], "You have no linked accounts"),
        (&["x", "3"], "Umoja Credit asks"),
        (&["９"], "Umoja Credit asks"),
        (&["３"], "Choose your language"),
    ] {
        let mut phone = Phone::new();
        let text = phone.dial_known(&SubscriberFacts::default(), extras);
        assert!(text.starts_with(want), "{extras:?}: {text}");
        assert!(phone.state.session.is_none(), "{extras:?}");
        assert_eq!(phone.state.locale, crate::core::messages::Locale::En);
    }
}

/// A dialog whose value was lost begins again at the start: what was typed into it before is no consent and no secret.
#[test]
fn a_lost_dialog_begins_anew() {
    let mut phone = Phone::new();
    let shown = text(phone.callback(5, cumulative("1*1*ada*Zq7password"), None));
    assert!(shown.starts_with("Umoja Credit asks"), "{shown}");
    assert!(!phone.value().contains("ada") && !phone.value().contains("Zq7"));
}

/// A new dial while another dialog waits takes over; the waiting one is told so.
#[test]
fn a_new_dial_takes_over() {
    let (mut phone, id) = Phone::submitted();
    let text = phone.dial();
    assert!(text.starts_with("Zenith Bank is checking"), "{text}");
    let waited = phone.step(|flow, state, context| flow.poll(state, &[1; 32], false, context));
    assert!(waited);
    let old = phone
        .state
        .dialogs
        .iter()
        .find(|dialog| dialog.key == [1; 32])
        .expect("it");
    assert!(matches!(&old.reply, ReplySlot::Set(answer) if answer.end && answer.text.starts_with("You dialled again")));
    assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
    assert!(phone.types("1").starts_with("Done!"));
}

/// A gateway that sends only the latest line and numbers its turns: a number that was seen is a repeat, however late and
/// whatever has come since, and a new one is a new key press, although the line is the same.
#[test]
fn a_numbered_turn_is_taken_once() {
    let mut phone = Phone::new();
    let mut line = |turn: u64, event: TurnEvent| {
        phone.turn = Some(turn);
        let shown = text(phone.callback(1, event, None));
        (shown, phone.value())
    };
    let (welcome, _) = line(1, begin());
    assert!(welcome.starts_with("Umoja Credit asks"), "{welcome}");
    let (banks, _) = line(2, latest("1"));
    assert!(banks.starts_with("Choose your bank"), "{banks}");
    let again = line(2, latest("1"));
    assert_eq!(again.0, banks);
    let (asked, value) = line(3, latest("1"));
    assert!(asked.starts_with("Zenith Bank: USERNAME"), "{asked}");
    for (turn, typed) in [(3, "1"), (2, "1"), (1, "")] {
        assert_eq!(line(turn, latest(typed)), (asked.clone(), value.clone()), "turn {turn}");
    }
    // The last line would be taken for the password, were it not for its number.
    let (password, value) = line(4, latest("ada"));
    assert!(password.starts_with("Zenith Bank: PASSWORD"), "{password}");
    assert_eq!(line(4, latest("ada")), (password, value));
    assert_eq!(phone.submits(), 0);
}

/// A numbered turn that ended the dialog gets its END again, while a turn after it is told that it is over.
#[test]
fn a_numbered_end_is_repeated() {
    let mut phone = Phone::new();
    phone.turn = Some(1);
    phone.callback(1, begin(), None);
    phone.turn = Some(2);
    let goodbye = text(phone.callback(1, latest("0"), None));
    assert!(goodbye.starts_with("Goodbye"), "{goodbye}");
    assert_eq!(text(phone.callback(1, latest("0"), None)), goodbye);
    phone.turn = Some(3);
    assert_eq!(text(phone.callback(1, latest("0"), None)), "(none)");
}

/// Many turns later the value is no larger: only so many numbers are kept.
#[test]
fn turn_numbers_do_not_pile_up() {
    let mut phone = Phone::new();
    phone.turn = Some(0);
    phone.callback(1, begin(), None);
    for turn in 1..=200 {
        phone.turn = Some(turn);
        phone.callback(1, latest(if turn % 2 == 1 { "3" } else { "0" }), None);
    }
    let kept = &phone.state.dialogs.first().expect("the dialog").turn_ids;
    assert!((6..=16).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept.last(), Some(&200));
}

/// A result that only the last answer of a dialog held is told again when the gateway says that the dialog failed: the
/// answer may have come too late for it. It is not when the answer was delivered, when the person has gone on from it, or
/// when they have dialled since.
#[test]
fn an_answer_that_was_not_delivered_is_told_again() {
    let news = "Zenith Bank ..4321 is linked";
    for (delivered, want) in [(false, news), (true, "Umoja Credit asks")] {
        let mut phone = Phone::linked();
        assert!(phone.says().starts_with("Done!"));
        assert_eq!(phone.state.mark_closed(&[1; 32], delivered), !delivered);
        assert!(!phone.state.mark_closed(&[1; 32], delivered), "twice");
        let text = phone.dial();
        assert!(text.starts_with(want), "{delivered}: {text}");
        // The news itself may be lost in the same way.
        phone.state.mark_closed(&[2; 32], delivered);
        let text = phone.dial();
        assert!(text.starts_with(want), "{delivered}: {text}");
        assert!(phone.dial().starts_with("Umoja Credit asks"));
    }
    let mut phone = Phone::linked();
    assert!(!phone.state.mark_closed(&[7; 32], false), "another dialog");
    phone.dial();
    phone.state.mark_closed(&[1; 32], false);
    assert!(phone.dial().starts_with("Umoja Credit asks"));
}

/// A refusal that was answered has been read; one that was the last screen before the dialog broke is told again.
#[test]
fn a_refusal_that_was_not_delivered_is_told_again() {
    for (goes_on, want) in [
        (false, "Zenith Bank did not let you in"),
        (true, "You began to link Zenith Bank. Go on?"),
    ] {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, failed(FailureClass::Refused));
        assert!(phone.says().starts_with("Zenith Bank did not let you in"));
        if goes_on {
            phone.types("7");
        }
        phone.state.mark_closed(&[1; 32], false);
        let text = phone.dial();
        assert!(text.starts_with(want), "{goes_on}: {text}");
    }
}

/// What is dialled behind the code leads past the news, which is then still to be told.
#[test]
fn news_that_was_not_shown_is_still_to_be_told() {
    let mut phone = Phone::linked();
    phone.state.mark_closed(&[1; 32], false);
    let known = SubscriberFacts {
        links: phone.state.links.clone(),
        ..SubscriberFacts::default()
    };
    for _ in 0..2 {
        let listed = phone.dial_known(&known, &["2"]);
        assert!(listed.starts_with("Your linked accounts"), "{listed}");
    }
    assert!(phone.dial().starts_with("Zenith Bank ..4321 is linked"));
}

/// A dialog's name is somebody's new dialog when it comes again more than ten minutes after, and a day after; the same
/// callback within them is a repeat.
#[test]
fn a_name_is_used_again() {
    for (later, new) in [
        (Duration::from_mins(9), false),
        (Duration::from_mins(11), true),
        (Duration::from_hours(25), true),
    ] {
        let (mut phone, _) = Phone::submitted();
        phone.types("0");
        let last = phone.says();
        phone.passes(later);
        let shown = text(phone.callback(1, begin(), None));
        assert_eq!(shown != last, new, "{later:?}: {shown}");
        assert_eq!(phone.state.dialogs.len(), 1);
        assert_eq!(phone.submits(), 0);
    }
}

/// A line that comes up to a quarter of an hour after its dialog ended is told that it is over, and changes nothing.
#[test]
fn a_late_line_changes_nothing() {
    for late in [1, 60, 300, 900].map(Duration::from_secs) {
        let mut phone = Phone::linked();
        phone.passes(late);
        let before = phone.value();
        let whole = "1*1*ada*Zq7password";
        assert_eq!(
            text(phone.callback(1, cumulative(&format!("{whole}*1")), None)),
            "(none)"
        );
        assert!(text(phone.callback(1, cumulative(whole), None)).starts_with("Done!"));
        assert_eq!(phone.value(), before, "{late:?}");
    }
}
