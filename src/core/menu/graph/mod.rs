//! Pictures of the menu: Mermaid with every move, for reading in detail, and SVG as a storyboard, for seeing the whole.
//!
//! The same menu and texts always give the same bytes, so a picture kept in the repository changes only when they do.

mod layout;
mod rows;
mod svg;

use std::fmt::Write as _;

use super::{Action, Go, Kind, Menu, Screen, Source};
use crate::core::messages::{Arg, Locale, Texts};

pub use svg::svg;

/// What the screens in pictures are filled in with.
const EXAMPLES: &[(&str, &str)] = &[
    ("partner", "Umoja Loans"),
    ("purpose", "a loan decision"),
    ("bank", "Zenith"),
    ("field", "Password"),
    ("account", "..5678"),
];

/// The counts that the screens in pictures are filled in with.
const COUNTS: &[(&str, i64)] = &[
    ("days", 90),
    ("seconds", 20),
    ("minutes", 15),
    ("left", 2),
    ("length", 6),
];

/// A message in English with example values.
fn example(texts: &Texts, id: &str) -> String {
    let words = EXAMPLES
        .iter()
        .map(|(name, text)| (*name, Arg::Text((*text).to_owned())));
    let args: Vec<_> = words
        .chain(COUNTS.iter().map(|(name, count)| (*name, Arg::Number(*count))))
        .collect();
    texts.format(Locale::En, id, &args)
}

/// What stands on a screen beside its text, where it is not fixed choices.
fn content(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::List { source, .. } => Some(match source {
            Source::Languages => "1.. each language",
            Source::Partners => "1.. each business",
            Source::Banks => "1.. each bank",
            Source::Methods => "1.. each way to log in",
            Source::FieldChoices => "1.. each possible answer",
            Source::Accounts => "1.. each account found",
            Source::Links => "1.. each linked account",
        }),
        Kind::Input(_) => Some("[ an answer is typed ]"),
        Kind::Choices | Kind::End => None,
    }
}

/// The menu as a Mermaid flowchart. Every move is in it: an action that can lead to several screens is a node of its own,
/// so that its outcomes are drawn once and not from every screen that asks for it.
pub fn mermaid(menu: &Menu, texts: &Texts) -> String {
    let mut chart = String::from("flowchart TD\n");
    for screen in menu.screens() {
        let (open, close) = if screen.kind == Kind::End {
            ("([", "])")
        } else {
            ("[", "]")
        };
        let _ = writeln!(chart, "  {}{open}\"{}\"{close}", node(&screen.id), face(screen, texts));
    }
    let used: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| uses(menu, *action))
        .collect();
    for action in &used {
        let targets = menu.after(*action);
        if targets.len() > 1 {
            let _ = writeln!(
                chart,
                "  do_{}{{{{{}}}}}",
                action.word().replace('-', "_"),
                action.word()
            );
            for target in targets {
                let _ = writeln!(chart, "  do_{} --> {}", action.word().replace('-', "_"), node(target));
            }
        }
    }
    for screen in menu.screens() {
        for (key, go) in screen.moves() {
            let key = key.map_or_else(String::new, |key| format!("{key} "));
            let line = match &go {
                Go::To(target) => format!("-->|{}| {}", key.trim_end(), node(target)),
                Go::Do(action) => match menu.after(*action).as_slice() {
                    [only] => format!("-->|{key}{}| {}", action.word(), node(only)),
                    _ if key.is_empty() => format!("--> do_{}", action.word().replace('-', "_")),
                    _ => format!("-->|{}| do_{}", key.trim_end(), action.word().replace('-', "_")),
                },
            };
            let _ = writeln!(chart, "  {} {line}", node(&screen.id));
        }
    }
    chart.push_str("  classDef over fill:#f6e7d8,stroke:#9a5b2c,color:#3b2412\n");
    let ends: Vec<String> = menu
        .screens()
        .filter(|screen| screen.kind == Kind::End)
        .map(|screen| node(&screen.id))
        .collect();
    if !ends.is_empty() {
        let _ = writeln!(chart, "  class {} over", ends.join(","));
    }
    let _ = writeln!(chart, "  style {} stroke-width:3px", node(&menu.start));
    chart
}

fn uses(menu: &Menu, action: Action) -> bool {
    menu.screens()
        .any(|screen| screen.moves().any(|(_, go)| go == Go::Do(action)))
}

/// A name that Mermaid takes: some of its own words, such as `end`, may not be names.
fn node(screen: &str) -> String {
    format!("s_{}", screen.replace('-', "_"))
}

fn face(screen: &Screen, texts: &Texts) -> String {
    let mut lines = vec![format!("<b>{}</b>", screen.id), quoted(&example(texts, &screen.text))];
    lines.extend(content(screen.kind).map(|content| format!("<i>{}</i>", quoted(content))));
    lines.extend(
        screen
            .options
            .iter()
            .map(|choice| format!("{} {}", choice.key, quoted(&example(texts, &choice.label)))),
    );
    lines.join("<br/>")
}

fn quoted(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
        .replace('\n', "<br/>")
}
