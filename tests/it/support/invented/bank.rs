//! What stands behind Umoja's API, in memory: shared by all who call it, as a real bank is shared by all nodes.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kiungo::core::next_step::{FailureClass, Grant, LinkPurpose, NextStep};
use kiungo::core::secret::Secret;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::providers::{ProviderError, ProviderKeys, ProviderSession, SessionKind};

use super::branches::{Branch, JOINT, OwnedAccount, code_form, owned_accounts};
use crate::support::hex;
use crate::support::records::unique_bytes;

/// A customer of Umoja: one of our partners, or the operator.
pub struct Client {
    pub id: String,
    pub secret: String,
    pub hook_key: String,
    /// What its console is set to.
    pub branches: Vec<Branch>,
}

impl Client {
    /// With keys that stand for it alone.
    pub fn new(name: &str, branches: &[Branch]) -> Self {
        Self {
            id: format!("umoja-{name}"),
            secret: format!("umoja-secret-of-{name}-Zq7"),
            hook_key: format!("umoja-hook-key-of-{name}-Zq7-0123456789"),
            branches: branches.to_vec(),
        }
    }

    pub fn keys(&self) -> ProviderKeys {
        let keys = [
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("hook_key", &self.hook_key),
        ];
        keys.into_iter().map(|(name, key)| (name, Secret::new(key))).collect()
    }
}

/// Somebody whom Umoja knows, at one client.
pub struct BankPerson {
    pub client: usize,
    pub handle: String,
    pub token: String,
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Login,
    Code,
    Choosing,
    /// A page is to be opened.
    Page,
    /// The application is asked.
    App,
    /// Approved, and not through before so many more questions.
    Approved(u32),
    /// Nothing is left to be asked.
    Through,
    Granted(String),
    Over(FailureClass),
}

pub struct BankSession {
    pub id: String,
    pub client: usize,
    pub person: usize,
    pub branch: Branch,
    pub stage: Stage,
    pub until: Timestamp,
    /// What the application shows.
    pub binding: String,
    /// What the browser brings back.
    pub proof: String,
    /// The tokens of the pages that were made, with what comes back with each.
    pub pages: Vec<(String, String)>,
    /// The numbers of the accounts that were chosen; all where there was no choice.
    pub chosen: Vec<String>,
    /// The link that is renewed.
    pub renews: Option<usize>,
    pub reference: String,
    pub phone: Option<String>,
}

#[derive(Clone)]
pub struct BankAccount {
    pub id: String,
    pub number: String,
    pub label: &'static str,
}

pub struct BankLink {
    pub client: usize,
    pub person: usize,
    pub branch: Branch,
    pub session: String,
    pub handle: String,
    pub accounts: Vec<BankAccount>,
    /// The token that is good now, and the one before while this one was never used: an answer may be lost.
    pub token: String,
    pub before: Option<String>,
    /// How often the token was replaced.
    pub refreshed: usize,
    pub ended: bool,
}

pub struct BankState {
    pub clients: Vec<Client>,
    /// What the bank tells to wait between two questions.
    pub poll_every: Duration,
    /// How long a session lasts.
    pub lasts: Duration,
    /// How many questions after an approval it is not through.
    pub slow: u32,
    pub persons: Vec<BankPerson>,
    pub sessions: Vec<BankSession>,
    pub links: Vec<BankLink>,
    /// The calls that came, by name.
    pub calls: Vec<&'static str>,
    /// Whatever must not stand anywhere in clear.
    pub secrets: Vec<String>,
    /// Whether it does not answer at all.
    pub down: bool,
}

/// The bank.
pub struct UmojaBank {
    state: Mutex<BankState>,
    pub clock: Arc<dyn Clock>,
}

/// Something that nobody can guess.
pub fn token(kind: &str) -> String {
    format!("{kind}-{}", hex(&unique_bytes::<16>()))
}

