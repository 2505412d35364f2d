//! Mono's Connect API for partners, in which we ask for the bank's login ourselves.
//!
//! The flow is: open a session for an institution and a way to log in, post the login, post what the replies ask for until
//! they hand out a code, and exchange that code for an account id within ten minutes. Two generations of it are spoken:
//! v2 (with v3's list of institutions), which is current, and v1, which was to be switched off in 2024 and may still
//! answer. They differ in paths and shapes; `outcome` reads the replies of both, and says what is final.
//!
//! Where the sources leave something open it is a setting of [`MonoSettings`], not a guess.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use zeroize::Zeroizing;

use self::forms::Body;
use self::lenient::Listing;
use self::outcome::Context;
use super::base_url::BaseUrl;
use super::http::{Answer, Call, Client, SendError};
use super::{
    Credentials, Customer, Institution, Opened, Opening, Provider, ProviderAccount, ProviderError, ProviderEvent,
    SessionKind, Step, Submission, SubmitError, WebhookError, Which,
};
use crate::core::next_step::{Grant, NextStep};
use crate::core::secret::Secret;

mod forms;
mod lenient;
mod map;
mod outcome;
mod webhook;
mod wire;

/// The most bytes of a list that are read: five thousand institutions with long names fit.
const LIST_LIMIT: usize = 8 * 1024 * 1024;

const NO_PARTNER_REAUTH: ProviderError =
    ProviderError::Refused("v1 renews a consent in a browser only, which a keypad has not");
const NO_LIST: ProviderError = ProviderError::Refused("v1 has no list of linked accounts");
const NO_APP: ProviderError = ProviderError::Refused("v1 wants an application id among the credentials");

/// Which generation of the API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// v2, with v3's list of institutions: the current one.
    V2,
    /// v1, flat replies: the one of 2022.
    V1,
}

/// What is particular to one installation, or left open by Mono's documentation.
pub struct MonoSettings {
    /// The root of the API, such as `https://api.withmono.com`; the key chooses between live and sandbox.
    pub base_url: BaseUrl,
    /// Which generation is spoken.
    pub dialect: Dialect,
    /// The plain secret Mono sends with each webhook; without one no webhook is believed.
    pub webhook_secret: Option<Secret>,
    /// How an account is unlinked.
    pub unlink: UnlinkCall,
    /// Where the later answers of a reauthorisation are posted, below the base. Only its first call is documented; the
    /// commit of linking is the likeliest.
    pub reauth_commit_path: String,
    /// Whether the code that ends a reauthorisation is exchanged like that of a link; the documentation is silent. When
    /// it is not, the grant handed on is empty, and redeeming it makes no call and gives no account.
    pub exchange_reauth_code: bool,
    /// Whether `meta.session_id` of an account is the connect session it was linked in. The field is documented, what it
    /// names is not. When it is something else, no account is told apart by it, and a login whose answer was lost cannot
    /// be found by it either.
    pub account_names_session: bool,
    /// How long calls other than submissions may take.
    pub call_timeout: Duration,
}

impl MonoSettings {
    /// The settings for the API at `base_url`, with the likelier answer to each open question.
    pub fn new(base_url: BaseUrl, dialect: Dialect) -> Self {
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

/// How an account is unlinked: clients do the first, one source writes a path without an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkCall {
    /// `POST accounts/{id}/unlink`, without a body.
    InPath,
    /// `POST accounts/unlink`, the id in a JSON member of this name.
    InBody(String),
}

/// Mono, as one installation uses it. Holds no partner's key.
pub struct Mono {
    settings: MonoSettings,
    client: Client,
}

impl Mono {
    /// Mono with these settings, called through `client`.
    pub fn new(settings: MonoSettings, client: Client) -> Self {
        Self { settings, client }
    }

    /// The URL of a path; a segment that cannot stand in one (an empty id) names nothing.
    fn url(&self, segments: &[&str]) -> Result<Url, ProviderError> {
        self.settings.base_url.at(segments).ok_or(ProviderError::NotFound)
    }

    /// Makes a call that may be repeated.
    async fn call(&self, credentials: &Credentials, call: Call) -> Result<Answer, SendError> {
        let call = call.header("mono-sec-key", credentials.secret_key.expose());
        self.client.send(call.timeout(self.settings.call_timeout)).await
    }

