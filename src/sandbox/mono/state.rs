//! What the stand-in remembers: sessions, codes, accounts, the switches and the ledger, all behind one lock.
//!
//! Every call is carried out in one step under the lock, after its latency has passed, so what the ledger says happened
//! in some order. Nothing survives the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use crate::core::time::{Clock, Rng, Timestamp};

use super::answer::{MonoResponse, failed};
use super::call_log::{CallLog, MonoVersion, SubmitEntry, SubmitOutcome};
use super::institutions::{BankSpeed, INSTITUTIONS, LoginMethod, StandInInstitution};
use super::login_rules::LoginProgress;
use super::people::BankAccount;
use super::switches::{DataStatus, MonoCall, MonoFailure, MonoSwitches, WebhookMode};
use super::webhooks::WebhookBatch;

/// One call as it arrived.
#[derive(Clone, Debug)]
pub(super) struct MonoRequest {
    pub call: MonoCall,
    pub dialect: MonoVersion,
    pub key: Option<String>,
    pub session: Option<String>,
    pub target: Option<String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Its place among the submissions, if it is one.
    pub no: Option<u64>,
}

impl MonoRequest {
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
pub(super) struct CallPlan {
    pub latency: Duration,
    pub trouble: Option<MonoFailure>,
    pub processed: bool,
    /// The seconds that a 429 carries.
    pub retry_after: Option<u64>,
    /// Whose key it carries; an answer at once where it carries none that is good.
    pub owner: Result<usize, MonoResponse>,
}

#[derive(Debug)]
pub(super) struct StandInSession {
    pub owner: usize,
    pub bank: &'static StandInInstitution,
    pub method: &'static LoginMethod,
    pub customer: String,
    pub expires_at: Timestamp,
    /// The account it renews, if it does not link one.
    pub reauth_of: Option<String>,
    pub stage: SessionStage,
}

#[derive(Debug)]
pub(super) enum SessionStage {
    /// Nothing but logins so far, none of which got anywhere.
    Login,
    /// The bank wants more.
    Answering {
        progress: LoginProgress,
        handed: Vec<&'static str>,
        wrong: u32,
    },
    /// Granted, or ended by too many wrong codes.
    Over,
}

#[derive(Debug)]
pub(super) struct StandInAccount {
    pub owner: usize,
    pub id: String,
    pub session: String,
    pub customer: String,
    pub bank: &'static StandInInstitution,
    pub method: &'static LoginMethod,
    pub at_bank: BankAccount,
    pub linked_at: Timestamp,
    pub ready_at: Timestamp,
    pub exchanged: bool,
    pub unlinked: bool,
    pub webhooks: Option<WebhookMode>,
    pub data: Option<DataStatus>,
}

#[derive(Debug, Default)]
pub(super) struct MonoInner {
    pub switches: MonoSwitches,
    pub sessions: HashMap<String, StandInSession>,
    /// Sessions that renew an account, by the session the account was linked in.
    pub renewals: HashMap<String, String>,
    /// The place of each code among the ledger's grants, and whose it is.
    pub codes: HashMap<String, (usize, usize)>,
    pub accounts: Vec<StandInAccount>,
    pub call_log: CallLog,
}

impl MonoInner {
    /// The account with this id, if the owner made it and it is not unlinked.
    pub fn account(&self, owner: usize, id: &str) -> Option<&StandInAccount> {
        self.accounts
            .iter()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked)
    }
}

/// The stand-in's memory and controls. Shared by its server and by whoever started it.
pub struct MonoState {
    inner: Mutex<MonoInner>,
    keys: Vec<String>,
    pub(super) app: String,
    pub(super) webhook_secret: String,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    pub(super) outbox: UnboundedSender<WebhookBatch>,
}

/// What a [`State`] is made from.
pub(super) struct Parts {
    pub switches: MonoSwitches,
    pub keys: Vec<String>,
    pub app: String,
    pub webhook_secret: String,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Rng>,
    pub outbox: UnboundedSender<WebhookBatch>,
}