impl UmojaBank {
    /// With these clients.
    pub fn new(clients: Vec<Client>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = BankState {
            clients,
            poll_every: Duration::from_millis(200),
            lasts: Duration::from_mins(10),
            slow: 0,
            persons: Vec::new(),
            sessions: Vec::new(),
            links: Vec::new(),
            calls: Vec::new(),
            secrets: Vec::new(),
            down: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            clock,
        })
    }

    /// What it has, to be looked at and changed.
    pub fn state(&self) -> MutexGuard<'_, BankState> {
        self.state.lock().unwrap()
    }

    /// One call by a client with these keys.
    pub fn call(
        &self,
        name: &'static str,
        keys: &ProviderKeys,
    ) -> Result<(MutexGuard<'_, BankState>, usize), ProviderError> {
        let mut state = self.state();
        state.calls.push(name);
        if state.down {
            return Err(ProviderError::Unavailable("it is down", None));
        }
        let [id, secret] = ["client_id", "client_secret"].map(|name| keys.get(name).map(Secret::expose));
        let client = state
            .clients
            .iter()
            .position(|client| id == Some(&client.id) && secret == Some(&client.secret));
        let client = client.ok_or(ProviderError::Refused("it does not know these keys"))?;
        Ok((state, client))
    }
}

impl BankState {
    /// Something secret that is handed out.
    pub fn hand_out(&mut self, kind: &str) -> String {
        let secret = token(kind);
        self.secrets.push(secret.clone());
        secret
    }

    pub fn new_person(&mut self, client: usize) -> usize {
        let (handle, token) = (self.hand_out("person"), self.hand_out("person-token"));
        self.persons.push(BankPerson { client, handle, token });
        self.persons.len() - 1
    }

    /// A session of this client, by its id.
    pub fn session(&mut self, client: usize, id: &str) -> Result<usize, ProviderError> {
        let mut sessions = self.sessions.iter();
        let found = sessions.position(|session| session.client == client && session.id == id);
        found.ok_or(ProviderError::NotFound)
    }

    pub fn new_session(&mut self, client: usize, person: usize, branch: Branch, now: Timestamp) -> &mut BankSession {
        let number = self.sessions.len();
        let stage = match branch {
            Branch::Savings | Branch::Chama | Branch::Trust => Stage::Login,
            Branch::Online => Stage::Page,
            Branch::App => Stage::App,
        };
        let session = BankSession {
            id: self.hand_out("session"),
            client,
            person,
            branch,
            stage,
            until: now.plus(self.lasts),
            binding: format!("{}-{:02}", ["KOA", "TAI", "NYOTA", "SIMBA"][number % 4], number + 11),
            proof: self.hand_out("proof"),
            pages: Vec::new(),
            chosen: Vec::new(),
            renews: None,
            reference: String::new(),
            phone: None,
        };
        self.sessions.push(session);
        &mut self.sessions[number]
    }

    /// What its client is handed of a session.
    pub fn provider_session(&self, index: usize) -> ProviderSession {
        let session = &self.sessions[index];
        let form = session.branch.form();
        ProviderSession {
            chosen: Vec::new(),
            id: session.id.clone(),
            expires_at: Some(session.until),
            told_at: None,
            form: (session.stage == Stage::Login).then_some(form),
            kind: match session.renews {
                Some(_) => SessionKind::Reauth,
                None => SessionKind::Link,
            },
        }
    }

    /// What comes next in a session.
    pub fn next_step(&mut self, index: usize, now: Timestamp) -> NextStep {
        self.go_on(index, now);
        let (poll_every, session) = (self.poll_every, &self.sessions[index]);
        let until = session.until;
        match &session.stage {
            Stage::Login => NextStep::Prompt(session.branch.form()),
            Stage::Code => NextStep::Prompt(code_form()),
            Stage::Choosing => NextStep::ChooseAccounts {
                accounts: self.choices(index, false),
                many: true,
                more: Some(JOINT.to_owned()),
            },
            Stage::Page => NextStep::OpenLink {
                purpose: LinkPurpose::LogIn,
            },
            Stage::App => NextStep::ApproveElsewhere {
                message: Some("Open the Umoja app".to_owned()),
                binding: Some(session.binding.clone()),
                poll_every,
                until,
            },
            Stage::Approved(_) | Stage::Through => NextStep::Wait { poll_every, until },
            Stage::Granted(grant) => NextStep::Done(Grant(Secret::new(grant))),
            Stage::Over(class) => NextStep::Failed((*class).into()),
        }
    }

