//! Forms: what may be typed, what changes under a person's hands, and codes.

use std::time::Duration;

use super::fixtures::{bank, code_form, failed, field, form, login_form, opened};
use super::phone::Phone;
use crate::core::flow::{AttemptResult, Effect, SessionEvent};
use crate::core::menu::Outcome;
use crate::core::next_step::{Failure, FailureClass, Field, FieldKind};

/// What each kind of field takes, and what it says to the rest.
#[test]
fn fields_take_what_they_want() {
    let mut six = field("pin", FieldKind::Digits);
    six.exact_len = Some(6);
    let mut short = field("name", FieldKind::Text);
    short.max_len = Some(3);
    let secret = field("password", FieldKind::Secret);
    for (field, typed, want) in [
        (&six, "123456", Ok("123456")),
        (&six, " 123456 ", Ok("123456")),
        (&six, "１２３４５６", Ok("123456")),
        (&six, "12345", Err("It must have 6 letters or numbers.")),
        (&six, "12345x", Err("Please use digits only.")),
        (&six, " ", Err("Please type an answer.")),
        (&short, "abcd", Err("That is too long.")),
        (&short, " abc ", Ok("abc")),
        (&secret, " p w ", Ok(" p w ")),
        (&secret, "１234", Ok("１234")),
        (&secret, "p\u{0}w", Err("Please use letters and numbers only.")),
        (&secret, "p\nw", Err("Please use letters and numbers only.")),
    ] {
        let mut phone = Phone::new();
        phone.banks = vec![bank("a", "Bank", vec![form(vec![field.clone()])])];
        phone.dial();
        phone.keys(&["1", "1", typed]);
        match want {
            Ok(answer) => assert_eq!(phone.submit().answers[0].1.expose(), answer, "{typed:?}"),
            Err(note) => {
                assert_eq!(phone.submits(), 0, "{typed:?}");
                assert!(phone.says().starts_with(note), "{typed:?}: {}", phone.says());
                assert!(!phone.types("0").starts_with(note), "a note is shown once");
            }
        }
    }
}

/// A field with a few answers is a list; its last answer goes out by its value.
#[test]
fn one_of_a_few() {
    let mut phone = Phone::at_banks();
    let text = phone.keys(&["4"]);
    assert!(text.starts_with("Polaris: KIND\n1 Personal\n2 Business"), "{text}");
    assert!(phone.types("7").starts_with("Choose from"));
    assert!(phone.types("2").starts_with("Polaris: PIN"));
    phone.types("Zq7pin");
    let answers: Vec<_> = phone
        .submit()
        .answers
        .iter()
        .map(|(n, a)| format!("{n}={}", a.expose()))
        .collect();
    assert_eq!(answers, ["kind=b-2", "pin=Zq7pin"]);
}

/// Two ways to log in: the usual one is taken, and each opens its own session.
#[test]
fn several_ways_to_log_in() {
    let mut phone = Phone::at_banks();
    assert!(phone.types("3").starts_with("First Bank: CARD"), "{}", phone.says());
    let opens = phone.opens();
    assert_eq!((opens.len(), opens[0].method.as_str()), (1, "method-1"));
    phone.keys(&["9", "1"]);
    assert!(phone.says().starts_with("First Bank: USERNAME"), "{}", phone.says());
    let opens = phone.opens();
    assert_eq!((opens.len(), opens[0].method.as_str()), (1, "method-0"));
}

/// A session that was opened for another bank or way to log in is never submitted to, however late it comes.
#[test]
fn a_late_session_of_another_bank_is_not_used() {
    let mut phone = Phone::at_banks();
    phone.types("1");
    let first = phone.opens().remove(0);
    phone.keys(&["0", "2"]);
    let second = phone.opens().remove(0);
    assert_eq!(
        (first.institution.name.as_str(), second.institution.name.as_str()),
        ("Zenith Bank", "Access Bank")
    );
    for (session, id) in [(second.session, "for access"), (first.session, "for zenith")] {
        phone.applies(&SessionEvent::ProviderSessionOpened {
            session,
            result: opened(id, Some(login_form())),
        });
    }
    phone.keys(&["ada", "pass-pw"]);
    let session = phone.submit().provider_session.map(|session| session.id);
    assert_eq!(session.as_deref(), Some("for access"));
}

/// When the provider's own form turns out to be another, what is typed at the old question is not taken as an answer to
/// the new one.
#[test]
fn a_changed_form_is_shown_before_it_is_answered() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada"]);
    let open = phone.opens().remove(0);
    let other = form(vec![
        field("email", FieldKind::Text),
        field("secret", FieldKind::Secret),
    ]);
    assert!(phone.applies(&SessionEvent::ProviderSessionOpened {
        session: open.session,
        result: opened("s", Some(other))
    }));
    let text = phone.types("Zq7password");
    assert!(
        text.contains("asks for other details") && text.contains("EMAIL"),
        "{text}"
    );
    assert!(!phone.value().contains("Zq7password"));
    phone.keys(&["ada@x", "Zq7password"]);
    let names: Vec<_> = phone.submit().answers.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["email", "secret"]);
}

