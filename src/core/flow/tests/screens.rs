//! Every screen in every language with the longest values, through the real view.

use super::fixtures::{bank, field, form, login_form};
use super::phone::Phone;
use crate::core::attempt::{LiveAttempt, LiveAttemptState, Refusal};
use crate::core::flow::session::LinkSummary;
use crate::core::flow::state::{ScreenCursor, ScreenNotice};
use crate::core::gsm7;
use crate::core::ids::{AttemptId, LinkId};
use crate::core::linking::SubmissionStep;
use crate::core::menu::wording::NOTICES;
use crate::core::messages::Locale;
use crate::core::next_step::{AccountChoice, FieldKind};
use crate::core::time::Timestamp;
use std::time::Duration;

const LONG: &str = "Ẹ̀kọ́ Co-operative {Savings} & Loans [Microfinance] Bank of Nigeria Limited \u{202e}(RC 12345)";

/// Somebody with a session in which everything is as long as it can be.
fn worst() -> Phone {
    let mut phone = Phone::new();
    phone.banks = (0..30)
        .map(|n| bank(&format!("b{n}"), LONG, vec![login_form(), login_form()]))
        .collect();
    phone.dial();
    phone.keys(&["1", "1"]);
    let now = phone.now;
    let link = LinkSummary {
        partner: None,
        id: LinkId::from_bytes([1; 16]),
        institution_name: LONG.to_owned(),
        institution_id: "b0:p".to_owned(),
        provider_institution: "b0".to_owned(),
        provider: "mono".to_owned(),
        masked: Some("4321".to_owned()),
        duplicate: false,
        until: Timestamp::from_millis(1_790_000_000_000),
        needs_login: false,
        used_at: Timestamp::from_millis(1_780_000_000_000),
    };
    phone.state.links = vec![link.clone(); 12];
    phone.state.refusals = vec![
        Refusal {
            institution: "b0".to_owned(),
            at: now
        };
        5
    ];
    let mut asked = field("x", FieldKind::Text);
    asked.label = LONG.to_owned();
    let node = Phone::node();
    let session = phone.state.session.as_mut().expect("a session");
    session.form = Some(form(vec![asked]));
    session.result = Some(link);
    session.accounts = vec![
        AccountChoice {
            key: "k".to_owned(),
            masked: "4321".to_owned(),
            label: LONG.to_owned(),
            currency: None,
        };
        9
    ]
    .into();
    session.attempt = Some(LiveAttempt {
        id: AttemptId::from_bytes([1; 16]),
        step: SubmissionStep::Login,
        state: LiveAttemptState::Sent,
        owner: node,
        begun_at: now,
        lease_until: now,
    });
    phone
}

/// Whatever is on it, a page fits, is all GSM-7, and shows no placeholder and no message id.
#[test]
fn every_screen_fits_in_every_language() {
    let ids: Vec<String> = worst().flow.menu.screens().map(|screen| screen.id.clone()).collect();
    for locale in Locale::ALL {
        for screen in &ids {
            for note in [None, Some("note-changed"), Some("note-wrong-code")] {
                for (septets, waited) in [(136, 59), (156, 100_000)] {
                    let mut phone = worst();
                    phone.state.locale = locale;
                    phone.passes(Duration::from_secs(waited));
                    phone.state.cursor = ScreenCursor {
                        screen: screen.clone(),
                        link: Some(LinkId::from_bytes([1; 16])),
                        notice: note.map(|id| ScreenNotice {
                            id: id.to_owned(),
                            number: Some(2),
                            bank: None,
                        }),
                        ..ScreenCursor::default()
                    };
                    for number in 0..4 {
                        phone.state.cursor.page = number;
                        phone.state.dialogs[0].septets = septets;
                        let answer = phone.step(|flow, state, context| flow.step(state, context).render_reply());
                        let cost = gsm7::septets(&answer.text);
                        assert!(
                            cost.is_some_and(|cost| cost <= septets),
                            "{screen} {locale}: {cost:?}: {}",
                            answer.text
                        );
                        assert!(
                            !answer.text.trim().is_empty() && !answer.text.contains('$'),
                            "{screen} {locale}: {}",
                            answer.text
                        );
                        let raw = phone
                            .flow
                            .templates
                            .ids(Locale::En)
                            .into_iter()
                            .find(|id| id.contains('-') && answer.text.contains(id));
                        assert_eq!(raw, None, "{screen} {locale}: {}", answer.text);
                        if !phone.state.cursor.has_more {
                            break;
                        }
                    }
                }
            }
        }
    }
}

/// Notes and last words are there in every language, without placeholders.
#[test]
fn notes_and_last_words_are_there() {
    let phone = Phone::new();
    for locale in Locale::ALL {
        for id in crate::core::menu::wording::LAST_RESORT {
            let text = phone.flow.last_resort(locale, id, "ng");
            assert!(!text.contains(id) || !id.contains('-'), "{locale}: {text}");
            assert!(
                gsm7::septets(&text).is_some_and(|septets| septets <= 136),
                "{locale}: {text}"
            );
        }
        for id in NOTICES {
            assert!(phone.flow.templates.variables(locale, id).is_some(), "{locale}: {id}");
        }
    }
}
