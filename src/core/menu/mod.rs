//! The conversation as data: `menus/link.toml` read into a graph of screens, proven sound, and drawn.
//!
//! The file says what a person sees and which key does what. It does not say when: an option that needs the server asks
//! for an [`Action`], the server answers with an [`Outcome`], and the file names the screen of each outcome once. So the
//! screens can be changed, reordered and reworded without touching code, and code cannot lead to a screen that is not there.
//!
//! `parse` refuses a file that breaks the rules of the form, [`check()`] finds what only shows when menu and texts are put
//! together (a screen nobody reaches, a text that does not fit), and [`graph`] draws the menu.

mod action;
pub mod check;
mod fit;
pub mod graph;
mod notes;
mod outcome;
mod overlay;
mod parse;
pub mod wording;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use super::screen::MORE_KEY;
pub use action::Action;
pub use check::{MenuFinding, SampleValues, check, check_report};
pub use outcome::{Outcome, Reveals, Role};
pub use overlay::{ListOrder, MenuFile, MenuFileError, MenuWords};
pub use parse::{MenuError, MenuProblem};

/// The key that goes back or leaves, on every screen alike.
pub const BACK_KEY: char = '0';

/// All screens and moves. Only [`Menu::parse`] makes one, so every screen that it names exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// The screen a first dial begins with.
    pub start: String,
    screens: Vec<Screen>,
    outcomes: BTreeMap<Outcome, String>,
}

/// What a person sees at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    pub id: String,
    pub text: String,
    /// Its options, in the order of the file.
    pub options: Vec<MenuOption>,
    /// What else can be done on it.
    pub kind: ScreenKind,
    /// On how many pages its text and options may be with the longest values; 1 where the file does not say.
    pub pages: u8,
}

/// An option with a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuOption {
    /// The key to press, one of `0` to `8`.
    pub key: char,
    /// The id of the text beside the key.
    pub label: String,
    pub target: OptionTarget,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionTarget {
    Screen(String),
    Action(Action),
}

impl OptionTarget {
    /// Whether it agrees to the text that is on the screen.
    pub fn agrees(&self) -> bool {
        matches!(self, Self::Action(action) if action.agrees())
    }
}

/// What can be done on a screen besides its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenKind {
    Choices,
    /// Pick from a list that comes from data.
    List {
        source: ListSource,
        pick: Action,
    },
    /// Type an answer, which is given to this action.
    Input(Action),
    /// Nothing at all: the dialog is over.
    End,
}

/// Where a list comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListSource {
    Languages,
    Partners,
    /// The institutions that can be linked.
    Banks,
    /// The auth methods of the institution.
    Methods,
    /// What the field that is being asked may be answered with.
    FieldChoices,
    /// The accounts that the provider found.
    Accounts,
    Links,
}

impl Menu {
    /// The menu that is part of the program.
    ///
    /// # Errors
    /// When the file breaks a rule, which a test excludes for a released version.
    pub fn embedded() -> Result<Self, MenuError> {
        Self::parse(include_str!("../../../menus/link.toml"))
    }

    /// Reads a menu file.
    ///
    /// # Errors
    /// When it is not TOML of the right form, or breaks rules of the form; then all of them, each with its place and remedy.
    pub fn parse(source: &str) -> Result<Self, MenuError> {
        parse::parse(source)
    }

    pub fn screen(&self, id: &str) -> Option<&Screen> {
        self.screens.iter().find(|screen| screen.id == id)
    }

    /// The id of the screen that lists the languages, where there is one.
    pub fn languages(&self) -> Option<&str> {
        let lists = |screen: &&Screen| {
            matches!(
                screen.kind,
                ScreenKind::List {
                    source: ListSource::Languages,
                    ..
                }
            )
        };
        self.screens.iter().find(lists).map(|screen| screen.id.as_str())
    }

    /// Every screen, in the order of the file.
    pub fn screens(&self) -> impl Iterator<Item = &Screen> {
        self.screens.iter()
    }

    /// The id of the screen that shows this outcome.
    pub fn outcome(&self, outcome: Outcome) -> &str {
        // Parsing mapped every outcome, so the fallback is never taken; it spares every caller an impossible error.
        self.outcomes.get(&outcome).unwrap_or(&self.start)
    }

    /// The ids of the screens that a move may lead to, in the order of the action's outcomes and each once.
    pub fn targets<'a>(&'a self, go: &'a OptionTarget) -> Vec<&'a str> {
        match go {
            OptionTarget::Screen(screen) => vec![screen],
            OptionTarget::Action(action) => self.targets_of_action(*action),
        }
    }

    /// The ids of the screens that an action may lead to, in the order of its outcomes and each once.
    pub fn targets_of_action(&self, action: Action) -> Vec<&str> {
        let mut targets = Vec::new();
        for outcome in action.outcomes() {
            let target = self.outcome(outcome);
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }
}

impl Screen {
    /// Whether an option here agrees to the text of the screen.
    pub fn binds(&self) -> bool {
        self.options.iter().any(|option| option.target.agrees())
    }

    /// Everything that can be done here: the key (`None` for picking from the list or typing) and where it goes.
    pub fn moves(&self) -> impl Iterator<Item = (Option<char>, OptionTarget)> {
        let own = match self.kind {
            ScreenKind::List { pick, .. } => Some(pick),
            ScreenKind::Input(action) => Some(action),
            ScreenKind::Choices | ScreenKind::End => None,
        };
        own.map(|action| (None, OptionTarget::Action(action)))
            .into_iter()
            .chain(
                self.options
                    .iter()
                    .map(|choice| (Some(choice.key), choice.target.clone())),
            )
    }
}
