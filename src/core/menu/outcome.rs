//! Every situation that the server can lead a person to, and what each of them is.
//!
//! An outcome is a stage of a connect session, an answer to an action, or both; the menu names one screen for each. What each
//! is stands in one table. Everything that is said of outcomes in general is derived from that: where an action may lead
//! ([`Action::outcomes`](super::Action::outcomes)), where a dial begins, what is behind the subscriber's own code, what is
//! worth an SMS.

use serde::{Deserialize, Serialize};

/// What an outcome is; it may be several of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A connect session can stand here.
    Stage,
    /// A dial can begin here.
    Entry,
    /// A dial begins here that continues nothing.
    Start,
    /// The list of institutions, or that there is none.
    Institutions,
    /// Where a picked institution leads.
    Login,
    /// One field of a form is asked for.
    Field,
    /// The provider is owed an answer by the person.
    Question,
    /// The institution cannot be tried now, or not from this phone.
    Obstacle,
    /// A submission is under way, or nobody knows yet what became of it.
    InProgress,
    /// Nothing was linked.
    Failure,
    /// An account is linked.
    Success,
    /// The session is over once the person has seen it.
    Final,
}

/// What a screen tells about a person: it decides whether their own code is asked for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveals {
    /// Nothing.
    Nothing,
    /// Where a connect session stands, with the institution's name.
    Session,
    /// What is linked.
    Links,
}

/// Declares the outcomes: the menu's word for each, what its screen reveals, and its roles.
macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $word:literal: $reveals:ident [$($role:ident)*],)+) => {
        /// What an action, or an event from a provider, leads to; `[outcomes]` in the menu names the screen of each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Outcome {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Outcome {
            /// Every one of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The menu's word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What its screen reveals.
            pub fn reveals(self) -> Reveals {
                match self { $(Self::$name => Reveals::$reveals),+ }
            }

            fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*]),+ }
            }
        }
    };
}

