//! The words that `menus/link.toml` may use for what the server does, and what each may lead to.

use serde::{Deserialize, Serialize};

/// What choosing an option, picking from a list or typing an answer asks the server to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Agree to the consent on the screen; a connect session begins.
    Consent,
    /// Show the list of institutions.
    ShowBanks,
    /// Pick one of several businesses that ask.
    PickPartner,
    /// Pick an institution.
    PickBank,
    /// Pick an auth method.
    PickMethod,
    /// Go on although the channel is not private.
    AcceptWarning,
    /// Answer the field that is being asked.
    Answer,
    /// Back to the field before, or to the institutions.
    Previous,
    /// Pick one of the accounts that the provider found.
    PickAccount,
    /// Look whether the provider has answered.
    Check,
    /// Try the same institution again.
    Retry,
    /// Be texted when the institution is back.
    TextWhenBack,
    /// Choose another institution.
    AnotherBank,
    /// Go on where the connect session stands.
    Resume,
    /// Forget the connect session.
    Restart,
    /// Back to where a dial begins.
    Home,
    /// Pick a language.
    PickLanguage,
    /// Show what is linked.
    ShowLinks,
    /// Pick one of the links.
    PickLink,
    /// End a link.
    Unlink,
    /// Log in again for a link.
    Reauthorise,
    /// Type one's own code.
    EnterPin,
    /// Begin to choose a code of one's own.
    Protect,
    /// Choose a code of one's own.
    ChoosePin,
    /// Go on without the code, which is forgotten.
    ForgotPin,
}

/// What an action, or news from a provider, leads to; `[outcomes]` names the screen of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing has begun: one business asks.
    Welcome,
    /// Nothing has begun: several do.
    ChoosePartner,
    /// Nothing has begun: nobody does.
    NoPartner,
    /// Nothing has begun: a business asks for a link to be logged in to again.
    AskedAgain,
    /// The institutions are to be shown.
    ChooseBank,
    /// The list of institutions cannot be had.
    NoBanks,
    /// The institution has several auth methods.
    ChooseMethod,
    /// Policy wants a warning before secrets.
    Warn,
    /// A field is to be typed.
    Ask,
    /// A field is one of a few.
    AskChoice,
    /// One of several accounts is to be picked.
    ChooseAccount,
    /// A submission is under way, or its grant is being redeemed.
    Checking,
    /// Nobody knows what became of a submission; it is being found out.
    Confirming,
    /// It could not be found out, and nothing was linked.
    Unconfirmed,
    /// The partner has ended its request, and nothing was linked.
    RequestOver,
    /// It was not the account that the partner expects, and nothing was linked.
    Mismatched,
    /// The provider said no.
    Refused,
    /// The provider or the bank could not be reached, or is too busy; nothing was sent.
    Unavailable,
    /// The provider wants what this channel cannot do.
    Unsuited,
    /// Too many refused logins: wait.
    Limited,
    /// The institution does not answer at present.
    BankDown,
    /// The institution asks to be left alone for a while.
    BankBusy,
    /// A text will come when the institution is back.
    WillText,
    /// The person has said that they want no texts.
    TextsStopped,
    /// The provider does not accept us.
    Blocked,
    /// A connect session waits to be continued.
    Resume,
    /// Something was linked since the last dialog.
    News,
    /// Linked, just now.
    Linked,
    /// Linked, just now, and the same account was linked before.
    LinkedTwice,
    /// Logged in again, just now.
    Renewed,
    /// The links are to be shown.
    Links,
    /// There are no links.
    NoLinks,
    /// One link is to be shown.
    Link,
    /// A link was ended.
    Unlinked,
    /// The person goes.
    Left,
    /// The person goes, or is sent off for want of time, while a submission is under way.
    LeftChecking,
    /// The person's own code is to be typed first.
    EnterPin,
    /// A code of one's own is to be chosen.
    ChoosePin,
    /// Too many wrong codes: wait.
    PinLocked,
}

/// Where a connect session can stand when it is looked at.
const STANDING: &[Outcome] = &[
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::ChooseBank,
    Outcome::ChooseMethod,
    Outcome::Warn,
    Outcome::ChooseAccount,
    Outcome::Checking,
    Outcome::Confirming,
    Outcome::Unconfirmed,
    Outcome::RequestOver,
    Outcome::Mismatched,
    Outcome::Refused,
    Outcome::Unavailable,
    Outcome::Unsuited,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Blocked,
    Outcome::Linked,
    Outcome::LinkedTwice,
    Outcome::Renewed,
    Outcome::LeftChecking,
    Outcome::EnterPin,
];

/// Where a dial can begin.
const HOME: &[Outcome] = &[
    Outcome::Welcome,
    Outcome::ChoosePartner,
    Outcome::NoPartner,
    Outcome::AskedAgain,
    Outcome::Resume,
    Outcome::News,
    Outcome::Checking,
    Outcome::Confirming,
    Outcome::Refused,
    Outcome::Unavailable,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Unsuited,
    Outcome::Unconfirmed,
    Outcome::RequestOver,
    Outcome::Mismatched,
    Outcome::Blocked,
    Outcome::EnterPin,
];

