//! The reply to a turn.

use serde::{Deserialize, Serialize};

use crate::core::defaults::is_default;

/// The reply to a turn: a screen, in no dialect yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnReply {
    pub end: bool,
    pub text: String,
    /// How many lines at the end of the text are options, a key and a label each; 0 where something else may be answered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub option_lines: usize,
}

impl TurnReply {
    /// Show this and wait for an answer.
    pub fn ask(text: String) -> Self {
        Self {
            end: false,
            text,
            option_lines: 0,
        }
    }

    /// Show this and end the dialog.
    pub fn end(text: String) -> Self {
        Self {
            end: true,
            ..Self::ask(text)
        }
    }

    /// The text as a title, and options as keys and labels; `None` where something else may be answered.
    pub fn menu(&self) -> Option<(&str, Vec<(&str, &str)>)> {
        let mut title = self.text.as_str();
        let mut options = Vec::with_capacity(self.option_lines);
        for _ in 0..self.option_lines {
            let (above, line) = title.rsplit_once('\n').unwrap_or(("", title));
            options.push(line.split_once(' ')?);
            title = above;
        }
        options.reverse();
        (!options.is_empty()).then_some((title, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of options are given as keys and labels, and the rest as the title; a screen without any is only text.
    #[test]
    fn a_screen_is_a_menu_when_its_options_are_known() {
        for (text, option_lines, want) in [
            (
                "Choose:\nnow\n1 One of them\n0 Back",
                2,
                Some(("Choose:\nnow", vec![("1", "One of them"), ("0", "Back")])),
            ),
            ("1 One\n9 More", 2, Some(("", vec![("1", "One"), ("9", "More")]))),
            ("Type your name:\n0 Back", 0, None),
        ] {
            let reply = TurnReply {
                option_lines,
                ..TurnReply::ask(text.to_owned())
            };
            assert_eq!(reply.menu(), want, "{text}");
        }
    }
}
