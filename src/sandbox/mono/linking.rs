//! Logins and commits: what a submission changes.
//!
//! A login that is on its way is carried out even if its caller goes away, as a bank would.

use std::time::Duration;

use serde_json::json;

use super::answer::{MonoResponse, ResponseStyle};
use super::call_log::{AccountEntry, GrantEntry, SubmitOutcome};
use super::forms::{asked, ui};
use super::login_rules::{LoginDecision, LoginProgress, answer_field};
use super::people::{self, BankAccount};
use super::scenario::{Challenge, LoginEnd, RefusalReason};
use super::sessions::session_over;
use super::state::{MonoInner, MonoRequest, MonoState, SessionStage, StandInAccount};
use super::webhooks::AccountMoment;

impl MonoState {
    /// Carries a login or commit out.
    pub(super) fn submit(&self, inner: &mut MonoInner, owner: usize, request: &MonoRequest) -> MonoResponse {
        let verdict = self.decide(inner, owner, request);
        let id = Self::session_id(inner, request).unwrap_or_default();
        let nested = inner
            .sessions
            .get(&id)
            .is_some_and(|session| session.reauth_of.is_some());
        let voice = ResponseStyle {
            dialect: request.dialect,
            nested,
            now: self.now(),
        };
        let http = inner.switches.failure_status;
        let (outcome, answer) = match verdict {
            LoginDecision::NoSession => (SubmitOutcome::NoSession, session_over(&inner.switches)),
            LoginDecision::BadFields => (
                SubmitOutcome::BadFields,
                voice.refused(http, "Invalid or missing fields"),
            ),
            LoginDecision::Refused(refusal) => (SubmitOutcome::Refused, voice.refused(http, message(refusal))),
            LoginDecision::WrongCode => {
                count_wrong_code(inner, &id);
                (SubmitOutcome::WrongCode, voice.refused(http, "Invalid OTP Sent"))
            }
            LoginDecision::Goes(progress) => match progress.path.asks.get(progress.answered).copied() {
                Some(ask) => ask_for(inner, &id, voice, progress, ask),
                None => self.end(inner, &id, voice, &progress),
            },
        };
        if let Some(submit) = inner.call_log.submit_mut(request.no) {
            submit.outcome = Some(outcome);
        }
        answer
    }

    fn end(
        &self,
        inner: &mut MonoInner,
        id: &str,
        voice: ResponseStyle,
        progress: &LoginProgress,
    ) -> (SubmitOutcome, MonoResponse) {
        let http = inner.switches.failure_status;
        match progress.path.end {
            LoginEnd::Refused(refusal) => (SubmitOutcome::Refused, voice.refused(http, message(refusal))),
            LoginEnd::Strange => (SubmitOutcome::Strange, voice.coded(103, "Continue", json!({}))),
            LoginEnd::Expired => {
                if let Some(session) = inner.sessions.get_mut(id) {
                    session.stage = SessionStage::Over;
                }
                (SubmitOutcome::NoSession, session_over(&inner.switches))
            }
            LoginEnd::Granted | LoginEnd::GrantedStale => match self.grant(inner, id, progress) {
                Some(code) => (SubmitOutcome::Granted, voice.granted(&code)),
                None => (SubmitOutcome::NoSession, session_over(&inner.switches)),
            },
        }
    }

    /// Links or renews the account and hands out a code for it.
    fn grant(&self, inner: &mut MonoInner, id: &str, progress: &LoginProgress) -> Option<String> {
        let session = inner.sessions.get_mut(id)?;
        session.stage = SessionStage::Over;
        let (owner, renews) = (session.owner, session.reauth_of.clone());
        let (account, moment) = if let Some(account) = renews {
            (account, AccountMoment::Renewed)
        } else {
            (self.link(inner, id, progress)?, AccountMoment::Granted)
        };
        let stale = progress.path.end == LoginEnd::GrantedStale;
        let code = self.hand_out_code(inner, (owner, id, &account), stale, moment == AccountMoment::Renewed);
        self.announce(inner, &account, moment);
        Some(code)
    }