/// Where another try leads.
const RETRIED: &[Outcome] = &[
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::Warn,
    Outcome::ChooseBank,
    Outcome::NoBanks,
    Outcome::ChooseAccount,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Checking,
    Outcome::Unsuited,
];

/// Where asking for a text leads: an institution that is back by then is tried again at once.
const TEXTED: &[Outcome] = &[
    Outcome::WillText,
    Outcome::TextsStopped,
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::Warn,
    Outcome::ChooseMethod,
    Outcome::ChooseAccount,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Checking,
    Outcome::Unsuited,
    Outcome::NoBanks,
    Outcome::ChooseBank,
];

/// Where a picked institution leads.
const PICKED: &[Outcome] = &[
    Outcome::ChooseMethod,
    Outcome::Warn,
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::NoBanks,
    Outcome::Unsuited,
];

/// Where it leads to want another institution: a renewal has none, and is over.
const LEFT: &[Outcome] = &[
    Outcome::ChooseBank,
    Outcome::NoBanks,
    Outcome::Welcome,
    Outcome::ChoosePartner,
    Outcome::NoPartner,
    Outcome::AskedAgain,
];

/// Where a consent leads: to the institutions, or to the only one that is asked for.
const FIRST: &[Outcome] = &[
    Outcome::ChooseBank,
    Outcome::NoBanks,
    Outcome::ChoosePin,
    Outcome::ChooseMethod,
    Outcome::Warn,
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Unsuited,
];

/// Where a chosen code of one's own leads: on with the linking, or to what is linked.
const CHOSEN: &[Outcome] = &[
    Outcome::Links,
    Outcome::NoLinks,
    Outcome::ChooseBank,
    Outcome::NoBanks,
    Outcome::ChooseMethod,
    Outcome::Warn,
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::Limited,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Unsuited,
];

/// Where a dial begins that continues nothing.
const BEGUN: &[Outcome] = &[
    Outcome::Welcome,
    Outcome::ChoosePartner,
    Outcome::NoPartner,
    Outcome::AskedAgain,
    Outcome::EnterPin,
];

/// Where the right code leads: to what stood behind it.
const UNLOCKED: &[Outcome] = &[
    Outcome::Resume,
    Outcome::News,
    Outcome::Checking,
    Outcome::Confirming,
    Outcome::Refused,
    Outcome::Unavailable,
    Outcome::BankDown,
    Outcome::BankBusy,
    Outcome::Unsuited,
    Outcome::Unconfirmed,
    Outcome::RequestOver,
    Outcome::Mismatched,
    Outcome::Blocked,
    Outcome::Links,
    Outcome::Ask,
    Outcome::AskChoice,
    Outcome::ChooseAccount,
    Outcome::Welcome,
    Outcome::ChoosePartner,
    Outcome::NoPartner,
    Outcome::AskedAgain,
    Outcome::PinLocked,
];

impl Action {
    /// Everything this action can lead to.
    pub fn outcomes(self) -> &'static [Outcome] {
        use Outcome as O;
        match self {
            Self::Consent | Self::ShowBanks => FIRST,
            Self::AnotherBank => LEFT,
            Self::PickPartner => &[O::Welcome, O::AskedAgain, O::EnterPin],
            Self::PickBank => PICKED,
            Self::PickMethod => &[O::Warn, O::Ask, O::AskChoice, O::BankDown, O::BankBusy, O::Unsuited],
            Self::AcceptWarning => &[O::Ask, O::AskChoice, O::BankDown, O::BankBusy, O::Unsuited],
            Self::Answer => &[
                O::Ask,
                O::AskChoice,
                O::Checking,
                O::Limited,
                O::BankDown,
                O::BankBusy,
                O::Unsuited,
                O::Blocked,
                O::LeftChecking,
            ],
            Self::Previous => &[
                O::Ask,
                O::AskChoice,
                O::ChooseBank,
                O::NoBanks,
                O::Left,
                O::Welcome,
                O::ChoosePartner,
            ],
            Self::PickAccount => &[O::Checking],
            Self::Check | Self::Resume => STANDING,
            Self::Retry => RETRIED,
            Self::TextWhenBack => TEXTED,
            Self::Restart | Self::ForgotPin => BEGUN,
            Self::Home | Self::PickLanguage => HOME,
            Self::ShowLinks => &[O::Links, O::NoLinks, O::EnterPin],
            Self::PickLink => &[O::Link, O::Links, O::NoLinks],
            Self::Unlink => &[O::Unlinked, O::Links, O::NoLinks, O::Checking],
            Self::Reauthorise => &[
                O::Checking,
                O::Limited,
                O::BankDown,
                O::BankBusy,
                O::Unsuited,
                O::Links,
                O::NoLinks,
            ],
            Self::EnterPin => UNLOCKED,
            Self::Protect => &[O::ChoosePin],
            Self::ChoosePin => CHOSEN,
        }
    }
}
