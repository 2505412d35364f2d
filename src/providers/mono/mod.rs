//! Mono's Connect API for partners, in which we ask for the bank login ourselves.
//!
//! The flow is: open a session for an institution and an auth method, post the login, post what the replies ask for until
//! they return a code, and exchange that code for an account id within ten minutes. Two versions are implemented: v2 (with
//! v3's list of institutions), which is current, and v1, which was to be switched off in 2024 and may still answer. They
//! differ in paths and shapes; `outcome` reads the replies of both, and decides what is final.
//!
//! What the documentation leaves open is a setting of [`MonoSettings`], not a guess.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use self::forms::JsonBody;
use self::lenient::LenientList;
use self::outcome::SubmissionContext;
use super::{
    AccountsQuery, Credentials, Customer, Institution, Provider, ProviderAccount, ProviderError, ProviderEvent,
    SessionKind, SessionRequest, SessionResponse, Submission, SubmissionStep, SubmitError, WebhookError,
};
use crate::core::next_step::{Grant, NextStep};
use crate::core::secret::Secret;
use crate::http_client::base_url::BaseUrl;
use crate::http_client::{HttpClient, OutboundError, OutboundRequest, OutboundResponse};

mod forms;
mod lenient;
mod map;
mod outcome;
mod webhook;
mod wire;

/// Five thousand institutions with long names fit.
const MAX_LIST_BYTES: usize = 8 * 1024 * 1024;

const V1_HAS_NO_REAUTH: ProviderError =
    ProviderError::Refused("v1 renews a consent in a browser only, which a keypad has not");
const V1_HAS_NO_LIST: ProviderError = ProviderError::Refused("v1 has no list of linked accounts");
const V1_NEEDS_APP_ID: ProviderError = ProviderError::Refused("v1 wants an application id among the credentials");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MonoApiVersion {
    /// With v3's list of institutions: the current one.
    V2,
    /// With flat replies: the one of 2022.
    V1,
}

/// What depends on the installation, or is left open by Mono's documentation.
pub struct MonoSettings {
    /// The root of the API, such as `https://api.withmono.com`; the key selects live or sandbox.
    pub base_url: BaseUrl,
    pub dialect: MonoApiVersion,
    /// The plain secret that Mono sends with each webhook; without one no webhook is accepted.
    pub webhook_secret: Option<Secret>,
    pub unlink: UnlinkCall,
    /// Where the later answers of a reauthorisation are posted, below the base URL. Only the first call is documented; the
    /// commit path of linking is the likeliest.
    pub reauth_commit_path: String,
    /// Whether the code that ends a reauthorisation is exchanged like that of a link; not documented. If it is not, the grant
    /// is empty, and redeeming it makes no call and returns no account.
    pub exchange_reauth_code: bool,
    /// Whether `meta.session_id` of an account is the connect session it was linked in. The field is documented, its meaning
    /// is not. If it means something else, it does not identify accounts, and a login whose answer was lost cannot be found
    /// by it.
    pub account_names_session: bool,
    /// How long calls other than submissions may take.
    pub call_timeout: Duration,
}

impl MonoSettings {
    /// With the likelier answer to each open question.
    pub fn new(base_url: BaseUrl, dialect: MonoApiVersion) -> Self {
        Self {
            base_url,
            dialect,
            webhook_secret: None,
            unlink: UnlinkCall::InPath,
            reauth_commit_path: "v2/connect/commit".to_owned(),
            exchange_reauth_code: true,
            account_names_session: true,
            call_timeout: Duration::from_secs(15),
        }
    }
}

/// How an account is unlinked: known clients do the first, one source documents a path without an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkCall {
    /// `POST accounts/{id}/unlink`, without a body.
    InPath,
    /// `POST accounts/unlink`, the id in a JSON member of this name.
    InBody(String),
}

/// Mono's client for one installation. Holds no partner's key.
pub struct Mono {
    settings: MonoSettings,
    client: HttpClient,
}

impl Mono {
    pub fn new(settings: MonoSettings, client: HttpClient) -> Self {
        Self { settings, client }
    }

    /// The URL of a path; a segment that cannot be in one (an empty id) is `NotFound`.
    fn url(&self, segments: &[&str]) -> Result<Url, ProviderError> {
        self.settings.base_url.join(segments).ok_or(ProviderError::NotFound)
    }

    /// Sends a request that may be repeated.
    async fn call(&self, credentials: &Credentials, call: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        let call = call.header("mono-sec-key", credentials.secret_key.expose());
        self.client.send(call.timeout(self.settings.call_timeout)).await
    }

