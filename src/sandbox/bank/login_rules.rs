//! The login rules: what a submission leads to, without changing anything.
//!
//! They are applied when a submission arrives (will it fail?) and again after the latency, when it is carried out: in between
//! the session may have expired, or another login may have arrived.

use std::collections::BTreeMap;

use super::customers::{self, sha256_hex};
use super::dialect::{CallClass, CallKind, CallRequest, Dialect};
use super::failures::BankFailure;
use super::magic_words::{ANSWERS, OTP, WRONG_SECRETS, find_scenario};
use super::memory::{BankMemory, SessionStage, StandInSession};
use super::scenario::{Challenge, LoginScenario, PLAIN_LOGIN, RefusalReason, approved_login};
use super::{Bank, BankSwitches};

/// How far one login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginProgress {
    pub scenario: LoginScenario,
    /// How many challenges of the scenario are answered.
    pub answered: usize,
    pub username: String,
    pub chosen: usize,
}

impl LoginProgress {
    /// What is asked next.
    pub fn challenge(&self) -> Option<Challenge> {
        self.scenario.challenges.get(self.answered).copied()
    }
}

pub(super) enum LoginDecision {
    NoSession,
    BadFields,
    Refused(RefusalReason),
    WrongCode,
    Goes(LoginProgress),
}

fn scenario_for<D: Dialect>(switches: &BankSwitches<D>, session: &StandInSession, username: &str) -> LoginScenario {
    let chosen = |word: Option<&String>| word.and_then(|word| find_scenario(word, D::APPROVALS));
    chosen(switches.every_login.as_ref())
        .or_else(|| find_scenario(username, D::APPROVALS))
        .or_else(|| chosen(switches.by_institution.get(session.institution.id)))
        .unwrap_or(session.method.approval.map_or(PLAIN_LOGIN, approved_login))
}

impl<D: Dialect> Bank<D> {
    pub(super) fn decide(&self, memory: &BankMemory<D>, owner: usize, request: &CallRequest<D>) -> LoginDecision {
        let id = D::session_id(memory, request);
        let session = id.and_then(|id| memory.session(owner, &id, self.now()));
        let Some(session) = session.filter(|session| !matches!(session.stage, SessionStage::Over)) else {
            return LoginDecision::NoSession;
        };
        let Some(values) = request.values() else {
            return LoginDecision::BadFields;
        };
        match (&session.stage, request.call.class()) {
            (SessionStage::Answering { progress, .. }, CallClass::Answer) => {
                decide_answer::<D>(&memory.switches, session, request.version, progress, &values)
            }
            (_, CallClass::Answer) => LoginDecision::BadFields,
            _ => decide_login::<D>(&memory.switches, session, &values),
        }
    }

    /// The failure that the typed word asks for. It happens to the submission that ends the login.
    pub(super) fn expected_failure(
        &self,
        memory: &BankMemory<D>,
        owner: usize,
        request: &CallRequest<D>,
    ) -> Option<BankFailure> {
        if !request.call.is_submit() {
            return None;
        }
        match self.decide(memory, owner, request) {
            LoginDecision::Goes(progress) if progress.challenge().is_none() => progress.scenario.trouble,
            _ => None,
        }
    }
}

/// Adds to the call log who submitted, and a digest of what must not be kept.
pub(super) fn log_submission<D: Dialect>(memory: &mut BankMemory<D>, request: &CallRequest<D>) {
    let session = D::session_id(memory, request).and_then(|id| memory.sessions.get(&id));
    let (Some(session), Some(values)) = (session, request.values()) else {
        return;
    };
    let (username, secret) = match (&session.stage, request.call.class()) {
        (SessionStage::Answering { progress, .. }, CallClass::Answer) => {
            let challenge = progress.challenge().filter(|challenge| *challenge != Challenge::Choose);
            (
                None,
                challenge.map(|challenge| D::answer_field(challenge, request.version)),
            )
        }
        (_, CallClass::Answer) => (None, None),
        _ => (
            values.get(session.method.naming_field()).cloned(),
            session.method.secret_field(),
        ),
    };
    let digest = secret.and_then(|name| values.get(name)).map(|text| sha256_hex(text));
    if let Some(submit) = memory.call_log.submit_mut(request.no) {
        submit.username = username;
        submit.secret_sha256 = digest;
    }
}

fn decide_login<D: Dialect>(
    switches: &BankSwitches<D>,
    session: &StandInSession,
    values: &BTreeMap<String, String>,
) -> LoginDecision {
    let (method, form) = (session.method, session.method.form);
    let fits = values.len() == form.len()
        && form
            .iter()
            .all(|element| values.get(element.name).is_some_and(|value| element.takes(value)));
    if !fits {
        return LoginDecision::BadFields;
    }
    // Without a form, the person is the one that the provider names.
    let username = values.get(method.naming_field()).unwrap_or(&session.customer).clone();
    let secret = method.secret_field().and_then(|name| values.get(name));
    if secret.is_some_and(|secret| WRONG_SECRETS.contains(&secret.as_str())) {
        return LoginDecision::Refused(RefusalReason::Wrong);
    }
    LoginDecision::Goes(LoginProgress {
        scenario: scenario_for::<D>(switches, session, &username),
        answered: 0,
        username,
        chosen: 0,
    })
}

fn decide_answer<D: Dialect>(
    switches: &BankSwitches<D>,
    session: &StandInSession,
    version: D::Version,
    progress: &LoginProgress,
    values: &BTreeMap<String, String>,
) -> LoginDecision {
    let Some(challenge) = progress.challenge() else {
        return LoginDecision::BadFields;
    };
    // Mono's published example sends the answers to two questions at once, so names of earlier questions are accepted too.
    let earlier = progress.scenario.challenges.iter().take(progress.answered + 1);
    let names: Vec<&str> = earlier.map(|challenge| D::answer_field(*challenge, version)).collect();
    let known = values.keys().all(|name| names.contains(&name.as_str()));
    let Some(value) = values.get(D::answer_field(challenge, version)).filter(|_| known) else {
        return LoginDecision::BadFields;
    };
    let mut chosen = progress.chosen;
    let right = match challenge {
        Challenge::Otp => value == OTP,
        Challenge::Question => ANSWERS.iter().any(|answer| answer.eq_ignore_ascii_case(value.trim())),
        Challenge::Picture => value.len() == 4,
        Challenge::Choose => {
            let accounts = customers::accounts(session.institution, &progress.username);
            chosen = D::chosen(switches, version, &accounts, value).unwrap_or(usize::MAX);
            chosen < accounts.len()
        }
        Challenge::Approve(..) => false,
    };
    if !right {
        return LoginDecision::WrongCode;
    }
    LoginDecision::Goes(LoginProgress {
        answered: progress.answered + 1,
        chosen,
        ..progress.clone()
    })
}
