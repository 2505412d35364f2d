//! The login rules: what a submission leads to, without changing anything.
//!
//! They are applied when a submission arrives (will it fail?) and again after the latency, when it is carried out: in between
//! the session may have expired, or another login may have arrived.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call_log::MonoVersion;
use super::customers;
use super::institutions::LoginMethod;
use super::scenario::{self, Challenge, LoginScenario, PLAIN_LOGIN, RefusalReason};
use super::state::{MonoMemory, MonoRequest, MonoState, SessionStage, StandInSession};
use super::switches::{MonoCall, MonoFailure, MonoSwitches};

/// How far one login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginProgress {
    pub scenario: LoginScenario,
    /// How many challenges of the scenario are answered.
    pub answered: usize,
    pub username: String,
    pub chosen: usize,
}

pub(super) enum LoginDecision {
    NoSession,
    BadFields,
    Refused(RefusalReason),
    WrongCode,
    Goes(LoginProgress),
}

/// The name of the field that names the person: the first plain input that is not secret, else the first field.
pub(super) fn naming_field(method: &LoginMethod) -> &'static str {
    let open = method
        .form
        .iter()
        .find(|element| element.is_input() && !element.is_secret());
    open.or(method.form.first()).map_or("", |element| element.name)
}

/// The name of the field with the password or PIN.
fn secret_field(method: &LoginMethod) -> Option<&'static str> {
    let naming = naming_field(method);
    let secrets = || {
        method
            .form
            .iter()
            .filter(|element| element.is_secret() && element.name != naming)
    };
    secrets()
        .find(|element| element.name == "password")
        .or(secrets().next_back())
        .map(|element| element.name)
}

/// The fields of the body; `None` if it is not a flat object.
fn values(body: &Value) -> Option<BTreeMap<String, String>> {
    let read = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    body.as_object()?
        .iter()
        .map(|(name, value)| Some((name.clone(), read(value)?)))
        .collect()
}

pub(super) fn answer_field(challenge: Challenge, dialect: MonoVersion) -> &'static str {
    match (challenge, dialect) {
        (Challenge::Otp, _) => "otp",
        (Challenge::Question, _) => "answer",
        (Challenge::Picture, _) => "captcha",
        (Challenge::Choose, MonoVersion::V1) => "account",
        (Challenge::Choose, MonoVersion::V2) => "accountNumber",
    }
}

fn scenario_for(switches: &MonoSwitches, session: &StandInSession, username: &str) -> LoginScenario {
    let chosen = |word: Option<&String>| word.and_then(|word| scenario::find_scenario(word));
    chosen(switches.every_login.as_ref())
        .or_else(|| scenario::find_scenario(username))
        .or_else(|| chosen(switches.by_institution.get(session.institution.id)))
        .unwrap_or(PLAIN_LOGIN)
}

impl MonoState {
    /// The id under which the session of a request is stored.
    pub(super) fn session_id(memory: &MonoMemory, request: &MonoRequest) -> Option<String> {
        let id = request.session.as_ref()?;
        let renews = |id: &String| {
            memory
                .sessions
                .get(id)
                .is_some_and(|session| session.reauth_of.is_some())
        };
        match request.call {
            MonoCall::ReauthLogin if renews(id) => Some(id.clone()),
            MonoCall::ReauthLogin => memory.renewals.get(id).cloned(),
            MonoCall::Login if renews(id) => None,
            _ => Some(id.clone()),
        }
    }

    pub(super) fn decide(&self, memory: &MonoMemory, owner: usize, request: &MonoRequest) -> LoginDecision {
        let session = Self::session_id(memory, request).and_then(|id| memory.sessions.get(&id));
        let live = |session: &&StandInSession| session.owner == owner && session.expires_at > self.core.now();
        let Some(session) = session
            .filter(live)
            .filter(|session| !matches!(session.stage, SessionStage::Over))
        else {
            return LoginDecision::NoSession;
        };
        let Some(values) = values(&request.body) else {
            return LoginDecision::BadFields;
        };
        match (&session.stage, request.call) {
            (SessionStage::Answering { progress, handed, .. }, MonoCall::Commit) => {
                decide_answer(&memory.switches, session, request.dialect, (progress, handed), &values)
            }
            (_, MonoCall::Commit) => LoginDecision::BadFields,
            _ => decide_login(&memory.switches, session, &values),
        }
    }

