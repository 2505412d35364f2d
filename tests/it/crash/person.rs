//! A person who wants one bank account linked, and does what the screens say until they are told how it went.

use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::{Keyring, SubscriberTag};
use kiungo::sandbox::bank::{OTP, sha256_hex};
use kiungo::sandbox::mono::CallLog;

use super::reader::{BANK, Reader, SeenScreen, Story};
use super::rules::{Claim, Typed};
use crate::support::aggregator::{AggregatorClient, NoReply};

/// How often somebody types a password before giving up.
const PATIENCE: usize = 3;

/// Bytes of a password.
pub const PASSWORD: usize = 35;

/// What a person knows after the last screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FinalResult {
    /// Nothing yet: the server went away.
    #[default]
    Nothing,
    /// An account is linked.
    Linked,
    /// It is still being found out, and there was nothing to find.
    Confirming,
    /// To wait before another login, which says nothing about the ones before: the next dial does.
    ToWait,
    /// That nothing was linked.
    NotLinked,
}

/// How the bank takes somebody's logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Login {
    /// At once.
    Granted,
    /// Never.
    Refused,
    /// With a one-time code, which is right.
    Code,
    /// With a one-time code, which is always wrong.
    WrongCode,
    /// With several accounts to choose from.
    Choice,
}

impl Login {
    /// The word that the stand-in knows it by.
    fn word(self) -> &'static str {
        match self {
            Self::Granted => "",
            Self::Refused => "wrong@",
            Self::Code | Self::WrongCode => "otp@",
            Self::Choice => "many@",
        }
    }
}

/// Somebody.
pub struct Person {
    /// The number, in E.164.
    pub number: String,
    /// The name under which the bank knows this person, and nobody else.
    pub username: String,
    pub login: Login,
    /// What was typed that is sent to a bank.
    pub typed: Typed,
    /// What screens said to them.
    pub claims: Vec<Claim>,
    /// Begins again at the first sign of doubt, whatever the screen asks.
    pub hasty: bool,
    /// What this person knows.
    pub result: FinalResult,
    /// How many redials it took.
    pub redials: usize,
    /// All that happened, to be read when something is wrong.
    pub story: Story,
    looked: bool,
    /// Whether a screen has told what became of the last password.
    told: bool,
}

impl Person {
    /// The person with this number among all of a test.
    pub fn new(n: usize, hasty: bool) -> Self {
        Self {
            hasty,
            ..Self::who_logs_in(n, Login::Granted)
        }
    }

    /// One whose logins are taken so.
    pub fn who_logs_in(n: usize, login: Login) -> Self {
        let name = &sha256_hex(&format!("person {n}"))[..12];
        Self {
            number: format!("+234803{:07}", 1_000_000 + n),
            username: format!("{}kg{n}q{name}", login.word()),
            login,
            typed: Typed::default(),
            claims: Vec::new(),
            hasty: false,
            result: FinalResult::Nothing,
            redials: 0,
            story: Story::default(),
            looked: false,
            told: true,
        }
    }

    /// The tag under which the records know this person.
    pub fn tag(&self, keyring: &Keyring) -> SubscriberTag {
        keyring.tag(&Msisdn::parse(&self.number, "NG").unwrap())
    }

    /// A new phone in this person's hand.
    pub fn phone(&self, line: &AggregatorClient) -> Reader {
        Reader::new(line, &self.number).telling(&self.story)
    }

    /// A password nobody has typed before.
    pub fn password(&mut self) -> String {
        let digest = sha256_hex(&format!("{} {}", self.username, self.typed.passwords.len()));
        let password = format!("Zq7{}", &digest[..32]);
        self.typed.passwords.push(password.clone());
        self.told = false;
        password
    }

    /// The right code; a wrong one is one that nobody has typed before.
    fn code(&mut self) -> String {
        let digest = sha256_hex(&format!("{} code {}", self.username, self.typed.codes.len()));
        let digits: String = digest.chars().filter(char::is_ascii_digit).take(7).collect();
        let code = match self.login {
            Login::WrongCode => format!("9{digits:0>7}"),
            _ => OTP.to_owned(),
        };
        self.typed.codes.push(code.clone());
        code
    }

