//! What texts may be, and how they are filled in.

use super::*;

fn texts(en: &str, fr: &str) -> Templates {
    Templates::parse(&[(Locale::En, en), (Locale::Fr, fr)]).unwrap()
}

/// The texts in the program can be read, and every language has a file.
#[test]
fn the_embedded_texts_can_be_read() {
    let texts = Templates::embedded().unwrap();
    for locale in Locale::ALL {
        assert!(texts.ids(locale).len() > 50, "{locale}");
    }
}

/// A language that lacks a text speaks English; an unknown id is shown as it is, never an empty screen.
#[test]
fn a_missing_text_falls_back() {
    let texts = texts("a = One\nb = Two", "a = Un");
    for (id, want) in [("a", "Un"), ("b", "Two"), ("c", "c")] {
        assert_eq!(texts.format(Locale::Fr, id, &[]), want);
    }
    assert_eq!(texts.format(Locale::Sw, "a", &[]), "One");
}

/// What is not known yet leaves no hole in a sentence.
#[test]
fn an_empty_value_leaves_one_space() {
    let texts = texts("linked = Done! { $bank } { $account } is linked.", "");
    let text = |name: &str| TemplateArg::Text(name.to_owned());
    let args = [("bank", text("Kuda")), ("account", text(""))];
    assert_eq!(texts.format(Locale::En, "linked", &args), "Done! Kuda is linked.");
}

/// Names from outside stay on one line, hold nothing invisible and are never read as Fluent.
#[test]
fn text_values_are_cleaned() {
    let texts = texts("hello = <{ $name }>", "");
    for (given, want) in [
        ("Zenith", "<Zenith>"),
        ("Zenith\r\n1 Pay", "<Zenith 1 Pay>"),
        ("\u{202e}Ze\u{0}ni\u{200b}th\u{1b}\t\u{2028} Bank ", "<Zenith Bank>"),
        ("{ $other } { hello }", "<{ $other } { hello }>"),
    ] {
        assert_eq!(
            texts.format(Locale::En, "hello", &[("name", TemplateArg::Text(given.to_owned()))]),
            want
        );
    }
}

/// Counts choose the plural form of the language that is spoken, not of English, and carry no invisible marks.
#[test]
fn counts_choose_the_plural_of_the_language() {
    let source = "days = { $n ->\n    [one] one { $n }\n   *[other] many { $n }\n}";
    let all: Vec<_> = Locale::ALL.iter().map(|locale| (*locale, source)).collect();
    let texts = Templates::parse(&all).unwrap();
    for (locale, number, want) in [
        (Locale::En, 0, "many 0"),
        (Locale::En, 1, "one 1"),
        (Locale::En, 365, "many 365"),
        (Locale::Fr, 0, "one 0"),
        (Locale::Pcm, 0, "one 0"),
        (Locale::Ha, 1, "one 1"),
        (Locale::Sw, 1, "one 1"),
        (Locale::Yo, 1, "many 1"),
        (Locale::Ig, 1, "many 1"),
    ] {
        assert_eq!(
            texts.format(locale, "days", &[("n", TemplateArg::Number(number))]),
            want,
            "{locale}"
        );
    }
}

/// A consent's recorded version changes with the words of its own language, and only with them.
#[test]
fn a_version_follows_the_wording() {
    let before = texts("a = Agree, { $name }?\nb = x", "a = D'accord?");
    let same = texts("# Told to a lawyer\na =   Agree, {$name}?", "a = D'accord?");
    let after = texts("a = Agree { $name }?", "a = D'accord?");
    assert_eq!(before.version(Locale::En, "a"), same.version(Locale::En, "a"));
    assert_ne!(before.version(Locale::En, "a"), after.version(Locale::En, "a"));
    assert_eq!(before.version(Locale::Fr, "a"), after.version(Locale::Fr, "a"));
    assert_ne!(before.version(Locale::Fr, "a"), before.version(Locale::En, "a"));
    assert_eq!(
        before.version(Locale::Fr, "b"),
        before.version(Locale::En, "b"),
        "what is shown is English"
    );
    assert_eq!(before.version(Locale::En, "a").len(), 12);
    assert_eq!(before.version(Locale::En, "none"), "");
}

/// Variables are found wherever they stand, in a choice of plurals too.
#[test]
fn variables_are_found() {
    let texts = texts(
        "a = { $x } { $n ->\n    [one] { $y }\n   *[other] { { $z } }\n}\nb = plain",
        "",
    );
    let names = |id| {
        texts
            .variables(Locale::En, id)
            .map(|set| set.iter().cloned().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names("a").as_deref(), Some("n x y z"));
    assert_eq!(names("b").as_deref(), Some(""));
    assert_eq!(names("c"), None);
}

/// What would make a message mean more than it says, or say nothing, is refused with its place.
#[test]
fn malformed_texts_are_refused() {
    for (source, want) in [
        ("a = x\nb = { $", "line 2"),
        ("a = x\na = y", "`a` is there twice"),
        ("a = x\nb = { a }", "`b` must be one text"),
        ("-a = x", "`a` must be one text"),
        ("a = x\n    .title = y", "`a` must be one text"),
    ] {
        let error = Templates::parse(&[(Locale::En, source)])
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains(want), "{source:?}: {error}");
    }
}
