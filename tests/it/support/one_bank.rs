//! A provider with one bank, which does what it was told to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::linking::{AuthMethod, Journey, SessionKind};
use kiungo::core::next_step::{Field, FieldKind, Form, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccountDetails, AccountsQuery, Advance, EndScope, EndTarget, EventSubject, Institution, KeyRequirement,
    ListScope, Provider, ProviderAccount, ProviderError, ProviderEvent, ProviderEventKind, ProviderFacts, ProviderKeys,
    ProviderReply, ProviderRequest, ProviderSession, Redeemed, SessionRequest, SessionResponse, Stepped, Submission,
    SubmitError, WebhookAnswer, WebhookError, WithAccess,
};
use tokio::sync::Semaphore;

/// A provider with one bank. Unless told otherwise it opens sessions, takes no login and knows no account.
pub struct OneBank {
    /// What it is called.
    pub name: &'static str,
    facts: ProviderFacts,
    /// What its list waits for, if it waits.
    gate: Option<Arc<Semaphore>>,
    script: Mutex<Script>,
}

/// What the bank does and has done.
#[derive(Default)]
pub struct Script {
    /// What the next submissions are answered; nothing is sent after them.
    pub answers: VecDeque<Result<NextStep, SubmitError>>,
    /// What it says when it is asked how far it is; without one it cannot say.
    pub polls: VecDeque<NextStep>,
    /// Why no session can be opened to link an account, if none can.
    pub unopened: Option<ProviderError>,
    /// Sessions that were asked for.
    pub opens: usize,
    /// What every grant is exchanged for; without it no grant is known.
    pub redeemed: Option<Vec<&'static str>>,
    /// Grants that were exchanged, or tried.
    pub redeems: usize,
    /// What it calls the person, said with what a grant is exchanged for.
    pub person: Option<&'static str>,
    /// The accounts that can be read.
    pub accounts: Vec<Account>,
    /// Whether a renewal is done at once, with a grant, instead of in a session without a form.
    pub renewed_at_once: bool,
    /// Why no accounts can be read or unlinked now.
    pub unreadable: Option<ProviderError>,
    /// Why no account can be unlinked now.
    pub unendable: Option<ProviderError>,
    /// What an unlinking waits for, if it must.
    pub gate: Option<Arc<Semaphore>>,
    /// Unlinkings that have begun.
    pub unlinking: usize,
    /// Submissions that came.
    pub submitted: usize,
    /// What was typed for them, in order.
    pub typed: Vec<String>,
    /// Accounts that were unlinked.
    pub unlinked: Vec<String>,
}

/// An account at the bank.
#[derive(Clone, Copy)]
pub struct Account {
    /// Its id.
    pub id: &'static str,
    /// The session it was linked in, if that is told.
    pub session: Option<&'static str>,
}

impl Account {
    fn to_provider(self) -> ProviderAccount {
        ProviderAccount {
            id: Secret::new(self.id),
            session_id: self.session.map(str::to_owned),
            person: None,
            link: None,
            details: Some(AccountDetails {
                number: Secret::new(format!("00099900{}", self.id)),
                holder: None,
                kind: None,
                currency: None,
                institution: None,
            }),
        }
    }
}

impl OneBank {
    /// One that answers at once.
    pub fn ready(name: &'static str) -> Arc<Self> {
        Self::with(name, None)
    }

    /// One that takes keys that begin with `live_` only from who is eligible.
    pub fn asking(name: &'static str) -> Arc<Self> {
        let facts = ProviderFacts {
            keys: &[KeyRequirement {
                name: "secret_key",
                required: true,
                help: "any",
                check: |_| Ok(()),
                is_production: |key| key.starts_with("live_"),
            }],
            asks_eligibility: true,
            ..facts()
        };
        Arc::new(Self {
            name,
            facts,
            gate: None,
            script: Mutex::default(),
        })
    }

    /// One that gives its list when this gate is opened.
    pub fn behind(name: &'static str, gate: &Arc<Semaphore>) -> Arc<Self> {
        Self::with(name, Some(gate.clone()))
    }

    fn with(name: &'static str, gate: Option<Arc<Semaphore>>) -> Arc<Self> {
        Arc::new(Self {
            name,
            facts: ProviderFacts {
                names_people: true,
                ..facts()
            },
            gate,
            script: Mutex::default(),
        })
    }

    /// What it does and has done, to be changed and looked at.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no panic")
    }
}

fn method(id: &str, fields: &[(&str, FieldKind)], card_and_pin: bool) -> AuthMethod {
    let field = |(name, kind): &(&str, FieldKind)| Field::new(*name, *name, kind.clone());
    AuthMethod {
        id: id.to_owned(),
        name: id.to_owned(),
        form: Form {
            title: None,
            fields: fields.iter().map(field).collect(),
        },
        journey: Journey::Keypad,
        card_and_pin,
    }
}

/// The ways to log in; the first two must not be offered.
fn methods() -> Vec<AuthMethod> {
    let (text, secret) = (FieldKind::Text, FieldKind::Secret);
    vec![
        method("card", &[("card", secret.clone()), ("pin", secret.clone())], true),
        method(
            "picture",
            &[("username", text.clone()), ("picture", FieldKind::Unsupported)],
            false,
        ),
        method("mobile_banking", &[("username", text), ("password", secret)], false),
    ]
}

