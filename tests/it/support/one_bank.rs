//! A provider with one bank, which does what it was told to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use kiungo::core::linking::{AuthMethod, SessionKind};
use kiungo::core::next_step::{Field, FieldKind, Form, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{
    AccountDetails, AccountsQuery, Credentials, Institution, Provider, ProviderAccount, ProviderError, ProviderEvent,
    ProviderEventKind, ProviderSession, SessionRequest, SessionResponse, Submission, SubmitError, WebhookError,
};
use tokio::sync::Semaphore;

/// A provider with one bank. Unless told otherwise it opens sessions, takes no login and knows no account.
pub struct OneBank {
    /// What it is called.
    pub name: &'static str,
    /// What its list waits for, if it waits.
    gate: Option<Arc<Semaphore>>,
    script: Mutex<Script>,
}

/// What the bank does and has done.
#[derive(Default)]
pub struct Script {
    /// What the next submissions are answered; nothing is sent after them.
    pub answers: VecDeque<Result<NextStep, SubmitError>>,
    /// Why no session can be opened to link an account, if none can.
    pub unopened: Option<ProviderError>,
    /// Sessions that were asked for.
    pub opens: usize,
    /// What every grant is exchanged for; without it no grant is known.
    pub redeemed: Option<Vec<&'static str>>,
    /// The accounts that can be read.
    pub accounts: Vec<Account>,
    /// Whether a renewal is done at once, with a grant, instead of in a session without a form.
    pub renewed_at_once: bool,
    /// Why no accounts can be read or unlinked now.
    pub unreadable: Option<ProviderError>,
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

    /// One that gives its list when this gate is opened.
    pub fn behind(name: &'static str, gate: &Arc<Semaphore>) -> Arc<Self> {
        Self::with(name, Some(gate.clone()))
    }

    fn with(name: &'static str, gate: Option<Arc<Semaphore>>) -> Arc<Self> {
        Arc::new(Self {
            name,
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
    let field = |(name, kind): &(&str, FieldKind)| Field {
        name: (*name).to_owned(),
        label: (*name).to_owned(),
        kind: kind.clone(),
        max_len: None,
        exact_len: None,
    };
    AuthMethod {
        id: id.to_owned(),
        name: id.to_owned(),
        form: Form {
            title: None,
            fields: fields.iter().map(field).collect(),
        },
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

    async fn institutions(&self, _: &Credentials) -> Result<Vec<Institution>, ProviderError> {
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
        _: &Credentials,
        opening: SessionRequest<'_>,
    ) -> Result<SessionResponse, ProviderError> {
        {
            let mut script = self.script();
            script.opens += 1;
            if let Some(error) = &script.unopened {
                return Err(error.clone());
            }
        }
        let (form, kind) = match opening {
            SessionRequest::Reauth { .. } if self.script().renewed_at_once => {
                return Ok(SessionResponse::Done(Some(Grant(Secret::new("code_2")))));
            }
            SessionRequest::Reauth { .. } => (None, SessionKind::Reauth),
            SessionRequest::Link { .. } => (methods().pop().map(|method| method.form), SessionKind::Link),
        };
        Ok(SessionResponse::Session(ProviderSession {
            id: "s1".to_owned(),
            expires_at: None,
            form,
            kind,
        }))
    }

    async fn submit(&self, _: &Credentials, submission: Submission<'_>) -> Result<NextStep, SubmitError> {
        let mut script = self.script();
        script.submitted += 1;
        let answers = submission.answers.iter();
        script
            .typed
            .extend(answers.map(|(_, answer)| answer.expose().to_owned()));
        let answer = script.answers.pop_front();
        answer.unwrap_or(Err(SubmitError::NotSent("takes no login")))
    }

    async fn redeem(&self, _: &Credentials, _: &Grant) -> Result<Vec<ProviderAccount>, ProviderError> {
        let ids = self.script().redeemed.clone().ok_or(ProviderError::NotFound)?;
        let account = |id: &str| ProviderAccount {
            id: Secret::new(id),
            session_id: None,
            details: None,
        };
        Ok(ids.into_iter().map(account).collect())
    }

    async fn accounts(&self, _: &Credentials, which: AccountsQuery<'_>) -> Result<Vec<ProviderAccount>, ProviderError> {
        let script = self.script();
        if let Some(error) = &script.unreadable {
            return Err(error.clone());
        }
        let mut reply = script.accounts.iter().copied().map(Account::to_provider);
        match which {
            AccountsQuery::All => Ok(reply.collect()),
            AccountsQuery::One(id) => {
                let one = reply.find(|account| account.id.expose() == id.expose());
                Ok(vec![one.ok_or(ProviderError::NotFound)?])
            }
        }
    }

    async fn unlink(&self, _: &Credentials, account: &Secret) -> Result<(), ProviderError> {
        let gate = {
            let mut script = self.script();
            script.unlinking += 1;
            script.gate.clone()
        };
        if let Some(gate) = gate {
            gate.acquire().await.expect("open").forget();
        }
        let mut script = self.script();
        if let Some(error) = &script.unreadable {
            return Err(error.clone());
        }
        script.accounts.retain(|known| known.id != account.expose());
        script.unlinked.push(account.expose().to_owned());
        Ok(())
    }

    /// A webhook says of which account it tells, and nothing else: it was linked.
    fn parse_webhook(&self, _: &[(String, Vec<u8>)], body: &[u8]) -> Result<Option<ProviderEvent>, WebhookError> {
        let account = std::str::from_utf8(body).map_err(|_| WebhookError::Malformed)?;
        Ok(Some(ProviderEvent {
            dedupe_key: format!("connected {account}"),
            account: Secret::new(account),
            kind: ProviderEventKind::Connected,
        }))
    }
}