    /// Dials and goes as far as the question for the password; dials again when the server is busy.
    pub async fn comes_to_the_password(&mut self, line: &AggregatorClient) -> Reader {
        let mut phone = self.phone(line);
        let mut seen = phone.dial().await.expect("the node is well");
        while seen != SeenScreen::Password {
            if phone.over() {
                phone = self.phone(line);
                seen = phone.dial().await.expect("the node is well");
                continue;
            }
            let typed = self.next(&seen, None).expect("on the way");
            seen = phone.line(&typed).await.expect("the node is well");
        }
        phone
    }

    /// Types the password and goes on until told, or until the server is gone.
    pub async fn goes_to_the_end(
        &mut self,
        phone: &mut Reader,
        call_log: &(impl Fn() -> CallLog + Sync),
    ) -> Result<(), NoReply> {
        let password = self.password();
        let seen = phone.line(&password).await?;
        self.follow(phone, seen, call_log).await
    }

    /// The dialog goes on at a node that knows only what was written down: with the last callback once more, with a 1, or
    /// not at all, each for every third of all people.
    pub async fn goes_on(&mut self, n: usize, phone: &mut Reader, call_log: &(impl Fn() -> CallLog + Sync)) {
        let seen = match n % 3 {
            0 => phone.again().await,
            1 => phone.line("1").await,
            _ => return,
        };
        let seen = seen.expect("the node is well");
        if self.result == FinalResult::Nothing {
            self.follow(phone, seen, call_log).await.expect("the node is well");
        } else {
            self.reads(&seen, &phone.last_text());
        }
    }

    /// Dials again, as often as it takes to be told.
    pub async fn redial(
        &mut self,
        line: &AggregatorClient,
        call_log: &(impl Fn() -> CallLog + Sync),
    ) -> Result<(), NoReply> {
        self.dials(line, call_log, async || ()).await
    }

    /// Dials as often as it takes to be told, each time when the servers are said to be well.
    pub async fn dials(
        &mut self,
        line: &AggregatorClient,
        call_log: &(impl Fn() -> CallLog + Sync),
        well: impl AsyncFn(),
    ) -> Result<(), NoReply> {
        while self.result == FinalResult::Nothing {
            self.redials += 1;
            assert!(self.redials < 60, "{} dials for ever:\n{}", self.username, self.story);
            well().await;
            let mut phone = self.phone(line);
            let seen = phone.dial().await?;
            self.follow(&mut phone, seen, call_log).await?;
        }
        Ok(())
    }

    /// Does what the screens say until told, or until the dialog is over.
    pub async fn follow(
        &mut self,
        phone: &mut Reader,
        mut seen: SeenScreen,
        call_log: &impl Fn() -> CallLog,
    ) -> Result<(), NoReply> {
        loop {
            self.reads(&seen, &phone.last_text());
            if phone.over() || self.result != FinalResult::Nothing {
                return Ok(());
            }
            let known = (seen == SeenScreen::Confirming).then(call_log);
            let Some(typed) = self.next(&seen, known.as_ref()) else {
                return Ok(());
            };
            seen = phone.line(&typed).await?;
        }
    }

    /// Takes in what a screen says.
    pub fn reads(&mut self, seen: &SeenScreen, text: &str) {
        match seen {
            SeenScreen::Linked => {
                self.result = FinalResult::Linked;
                self.claims.push(Claim::Linked);
            }
            SeenScreen::Refused => self.claims.push(Claim::Refused),
            _ => {}
        }
        let not_sent = ["Nothing you typed was sent.", "It was not sent"]
            .iter()
            .any(|words| text.contains(words));
        if not_sent && !self.told {
            self.claims
                .extend(self.typed.passwords.last().cloned().map(Claim::NotSent));
        }
        self.told |= not_sent
            || matches!(
                seen,
                SeenScreen::Linked
                    | SeenScreen::Refused
                    | SeenScreen::Unconfirmed
                    | SeenScreen::Code
                    | SeenScreen::Accounts
            );
    }

    /// What was typed comes to the product once more, of itself. That nothing was sent held until now, if nothing was: it
    /// promises nothing about what comes.
    pub fn is_repeated(&mut self, call_log: &CallLog) {
        self.claims.retain(|claim| match claim {
            Claim::NotSent(password) => was_sent(call_log, password),
            Claim::Refused | Claim::Linked => true,
        });
    }