    /// The failure that the typed word asks for. It happens to the submission that ends the login.
    pub(super) fn expected_failure(
        &self,
        memory: &MonoMemory,
        owner: usize,
        request: &MonoRequest,
    ) -> Option<MonoFailure> {
        if !request.call.is_submit() {
            return None;
        }
        match self.decide(memory, owner, request) {
            LoginDecision::Goes(progress) if progress.answered == progress.scenario.challenges.len() => {
                progress.scenario.trouble
            }
            _ => None,
        }
    }

    /// Adds to the call log who submitted, and a digest of what must not be kept.
    #[expect(clippy::unused_self, reason = "a method like its siblings")]
    pub(super) fn log_submission(&self, memory: &mut MonoMemory, request: &MonoRequest) {
        let session = Self::session_id(memory, request).and_then(|id| memory.sessions.get(&id));
        let (Some(session), Some(values)) = (session, values(&request.body)) else {
            return;
        };
        let (username, secret) = match (&session.stage, request.call) {
            (SessionStage::Answering { progress, .. }, MonoCall::Commit) => {
                let challenge = progress
                    .scenario
                    .challenges
                    .get(progress.answered)
                    .filter(|challenge| **challenge != Challenge::Choose);
                (
                    None,
                    challenge.map(|challenge| answer_field(*challenge, request.dialect)),
                )
            }
            (_, MonoCall::Commit) => (None, None),
            _ => (
                values.get(naming_field(session.method)).cloned(),
                secret_field(session.method),
            ),
        };
        let digest = secret
            .and_then(|name| values.get(name))
            .map(|text| customers::sha256_hex(text));
        if let Some(submit) = memory.call_log.submit_mut(request.no) {
            submit.username = username;
            submit.secret_sha256 = digest;
        }
    }
}

fn decide_login(switches: &MonoSwitches, session: &StandInSession, values: &BTreeMap<String, String>) -> LoginDecision {
    let form = session.method.form;
    let fits = values.len() == form.len()
        && form
            .iter()
            .all(|element| values.get(element.name).is_some_and(|value| element.takes(value)));
    if !fits {
        return LoginDecision::BadFields;
    }
    let username = values.get(naming_field(session.method)).cloned().unwrap_or_default();
    let secret = secret_field(session.method).and_then(|name| values.get(name));
    if secret.is_some_and(|secret| scenario::WRONG_SECRETS.contains(&secret.as_str())) {
        return LoginDecision::Refused(RefusalReason::Wrong);
    }
    LoginDecision::Goes(LoginProgress {
        scenario: scenario_for(switches, session, &username),
        answered: 0,
        username,
        chosen: 0,
    })
}

fn decide_answer(
    switches: &MonoSwitches,
    session: &StandInSession,
    dialect: MonoVersion,
    (progress, handed): (&LoginProgress, &[&'static str]),
    values: &BTreeMap<String, String>,
) -> LoginDecision {
    let Some(challenge) = progress.scenario.challenges.get(progress.answered) else {
        return LoginDecision::BadFields;
    };
    // The published example sends the answers to two questions at once, so names of earlier questions are accepted too.
    let known = values.keys().all(|name| handed.contains(&name.as_str()));
    let Some(value) = values.get(answer_field(*challenge, dialect)).filter(|_| known) else {
        return LoginDecision::BadFields;
    };
    let mut chosen = progress.chosen;
    let right = match challenge {
        Challenge::Otp => value == scenario::OTP,
        Challenge::Question => scenario::ANSWERS
            .iter()
            .any(|answer| answer.eq_ignore_ascii_case(value.trim())),
        Challenge::Picture => value.len() == 4,
        Challenge::Choose => {
            let accounts = customers::accounts(session.institution, &progress.username);
            let index = |value: &str| value.parse::<u64>().ok()?.checked_sub(switches.first_index);
            let place = match dialect {
                MonoVersion::V1 => index(value).and_then(|index| usize::try_from(index).ok()),
                MonoVersion::V2 => accounts.iter().position(|account| account.number == *value),
            };
            chosen = place.unwrap_or(usize::MAX);
            chosen < accounts.len()
        }
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
