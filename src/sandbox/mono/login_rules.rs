//! What a submission amounts to, before anything is changed.
//!
//! Asked on arrival (is there trouble ahead?) and again when the latency has passed and the submission is carried out:
//! a session may have run out, or another login may have come, in between.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call_log::MonoVersion;
use super::institutions::LoginMethod;
use super::people;
use super::scenario::{self, Challenge, LoginScenario, PLAIN_LOGIN, RefusalReason};
use super::state::{MonoInner, MonoRequest, MonoState, SessionStage, StandInSession};
use super::switches::{MonoCall, MonoFailure, MonoSwitches};

/// How far one login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginProgress {
    pub path: LoginScenario,
    /// How many of the path's questions are answered.
    pub answered: usize,
    pub username: String,
    /// Which of the person's accounts.
    pub chosen: usize,
}

/// What a submission amounts to.
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

/// The body as texts by name; nothing where it is no flat object.
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

/// The field that answers a question.
pub(super) fn answer_field(ask: Challenge, dialect: MonoVersion) -> &'static str {
    match (ask, dialect) {
        (Challenge::Otp, _) => "otp",
        (Challenge::Question, _) => "answer",
        (Challenge::Picture, _) => "captcha",
        (Challenge::Choose, MonoVersion::V1) => "account",
        (Challenge::Choose, MonoVersion::V2) => "accountNumber",
    }
}

fn path_of(switches: &MonoSwitches, session: &StandInSession, username: &str) -> LoginScenario {
    let chosen = |word: Option<&String>| word.and_then(|word| scenario::find_scenario(word));
    chosen(switches.every_login.as_ref())
        .or_else(|| scenario::find_scenario(username))
        .or_else(|| chosen(switches.by_institution.get(session.bank.id)))
        .unwrap_or(PLAIN_LOGIN)
}

impl MonoState {
    /// The id under which the session of a request is kept.
    pub(super) fn session_id(inner: &MonoInner, request: &MonoRequest) -> Option<String> {
        let id = request.session.as_ref()?;
        let renews = |id: &String| {
            inner
                .sessions
                .get(id)
                .is_some_and(|session| session.reauth_of.is_some())
        };
        match request.call {
            MonoCall::ReauthLogin if renews(id) => Some(id.clone()),
            MonoCall::ReauthLogin => inner.renewals.get(id).cloned(),
            MonoCall::Login if renews(id) => None,
            _ => Some(id.clone()),
        }
    }

    pub(super) fn decide(&self, inner: &MonoInner, owner: usize, request: &MonoRequest) -> LoginDecision {
        let session = Self::session_id(inner, request).and_then(|id| inner.sessions.get(&id));
        let live = |session: &&StandInSession| session.owner == owner && session.expires_at > self.now();
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
                decide_answer(&inner.switches, session, request.dialect, (progress, handed), &values)
            }
            (_, MonoCall::Commit) => LoginDecision::BadFields,
            _ => decide_login(&inner.switches, session, &values),
        }
    }

    /// What will go wrong with the answer, by what the person typed. It strikes the submission that ends the login.
    pub(super) fn expected_failure(
        &self,
        inner: &MonoInner,
        owner: usize,
        request: &MonoRequest,
    ) -> Option<MonoFailure> {
        if !request.call.is_submit() {
            return None;
        }
        match self.decide(inner, owner, request) {
            LoginDecision::Goes(progress) if progress.answered == progress.path.asks.len() => progress.path.trouble,
            _ => None,
        }
    }

    /// Writes into the ledger who submitted, and a digest of what must not be kept.
    #[expect(clippy::unused_self, reason = "stands beside its kind")]
    pub(super) fn log_submission(&self, inner: &mut MonoInner, request: &MonoRequest) {
        let session = Self::session_id(inner, request).and_then(|id| inner.sessions.get(&id));
        let (Some(session), Some(values)) = (session, values(&request.body)) else {
            return;
        };
        let (username, secret) = match (&session.stage, request.call) {
            (SessionStage::Answering { progress, .. }, MonoCall::Commit) => {
                let ask = progress
                    .path
                    .asks
                    .get(progress.answered)
                    .filter(|ask| **ask != Challenge::Choose);
                (None, ask.map(|ask| answer_field(*ask, request.dialect)))
            }
            (_, MonoCall::Commit) => (None, None),
            _ => (
                values.get(naming_field(session.method)).cloned(),
                secret_field(session.method),
            ),
        };
        let digest = secret
            .and_then(|name| values.get(name))
            .map(|text| people::sha256_hex(text));
        if let Some(submit) = inner.call_log.submit_mut(request.no) {
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
        path: path_of(switches, session, &username),
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
    let Some(ask) = progress.path.asks.get(progress.answered) else {
        return LoginDecision::BadFields;
    };
    // The published example sends the answers to two questions at once, so names handed out before are let pass.
    let known = values.keys().all(|name| handed.contains(&name.as_str()));
    let Some(value) = values.get(answer_field(*ask, dialect)).filter(|_| known) else {
        return LoginDecision::BadFields;
    };
    let mut chosen = progress.chosen;
    let right = match ask {
        Challenge::Otp => value == scenario::OTP,
        Challenge::Question => scenario::ANSWERS
            .iter()
            .any(|answer| answer.eq_ignore_ascii_case(value.trim())),
        Challenge::Picture => value.len() == 4,
        Challenge::Choose => {
            let accounts = people::accounts(session.bank, &progress.username);
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
