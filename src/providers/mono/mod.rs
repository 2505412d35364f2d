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
use url::Url;
use zeroize::Zeroizing;

use self::bodies::JsonBody;
use self::lenient::LenientList;
use self::outcome::SubmissionContext;
use super::{
    Access, AccountsQuery, EndScope, EndTarget, Institution, ListScope, Provider, ProviderAccount, ProviderError,
    ProviderFacts, ProviderKeys, ProviderReply, ProviderRequest, Redeemed, SessionKind, SessionMeaning, SessionRequest,
    SessionResponse, Stepped, Submission, SubmissionStep, SubmitError, WebhookAnswer, WebhookError, WithAccess,
};
use crate::core::next_step::Grant;
use crate::core::secret::Secret;
use crate::http_client::{HttpClient, OutboundRequest, OutboundResponse};

pub use self::settings::{CustomerTemplate, KEYS, MonoApiVersion, MonoSettings, REGISTRATION, UnlinkCall};

mod bodies;
mod forms;
mod later_form;
mod lenient;
mod map;
mod outcome;
mod sessions;
mod settings;
mod webhook;
mod wire;

/// Five thousand institutions with long names fit.
const MAX_LIST_BYTES: usize = 8 * 1024 * 1024;

const V1_HAS_NO_LIST: ProviderError = ProviderError::Refused("v1 has no list of linked accounts");

/// An account shows within ten minutes, says Mono.
const SETTLE_FOR: Duration = Duration::from_mins(15);

/// One login asks for a code, a question and an account at most, some of them twice.
const MAX_ROUNDS: u8 = 6;

/// Mono's client for one installation. Holds no partner's key.
pub struct Mono {
    settings: MonoSettings,
    facts: ProviderFacts,
    client: HttpClient,
}

impl Mono {
    pub fn new(mut settings: MonoSettings, client: HttpClient) -> Self {
        let facts = ProviderFacts {
            keys: KEYS,
            asks_eligibility: REGISTRATION.asks_eligibility_at(settings.base_url.as_url()),
            lists: ListScope::Operator,
            ends: EndScope::Account,
            keeps_people: false,
            names_people: settings.dialect == MonoApiVersion::V2,
            session_meaning: match settings.account_names_session {
                Some(_) => SessionMeaning::Published,
                None => SessionMeaning::Unpublished,
            },
            keeps_link_access: false,
            institutions_ttl: settings.institutions_ttl,
            favourites: std::mem::take(&mut settings.favourites),
            timeout: settings.submit_timeout,
            settle_for: SETTLE_FOR,
            max_rounds: MAX_ROUNDS,
        };
        Self {
            settings,
            facts,
            client,
        }
    }

    /// The URL of a path; a segment that cannot be in one (an empty id) is `NotFound`.
    fn url(&self, segments: &[&str]) -> Result<Url, ProviderError> {
        self.settings.base_url.join(segments).ok_or(ProviderError::NotFound)
    }

    /// Sends a request that may be repeated.
    async fn call(&self, keys: &ProviderKeys, call: OutboundRequest) -> Result<OutboundResponse, ProviderError> {
        let call = call.header("mono-sec-key", keys.required("secret_key")?.expose());
        Ok(self.client.send(call.timeout(self.settings.call_timeout)).await?)
    }

    fn submit_url(&self, step: SubmissionStep, kind: SessionKind) -> Option<Url> {
        let base = &self.settings.base_url;
        match (self.settings.dialect, kind, step) {
            (MonoApiVersion::V2, SessionKind::Link, SubmissionStep::Login) => base.join(&["v2", "connect", "login"]),
            (MonoApiVersion::V2, SessionKind::Link, _) => base.join(&["v2", "connect", "commit"]),
            (MonoApiVersion::V2, SessionKind::Reauth, SubmissionStep::Login) => {
                base.join(&["v2", "connect", "reauth", "login"])
            }
            (MonoApiVersion::V1, SessionKind::Link, SubmissionStep::Login) => base.join(&["v1", "connect", "login"]),
            (MonoApiVersion::V1, SessionKind::Link, _) => base.join(&["v1", "connect", "commit"]),
            // In version 1 a session that renews is answered by commit from the first form on.
            (MonoApiVersion::V1 | MonoApiVersion::V2, SessionKind::Reauth, _) => {
                let path: Vec<_> = self.settings.reauth_commit_path.trim_matches('/').split('/').collect();
                base.join(&path)
            }
        }
    }