outcomes! {
    /// Nothing has begun: one partner asks.
    Welcome = "welcome": Nothing [Entry Start],
    /// Nothing has begun: several partners ask.
    ChoosePartner = "choose-partner": Nothing [Entry Start],
    /// Nothing has begun: no partner asks.
    NoPartner = "no-partner": Nothing [Entry Start],
    /// Nothing has begun: a partner asks for a new login to a link.
    AskedAgain = "asked-again": Links [Entry Start],
    /// The bank of a link wants a new login.
    NeedsLogin = "needs-login": Links [Entry],
    /// A consent ends soon.
    EndsSoon = "ends-soon": Links [Entry],
    /// It was agreed to again.
    ConsentRenewed = "consent-renewed": Links [],
    /// The institutions are to be shown.
    ChooseBank = "choose-bank": Nothing [Stage Institutions],
    /// The list of institutions cannot be had.
    NoBanks = "no-banks": Nothing [Institutions],
    /// Nothing that can be linked may be linked on this line.
    NoWay = "no-way": Nothing [Institutions],
    /// The institution has several auth methods.
    ChooseMethod = "choose-method": Session [Stage Login],
    /// A field is to be typed.
    Ask = "ask": Session [Stage Login Field Question],
    /// A field is one of a few.
    AskChoice = "ask-choice": Session [Stage Login Field Question],
    /// One of several accounts is to be picked.
    ChooseAccount = "choose-account": Session [Stage Question],
    /// One or more of several accounts are to be picked.
    ChooseAccounts = "choose-accounts": Session [Stage Question],
    /// A submission is under way, or its grant is being redeemed.
    Checking = "checking": Session [Stage Entry InProgress],
    /// The person is to open the page that was sent to them.
    OpenPage = "open-page": Session [Stage Entry InProgress],
    /// The person is to approve in their bank's application.
    ApproveElsewhere = "approve-elsewhere": Session [Stage Entry InProgress],
    /// The bank needs its time.
    Waiting = "waiting": Session [Stage Entry InProgress],
    /// Nobody knows what became of a submission; it is being found out.
    Confirming = "confirming": Session [Stage Entry InProgress],
    /// It could not be found out, and nothing was linked.
    Unconfirmed = "unconfirmed": Session [Stage Entry Failure],
    /// The partner has ended its request, and nothing was linked.
    RequestOver = "request-over": Session [Stage Entry Failure Final],
    /// It was not the account that the partner expects, and nothing was linked.
    Mismatched = "mismatched": Session [Stage Entry Failure Final],
    /// It was not the account that the person had chosen, and nothing was linked.
    OtherAccount = "other-account": Session [Stage Entry Failure Final],
    /// The provider said no.
    Refused = "refused": Session [Stage Entry Failure],
    /// The person said no at the bank.
    Denied = "denied": Session [Stage Entry Failure],
    /// The bank wants the person to do something there first.
    ActAtBank = "act-at-bank": Session [Stage Entry Failure],
    /// The bank wants a new password, chosen there.
    PasswordExpired = "password-expired": Session [Stage Entry Failure],
    /// The provider or the institution could not be reached, or is too busy; nothing was sent.
    Unavailable = "unavailable": Session [Stage Entry Failure],
    /// The provider wants what this channel cannot do.
    Unsuited = "unsuited": Session [Stage Entry Login Obstacle Failure],
    /// Too many refused logins: wait.
    Limited = "limited": Session [Stage Login],
    /// The institution does not answer at present.
    BankDown = "bank-down": Session [Stage Entry Login Obstacle Failure],
    /// The institution asks to be left alone for a while.
    BankBusy = "bank-busy": Session [Stage Entry Login Obstacle Failure],
    /// An SMS will come when the institution is back.
    AlertPromised = "will-text": Nothing [],
    /// The person has opted out of SMS, so none can be promised.
    SmsOptedOut = "texts-stopped": Nothing [],
    /// The provider does not accept us.
    Blocked = "blocked": Session [Stage Entry Failure Final],
    /// A connect session waits to be continued.
    Resume = "resume": Session [Entry],
    /// Something was linked since the last dialog.
    NewLink = "news": Session [Entry],
    Linked = "linked": Session [Stage Success Final],
    /// Linked, just now, and the same account was linked before.
    LinkedTwice = "linked-twice": Session [Stage Success Final],
    /// Logged in again, just now.
    Renewed = "renewed": Session [Stage Success Final],
    /// The links are to be shown.
    Links = "links": Links [],
    NoLinks = "no-links": Nothing [],
    /// There are links, but nobody has used any for long: only how many is shown.
    LinksUnused = "links-unused": Nothing [],
    /// One link is to be shown.
    Link = "link": Links [],
    Unlinked = "unlinked": Links [],
    /// The person leaves.
    Left = "left": Nothing [],
    /// The person leaves, or the dialog ends for want of time, while a submission is under way.
    LeftChecking = "left-checking": Session [],
    /// The person's own code is to be typed first.
    EnterPin = "enter-pin": Nothing [],
    /// The person chooses a code of their own.
    ChoosePin = "choose-pin": Nothing [],
    /// Too many wrong codes: wait.
    PinLocked = "pin-locked": Nothing [],
}

impl Outcome {
    /// Whether it is this.
    pub fn is(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// Whether its screen may be about one of the links: what is asked or said of it, what is typed before that is shown, and
    /// what is waited for after that was answered. All others are about the connect session, or about nothing.
    pub fn may_concern_link(self) -> bool {
        matches!(
            self,
            Self::Link
                | Self::AskedAgain
                | Self::NeedsLogin
                | Self::EndsSoon
                | Self::ConsentRenewed
                | Self::Unlinked
                | Self::EnterPin
                | Self::PinLocked
                | Self::Checking
                | Self::LeftChecking
        )
    }
}
