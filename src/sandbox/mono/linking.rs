//! Logins and commits: what a submission changes.
//!
//! A login that has arrived is carried out even if its caller disconnects, as at a real bank.

use std::time::Duration;

use serde_json::json;

use super::answer::{MonoResponse, ResponseStyle};
use super::call_log::{AccountEntry, GrantEntry, SubmitOutcome};
use super::customers::{self, BankAccount};
use super::forms::{asked, ui};
use super::login_rules::{LoginDecision, LoginProgress, answer_field};
use super::scenario::{Challenge, LoginEnd, RefusalReason};
use super::sessions::session_over;
use super::state::{MonoMemory, MonoRequest, MonoState, SessionStage, StandInAccount};
use super::webhooks::AccountMoment;

impl MonoState {
    /// Carries a login or commit out.
    pub(super) fn submit(&self, memory: &mut MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let decision = self.decide(memory, owner, request);
        let id = Self::session_id(memory, request).unwrap_or_default();
        let nested = memory
            .sessions
            .get(&id)
            .is_some_and(|session| session.reauth_of.is_some());
        let style = ResponseStyle {
            dialect: request.dialect,
            nested,
            now: self.core.now(),
        };
        let http = memory.switches.failure_status;
        let (outcome, answer) = match decision {
            LoginDecision::NoSession => (SubmitOutcome::NoSession, session_over(&memory.switches)),
            LoginDecision::BadFields => (
                SubmitOutcome::BadFields,
                style.refused(http, "Invalid or missing fields"),
            ),
            LoginDecision::Refused(refusal) => (SubmitOutcome::Refused, style.refused(http, message(refusal))),
            LoginDecision::WrongCode => {
                count_wrong_code(memory, &id);
                (SubmitOutcome::WrongCode, style.refused(http, "Invalid OTP Sent"))
            }
            LoginDecision::Goes(progress) => match progress.scenario.challenges.get(progress.answered).copied() {
                Some(challenge) => ask_challenge(memory, &id, style, progress, challenge),
                None => self.end(memory, &id, style, &progress),
            },
        };
        if let Some(submit) = memory.call_log.submit_mut(request.no) {
            submit.outcome = Some(outcome);
        }
        answer
    }

    fn end(
        &self,
        memory: &mut MonoMemory,
        id: &str,
        style: ResponseStyle,
        progress: &LoginProgress,
    ) -> (SubmitOutcome, MonoResponse) {
        let http = memory.switches.failure_status;
        match progress.scenario.end {
            LoginEnd::Refused(refusal) => (SubmitOutcome::Refused, style.refused(http, message(refusal))),
            LoginEnd::Strange => (SubmitOutcome::Strange, style.coded(103, "Continue", json!({}))),
            LoginEnd::Expired => {
                if let Some(session) = memory.sessions.get_mut(id) {
                    session.stage = SessionStage::Over;
                }
                (SubmitOutcome::NoSession, session_over(&memory.switches))
            }
            LoginEnd::Granted | LoginEnd::GrantedStale => match self.grant(memory, id, progress) {
                Some(code) => (SubmitOutcome::Granted, style.granted(&code)),
                None => (SubmitOutcome::NoSession, session_over(&memory.switches)),
            },
        }
    }

    /// Links or renews the account and hands out a code for it.
    fn grant(&self, memory: &mut MonoMemory, id: &str, progress: &LoginProgress) -> Option<String> {
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
        Some(code)
    }

    fn link(&self, memory: &mut MonoMemory, id: &str, progress: &LoginProgress) -> Option<String> {
        let session = memory.sessions.get(id)?;
        let now = self.core.now();
        let at_bank = customers::accounts(session.institution, &progress.username)
            .into_iter()
            .nth(progress.chosen)?;
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
    pub(super) fn hand_out_code(
        &self,
        memory: &mut MonoMemory,
        (owner, session, account): (usize, &str, &str),
        stale: bool,
        reauth: bool,
    ) -> String {
        let code = format!(
            "code_{}",
            self.core
                .generate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 24)
        );
        let now = self.core.now();
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
}

fn ask_challenge(
    memory: &mut MonoMemory,
    id: &str,
    style: ResponseStyle,
    progress: LoginProgress,
    challenge: Challenge,
) -> (SubmitOutcome, MonoResponse) {
    let field = answer_field(challenge, style.dialect);
    let form = |title: &str, hint: &'static str| {
        let element = asked(field, hint, challenge == Challenge::Picture);
        ui(title, &[element])
    };
    let first_index = memory.switches.first_index;
    let Some(session) = memory.sessions.get_mut(id) else {
        return (SubmitOutcome::NoSession, session_over(&memory.switches));
    };
    let answer = match challenge {
        Challenge::Otp => style.prompt(
            "OTP required",
            form("Please input OTP sent to you", "Do not share this code"),
        ),
        Challenge::Question => style.prompt("Answer required", form("Security question", "What was your first pet?")),
        Challenge::Picture => style.prompt(
            "Picture required",
            form("Prove that you are human", "Digits in the picture"),
        ),
        Challenge::Choose => style.choose(
            &customers::accounts(session.institution, &progress.username),
            first_index,
        ),
    };
    let mut names = match std::mem::replace(&mut session.stage, SessionStage::Login) {
        SessionStage::Answering { handed, .. } if progress.answered > 0 => handed,
        _ => Vec::new(),
    };
    names.push(field);
    session.stage = SessionStage::Answering {
        progress,
        handed: names,
        wrong: 0,
    };
    (
        if challenge == Challenge::Choose {
            SubmitOutcome::AccountsAsked
        } else {
            SubmitOutcome::InputAsked
        },
        answer,
    )
}

fn count_wrong_code(memory: &mut MonoMemory, id: &str) {
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

/// The texts that Mono's widget shows to end users; those of the API are unpublished.
fn message(refusal: RefusalReason) -> &'static str {
    match refusal {
        RefusalReason::Wrong => "Username or password incorrect",
        RefusalReason::Down => "Couldn't connect to your institution",
        RefusalReason::Locked => "Action required with your account",
    }
}
