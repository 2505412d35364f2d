//! The memory of the stand-in: sessions, codes, accounts, the switches and the call log, all behind one lock.
//!
//! Every call is carried out in one step under the lock, after its latency, so the call log shows one order of events.
//! Nothing survives the process.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::sandbox::stand_in::StandInCore;

use super::answer::{MonoResponse, failed};
use super::call_log::{CallLog, MonoVersion, SubmitEntry, SubmitOutcome};
use super::customers::BankAccount;
use super::institutions::{BankSpeed, INSTITUTIONS, LoginMethod, StandInInstitution};
use super::login_rules::LoginProgress;
use super::scenario::find_scenario;
use super::switches::{DataStatus, MonoCall, MonoFailure, MonoSwitches, WebhookMode};
use super::webhooks::WebhookBatch;

#[derive(Clone, Debug)]
pub(super) struct MonoRequest {
    pub call: MonoCall,
    pub dialect: MonoVersion,
    pub key: Option<String>,
    pub session: Option<String>,
    pub target: Option<String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Its number among the submissions, if it is one.
    pub no: Option<u64>,
}

impl MonoRequest {
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

/// What will happen to a call, decided when it has arrived.
#[derive(Debug)]
pub(super) struct CallPlan {
    pub latency: Duration,
    pub trouble: Option<MonoFailure>,
    pub processed: bool,
    /// The seconds that a 429 carries.
    pub retry_after: Option<u64>,
    /// The owner of its key; an answer at once if the key is not accepted.
    pub owner: Result<usize, MonoResponse>,
}

#[derive(Debug)]
pub(super) struct StandInSession {
    pub owner: usize,
    pub institution: &'static StandInInstitution,
    pub method: &'static LoginMethod,
    pub customer: String,
    pub expires_at: Timestamp,
    /// The account it renews, if it does not link one.
    pub reauth_of: Option<String>,
    pub stage: SessionStage,
}

#[derive(Debug)]
pub(super) enum SessionStage {
    /// No login has succeeded so far.
    Login,
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
    pub institution: &'static StandInInstitution,
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
pub(super) struct MonoMemory {
    pub switches: MonoSwitches,
    pub sessions: HashMap<String, StandInSession>,
    /// Sessions that renew an account, by the session the account was linked in.
    pub renewals: HashMap<String, String>,
    /// The index of each code among the call log's grants, and its owner.
    pub codes: HashMap<String, (usize, usize)>,
    pub accounts: Vec<StandInAccount>,
    pub call_log: CallLog,
}

impl MonoMemory {
    /// The account with this id, if it is the owner's and not unlinked.
    pub fn account(&self, owner: usize, id: &str) -> Option<&StandInAccount> {
        self.accounts
            .iter()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked)
    }
}

/// The stand-in's memory and controls, shared by its server and the code that started it.
pub struct MonoState {
    pub(super) core: StandInCore<MonoMemory, WebhookBatch>,
    pub(super) keys: Vec<Secret>,
    pub(super) webhook_secret: Secret,
}

impl MonoState {
    pub fn switches(&self) -> MonoSwitches {
        self.core.lock().switches.clone()
    }

    /// Changes the switches that are named, by their JSON names; `null` takes one institution's away.
    ///
    /// # Errors
    /// When a name, a value or a magic word is not known; nothing is changed then.
    pub fn change(&self, changes: Map<String, Value>) -> Result<(), String> {
        let mut memory = self.core.lock();
        let mut all = serde_json::to_value(&memory.switches).map_err(|problem| problem.to_string())?;
        if let Some(all) = all.as_object_mut() {
            for (name, change) in changes {
                match (all.get_mut(&name), change) {
                    (Some(Value::Object(old)), Value::Object(new)) => {
                        old.extend(new);
                        old.retain(|_, value| !value.is_null());
                    }
                    (_, new) => drop(all.insert(name, new)),
                }
            }
        }
        let switches: MonoSwitches = serde_json::from_value(all).map_err(|problem| problem.to_string())?;
        let mut words = switches.every_login.iter().chain(switches.by_institution.values());
        if let Some(word) = words.find(|word| find_scenario(word).is_none()) {
            return Err(format!("{word:?} is not in the guide"));
        }
        memory.switches = switches;
        Ok(())
    }

    pub fn set_switches(&self, switches: MonoSwitches) {
        self.core.lock().switches = switches;
    }

    /// Sends webhooks to this address from now on.
    pub fn send_webhooks_to(&self, url: &str) {
        self.core.lock().switches.webhook_url = Some(url.to_owned());
    }

    pub fn call_log(&self) -> CallLog {
        self.core.lock().call_log.clone()
    }

