//! Umoja, an invented provider: every shape of a journey, keys of a shape of its own, people and links with access that
//! changes, and webhooks that are signed. It has no network: its [`bank::UmojaBank`] is shared in memory by all nodes.
//!
//! `docs/ADD-A-PROVIDER.md` is written by following it with this one.

pub mod bank;
pub mod branches;
pub mod hooks;
pub mod person;
mod rules;
#[cfg(feature = "sandbox")]
pub mod world;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::next_step::{FailureClass, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccountDetails, AccountsQuery, Advance, EndScope, EndTarget, Institution, KeyRequirement, ListScope,
    PageRequest, PersonAccess, Provider, ProviderAccount, ProviderError, ProviderFacts, ProviderKeys, ProviderRequest,
    ProviderSession, Redeemed, Returned, SessionRequest, SessionResponse, Stepped, Submission, SubmissionStep,
    SubmitError, WebhookAnswer, WebhookError, WithAccess,
};
use url::Url;

use self::bank::{BankAccount, BankLink, BankState, Stage, UmojaBank};
use self::branches::JOINT;
use self::rules::{blob, opened_for, person_of, session_of, taken, token_in};

/// What it is called.
pub const NAME: &str = "umoja";

/// Where its pages are.
pub const PAGES: &str = "https://pages.umoja.example/";

/// The provider; nodes that share a bank have one each.
pub struct Umoja {
    pub bank: Arc<UmojaBank>,
    facts: ProviderFacts,
}

impl Umoja {
    pub fn new(bank: &Arc<UmojaBank>) -> Self {
        Self {
            bank: bank.clone(),
            facts: facts(),
        }
    }
}

const KEYS: &[KeyRequirement] = &[
    KeyRequirement {
        name: "client_id",
        required: true,
        help: "Who you are at Umoja, on the first page of its console.",
        check: |id| id.starts_with("umoja-").then_some(()).ok_or("begins with umoja-"),
        is_production: |_| false,
    },
    KeyRequirement {
        name: "client_secret",
        required: true,
        help: "Shown once when you make it.",
        check: |secret| {
            (secret.len() >= 16)
                .then_some(())
                .ok_or("has at least 16 letters or numbers")
        },
        is_production: |secret| secret.starts_with("live-"),
    },
    KeyRequirement {
        name: "hook_key",
        required: true,
        help: "What webhooks are signed with.",
        check: |key| (key.len() >= 32).then_some(()).ok_or("has at least 32 characters"),
        is_production: |_| false,
    },
];

fn facts() -> ProviderFacts {
    ProviderFacts {
        keys: KEYS,
        asks_eligibility: false,
        lists: ListScope::Partner,
        ends: EndScope::Link,
        keeps_people: true,
        names_people: false,
        session_meaning: kiungo::providers::SessionMeaning::Published,
        keeps_link_access: true,
        institutions_ttl: Duration::from_mins(10),
        favourites: vec!["Umoja Savings".to_owned()],
        timeout: Duration::from_secs(10),
        settle_for: Duration::from_mins(5),
        max_rounds: 6,
    }
}

fn provider_account(account: &BankAccount, link: &BankLink, details: bool) -> ProviderAccount {
    let details = details.then(|| AccountDetails {
        number: Secret::new(&account.number),
        holder: Some(Secret::new("ASHA UMOJA")),
        kind: Some(account.label.to_owned()),
        currency: Some("NGN".to_owned()),
        institution: None,
    });
    ProviderAccount {
        id: Secret::new(&account.id),
        session_id: Some(link.session.clone()),
        person: None,
        link: Some(Secret::new(&link.handle)),
        details,
    }
}

/// What is answered, with the link's new token.
fn with_link<T>(state: &BankState, link: usize, value: T) -> WithAccess<T> {
    let link = &state.links[link];
    WithAccess {
        value,
        person: None,
        link: Some(blob(&link.handle, &link.token)),
    }
}

