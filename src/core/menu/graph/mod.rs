//! Pictures of the menu: Mermaid with every move, for reading in detail, and SVG as a storyboard, for seeing the whole.
//!
//! The same menu and texts always give the same bytes, so a picture kept in the repository changes only when they do.

mod layout;
mod rows;
mod svg;

use std::fmt::Write as _;

use super::{Action, ListSource, Menu, OptionTarget, Screen, ScreenKind};
use crate::core::messages::{Locale, TemplateArg, Templates};

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
fn example(texts: &Templates, id: &str) -> String {
    let words = EXAMPLES
        .iter()
        .map(|(name, text)| (*name, TemplateArg::Text((*text).to_owned())));
    let args: Vec<_> = words
        .chain(COUNTS.iter().map(|(name, count)| (*name, TemplateArg::Number(*count))))
        .collect();
    texts.format(Locale::En, id, &args)
}

/// What stands on a screen beside its text, where it is not fixed choices.
fn input_hint(kind: ScreenKind) -> Option<&'static str> {
    match kind {
        ScreenKind::List { source, .. } => Some(match source {
            ListSource::Languages => "1.. each language",
            ListSource::Partners => "1.. each business",
            ListSource::Banks => "1.. each bank",
            ListSource::Methods => "1.. each way to log in",
            ListSource::FieldChoices => "1.. each possible answer",
            ListSource::Accounts => "1.. each account found",
            ListSource::Links => "1.. each linked account",
        }),
        ScreenKind::Input(_) => Some("[ an answer is typed ]"),
        ScreenKind::Choices | ScreenKind::End => None,
    }
}

/// The menu as a Mermaid flowchart. Every move is in it: an action that can lead to several screens is a node of its own,
/// so that its outcomes are drawn once and not from every screen that asks for it.
pub fn mermaid(menu: &Menu, texts: &Templates) -> String {
    let mut chart = String::from("flowchart TD\n");
    for screen in menu.screens() {
        let (open, close) = if screen.kind == ScreenKind::End {
            ("([", "])")
        } else {
            ("[", "]")
        };
        let _ = writeln!(
            chart,
            "  {}{open}\"{}\"{close}",
            node_id(&screen.id),
            screen_label(screen, texts)
        );
    }
    let used: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| is_used(menu, *action))
        .collect();
    for action in &used {
        let targets = menu.targets_of_action(*action);
        if targets.len() > 1 {
            let _ = writeln!(
                chart,
                "  do_{}{{{{{}}}}}",
                action.word().replace('-', "_"),
                action.word()
            );
            for target in targets {
                let _ = writeln!(
                    chart,
                    "  do_{} --> {}",
                    action.word().replace('-', "_"),
                    node_id(target)
                );
            }
        }
    }
    for screen in menu.screens() {
        for (key, go) in screen.moves() {
            let key = key.map_or_else(String::new, |key| format!("{key} "));
            let line = match &go {
                OptionTarget::Screen(target) => format!("-->|{}| {}", key.trim_end(), node_id(target)),
                OptionTarget::Action(action) => match menu.targets_of_action(*action).as_slice() {
                    [only] => format!("-->|{key}{}| {}", action.word(), node_id(only)),
                    _ if key.is_empty() => format!("--> do_{}", action.word().replace('-', "_")),
                    _ => format!("-->|{}| do_{}", key.trim_end(), action.word().replace('-', "_")),
                },
            };
            let _ = writeln!(chart, "  {} {line}", node_id(&screen.id));
        }
    }
    chart.push_str("  classDef over fill:#f6e7d8,stroke:#9a5b2c,color:#3b2412\n");
    let ends: Vec<String> = menu
        .screens()
        .filter(|screen| screen.kind == ScreenKind::End)
        .map(|screen| node_id(&screen.id))
        .collect();
    if !ends.is_empty() {
        let _ = writeln!(chart, "  class {} over", ends.join(","));
    }
    let _ = writeln!(chart, "  style {} stroke-width:3px", node_id(&menu.start));
    chart
}

fn is_used(menu: &Menu, action: Action) -> bool {
    menu.screens()
        .any(|screen| screen.moves().any(|(_, go)| go == OptionTarget::Action(action)))
}

/// A name that Mermaid takes: some of its own words, such as `end`, may not be names.
fn node_id(screen: &str) -> String {
    format!("s_{}", screen.replace('-', "_"))
}

fn screen_label(screen: &Screen, texts: &Templates) -> String {
    let mut lines = vec![format!("<b>{}</b>", screen.id), escape(&example(texts, &screen.text))];
    lines.extend(input_hint(screen.kind).map(|content| format!("<i>{}</i>", escape(content))));
    lines.extend(
        screen
            .options
            .iter()
            .map(|choice| format!("{} {}", choice.key, escape(&example(texts, &choice.label)))),
    );
    lines.join("<br/>")
}

fn escape(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
        .replace('\n', "<br/>")
}