/// A form that a keypad cannot answer is never asked, wherever it comes from.
#[test]
fn what_a_keypad_cannot_do_is_not_asked() {
    let picture = || {
        form(vec![
            field("username", FieldKind::Text),
            field("captcha", FieldKind::Unsupported),
        ])
    };
    let mut phone = Phone::at_banks();
    phone.types("1");
    let open = phone.opens().remove(0);
    phone.applies(&SessionEvent::ProviderSessionOpened {
        session: open.session,
        result: opened("s", Some(picture())),
    });
    let text = phone.types("ada");
    assert!(text.starts_with("Zenith Bank asks for something"), "{text}");

    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(picture()));
    assert!(
        phone.says().starts_with("Zenith Bank asks for something"),
        "{}",
        phone.says()
    );
}

/// Words of a bank that go on where there is no room for them say so: a label, a title before it, and what it wants to be
/// done. Words that fit are as they are.
#[test]
fn words_that_are_cut_say_so() {
    let long = "Type the password that was sent to your phone number";
    let cut = "Type the password that was sent to yo...";
    for (title, label, asked) in [
        (None, "OTP", "Zenith Bank: OTP"),
        (None, long, &*format!("Zenith Bank: {cut}")),
        (Some("Sent?"), "OTP", "Zenith Bank: Sent. OTP"),
        (Some(long), "OTP", &*format!("Zenith Bank: {cut} OTP")),
    ] {
        let (mut phone, id) = Phone::submitted();
        let mut form = code_form();
        form.title = title.map(str::to_owned);
        label.clone_into(&mut form.fields[0].label);
        phone.resolves(id, AttemptResult::Prompt(form));
        assert!(phone.says().contains(asked), "{asked}: {}", phone.says());
        phone.check_screen();
    }
    let (mut phone, id) = Phone::submitted();
    let failure = Failure {
        message: Some(long.to_owned()),
        ..FailureClass::ActAtBank.into()
    };
    phone.resolves(id, AttemptResult::Failed(failure));
    assert!(
        phone.says().starts_with(&format!("Zenith Bank: {cut}\n")),
        "{}",
        phone.says()
    );
}

/// The key for "check again", pressed when it has turned out that nothing was sent, is not taken for the password.
#[test]
fn a_key_is_not_taken_for_a_password() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada", "Zq7password"]);
    phone.submit();
    assert!(phone.polls(false).starts_with("Zenith Bank is checking"));
    phone.passes(Duration::from_secs(76));
    let text = phone.types("1");
    assert_eq!(phone.submits(), 0, "the key was submitted as the password");
    assert!(
        text.starts_with("It was not sent.") && text.contains("PASSWORD"),
        "{text}"
    );
    phone.types("Zq7again");
    assert_eq!(
        phone
            .submit()
            .answers
            .last()
            .map(|(_, answer)| answer.expose().to_owned())
            .as_deref(),
        Some("Zq7again")
    );
}

/// Sent and silent past its lease: being found out, and looked for at once.
#[test]
fn silence_is_found_out() {
    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.passes(Duration::from_secs(76));
    phone.types("1");
    let settles = phone
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::ResolveAttempt(of) if *of == id))
        .count();
    assert!(settles >= 1);
    assert!(
        phone.polls(false).starts_with("Zenith Bank has not answered"),
        "{}",
        phone.says()
    );
    assert_eq!(phone.submits(), 0);
}