#[async_trait]
impl Provider for Umoja {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self) -> &ProviderFacts {
        &self.facts
    }

    async fn check(&self, keys: &ProviderKeys) -> Result<(), ProviderError> {
        self.bank.call("check", keys).map(drop)
    }

    async fn institutions(&self, keys: &ProviderKeys) -> Result<Vec<Institution>, ProviderError> {
        let (state, client) = self.bank.call("institutions", keys)?;
        let branches = state.clients[client].branches.iter();
        Ok(branches.map(|branch| branch.institution()).collect())
    }

    async fn open_session(
        &self,
        access: Access<'_>,
        opening: SessionRequest<'_>,
    ) -> Result<WithAccess<SessionResponse>, ProviderError> {
        let (mut state, client) = self.bank.call("open_session", access.keys)?;
        let now = self.bank.clock.now();
        let (branch, renews) = opened_for(&state, client, &opening)?;
        let known = person_of(&state, client, &access)?;
        let person = known.unwrap_or_else(|| state.new_person(client));
        let session = state.new_session(client, person, branch, now);
        session.renews = renews;
        if let SessionRequest::Link { reference, phone, .. } = opening {
            reference.clone_into(&mut session.reference);
            session.phone = phone.map(|phone| phone.as_str().to_owned());
        }
        let index = state.sessions.len() - 1;
        let opened = state.provider_session(index);
        let value = match state.next_step(index, now) {
            NextStep::Prompt(_) => SessionResponse::Session(opened),
            step => SessionResponse::Next(opened, step),
        };
        let known_as = &state.persons[person];
        Ok(WithAccess {
            value,
            person: known.is_none().then(|| PersonAccess {
                handle: Some(Secret::new(&known_as.handle)),
                blob: blob(&known_as.handle, &known_as.token),
            }),
            link: None,
        })
    }

    async fn submit(&self, access: Access<'_>, submission: Submission<'_>) -> Result<WithAccess<Stepped>, SubmitError> {
        let failed = |class: FailureClass| Ok(Stepped::from(NextStep::Failed(class.into())).into());
        let (mut state, client) = match self.bank.call("submit", access.keys) {
            Ok(call) => call,
            Err(ProviderError::Refused(_)) => return failed(FailureClass::Misconfigured),
            Err(_) => return Err(SubmitError::NotSent("it is down")),
        };
        let index = match session_of(&mut state, client, &access, submission.session) {
            Ok(index) => index,
            Err(ProviderError::Refused(_)) => return failed(FailureClass::Misconfigured),
            Err(_) => return failed(FailureClass::SessionExpired),
        };
        let now = self.bank.clock.now();
        // A session that is over takes nothing.
        state.next_step(index, now);
        match taken(&state, index, &submission) {
            Ok(stage) => state.sessions[index].stage = stage,
            Err(class) => return failed(class),
        }
        if submission.step == SubmissionStep::Choose {
            let chosen = submission.answers.iter();
            state.sessions[index].chosen = chosen.map(|(_, number)| number.expose().to_owned()).collect();
        }
        Ok(Stepped::from(state.next_step(index, now)).into())
    }

    async fn advance(
        &self,
        access: Access<'_>,
        session: &ProviderSession,
        how: Advance<'_>,
    ) -> Result<WithAccess<Stepped>, ProviderError> {
        let (mut state, client) = self.bank.call("advance", access.keys)?;
        let index = session_of(&mut state, client, &access, session)?;
        let now = self.bank.clock.now();
        let current = &mut state.sessions[index];
        match how {
            Advance::Poll => {
                if let Stage::Approved(more @ 1..) = current.stage {
                    current.stage = Stage::Approved(more - 1);
                }
            }
            Advance::More(JOINT) if current.stage == Stage::Choosing => {
                return Ok(Stepped::from(NextStep::ChooseAccounts {
                    accounts: state.choices(index, true),
                    many: true,
                    more: None,
                })
                .into());
            }
            Advance::More(_) => return Err(ProviderError::Refused("it has no such list")),
            // Says that the browser is back, and proves nothing: the session stands where it stands.
            Advance::Returned(proof) if proof.expose() != current.proof => {
                return Err(ProviderError::Refused("another session's page"));
            }
            Advance::Returned(_) => {}
        }
        Ok(Stepped::from(state.next_step(index, now)).into())
    }

    async fn page(
        &self,
        access: Access<'_>,
        session: &ProviderSession,
        page: PageRequest<'_>,
    ) -> Result<WithAccess<Url>, ProviderError> {
        let (mut state, client) = self.bank.call("page", access.keys)?;
        let index = session_of(&mut state, client, &access, session)?;
        if !matches!(state.next_step(index, self.bank.clock.now()), NextStep::OpenLink { .. }) {
            return Err(ProviderError::NotFound);
        }
        let token = state.hand_out("page");
        let mut back = page.back.clone();
        back.query_pairs_mut().append_pair("state", page.state.expose());
        state.secrets.push(page.state.expose().to_owned());
        state.sessions[index].pages.push((token.clone(), back.into()));
        let url = Url::parse(PAGES).and_then(|pages| pages.join(&token));
        url.map(Into::into).map_err(|_| ProviderError::Malformed("an address"))
    }

    fn returned(&self, request: &ProviderRequest<'_>) -> Result<Returned, WebhookError> {
        hooks::returned(request)
    }

    async fn redeem(&self, access: Access<'_>, grant: &Grant) -> Result<WithAccess<Redeemed>, ProviderError> {
        let (mut state, client) = self.bank.call("redeem", access.keys)?;
        let index = state.exchange(client, grant.0.expose())?;
        if person_of(&state, client, &access)? != Some(state.links[index].person) {
            return Err(ProviderError::Refused("another person's grant, or nobody's"));
        }
        let link = &state.links[index];
        if link.ended {
            return Err(ProviderError::NotFound);
        }
        let accounts = link.accounts.iter();
        let redeemed = Redeemed {
            accounts: accounts.map(|account| provider_account(account, link, false)).collect(),
            link: Some(Secret::new(&link.handle)),
            expires_at: Some(self.bank.clock.now().plus(Duration::from_hours(24 * 90))),
        };
        Ok(with_link(&state, index, redeemed))
    }

    async fn accounts(
        &self,
        access: Access<'_>,
        which: AccountsQuery<'_>,
    ) -> Result<WithAccess<Vec<ProviderAccount>>, ProviderError> {
        let (mut state, client) = self.bank.call("accounts", access.keys)?;
        match (which, token_in(access.link)) {
            (AccountsQuery::One(id), Some(token)) => {
                let index = state.refresh(client, &token)?;
                let link = &state.links[index];
                let account = link.accounts.iter().find(|account| account.id == id.expose());
                let account = account.ok_or(ProviderError::NotFound)?;
                let account = provider_account(account, link, true);
                Ok(with_link(&state, index, vec![account]))
            }
            (AccountsQuery::One(id), None) => {
                let known = |link: &BankLink| link.accounts.iter().any(|account| account.id == id.expose());
                if state.links.iter().any(|link| link.client == client && known(link)) {
                    Err(ProviderError::Refused("a link is read with its own token"))
                } else {
                    Err(ProviderError::NotFound)
                }
            }
            (AccountsQuery::All, _) => {
                let person = person_of(&state, client, &access)?;
                let person = person.ok_or(ProviderError::Refused("whose accounts?"))?;
                let links = state.links.iter().filter(|link| link.person == person && !link.ended);
                let accounts = links.flat_map(|link| {
                    let accounts = link.accounts.iter();
                    accounts.map(|account| provider_account(account, link, false))
                });
                Ok(accounts.collect::<Vec<_>>().into())
            }
        }
    }

    async fn end(&self, access: Access<'_>, target: EndTarget<'_>) -> Result<(), ProviderError> {
        let (mut state, client) = self.bank.call("end", access.keys)?;
        let EndTarget::Link(handle) = target else {
            return Err(ProviderError::Refused("only whole links are ended"));
        };
        let mut links = state.links.iter_mut().filter(|link| link.client == client);
        let link = links.find(|link| link.handle == handle.expose() && !link.ended);
        link.ok_or(ProviderError::NotFound)?.ended = true;
        Ok(())
    }

    async fn webhook(&self, keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError> {
        hooks::received(keys, request)
    }
}
