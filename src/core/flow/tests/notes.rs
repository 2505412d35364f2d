//! A note above a screen takes nothing away that can be chosen: after a wrong key the right one is where it was.

use super::fixtures::{bank, link, login_form, terms};
use super::phone::Phone;
use crate::core::flow::SubscriberFacts;
use crate::core::flow::state::ScreenNotice;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::gsm7;
use crate::core::ids::IntentId;
use crate::core::messages::Locale;
use crate::core::scope::{Data, Scope};

const PAGES: [usize; 3] = [120, 136, 156];

/// Names as long as the screen lets them be.
const PARTNER: &str = "Umoja Akiba Microfinanc";
const PURPOSE: &str = "deciding on a loan for a shop or a farmx";
const BANK: &str = "First Bank of the Nort";

/// Somebody who is asked by a business with a long name for all that can be asked for, and reads this language.
fn asked(locale: Locale, septets: usize) -> Phone {
    let mut phone = Phone::new();
    phone.septets = septets;
    phone.state.locale = locale;
    phone.banks = (0..9u8)
        .map(|n| bank(&format!("bank{n}"), &format!("{BANK}{n}"), vec![login_form()]))
        .collect();
    let business = terms(1, PARTNER);
    let mut linked = link(7, "bank1:p", BANK);
    linked.partner = Some(PartnerRef {
        id: business.partner,
        name: business.name.clone(),
    });
    let asked = RequestTerms {
        intent: Some(IntentId::from_bytes([4; 16])),
        purpose: PURPOSE.into(),
        days: 365,
        scope: Scope::of(Data::ALL).expect("data"),
        ..business
    };
    phone.dial_known(
        &SubscriberFacts {
            links: vec![linked],
            requests: Some(vec![asked, terms(3, "Acacia Cover")]),
            ..SubscriberFacts::default()
        },
        &[],
    );
    phone
}

/// The lines of a screen that begin with a key.
fn choices(text: &str) -> Vec<&str> {
    let key = |line: &&str| line.len() > 2 && line.as_bytes()[1] == b' ' && line.as_bytes()[0].is_ascii_digit();
    text.lines().filter(key).collect()
}

/// At the consent, on each of its pages, a wrong key shows the same choices, with the longest names and in every language;
/// then the right key agrees, and no sooner than the whole text was shown.
#[test]
fn a_wrong_key_at_the_consent_takes_nothing_away() {
    for locale in Locale::ALL {
        for septets in PAGES {
            let mut phone = asked(locale, septets);
            loop {
                let before = phone.says();
                for wrong in ["7", "8", "77", "yes"] {
                    let after = phone.types(wrong);
                    assert_eq!(choices(&after), choices(&before), "{locale} {septets}: {after}");
                    assert!(after.contains(before.lines().next().expect("a line")), "{after}");
                    assert!(gsm7::septets(&after).is_some_and(|cost| cost <= septets), "{after}");
                }
                if phone.state.cursor.shown.contains(&"1".to_owned()) {
                    break;
                }
                assert!(phone.types("1").contains("9 "), "agreed to what was not shown");
                phone.types("9");
            }
            phone.types("1");
            assert_eq!(phone.state.cursor.screen, "banks", "{locale} {septets}");
        }
    }
}

/// The same on the screens behind it: lists, choices and results.
#[test]
fn a_wrong_key_leaves_every_choice_where_it_was() {
    let ways: &[&[&str]] = &[
        &["9", "9", "1"],
        &["9", "9", "1", "9"],
        &["2"],
        &["2", "1"],
        &["2", "1", "9"],
        &["2", "1", "2"],
        &["4"],
    ];
    for locale in Locale::ALL {
        for septets in PAGES {
            for way in ways {
                let mut phone = asked(locale, septets);
                // Pages are turned only as far as there are some.
                for key in *way {
                    if *key != "9" || phone.state.cursor.has_more {
                        phone.types(key);
                    }
                }
                let (before, shown) = (phone.says(), phone.state.cursor.shown.clone());
                for wrong in ["8", "*"] {
                    let after = phone.types(wrong);
                    assert_eq!(choices(&after), choices(&before), "{locale} {septets} {way:?}: {after}");
                    assert_eq!(phone.state.cursor.shown, shown, "{locale} {septets} {way:?}: {after}");
                }
            }
        }
    }
}

/// A name that no bank has is said above the list, which can be paged through with the sentence above it, until something
/// else is pressed: no bank is between two pages.
#[test]
fn a_note_stays_while_pages_are_turned() {
    for septets in PAGES {
        let mut phone = Phone::new();
        phone.septets = septets;
        phone.banks = (0..9u8)
            .map(|n| bank(&format!("bank{n}"), &format!("{BANK}{n}"), vec![login_form()]))
            .collect();
        phone.dial();
        while phone.state.cursor.has_more {
            phone.types("9");
        }
        phone.types("1");
        let none = phone.types("xxyyzz");
        let note = none.lines().next().expect("a note").to_owned();
        assert!(!choices(&none).is_empty(), "{none}");
        let mut seen = phone.state.cursor.shown.clone();
        while phone.state.cursor.has_more {
            phone.types("9");
            seen.extend(phone.state.cursor.shown.clone());
        }
        let all: Vec<_> = (0..9).map(|n| format!("mono/bank{n}:p")).collect();
        assert_eq!(seen, all, "{septets}");
        while phone.state.cursor.page > 0 {
            phone.types("0");
        }
        assert_eq!(phone.says(), none, "{septets}");
        assert!(!phone.types("*").starts_with(&note), "{septets}");
    }
}

/// Above a field a note leaves the question readable, and above what is agreed to it is part of the text: nothing of that is
/// skipped.
#[test]
fn a_note_above_a_question_leaves_the_question() {
    let mut phone = Phone::at_banks();
    phone.types("zenith");
    phone.types("1");
    phone.septets = 120;
    let said = phone.types("\u{1}");
    assert!(said.starts_with("Please use letters"), "{said}");
    assert!(
        said.contains("Zenith Bank: USERNAME") && said.ends_with("0 Back"),
        "{said}"
    );
    for septets in PAGES {
        let mut phone = asked(Locale::En, septets);
        phone.state.cursor.notice = Some(ScreenNotice::new("note-not-now"));
        phone.step(|flow, state, context| flow.step(state, context).reply_with_screen());
        let mut all = phone.says();
        assert!(all.starts_with("That is not possible now."), "{all}");
        while phone.state.cursor.has_more {
            all.push('\n');
            all.push_str(&phone.types("9"));
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: Vec<_> = all.lines().filter(|line| choices(line).is_empty()).collect();
        let (read, plain) = (words(&text.join(" ")), asked(Locale::En, 1000).says());
        let consent = words(plain.lines().next().expect("the text"));
        assert!(read.ends_with(&consent), "{read}\n{consent}");
    }
}
