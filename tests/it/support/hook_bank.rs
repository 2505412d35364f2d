//! A provider that is heard rather than asked: its webhooks, its pages and browsers that come back. And two nodes that hear
//! it, over the same records.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::ids::PartnerId;
use kiungo::core::linking::{ProviderSession, SessionKind};
use kiungo::core::next_step::Grant;
use kiungo::core::secret::Secret;
use kiungo::core::time::{Clock as _, Timestamp};
use kiungo::providers::{
    Access, AccountsQuery, EndTarget, EventSubject, Institution, KeyRequirement, PageRequest, Provider,
    ProviderAccount, ProviderError, ProviderEvent, ProviderEventKind, ProviderFacts, ProviderKeys, ProviderRegistry,
    ProviderReply, ProviderRequest, Redeemed, Returned, SessionRequest, SessionResponse, Stepped, Submission,
    SubmitError, WebhookAnswer, WebhookError, WithAccess,
};
use kiungo::records::{Attempt, AttemptState, Link, LinkAccess, LinkCompletion, LinkState, LinkedAccount, Records};
use kiungo::service::callbacks::ProviderWebhookOutcome;
use kiungo::service::deps::Deps;
use kiungo::service::job_runner::JobRunner;
use kiungo::service::pages::BrowserPages;
use kiungo::service::provider_webhooks::receiver::ProviderWebhookReceiver;
use kiungo::service::providers::{Providers, seal_keys};
use kiungo::service::sms::outbox::SmsOutbox;
use kiungo::service::sms::routes::SmsRoutes;
use kiungo::store::memory::MemoryStore;
use url::Url;

use super::app_fixture::{AppOptions, browser_pages, handlers, shared};
use super::clock::ManualClock;
use super::limits::FOREVER;
use super::one_bank;
use super::provider_webhooks::receive;
use super::records::{Backend, Fixture, RecordedPerson, account, link, operator_partner, partner, unique_bytes};

pub const NAME: &str = "hookbank";

/// How long a waiting attempt waits.
pub const WAIT: Duration = Duration::from_mins(15);

/// A provider with no forms. Each line of a webhook is an event: `KIND SUBJECT ID KEY [AT]`, with `AT` in milliseconds.
#[derive(Default)]
pub struct HookBank {
    facts: HookFacts,
    script: Mutex<Script>,
}

struct HookFacts(ProviderFacts);

/// What it does and has done.
#[derive(Default)]
pub struct Script {
    /// What the next pages are; without one it is made.
    pub pages: VecDeque<Result<&'static str, ProviderError>>,
    /// What its pages were made with: `state`, and where the browser is to come back to.
    pub asked: Vec<(String, String)>,
    /// Accounts that it has ended.
    pub gone: Vec<&'static str>,
    /// How often it was asked to end one.
    pub ends: usize,
    /// Whether no account can be read now.
    pub down: bool,
}

impl HookBank {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no panic")
    }
}

impl Default for HookFacts {
    fn default() -> Self {
        Self(ProviderFacts {
            keys: &[KeyRequirement {
                name: "key",
                required: true,
                help: "any",
                check: |_| Ok(()),
                is_production: |_| false,
            }],
            ..one_bank::facts()
        })
    }
}

const NOT_HERE: ProviderError = ProviderError::Refused("it is only heard");