    /// Time passes, and what was approved is carried out.
    fn go_on(&mut self, index: usize, now: Timestamp) {
        let session = &self.sessions[index];
        let stage = match session.stage {
            Stage::Granted(_) | Stage::Over(_) => return,
            _ if session.until <= now => Stage::Over(FailureClass::SessionExpired),
            Stage::Approved(0) if session.branch == Branch::Trust => Stage::Code,
            Stage::Approved(0) | Stage::Through => Stage::Granted(self.hand_out("grant")),
            _ => return,
        };
        self.sessions[index].stage = stage;
    }

    /// The person's accounts of one kind at the session's branch.
    pub fn choices(&self, index: usize, joint: bool) -> Vec<kiungo::core::next_step::AccountChoice> {
        let owned = self.owned(index).into_iter();
        owned
            .filter(|account| account.joint == joint)
            .map(|account| account.choice())
            .collect()
    }

    pub fn owned(&self, index: usize) -> Vec<OwnedAccount> {
        let session = &self.sessions[index];
        owned_accounts(session.branch, session.person)
    }

    /// The person does what they do at the bank.
    pub fn decide(&mut self, index: usize, approve: bool) {
        let slow = self.slow;
        let session = &mut self.sessions[index];
        if matches!(session.stage, Stage::Page | Stage::App) {
            session.stage = if approve {
                Stage::Approved(slow)
            } else {
                Stage::Over(FailureClass::Denied)
            };
        }
    }

    /// The link that a grant stands for: made at the first exchange, the same at every other.
    pub fn exchange(&mut self, client: usize, grant: &str) -> Result<usize, ProviderError> {
        let wanted = Stage::Granted(grant.to_owned());
        let mut sessions = self.sessions.iter();
        let index = sessions.position(|session| session.client == client && session.stage == wanted);
        let index = index.ok_or(ProviderError::NotFound)?;
        let session = &self.sessions[index];
        let (id, person, branch) = (session.id.clone(), session.person, session.branch);
        if let Some(link) = session.renews {
            return Ok(link);
        }
        if let Some(link) = self.links.iter().position(|link| link.session == id) {
            return Ok(link);
        }
        let chosen = session.chosen.clone();
        let owned = self.owned(index).into_iter();
        let owned: Vec<_> = owned
            .filter(|account| chosen.is_empty() || chosen.contains(&account.number))
            .collect();
        let account = |account: OwnedAccount| BankAccount {
            id: self.hand_out("account"),
            number: account.number,
            label: account.label,
        };
        let accounts: Vec<_> = owned.into_iter().map(account).collect();
        self.secrets
            .extend(accounts.iter().map(|account| account.number.clone()));
        let link = BankLink {
            client,
            person,
            branch,
            session: id,
            handle: self.hand_out("link"),
            accounts,
            token: self.hand_out("link-token"),
            before: None,
            refreshed: 0,
            ended: false,
        };
        self.links.push(link);
        Ok(self.links.len() - 1)
    }

    /// Uses the token of a link, which is good once: another comes back.
    pub fn refresh(&mut self, client: usize, used: &str) -> Result<usize, ProviderError> {
        let known = |link: &BankLink| link.token == used || link.before.as_deref() == Some(used);
        let index = self.links.iter().position(|link| link.client == client && known(link));
        let index = index.ok_or(ProviderError::Refused("an old token, or none of its"))?;
        if self.links[index].ended {
            return Err(ProviderError::NotFound);
        }
        if self.links[index].token == used {
            let token = self.hand_out("link-token");
            let link = &mut self.links[index];
            link.before = Some(std::mem::replace(&mut link.token, token));
            link.refreshed += 1;
        }
        Ok(index)
    }
}
