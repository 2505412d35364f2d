//! What a provider says the person must do next. Closed: a provider knows no menus, the conversation knows no provider.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::field_words::{self, FieldWords};
use super::secret::Secret;
use super::time::Timestamp;

/// What must happen after a provider was asked to open, submit or continue.
#[derive(Debug)]
pub enum NextStep {
    /// Ask the person these fields and submit the answers.
    Prompt(Form),
    /// Let the person pick among their accounts; `many` when more than one may be picked.
    ChooseAccounts {
        /// The accounts to show, masked.
        accounts: Vec<AccountChoice>,
        /// Whether several may be chosen at once.
        many: bool,
        /// What to ask the provider for more accounts with, if it can show more of another kind.
        more: Option<String>,
    },
    /// The person must open a page in a browser; the page is made when it is opened, never before.
    OpenLink {
        purpose: LinkPurpose,
    },
    /// The person must approve in their bank's own application.
    ApproveElsewhere {
        /// What to look for there, if the provider says; untrusted text.
        message: Option<String>,
        /// A short code that the application shows too, so that the person knows it is the same request; untrusted text.
        binding: Option<String>,
        /// How long to wait between two questions whether it is done.
        poll_every: Duration,
        /// From then on it will not come any more.
        until: Timestamp,
    },
    /// Nothing to do but wait and ask again.
    Wait {
        /// How long to wait between two questions whether it is done.
        poll_every: Duration,
        /// From then on it will not come any more.
        until: Timestamp,
    },
    /// The person is done; the grant is to be redeemed on the server.
    Done(Grant),
    Failed(Failure),
}

/// Why a person must open a page: one message each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkPurpose {
    /// To log in at the bank.
    LogIn,
    /// To approve what was begun without a browser.
    Approve,
}

/// What a provider hands out when the person is done, to be exchanged for account ids. Often short-lived: it may live for ten minutes.
#[derive(Debug)]
pub struct Grant(pub Secret);

/// A form the person fills in, field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// A heading from the provider, untrusted text.
    pub title: Option<String>,
    /// What to ask, in the provider's order.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The key the provider expects back, letter for letter.
    pub name: String,
    /// What to call it before a person; untrusted text from the provider.
    pub label: String,
    pub kind: FieldKind,
    /// The most characters the provider takes, if it says.
    pub max_len: Option<u16>,
    /// The exact number of characters the provider wants, if it says.
    pub exact_len: Option<u16>,
    /// What the provider says about filling it in; untrusted text.
    #[serde(default)]
    pub help: Option<String>,
    /// Whether the provider wants an answer; else it may be skipped.
    #[serde(default = "required")]
    pub required: bool,
    /// What the whole answer must match, as the provider writes it: a regular expression. One that cannot be used here is
    /// left to the provider to hold.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Whether the provider wants a number, not text, where the answer is one.
    #[serde(default)]
    pub number: bool,
    /// Whether it is a code that is good for once: the bank sends it, or a device shows it.
    #[serde(default)]
    pub one_time: bool,
}

/// A value written by an earlier version does not say.
fn required() -> bool {
    true
}

impl Field {
    /// Whether it is asked in the same words, for an answer as long.
    pub fn reads_like(&self, other: &Self) -> bool {
        (&self.label, self.max_len, self.exact_len) == (&other.label, other.max_len, other.exact_len)
    }

    /// Whether what is asked once somebody has logged in is a code that they have been sent or are shown: the words of the
    /// field say so, or the heading above it where it is the only one. A person who is sent one must leave to read it.
    pub fn asks_code(&self, title: Option<&str>) -> bool {
        let typed = matches!(self.kind, FieldKind::Digits | FieldKind::Text | FieldKind::Secret);
        let said = [self.name.as_str(), self.label.as_str()].into_iter().chain(title);
        typed && (self.one_time || field_words::ask_for_code(said))
    }

    /// A field that must be answered, of which no more is known than its words say.
    pub fn new(name: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        let (name, label) = (name.into(), label.into());
        Self {
            one_time: FieldWords::of(&name, &label, "").one_time,
            name,
            label,
            kind,
            max_len: None,
            exact_len: None,
            help: None,
            required: true,
            pattern: None,
            number: false,
        }
    }
}

