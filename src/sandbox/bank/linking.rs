//! From a session to an account: what a submission changes.
//!
//! A login that has arrived is carried out even if its caller disconnects, as at a real bank.

use std::time::Duration;

use crate::core::time::Timestamp;

use super::Bank;
use super::approvals::{APPROVAL_LIFETIME, Approval, ApprovalState};
use super::call_log::{AccountEntry, GrantEntry, SubmitOutcome, UnlinkEntry};
use super::customers::{self, BankAccount};
use super::dialect::{CallRequest, Dialect};
use super::institutions::{LoginMethod, StandInInstitution};
use super::login_rules::{LoginDecision, LoginProgress};
use super::memory::{BankMemory, SessionStage, StandInAccount, StandInSession};
use super::scenario::{Challenge, LoginEnd, RefusalReason};
use super::switches::DataStatus;
use super::webhooks::AccountMoment;

/// What a bank answers to a submission. The dialect says it in its own words.
#[derive(Clone, Debug, PartialEq)]
pub enum BankStep {
    /// There is no such session, or it is over.
    NoSession,
    /// The names or lengths were not those of the form.
    BadFields,
    Refused(RefusalReason),
    /// A wrong one-time code, answer or account; the same is still asked.
    WrongCode,
    /// A code, an answer or the digits of a picture is asked.
    Ask(Challenge),
    /// One of these accounts is to be chosen.
    Choose(Vec<BankAccount>),
    /// The person has to approve; [`Bank::poll`] goes on.
    Approve(Approval),
    /// Denied or expired.
    NotApproved(ApprovalState),
    /// Something nobody has heard of.
    Strange,
    /// The account is linked or renewed; the code is to be exchanged.
    Granted {
        code: String,
        account: String,
    },
}

impl BankStep {
    fn outcome(&self) -> SubmitOutcome {
        match self {
            Self::NoSession => SubmitOutcome::NoSession,
            Self::BadFields => SubmitOutcome::BadFields,
            Self::Refused(_) | Self::NotApproved(_) => SubmitOutcome::Refused,
            Self::WrongCode => SubmitOutcome::WrongCode,
            Self::Ask(_) => SubmitOutcome::InputAsked,
            Self::Choose(_) => SubmitOutcome::AccountsAsked,
            Self::Approve(_) => SubmitOutcome::ApprovalAsked,
            Self::Strange => SubmitOutcome::Strange,
            Self::Granted { .. } => SubmitOutcome::Granted,
        }
    }
}

/// Why a code is not exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeemError {
    /// It is unknown, expired or used.
    BadCode,
    /// The account was unlinked in between.
    NoAccount,
}

impl<D: Dialect> Bank<D> {
    /// Opens a session for a login, which renews `reauth_of` or links an account. Returns its id and when it expires.
    pub fn open(
        &self,
        memory: &mut BankMemory<D>,
        owner: usize,
        (institution, method): (&'static StandInInstitution, &'static LoginMethod),
        customer: String,
        reauth_of: Option<String>,
    ) -> (String, Timestamp) {
        let id = format!(
            "sess_{}",
            self.core.generate(b"abcdefghijklmnopqrstuvwxyz0123456789", 24)
        );
        let life = Duration::from_millis(memory.switches.session_lifetime_ms);
        let expires_at = self.now().plus(life);
        let session = StandInSession {
            owner,
            institution,
            method,
            customer,
            expires_at,
            reauth_of,
            stage: SessionStage::Login,
        };
        memory.sessions.insert(id.clone(), session);
        (id, expires_at)
    }

    /// Carries a login or an answer out.
    pub fn submit(&self, memory: &mut BankMemory<D>, owner: usize, request: &CallRequest<D>) -> BankStep {
        let id = D::session_id(memory, request).unwrap_or_default();
        let step = match self.decide(memory, owner, request) {
            LoginDecision::NoSession => BankStep::NoSession,
            LoginDecision::BadFields => BankStep::BadFields,
            LoginDecision::Refused(reason) => BankStep::Refused(reason),
            LoginDecision::WrongCode => {
                count_wrong_code(memory, &id);
                BankStep::WrongCode
            }
            LoginDecision::Goes(progress) => self.advance(memory, &id, progress),
        };
        if let Some(submit) = memory.call_log.submit_mut(request.no) {
            submit.outcome = Some(step.outcome());
        }
        step
    }