    fn session_body(
        &self,
        credentials: &Credentials,
        opening: &SessionRequest<'_>,
    ) -> Result<PathAndBody, ProviderError> {
        match (opening, self.settings.dialect) {
            (
                SessionRequest::Link {
                    institution,
                    method,
                    customer,
                },
                MonoApiVersion::V2,
            ) => Ok((
                &["v2", "connect", "session"],
                link_body_v2(&institution.provider_id, method, customer),
            )),
            (
                SessionRequest::Link {
                    institution, method, ..
                },
                MonoApiVersion::V1,
            ) => {
                let app = credentials.app_id.as_deref().ok_or(V1_NEEDS_APP_ID)?;
                let room = app.len() + institution.provider_id.len() + method.len() + 64;
                let body = JsonBody::with_room(room).text("app", app);
                let body = body.text("institution", &institution.provider_id);
                Ok((&["v1", "connect", "session"], body.text("auth_method", method).finish()))
            }
            (SessionRequest::Reauth { account }, MonoApiVersion::V2) => {
                let body = JsonBody::with_room(account.expose().len() + 16).text("account", account.expose());
                Ok((&["v2", "connect", "reauth", "session"], body.finish()))
            }
            (SessionRequest::Reauth { .. }, MonoApiVersion::V1) => Err(V1_HAS_NO_REAUTH),
        }
    }

    fn submit_url(&self, step: SubmissionStep, kind: SessionKind) -> Option<Url> {
        let base = &self.settings.base_url;
        match (self.settings.dialect, kind, step) {
            (MonoApiVersion::V2, SessionKind::Link, SubmissionStep::Login) => base.join(&["v2", "connect", "login"]),
            (MonoApiVersion::V2, SessionKind::Link, _) => base.join(&["v2", "connect", "commit"]),
            (MonoApiVersion::V2, SessionKind::Reauth, SubmissionStep::Login) => {
                base.join(&["v2", "connect", "reauth", "login"])
            }
            (MonoApiVersion::V2, SessionKind::Reauth, _) => {
                let path: Vec<_> = self.settings.reauth_commit_path.trim_matches('/').split('/').collect();
                base.join(&path)
            }
            (MonoApiVersion::V1, SessionKind::Link, SubmissionStep::Login) => base.join(&["v1", "connect", "login"]),
            (MonoApiVersion::V1, SessionKind::Link, _) => base.join(&["v1", "connect", "commit"]),
            (MonoApiVersion::V1, SessionKind::Reauth, _) => None,
        }
    }

    fn submit_body(&self, submission: &Submission<'_>) -> Zeroizing<Vec<u8>> {
        match (submission.step, submission.answers) {
            (SubmissionStep::Choose, [(name, key)]) if name.is_empty() => {
                let body = JsonBody::with_room(key.expose().len() + 16);
                match self.settings.dialect {
                    MonoApiVersion::V2 => body.text("accountNumber", key.expose()),
                    MonoApiVersion::V1 => body.number_or_text("account", key.expose()),
                }
                .finish()
            }
            // Only the session's own form is known here; that of a later question went to the person.
            (SubmissionStep::Login, answers) => forms::answers_body(submission.session.form.as_ref(), answers),
            (_, answers) => forms::answers_body(None, answers),
        }
    }
}

/// The path of a request and its body.
type PathAndBody = (&'static [&'static str], Zeroizing<Vec<u8>>);

fn link_body_v2(institution: &str, method: &str, customer: &Customer) -> Zeroizing<Vec<u8>> {
    let room = customer.name.len() + customer.email.len() + 32;
    let person = JsonBody::with_room(room)
        .text("name", &customer.name)
        .text("email", &customer.email);
    JsonBody::with_room(room + institution.len() + method.len() + 96)
        .text("institution", institution)
        .text("auth_method", method)
        .text("scope", "financial_data")
        .object("customer", person)
        .finish()
}

impl Mono {
    async fn read_accounts(
        &self,
        credentials: &Credentials,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError> {
        match (which, self.settings.dialect) {
            (AccountsQuery::One(id), dialect) => {
                let url = match dialect {
                    MonoApiVersion::V2 => self.url(&["v2", "accounts", id.expose()])?,
                    MonoApiVersion::V1 => self.url(&["accounts", id.expose()])?,
                };
                let answer = self.call(credentials, OutboundRequest::get(url)).await?;
                let account = map::account(outcome::body(&answer)?, id);
                Ok(vec![account.ok_or(ProviderError::Malformed("no account"))?])
            }
            (AccountsQuery::All, MonoApiVersion::V2) => {
                let call = OutboundRequest::get(self.url(&["v2", "accounts"])?).limit(MAX_LIST_BYTES);
                let answer = self.call(credentials, call).await?;
                let LenientList::<wire::MonoAccount>(list) = outcome::body(&answer)?;
                let list = list.ok_or(ProviderError::Malformed("no list of accounts"))?;
                Ok(list
                    .into_iter()
                    .filter_map(|account| map::listed_account(account).ok())
                    .collect())
            }
            (AccountsQuery::All, MonoApiVersion::V1) => Err(V1_HAS_NO_LIST),
        }
    }
}

#[async_trait]
impl Provider for Mono {
    fn name(&self) -> &'static str {
        "mono"
    }

