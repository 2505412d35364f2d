//! What the stand-in remembers: sessions, codes, accounts, the switches and the ledger, all behind one lock.
//!
//! Every call is carried out in one step under the lock, after its latency has passed, so what the ledger says happened
//! in some order. Nothing survives the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use crate::core::time::{Clock, Entropy, Timestamp};

use super::answer::{Answer, failed};
use super::institutions::{BANKS, Bank, Method, Pace};
use super::judge::Progress;
use super::ledger::{Dialect, Ledger, Outcome, Submit};
use super::people::BankAccount;
use super::switches::{Call, DataStatus, Switches, Trouble, WebhookMode};
use super::webhooks::Plan;

/// One call as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub call: Call,
    pub dialect: Dialect,
    pub key: Option<String>,
    pub session: Option<String>,
    pub target: Option<String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Its place among the submissions, if it is one.
    pub no: Option<u64>,
}

impl Request {
    /// A text under a key of the body.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    pub fn filter(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// What will become of a call, known as soon as it has arrived.
#[derive(Debug)]
pub(super) struct Outlook {
    pub latency: Duration,
    pub trouble: Option<Trouble>,
    pub processed: bool,
    /// The seconds that a 429 carries.
    pub retry_after: Option<u64>,
    /// Whose key it carries; an answer at once where it carries none that is good.
    pub owner: Result<usize, Answer>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub owner: usize,
    pub bank: &'static Bank,
    pub method: &'static Method,
    pub customer: String,
    pub expires_at: Timestamp,
    /// The account it renews, if it does not link one.
    pub reauth_of: Option<String>,
    pub stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing but logins so far, none of which got anywhere.
    Login,
    /// The bank wants more.
    Answering {
        progress: Progress,
        handed: Vec<&'static str>,
        wrong: u32,
    },
    /// Granted, or ended by too many wrong codes.
    Over,
}

#[derive(Debug)]
pub(super) struct Account {
    pub owner: usize,
    pub id: String,
    pub session: String,
    pub customer: String,
    pub bank: &'static Bank,
    pub method: &'static Method,
    pub at_bank: BankAccount,
    pub linked_at: Timestamp,
    pub ready_at: Timestamp,
    pub exchanged: bool,
    pub unlinked: bool,
    pub webhooks: Option<WebhookMode>,
    pub data: Option<DataStatus>,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub switches: Switches,
    pub sessions: HashMap<String, Session>,
    /// Sessions that renew an account, by the session the account was linked in.
    pub renewals: HashMap<String, String>,
    /// The place of each code among the ledger's grants, and whose it is.
    pub codes: HashMap<String, (usize, usize)>,
    pub accounts: Vec<Account>,
    pub ledger: Ledger,
}

impl Inner {
    /// The account with this id, if the owner made it and it is not unlinked.
    pub fn account(&self, owner: usize, id: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked)
    }
}

/// The stand-in's memory and controls. Shared by its server and by whoever started it.
pub struct State {
    inner: Mutex<Inner>,
    keys: Vec<String>,
    pub(super) app: String,
    pub(super) webhook_secret: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(super) outbox: UnboundedSender<Plan>,
}

/// What a [`State`] is made from.
pub(super) struct Parts {
    pub switches: Switches,
    pub keys: Vec<String>,
    pub app: String,
    pub webhook_secret: String,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub outbox: UnboundedSender<Plan>,
}