    fn submit_body(&self, submission: &Submission<'_>) -> Zeroizing<Vec<u8>> {
        match (submission.step, submission.answers) {
            (SubmissionStep::Choose, [(name, key)]) if name.is_empty() => {
                let body = JsonBody::with_room(key.expose().len() + 16);
                match (self.settings.dialect, map::position_of(key.expose())) {
                    (_, Some(position)) => body.number_or_text("account", position),
                    (MonoApiVersion::V2, None) => body.text("accountNumber", key.expose()),
                    (MonoApiVersion::V1, None) => body.number_or_text("account", key.expose()),
                }
                .finish()
            }
            (step, answers) => bodies::answers_body(submission.form, step == SubmissionStep::Login, answers),
        }
    }

    async fn read_accounts(
        &self,
        keys: &ProviderKeys,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError> {
        match (which, self.settings.dialect) {
            (AccountsQuery::One(id), dialect) => {
                let url = match dialect {
                    MonoApiVersion::V2 => self.url(&["v2", "accounts", id.expose()])?,
                    MonoApiVersion::V1 => self.url(&["accounts", id.expose()])?,
                };
                let answer = self.call(keys, OutboundRequest::get(url)).await?;
                let read = self.believe(keys, id, outcome::body(&answer)).await?;
                let account = map::account(read, id);
                Ok(vec![account.ok_or(ProviderError::Malformed("no account"))?])
            }
            (AccountsQuery::All, MonoApiVersion::V2) => self.list_accounts(keys).await,
            (AccountsQuery::All, MonoApiVersion::V1) => Err(V1_HAS_NO_LIST),
        }
    }

    /// All accounts of these keys; v2 only.
    async fn list_accounts(&self, keys: &ProviderKeys) -> Result<Vec<ProviderAccount>, ProviderError> {
        let call = OutboundRequest::get(self.url(&["v2", "accounts"])?).limit(MAX_LIST_BYTES);
        let answer = self.call(keys, call).await?;
        let LenientList::<wire::MonoAccount>(list) = outcome::body(&answer)?;
        let list = list.ok_or(ProviderError::Malformed("no list of accounts"))?;
        let accounts = list.into_iter().filter_map(|account| map::listed_account(account).ok());
        Ok(accounts.collect())
    }

    /// What an answer about one account says. How Mono answers for one that was unlinked is not published, and a path that is
    /// gone or a proxy says "not found" too: it is believed once the list has no such account. v1 has none to look at.
    async fn believe<T>(
        &self,
        keys: &ProviderKeys,
        id: &Secret,
        said: Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        if !matches!(said, Err(ProviderError::NotFound)) || self.settings.dialect == MonoApiVersion::V1 {
            return said;
        }
        let listed = self.list_accounts(keys).await.map_err(|error| match error {
            ProviderError::NotFound => ProviderError::Unavailable("neither the account nor the list is found", None),
            error => error,
        })?;
        if listed.iter().any(|account| account.id.expose() == id.expose()) {
            return Err(ProviderError::Unavailable("an account of the list is not found", None));
        }
        said
    }
}

#[async_trait]
impl Provider for Mono {
    fn name(&self) -> &'static str {
        "mono"
    }

    fn facts(&self) -> &ProviderFacts {
        &self.facts
    }

    async fn check(&self, keys: &ProviderKeys) -> Result<(), ProviderError> {
        self.institutions(keys).await.map(drop)
    }

    async fn institutions(&self, keys: &ProviderKeys) -> Result<Vec<Institution>, ProviderError> {
        let url = match self.settings.dialect {
            MonoApiVersion::V2 => {
                let mut url = self.url(&["v3", "institutions"])?;
                url.set_query(Some("scope=financial_data"));
                url
            }
            MonoApiVersion::V1 => self.url(&["v1", "institutions"])?,
        };
        let answer = self.call(keys, OutboundRequest::get(url).limit(MAX_LIST_BYTES)).await?;
        let LenientList(list) = outcome::body(&answer)?;
        let list = list.ok_or(ProviderError::Malformed("no list of institutions"))?;
        Ok(map::institutions(list))
    }

    async fn open_session(
        &self,
        access: Access<'_>,
        opening: SessionRequest<'_>,
    ) -> Result<WithAccess<SessionResponse>, ProviderError> {
        let (kind, person) = match opening {
            SessionRequest::Link { .. } => (SessionKind::Link, access.person),
            SessionRequest::Reauth { .. } => (SessionKind::Reauth, None),
        };
        let customer = person.and_then(|blob| std::str::from_utf8(blob.expose()).ok());
        let opened = match self.open(access.keys, &opening, customer).await {
            // Whether an id is taken here is not published, and it may be another application's by now.
            Err(ProviderError::Refused(_) | ProviderError::NotFound) if customer.is_some() => {
                self.open(access.keys, &opening, None).await
            }
            opened => opened,
        };
        let (answer, head) = opened?;
        let head = head.ok_or(ProviderError::Malformed("no session"))?;
        if kind == SessionKind::Reauth && outcome::code(&head) == Some(99) {
            let code = head.data.0.and_then(|data| data.code);
            let code = code.filter(|code| self.settings.exchange_reauth_code && !code.expose().is_empty());
            return Ok(SessionResponse::Done(code.map(Grant)).into());
        }
        let session = map::session(outcome::body(&answer)?, kind);
        session
            .map(|session| SessionResponse::Session(session).into())
            .ok_or(ProviderError::Malformed("no session id"))
    }