#[async_trait]
impl Provider for HookBank {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self) -> &ProviderFacts {
        &self.facts.0
    }

    async fn check(&self, _: &ProviderKeys) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn institutions(&self, _: &ProviderKeys) -> Result<Vec<Institution>, ProviderError> {
        Ok(Vec::new())
    }

    async fn open_session(
        &self,
        _: Access<'_>,
        _: SessionRequest<'_>,
    ) -> Result<WithAccess<SessionResponse>, ProviderError> {
        Err(NOT_HERE)
    }

    async fn submit(&self, _: Access<'_>, _: Submission<'_>) -> Result<WithAccess<Stepped>, SubmitError> {
        Err(SubmitError::NotSent("it is only heard"))
    }

    async fn page(
        &self,
        _: Access<'_>,
        session: &ProviderSession,
        page: PageRequest<'_>,
    ) -> Result<WithAccess<Url>, ProviderError> {
        let mut script = self.script();
        let state = page.state.expose();
        script.asked.push((state.to_owned(), page.back.to_string()));
        let url = match script.pages.pop_front() {
            Some(url) => url?.to_owned(),
            None => format!("https://bank.example.com/{}?state={state}", session.id),
        };
        Ok(Url::parse(&url).expect("a URL").into())
    }

    async fn redeem(&self, _: Access<'_>, _: &Grant) -> Result<WithAccess<Redeemed>, ProviderError> {
        Err(NOT_HERE)
    }

    async fn accounts(
        &self,
        _: Access<'_>,
        which: AccountsQuery<'_>,
    ) -> Result<WithAccess<Vec<ProviderAccount>>, ProviderError> {
        let script = self.script();
        match which {
            _ if script.down => Err(ProviderError::Unavailable("down", None)),
            AccountsQuery::One(id) if script.gone.contains(&id.expose()) => Err(ProviderError::NotFound),
            AccountsQuery::One(id) => Ok(vec![ProviderAccount {
                id: Secret::new(id.expose()),
                session_id: None,
                person: None,
                link: None,
                details: None,
            }]
            .into()),
            AccountsQuery::All => Ok(Vec::new().into()),
        }
    }

    async fn end(&self, _: Access<'_>, _: EndTarget<'_>) -> Result<(), ProviderError> {
        self.script().ends += 1;
        Ok(())
    }

    /// `state` in the query or in a form; the whole of either is what it needs.
    fn returned(&self, request: &ProviderRequest<'_>) -> Result<Returned, WebhookError> {
        let form = std::str::from_utf8(request.body).map_err(|_| WebhookError::Malformed)?;
        let data = if form.is_empty() { request.query } else { form };
        let state = url::form_urlencoded::parse(data.as_bytes()).find(|(name, _)| name == "state");
        let (_, state) = state.ok_or(WebhookError::Malformed)?;
        Ok(Returned {
            state: Secret::new(state),
            data: Secret::new(data),
        })
    }

    fn verifies_by_get(&self) -> bool {
        true
    }

    async fn webhook(&self, keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError> {
        let key = keys.get("key").map(|key| key.expose().as_bytes());
        if request.method == "GET" {
            return Ok(answer(Vec::new(), request.query));
        }
        if key.is_none() || request.header("x-key") != key {
            return Err(WebhookError::Unauthentic);
        }
        let text = std::str::from_utf8(request.body).map_err(|_| WebhookError::Malformed)?;
        let events = text.lines().map(|line| event(line).ok_or(WebhookError::Malformed));
        Ok(answer(events.collect::<Result<_, _>>()?, "taken"))
    }
}

fn answer(events: Vec<ProviderEvent>, said: &str) -> WebhookAnswer {
    let reply = ProviderReply {
        status: 202,
        content_type: Some("text/plain"),
        body: said.as_bytes().to_vec(),
    };
    WebhookAnswer { events, reply }
}

fn event(line: &str) -> Option<ProviderEvent> {
    let mut words = line.split(' ');
    let kind = match words.next()? {
        "connected" => ProviderEventKind::Connected,
        "updated" => ProviderEventKind::Updated,
        "reauth" => ProviderEventKind::ReauthRequired,
        "reauthorised" => ProviderEventKind::Reauthorised,
        "unlinked" => ProviderEventKind::Unlinked,
        _ => return None,
    };
    let subject = words.next()?;
    let id = Secret::new(words.next()?);
    let about = match subject {
        "account" => EventSubject::Account(id),
        "session" => EventSubject::Session(id),
        "link" => EventSubject::Link(id),
        "person" => EventSubject::Person(id),
        _ => return None,
    };
    Some(ProviderEvent {
        dedupe_key: words.next()?.to_owned(),
        at: words.next().and_then(|at| at.parse().ok()).map(Timestamp::from_millis),
        about,
        kind,
    })
}

/// One node that hears the provider.
pub struct HookNode {
    pub deps: Deps,
    pub pages: BrowserPages,
    pub hooks: ProviderWebhookReceiver,
    pub jobs: JobRunner,
}

/// Two nodes over the same records. The operator and partner 2 have keys at the provider, `key-1` and `key-2`.
pub struct HookWorld {
    pub bank: Arc<HookBank>,
    pub clock: Arc<ManualClock>,
    pub nodes: [HookNode; 2],
    pub records: Fixture,
}

impl HookWorld {
    pub async fn new(backend: Backend) -> Self {
        let records = backend.create().await;
        let (bank, clock) = (Arc::new(HookBank::default()), Arc::new(ManualClock::default()));
        let handles = [records.shared(), records.second_handle().await];
        let [one, other] = handles.map(|handle| node(handle, bank.clone(), clock.clone()));
        let world = Self {
            nodes: [one.await, other.await],
            bank,
            clock,
            records,
        };
        for n in [1, 2] {
            world.put_key(partner(n).id, &format!("key-{n}")).await;
        }
        world
    }

    async fn put_key(&self, owner: PartnerId, key: &str) {
        let deps = &self.nodes[0].deps;
        let keys: ProviderKeys = [("key", Secret::new(key))].into_iter().collect();
        let sealed = seal_keys(&deps.sealing.keyring, deps.rng.as_ref(), &owner, NAME, &keys).expect("sealed");
        let put = self.records.put_credentials(owner, NAME, &sealed, deps.clock.now());
        put.await.expect("keys");
    }

    pub fn deps(&self) -> &Deps {
        &self.nodes[0].deps
    }

