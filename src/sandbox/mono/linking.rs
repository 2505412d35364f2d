//! Logins and commits: what a submission changes.
//!
//! A login that is on its way is carried out even if its caller goes away, as a bank would.

use std::time::Duration;

use serde_json::json;

use super::answer::{Answer, Voice};
use super::forms::{asked, ui};
use super::judge::{Progress, Verdict, answer_field};
use super::ledger::{AccountEntry, GrantEntry, Outcome};
use super::people::{self, BankAccount};
use super::scenario::{Ask, End, Refusal};
use super::sessions::session_over;
use super::state::{Account, Inner, Request, Stage, State};
use super::webhooks::Moment;

impl State {
    /// Carries a login or commit out.
    pub(super) fn submit(&self, inner: &mut Inner, owner: usize, request: &Request) -> Answer {
        let verdict = self.judge(inner, owner, request);
        let id = Self::session_id(inner, request).unwrap_or_default();
        let nested = inner
            .sessions
            .get(&id)
            .is_some_and(|session| session.reauth_of.is_some());
        let voice = Voice {
            dialect: request.dialect,
            nested,
            now: self.now(),
        };
        let http = inner.switches.failure_status;
        let (outcome, answer) = match verdict {
            Verdict::NoSession => (Outcome::NoSession, session_over(&inner.switches)),
            Verdict::BadFields => (Outcome::BadFields, voice.refused(http, "Invalid or missing fields")),
            Verdict::Refused(refusal) => (Outcome::Refused, voice.refused(http, message(refusal))),
            Verdict::WrongCode => {
                count_wrong_code(inner, &id);
                (Outcome::WrongCode, voice.refused(http, "Invalid OTP Sent"))
            }
            Verdict::Goes(progress) => match progress.path.asks.get(progress.answered).copied() {
                Some(ask) => ask_for(inner, &id, voice, progress, ask),
                None => self.end(inner, &id, voice, &progress),
            },
        };
        if let Some(submit) = inner.ledger.submit_mut(request.no) {
            submit.outcome = Some(outcome);
        }
        answer
    }

    fn end(&self, inner: &mut Inner, id: &str, voice: Voice, progress: &Progress) -> (Outcome, Answer) {
        let http = inner.switches.failure_status;
        match progress.path.end {
            End::Refused(refusal) => (Outcome::Refused, voice.refused(http, message(refusal))),
            End::Strange => (Outcome::Strange, voice.coded(103, "Continue", json!({}))),
            End::Expired => {
                if let Some(session) = inner.sessions.get_mut(id) {
                    session.stage = Stage::Over;
                }
                (Outcome::NoSession, session_over(&inner.switches))
            }
            End::Granted | End::GrantedStale => match self.grant(inner, id, progress) {
                Some(code) => (Outcome::Granted, voice.granted(&code)),
                None => (Outcome::NoSession, session_over(&inner.switches)),
            },
        }
    }

    /// Links or renews the account and hands out a code for it.
    fn grant(&self, inner: &mut Inner, id: &str, progress: &Progress) -> Option<String> {
        let session = inner.sessions.get_mut(id)?;
        session.stage = Stage::Over;
        let (owner, renews) = (session.owner, session.reauth_of.clone());
        let (account, moment) = if let Some(account) = renews {
            (account, Moment::Renewed)
        } else {
            (self.link(inner, id, progress)?, Moment::Granted)
        };
        let stale = progress.path.end == End::GrantedStale;
        let code = self.hand_out_code(inner, (owner, id, &account), stale, moment == Moment::Renewed);
        self.announce(inner, &account, moment);
        Some(code)
    }

    fn link(&self, inner: &mut Inner, id: &str, progress: &Progress) -> Option<String> {
        let session = inner.sessions.get(id)?;
        let now = self.now();
        let at_bank = people::accounts(session.bank, &progress.username)
            .into_iter()
            .nth(progress.chosen)?;
        let account = Account {
            owner: session.owner,
            id: self.draw_id(),
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
        inner.ledger.accounts.push(AccountEntry {
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
        inner: &mut Inner,
        (owner, session, account): (usize, &str, &str),
        stale: bool,
        reauth: bool,
    ) -> String {
        let code = format!(
            "code_{}",
            self.draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 24)
        );
        let now = self.now();
        let life = Duration::from_millis(inner.switches.code_lifetime_ms);
        inner.codes.insert(code.clone(), (inner.ledger.grants.len(), owner));
        inner.ledger.grants.push(GrantEntry {
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

fn ask_for(inner: &mut Inner, id: &str, voice: Voice, progress: Progress, ask: Ask) -> (Outcome, Answer) {
    let field = answer_field(ask, voice.dialect);
    let form = |title: &str, hint: &'static str| {
        let element = asked(field, hint, ask == Ask::Picture);
        ui(title, &[element])
    };
    let first_index = inner.switches.first_index;
    let Some(session) = inner.sessions.get_mut(id) else {
        return (Outcome::NoSession, session_over(&inner.switches));
    };
    let answer = match ask {
        Ask::Otp => voice.prompt(
            "OTP required",
            form("Please input OTP sent to you", "Do not share this code"),
        ),
        Ask::Question => voice.prompt("Answer required", form("Security question", "What was your first pet?")),
        Ask::Picture => voice.prompt(
            "Picture required",
            form("Prove that you are human", "Digits in the picture"),
        ),
        Ask::Choose => voice.choose(&people::accounts(session.bank, &progress.username), first_index),
    };
    let mut names = match std::mem::replace(&mut session.stage, Stage::Login) {
        Stage::Answering { handed, .. } if progress.answered > 0 => handed,
        _ => Vec::new(),
    };
    names.push(field);
    session.stage = Stage::Answering {
        progress,
        handed: names,
        wrong: 0,
    };
    (
        if ask == Ask::Choose {
            Outcome::AccountsAsked
        } else {
            Outcome::InputAsked
        },
        answer,
    )
}

fn count_wrong_code(inner: &mut Inner, id: &str) {
    let most = inner.switches.wrong_codes;
    let Some(session) = inner.sessions.get_mut(id) else {
        return;
    };
    if let Stage::Answering { wrong, .. } = &mut session.stage {
        *wrong += 1;
        if *wrong >= most {
            session.stage = Stage::Over;
        }
    }
}

/// The texts end users are shown by Mono's widget; what the API says in their place is unpublished.
fn message(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Wrong => "Username or password incorrect",
        Refusal::Down => "Couldn't connect to your institution",
        Refusal::Locked => "Action required with your account",
    }
}
