//! Reads the menu file and holds it to the rules of its form. All broken rules are reported at once: the person who edits a
//! menu should not have to find them one run at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde::Deserialize;
use toml::Spanned;

use super::{Action, BACK_KEY, ListSource, MORE_KEY, Menu, MenuOption, OptionTarget, Outcome, Screen, ScreenKind};
use crate::core::text_line::line_at;

/// The labels that key 0 may have, and that only key 0 may have.
const BACK_LABELS: [&str; 3] = ["back", "leave", "home"];

/// The keys of options on a screen of nothing else.
const CHOICES: [char; 9] = ['0', '1', '2', '3', '4', '5', '6', '7', '8'];

/// The keys of options beside an answer that is typed: none that begins one. `9` shows more where there is more.
const BESIDE_ANSWERS: [char; 3] = [BACK_KEY, '1', MORE_KEY];

/// The most pages that a screen's own text and options may be allowed.
const MOST_PAGES: u8 = 3;

/// Why a menu file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MenuError {
    /// Not TOML, or not of the form of a menu.
    #[error("the menu file cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// Broken rules, at least one.
    #[error("the menu file breaks its rules:{}", lines(.0))]
    Rules(Vec<MenuProblem>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuProblem {
    /// The line in the menu file, from 1 on; 0 when it is the whole file.
    pub line: usize,
    /// The screen, or what else is concerned, such as `start`.
    pub place: String,
    /// What is wrong and how to put it right.
    pub message: String,
}

impl fmt::Display for MenuProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn lines(problems: &[MenuProblem]) -> String {
    problems.iter().fold(String::new(), |mut lines, problem| {
        let _ = write!(lines, "\n  {problem}");
        lines
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMenu {
    start: Spanned<String>,
    screens: BTreeMap<String, Spanned<RawScreen>>,
    outcomes: BTreeMap<Outcome, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScreen {
    text: String,
    #[serde(default)]
    options: Vec<Spanned<RawOption>>,
    list: Option<ListSource>,
    pick: Option<Action>,
    input: Option<Action>,
    #[serde(default)]
    end: bool,
    #[serde(default = "one")]
    pages: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOption {
    key: String,
    label: String,
    to: Option<String>,
    #[serde(rename = "do")]
    action: Option<Action>,
}

fn one() -> u8 {
    1
}

/// Collects broken rules while the file is read.
struct MenuReader<'a> {
    source: &'a str,
    ids: BTreeSet<String>,
    problems: Vec<MenuProblem>,
}

pub(super) fn parse(source: &str) -> Result<Menu, MenuError> {
    let RawMenu {
        start,
        screens,
        outcomes,
    } = toml::from_str(source)?;
    let mut reader = MenuReader {
        source,
        ids: screens.keys().cloned().collect(),
        problems: Vec::new(),
    };

    let mut placed: Vec<(usize, Screen)> = screens
        .into_iter()
        .map(|(id, raw)| (raw.span().start, reader.screen(id, raw)))
        .collect();
    placed.sort_by_key(|(at, _)| *at);

    reader.target("start", start.span().start, start.get_ref());
    for (outcome, target) in &outcomes {
        let place = format!("outcomes.{}", outcome.as_str());
        reader.target(&place, target.span().start, target.get_ref());
    }
    for outcome in Outcome::ALL.iter().filter(|outcome| !outcomes.contains_key(outcome)) {
        let message = format!(
            "no screen is named for `{0}`; add `{0} = \"…\"` under [outcomes]",
            outcome.as_str()
        );
        reader.problems.push(MenuProblem {
            line: 0,
            place: "outcomes".to_owned(),
            message,
        });
    }

    if !reader.problems.is_empty() {
        reader.problems.sort_by_key(|problem| problem.line);
        return Err(MenuError::Rules(reader.problems));
    }
    Ok(Menu {
        start: start.into_inner(),
        screens: placed.into_iter().map(|(_, screen)| screen).collect(),
        outcomes: outcomes
            .into_iter()
            .map(|(outcome, target)| (outcome, target.into_inner()))
            .collect(),
    })
}

impl MenuReader<'_> {
    fn problem(&mut self, place: &str, at: usize, message: impl Into<String>) {
        self.problems.push(MenuProblem {
            line: line_at(self.source, at),
            place: place.to_owned(),
            message: message.into(),
        });
    }

    fn target(&mut self, place: &str, at: usize, target: &str) {
        if !self.ids.contains(target) {
            self.problem(
                place,
                at,
                format!("there is no screen `{target}`; name one of the [screens.…]"),
            );
        }
    }

    fn screen(&mut self, id: String, raw: Spanned<RawScreen>) -> Screen {
        let at = raw.span().start;
        let raw = raw.into_inner();
        let kind = self.kind(&id, at, &raw);
        if !(1..=MOST_PAGES).contains(&raw.pages) {
            self.problem(
                &id,
                at,
                format!("`pages` must be 1 to {MOST_PAGES}; shorten the text instead"),
            );
        }
        let mut options: Vec<MenuOption> = Vec::with_capacity(raw.options.len());
        for option in raw.options {
            let at = option.span().start;
            let Some(choice) = self.choice(&id, at, option.into_inner()) else {
                continue;
            };
            if options.iter().any(|other| other.key == choice.key) {
                self.problem(
                    &id,
                    at,
                    format!("key {} is there twice; give each option its own", choice.key),
                );
            }
            let free: &[char] = match kind {
                ScreenKind::List { .. } => &[BACK_KEY],
                ScreenKind::Input(_) => &BESIDE_ANSWERS,
                ScreenKind::Choices | ScreenKind::End => &CHOICES,
            };
            if !free.contains(&choice.key) {
                let message = match kind {
                    ScreenKind::List { .. } => {
                        format!("key {} belongs to the list; beside it only 0 is free", choice.key)
                    }
                    ScreenKind::Input(_) => {
                        format!(
                            "key {} belongs to the answer; beside it only 0, 1 and 9 are free",
                            choice.key
                        )
                    }
                    ScreenKind::Choices | ScreenKind::End => "key 9 shows more; use 1 to 8".to_owned(),
                };
                self.problem(&id, at, message);
            }
            options.push(choice);
        }
        Screen {
            id,
            text: raw.text,
            options,
            kind,
            pages: raw.pages,
        }
    }

    fn kind(&mut self, id: &str, at: usize, raw: &RawScreen) -> ScreenKind {
        let kind = match (raw.list, raw.pick, raw.input, raw.end) {
            (None, None, None, false) => Some(ScreenKind::Choices),
            (Some(source), Some(pick), None, false) => Some(ScreenKind::List { source, pick }),
            (None, None, Some(action), false) => Some(ScreenKind::Input(action)),
            (None, None, None, true) => Some(ScreenKind::End),
            _ => None,
        };
        if kind.is_none() {
            self.problem(
                id,
                at,
                "a screen is one of `list` with `pick`, `input`, `end`, or only options; keep one of them",
            );
        }
        match kind {
            Some(ScreenKind::End) if !raw.options.is_empty() => {
                self.problem(
                    id,
                    at,
                    "nothing can be chosen when the dialog is over; remove `end` or the options",
                );
            }
            Some(ScreenKind::Choices) if raw.options.is_empty() => {
                self.problem(id, at, "nothing can be done here; add options, or `end = true`");
            }
            _ => {}
        }
        kind.unwrap_or(ScreenKind::Choices)
    }

    fn choice(&mut self, id: &str, at: usize, raw: RawOption) -> Option<MenuOption> {
        let key = self.key(id, at, &raw.key);
        if let Some(key) = key
            && (key == BACK_KEY) != BACK_LABELS.contains(&raw.label.as_str())
        {
            let message = format!(
                "key {BACK_KEY} goes back or leaves on every screen: it and only it is labelled one of {}",
                BACK_LABELS.join(", ")
            );
            self.problem(id, at, message);
        }
        let go = match (raw.to, raw.action) {
            (Some(target), None) => {
                self.target(id, at, &target);
                Some(OptionTarget::Screen(target))
            }
            (None, Some(action)) => Some(OptionTarget::Action(action)),
            _ => {
                self.problem(id, at, format!("option {} needs either `to` or `do`", raw.key));
                None
            }
        };
        Some(MenuOption {
            key: key?,
            label: raw.label,
            target: go?,
        })
    }

    fn key(&mut self, id: &str, at: usize, written: &str) -> Option<char> {
        let mut chars = written.chars();
        match (chars.next(), chars.next()) {
            (Some(key @ '0'..='9'), None) => return Some(key),
            _ => self.problem(id, at, format!("`{written}` is not a key; use one digit from 0 to 8")),
        }
        None
    }
}
