//! The rules of the menu file's form: each way of breaking one is refused, with its place and what to do.

use kiungo::core::menu::Menu;

use super::{MENU, altered};

const BACK: &str = r#"options = [{ key = "0", label = "back", do = "restart" }]"#;

/// What is broken, the passage and what stands in its place, the place that is named and the remedy.
const BROKEN: &[(&str, &str, &str, &str, &str)] = &[
    (
        "unknown target",
        r#"to = "languages""#,
        r#"to = "tongues""#,
        "welcome",
        "no screen `tongues`",
    ),
    (
        "unknown start",
        r#"start = "welcome""#,
        r#"start = "hello""#,
        "start",
        "no screen `hello`",
    ),
    (
        "unknown outcome target",
        r#"news = "news""#,
        r#"news = "olds""#,
        "outcomes.news",
        "no screen `olds`",
    ),
    (
        "missing outcome",
        "limited = \"limited\"\n",
        "",
        "outcomes",
        "no screen is named for `limited`",
    ),
    (
        "duplicate key",
        r#"key = "2", label = "my-accounts""#,
        r#"key = "1", label = "my-accounts""#,
        "welcome",
        "key 1 is there twice",
    ),
    ("key 9", r#"key = "3""#, r#"key = "9""#, "welcome", "key 9 shows more"),
    (
        "operator key",
        r#"key = "3""#,
        r#"key = "98""#,
        "welcome",
        "`98` is not a key",
    ),
    (
        "no key",
        r#"key = "3""#,
        r##"key = "#""##,
        "welcome",
        "`#` is not a key",
    ),
    (
        "0 goes on",
        r#"key = "3""#,
        r#"key = "0""#,
        "welcome",
        "key 0 goes back or leaves",
    ),
    (
        "back elsewhere",
        BACK,
        r#"options = [{ key = "7", label = "back", to = "welcome" }]"#,
        "banks",
        "key 0 goes back",
    ),
    (
        "a list's number",
        BACK,
        r#"options = [{ key = "1", label = "language", to = "welcome" }]"#,
        "banks",
        "key 1 belongs to the list",
    ),
    (
        "an end that goes on",
        "text = \"left\"\n",
        "text = \"left\"\noptions = [{ key = \"0\", label = \"back\", to = \"welcome\" }]\n",
        "left",
        "nothing can be chosen",
    ),
    (
        "nothing to do",
        "text = \"left\"\nend = true",
        "text = \"left\"",
        "left",
        "nothing can be done here",
    ),
    (
        "list without pick",
        "pick = \"pick-bank\"\n",
        "",
        "banks",
        "`list` with `pick`",
    ),
    (
        "two kinds",
        "input = \"answer\"",
        "input = \"answer\"\nend = true",
        "field",
        "keep one of them",
    ),
    (
        "both ways",
        r#"do = "consent""#,
        r#"do = "consent", to = "left""#,
        "welcome",
        "either `to` or `do`",
    ),
    ("no way", r#", do = "consent""#, "", "welcome", "either `to` or `do`"),
    (
        "too many pages",
        "\npages = 3",
        "\npages = 4",
        "welcome",
        "`pages` must be 1 to 3",
    ),
];

/// A menu file that breaks a rule of its form is refused, and the error names the place and what to do.
#[test]
fn a_menu_that_breaks_the_rules_is_refused() {
    for (name, from, to, place, remedy) in BROKEN {
        let error = Menu::parse(&altered(MENU, from, to))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        let found = error
            .lines()
            .any(|line| line.contains(&format!("{place}: ")) && line.contains(remedy));
        assert!(found, "{name}: {error}");
    }
}

/// Words that the menu does not have are refused with their line, not passed over.
#[test]
fn a_menu_with_unknown_words_is_refused() {
    for (name, from, to, want) in [
        (
            "field of a screen",
            "text = \"left\"",
            "text = \"left\"\ncolour = \"red\"",
            "colour",
        ),
        ("field of an option", r#"do = "consent""#, r#"does = "consent""#, "does"),
        ("action", r#"do = "consent""#, r#"do = "approve""#, "approve"),
        ("outcome", "[outcomes]\n", "[outcomes]\nwon = \"left\"\n", "won"),
        ("source", r#"list = "banks""#, r#"list = "insurers""#, "insurers"),
        (
            "outcome twice",
            "[outcomes]\n",
            "[outcomes]\nleft = \"left\"\n",
            "duplicate key",
        ),
    ] {
        let error = Menu::parse(&altered(MENU, from, to))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains(want) && error.contains("line "), "{name}: {error}");
    }
}

/// A broken rule names its line, and all broken rules are told at once.
#[test]
fn all_broken_rules_are_told_with_their_lines() {
    let broken = altered(
        &altered(MENU, r#"to = "languages""#, r#"to = "tongues""#),
        r#"news = "news""#,
        r#"news = "olds""#,
    );
    let error = Menu::parse(&broken)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    for wrong in ["tongues", "olds"] {
        let line = broken.lines().position(|line| line.contains(wrong)).unwrap_or_default() + 1;
        assert!(error.contains(&format!("line {line}, ")), "{wrong}: {error}");
    }
}
