//! What happens to one login, as data.

use super::approvals::{ApprovalHabit, ApprovalWay};
use super::failures::BankFailure;
use super::switches::{DataStatus, WebhookMode};

/// A question of the bank before the login is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A one-time code, `OTP`.
    Otp,
    /// A security question, `ANSWERS`.
    Question,
    /// The digits in a picture, which a keypad phone cannot show.
    Picture,
    /// Which of several accounts.
    Choose,
    /// Approval at the bank, and what the person does there.
    Approve(ApprovalWay, ApprovalHabit),
}

/// Why a bank refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    Wrong,
    Down,
    /// The bank wants to see the person first.
    Locked,
}

/// How a login ends once everything asked is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginEnd {
    /// Linked, with a code.
    Granted,
    /// Linked, with a code that is past its time.
    GrantedStale,
    Refused(RefusalReason),
    /// The session turns out to be over.
    Expired,
    /// An answer nobody has heard of.
    Strange,
}

/// What happens to one login, from first submission to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginScenario {
    pub challenges: &'static [Challenge],
    pub end: LoginEnd,
    /// The failure of the submission that ends it.
    pub trouble: Option<BankFailure>,
    /// When its webhooks come; `None` for the switches' mode.
    pub webhooks: Option<WebhookMode>,
    /// What happens to its data; `None` for the switches' status.
    pub data: Option<DataStatus>,
    /// Whether another account comes back than the one that was chosen.
    pub mixed_up: bool,
}

pub const PLAIN_LOGIN: LoginScenario = LoginScenario {
    challenges: &[],
    end: LoginEnd::Granted,
    trouble: None,
    webhooks: None,
    data: None,
    mixed_up: false,
};

/// The login where a method's form is followed by approval and nobody has typed what the person does.
pub(super) const fn approved_login(way: ApprovalWay) -> LoginScenario {
    let challenges: &'static [Challenge] = match way {
        ApprovalWay::Browser => &[Challenge::Approve(ApprovalWay::Browser, ApprovalHabit::Undecided)],
        ApprovalWay::App => &[Challenge::Approve(ApprovalWay::App, ApprovalHabit::Undecided)],
    };
    LoginScenario {
        challenges,
        ..PLAIN_LOGIN
    }
}