/// How a field is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    Digits,
    Text,
    /// Text that must not be shown or kept.
    Secret,
    /// A day, given to the provider as `YYYY-MM-DD`.
    Date,
    OneOf(Vec<FieldOption>),
    /// A keypad cannot answer it (captcha, camera, file, anything unknown).
    Unsupported,
}

/// One option of a [`FieldKind::OneOf`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOption {
    /// What to call it before a person.
    pub label: String,
    /// What to answer the provider.
    pub value: String,
}

impl Form {
    /// The fields that are asked on a phone: those that must be answered, and where none must be, all.
    pub fn asked(&self) -> impl Iterator<Item = &Field> {
        let all = self.asks_nothing();
        self.fields.iter().filter(move |field| all || field.required)
    }

    /// Whether no field must be answered.
    pub fn asks_nothing(&self) -> bool {
        !self.fields.iter().any(|field| field.required)
    }

    /// Whether a secret is asked, or a code that is good for once.
    pub fn asks_secret(&self) -> bool {
        self.asked()
            .any(|field| field.kind == FieldKind::Secret || field.one_time)
    }

    /// Whether a keypad can answer every field that is asked and there is at least one.
    pub fn fits_keypad(&self) -> bool {
        !self.fields.is_empty() && self.asked().all(|field| field.kind != FieldKind::Unsupported)
    }

    /// Whether both ask for the same fields; what they are called before a person may differ.
    pub fn asks_same_fields(&self, other: &Self) -> bool {
        let fields = |form: &Self| -> Vec<_> {
            let each = form.fields.iter();
            each.map(|field| (field.name.clone(), field.kind.clone(), field.required))
                .collect()
        };
        fields(self) == fields(other)
    }

    /// Whether both ask for the same fields in the same words, so that what was typed into the one fits the other.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        self.asks_same_fields(other) && self.fields.iter().zip(&other.fields).all(|(a, b)| a.reads_like(b))
    }
}

/// An account to choose. Never carries a balance: providers send them, shared phones must not show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChoice {
    /// What to answer the provider with. May be the account number itself: sealed wherever it is kept.
    pub key: String,
    /// The last digits of its number, all that is ever shown. The account that comes back is compared with them: empty
    /// where they may be those of something else.
    pub masked: String,
    /// The provider's word for its type, folded to a short label.
    pub label: String,
    /// ISO 4217 code, where the provider says.
    pub currency: Option<String>,
}

/// An explicit no from the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub class: FailureClass,
    /// How long the provider asks us to pause, if it does.
    pub retry_after: Option<Duration>,
    /// What the provider wants the person to be told; untrusted text.
    pub message: Option<String>,
}

impl From<FailureClass> for Failure {
    fn from(class: FailureClass) -> Self {
        Self {
            class,
            retry_after: None,
            message: None,
        }
    }
}

/// The kinds of no. Few on purpose: each has its own screen and its own next move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureClass {
    /// Wrong details or the bank said no; some providers cannot tell these apart from an outage.
    Refused,
    /// The one-time code or answer was wrong.
    WrongCode,
    /// The provider's session is over; a new one is needed.
    SessionExpired,
    /// The provider or the bank is too busy; nothing was tried.
    Busy,
    /// The provider does not accept us (key, plan, permission): our fault, not the person's.
    Misconfigured,
    /// The provider wants something this channel cannot do.
    Unsupported,
    /// The person said no, at the bank or in its application.
    Denied,
    /// The bank wants the person to do something there first; [`Failure::message`] says what, if the provider does.
    ActAtBank,
    /// The bank wants a new password, chosen there.
    PasswordExpired,
}

impl FailureClass {
    /// Whether a login that was sent and ended so counts against the limits: the bank may have seen it, and it was not
    /// accepted.
    pub fn counts_as_login(self) -> bool {
        !matches!(self, Self::Busy | Self::Unsupported)
    }
}
