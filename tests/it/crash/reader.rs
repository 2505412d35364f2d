//! What stands on a screen, read as a person reads it.

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::support::aggregator::{AggregatorClient, NoReply, Phone, UssdReply};

/// What a person reads off a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenScreen {
    /// The consent, and the way to what is linked.
    Welcome,
    /// The consent; nothing is linked.
    NothingLinked,
    /// All banks; a name may be typed.
    Banks,
    /// All banks, the wanted one first.
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
    /// A screen that nobody expects.
    Strange,
}

/// What is typed in and read when a bank is wanted.
pub const BANK: &str = "Providus Bank";

impl SeenScreen {
    /// Reads a reply.
    pub fn read(reply: &UssdReply) -> Self {
        let says = |text: &str| reply.text.contains(text);
        let table = [
            (" is unlinked. ", Self::Unlinked),
            ("Unlink Providus", Self::Unlink),
            (" is linked for ", Self::Linked),
            ("is checking your details", Self::Checking),
            ("has not answered yet. We keep asking", Self::Confirming),
            ("We keep asking", Self::Over),
            ("could not find out", Self::Unconfirmed),
            ("three wrong codes", Self::Refused),
            // Refused once more, with no other try.
            ("lock you out, wait", Self::Limited),
            ("did not let you in", Self::Refused),
            ("is not working now. Nothing you typed was sent", Self::Unavailable),
            ("min before you try again", Self::Limited),
            // Slow answers of a busy machine look like a bank that is down.
            ("is not answering now", Self::Limited),
            ("is busy now. Try again in", Self::Limited),
            ("You began to link", Self::Resume),
            ("Your linked accounts", Self::Links),
            ("You have no linked", Self::NoLinks),
            ("2 Unlink", Self::Link),
            ("which account?", Self::Accounts),
            ("2 My accounts", Self::Welcome),
            ("asks to see your bank account", Self::NothingLinked),
            (": Username", Self::Username),
            (": Password", Self::Password),
        ];
        if let Some((_, seen)) = table.iter().find(|(text, _)| says(text)) {
            return seen.clone();
        }
        // The list, or what is said in the place of its title.
        if says("Choose your bank") || says("cannot link a bank of that name") {
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
        Self::Strange
    }
}

/// What happened to one person, line by line.
#[derive(Clone, Default)]
pub struct Story(Arc<Mutex<Vec<String>>>);

impl Story {
    pub fn tell(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .lock()
            .unwrap()
            .iter()
            .try_for_each(|line| writeln!(f, "    {line}"))
    }
}

/// One dialog of one phone, read screen by screen.
#[derive(Clone)]
pub struct Reader {
    phone: Phone,
    /// Every reply, in order.
    pub replies: Vec<UssdReply>,
    story: Story,
}

impl Reader {
    /// A new dialog of this number at the end of this line.
    pub fn new(line: &AggregatorClient, number: &str) -> Self {
        Self {
            phone: Phone::new(number, line.clone()),
            replies: Vec::new(),
            story: Story::default(),
        }
    }

    /// All that happens in it is told there.
    pub fn telling(self, story: &Story) -> Self {
        Self {
            story: story.clone(),
            ..self
        }
    }

    /// Dials.
    pub async fn dial(&mut self) -> Result<SeenScreen, NoReply> {
        self.dial_with("").await
    }

    /// Dials with more behind the code.
    pub async fn dial_with(&mut self, behind: &str) -> Result<SeenScreen, NoReply> {
        let reply = self.phone.try_dial_with(behind).await;
        self.read(&format!("dials {behind:?}"), reply)
    }

    /// Types a line.
    pub async fn line(&mut self, line: &str) -> Result<SeenScreen, NoReply> {
        let reply = self.phone.try_say(line).await;
        self.read(&format!("types {line:?}"), reply)
    }

    /// The last callback comes once more, to the next server.
    pub async fn again(&mut self) -> Result<SeenScreen, NoReply> {
        let reply = self.phone.try_again().await;
        self.read("the callback comes again", reply)
    }

    /// This text was sent by somebody else who has the same dialog.
    pub fn was_sent(&mut self, text: &str) {
        text.clone_into(&mut self.phone.text);
    }

    /// All that was typed in it, as its gateway sends it.
    pub fn text(&self) -> &str {
        &self.phone.text
    }

    /// Whether the last reply ended the dialog.
    pub fn over(&self) -> bool {
        self.replies.last().is_none_or(|reply| reply.end)
    }

    /// What the last reply says.
    pub fn last_text(&self) -> String {
        self.replies.last().map(|reply| reply.text.clone()).unwrap_or_default()
    }

    fn read(&mut self, what: &str, reply: Result<UssdReply, NoReply>) -> Result<SeenScreen, NoReply> {
        let session = &self.phone.session;
        let dialog = session.rsplit('_').next().unwrap_or_default();
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.story.tell(format!("[{dialog}] {what}: no answer"));
                return Err(error);
            }
        };
        let end = if reply.end { "END " } else { "" };
        self.story.tell(format!("[{dialog}] {what}: {end}{:?}", reply.text));
        let seen = SeenScreen::read(&reply);
        self.replies.push(reply);
        Ok(seen)
    }
}
