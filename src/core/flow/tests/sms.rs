//! The conversation held by text: what can be done there, and what is left to the phone.

use std::time::Duration;

use super::fixtures::{bank, banks, failed, field, form, link, login_form};
use super::phone::{Phone, flow_with};
use super::sms_phone::{SmsOutcome, allowing, code_in, number_in};
use crate::core::flow::handover::HandoverDecision;
use crate::core::flow::{AttemptResult, Effect, SubscriberFacts};
use crate::core::linking::Journey;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::next_step::{AccountChoice, FailureClass, FieldKind};
use crate::core::policy::{PolicyOverride, SecretsOverSms, SecretsOverUssd};

/// The whole way by text, up to where a password is wanted: then one dials, and comes straight to the question.
#[test]
fn all_but_secrets_goes_by_text() {
    let mut phone = Phone::new();
    let welcome = phone.sends_text("link").screen();
    assert!(
        welcome.starts_with("Umoja Credit asks to see your bank account"),
        "{welcome}"
    );
    assert!(
        welcome.ends_with(&format!(
            "\nTo agree reply {}\n3 Hausa/Igbo/Yoruba\n0 Leave",
            number_in(&welcome)
        )),
        "{welcome}"
    );
    let list = phone.sends_text(&number_in(&welcome)).screen();
    assert!(
        list.starts_with("Choose your bank, or type its name:\n1 Zenith Bank"),
        "{list}"
    );
    // The list is not narrowed to what is looked for, which would name it where others read it; what finds one only picks it.
    let several = phone.sends_text("bank").screen();
    assert!(
        several.starts_with("Choose from the list.\nChoose your bank, or type its name:\n1 Zenith Bank"),
        "{several}"
    );
    let dial = phone.sends_text("zenith").screen();
    assert!(dial.starts_with("Never text a password or code"), "{dial}");
    assert_eq!(phone.stage(), Some(Outcome::Ask));
    assert_eq!(phone.opens().len(), 1, "the session is opened meanwhile");
    let consent = phone.session().consent.clone().expect("a consent");
    assert_eq!((consent.channel.as_str(), consent.locale), ("sms:ng", Locale::En));
    let asked = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&dial)]);
    assert!(asked.contains("Zenith Bank: USERNAME"), "{asked}");
    phone.keys(&["ada", "Zq7password"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    assert!(phone.says().contains("Done!"), "{}", phone.says());
}

/// What anybody texts where a password is asked for is nowhere afterwards: not in the value, not in the answer; and nothing
/// is submitted. The way back is a key as everywhere.
#[test]
fn a_secret_in_a_text_is_not_kept() {
    for text in ["Zq7password", "Zq7 pass word", "482913", "1"] {
        let mut phone = Phone::new();
        phone.agrees_by_text();
        phone.sends_text("1").screen();
        let code = code_in(&phone.says());
        let told = phone.sends_text(text).screen();
        assert!(
            told.starts_with("Never text a password or code: delete the text you sent."),
            "{told}"
        );
        assert_eq!(
            code_in(&told),
            code,
            "texts come late: the code in the one before works, too"
        );
        assert!(!told.contains("Zq7") && !phone.value().contains("Zq7"), "{told}");
        assert!(!phone.value().contains("482913"));
        assert_eq!((phone.submits(), phone.session().fields_answered), (0, 0));
        assert!(phone.sends_text("0").screen().starts_with("Choose your bank"));
    }
}

/// Neither a question that is not secret, nor a choice of account, nor a code is answered by text where secrets are not: a
/// forged text must not submit anything to a bank.
#[test]
fn nothing_is_submitted_by_text() {
    let mut phone = Phone::new();
    phone.banks.push(bank(
        "digits",
        "Digit Bank",
        vec![form(vec![field("phone", FieldKind::Digits)])],
    ));
    phone.agrees_by_text();
    let told = phone.sends_text("digit bank").screen();
    assert!(told.starts_with("Never text a password or code"), "{told}");
    phone.sends_text("08030000001");
    phone.sends_texts(&["0", "polaris"]);
    assert_eq!(phone.stage(), Some(Outcome::AskChoice));
    assert!(
        phone
            .sends_text("1")
            .screen()
            .starts_with("Never text a password or code"),
        "{}",
        phone.says()
    );
    assert_eq!((phone.submits(), phone.session().answers.len()), (0, 0));

    let (mut phone, id) = Phone::submitted();
    let account = AccountChoice {
        key: "a".to_owned(),
        label: "Savings".to_owned(),
        masked: "4321".to_owned(),
        currency: None,
    };
    phone.resolves(id, AttemptResult::ChooseAccount(vec![account].into()));
    phone.passes(Duration::from_mins(10));
    let told = phone.sends_text("CONTINUE").screen();
    assert!(told.starts_with("Never text a password or code"), "{told}");
    assert!(!told.contains("4321"));
    phone.sends_text("1");
    assert_eq!(phone.submits(), 0);
    let choice = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&phone.says())]);
    assert!(choice.contains("which account?"), "{choice}");
}