    /// Asks what comes next, or ends the login.
    pub(super) fn advance(&self, memory: &mut BankMemory<D>, id: &str, progress: LoginProgress) -> BankStep {
        let Some(session) = memory.sessions.get(id) else {
            return BankStep::NoSession;
        };
        let (institution, username) = (session.institution, progress.username.clone());
        let Some(challenge) = progress.challenge() else {
            return self.end(memory, id, &progress);
        };
        let (step, stage) = if let Challenge::Approve(way, habit) = challenge {
            let about = format!("{}: share your account", institution.name);
            let approval = self.ask_approval(memory, &about, (way, habit), APPROVAL_LIFETIME);
            let id = approval.id.clone();
            (
                BankStep::Approve(approval),
                SessionStage::Approving { progress, approval: id },
            )
        } else {
            let step = match challenge {
                Challenge::Choose => BankStep::Choose(customers::accounts(institution, &username)),
                challenge => BankStep::Ask(challenge),
            };
            (step, SessionStage::Answering { progress, wrong: 0 })
        };
        if let Some(session) = memory.sessions.get_mut(id) {
            session.stage = stage;
        }
        step
    }

    fn end(&self, memory: &mut BankMemory<D>, id: &str, progress: &LoginProgress) -> BankStep {
        match progress.scenario.end {
            LoginEnd::Refused(reason) => BankStep::Refused(reason),
            LoginEnd::Strange => BankStep::Strange,
            LoginEnd::Expired => {
                if let Some(session) = memory.sessions.get_mut(id) {
                    session.stage = SessionStage::Over;
                }
                BankStep::NoSession
            }
            LoginEnd::Granted | LoginEnd::GrantedStale => {
                self.grant(memory, id, progress).unwrap_or(BankStep::NoSession)
            }
        }
    }

    /// Links or renews the account and hands out a code for it.
    fn grant(&self, memory: &mut BankMemory<D>, id: &str, progress: &LoginProgress) -> Option<BankStep> {
        let session = memory.sessions.get_mut(id)?;
        session.stage = SessionStage::Over;
        let (owner, renews) = (session.owner, session.reauth_of.clone());
        let (account, moment) = if let Some(account) = renews {
            (account, AccountMoment::Renewed)
        } else {
            (self.link(memory, id, progress)?, AccountMoment::Granted)
        };
        let stale = progress.scenario.end == LoginEnd::GrantedStale;
        let code = self.hand_out_code(memory, (owner, id, &account), stale, moment == AccountMoment::Renewed);
        self.announce(memory, &account, moment);
        Some(BankStep::Granted { code, account })
    }

    fn link(&self, memory: &mut BankMemory<D>, id: &str, progress: &LoginProgress) -> Option<String> {
        let session = memory.sessions.get(id)?;
        let now = self.now();
        let at_bank = customers::accounts(session.institution, &progress.username)
            .into_iter()
            .nth((progress.chosen + usize::from(progress.scenario.mixed_up)) % customers::ACCOUNTS)?;
        let account = StandInAccount {
            owner: session.owner,
            id: self.generate_id(),
            session: id.to_owned(),
            customer: session.customer.clone(),
            institution: session.institution,
            method: session.method,
            at_bank,
            linked_at: now,
            ready_at: now.plus(Duration::from_millis(memory.switches.data_after_ms)),
            exchanged: false,
            unlinked: false,
            webhooks: progress.scenario.webhooks,
            data: progress.scenario.data,
        };
        let BankAccount { number, holder, .. } = account.at_bank.clone();
        memory.call_log.accounts.push(AccountEntry {
            id: account.id.clone(),
            session: id.to_owned(),
            customer: account.customer.clone(),
            institution: account.institution.id.to_owned(),
            number,
            holder,
            at: now.as_millis(),
            unlinked_at: None,
        });
        let made = account.id.clone();
        memory.accounts.push(account);
        Some(made)
    }