#[async_trait]
impl Provider for OneBank {
    fn name(&self) -> &'static str {
        self.name
    }

    fn facts(&self) -> &ProviderFacts {
        &self.facts
    }

    async fn check(&self, _: &ProviderKeys) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn institutions(&self, _: &ProviderKeys) -> Result<Vec<Institution>, ProviderError> {
        if let Some(gate) = &self.gate {
            let _open = gate.acquire().await;
        }
        Ok(vec![Institution {
            id: "b1:p".to_owned(),
            provider_id: "b1".to_owned(),
            name: "Savanna Bank".to_owned(),
            country: Some("NG".to_owned()),
            business: false,
            methods: methods(),
            timeout: None,
        }])
    }

    async fn open_session(
        &self,
        _: Access<'_>,
        opening: SessionRequest<'_>,
    ) -> Result<WithAccess<SessionResponse>, ProviderError> {
        {
            let mut script = self.script();
            script.opens += 1;
            if let Some(error) = &script.unopened {
                return Err(error.clone());
            }
        }
        let (form, kind) = match opening {
            SessionRequest::Reauth { .. } if self.script().renewed_at_once => {
                return Ok(SessionResponse::Done(Some(Grant(Secret::new("code_2")))).into());
            }
            SessionRequest::Reauth { .. } => (None, SessionKind::Reauth),
            SessionRequest::Link { .. } => (methods().pop().map(|method| method.form), SessionKind::Link),
        };
        Ok(SessionResponse::Session(ProviderSession {
            chosen: Vec::new(),
            id: "s1".to_owned(),
            expires_at: None,
            told_at: None,
            form,
            kind,
        })
        .into())
    }

    async fn submit(&self, _: Access<'_>, submission: Submission<'_>) -> Result<WithAccess<Stepped>, SubmitError> {
        let mut script = self.script();
        script.submitted += 1;
        let answers = submission.answers.iter();
        script
            .typed
            .extend(answers.map(|(_, answer)| answer.expose().to_owned()));
        let answer = script.answers.pop_front();
        let answer = answer.unwrap_or(Err(SubmitError::NotSent("takes no login")));
        answer.map(|step| Stepped::from(step).into())
    }

    async fn advance(
        &self,
        _: Access<'_>,
        _: &ProviderSession,
        _: Advance<'_>,
    ) -> Result<WithAccess<Stepped>, ProviderError> {
        let step = self.script().polls.pop_front();
        let step = step.ok_or(ProviderError::Unavailable("cannot say yet", None))?;
        Ok(Stepped::from(step).into())
    }

    async fn redeem(&self, _: Access<'_>, _: &Grant) -> Result<WithAccess<Redeemed>, ProviderError> {
        let (ids, person) = {
            let mut script = self.script();
            script.redeems += 1;
            (script.redeemed.clone().ok_or(ProviderError::NotFound)?, script.person)
        };
        let account = |id: &str| ProviderAccount {
            id: Secret::new(id),
            session_id: None,
            person: person.map(Secret::new),
            link: None,
            details: None,
        };
        let accounts: Vec<_> = ids.into_iter().map(account).collect();
        Ok(Redeemed::from(accounts).into())
    }

    async fn accounts(
        &self,
        _: Access<'_>,
        which: AccountsQuery<'_>,
    ) -> Result<WithAccess<Vec<ProviderAccount>>, ProviderError> {
        let script = self.script();
        if let Some(error) = &script.unreadable {
            return Err(error.clone());
        }
        let mut reply = script.accounts.iter().copied().map(Account::to_provider);
        match which {
            AccountsQuery::All => Ok(reply.collect::<Vec<_>>().into()),
            AccountsQuery::One(id) => {
                let one = reply.find(|account| account.id.expose() == id.expose());
                Ok(vec![one.ok_or(ProviderError::NotFound)?].into())
            }
        }
    }

    async fn end(&self, _: Access<'_>, target: EndTarget<'_>) -> Result<(), ProviderError> {
        let EndTarget::Account(account) = target else {
            return Err(ProviderError::Refused("accounts are ended one by one"));
        };
        let gate = {
            let mut script = self.script();
            script.unlinking += 1;
            script.gate.clone()
        };
        if let Some(gate) = gate {
            gate.acquire().await.expect("open").forget();
        }
        let mut script = self.script();
        if let Some(error) = script.unreadable.as_ref().or(script.unendable.as_ref()) {
            return Err(error.clone());
        }
        script.accounts.retain(|known| known.id != account.expose());
        script.unlinked.push(account.expose().to_owned());
        Ok(())
    }

    /// A webhook says of which account it tells, and nothing else: it was linked.
    async fn webhook(&self, _: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError> {
        let account = std::str::from_utf8(request.body).map_err(|_| WebhookError::Malformed)?;
        let event = ProviderEvent {
            dedupe_key: format!("connected {account}"),
            at: None,
            about: EventSubject::Account(Secret::new(account)),
            kind: ProviderEventKind::Connected,
        };
        Ok(WebhookAnswer {
            events: vec![event],
            reply: ProviderReply::ok(),
        })
    }
}

/// Its own figures: it has one key, of any shape.
pub fn facts() -> ProviderFacts {
    ProviderFacts {
        keys: &[KeyRequirement {
            name: "secret_key",
            required: true,
            help: "any",
            check: |_| Ok(()),
            is_production: |_| false,
        }],
        asks_eligibility: false,
        lists: ListScope::Operator,
        ends: EndScope::Account,
        keeps_people: false,
        names_people: false,
        session_meaning: kiungo::providers::SessionMeaning::Published,
        keeps_link_access: false,
        institutions_ttl: Duration::from_hours(1),
        favourites: Vec::new(),
        timeout: Duration::from_mins(1),
        settle_for: Duration::from_mins(15),
        max_rounds: 6,
    }
}

/// A webhook with this body, as it arrives.
pub fn webhook_request(body: &[u8]) -> ProviderRequest<'_> {
    ProviderRequest {
        method: "POST",
        path: "/hooks/mono",
        tail: "",
        query: "",
        headers: &[],
        body,
    }
}
