//! Texts that come late, twice, in the wrong order, in parts, from machines, or while somebody is on the phone.

use std::time::Duration;

use rstest::rstest;

use super::phone::{Phone, cumulative};
use super::sms_phone::{Sms, SmsOutcome, allowing, number_in};
use crate::core::flow::Input;
use crate::core::flow::sms::{REPLY_WINDOW, SESSION_WINDOW};
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::secret::Secret;

/// What binds has no key that can be known beforehand: who forges a text, or texts for an older screen, agrees to nothing. The
/// number is another in each text.
#[test]
fn what_binds_is_chosen_by_a_number_of_this_text() {
    let mut phone = Phone::new();
    let first = number_in(&phone.sends_text("LINK").screen());
    let second = phone.sends_text("1").screen();
    assert!(second.contains("\nTo agree reply "), "{second}");
    assert_ne!(number_in(&second), first);
    let third = phone.sends_text(&first).screen();
    assert!(third.starts_with("That was not right. Tries left: 3."), "{third}");
    assert!(phone.state.session.is_none());
    phone.sends_text(&format!("{}.", number_in(&third))).screen();
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank), "with a full stop behind it");
}

/// Once too many numbers were wrong nothing that is texted agrees, not even the number, and the text says where it can be done.
#[test]
fn after_too_many_wrong_numbers_it_is_for_the_phone() {
    let mut phone = Phone::new();
    let number = number_in(&phone.sends_text("LINK").screen());
    phone.proofs_left = 0;
    let told = "Too many wrong numbers were texted. For up to 24 hours you can agree on the phone only: dial *384*96#\n0 Leave";
    for text in ["999999", "LINK", "1", &number, "2", "CONTINUE", "LINK"] {
        let said = phone.sends_text(text).screen();
        assert!(said.ends_with(told), "{text}: {said}");
        assert!(phone.state.session.is_none() && phone.state.cursor.confirmation.is_none());
    }
    assert!(phone.dial().contains("1 I agree"), "as on any phone");
    phone.types("1");
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank));
}

/// What is a try at the number is told before anything is done about it, so that the records can count it; what they refuse is
/// not right, whatever it is.
#[test]
fn a_try_at_the_number_is_recognized() {
    for (text, want) in [
        ("999999", Some(false)),
        ("RIGHT", Some(true)),
        ("(RIGHT)", Some(true)),
        ("123", Some(false)),
        ("12345678901", Some(false)),
        ("1", None),
        ("12", None),
        ("abc", None),
        ("0", None),
    ] {
        let mut phone = Phone::new();
        let number = number_in(&phone.sends_text("LINK").screen());
        let line = Input::Line(Secret::new(text.replace("RIGHT", &number)));
        assert_eq!(phone.flow.sms_proof(&phone.state, &line), want, "{text}");
        phone.state.judge_proof(false, 1);
        let told = phone.sends_text(&number).screen();
        assert!(phone.state.session.is_none(), "{told}");
    }
    let mut phone = Phone::new();
    phone.dial();
    let line = Input::Line(Secret::new("999999"));
    assert_eq!(
        phone.flow.sms_proof(&phone.state, &line),
        None,
        "on the phone there is none"
    );
}

/// Protects from G24 of the list of faults: a text that comes again, at once or later, changes nothing and gets what
/// stands there; one that was sent before the present screen chooses nothing on it; one in parts is no answer.
#[test]
fn repeated_reordered_and_broken_texts_choose_nothing() {
    let mut phone = Phone::new();
    phone.agrees_by_text();
    let (agreed, at) = (phone.dialog, phone.now);
    let sms = |id, text, whole, at| Sms {
        id,
        text,
        whole,
        at,
        stopped: None,
    };
    let list = phone.says();
    for _ in 0..2 {
        assert_eq!(
            phone.hands_on(&sms(agreed, "1", true, at)),
            SmsOutcome::Repeat(list.clone())
        );
    }
    phone.passes(Duration::from_secs(20));
    let now = phone.now;
    phone.hands_on(&sms(100, "bank", true, now));
    let earlier = phone.hands_on(&sms(99, "2", true, at.plus(Duration::from_secs(10))));
    assert_eq!(earlier, SmsOutcome::Screen(list.clone()), "sent before the search");
    let part = phone.hands_on(&sms(101, "1", false, now));
    assert_eq!(part, SmsOutcome::Screen(list), "a part of something longer");
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank));
    phone.hands_on(&sms(102, "1", true, now));
    assert_eq!(phone.stage(), Some(Outcome::Ask));
}

/// A day-late answer chooses nothing, whatever is on then: where the person stands is sent again; and after that time it is
/// not even worth an answer.
#[rstest]
#[case::in_time(REPLY_WINDOW.saturating_sub(Duration::from_secs(1)), Some("Never text a password or code"))]
#[case::too_late(REPLY_WINDOW, Some("Umoja Credit asks to see"))]
#[case::hours(Duration::from_hours(20), Some("Umoja Credit asks to see"))]
#[case::a_day(SESSION_WINDOW, None)]
fn a_late_answer_chooses_nothing(#[case] later: Duration, #[case] want: Option<&str>) {
    let mut phone = Phone::new();
    phone.agrees_by_text();
    phone.passes(later);
    match (phone.sends_text("1"), want) {
        (SmsOutcome::Screen(text), Some(want)) => assert!(text.starts_with(want), "{text}"),
        (SmsOutcome::Nothing, None) => {}
        (other, _) => panic!("{other:?}"),
    }
}

