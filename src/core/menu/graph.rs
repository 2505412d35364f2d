//! The menu as a Mermaid flowchart: the happy path, which shows what the conversation is about, or every screen and every
//! move.
//!
//! The same menu and texts always give the same bytes, so a graph that stands in a document changes only when they do.

use std::fmt::Write as _;

use super::{Action, ListSource, Menu, OptionTarget, Outcome, Screen, ScreenKind};
use crate::core::messages::{Locale, TemplateArg, Templates};

/// What a person meets, step by step, from dial to linked when nothing goes wrong and the bank has several accounts of theirs.
const HAPPY_PATH: [Outcome; 7] = [
    Outcome::Welcome,
    Outcome::ChooseBank,
    Outcome::Ask,
    Outcome::Checking,
    Outcome::ChooseAccount,
    Outcome::Checking,
    Outcome::Linked,
];

/// Example values for the texts.
const EXAMPLES: &[(&str, &str)] = &[
    ("partner", "Umoja Loans"),
    ("purpose", "a loan decision"),
    ("data", "bank account, balance"),
    ("bank", "Zenith"),
    ("field", "Password"),
    ("choice", "Log in with"),
    ("account", "..5678"),
    ("until", "02/03/2027"),
    ("message", "Code 4711"),
    ("dial", "*384*96#"),
    ("wait", "15 min"),
    ("languages", "Hausa/Igbo/Yoruba"),
];

/// Example counts for the texts.
const COUNTS: &[(&str, i64)] = &[
    ("days", 90),
    ("seconds", 20),
    ("minutes", 15),
    ("hours", 24),
    ("left", 2),
    ("length", 6),
    ("count", 2),
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

/// What a screen takes beside its fixed choices.
fn input_hint(kind: ScreenKind) -> Option<&'static str> {
    match kind {
        ScreenKind::List { source, .. } => Some(match source {
            ListSource::Languages => "1.. each language",
            ListSource::Partners => "1.. each partner",
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

/// The screens from dial to linked when nothing goes wrong, and the move from each to the next.
pub fn happy_path(menu: &Menu, texts: &Templates) -> String {
    let path = HAPPY_PATH.map(|outcome| menu.outcome(outcome));
    let screens: Vec<_> = menu
        .screens()
        .filter(|screen| path.contains(&screen.id.as_str()))
        .collect();
    let mut moves = String::new();
    for (from, to) in path.iter().zip(&path[1..]) {
        let mut leads_on = screens
            .iter()
            .filter(|screen| screen.id == *from)
            .flat_map(|screen| screen.moves());
        if let Some((key, target)) = leads_on.find(|(_, target)| menu.targets(target).contains(to)) {
            let label = move_label(key, &target);
            let _ = writeln!(moves, "  {} -->|{label}| {}", node_id(from), node_id(to));
        }
    }
    chart(menu, texts, &screens, &moves)
}

/// Every screen and every move. An action that can lead to several screens is a node of its own, so that its outcomes are
/// drawn once and not from every screen that asks for it.
pub fn full(menu: &Menu, texts: &Templates) -> String {
    let screens: Vec<_> = menu.screens().collect();
    let asked = |action| {
        screens
            .iter()
            .any(|screen| screen.moves().any(|(_, go)| go == OptionTarget::Action(action)))
    };
    let mut moves = String::new();
    for action in Action::ALL.iter().copied().filter(|action| asked(*action)) {
        let targets = menu.targets_of_action(action);
        if targets.len() > 1 {
            let _ = writeln!(moves, "  {}{{{{{}}}}}", action_id(action), action.as_str());
            for target in targets {
                let _ = writeln!(moves, "  {} --> {}", action_id(action), node_id(target));
            }
        }
    }
    for screen in &screens {
        for (key, target) in screen.moves() {
            let from = node_id(&screen.id);
            let _ = match (&target, menu.targets(&target).as_slice()) {
                (_, [only]) => writeln!(moves, "  {from} -->|{}| {}", move_label(key, &target), node_id(only)),
                (OptionTarget::Action(action), _) => match key {
                    Some(key) => writeln!(moves, "  {from} -->|{key}| {}", action_id(*action)),
                    None => writeln!(moves, "  {from} --> {}", action_id(*action)),
                },
                (OptionTarget::Screen(_), _) => Ok(()),
            };
        }
    }
    chart(menu, texts, &screens, &moves)
}

/// The chart of these screens and moves, with the start and the ends marked.
fn chart(menu: &Menu, texts: &Templates, screens: &[&Screen], moves: &str) -> String {
    let mut chart = String::from("flowchart TD\n");
    let mut ends = Vec::new();
    for screen in screens {
        let (id, label) = (node_id(&screen.id), screen_label(screen, texts));
        let _ = if screen.kind == ScreenKind::End {
            ends.push(id.clone());
            writeln!(chart, "  {id}([\"{label}\"])")
        } else {
            writeln!(chart, "  {id}[\"{label}\"]")
        };
    }
    chart.push_str(moves);
    chart.push_str("  classDef over fill:#f6e7d8,stroke:#9a5b2c,color:#3b2412\n");
    if !ends.is_empty() {
        let _ = writeln!(chart, "  class {} over", ends.join(","));
    }
    let _ = writeln!(chart, "  style {} stroke-width:3px", node_id(&menu.start));
    chart
}

/// The key to press and the action it asks for.
fn move_label(key: Option<char>, target: &OptionTarget) -> String {
    let key = key.map(String::from);
    let action = match target {
        OptionTarget::Screen(_) => None,
        OptionTarget::Action(action) => Some(action.as_str().to_owned()),
    };
    key.into_iter().chain(action).collect::<Vec<_>>().join(" ")
}

fn action_id(action: Action) -> String {
    format!("do_{}", action.as_str().replace('-', "_"))
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