    async fn institutions(&self, credentials: &Credentials) -> Result<Vec<Institution>, ProviderError> {
        let url = match self.settings.dialect {
            MonoApiVersion::V2 => {
                let mut url = self.url(&["v3", "institutions"])?;
                url.set_query(Some("scope=financial_data"));
                url
            }
            MonoApiVersion::V1 => self.url(&["v1", "institutions"])?,
        };
        let answer = self
            .call(credentials, OutboundRequest::get(url).limit(MAX_LIST_BYTES))
            .await?;
        let LenientList(list) = outcome::body(&answer)?;
        let list = list.ok_or(ProviderError::Malformed("no list of institutions"))?;
        Ok(map::institutions(list))
    }

    async fn open_session(
        &self,
        credentials: &Credentials,
        opening: SessionRequest<'_>,
    ) -> Result<SessionResponse, ProviderError> {
        let (path, body) = self.session_body(credentials, &opening)?;
        let kind = match opening {
            SessionRequest::Link { .. } => SessionKind::Link,
            SessionRequest::Reauth { .. } => SessionKind::Reauth,
        };
        let answer = self
            .call(credentials, OutboundRequest::post(self.url(path)?).json(body))
            .await?;
        let head = outcome::check_accepted(&answer)?.ok_or(ProviderError::Malformed("no session"))?;
        if kind == SessionKind::Reauth && outcome::code(&head) == Some(99) {
            let code = head.data.0.and_then(|data| data.code);
            return match code.filter(|code| !code.expose().is_empty()) {
                _ if !self.settings.exchange_reauth_code => Ok(SessionResponse::Done(None)),
                Some(code) => Ok(SessionResponse::Done(Some(Grant(code)))),
                None => Err(ProviderError::Malformed("renewed without a code")),
            };
        }
        let session = map::session(outcome::body(&answer)?, kind);
        session
            .map(SessionResponse::Session)
            .ok_or(ProviderError::Malformed("no session id"))
    }

    async fn submit(&self, credentials: &Credentials, submission: Submission<'_>) -> Result<NextStep, SubmitError> {
        let (step, kind) = (submission.step, submission.session.kind);
        let url = self
            .submit_url(step, kind)
            .ok_or(SubmitError::NotSent("this dialect has no such call"))?;
        let call = OutboundRequest::post(url)
            .header("mono-sec-key", credentials.secret_key.expose())
            .header("x-session-id", &submission.session.id)
            .json(self.submit_body(&submission))
            .timeout(submission.timeout)
            .on_fresh_connection();
        let answer = self.client.send(call).await?;
        outcome::next_step(
            &answer,
            SubmissionContext {
                dialect: self.settings.dialect,
                step,
                kind,
                exchange_reauth_code: self.settings.exchange_reauth_code,
            },
        )
    }

    async fn redeem(&self, credentials: &Credentials, grant: &Grant) -> Result<Vec<ProviderAccount>, ProviderError> {
        let code = grant.0.expose();
        if code.is_empty() {
            return Ok(Vec::new());
        }
        let url = match self.settings.dialect {
            MonoApiVersion::V2 => self.url(&["v2", "accounts", "auth"])?,
            MonoApiVersion::V1 => self.url(&["account", "auth"])?,
        };
        let body = JsonBody::with_room(code.len() + 8).text("code", code).finish();
        let answer = self
            .call(credentials, OutboundRequest::post(url).json(body).on_fresh_connection())
            .await?;
        let reply: wire::ExchangeReply = outcome::body(&answer)?;
        let id = reply.data.0.and_then(|data| data.id).or(reply.id);
        let id = id
            .filter(|id| !id.expose().is_empty())
            .ok_or(ProviderError::Malformed("exchanged without an account id"))?;
        Ok(vec![ProviderAccount {
            id,
            session_id: None,
            details: None,
        }])
    }

    async fn accounts(
        &self,
        credentials: &Credentials,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError> {
        let mut accounts = self.read_accounts(credentials, which).await?;
        if !self.settings.account_names_session {
            for account in &mut accounts {
                account.session_id = None;
            }
        }
        Ok(accounts)
    }

    async fn unlink(&self, credentials: &Credentials, account: &Secret) -> Result<(), ProviderError> {
        let id = account.expose();
        let root: &[&str] = match self.settings.dialect {
            MonoApiVersion::V2 => &["v2", "accounts"],
            MonoApiVersion::V1 => &["accounts"],
        };
        let call = match &self.settings.unlink {
            UnlinkCall::InPath => OutboundRequest::post(self.url(&[root, &[id, "unlink"]].concat())?),
            UnlinkCall::InBody(name) => OutboundRequest::post(self.url(&[root, &["unlink"]].concat())?)
                .json(JsonBody::with_room(name.len() + id.len()).text(name, id).finish()),
        };
        let answer = self.call(credentials, call).await?;
        outcome::check_accepted(&answer).map(|_| ())
    }

    fn parse_webhook(&self, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<Option<ProviderEvent>, WebhookError> {
        webhook::parse(self.settings.webhook_secret.as_ref(), headers, body)
    }
}
