//! What a bank remembers: sessions, codes, accounts, approvals, the switches and the call log, all behind one lock.
//!
//! Every call is carried out in one step under the lock, after its latency, so the call log shows one order of events.
//! Nothing survives the process.

use std::collections::{BTreeMap, HashMap};

use crate::core::time::Timestamp;

use super::approvals::Approval;
use super::customers::BankAccount;
use super::dialect::Dialect;
use super::institutions::{LoginMethod, StandInInstitution};
use super::login_rules::LoginProgress;
use super::switches::{DataStatus, WebhookMode};
use super::{BankCallLog, BankSwitches};

#[derive(Debug)]
pub struct StandInSession {
    /// Which of the accepted keys it belongs to.
    pub owner: usize,
    pub institution: &'static StandInInstitution,
    pub method: &'static LoginMethod,
    /// The person as the provider knows them.
    pub customer: String,
    pub expires_at: Timestamp,
    /// The account it renews, if it does not link one.
    pub reauth_of: Option<String>,
    pub(super) stage: SessionStage,
}

impl StandInSession {
    /// Whether nothing was answered in it yet, and it renews an account.
    pub fn begins_renewal(&self) -> bool {
        self.reauth_of.is_some() && matches!(self.stage, SessionStage::Login)
    }
}

#[derive(Debug)]
pub(super) enum SessionStage {
    /// No login has succeeded so far.
    Login,
    Answering {
        progress: LoginProgress,
        wrong: u32,
    },
    Approving {
        progress: LoginProgress,
        approval: String,
    },
    /// Granted, or ended by too many wrong codes or without an approval.
    Over,
}

#[derive(Debug)]
pub struct StandInAccount {
    pub owner: usize,
    pub id: String,
    pub session: String,
    pub customer: String,
    pub institution: &'static StandInInstitution,
    pub method: &'static LoginMethod,
    pub at_bank: BankAccount,
    pub linked_at: Timestamp,
    /// When its data are available.
    pub ready_at: Timestamp,
    /// Whether its code was exchanged.
    pub exchanged: bool,
    pub unlinked: bool,
    pub(super) webhooks: Option<WebhookMode>,
    pub(super) data: Option<DataStatus>,
}

pub struct BankMemory<D: Dialect> {
    pub switches: BankSwitches<D>,
    pub sessions: HashMap<String, StandInSession>,
    /// The index of each code among the call log's grants, and its owner.
    pub(super) codes: HashMap<String, (usize, usize)>,
    pub accounts: Vec<StandInAccount>,
    pub approvals: BTreeMap<String, Approval>,
    pub call_log: BankCallLog<D>,
    pub own: D::Memory,
}

impl<D: Dialect> BankMemory<D> {
    pub(super) fn new(switches: BankSwitches<D>) -> Self {
        Self {
            switches,
            sessions: HashMap::new(),
            codes: HashMap::new(),
            accounts: Vec::new(),
            approvals: BTreeMap::new(),
            call_log: BankCallLog::<D>::default(),
            own: D::Memory::default(),
        }
    }

    /// The session with this id, if it is the owner's and has not expired.
    pub fn session(&self, owner: usize, id: &str, now: Timestamp) -> Option<&StandInSession> {
        self.sessions
            .get(id)
            .filter(|session| session.owner == owner && session.expires_at > now)
    }

    /// The account with this id, if it is the owner's and not unlinked.
    pub fn account(&self, owner: usize, id: &str) -> Option<&StandInAccount> {
        self.accounts
            .iter()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked)
    }
}
