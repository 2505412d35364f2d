//! The aggregator's side of a dialog, as Africa's Talking has it, which holds every answer to what an answer must be.
//!
//! A phone keeps the text that its aggregator sends, all lines so far joined by `*`, and sends each turn to the next of
//! its servers. What a network does to callbacks is done by hand here: [`Phone::again`] repeats one, [`Phone::send`]
//! delivers any text at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::machine::Stopwatch;
use kiungo::core::gsm7;
use tokio::sync::RwLock;

/// What is left of a gateway's patience must be enough for the way back.
const LATEST: Duration = Duration::from_millis(4_600);

/// Septets of one answer with its prefix.
const SEPTETS: usize = 160;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UssdReply {
    /// Whether it ends the dialog.
    pub end: bool,
    /// What it says.
    pub text: String,
    /// How long it took, less what the machine could not give; no part of what is compared.
    pub took: ReplyTime,
}

/// A duration that does not make answers different.
#[derive(Clone, Copy, Debug)]
pub struct ReplyTime(pub Duration);

impl PartialEq for ReplyTime {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ReplyTime {}

impl UssdReply {
    /// The dialog goes on and this is on the screen.
    #[track_caller]
    pub fn asks(&self, text: &str) -> &Self {
        assert!(
            !self.end && self.text.contains(text),
            "wanted CON {text:?}, got {self:?}"
        );
        self
    }

    /// The dialog is over and this is on the screen.
    #[track_caller]
    pub fn ends(&self, text: &str) -> &Self {
        assert!(
            self.end && self.text.contains(text),
            "wanted END {text:?}, got {self:?}"
        );
        self
    }

    /// This is not on the screen.
    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} should not be in {self:?}");
        self
    }

    /// The first four digits after two dots: an account as it is shown.
    #[track_caller]
    pub fn masked(&self) -> String {
        let (_, after) = self
            .text
            .split_once("..")
            .unwrap_or_else(|| panic!("no account in {self:?}"));
        after.chars().take_while(char::is_ascii_alphanumeric).collect()
    }
}

/// The way to the servers, shared by all phones: to make a client takes longer than all its calls.
#[derive(Clone)]
pub struct AggregatorClient {
    /// Where callbacks go. Anyone who takes a server out waits for the callbacks on their way, as a balancer does.
    pub servers: Arc<RwLock<Vec<String>>>,
    /// Who makes them.
    pub client: reqwest::Client,
    /// How late an answer may come.
    pub latest: Duration,
    /// How many answers have come.
    pub answers: Arc<AtomicUsize>,
}

impl AggregatorClient {
    /// To these servers, in time.
    pub fn new(servers: Vec<String>, client: reqwest::Client) -> Self {
        Self {
            servers: Arc::new(RwLock::new(servers)),
            client,
            latest: LATEST,
            answers: Arc::default(),
        }
    }

    /// For so many at once that the machine, not the server, is what is slow.
    pub fn patient(mut self) -> Self {
        self.latest = LATEST * 4;
        self
    }
}

/// The server went away before it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReply(pub String);

impl From<reqwest::Error> for NoReply {
    fn from(error: reqwest::Error) -> Self {
        Self(format!("{error:?}"))
    }
}

/// A phone, its aggregator, and the dialog between them.
#[derive(Clone)]
pub struct Phone {
    /// The number, spelled as the aggregator spells it.
    pub number: String,
    /// The network's code.
    pub network: String,
    /// The dialog's name.
    pub session: String,
    /// What has been typed in it.
    pub text: String,
    line: AggregatorClient,
    /// Whether every callback comes twice, to two servers where there are two, with the same answer.
    pub twice: bool,
    turn: usize,
}

impl Phone {
    /// A phone that has not dialled.
    pub fn new(number: &str, line: AggregatorClient) -> Self {
        Self {
            number: number.to_owned(),
            network: "62130".to_owned(),
            session: String::new(),
            text: String::new(),
            line,
            twice: false,
            turn: 0,
        }
    }

    /// Dials the code itself.
    pub async fn dial(&mut self) -> UssdReply {
        self.dial_with("").await
    }

    /// Dials the code with more behind it, which the aggregator sends as the first text.
    pub async fn dial_with(&mut self, behind: &str) -> UssdReply {
        self.try_dial_with(behind).await.expect("an answer")
    }

    /// Dials where the server may go away.
    pub async fn try_dial_with(&mut self, behind: &str) -> Result<UssdReply, NoReply> {
        static DIALOGS: AtomicU64 = AtomicU64::new(0);
        let number = DIALOGS.fetch_add(1, Ordering::Relaxed);
        self.session = format!("ATUid_{}_{number}", std::process::id());
        behind.clone_into(&mut self.text);
        self.next().await
    }

    /// Types a line.
    pub async fn say(&mut self, line: &str) -> UssdReply {
        self.try_say(line).await.expect("an answer")
    }