/// Where the operator lets secrets be texted the whole way goes by text: with the last answer nobody waits, and what became
/// of it is a text of its own, once.
#[test]
fn where_it_is_allowed_all_goes_by_text() {
    let mut phone = allowing();
    phone.agrees_by_text();
    assert!(phone.sends_text("1").screen().contains("Your bank: USERNAME"));
    assert!(phone.sends_text("ada ").screen().contains("Your bank: PASSWORD"));
    let told = phone.sends_text("Zq7password").screen();
    assert_eq!(
        told,
        "Umoja Credit: we are asking your bank, and will text you the answer."
    );
    assert!(!phone.value().contains("Zq7"));
    let submit = phone.submit();
    assert_eq!(submit.answers[0].1.expose(), "ada");
    assert_eq!(submit.answers[1].1.expose(), "Zq7password");
    let id = submit.attempt;
    phone.sends(id);
    assert!(phone.resolves(id, failed(FailureClass::Refused)));
    let texted =
        |phone: &mut Phone| phone.step(|flow, state, context| flow.handover_sms(state, id, "*384*96#", context));
    assert!(matches!(texted(&mut phone), HandoverDecision::Send(text) if text.contains("no account was linked")));
    assert_eq!(texted(&mut phone), HandoverDecision::Nothing);
}

/// An answer that a text has shown is not texted again, and one that comes while nobody asks is.
#[test]
fn an_answer_is_texted_once() {
    for asks in [false, true] {
        let mut phone = allowing();
        phone.agrees_by_text();
        phone.sends_texts(&["1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        let checking = phone.sends_text("CONTINUE").screen();
        assert!(checking.contains("will text you the answer"), "{checking}");
        phone.resolves(id, failed(FailureClass::Refused));
        if asks {
            assert!(phone.sends_text("CONTINUE").screen().contains("did not let you in"));
        }
        let told = phone.step(|flow, state, context| flow.handover_sms(state, id, "*384*96#", context));
        assert_eq!(matches!(told, HandoverDecision::Send(_)), !asks, "{told:?}");
    }
}

/// What a bank calls its ways to log in, and a question that names it, are for the phone, also where secrets may be texted.
#[test]
fn what_a_bank_calls_things_is_for_the_phone() {
    for mut phone in [Phone::new(), allowing()] {
        let mut zenith = bank("zenith", "Zenith Bank", vec![login_form(), login_form()]);
        zenith.institution.methods[0].name = "Zenith internet banking".to_owned();
        for method in &mut zenith.institution.methods {
            method.journey = Journey::Browser;
        }
        let mut card = field("card", FieldKind::Digits);
        card.label = "ZenithBank card".to_owned();
        let mut other = bank("zenith-2", "Zenith Bank Two", vec![form(vec![card])]);
        other.institution.methods[0].name = "Zenith card".to_owned();
        phone.banks = vec![zenith, other];
        phone.agrees_by_text();
        for (pick, stage, asked) in [
            ("1", Outcome::ChooseMethod, "1 Zenith internet banking"),
            ("2", Outcome::Ask, "ZenithBank card"),
        ] {
            let told = phone.sends_text(pick).screen();
            assert!(
                told.starts_with("Never text a password or code") && !told.contains("Zenith"),
                "{told}"
            );
            assert_eq!(phone.stage(), Some(stage));
            // Nothing can be chosen that was not shown.
            let told = phone.sends_text("1").screen();
            assert_eq!((phone.stage(), phone.submits()), (Some(stage), 0), "{told}");
            let shown = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&phone.says())]);
            assert!(shown.contains(asked), "{shown}");
            phone.passes(Duration::from_mins(5));
            assert!(
                phone
                    .sends_text("CONTINUE")
                    .screen()
                    .starts_with("Never text a password or code")
            );
            assert!(phone.sends_text("0").screen().starts_with("Choose your bank"));
        }
    }
}

/// The warning that a network can read what is typed is given where it is typed: the text says what to dial, and the phone
/// warns before it asks.
#[test]
fn the_warning_is_given_on_the_phone() {
    let mut phone = Phone::with(flow_with(SecretsOverUssd::Warn, Vec::new()));
    phone.agrees_by_text();
    let told = phone.sends_text("1").screen();
    assert!(
        told.starts_with("Never text a password or code") && told.ends_with("\n0 Back"),
        "{told}"
    );
    assert!(!told.contains("\n1 "), "{told}");
    phone.sends_text("1");
    assert_eq!(phone.stage(), Some(Outcome::Ask));
    let code = code_in(&phone.says());
    let first = phone.dial_known(&SubscriberFacts::default(), &[&code]);
    assert!(first.contains("is not secret") && first.contains("USERNAME"), "{first}");
}