    /// What to type at a screen; nothing when this is the end, and what it told is then known.
    pub fn next(&mut self, seen: &SeenScreen, call_log: Option<&CallLog>) -> Option<String> {
        let weary = self.typed.passwords.len() >= PATIENCE;
        let line = match seen {
            SeenScreen::Welcome if !self.typed.passwords.is_empty() && !self.looked => "2",
            SeenScreen::Links => {
                self.result = FinalResult::Linked;
                return None;
            }
            SeenScreen::NoLinks => {
                self.looked = true;
                "1"
            }
            SeenScreen::NothingLinked => {
                self.looked |= !self.typed.passwords.is_empty();
                "1"
            }
            SeenScreen::Limited => return self.ends(FinalResult::ToWait),
            SeenScreen::Unconfirmed | SeenScreen::Refused | SeenScreen::Unavailable if weary => {
                return self.ends(FinalResult::NotLinked);
            }
            SeenScreen::Confirming if self.hasty && !weary => "2",
            // Only a tester can know that there is nothing to wait for.
            SeenScreen::Confirming if call_log.is_some_and(|call_log| !self.may_be_linked(call_log)) => {
                return self.ends(FinalResult::Confirming);
            }
            SeenScreen::Welcome
            | SeenScreen::Found
            | SeenScreen::Checking
            | SeenScreen::Confirming
            | SeenScreen::Unconfirmed
            | SeenScreen::Refused
            | SeenScreen::Unavailable
            | SeenScreen::Resume => "1",
            SeenScreen::Accounts => {
                self.typed.choices += 1;
                "1"
            }
            SeenScreen::Banks => BANK,
            SeenScreen::Username => return Some(self.username.clone()),
            SeenScreen::Password => return Some(self.password()),
            SeenScreen::Code => return Some(self.code()),
            other => panic!("{} does not want {other:?}:\n{}", self.username, self.story),
        };
        Some(line.to_owned())
    }

    fn ends(&mut self, result: FinalResult) -> Option<String> {
        self.result = result;
        None
    }

    /// Whether the bank has, or may soon have, linked something for this person.
    fn may_be_linked(&self, call_log: &CallLog) -> bool {
        let mine = call_log
            .submits
            .iter()
            .filter(|submit| submit.username.as_ref() == Some(&self.username));
        let sessions: Vec<_> = mine.clone().filter_map(|submit| submit.session.as_ref()).collect();
        mine.clone().any(|submit| submit.outcome.is_none())
            || call_log
                .accounts
                .iter()
                .any(|account| account.unlinked_at.is_none() && sessions.contains(&&account.session))
    }

    /// Dials, and hears at once of a link or does not; again while the server is busy.
    pub async fn hears(&mut self, line: &AggregatorClient) -> Result<bool, NoReply> {
        for _ in 0..20 {
            let mut phone = self.phone(line);
            let mut seen = phone.dial().await?;
            while !phone.over() && seen == SeenScreen::Checking {
                seen = phone.line("1").await?;
            }
            if seen != SeenScreen::Over {
                return Ok(seen == SeenScreen::Linked);
            }
        }
        Ok(false)
    }

    /// Dials only to see what is said about the account, and types nothing secret; again while the server is busy.
    pub async fn looks(&self, line: &AggregatorClient) -> Result<FinalResult, NoReply> {
        for _ in 0..20 {
            let mut phone = self.phone(line);
            let mut seen = phone.dial().await?;
            while !phone.over() && matches!(seen, SeenScreen::Welcome | SeenScreen::Checking) {
                seen = phone.line(if seen == SeenScreen::Welcome { "2" } else { "1" }).await?;
            }
            return Ok(match seen {
                SeenScreen::Linked | SeenScreen::Links => FinalResult::Linked,
                SeenScreen::Confirming => FinalResult::Confirming,
                SeenScreen::Over => continue,
                _ => FinalResult::NotLinked,
            });
        }
        Ok(FinalResult::Nothing)
    }
}

/// Whether a bank has been sent this.
fn was_sent(call_log: &CallLog, typed: &str) -> bool {
    let digest = sha256_hex(typed);
    call_log
        .submits
        .iter()
        .any(|submit| submit.secret_sha256.as_ref() == Some(&digest))
}
