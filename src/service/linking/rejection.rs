//! Why an account that came back is not linked, and what follows from that.

use crate::core::flow::AttemptResult;
use crate::records::AttemptState;

/// Why an account that came back is not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// It cannot be this person's.
    Foreign,
    /// It is not the one that they chose.
    NotChosen,
}

impl Rejection {
    pub(super) fn audit_kind(self) -> &'static str {
        match self {
            Self::Foreign => "account.foreign",
            Self::NotChosen => "account.not_chosen",
        }
    }

    /// Where the attempt ends.
    pub(super) fn state(self) -> AttemptState {
        match self {
            Self::Foreign => AttemptState::Undone,
            Self::NotChosen => AttemptState::OtherAccount,
        }
    }

    /// What the person is told.
    pub(super) fn result(self) -> AttemptResult {
        match self {
            Self::Foreign => AttemptResult::Lapsed,
            Self::NotChosen => AttemptResult::OtherAccount,
        }
    }
}
