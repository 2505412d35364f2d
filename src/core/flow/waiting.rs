//! What a provider may lead to besides a form: something that goes on without the phone, or accounts to choose from.

use serde::{Deserialize, Serialize};
use serde_with::apply;

use crate::core::defaults::is_default;
use crate::core::menu::Outcome;
use crate::core::next_step::{AccountChoice, LinkPurpose};
use crate::core::time::Timestamp;

/// What goes on without the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub what: WaitingFor,
    /// From then on it will not come any more.
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitingFor {
    /// The person opens the page that was sent to them.
    Page(LinkPurpose),
    /// The person approves in their bank's application.
    Approval {
        /// What to look for there; untrusted text.
        message: Option<String>,
        /// A short code that is shown there too; untrusted text.
        binding: Option<String>,
    },
    /// The bank needs its time.
    Time,
}

impl WaitingFor {
    /// Where a session stands that waits for it.
    pub(super) fn stage(&self) -> Outcome {
        match self {
            Self::Page(_) => Outcome::OpenPage,
            Self::Approval { .. } => Outcome::ApproveElsewhere,
            Self::Time => Outcome::Waiting,
        }
    }
}

/// So often may a person look in one dialog whether there is news of what nobody knows the end of. Then we end it and say what
/// happens next: looking on costs them money, and does not hurry a bank.
pub(super) const MAX_LOOKS: u8 = 2;

/// Accounts to choose from. An earlier version wrote nothing but the accounts.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    pub accounts: Vec<AccountChoice>,
    /// Whether several may be chosen at once.
    pub many: bool,
    /// What to ask the provider for more accounts with, if it can show more of another kind.
    pub more: Option<String>,
}

impl AccountList {
    /// Where a session stands in which they are to be chosen from.
    pub(super) fn stage(&self) -> Outcome {
        if self.many {
            Outcome::ChooseAccounts
        } else {
            Outcome::ChooseAccount
        }
    }
}

impl From<Vec<AccountChoice>> for AccountList {
    fn from(accounts: Vec<AccountChoice>) -> Self {
        Self {
            accounts,
            many: false,
            more: None,
        }
    }
}
