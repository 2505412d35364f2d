//! Approvals: what a person has to agree to on the bank's page or in its app.
//!
//! ```text
//! pending ─▶ approved    by the person, once
//!         ─▶ denied      by the person, once
//!         ─▶ expired     by the clock
//! ```
//!
//! The state is computed from the clock whenever it is asked for, so nothing has to run for an approval to expire. What the
//! person does is decided by the typed word ([`ApprovalHabit`]), by a click on the bank's page, or by anyone who holds the bank
//! ([`Bank::decide_approval`]). A login waits for its approval ([`Bank::poll`]); a dialect may also ask for one that belongs
//! to no login, such as a consent ([`Bank::ask_approval`]).

use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::Bank;
use super::dialect::Dialect;
use super::linking::BankStep;
use super::login_rules::LoginProgress;
use super::memory::{BankMemory, SessionStage};
use crate::core::time::Timestamp;

/// Where the person approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalWay {
    Browser,
    App,
}

/// What the person does of their own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalHabit {
    /// Nothing, until told.
    Undecided,
    /// Approves after [`DECIDES_AFTER`].
    Approves,
    /// Denies after [`DECIDES_AFTER`].
    Denies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    Pending,
    Approved,
    Denied,
    Expired,
}

/// How long the approval of a login may take.
pub const APPROVAL_LIFETIME: Duration = Duration::from_mins(5);
/// How long a person with a habit takes.
pub const DECIDES_AFTER: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    pub id: String,
    /// What the person is asked to agree to, as the bank writes it.
    pub about: String,
    pub way: ApprovalWay,
    pub habit: ApprovalHabit,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it was approved, once somebody has decided.
    pub decision: Option<bool>,
    /// Where the bank's page sends the browser once the person has decided.
    pub back: Option<Url>,
}

impl Approval {
    pub fn state(&self, now: Timestamp) -> ApprovalState {
        let decides_at = self.asked_at.plus(DECIDES_AFTER);
        let by_habit = match self.habit {
            ApprovalHabit::Approves | ApprovalHabit::Denies if decides_at <= now && decides_at < self.expires_at => {
                Some(self.habit == ApprovalHabit::Approves)
            }
            _ => None,
        };
        match self.decision.or(by_habit) {
            Some(true) => ApprovalState::Approved,
            Some(false) => ApprovalState::Denied,
            None if self.expires_at <= now => ApprovalState::Expired,
            None => ApprovalState::Pending,
        }
    }
}

impl<D: Dialect> Bank<D> {
    /// Asks for an approval.
    pub fn ask_approval(
        &self,
        memory: &mut BankMemory<D>,
        about: &str,
        (way, habit): (ApprovalWay, ApprovalHabit),
        lifetime: Duration,
    ) -> Approval {
        let asked_at = self.now();
        let approval = Approval {
            id: self.generate_id(),
            about: about.to_owned(),
            way,
            habit,
            asked_at,
            expires_at: asked_at.plus(lifetime),
            decision: None,
            back: None,
        };
        memory.approvals.insert(approval.id.clone(), approval.clone());
        approval
    }

    /// Decides for the person; returns the state from now on, which is another one if the approval was not pending any more.
    /// `None` if there is no such approval.
    pub fn decide_approval(&self, memory: &mut BankMemory<D>, id: &str, approve: bool) -> Option<ApprovalState> {
        let now = self.now();
        let approval = memory.approvals.get_mut(id)?;
        if approval.state(now) == ApprovalState::Pending {
            approval.decision = Some(approve);
        }
        Some(approval.state(now))
    }

    /// Goes on with a login that waits for an approval. Asking again while it is pending changes nothing; once it is not
    /// granted, the session is over.
    pub fn poll(&self, memory: &mut BankMemory<D>, owner: usize, session: &str) -> BankStep {
        let Some((approval, progress)) = self.awaited(memory, owner, session) else {
            return BankStep::NoSession;
        };
        match approval.state(self.now()) {
            ApprovalState::Pending => BankStep::Approve(approval),
            ApprovalState::Approved => self.advance(memory, session, progress),
            state => {
                if let Some(session) = memory.sessions.get_mut(session) {
                    session.stage = SessionStage::Over;
                }
                BankStep::NotApproved(state)
            }
        }
    }

    /// The approval that a session waits for, and how far its login is once that is given.
    fn awaited(&self, memory: &BankMemory<D>, owner: usize, session: &str) -> Option<(Approval, LoginProgress)> {
        let session = memory.session(owner, session, self.now())?;
        let SessionStage::Approving { progress, approval } = &session.stage else {
            return None;
        };
        let progress = LoginProgress {
            answered: progress.answered + 1,
            ..progress.clone()
        };
        Some((memory.approvals.get(approval)?.clone(), progress))
    }
}
