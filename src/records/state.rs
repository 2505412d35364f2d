//! Where attempts and links stand, durably.

use super::words::Word as _;
use crate::core::next_step::FailureClass;

/// Where an attempt stands, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Begun. Nobody has begun to send it: its owner moves it on before the first byte leaves, and does not send it if it
    /// cannot. Whoever moves it elsewhere first has seen to it that it is never sent.
    Open,
    /// Its owner is about to send it, or has: it may have been sent.
    Sending,
    /// The provider took it and asks for more.
    Accepted,
    /// The provider said no.
    Refused,
    /// The provider said that the code was wrong.
    WrongCode,
    /// Provably never sent, or the provider did not try.
    NotSent,
    /// Nobody knows.
    Unknown,
    /// The provider handed out a grant, which is kept.
    Granted,
    /// Its link is durable.
    Linked,
    /// It turned out good after the person had moved on, and was undone.
    Undone,
    /// Looked for long enough: nothing was linked.
    Lapsed,
}

impl AttemptState {
    /// The state an explicit no leads to.
    pub fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::Refused => Self::Refused,
            FailureClass::WrongCode => Self::WrongCode,
            FailureClass::SessionExpired | FailureClass::Busy | FailureClass::Misconfigured => Self::NotSent,
            // The provider took it and wants what we cannot give.
            FailureClass::Unsupported => Self::Accepted,
        }
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.word()
    }

    /// Whether the person is still owed an answer.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Open | Self::Sending | Self::Unknown | Self::Granted)
    }
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not in use yet: the account is to be compared with the one that the partner expects.
    Verifying,
    /// In use.
    Active,
    /// The person must log in again.
    ReauthRequired,
    /// Being ended: the provider is still to be told.
    Removing,
    /// Ended.
    Removed,
}

impl LinkState {
    /// All that a partner sees: one that is being compared is not there for it yet.
    pub const ALL: [Self; 4] = [Self::Active, Self::ReauthRequired, Self::Removing, Self::Removed];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.word()
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Where a partner's request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentState {
    /// It may be begun.
    Open,
    /// Somebody has linked for it, and nobody else can.
    Completed,
    /// The partner has ended it.
    Cancelled,
    /// Its time is over.
    Expired,
    /// What was linked for it was not the account it was for.
    Mismatched,
}

impl IntentState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Mismatched,
    ];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.word()
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
