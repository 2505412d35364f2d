//! What a submission amounts to, before anything is changed.
//!
//! Asked on arrival (is there trouble ahead?) and again when the latency has passed and the submission is carried out:
//! a session may have run out, or another login may have come, in between.

use std::collections::BTreeMap;

use serde_json::Value;

use super::institutions::Method;
use super::ledger::Dialect;
use super::people;
use super::scenario::{self, Ask, PLAIN, Path, Refusal};
use super::state::{Inner, Request, Session, Stage, State};
use super::switches::{Call, Switches, Trouble};

/// How far one login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub path: Path,
    /// How many of the path's questions are answered.
    pub answered: usize,
    pub username: String,
    /// Which of the person's accounts.
    pub chosen: usize,
}

/// What a submission amounts to.
pub(super) enum Verdict {
    NoSession,
    BadFields,
    Refused(Refusal),
    WrongCode,
    Goes(Progress),
}

/// The name of the field that names the person: the first plain input that is not secret, else the first field.
pub(super) fn naming_field(method: &Method) -> &'static str {
    let open = method
        .form
        .iter()
        .find(|element| element.is_input() && !element.is_secret());
    open.or(method.form.first()).map_or("", |element| element.name)
}

/// The name of the field with the password or PIN.
fn secret_field(method: &Method) -> Option<&'static str> {
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
pub(super) fn answer_field(ask: Ask, dialect: Dialect) -> &'static str {
    match (ask, dialect) {
        (Ask::Otp, _) => "otp",
        (Ask::Question, _) => "answer",
        (Ask::Picture, _) => "captcha",
        (Ask::Choose, Dialect::V1) => "account",
        (Ask::Choose, Dialect::V2) => "accountNumber",
    }
}

fn path_of(switches: &Switches, session: &Session, username: &str) -> Path {
    let chosen = |word: Option<&String>| word.and_then(|word| scenario::word(word));
    chosen(switches.every_login.as_ref())
        .or_else(|| scenario::word(username))
        .or_else(|| chosen(switches.by_institution.get(session.bank.id)))
        .unwrap_or(PLAIN)
}

impl State {
    /// The id under which the session of a request is kept.
    pub(super) fn session_id(inner: &Inner, request: &Request) -> Option<String> {
        let id = request.session.as_ref()?;
        let renews = |id: &String| {
            inner
                .sessions
                .get(id)
                .is_some_and(|session| session.reauth_of.is_some())
        };
        match request.call {
            Call::ReauthLogin if renews(id) => Some(id.clone()),
            Call::ReauthLogin => inner.renewals.get(id).cloned(),
            Call::Login if renews(id) => None,
            _ => Some(id.clone()),
        }
    }

    pub(super) fn judge(&self, inner: &Inner, owner: usize, request: &Request) -> Verdict {
        let session = Self::session_id(inner, request).and_then(|id| inner.sessions.get(&id));
        let live = |session: &&Session| session.owner == owner && session.expires_at > self.now();
        let Some(session) = session
            .filter(live)
            .filter(|session| !matches!(session.stage, Stage::Over))
        else {
            return Verdict::NoSession;
        };
        let Some(values) = values(&request.body) else {
            return Verdict::BadFields;
        };
        match (&session.stage, request.call) {
            (Stage::Answering { progress, handed, .. }, Call::Commit) => {
                judge_answer(&inner.switches, session, request.dialect, (progress, handed), &values)
            }
            (_, Call::Commit) => Verdict::BadFields,
            _ => judge_login(&inner.switches, session, &values),
        }
    }

    /// What will go wrong with the answer, by what the person typed. It strikes the submission that ends the login.
    pub(super) fn trouble_ahead(&self, inner: &Inner, owner: usize, request: &Request) -> Option<Trouble> {
        if !request.call.is_submit() {
            return None;
        }
        match self.judge(inner, owner, request) {
            Verdict::Goes(progress) if progress.answered == progress.path.asks.len() => progress.path.trouble,
            _ => None,
        }
    }

    /// Writes into the ledger who submitted, and a digest of what must not be kept.
    #[expect(clippy::unused_self, reason = "stands beside its kind")]
    pub(super) fn note_submission(&self, inner: &mut Inner, request: &Request) {
        let session = Self::session_id(inner, request).and_then(|id| inner.sessions.get(&id));
        let (Some(session), Some(values)) = (session, values(&request.body)) else {
            return;
        };
        let (username, secret) = match (&session.stage, request.call) {
            (Stage::Answering { progress, .. }, Call::Commit) => {
                let ask = progress
                    .path
                    .asks
                    .get(progress.answered)
                    .filter(|ask| **ask != Ask::Choose);
                (None, ask.map(|ask| answer_field(*ask, request.dialect)))
            }
            (_, Call::Commit) => (None, None),
            _ => (
                values.get(naming_field(session.method)).cloned(),
                secret_field(session.method),
            ),
        };
        let digest = secret
            .and_then(|name| values.get(name))
            .map(|text| people::sha256_hex(text));
        if let Some(submit) = inner.ledger.submit_mut(request.no) {
            submit.username = username;
            submit.secret_sha256 = digest;
        }
    }
}

fn judge_login(switches: &Switches, session: &Session, values: &BTreeMap<String, String>) -> Verdict {
    let form = session.method.form;
    let fits = values.len() == form.len()
        && form
            .iter()
            .all(|element| values.get(element.name).is_some_and(|value| element.takes(value)));
    if !fits {
        return Verdict::BadFields;
    }
    let username = values.get(naming_field(session.method)).cloned().unwrap_or_default();
    let secret = secret_field(session.method).and_then(|name| values.get(name));
    if secret.is_some_and(|secret| scenario::WRONG_SECRETS.contains(&secret.as_str())) {
        return Verdict::Refused(Refusal::Wrong);
    }
    Verdict::Goes(Progress {
        path: path_of(switches, session, &username),
        answered: 0,
        username,
        chosen: 0,
    })
}

fn judge_answer(
    switches: &Switches,
    session: &Session,
    dialect: Dialect,
    (progress, handed): (&Progress, &[&'static str]),
    values: &BTreeMap<String, String>,
) -> Verdict {
    let Some(ask) = progress.path.asks.get(progress.answered) else {
        return Verdict::BadFields;
    };
    // The published example sends the answers to two questions at once, so names handed out before are let pass.
    let known = values.keys().all(|name| handed.contains(&name.as_str()));
    let Some(value) = values.get(answer_field(*ask, dialect)).filter(|_| known) else {
        return Verdict::BadFields;
    };
    let mut chosen = progress.chosen;
    let right = match ask {
        Ask::Otp => value == scenario::OTP,
        Ask::Question => scenario::ANSWERS
            .iter()
            .any(|answer| answer.eq_ignore_ascii_case(value.trim())),
        Ask::Picture => value.len() == 4,
        Ask::Choose => {
            let accounts = people::accounts(session.bank, &progress.username);
            let index = |value: &str| value.parse::<u64>().ok()?.checked_sub(switches.first_index);
            let place = match dialect {
                Dialect::V1 => index(value).and_then(|index| usize::try_from(index).ok()),
                Dialect::V2 => accounts.iter().position(|account| account.number == *value),
            };
            chosen = place.unwrap_or(usize::MAX);
            chosen < accounts.len()
        }
    };
    if !right {
        return Verdict::WrongCode;
    }
    Verdict::Goes(Progress {
        answered: progress.answered + 1,
        chosen,
        ..progress.clone()
    })
}