    /// A new code for an account, added to the call log.
    fn hand_out_code(
        &self,
        memory: &mut BankMemory<D>,
        (owner, session, account): (usize, &str, &str),
        stale: bool,
        reauth: bool,
    ) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let code = format!("code_{}", self.core.generate(letters, 24));
        let now = self.now();
        let life = Duration::from_millis(memory.switches.code_lifetime_ms);
        memory.codes.insert(code.clone(), (memory.call_log.grants.len(), owner));
        memory.call_log.grants.push(GrantEntry {
            session: session.to_owned(),
            account: account.to_owned(),
            at: now.as_millis(),
            expires_at: if stale { now } else { now.plus(life) }.as_millis(),
            redeemed: Vec::new(),
            refused: 0,
            reauth,
        });
        code
    }

    /// Renews an account without a login and hands out a code for it.
    pub fn renew(&self, memory: &mut BankMemory<D>, owner: usize, id: &str) -> Option<String> {
        let session = memory.account(owner, id)?.session.clone();
        let code = self.hand_out_code(memory, (owner, &session, id), false, true);
        self.announce(memory, id, AccountMoment::Renewed);
        Some(code)
    }

    /// Exchanges a code for an account id.
    ///
    /// # Errors
    /// When the code or its account is no longer good.
    pub fn redeem(&self, memory: &mut BankMemory<D>, owner: usize, code: &str) -> Result<String, RedeemError> {
        let known = memory.codes.get(code).filter(|(_, whose)| *whose == owner);
        let grant = known.and_then(|(place, _)| memory.call_log.grants.get_mut(*place));
        let (grant, now) = (grant.ok_or(RedeemError::BadCode)?, self.now().as_millis());
        if grant.expires_at <= now || (!memory.switches.code_reusable && !grant.redeemed.is_empty()) {
            grant.refused += 1;
            return Err(RedeemError::BadCode);
        }
        grant.redeemed.push(now);
        let id = grant.account.clone();
        let account = memory
            .accounts
            .iter_mut()
            .find(|account| account.id == id && !account.unlinked)
            .ok_or(RedeemError::NoAccount)?;
        if !std::mem::replace(&mut account.exchanged, true) {
            self.announce(memory, &id, AccountMoment::Exchanged);
        }
        Ok(id)
    }

    /// Ends the access to an account; `false` if there is no such access.
    pub fn unlink(&self, memory: &mut BankMemory<D>, owner: usize, id: &str) -> bool {
        let at = self.now().as_millis();
        let account = memory
            .accounts
            .iter_mut()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked);
        let done = account.is_some();
        if let Some(account) = account {
            account.unlinked = true;
        }
        memory.call_log.unlinks.push(UnlinkEntry {
            account: id.to_owned(),
            at,
            done,
        });
        if done {
            if let Some(entry) = memory.call_log.accounts.iter_mut().find(|entry| entry.id == id) {
                entry.unlinked_at = Some(at);
            }
            self.announce(memory, id, AccountMoment::Unlinked);
        }
        done
    }

    /// The current status of an account's data.
    pub fn data_status(&self, memory: &BankMemory<D>, account: &StandInAccount) -> DataStatus {
        if account.ready_at > self.now() {
            return DataStatus::Processing;
        }
        account.data.unwrap_or(memory.switches.data_status)
    }
}

fn count_wrong_code<D: Dialect>(memory: &mut BankMemory<D>, id: &str) {
    let most = memory.switches.wrong_codes;
    let Some(session) = memory.sessions.get_mut(id) else {
        return;
    };
    if let SessionStage::Answering { wrong, .. } = &mut session.stage {
        *wrong += 1;
        if *wrong >= most {
            session.stage = SessionStage::Over;
        }
    }
}