    /// Types a line where the server may go away.
    pub async fn try_say(&mut self, line: &str) -> Result<UssdReply, NoReply> {
        if !self.text.is_empty() {
            self.text.push('*');
        }
        self.text.push_str(line);
        self.next().await
    }

    /// Types several lines and returns the last answer; all before it must go on.
    pub async fn say_all(&mut self, lines: &[&str]) -> UssdReply {
        let (last, before) = lines.split_last().expect("something to say");
        for line in before {
            self.say(line).await.asks("");
        }
        self.say(last).await
    }

    /// Types a line again and again until the screen says so.
    pub async fn until(&mut self, line: &str, text: &str) -> UssdReply {
        let began = Stopwatch::start();
        loop {
            let reply = self.say(line).await;
            if reply.text.contains(text) {
                return reply;
            }
            assert!(!reply.end, "wanted {text:?}, but it ended: {reply:?}");
            assert!(began.fair() < Duration::from_mins(1), "never {text:?}: {reply:?}");
        }
    }

    /// Types a line and does not wait for an answer, which need not come.
    pub async fn say_into_the_void(&mut self, line: &str) {
        self.text = format!("{}*{line}", self.text);
        let body = self.form(&self.text);
        let server = self.line.servers.read().await[0].clone();
        // Whether anything came is of no interest.
        let _ = self.line.client.post(server).body(body).send().await;
    }

    /// Sends the turn that was sent last to the next server.
    async fn next(&mut self) -> Result<UssdReply, NoReply> {
        let server = self.turn;
        self.turn += 1;
        let reply = self.try_send(server, self.form(&self.text)).await?;
        if self.twice {
            let again = self.send(self.turn, &self.text).await;
            assert_eq!(again, reply, "a repeat got another answer");
        }
        Ok(reply)
    }

    /// The same turn once more, to the next server.
    pub async fn again(&mut self) -> UssdReply {
        self.try_again().await.expect("an answer")
    }

    /// The same where the server may go away.
    pub async fn try_again(&mut self) -> Result<UssdReply, NoReply> {
        self.next().await
    }

    /// Sends any text in this dialog to one of the servers, counted round and round.
    pub async fn send(&self, server: usize, text: &str) -> UssdReply {
        self.send_body(server, self.form(text)).await
    }

    /// The form of a callback with this text.
    pub fn form(&self, text: &str) -> String {
        form(&[
            ("sessionId", &self.session),
            ("phoneNumber", &self.number),
            ("networkCode", &self.network),
            ("serviceCode", "*384*96#"),
            ("text", text),
        ])
    }

    /// Sends any body at all, as a form.
    pub async fn send_body(&self, server: usize, body: impl Into<Vec<u8>>) -> UssdReply {
        self.try_send(server, body).await.expect("an answer")
    }

    async fn try_send(&self, server: usize, body: impl Into<Vec<u8>>) -> Result<UssdReply, NoReply> {
        let servers = self.line.servers.read().await;
        let began = Stopwatch::start();
        let call = self.line.client.post(&servers[server % servers.len()]);
        let call = call.body(body.into());
        let answer = call
            .header("content-type", "application/x-www-form-urlencoded")
            // A connection a turn: a server that is killed in a test takes no pooled one with it.
            .header("connection", "close")
            .send()
            .await?;
        assert_eq!(answer.status(), 200);
        let body = answer.bytes().await?;
        let took = began.fair();
        let body = std::str::from_utf8(&body).expect("text");
        assert!(took < self.line.latest, "it took {took:?}: {body}");
        let septets = gsm7::septets(body);
        assert!(
            septets.is_some_and(|septets| septets <= SEPTETS),
            "{septets:?} septets: {body}"
        );
        let (end, text) = match (body.strip_prefix("CON "), body.strip_prefix("END ")) {
            (Some(text), _) => (false, text),
            (_, Some(text)) => (true, text),
            _ => panic!("neither CON nor END: {body}"),
        };
        assert!(!text.trim().is_empty(), "an empty screen");
        self.line.answers.fetch_add(1, Ordering::Relaxed);
        Ok(UssdReply {
            end,
            text: text.to_owned(),
            took: ReplyTime(took),
        })
    }

    /// Hangs up: the aggregator tells the next server that the dialog is over.
    pub async fn hang_up(&mut self) {
        self.over("Incomplete").await;
    }

    /// The aggregator tells the next server that the dialog is over, and how it ended.
    pub async fn over(&mut self, status: &str) {
        let servers = self.line.servers.read().await.clone();
        let body = form(&[
            ("sessionId", &self.session),
            ("phoneNumber", &self.number),
            ("status", status),
            ("input", &self.text),
        ]);
        let call = self
            .line
            .client
            .post(format!("{}/events", servers[self.turn % servers.len()]));
        let answer = call.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
}

/// A form of these fields.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

/// A value as it stands in a form.
fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
