//! The aggregator's side of a dialog, as Africa's Talking has it, which holds every answer to what an answer must be.
//!
//! A phone keeps the text that its aggregator sends, all lines so far joined by `*`, and sends each turn to the next of
//! its servers. What a network does to callbacks is done by hand here: [`Phone::again`] repeats one, [`Phone::send`]
//! delivers any text at all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kiungo::core::gsm7;

/// What is left of a gateway's patience must be enough for the way back.
const LATEST: Duration = Duration::from_millis(4_600);

/// Septets of one answer with its prefix.
const SEPTETS: usize = 160;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Whether it ends the dialog.
    pub end: bool,
    /// What it says.
    pub text: String,
    /// How long it took; no part of what is compared.
    pub took: Took,
}

/// A duration that does not make answers different.
#[derive(Clone, Copy, Debug)]
pub struct Took(pub Duration);

impl PartialEq for Took {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Took {}

impl Reply {
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

/// The callback URLs that turns go to, which a balancer may change between two turns.
#[derive(Clone)]
pub struct Servers(Arc<Mutex<Vec<String>>>);

impl Servers {
    /// These.
    pub fn new(urls: Vec<String>) -> Self {
        Self(Arc::new(Mutex::new(urls)))
    }

    /// From now on these.
    pub fn set(&self, urls: Vec<String>) {
        *self.0.lock().unwrap() = urls;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The one whose turn it is.
    fn nth(&self, turn: usize) -> String {
        let urls = self.0.lock().unwrap();
        urls[turn % urls.len()].clone()
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
    servers: Servers,
    /// Whether every callback comes twice, to two servers where there are two, with the same answer.
    pub twice: bool,
    turn: usize,
    client: reqwest::Client,
}

impl Phone {
    /// A phone that has not dialled.
    pub fn new(number: &str, servers: Vec<String>, client: reqwest::Client) -> Self {
        Self::through(number, Servers::new(servers), client)
    }

    /// A phone that has not dialled, whose turns go wherever these say at the moment.
    pub fn through(number: &str, servers: Servers, client: reqwest::Client) -> Self {
        Self {
            number: number.to_owned(),
            network: "62130".to_owned(),
            session: String::new(),
            text: String::new(),
            servers,
            twice: false,
            turn: 0,
            client,
        }
    }

    /// Dials the code itself.
    pub async fn dial(&mut self) -> Reply {
        self.dial_with("").await
    }

    /// Dials the code with more behind it, which the aggregator sends as the first text.
    pub async fn dial_with(&mut self, behind: &str) -> Reply {
        static DIALOGS: AtomicU64 = AtomicU64::new(0);
        let number = DIALOGS.fetch_add(1, Ordering::Relaxed);
        self.session = format!("ATUid_{}_{number}", std::process::id());
        behind.clone_into(&mut self.text);
        self.next().await
    }

    /// Types a line.
    pub async fn say(&mut self, line: &str) -> Reply {
        if !self.text.is_empty() {
            self.text.push('*');
        }
        self.text.push_str(line);
        self.next().await
    }

    /// Types several lines and returns the last answer; all before it must go on.
    pub async fn say_all(&mut self, lines: &[&str]) -> Reply {
        let (last, before) = lines.split_last().expect("something to say");
        for line in before {
            self.say(line).await.asks("");
        }
        self.say(last).await
    }

    /// Types a line again and again until the screen says so.
    pub async fn until(&mut self, line: &str, text: &str) -> Reply {
        let began = Instant::now();
        loop {
            let reply = self.say(line).await;
            if reply.text.contains(text) {
                return reply;
            }
            assert!(!reply.end, "wanted {text:?}, but it ended: {reply:?}");
            assert!(began.elapsed() < Duration::from_mins(1), "never {text:?}: {reply:?}");
        }
    }

    /// Types a line and does not wait for an answer, which need not come.
    pub async fn say_into_the_void(&mut self, line: &str) {
        self.text = format!("{}*{line}", self.text);
        let body = self.form(&self.text);
        // Whether anything came is of no interest.
        let _ = self.client.post(self.servers.nth(0)).body(body).send().await;
    }

    /// Sends the turn that was sent last to the next server.
    async fn next(&mut self) -> Reply {
        let server = self.turn;
        self.turn += 1;
        let reply = self.send(server, &self.text).await;
        if self.twice {
            let again = self.send(self.turn, &self.text).await;
            assert_eq!(again, reply, "a repeat got another answer");
        }
        reply
    }

    /// The same turn once more, to the next server.
    pub async fn again(&mut self) -> Reply {
        self.next().await
    }

    /// Sends any text in this dialog to one of the servers.
    pub async fn send(&self, server: usize, text: &str) -> Reply {
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
    pub async fn send_body(&self, server: usize, body: impl Into<Vec<u8>>) -> Reply {
        let began = Instant::now();
        let call = self.client.post(self.servers.nth(server)).body(body.into());
        let answer = call
            .header("content-type", "application/x-www-form-urlencoded")
            // A connection a turn: a server that is killed in a test takes no pooled one with it.
            .header("connection", "close")
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        let body = answer.bytes().await.expect("a whole answer");
        let took = began.elapsed();
        let body = std::str::from_utf8(&body).expect("text");
        assert!(took < LATEST, "it took {took:?}: {body}");
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
        Reply {
            end,
            text: text.to_owned(),
            took: Took(took),
        }
    }

    /// Hangs up: the aggregator tells the next server that the dialog is over.
    pub async fn hang_up(&mut self) {
        let server = self.servers.nth(self.turn);
        let body = form(&[
            ("sessionId", &self.session),
            ("phoneNumber", &self.number),
            ("status", "Incomplete"),
            ("input", &self.text),
        ]);
        let call = self.client.post(format!("{server}/events"));
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