    fn session_body(&self, credentials: &Credentials, opening: &Opening<'_>) -> Result<PathAndBody, ProviderError> {
        match (opening, self.settings.dialect) {
            (
                Opening::Link {
                    institution,
                    method,
                    customer,
                },
                Dialect::V2,
            ) => Ok((
                &["v2", "connect", "session"],
                link_v2(&institution.provider_id, method, customer),
            )),
            (
                Opening::Link {
                    institution, method, ..
                },
                Dialect::V1,
            ) => {
                let app = credentials.app_id.as_deref().ok_or(NO_APP)?;
                let room = app.len() + institution.provider_id.len() + method.len() + 64;
                let body = Body::with_room(room).text("app", app);
                let body = body.text("institution", &institution.provider_id);
                Ok((&["v1", "connect", "session"], body.text("auth_method", method).finish()))
            }
            (Opening::Reauth { account }, Dialect::V2) => {
                let body = Body::with_room(account.expose().len() + 16).text("account", account.expose());
                Ok((&["v2", "connect", "reauth", "session"], body.finish()))
            }
            (Opening::Reauth { .. }, Dialect::V1) => Err(NO_PARTNER_REAUTH),
        }
    }

    /// Where a submission goes.
    fn submit_url(&self, step: Step, kind: SessionKind) -> Option<Url> {
        let base = &self.settings.base_url;
        match (self.settings.dialect, kind, step) {
            (Dialect::V2, SessionKind::Link, Step::Login) => base.at(&["v2", "connect", "login"]),
            (Dialect::V2, SessionKind::Link, _) => base.at(&["v2", "connect", "commit"]),
            (Dialect::V2, SessionKind::Reauth, Step::Login) => base.at(&["v2", "connect", "reauth", "login"]),
            (Dialect::V2, SessionKind::Reauth, _) => {
                let path: Vec<_> = self.settings.reauth_commit_path.trim_matches('/').split('/').collect();
                base.at(&path)
            }
            (Dialect::V1, SessionKind::Link, Step::Login) => base.at(&["v1", "connect", "login"]),
            (Dialect::V1, SessionKind::Link, _) => base.at(&["v1", "connect", "commit"]),
            (Dialect::V1, SessionKind::Reauth, _) => None,
        }
    }

    fn submit_body(&self, submission: &Submission<'_>) -> Zeroizing<Vec<u8>> {
        match (submission.step, submission.answers) {
            (Step::Choose, [(name, key)]) if name.is_empty() => {
                let body = Body::with_room(key.expose().len() + 16);
                match self.settings.dialect {
                    Dialect::V2 => body.text("accountNumber", key.expose()),
                    Dialect::V1 => body.number_or_text("account", key.expose()),
                }
                .finish()
            }
            // Only the session's own form is known here: that of a later question went to the person.
            (Step::Login, answers) => forms::answers(submission.session.form.as_ref(), answers),
            (_, answers) => forms::answers(None, answers),
        }
    }
}

/// The path of a call and its body.
type PathAndBody = (&'static [&'static str], Zeroizing<Vec<u8>>);

