//! Which path is which call, and what each call does.
//!
//! Besides the controls of every bank there is:
//!
//! | call | what it does |
//! |---|---|
//! | `POST /__stand-in/webhook` | sends an event: `{"event", "account"}` and any field of [`super::WebhookOverrides`] |

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{error_response, failed};
use super::{MonoDialect, MonoMemory};
use crate::sandbox::bank::answer::StandInAnswer;
use crate::sandbox::bank::guide::GuidePath;
use crate::sandbox::bank::memory::StandInSession;
use crate::sandbox::bank::server::CallRoute;
use crate::sandbox::bank::{Bank, CallClass, CallKind, CallRequest, HttpDialect};
use crate::sandbox::control::{bad_request, json_object};

use MonoVersion::{V1, V2};

/// A kind of call, in both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonoCall {
    Institutions,
    Session,
    /// The login: secrets go to a bank.
    Login,
    Commit,
    Sandbox,
    /// The code for an account id.
    Exchange,
    Accounts,
    Account,
    Unlink,
    ReauthSession,
    ReauthLogin,
    /// The first version's token for renewing in a browser.
    ReauthToken,
}

impl CallKind for MonoCall {
    fn class(self) -> CallClass {
        match self {
            Self::Login | Self::ReauthLogin => CallClass::Login,
            Self::Commit => CallClass::Answer,
            _ => CallClass::Other,
        }
    }
}

/// The version of the API that a call used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MonoVersion {
    V1,
    /// The second version, with the third version's list of institutions.
    V2,
}

const CALLS: &[CallRoute<MonoDialect>] = &[
    (Method::GET, "/v3/institutions", MonoCall::Institutions, V2),
    (Method::POST, "/v2/connect/session", MonoCall::Session, V2),
    (Method::POST, "/v2/connect/login", MonoCall::Login, V2),
    (Method::POST, "/v2/connect/commit", MonoCall::Commit, V2),
    (Method::GET, "/v2/connect/sandbox", MonoCall::Sandbox, V2),
    (Method::POST, "/v2/connect/reauth/session", MonoCall::ReauthSession, V2),
    (Method::POST, "/v2/connect/reauth/login", MonoCall::ReauthLogin, V2),
    (Method::POST, "/v2/accounts/auth", MonoCall::Exchange, V2),
    (Method::GET, "/v2/accounts", MonoCall::Accounts, V2),
    (Method::GET, "/v2/accounts/{id}", MonoCall::Account, V2),
    (Method::POST, "/v2/accounts/{id}/unlink", MonoCall::Unlink, V2),
    (Method::GET, "/v1/institutions", MonoCall::Institutions, V1),
    (Method::POST, "/v1/connect/session", MonoCall::Session, V1),
    (Method::POST, "/v1/connect/login", MonoCall::Login, V1),
    (Method::POST, "/v1/connect/commit", MonoCall::Commit, V1),
    (Method::POST, "/account/auth", MonoCall::Exchange, V1),
    (Method::GET, "/accounts/{id}", MonoCall::Account, V1),
    (Method::POST, "/accounts/{id}/unlink", MonoCall::Unlink, V1),
    (Method::POST, "/accounts/{id}/reauthorise", MonoCall::ReauthToken, V1),
];

impl HttpDialect for MonoDialect {
    const THREAD: &'static str = "mono-stand-in";
    const GUIDE_PATH: GuidePath = GuidePath {
        asked: "102",
        choose: "101",
        approve: "102",
        granted: "99",
        refused: "400",
        strange: "103",
    };

    fn calls() -> Vec<CallRoute<Self>> {
        CALLS.to_vec()
    }

    fn identify(req: &HttpRequest, request: &mut CallRequest<Self>) {
        let header = |name: &str| Some(req.headers().get(name)?.to_str().ok()?.to_owned());
        request.key = header("mono-sec-key");
        request.session = header("x-session-id");
    }

    fn owner(bank: &Bank<Self>, memory: &MonoMemory, request: &CallRequest<Self>) -> Result<usize, StandInAnswer> {
        let keys = &bank.dialect.keys;
        let known = match &request.key {
            Some(key) => keys.iter().position(|known| known.expose() == key),
            None => (request.call == MonoCall::Institutions && request.version == V1).then_some(0),
        };
        match known {
            Some(owner) if !memory.switches.own.addon_missing => Ok(owner),
            Some(_) => Err(StandInAnswer::Json(
                401,
                failed("You must be subscribed to the Partners API addon"),
            )),
            None => Err(error_response(memory, 401, "Unauthorized")),
        }
    }

    fn execute(bank: &Bank<Self>, memory: &mut MonoMemory, owner: usize, request: &CallRequest<Self>) -> StandInAnswer {
        match request.call {
            MonoCall::Institutions => bank.institutions(request),
            MonoCall::Session => bank.open_session(memory, owner, request),
            MonoCall::Sandbox => bank.credentials(memory, owner, request),
            MonoCall::Commit if begins_renewal(memory, request) => {
                let login = CallRequest {
                    call: MonoCall::Login,
                    version: request.version,
                    key: request.key.clone(),
                    session: request.session.clone(),
                    target: request.target.clone(),
                    query: request.query.clone(),
                    body: request.body.clone(),
                    no: request.no,
                };
                bank.log_in(memory, owner, &login)
            }
            MonoCall::Login | MonoCall::Commit | MonoCall::ReauthLogin => bank.log_in(memory, owner, request),
            MonoCall::Exchange => bank.exchange(memory, owner, request),
            MonoCall::Accounts => bank.accounts(memory, owner),
            MonoCall::Account => bank.account(memory, owner, request),
            MonoCall::Unlink => bank.end_account(memory, owner, request),
            MonoCall::ReauthSession => bank.reauth_session(memory, owner, request),
            MonoCall::ReauthToken => bank.reauth_token(memory, owner, request),
        }
    }

    fn failed(message: &str) -> Value {
        failed(message)
    }

    fn controls(config: &mut web::ServiceConfig) {
        config.route("/__stand-in/webhook", web::post().to(send_webhook));
    }
}

/// Whether the first version's commit answers the form of a session that renews: there is no login before it.
fn begins_renewal(memory: &MonoMemory, request: &CallRequest<MonoDialect>) -> bool {
    let session = request.session.as_ref().and_then(|id| memory.sessions.get(id));
    request.version == V1 && session.is_some_and(StandInSession::begins_renewal)
}

async fn send_webhook(bank: web::Data<Bank<MonoDialect>>, req: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(mut fields) = json_object(&req, payload).await else {
        return bad_request("a JSON object is wanted");
    };
    let mut take = |name| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (Some(event), account) = (take("event"), take("account").unwrap_or_default()) else {
        return bad_request("event is wanted");
    };
    match serde_json::from_value(Value::Object(fields)) {
        Ok(overrides) => {
            HttpResponse::Accepted().json(json!({ "event_id": bank.send_webhook(&event, &account, overrides) }))
        }
        Err(problem) => bad_request(&problem.to_string()),
    }
}
