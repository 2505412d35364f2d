//! A phone on Africa's Talking, and what stands on its screen.

use std::sync::atomic::{AtomicU64, Ordering};

use url::form_urlencoded::Serializer;

/// The server went away before it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone(pub String);

impl From<reqwest::Error> for Gone {
    fn from(error: reqwest::Error) -> Self {
        Self(format!("{error:?}"))
    }
}

/// What a person reads off a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
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

impl Seen {
    /// Reads a reply. A screen that nobody expects is a failure.
    pub fn read(reply: &str) -> Self {
        let says = |text: &str| reply.contains(text);
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
        if reply.starts_with("END ") {
            return Self::Over;
        }
        if says(&format!("{BANK}: ")) {
            return Self::Code;
        }
        panic!("nobody expects this screen: {reply:?}");
    }
}

/// The way to a node, shared by all phones: making a client takes longer than all its calls.
#[derive(Clone)]
pub struct Line {
    /// Where callbacks go.
    pub callbacks: String,
    /// Who makes them.
    pub client: reqwest::Client,
}

/// One dialog of one phone.
pub struct Phone {
    line: Line,
    number: String,
    dialog: String,
    text: String,
    /// Every reply, in order.
    pub replies: Vec<String>,
}

impl Phone {
    /// A new dialog of this number at the end of this line.
    pub fn new(line: &Line, number: &str) -> Self {
        static DIALOGS: AtomicU64 = AtomicU64::new(1);
        Self {
            line: line.clone(),
            number: number.to_owned(),
            dialog: format!("ATUid_{:08}", DIALOGS.fetch_add(1, Ordering::Relaxed)),
            text: String::new(),
            replies: Vec::new(),
        }
    }

    /// Dials.
    pub async fn dial(&mut self) -> Result<Seen, Gone> {
        self.callback().await
    }

    /// Types a line.
    pub async fn line(&mut self, line: &str) -> Result<Seen, Gone> {
        if !self.text.is_empty() {
            self.text.push('*');
        }
        self.text.push_str(line);
        self.callback().await
    }

    /// Whether the last reply ended the dialog.
    pub fn over(&self) -> bool {
        self.replies.last().is_none_or(|reply| reply.starts_with("END "))
    }

    async fn callback(&mut self) -> Result<Seen, Gone> {
        let body = Serializer::new(String::new())
            .append_pair("sessionId", &self.dialog)
            .append_pair("phoneNumber", &self.number)
            .append_pair("networkCode", "62130")
            .append_pair("serviceCode", "*384*96#")
            .append_pair("text", &self.text)
            .finish();
        let post = self.line.client.post(&self.line.callbacks).body(body);
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        let answer = post.send().await?;
        assert_eq!(answer.status().as_u16(), 200);
        let reply = answer.text().await?;
        assert!(reply.starts_with("CON ") || reply.starts_with("END "), "{reply:?}");
        let seen = Seen::read(&reply);
        self.replies.push(reply);
        Ok(seen)
    }
}