    /// An attempt of this person that waits for a page, in the provider's session `session`; they agreed in `locale`.
    pub async fn waiting(&self, who: &RecordedPerson, session: &str, locale: &str) -> Attempt {
        let mut consent = who.consent();
        locale.clone_into(&mut consent.locale);
        let mut attempt = who.attempt(&consent);
        self.opened(&mut attempt, session);
        attempt.state = AttemptState::Waiting;
        attempt.waits_until = Some(self.clock.now().plus(WAIT));
        let begun = self.records.begin_waiting(&consent, &attempt, &[], &[]).await;
        assert!(begun.expect("the records"));
        attempt
    }

    /// An attempt of this person in this state.
    pub async fn attempted(&self, who: &RecordedPerson, session: &str, state: AttemptState) -> Attempt {
        let open = |attempt: &mut Attempt| self.opened(attempt, session);
        who.attempted(&*self.records, state, open).await
    }

    pub fn opened(&self, attempt: &mut Attempt, id: &str) {
        let sealing = &self.deps().sealing;
        let session = ProviderSession {
            chosen: Vec::new(),
            id: id.to_owned(),
            expires_at: None,
            told_at: None,
            form: None,
            kind: SessionKind::Link,
        };
        NAME.clone_into(&mut attempt.provider);
        attempt.session_digest = sealing.session_digest(NAME, id);
        let sealed = sealing.seal_session(&attempt.tag, attempt.id, &session);
        attempt.provider_session = sealed.expect("sealed");
    }

    /// A link of this person to these accounts, which the provider knows by `handle`.
    pub async fn linked(&self, who: &RecordedPerson, handle: &str, accounts: &[&str]) -> Link {
        let sealing = &self.deps().sealing;
        let session = format!("{handle} {accounts:?}");
        let attempt = self.attempted(who, &session, AttemptState::Unknown).await;
        let rows = accounts.iter().map(|id| {
            let (row, id) = (account(), Secret::new(*id));
            LinkedAccount {
                account: sealing.seal_account(&who.tag, row.id, &id).expect("sealed"),
                account_digest: sealing.account_digest(NAME, &id),
                ..row
            }
        });
        let made = Link {
            accounts: rows.collect(),
            access: LinkAccess {
                handle_digest: Some(sealing.link_handle_digest(NAME, &Secret::new(handle))),
                ..LinkAccess::default()
            },
            ..link(&attempt, 0)
        };
        let written = self.records.complete_link(&made, &[]).await;
        assert_eq!(written.expect("the records"), LinkCompletion::Written(made.id));
        made
    }

    pub async fn state_of(&self, link: &Link) -> LinkState {
        self.records.link(link.id).await.unwrap().expect("a link").state
    }

    /// Sends a webhook to one node, signed with this key.
    pub async fn send(
        &self,
        node: usize,
        owner: Option<&str>,
        key: &str,
        body: &str,
    ) -> Option<ProviderWebhookOutcome> {
        let headers = [("x-key".to_owned(), key.as_bytes().to_vec())];
        let request = ProviderRequest {
            method: "POST",
            path: "/hooks/hookbank",
            tail: "",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        receive(&self.nodes[node].hooks, NAME, owner, &request).await
    }

    /// Sends the operator a webhook that is taken.
    pub async fn hears(&self, body: &str) {
        assert_eq!(self.send(0, None, "key-1", body).await, Some(taken()), "{body}");
    }

    /// Whether a job with this key is there and open; it is not run.
    pub async fn has_job(&self, key: &str) -> bool {
        let (now, node) = (self.clock.now(), super::records::node(9));
        self.records.claim_key(key, node, now, now).await.unwrap().is_some()
    }
}

/// What the provider wants to hear.
pub fn taken() -> ProviderWebhookOutcome {
    ProviderWebhookOutcome::Accepted(answer(Vec::new(), "taken").reply)
}

async fn node(records: Arc<dyn Records>, bank: Arc<HookBank>, clock: Arc<ManualClock>) -> HookNode {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let around = AppOptions {
        clock,
        ..AppOptions::default()
    };
    let mut parts = shared(store, records, around).await;
    let registry = ProviderRegistry::new(vec![bank]);
    let owner = operator_partner().id;
    parts.providers = Arc::new(Providers::new(&parts.deps, registry, owner, vec!["NG".to_owned()]));
    parts.deps.node = kiungo::core::ids::NodeId::from_bytes(unique_bytes());
    let outbox = SmsOutbox::new(parts.deps.clone(), owner, SmsRoutes::default());
    let handlers = handlers(&parts, Arc::new(outbox));
    HookNode {
        pages: browser_pages(&parts),
        hooks: ProviderWebhookReceiver::new(parts.deps.clone(), parts.providers.clone()),
        jobs: JobRunner::new(parts.deps.clone(), handlers.all(), FOREVER),
        deps: parts.deps,
    }
}