    pub(super) fn generate_id(&self) -> String {
        self.core.generate_hex(24)
    }

    /// Adds an arrival to the call log; a submission gets a number.
    pub(super) fn log_arrival(&self, request: &MonoRequest) -> Option<u64> {
        let mut memory = self.core.lock();
        *memory.call_log.calls.entry(request.call).or_default() += 1;
        if !request.call.is_submit() {
            return None;
        }
        let no = memory.call_log.submits.len() as u64 + 1;
        let institution = request.session.as_ref().and_then(|id| memory.sessions.get(id));
        let submit = SubmitEntry {
            no,
            at: self.core.now().as_millis(),
            call: request.call,
            dialect: request.dialect,
            session: request.session.clone(),
            institution: institution.map(|session| session.institution.id.to_owned()),
            username: None,
            secret_sha256: None,
            whole_body: false,
            outcome: None,
            trouble: None,
        };
        memory.call_log.submits.push(submit);
        Some(no)
    }

    /// Decides what will happen to a call whose whole body has been read.
    pub(super) fn plan_call(&self, request: &MonoRequest) -> CallPlan {
        let mut memory = self.core.lock();
        let owner = self.owner(&memory, request);
        let fault = take_fault(&mut memory.switches, request.call);
        let own = owner
            .as_ref()
            .ok()
            .and_then(|owner| self.expected_failure(&memory, *owner, request));
        let there = institution_of(&memory, request).and_then(|institution| {
            let troubles = &memory.switches.troubles;
            troubles
                .get(institution.id)
                .or_else(|| troubles.get(institution.name))
                .copied()
        });
        let trouble = fault.map(|fault| fault.trouble).or(there).or(own);
        let processed = fault
            .and_then(|fault| fault.processed)
            .or(trouble.map(MonoFailure::processed))
            .unwrap_or(true);
        let pace = request
            .session
            .as_ref()
            .and_then(|id| memory.sessions.get(id))
            .map_or(BankSpeed::Usual, |s| s.institution.pace);
        let latency = memory.switches.latency.delay(request.call, pace).pick(&*self.core.rng);
        self.log_submission(&mut memory, request);
        if let Some(submit) = memory.call_log.submit_mut(request.no) {
            submit.whole_body = true;
            submit.trouble = trouble;
        }
        CallPlan {
            latency,
            trouble,
            processed,
            retry_after: memory.switches.retry_after_s,
            owner,
        }
    }

    fn owner(&self, memory: &MonoMemory, request: &MonoRequest) -> Result<usize, MonoResponse> {
        let known = match &request.key {
            Some(key) => self.keys.iter().position(|known| known.expose() == key),
            None => (request.call == MonoCall::Institutions && request.dialect == MonoVersion::V1).then_some(0),
        };
        match known {
            Some(owner) if !memory.switches.addon_missing => Ok(owner),
            Some(_) => Err(MonoResponse::Json(
                401,
                failed("You must be subscribed to the Partners API addon"),
            )),
            None => Err(error_response(&memory.switches, 401, "Unauthorized")),
        }
    }

    /// Notes that a submission was rejected before anything was done.
    pub(super) fn log_rejection(&self, no: Option<u64>) {
        if let Some(submit) = self.core.lock().call_log.submit_mut(no) {
            submit.outcome = Some(SubmitOutcome::TurnedAway);
        }
    }

    pub(super) fn execute(&self, owner: usize, request: &MonoRequest) -> MonoResponse {
        let mut memory = self.core.lock();
        match request.call {
            MonoCall::Institutions => self.institutions(request),
            MonoCall::Session => self.open(&mut memory, owner, request),
            MonoCall::Sandbox => self.credentials(&memory, owner, request),
            MonoCall::Login | MonoCall::Commit | MonoCall::ReauthLogin => self.submit(&mut memory, owner, request),
            MonoCall::Exchange => self.exchange(&mut memory, owner, request),
            MonoCall::Accounts => self.accounts(&memory, owner),
            MonoCall::Account => self.account(&memory, owner, request),
            MonoCall::Unlink => self.unlink(&mut memory, owner, request),
            MonoCall::ReauthSession => self.reauth_session(&mut memory, owner, request),
            MonoCall::ReauthToken => self.reauth_token(&memory, owner, request),
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
fn institution_of(memory: &MonoMemory, request: &MonoRequest) -> Option<&'static StandInInstitution> {
    match (&request.session, request.call) {
        (Some(id), _) => memory.sessions.get(id).map(|session| session.institution),
        (None, MonoCall::Session) => {
            let id = request.text("institution")?;
            INSTITUTIONS.iter().find(|institution| institution.id == id)
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