impl State {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts {
            switches,
            keys,
            app,
            webhook_secret,
            clock,
            entropy,
            outbox,
        } = parts;
        let inner = Mutex::new(Inner {
            switches,
            ..Inner::default()
        });
        Self {
            inner,
            keys,
            app,
            webhook_secret,
            clock,
            entropy,
            outbox,
        }
    }

    /// Throws all switches at once.
    pub fn set(&self, switches: Switches) {
        self.lock().switches = switches;
    }

    /// Sends webhooks to this address from now on.
    pub fn send_webhooks_to(&self, url: &str) {
        self.lock().switches.webhook_url = Some(url.to_owned());
    }

    /// The switches as they stand.
    pub fn switches(&self) -> Switches {
        self.lock().switches.clone()
    }

    /// What happened so far.
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `length` characters drawn from `alphabet`.
    pub(super) fn draw(&self, alphabet: &[u8], length: usize) -> String {
        let mut bytes = vec![0; length];
        self.entropy.fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }

    pub(super) fn draw_id(&self) -> String {
        self.draw(b"0123456789abcdef", 24)
    }

    /// Writes an arrival into the ledger; a submission gets a number.
    pub(super) fn arrive(&self, request: &Request) -> Option<u64> {
        let mut inner = self.lock();
        *inner.ledger.calls.entry(request.call).or_default() += 1;
        if !request.call.is_submit() {
            return None;
        }
        let no = inner.ledger.submits.len() as u64 + 1;
        let institution = request.session.as_ref().and_then(|id| inner.sessions.get(id));
        let submit = Submit {
            no,
            at: self.now().as_millis(),
            call: request.call,
            dialect: request.dialect,
            session: request.session.clone(),
            institution: institution.map(|session| session.bank.id.to_owned()),
            username: None,
            secret_sha256: None,
            whole_body: false,
            outcome: None,
            trouble: None,
        };
        inner.ledger.submits.push(submit);
        Some(no)
    }

    /// What will become of a call whose whole body has been read.
    pub(super) fn outlook(&self, request: &Request) -> Outlook {
        let mut inner = self.lock();
        let owner = self.owner(&inner, request);
        let fault = take_fault(&mut inner.switches, request.call);
        let own = owner
            .as_ref()
            .ok()
            .and_then(|owner| self.trouble_ahead(&inner, *owner, request));
        let there = bank_of(&inner, request).and_then(|bank| {
            let troubles = &inner.switches.troubles;
            troubles.get(bank.id).or_else(|| troubles.get(bank.name)).copied()
        });
        let trouble = fault.map(|fault| fault.trouble).or(there).or(own);
        let processed = fault
            .and_then(|fault| fault.processed)
            .or(trouble.map(Trouble::processed))
            .unwrap_or(true);
        let pace = request
            .session
            .as_ref()
            .and_then(|id| inner.sessions.get(id))
            .map_or(Pace::Usual, |s| s.bank.pace);
        let latency = inner.switches.latency.of(request.call, pace).draw(&*self.entropy);
        self.note_submission(&mut inner, request);
        if let Some(submit) = inner.ledger.submit_mut(request.no) {
            submit.whole_body = true;
            submit.trouble = trouble;
        }
        Outlook {
            latency,
            trouble,
            processed,
            retry_after: inner.switches.retry_after_s,
            owner,
        }
    }

    fn owner(&self, inner: &Inner, request: &Request) -> Result<usize, Answer> {
        let known = match &request.key {
            Some(key) => self.keys.iter().position(|known| known == key),
            None => (request.call == Call::Institutions && request.dialect == Dialect::V1).then_some(0),
        };
        match known {
            Some(owner) if !inner.switches.addon_missing => Ok(owner),
            Some(_) => Err(Answer::Json(
                401,
                failed("You must be subscribed to the Partners API addon"),
            )),
            None => Err(bare(&inner.switches, 401, "Unauthorized")),
        }
    }

    /// Writes down that a submission was turned away before anything was done.
    pub(super) fn turned_away(&self, no: Option<u64>) {
        if let Some(submit) = self.lock().ledger.submit_mut(no) {
            submit.outcome = Some(Outcome::TurnedAway);
        }
    }

    /// Carries a call out.
    pub(super) fn carry_out(&self, owner: usize, request: &Request) -> Answer {
        let mut inner = self.lock();
        match request.call {
            Call::Institutions => self.institutions(request),
            Call::Session => self.open(&mut inner, owner, request),
            Call::Sandbox => self.credentials(&inner, owner, request),
            Call::Login | Call::Commit | Call::ReauthLogin => self.submit(&mut inner, owner, request),
            Call::Exchange => self.exchange(&mut inner, owner, request),
            Call::Accounts => self.accounts(&inner, owner),
            Call::Account => self.account(&inner, owner, request),
            Call::Unlink => self.unlink(&mut inner, owner, request),
            Call::ReauthSession => self.reauth_session(&mut inner, owner, request),
            Call::ReauthToken => self.reauth_token(&inner, owner, request),
        }
    }
}

/// A 401 or 404, with or without a body.
pub(super) fn bare(switches: &Switches, status: u16, message: &str) -> Answer {
    if switches.empty_error_bodies {
        Answer::Empty(status)
    } else {
        Answer::Json(status, failed(message))
    }
}

/// The institution that a session is opened for, or belongs to.
fn bank_of(inner: &Inner, request: &Request) -> Option<&'static Bank> {
    match (&request.session, request.call) {
        (Some(id), _) => inner.sessions.get(id).map(|session| session.bank),
        (None, Call::Session) => {
            let id = request.text("institution")?;
            BANKS.iter().find(|bank| bank.id == id)
        }
        _ => None,
    }
}

fn take_fault(switches: &mut Switches, call: Call) -> Option<super::switches::Fault> {
    let place = switches
        .faults
        .iter()
        .position(|fault| fault.on == call && fault.times != Some(0))?;
    let fault = &mut switches.faults[place];
    let taken = *fault;
    fault.times = fault.times.map(|times| times.saturating_sub(1));
    if fault.times == Some(0) {
        switches.faults.remove(place);
    }
    Some(taken)
}
