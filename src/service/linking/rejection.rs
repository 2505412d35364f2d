//! Why an account that came back is not linked, and what follows from that.

use serde::{Deserialize, Serialize};

use crate::core::flow::AttemptResult;
use crate::records::AttemptState;

/// Why an account that came back is not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rejection {
    /// It cannot be this person's.
    Foreign,
    /// It is not the one that they chose.
    NotChosen,
    /// The person has begun again since, what they agreed to is gone, or it cannot be used.
    Superseded,
}

impl Rejection {
    pub(super) fn audit_kind(self) -> &'static str {
        match self {
            Self::Foreign => "account.foreign",
            Self::NotChosen => "account.not_chosen",
            Self::Superseded => "link.undone",
        }
    }

    /// Where the attempt ends.
    pub(super) fn state(self) -> AttemptState {
        match self {
            Self::Foreign | Self::Superseded => AttemptState::Undone,
            Self::NotChosen => AttemptState::OtherAccount,
        }
    }

    /// What the person is told.
    pub(super) fn result(self) -> AttemptResult {
        match self {
            Self::Foreign | Self::Superseded => AttemptResult::Lapsed,
            Self::NotChosen => AttemptResult::OtherAccount,
        }
    }
}