/// A number never begins anything, nor does anything else that is no word for it: machines that answer get no screen.
#[test]
fn only_words_begin() {
    for (text, begins) in [
        ("LINK", true),
        ("menu", true),
        ("CONTINUE", true),
        ("HAUSA", true),
        ("1", false),
        ("0", false),
        ("zenith", false),
        ("I am driving", false),
        ("", false),
    ] {
        let mut phone = Phone::new();
        let told = phone.sends_text(text);
        assert_eq!(matches!(told, SmsOutcome::Screen(_)), begins, "{text}: {told:?}");
        assert_eq!(phone.state.dialogs.len(), usize::from(begins), "{text}");
    }
}

/// Anyone who texts what chooses nothing is helped a few times and then left alone: a machine that answers every text of ours
/// gets no further.
#[test]
fn texts_that_choose_nothing_come_to_an_end() {
    let mut phone = Phone::new();
    phone.sends_text("LINK");
    for _ in 0..3 {
        let told = phone.sends_text("I am driving").screen();
        assert!(told.starts_with("Choose from the list."), "{told}");
    }
    let told = phone.sends_text("I am driving").screen();
    assert!(told.starts_with("Sorry, that was not understood. Text LINK"), "{told}");
    assert_eq!(phone.sends_text("I am driving"), SmsOutcome::Nothing);
    assert!(phone.sends_text("LINK").screen().contains("It cannot move money"));
    phone.sends_texts(&["x", "x", "x"]);
    assert!(phone.sends_text("3").screen().contains("Choose your language"));
    assert!(
        phone.sends_text("x").screen().starts_with("Choose from"),
        "counted from the start"
    );
}

/// What most people answer a question with agrees to nothing, and is no miss either: however often they text it they are told
/// what to reply, in one part and with a number that works, and the dialog goes on.
#[test]
fn yes_and_no_are_answered_with_what_to_reply() {
    for locale in Locale::ALL {
        let mut phone = Phone::new();
        phone.state.locale = locale;
        let first = phone.sends_text("LINK").screen();
        let without = |text: &str| text.replace(&number_in(text), "");
        for text in [
            "YES", "1", "no", "OK", "I agree", "Oui", "Ndiyo", "mba", "Na yarda", "Beeni",
        ] {
            let told = phone.sends_text(text).screen();
            assert_eq!(without(&told), without(&first), "{locale} {text}");
            assert!(phone.state.session.is_none(), "{locale} {text}");
        }
        let last = number_in(&phone.says());
        phone.sends_text(&last).screen();
        assert_eq!(phone.stage(), Some(Outcome::ChooseBank), "{locale}");
    }
}

/// Of a dialled dialog and one by text the one begun last is in charge; neither takes the other's lines for its own.
#[test]
fn the_dialog_begun_last_is_in_charge() {
    // A text while somebody is on the phone: a number changes nothing, LINK takes over, and the phone is told.
    let mut phone = Phone::at_banks();
    let dialled = phone.dialog;
    assert_eq!(phone.sends_text("1"), SmsOutcome::Elsewhere);
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank));
    phone.sends_text("LINK").screen();
    phone.dialog = dialled;
    let typed = cumulative("1*1");
    assert!(
        phone.callback(dialled, typed, None).is_none(),
        "the phone's dialog went on"
    );
    assert_eq!(phone.state.elsewhere_message(), "elsewhere-by-text");

    // A LINK that was sent before the dial changes nothing either.
    let mut phone = Phone::new();
    let before = phone.now;
    phone.passes(Duration::from_hours(20));
    phone.dial();
    phone.types("1");
    let late = phone.hands_on(&Sms {
        id: 90,
        text: "LINK",
        whole: true,
        at: before,
        stopped: None,
    });
    assert_eq!(late, SmsOutcome::Elsewhere);
    assert!(phone.types("1").contains("USERNAME"));

    // A dial takes over from texts; when it is over, a number does not go on in the older dialog.
    let mut phone = Phone::new();
    phone.agrees_by_text();
    phone.dial();
    assert_eq!(phone.sends_text("1"), SmsOutcome::Elsewhere);
    phone.passes(Duration::from_mins(5));
    let told = phone.sends_text("1").screen();
    assert!(
        told.contains("It cannot move money"),
        "where they stand, not the list: {told}"
    );
}

/// Anyone who wants no texts is answered only what they begin after that; what was begun before is over. They are not promised
/// a text that will not come.
#[test]
fn whoever_wants_no_texts_is_answered_what_they_begin() {
    let mut phone = allowing();
    phone.agrees_by_text();
    let since = phone.now;
    phone.passes(Duration::from_mins(1));
    let mut id = 100;
    let mut says = |phone: &mut Phone, text: &str| {
        id += 1;
        phone.hands_on(&Sms {
            id,
            text,
            whole: true,
            at: phone.now,
            stopped: Some(since),
        })
    };
    for text in ["1", "hello", "HAUSA"] {
        assert_eq!(says(&mut phone, text), SmsOutcome::Nothing, "{text}");
    }
    assert_eq!(phone.state.locale, Locale::En);
    let welcome = says(&mut phone, "LINK").screen();
    says(&mut phone, &number_in(&welcome)).screen();
    for text in ["1", "ada"] {
        says(&mut phone, text).screen();
    }
    let told = says(&mut phone, "Zq7password").screen();
    assert!(told.contains("Dial *384*96# in a few minutes"), "{told}");
    assert!(!told.contains("text you"), "{told}");
}
