//! What stands on a screen, read as a person reads it.

use crate::support::aggregator::{AggregatorClient, NoReply, Phone, UssdReply};

/// What a person reads off a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenScreen {
    Welcome,
    /// All banks; a name may be typed.
    Banks,
    /// The bank that was typed is the first of the list.
    Found,
    Username,
    Password,
    /// A one-time code or an answer is asked.
    Code,
    /// One of several accounts is to be picked.
    Accounts,
    Checking,
    Confirming,
    Unconfirmed,
    Refused,
    Unavailable,
    Limited,
    Resume,
    /// Told that an account is linked.
    Linked,
    /// The list of linked accounts.
    Links,
    NoLinks,
    /// One link, with what can be done about it.
    Link,
    /// Asked whether to unlink.
    Unlink,
    Unlinked,
    /// The dialog is over, without news.
    Over,
}

/// What is typed in and read when a bank is wanted.
pub const BANK: &str = "Providus Bank";

impl SeenScreen {
    /// Reads a reply. A screen that nobody expects is a failure.
    pub fn read(reply: &UssdReply) -> Self {
        let says = |text: &str| reply.text.contains(text);
        let table = [
            (" is unlinked. ", Self::Unlinked),
            ("Unlink Providus", Self::Unlink),
            (" is linked for ", Self::Linked),
            ("is checking your details", Self::Checking),
            ("has not answered. We are finding out", Self::Confirming),
            ("We go on asking", Self::Over),
            ("could not confirm", Self::Unconfirmed),
            ("did not accept", Self::Refused),
            ("is not available now. Nothing was sent", Self::Unavailable),
            ("min before you try again", Self::Limited),
            ("Go on with", Self::Resume),
            ("Your linked accounts", Self::Links),
            ("You have no linked", Self::NoLinks),
            (", linked for ", Self::Link),
            ("which account?", Self::Accounts),
            ("asks to read your bank account", Self::Welcome),
            (": Username", Self::Username),
            (": Password", Self::Password),
        ];
        if let Some((_, seen)) = table.iter().find(|(text, _)| says(text)) {
            return seen.clone();
        }
        if says("Choose your bank") {
            return if says("1 Providus") || says("1. Providus") {
                Self::Found
            } else {
                Self::Banks
            };
        }
        if reply.end {
            return Self::Over;
        }
        if says(&format!("{BANK}: ")) {
            return Self::Code;
        }
        panic!("nobody expects this screen: {reply:?}");
    }
}

/// One dialog of one phone, read screen by screen.
pub struct Reader {
    phone: Phone,
    /// Every reply, in order.
    pub replies: Vec<UssdReply>,
}

impl Reader {
    /// A new dialog of this number at the end of this line.
    pub fn new(line: &AggregatorClient, number: &str) -> Self {
        Self {
            phone: Phone::new(number, line.clone()),
            replies: Vec::new(),
        }
    }

    /// Dials.
    pub async fn dial(&mut self) -> Result<SeenScreen, NoReply> {
        let reply = self.phone.try_dial_with("").await?;
        Ok(self.read(reply))
    }

    /// Types a line.
    pub async fn line(&mut self, line: &str) -> Result<SeenScreen, NoReply> {
        let reply = self.phone.try_say(line).await?;
        Ok(self.read(reply))
    }

    /// Whether the last reply ended the dialog.
    pub fn over(&self) -> bool {
        self.replies.last().is_none_or(|reply| reply.end)
    }

    fn read(&mut self, reply: UssdReply) -> SeenScreen {
        let seen = SeenScreen::read(&reply);
        self.replies.push(reply);
        seen
    }
}