    fn link(&self, inner: &mut MonoInner, id: &str, progress: &LoginProgress) -> Option<String> {
        let session = inner.sessions.get(id)?;
        let now = self.now();
        let at_bank = people::accounts(session.bank, &progress.username)
            .into_iter()
            .nth(progress.chosen)?;
        let account = StandInAccount {
            owner: session.owner,
            id: self.generate_id(),
            session: id.to_owned(),
            customer: session.customer.clone(),
            bank: session.bank,
            method: session.method,
            at_bank,
            linked_at: now,
            ready_at: now.plus(Duration::from_millis(inner.switches.data_after_ms)),
            exchanged: false,
            unlinked: false,
            webhooks: progress.path.webhooks,
            data: progress.path.data,
        };
        let BankAccount { number, holder, .. } = account.at_bank.clone();
        inner.call_log.accounts.push(AccountEntry {
            id: account.id.clone(),
            session: id.to_owned(),
            customer: account.customer.clone(),
            institution: account.bank.id.to_owned(),
            number,
            holder,
            at: now.as_millis(),
            unlinked_at: None,
        });
        let made = account.id.clone();
        inner.accounts.push(account);
        Some(made)
    }

    /// A fresh code for an account, written into the ledger.
    pub(super) fn hand_out_code(
        &self,
        inner: &mut MonoInner,
        (owner, session, account): (usize, &str, &str),
        stale: bool,
        reauth: bool,
    ) -> String {
        let code = format!(
            "code_{}",
            self.generate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 24)
        );
        let now = self.now();
        let life = Duration::from_millis(inner.switches.code_lifetime_ms);
        inner.codes.insert(code.clone(), (inner.call_log.grants.len(), owner));
        inner.call_log.grants.push(GrantEntry {
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

fn ask_for(
    inner: &mut MonoInner,
    id: &str,
    voice: ResponseStyle,
    progress: LoginProgress,
    ask: Challenge,
) -> (SubmitOutcome, MonoResponse) {
    let field = answer_field(ask, voice.dialect);
    let form = |title: &str, hint: &'static str| {
        let element = asked(field, hint, ask == Challenge::Picture);
        ui(title, &[element])
    };
    let first_index = inner.switches.first_index;
    let Some(session) = inner.sessions.get_mut(id) else {
        return (SubmitOutcome::NoSession, session_over(&inner.switches));
    };
    let answer = match ask {
        Challenge::Otp => voice.prompt(
            "OTP required",
            form("Please input OTP sent to you", "Do not share this code"),
        ),
        Challenge::Question => voice.prompt("Answer required", form("Security question", "What was your first pet?")),
        Challenge::Picture => voice.prompt(
            "Picture required",
            form("Prove that you are human", "Digits in the picture"),
        ),
        Challenge::Choose => voice.choose(&people::accounts(session.bank, &progress.username), first_index),
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
        if ask == Challenge::Choose {
            SubmitOutcome::AccountsAsked
        } else {
            SubmitOutcome::InputAsked
        },
        answer,
    )
}

fn count_wrong_code(inner: &mut MonoInner, id: &str) {
    let most = inner.switches.wrong_codes;
    let Some(session) = inner.sessions.get_mut(id) else {
        return;
    };
    if let SessionStage::Answering { wrong, .. } = &mut session.stage {
        *wrong += 1;
        if *wrong >= most {
            session.stage = SessionStage::Over;
        }
    }
}

/// The texts end users are shown by Mono's widget; what the API says in their place is unpublished.
fn message(refusal: RefusalReason) -> &'static str {
    match refusal {
        RefusalReason::Wrong => "Username or password incorrect",
        RefusalReason::Down => "Couldn't connect to your institution",
        RefusalReason::Locked => "Action required with your account",
    }
}
