//! How things end, as metric labels.

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TurnOutcome {
    /// With a screen that waits for an answer.
    Continued,
    /// With a last screen.
    Ended,
    /// With the stored reply: the gateway had asked before.
    Repeated,
    /// With the poll screen: the bank is still thinking.
    Pending,
    /// It was a notice: nobody waits for a screen.
    Notice,
    /// The request was not understood.
    Misunderstood,
    /// With a polite end: there was more to do than the limits allow, of everybody or of one person.
    Shed,
    /// Something of ours failed; the person got the safe END.
    Failed,
}

impl TurnOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Continued => "continued",
            Self::Ended => "ended",
            Self::Repeated => "repeated",
            Self::Pending => "pending",
            Self::Notice => "notice",
            Self::Misunderstood => "misunderstood",
            Self::Shed => "shed",
            Self::Failed => "failed",
        }
    }
}

/// How a call to a provider ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderOutcome {
    /// With an answer that says yes, or asks for more.
    Answered,
    /// With an explicit no.
    Rejected,
    /// Nothing left this machine.
    NotSent,
    /// It may have arrived.
    Unknown,
}

impl ProviderOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }
}

/// What holds our state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    Store,
    Records,
}

impl Storage {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Records => "records",
        }
    }
}
