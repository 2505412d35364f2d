//! What may be sent to a bank as a code or a secret, and how somebody gets at a code.

use super::fixtures::{bank, field, form, login_form};
use super::phone::Phone;
use crate::core::flow::AttemptResult;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::next_step::{Field, FieldKind, Form};

/// Somebody whose bank asks this after the login.
fn asked(form: Form) -> Phone {
    let (mut phone, id) = Phone::submitted();
    assert!(phone.resolves(id, AttemptResult::Prompt(form)));
    phone
}

fn only(key: &str, label: &str, kind: FieldKind) -> Form {
    form(vec![Field::new(key, label, kind)])
}

fn titled(title: &str, form: Form) -> Form {
    Form {
        title: Some(title.to_owned()),
        ..form
    }
}

/// Codes as banks ask for them.
fn codes() -> Vec<Form> {
    vec![
        only("otp", "OTP", FieldKind::Text),
        only("otp", "OTP", FieldKind::Secret),
        only("token", "Soft token", FieldKind::Secret),
        only("code", "Code", FieldKind::Digits),
        only("x", "One-time password", FieldKind::Secret),
        only("answer", "Passcode sent to your phone", FieldKind::Text),
        titled(
            "Please input OTP sent to you. Do not share this code",
            only("x", "Input", FieldKind::Text),
        ),
    ]
}

/// Whatever type a code comes with, its screen says that it comes by SMS and what to dial to come back, on the smallest page
/// as well, in every language: the message hides behind the dialog. Who leaves is told what to do then.
#[test]
fn a_code_says_the_way_back_to_it() {
    for form in codes() {
        for septets in [136, 156] {
            for locale in Locale::ALL {
                let mut phone = asked(form.clone());
                phone.state.locale = locale;
                phone.septets = septets;
                let shown = phone.dial();
                assert!(
                    shown.contains("SMS") && shown.contains("*384*96#"),
                    "{form:?} {locale} {septets}: {shown}"
                );
                assert!(
                    crate::core::gsm7::septets(&shown).is_some_and(|used| used <= septets),
                    "{shown}"
                );
                assert!(shown.lines().count() <= 4, "{shown}");
            }
        }
        let mut phone = asked(form.clone());
        assert!(
            phone.says().ends_with("\n0 Leave"),
            "a login is not taken back: {}",
            phone.says()
        );
        assert_eq!(
            phone.types("0"),
            "Goodbye. When you have the code, dial *384*96# to type it."
        );
        assert!(phone.answer().is_some_and(|answer| answer.end));
        phone.dial();
        assert!(phone.types("1").contains("dial *384*96#"), "{form:?}: {}", phone.says());
    }
}

/// An answer to a question is no code: nobody is sent away for it, and it is taken however short it is.
#[test]
fn a_question_is_no_code() {
    let mut phone = asked(only("answer", "Name of your first pet?", FieldKind::Text));
    assert!(!phone.says().contains("SMS"), "{}", phone.says());
    phone.types("Bo");
    assert_eq!(phone.submit().answers[0].1.expose(), "Bo");
}

/// Each wrong code is one of three: what cannot be one is not sent. What people put between the digits is left out.
#[test]
fn only_what_can_be_a_code_is_sent() {
    for form in codes() {
        for typed in ["1", "#", "*", "00", "98", "yes", "eh", "12", "123", "123456789", "12 3"] {
            let mut phone = asked(form.clone());
            let said = phone.types(typed);
            assert_eq!(
                (phone.submits(), phone.session().wrong_codes),
                (0, 0),
                "{form:?} {typed}: {said}"
            );
            assert!(said.contains('\n'), "the reason is above: {said}");
            assert_eq!(phone.stage(), Some(Outcome::Ask));
        }
        for (typed, sent) in [
            ("1234", "1234"),
            ("123 456", "123456"),
            ("123-456", "123456"),
            ("１２３４５６", "123456"),
        ] {
            let mut phone = asked(form.clone());
            phone.types(typed);
            assert_eq!(phone.submit().answers[0].1.expose(), sent, "{form:?}");
        }
    }
}

/// What the provider says of the length of its codes goes before what is usual.
#[test]
fn a_provider_knows_its_codes() {
    let mut long = field("otp", FieldKind::Text);
    long.exact_len = Some(10);
    let mut short = field("otp", FieldKind::Text);
    short.max_len = Some(3);
    for (field, typed) in [(long, "1234567890"), (short, "123")] {
        let mut phone = asked(form(vec![field]));
        phone.types(typed);
        assert_eq!(phone.submit().answers[0].1.expose(), typed);
    }
}

/// A key of the phone is never an answer, whatever is asked, at the login or after it.
#[test]
fn keys_of_the_phone_are_no_answer() {
    for kind in [FieldKind::Text, FieldKind::Digits, FieldKind::Secret, FieldKind::Date] {
        for key in ["00", "98", "*", " * ", "٩٨", "#", " # "] {
            let mut login = Phone::new();
            login.banks = vec![bank("a", "Bank", vec![form(vec![field("x", kind.clone())])])];
            login.dial();
            login.keys(&["1", "1"]);
            let later = asked(only("x", "Which?", kind.clone()));
            for mut phone in [login, later] {
                for _ in 0..2 {
                    let said = phone.types(key);
                    // That key changes the language, and what is asked stays asked.
                    let asked = if key.trim() == "#" {
                        "Choose your language:"
                    } else {
                        "Please type an answer."
                    };
                    assert!(said.starts_with(asked), "{kind:?} {key}: {said}");
                    if key.trim() == "#" {
                        phone.types("0");
                    }
                }
                assert_eq!(phone.submits(), 0);
            }
        }
    }
}

/// A secret shorter than four is asked for once more and then taken; where the provider says that its secrets are so short
/// it is not even asked again. No bank has one of a single character.
#[test]
fn a_short_secret_is_asked_for_once_more() {
    let at = |max_len| {
        let mut pin = field("pin", FieldKind::Secret);
        pin.max_len = max_len;
        let mut phone = Phone::new();
        phone.banks = vec![bank("a", "Bank", vec![form(vec![pin])])];
        phone.dial();
        phone.keys(&["1", "1"]);
        phone
    };
    let mut phone = at(None);
    let said = phone.types("12");
    assert!(
        said.starts_with("That is very short. If it is right, type it again."),
        "{said}"
    );
    assert_eq!(phone.submits(), 0);
    phone.types("12");
    assert_eq!(phone.submit().answers[0].1.expose(), "12");

    let mut phone = at(Some(3));
    phone.types("123");
    assert_eq!(phone.submit().answers[0].1.expose(), "123");

    let mut phone = at(None);
    for _ in 0..3 {
        assert!(phone.types("1").starts_with("That is too short."), "{}", phone.says());
    }
    assert_eq!(phone.submits(), 0);
    let value = serde_json::to_string(&phone.state).expect("JSON");
    assert!(!value.contains("\"12\"") && phone.session().answers.is_empty());
}

/// Somebody who presses 1 and nothing else gets no further than the first thing that is to be typed: nothing goes to any
/// bank, so none is locked.
#[test]
fn pressing_one_submits_nothing() {
    for key in ["1", "2"] {
        let mut phone = Phone::new();
        phone.banks.push(bank("b", "Both", vec![login_form(), login_form()]));
        phone.dial();
        for _ in 0..12 {
            phone.types(key);
        }
        assert_eq!(phone.submits(), 0, "{key}: {}", phone.says());
    }
}
