//! What stands in an inbox that others read: never the bank or the account that somebody has or has picked.

use std::time::Duration;

use super::fixtures::{field, form, link};
use super::phone::Phone;
use super::sms_phone::{SmsOutcome, allowing};
use crate::core::flow::{Waiting, WaitingFor};
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Outcome, Role};
use crate::core::messages::{Locale, Templates};
use crate::core::next_step::{FieldKind, FieldOption};

/// No message that is sent has a place for a bank, an account or what a bank calls a field, in any language.
#[test]
fn no_message_has_a_place_for_bank_or_account() {
    let templates = Templates::embedded().expect("the texts");
    let mut messages = 0;
    for locale in Locale::ALL {
        for id in templates.ids(locale).into_iter().filter(|id| id.starts_with("sms-")) {
            messages += 1;
            let variables = templates.variables(locale, id).expect("it is there");
            for name in ["bank", "account", "field"] {
                assert!(!variables.contains(name), "{locale} {id} has ${name}");
            }
        }
    }
    assert!(messages > 7 * 20, "{messages}");
}

/// Somebody with a link and a session that stands here; bank, fields and accounts all name themselves.
fn standing(stage: Outcome, locale: Locale) -> Phone {
    let mut phone = allowing();
    phone.state.locale = locale;
    phone.agrees_by_text();
    phone.sends_text("zenith").screen();
    let mut choice = field(
        "kind",
        FieldKind::OneOf(vec![FieldOption {
            label: "Zenith Bank saver".to_owned(),
            value: "s".to_owned(),
        }]),
    );
    choice.label = "ZENITH BANK login".to_owned();
    let mut secret = field("password", FieldKind::Secret);
    secret.label = "Your Zenith Bank password".to_owned();
    secret.help = Some("As on Zenith Bank card".to_owned());
    let now = phone.now;
    phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    phone.state.last_institution = Some("zenith:p".to_owned());
    let session = phone.state.session.as_mut().expect("a session");
    session.form = Some(form(if stage == Outcome::AskChoice {
        vec![choice]
    } else {
        vec![secret]
    }));
    session.stage = stage;
    session.step = SubmissionStep::Login;
    session.result = Some(link(1, "zenith:p", "Zenith Bank"));
    session.bank_message = Some("Zenith Bank: see 4321".to_owned());
    session.waiting = Some(Waiting {
        what: WaitingFor::Approval {
            message: Some("Zenith Bank asks for ..4321".to_owned()),
            binding: Some("K4-17".to_owned()),
        },
        until: now.plus(Duration::from_mins(5)),
    });
    phone
}

/// Wherever a session stands, in every language, and whatever is texted there: only the list of banks, which is the same for
/// everybody, names one, and it names several.
#[test]
fn no_text_names_bank_or_account() {
    let stages = Outcome::ALL.iter().filter(|outcome| outcome.is(Role::Stage));
    for stage in stages.copied() {
        for locale in Locale::ALL {
            for texts in [
                ["CONTINUE", "1", "2"],
                ["LINK", "1", "1"],
                ["LINK", "2", "1"],
                ["CONTINUE", "0", "zenith"],
            ] {
                let mut phone = standing(stage, locale);
                for text in texts {
                    let SmsOutcome::Screen(said) = phone.sends_text(text) else {
                        break;
                    };
                    let place = format!("{stage:?} {locale} {texts:?}: {said}");
                    assert!(!said.contains("4321"), "{place}");
                    if phone.state.cursor.screen == "banks" {
                        assert!(
                            said.contains("\n1 ") && said.contains("\n2 "),
                            "a list of one names it: {place}"
                        );
                    } else {
                        assert!(!said.to_lowercase().contains("zenith"), "{place}");
                    }
                }
            }
        }
    }
}