    async fn submit(&self, access: Access<'_>, submission: Submission<'_>) -> Result<WithAccess<Stepped>, SubmitError> {
        let (step, kind) = (submission.step, submission.session.kind);
        let url = self
            .submit_url(step, kind)
            .ok_or(SubmitError::NotSent("this dialect has no such call"))?;
        let key = access.keys.get("secret_key").ok_or(SubmitError::NotSent("no key"))?;
        let call = OutboundRequest::post(url)
            .header("mono-sec-key", key.expose())
            .header("x-session-id", &submission.session.id)
            .json(self.submit_body(&submission))
            .timeout(submission.timeout)
            .on_fresh_connection();
        let answer = self.client.send(call).await?;
        let context = SubmissionContext {
            dialect: self.settings.dialect,
            step,
            kind,
            exchange_reauth_code: self.settings.exchange_reauth_code,
        };
        Ok(Stepped::from(outcome::next_step(&answer, context)?).into())
    }

    async fn redeem(&self, access: Access<'_>, grant: &Grant) -> Result<WithAccess<Redeemed>, ProviderError> {
        let code = grant.0.expose();
        if code.is_empty() {
            return Ok(Redeemed::from(Vec::new()).into());
        }
        let url = match self.settings.dialect {
            MonoApiVersion::V2 => self.url(&["v2", "accounts", "auth"])?,
            MonoApiVersion::V1 => self.url(&["account", "auth"])?,
        };
        let body = JsonBody::with_room(code.len() + 8).text("code", code).finish();
        let answer = self
            .call(access.keys, OutboundRequest::post(url).json(body).on_fresh_connection())
            .await?;
        let reply: wire::ExchangeReply = outcome::body(&answer)?;
        let id = reply.data.0.and_then(|data| data.id).or(reply.id);
        let id = id
            .filter(|id| !id.expose().is_empty())
            .ok_or(ProviderError::Malformed("exchanged without an account id"))?;
        let account = ProviderAccount {
            id,
            session_id: None,
            person: None,
            link: None,
            details: None,
        };
        Ok(Redeemed::from(vec![account]).into())
    }

    async fn accounts(
        &self,
        access: Access<'_>,
        which: AccountsQuery<'_>,
    ) -> Result<WithAccess<Vec<ProviderAccount>>, ProviderError> {
        let mut accounts = self.read_accounts(access.keys, which).await?;
        if self.settings.account_names_session == Some(false) {
            for account in &mut accounts {
                account.session_id = None;
            }
        }
        Ok(accounts.into())
    }

    async fn end(&self, access: Access<'_>, target: EndTarget<'_>) -> Result<(), ProviderError> {
        let EndTarget::Account(account) = target else {
            return Err(ProviderError::Refused("accounts are ended one by one"));
        };
        let (keys, id) = (access.keys, account.expose());
        let root: &[&str] = match self.settings.dialect {
            MonoApiVersion::V2 => &["v2", "accounts"],
            MonoApiVersion::V1 => &["accounts"],
        };
        let call = match &self.settings.unlink {
            UnlinkCall::InPath => OutboundRequest::post(self.url(&[root, &[id, "unlink"]].concat())?),
            UnlinkCall::InBody(name) => OutboundRequest::post(self.url(&[root, &["unlink"]].concat())?)
                .json(JsonBody::with_room(name.len() + id.len()).text(name, id).finish()),
        };
        let answer = self.call(keys, call).await?;
        let ended = outcome::check_accepted(&answer).map(|_| ());
        self.believe(keys, account, ended).await
    }

    fn authenticates_by_head(&self, keys: &ProviderKeys, head: &ProviderRequest<'_>) -> Option<bool> {
        Some(webhook::is_authentic(keys, head))
    }

    async fn webhook(&self, keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError> {
        let event = webhook::parse(keys, request)?;
        Ok(WebhookAnswer {
            events: event.into_iter().collect(),
            reply: ProviderReply::ok(),
        })
    }
}
