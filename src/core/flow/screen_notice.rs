//! A sentence above a screen.

use serde::{Deserialize, Serialize};

use crate::core::messages::TemplateArg;

/// A sentence shown above a screen once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenNotice {
    pub id: String,
    /// The one number some of them have: tries left, characters wanted.
    pub number: Option<i64>,
    /// The bank that it is about, where that is not the one of the session.
    #[serde(default)]
    pub bank: Option<String>,
}

impl ScreenNotice {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            number: None,
            bank: None,
        }
    }

    pub(super) fn about_bank(id: &str, bank: String) -> Self {
        Self {
            bank: Some(bank),
            ..Self::new(id)
        }
    }

    pub(super) fn with_number(id: &str, number: i64) -> Self {
        Self {
            number: Some(number),
            ..Self::new(id)
        }
    }

    /// Puts what it says in place of what the screen below says.
    pub(super) fn fill(&self, args: &mut Vec<(&'static str, TemplateArg)>) {
        let number = self.number.into_iter();
        args.extend(number.flat_map(|n| ["left", "length"].map(|name| (name, TemplateArg::Number(n)))));
        if let Some(bank) = &self.bank {
            args.retain(|(name, _)| *name != "bank");
            args.push(("bank", TemplateArg::Text(bank.clone())));
        }
    }
}