impl MonoState {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts {
            switches,
            keys,
            app,
            webhook_secret,
            clock,
            entropy: rng,
            outbox,
        } = parts;
        let inner = Mutex::new(MonoInner {
            switches,
            ..MonoInner::default()
        });
        Self {
            inner,
            keys,
            app,
            webhook_secret,
            clock,
            rng,
            outbox,
        }
    }

    /// Throws all switches at once.
    pub fn set_switches(&self, switches: MonoSwitches) {
        self.lock().switches = switches;
    }

    /// Sends webhooks to this address from now on.
    pub fn send_webhooks_to(&self, url: &str) {
        self.lock().switches.webhook_url = Some(url.to_owned());
    }

    /// The switches as they stand.
    pub fn switches(&self) -> MonoSwitches {
        self.lock().switches.clone()
    }

    /// What happened so far.
    pub fn call_log(&self) -> CallLog {
        self.lock().call_log.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, MonoInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `length` characters drawn from `alphabet`.
    pub(super) fn generate(&self, alphabet: &[u8], length: usize) -> String {
        let mut bytes = vec![0; length];
        self.rng.fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }

    pub(super) fn generate_id(&self) -> String {
        self.generate(b"0123456789abcdef", 24)
    }

    /// Writes an arrival into the ledger; a submission gets a number.
    pub(super) fn log_arrival(&self, request: &MonoRequest) -> Option<u64> {
        let mut inner = self.lock();
        *inner.call_log.calls.entry(request.call).or_default() += 1;
        if !request.call.is_submit() {
            return None;
        }
        let no = inner.call_log.submits.len() as u64 + 1;
        let institution = request.session.as_ref().and_then(|id| inner.sessions.get(id));
        let submit = SubmitEntry {
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
        inner.call_log.submits.push(submit);
        Some(no)
    }

    /// What will become of a call whose whole body has been read.
    pub(super) fn plan_call(&self, request: &MonoRequest) -> CallPlan {
        let mut inner = self.lock();
        let owner = self.owner(&inner, request);
        let fault = take_fault(&mut inner.switches, request.call);
        let own = owner
            .as_ref()
            .ok()
            .and_then(|owner| self.expected_failure(&inner, *owner, request));
        let there = institution_of(&inner, request).and_then(|bank| {
            let troubles = &inner.switches.troubles;
            troubles.get(bank.id).or_else(|| troubles.get(bank.name)).copied()
        });
        let trouble = fault.map(|fault| fault.trouble).or(there).or(own);
        let processed = fault
            .and_then(|fault| fault.processed)
            .or(trouble.map(MonoFailure::processed))
            .unwrap_or(true);
        let pace = request
            .session
            .as_ref()
            .and_then(|id| inner.sessions.get(id))
            .map_or(BankSpeed::Usual, |s| s.bank.pace);
        let latency = inner.switches.latency.delay(request.call, pace).pick(&*self.rng);
        self.log_submission(&mut inner, request);
        if let Some(submit) = inner.call_log.submit_mut(request.no) {
            submit.whole_body = true;
            submit.trouble = trouble;
        }
        CallPlan {
            latency,
            trouble,
            processed,
            retry_after: inner.switches.retry_after_s,
            owner,
        }
    }

    fn owner(&self, inner: &MonoInner, request: &MonoRequest) -> Result<usize, MonoResponse> {
        let known = match &request.key {
            Some(key) => self.keys.iter().position(|known| known == key),
            None => (request.call == MonoCall::Institutions && request.dialect == MonoVersion::V1).then_some(0),
        };
        match known {
            Some(owner) if !inner.switches.addon_missing => Ok(owner),
            Some(_) => Err(MonoResponse::Json(
                401,
                failed("You must be subscribed to the Partners API addon"),
            )),
            None => Err(error_response(&inner.switches, 401, "Unauthorized")),
        }
    }

    /// Writes down that a submission was turned away before anything was done.
    pub(super) fn log_rejection(&self, no: Option<u64>) {
        if let Some(submit) = self.lock().call_log.submit_mut(no) {
            submit.outcome = Some(SubmitOutcome::TurnedAway);
        }
    }

    /// Carries a call out.
    pub(super) fn execute(&self, owner: usize, request: &MonoRequest) -> MonoResponse {
        let mut inner = self.lock();
        match request.call {
            MonoCall::Institutions => self.institutions(request),
            MonoCall::Session => self.open(&mut inner, owner, request),
            MonoCall::Sandbox => self.credentials(&inner, owner, request),
            MonoCall::Login | MonoCall::Commit | MonoCall::ReauthLogin => self.submit(&mut inner, owner, request),
            MonoCall::Exchange => self.exchange(&mut inner, owner, request),
            MonoCall::Accounts => self.accounts(&inner, owner),
            MonoCall::Account => self.account(&inner, owner, request),
            MonoCall::Unlink => self.unlink(&mut inner, owner, request),
            MonoCall::ReauthSession => self.reauth_session(&mut inner, owner, request),
            MonoCall::ReauthToken => self.reauth_token(&inner, owner, request),
        }
    }
}

/// A 401 or 404, with or without a body.
pub(super) fn error_response(switches: &MonoSwitches, status: u16, message: &str) -> MonoResponse {
    if switches.empty_error_bodies {
        MonoResponse::Empty(status)
    } else {
        MonoResponse::Json(status, failed(message))
    }
}

/// The institution that a session is opened for, or belongs to.
fn institution_of(inner: &MonoInner, request: &MonoRequest) -> Option<&'static StandInInstitution> {
    match (&request.session, request.call) {
        (Some(id), _) => inner.sessions.get(id).map(|session| session.bank),
        (None, MonoCall::Session) => {
            let id = request.text("institution")?;
            INSTITUTIONS.iter().find(|bank| bank.id == id)
        }
        _ => None,
    }
}

fn take_fault(switches: &mut MonoSwitches, call: MonoCall) -> Option<super::switches::FailureRule> {
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