/// Three wrong codes end the provider's session; each says how many are left.
#[test]
fn three_wrong_codes() {
    let (mut phone, mut id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    assert!(phone.says().starts_with("Zenith Bank: OTP"));
    for left in [2, 1] {
        phone.types("000000");
        id = phone.submit().attempt;
        phone.sends(id);
        phone.resolves(id, failed(FailureClass::WrongCode));
        assert!(
            phone
                .says()
                .starts_with(&format!("That was not right. Tries left: {left}.")),
            "{}",
            phone.says()
        );
    }
    phone.types("000000");
    id = phone.submit().attempt;
    phone.sends(id);
    phone.resolves(id, failed(FailureClass::WrongCode));
    assert_eq!(phone.stage(), Some(Outcome::Refused));
    assert!(phone.state.refusals.is_empty(), "a wrong code is no refused login");
}

/// A form that is another when it is submitted, and a session that is over: asked again from the first field.
#[test]
fn asked_again_from_the_start() {
    let other = form(vec![
        field("email", FieldKind::Text),
        field("secret", FieldKind::Secret),
    ]);
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada", "pass-pw"]);
    let id = phone.submit().attempt;
    let session = match opened("s", Some(other)) {
        crate::core::flow::OpenResult::Open(session) => session,
        other => panic!("{other:?}"),
    };
    phone.resolves(id, AttemptResult::FormChanged(session));
    assert!(
        phone.says().contains("asks for other details") && phone.says().contains("EMAIL"),
        "{}",
        phone.says()
    );

    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    phone.types("123456");
    let code = phone.submit();
    assert_eq!(code.step, crate::core::linking::SubmissionStep::Code);
    phone.resolves(code.attempt, failed(FailureClass::SessionExpired));
    assert!(phone.says().contains("Zenith Bank: USERNAME"), "{}", phone.says());
    assert!(phone.session().provider_session.is_none());
}

/// A login that was sent and not accepted counts against the limits, whatever its bank calls that; one that was never sent,
/// or that the bank was too busy for, does not.
#[test]
fn every_login_that_was_sent_and_not_accepted_counts() {
    for (class, counts) in [
        (FailureClass::Refused, true),
        (FailureClass::SessionExpired, true),
        (FailureClass::Misconfigured, true),
        (FailureClass::WrongCode, true),
        (FailureClass::Denied, true),
        (FailureClass::Busy, false),
        (FailureClass::Unsupported, false),
    ] {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, failed(class));
        assert_eq!(phone.state.refusals.len(), usize::from(counts), "{class:?}");
    }
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada", "pass-pw"]);
    let id = phone.submit().attempt;
    phone.resolves(id, failed(FailureClass::Misconfigured));
    assert!(phone.state.refusals.is_empty(), "it was never sent");
}

/// Of a session that had ended the screen does not say that nothing was sent.
#[test]
fn a_session_that_ended_is_told_as_one() {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, failed(FailureClass::SessionExpired));
    let said = phone.says();
    assert!(
        said.starts_with("The bank's session had ended. Please type it again."),
        "{said}"
    );
}

/// The session's form is the last word: its labels and lengths are asked, and what was answered to other words is asked
/// once more.
#[test]
fn the_sessions_own_words_are_asked() {
    let mut first = login_form();
    first.fields[1].label = "Phone number".to_owned();
    let mut second = login_form();
    second.fields[0].label = "Transfer PIN".to_owned();
    second.fields[0].max_len = Some(4);
    for (form, typed, answered, want) in [
        (first.clone(), vec!["1"], 0, "Phone number"),
        (first, vec!["1", "ada"], 0, "Phone number"),
        (second, vec!["1", "ada"], 1, "Transfer PIN"),
    ] {
        let mut phone = Phone::at_banks();
        phone.keys(&typed);
        let session = phone.session().id;
        phone.applies(&SessionEvent::ProviderSessionOpened {
            session,
            result: opened("s", Some(form.clone())),
        });
        let session = phone.session();
        assert_eq!(
            (session.form.as_ref(), session.fields_answered),
            (Some(&form), answered),
            "{typed:?}"
        );
        assert_eq!(session.current_field().unwrap().label, want, "{typed:?}");
    }
}

/// Before the last answer leaves the session is there, also where no answer is a secret: no second one is opened beside the
/// one that is on its way.
#[test]
fn the_last_answer_waits_for_the_session() {
    let open_form = form(vec![
        field("phone", FieldKind::Text),
        field("customer", FieldKind::Text),
    ]);
    let mut phone = Phone::at_banks();
    phone.keys(&["1"]);
    let session = phone.state.session.as_mut().unwrap();
    session.form = Some(open_form);
    session.provider_session = None;
    phone.keys(&["0801"]);
    // The stand-in opens it as soon as it is waited for.
    assert!(phone.session().provider_session.is_some());
    assert!(phone.says().contains("CUSTOMER"), "{}", phone.says());
    phone.keys(&["17"]);
    assert!(phone.submit().provider_session.is_some());
}

/// What may not be typed over USSD may not be typed after the login either.
#[test]
fn a_later_question_is_denied_too() {
    let once = Field {
        one_time: true,
        ..field("otp", FieldKind::Text)
    };
    for (asked, denied) in [
        (field("password", FieldKind::Secret), true),
        (once, true),
        (field("answer", FieldKind::Text), false),
    ] {
        let (mut phone, id) = Phone::submitted();
        let session = phone.state.session.as_mut().unwrap();
        session.institution.as_mut().unwrap().deny = true;
        phone.resolves(id, AttemptResult::Prompt(form(vec![asked.clone()])));
        assert_eq!(phone.stage() == Some(Outcome::Unsuited), denied, "{}", asked.name);
    }
}