fn link_v2(institution: &str, method: &str, customer: &Customer) -> Zeroizing<Vec<u8>> {
    let room = customer.name.len() + customer.email.len() + 32;
    let person = Body::with_room(room)
        .text("name", &customer.name)
        .text("email", &customer.email);
    Body::with_room(room + institution.len() + method.len() + 96)
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
        which: Which<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError> {
        match (which, self.settings.dialect) {
            (Which::One(id), dialect) => {
                let url = match dialect {
                    Dialect::V2 => self.url(&["v2", "accounts", id.expose()])?,
                    Dialect::V1 => self.url(&["accounts", id.expose()])?,
                };
                let answer = self.call(credentials, Call::get(url)).await?;
                let account = map::account(outcome::body(&answer)?, id);
                Ok(vec![account.ok_or(ProviderError::Garbled("no account"))?])
            }
            (Which::All, Dialect::V2) => {
                let call = Call::get(self.url(&["v2", "accounts"])?).limit(LIST_LIMIT);
                let answer = self.call(credentials, call).await?;
                let Listing::<wire::Account>(list) = outcome::body(&answer)?;
                let list = list.ok_or(ProviderError::Garbled("no list of accounts"))?;
                Ok(list
                    .into_iter()
                    .filter_map(|account| map::listed(account).ok())
                    .collect())
            }
            (Which::All, Dialect::V1) => Err(NO_LIST),
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
            Dialect::V2 => {
                let mut url = self.url(&["v3", "institutions"])?;
                url.set_query(Some("scope=financial_data"));
                url
            }
            Dialect::V1 => self.url(&["v1", "institutions"])?,
        };
        let answer = self.call(credentials, Call::get(url).limit(LIST_LIMIT)).await?;
        let Listing(list) = outcome::body(&answer)?;
        let list = list.ok_or(ProviderError::Garbled("no list of institutions"))?;
        Ok(map::institutions(list))
    }

    async fn open(&self, credentials: &Credentials, opening: Opening<'_>) -> Result<Opened, ProviderError> {
        let (path, body) = self.session_body(credentials, &opening)?;
        let kind = match opening {
            Opening::Link { .. } => SessionKind::Link,
            Opening::Reauth { .. } => SessionKind::Reauth,
        };
        let answer = self.call(credentials, Call::post(self.url(path)?).json(body)).await?;
        let head = outcome::accepted(&answer)?.ok_or(ProviderError::Garbled("no session"))?;
        if kind == SessionKind::Reauth && outcome::code(&head) == Some(99) {
            let code = head.data.0.and_then(|data| data.code);
            return match code.filter(|code| !code.expose().is_empty()) {
                _ if !self.settings.exchange_reauth_code => Ok(Opened::Done(None)),
                Some(code) => Ok(Opened::Done(Some(Grant(code)))),
                None => Err(ProviderError::Garbled("renewed without a code")),
            };
        }
        let session = map::session(outcome::body(&answer)?, kind);
        session
            .map(Opened::Session)
            .ok_or(ProviderError::Garbled("no session id"))
    }

    async fn submit(&self, credentials: &Credentials, submission: Submission<'_>) -> Result<NextStep, SubmitError> {
        let (step, kind) = (submission.step, submission.session.kind);
        let url = self
            .submit_url(step, kind)
            .ok_or(SubmitError::NotSent("this dialect has no such call"))?;
        let call = Call::post(url)
            .header("mono-sec-key", credentials.secret_key.expose())
            .header("x-session-id", &submission.session.id)
            .json(self.submit_body(&submission))
            .timeout(submission.timeout)
            .once();
        let answer = self.client.send(call).await?;
        outcome::next_step(
            &answer,
            Context {
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
            Dialect::V2 => self.url(&["v2", "accounts", "auth"])?,
            Dialect::V1 => self.url(&["account", "auth"])?,
        };
        let body = Body::with_room(code.len() + 8).text("code", code).finish();
        let answer = self.call(credentials, Call::post(url).json(body).once()).await?;
        let reply: wire::Exchanged = outcome::body(&answer)?;
        let id = reply.data.0.and_then(|data| data.id).or(reply.id);
        let id = id
            .filter(|id| !id.expose().is_empty())
            .ok_or(ProviderError::Garbled("exchanged without an account id"))?;
        Ok(vec![ProviderAccount {
            id,
            session_id: None,
            details: None,
        }])
    }

    async fn accounts(
        &self,
        credentials: &Credentials,
        which: Which<'_>,
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
            Dialect::V2 => &["v2", "accounts"],
            Dialect::V1 => &["accounts"],
        };
        let call = match &self.settings.unlink {
            UnlinkCall::InPath => Call::post(self.url(&[root, &[id, "unlink"]].concat())?),
            UnlinkCall::InBody(name) => Call::post(self.url(&[root, &["unlink"]].concat())?)
                .json(Body::with_room(name.len() + id.len()).text(name, id).finish()),
        };
        let answer = self.call(credentials, call).await?;
        outcome::accepted(&answer).map(|_| ())
    }

    fn webhook(&self, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<Option<ProviderEvent>, WebhookError> {
        webhook::understand(self.settings.webhook_secret.as_ref(), headers, body)
    }
}
