//! What the fields of any provider want: help, optional ones, patterns, dates.

use super::fixtures::{bank, field, form};
use super::phone::Phone;
use crate::core::next_step::{Field, FieldKind};

/// Somebody at a bank with this form, at its first question.
fn at(fields: Vec<Field>) -> Phone {
    let mut phone = Phone::new();
    phone.banks = vec![bank("a", "Bank", vec![form(fields)])];
    phone.dial();
    phone.keys(&["1", "1"]);
    phone
}

fn with_pattern(kind: FieldKind, pattern: &str) -> Field {
    Field {
        pattern: Some(pattern.to_owned()),
        ..field("x", kind)
    }
}

/// A whole answer that the provider's pattern does not take is said to be wrong before anything is sent; a pattern that
/// cannot be used here holds nobody back, whatever it is.
#[test]
fn a_pattern_is_held_to() {
    let huge = format!("{}a", "(a{1,50}){1,50}".repeat(8));
    let long = format!("[0-9]{{3}}{}", "x?".repeat(200));
    let nested = "(".repeat(150) + "a" + &")".repeat(150);
    for (kind, pattern, typed, want) in [
        (FieldKind::Text, "[A-Z]{3}[0-9]+", "ABC12", Some("ABC12")),
        (FieldKind::Text, "^[A-Z]{3}$", "ABC", Some("ABC")),
        (FieldKind::Text, "[A-Z]{3}", "ABCD", None),
        (FieldKind::Text, "a|ab", "ab", Some("ab")),
        (FieldKind::Text, "a|b", "ac", None),
        (
            FieldKind::Digits,
            "0[789][01][0-9]{8}",
            "08031234567",
            Some("08031234567"),
        ),
        (FieldKind::Digits, "0[789][01][0-9]{8}", "12345", None),
        (FieldKind::Secret, ".{8,}", "short", None),
        (FieldKind::Secret, ".{8,}", "long enough", Some("long enough")),
        (FieldKind::Date, "19.*", "31121990", Some("1990-12-31")),
        (FieldKind::Date, "20.*", "31121990", None),
        (FieldKind::Text, "(?=x)y", "anything", Some("anything")),
        (FieldKind::Text, "[", "anything", Some("anything")),
        (FieldKind::Text, "a)|(b", "anything", Some("anything")),
        (FieldKind::Text, "(?x) a # b", "anything", Some("anything")),
        (FieldKind::Text, &huge, "anything", Some("anything")),
        (FieldKind::Text, &long, "anything", Some("anything")),
        (FieldKind::Text, &nested, "anything", Some("anything")),
    ] {
        let mut phone = at(vec![with_pattern(kind, pattern)]);
        let said = phone.types(typed);
        if let Some(answer) = want {
            assert_eq!(phone.submit().answers[0].1.expose(), answer, "{pattern}");
        } else {
            assert_eq!(phone.submits(), 0, "{pattern}");
            assert!(said.starts_with("Your bank does not take that."), "{pattern}: {said}");
            assert!(!phone.value().contains("long enough"));
        }
    }
}

/// A date is typed as eight digits, with or without something between them, and goes to the provider as it wants it; a day
/// that no calendar has is not sent.
#[test]
fn dates_are_typed_as_digits() {
    for (typed, want) in [
        ("31121990", Some("1990-12-31")),
        ("31/12/1990", Some("1990-12-31")),
        ("31.12.1990", Some("1990-12-31")),
        ("31-12-1990", Some("1990-12-31")),
        ("31 12 1990", Some("1990-12-31")),
        ("２９０２２０２４", Some("2024-02-29")),
        ("29022000", Some("2000-02-29")),
        ("29021900", None),
        ("29022023", None),
        ("31041990", None),
        ("00011990", None),
        ("01131990", None),
        ("01000000", None),
        ("01010000", None),
        ("1121990", None),
        ("311219900", None),
        ("+1121990", None),
        ("1990-12-31", None),
        ("yesterday", None),
    ] {
        let mut born = field("born", FieldKind::Date);
        born.exact_len = Some(8);
        let mut phone = at(vec![born]);
        assert!(phone.says().starts_with("Bank: BORN (DDMMYYYY)"), "{}", phone.says());
        let said = phone.types(typed);
        if let Some(answer) = want {
            assert_eq!(phone.submit().answers[0].1.expose(), answer, "{typed}");
        } else {
            assert_eq!(phone.submits(), 0, "{typed}");
            assert!(said.starts_with("Type the date as 8 digits"), "{typed}: {said}");
        }
    }
}

/// What the provider says about a field is shown where there is room, on one line and bounded; never at the price of a
/// second page.
#[test]
fn help_is_shown_where_there_is_room() {
    let mut user = field("user", FieldKind::Text);
    user.help = Some("The name\r\n0 you chose\u{202e}".to_owned());
    let mut phone = at(vec![user.clone()]);
    assert_eq!(phone.says(), "Bank: USER\nThe name 0 you chose\n0 Back");
    phone.septets = 60;
    user.help = Some("long ".repeat(60));
    let mut phone = at(vec![user.clone()]);
    assert!(phone.says().contains("\nlong long"), "{}", phone.says());
    assert!(phone.says().len() < 120, "{}", phone.says());
    user.label = "L".repeat(40);
    phone = at(vec![user]);
    phone.septets = 60;
    let said = phone.dial();
    assert!(!said.contains("long"), "{said}");
}

/// An optional field is not asked on a keypad, even one that a keypad cannot answer; where all are optional, all are asked.
#[test]
fn optional_fields_are_not_asked() {
    let optional = |name: &str, kind| Field {
        required: false,
        ..field(name, kind)
    };
    let mut phone = at(vec![
        optional("nick", FieldKind::Text),
        field("user", FieldKind::Text),
        optional("face", FieldKind::Unsupported),
        optional("pin", FieldKind::Secret),
    ]);
    assert!(phone.says().starts_with("Bank: USER"), "{}", phone.says());
    phone.types("ada");
    let answers = phone.submit().answers;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].0.as_str(), answers[0].1.expose()), ("user", "ada"));

    let mut phone = at(vec![optional("nick", FieldKind::Text)]);
    assert!(phone.says().starts_with("Bank: NICK"), "{}", phone.says());
    phone.types("ada");
    assert_eq!(phone.submit().answers.len(), 1);
}