/// What a rule lets or forbids for one bank holds for that bank.
#[test]
fn a_rule_for_one_bank_holds_for_texts() {
    let rule = |institution: &str, ussd, sms| PolicyOverride {
        country: None,
        provider: Some("mono".to_owned()),
        institution: Some(institution.to_owned()),
        secrets_over_ussd: ussd,
        secrets_over_sms: sms,
    };
    for (rules, want) in [
        (vec![], Some("Never text a password or code")),
        (
            vec![rule("zenith", None, Some(SecretsOverSms::Allow))],
            Some("USERNAME"),
        ),
        (
            vec![rule("access", None, Some(SecretsOverSms::Allow))],
            Some("Never text a password or code"),
        ),
        (
            vec![rule("zenith", Some(SecretsOverUssd::Warn), Some(SecretsOverSms::Allow))],
            Some("is not secret"),
        ),
    ] {
        let mut phone = Phone::with(flow_with(SecretsOverUssd::Allow, rules));
        phone.agrees_by_text();
        let told = phone.sends_text("1").screen();
        assert!(want.is_some_and(|want| told.contains(want)), "{want:?}: {told}");
    }
}

/// CONTINUE goes on without a question, wherever the person stands; who has nothing to go on with begins.
#[test]
fn continue_goes_on() {
    let mut phone = Phone::new();
    assert!(phone.sends_text("CONTINUE").screen().contains("It cannot move money"));
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada"]);
    phone.passes(Duration::from_mins(10));
    let told = phone.sends_text("continue").screen();
    assert!(told.starts_with("Never text a password or code"), "{told}");
    let told = phone.sends_text("LINK").screen();
    assert!(told.starts_with("You began to link your bank. Go on?"), "{told}");
    assert!(
        phone
            .sends_text("1")
            .screen()
            .starts_with("Never text a password or code")
    );
    let asked = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&phone.says())]);
    assert!(
        asked.contains("PASSWORD"),
        "what was typed before is still there: {asked}"
    );
}

/// A language is asked for by its name, at any screen, and stays.
#[test]
fn a_language_is_a_word() {
    let mut phone = Phone::new();
    assert!(phone.sends_text("Hausa").screen().contains("Ba zai iya cire kudi"));
    assert!(
        phone
            .sends_text(&number_in(&phone.says()))
            .screen()
            .starts_with("Ku zabi banki")
    );
    assert!(phone.sends_text("SWAHILI").screen().contains("1 Zenith Bank"));
    assert_eq!(
        (phone.state.locale, phone.stage()),
        (Locale::Sw, Some(Outcome::ChooseBank))
    );
    let consent = phone.session().consent.clone().expect("a consent");
    assert_eq!(consent.locale, Locale::Ha, "what was agreed to was in Hausa");
    assert!(phone.sends_text("1").screen().contains("nenosiri"), "{}", phone.says());
    assert!(phone.dial().contains("Zenith Bank"));
    assert_eq!(phone.state.locale, Locale::Sw);
}

/// Accounts are for the phone: no SMS says which a person has, and what they text there chooses nothing. Where secrets may be
/// texted, too.
#[test]
fn accounts_are_for_the_phone() {
    let told = "Your accounts are not for texts: others may read them. To see or change them, dial *384*96#\n0 Back";
    let mut phone = Phone::linked();
    phone.passes(Duration::from_mins(10));
    phone.sends_text("LINK");
    for text in ["2", "1", "2", "12345"] {
        assert!(phone.sends_text(text).screen().ends_with(told), "{}", phone.says());
    }
    assert!(!phone.effects.iter().any(|effect| matches!(effect, Effect::Unlink(_))));
    assert!(phone.sends_text("0").screen().contains("It cannot move money"));
}

/// Every screen that a text can show fits one part, in every language, with names as long as they may be.
#[test]
fn screens_by_text_fit_one_part() {
    for locale in Locale::ALL {
        let mut phone = Phone::new();
        phone.banks = banks();
        for offer in &mut phone.banks {
            offer.institution.name = format!("{} Microfinance Bank", offer.institution.name);
        }
        phone.state.locale = locale;
        let list = phone.agrees_by_text();
        assert!(list.contains("1 "), "{list}");
        phone.sends_texts(&["first", "1", "Zq7", "0", "xyz", "9"]);
        phone.sends_texts(&["LINK", "0"]);
        assert_eq!(phone.sends_text("1"), SmsOutcome::Nothing, "{locale}: it was over");
    }
}
