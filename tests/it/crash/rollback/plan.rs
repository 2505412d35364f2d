//! When a person's value goes back, how far, and what comes next: every combination, each for some people.

use crate::crash::person::Login;
use crate::crash::reader::SeenScreen;
use crate::support::recorder::Back;

/// A screen between two callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    Welcome,
    Banks,
    Username,
    Password,
    Code,
    Accounts,
    Refused,
    /// The dialog has ended with the news that an account is linked.
    Linked,
}

impl Stop {
    pub fn of(seen: &SeenScreen) -> Option<Self> {
        Some(match seen {
            SeenScreen::Welcome | SeenScreen::NothingLinked => Self::Welcome,
            SeenScreen::Banks | SeenScreen::Found => Self::Banks,
            SeenScreen::Username => Self::Username,
            SeenScreen::Password => Self::Password,
            SeenScreen::Code => Self::Code,
            SeenScreen::Accounts => Self::Accounts,
            SeenScreen::Refused => Self::Refused,
            SeenScreen::Linked => Self::Linked,
            _ => return None,
        })
    }
}

/// When a value goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RollbackPoint {
    /// When this screen has been shown.
    Shown(Stop),
    /// After so many writes of a submission. The first one takes the line, the second marks it as sent, the third has the
    /// answer: what the bank does, and what the records do, is in between.
    Written(usize),
}

/// What the product gets next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// What the screen asks for.
    Answer,
    /// The last callback again, and again.
    Repeat,
    /// A 1, whatever the screen asks.
    Key,
    /// A dial whose first callback brings all that was typed so far.
    Whole,
    /// A dial.
    Redial,
}

impl Next {
    pub const ALL: [Self; 5] = [Self::Answer, Self::Repeat, Self::Key, Self::Whole, Self::Redial];
}

/// What befalls one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plan {
    pub login: Login,
    pub edge: RollbackPoint,
    pub back: Back,
    pub next: Next,
}

/// Who meets which edge.
const EDGES: [(Login, RollbackPoint); 19] = [
    (Login::Granted, RollbackPoint::Shown(Stop::Welcome)),
    (Login::Granted, RollbackPoint::Shown(Stop::Banks)),
    (Login::Granted, RollbackPoint::Shown(Stop::Username)),
    (Login::Granted, RollbackPoint::Shown(Stop::Password)),
    (Login::Granted, RollbackPoint::Shown(Stop::Linked)),
    (Login::Granted, RollbackPoint::Written(1)),
    (Login::Granted, RollbackPoint::Written(2)),
    (Login::Granted, RollbackPoint::Written(3)),
    (Login::Granted, RollbackPoint::Written(4)),
    (Login::Refused, RollbackPoint::Shown(Stop::Refused)),
    (Login::Refused, RollbackPoint::Written(2)),
    (Login::Code, RollbackPoint::Shown(Stop::Code)),
    (Login::Code, RollbackPoint::Written(1)),
    (Login::Code, RollbackPoint::Written(2)),
    (Login::WrongCode, RollbackPoint::Shown(Stop::Code)),
    (Login::WrongCode, RollbackPoint::Written(3)),
    (Login::Choice, RollbackPoint::Shown(Stop::Accounts)),
    (Login::Choice, RollbackPoint::Written(1)),
    (Login::Choice, RollbackPoint::Written(2)),
];

/// Every combination, once.
pub fn all() -> Vec<Plan> {
    let mut plans = Vec::new();
    for (login, edge) in EDGES {
        for back in Back::ALL {
            plans.extend(Next::ALL.map(|next| Plan {
                login,
                edge,
                back,
                next,
            }));
        }
    }
    plans
}

impl Plan {
    /// Whether what is typed at this screen is submitted, and the plan waits for that: of a login with a code or a choice
    /// that is the code or the choice.
    pub fn submits_at(&self, seen: &SeenScreen) -> bool {
        let secret = match self.login {
            Login::Granted | Login::Refused => SeenScreen::Password,
            Login::Code | Login::WrongCode => SeenScreen::Code,
            Login::Choice => SeenScreen::Accounts,
        };
        matches!(self.edge, RollbackPoint::Written(_)) && *seen == secret
    }

    /// How often it happens to one person: who is refused tries again.
    pub fn times(&self) -> usize {
        match self.login {
            Login::Refused | Login::WrongCode => 3,
            Login::Granted | Login::Code | Login::Choice => 1,
        }
    }
}
