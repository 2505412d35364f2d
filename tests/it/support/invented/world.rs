//! An installation with the invented provider: nodes in this process, each with its own runtime, so that one can die.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::app::{App, ReadyProvider, StartOptions};
use kiungo::config::{Config, keys};
use kiungo::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use kiungo::core::secret::Secret;
use kiungo::records::{Link, Records, connect};
use kiungo::sandbox::sms::{RunningSms, SmsStandIn, SmsStandInSettings};
use kiungo::service::partners::provisioning::store_key;
use kiungo::service::sealing::Sealing;
use reqwest::Response;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;

use super::bank::{Client, UmojaBank};
use super::branches::Branch;
use super::hooks::{HookEvent, delivery};
use super::{NAME, Umoja};
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::http::client;
use crate::support::logs::{CapturedLog, captured};
use crate::support::node::{CHANNEL, SECRET};
use crate::support::options::Options;
use crate::support::postgres::PostgresServer;
use crate::support::redis::RedisServer;
use crate::support::search_forms::{forms, holds};
use crate::support::world::{PARTNER, Setup};

/// Where people's browsers reach the installation, as far as it knows.
pub const PUBLIC: &str = "https://pay.example";

/// The SMS gateway: its name, our key there, the secret of its callbacks.
const GATEWAY: [&str; 3] = [
    "texts",
    "Zq7-key-at-the-sms-gateway",
    "sms-path-secret-of-the-tests-0123456789",
];

/// Long enough for anything that must happen to happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// One server.
pub struct InventedNode {
    runtime: Option<Runtime>,
    /// Its base URL.
    pub url: String,
}

impl InventedNode {
    async fn start(config: Config, bank: &Arc<UmojaBank>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let provider = ReadyProvider {
            provider: Arc::new(Umoja::new(bank)),
            keys: bank.state().clients[0].keys(),
        };
        let options = StartOptions {
            providers: vec![provider],
            ..StartOptions::default()
        };
        let started = runtime.spawn(async move { App::start(config, options).await.map(|app| app.address) });
        let address = started.await.unwrap().expect("a server");
        Self {
            runtime: Some(runtime),
            url: format!("http://{address}"),
        }
    }

    /// It dies in the middle of whatever it does.
    pub fn die(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for InventedNode {
    fn drop(&mut self) {
        self.die();
    }
}

/// Servers, their stores, the bank, and the gateway that carries texts.
pub struct InventedWorld {
    pub nodes: Vec<InventedNode>,
    pub bank: Arc<UmojaBank>,
    pub gateway: RunningSms,
    pub records: Arc<dyn Records>,
    pub client: reqwest::Client,
    redis: Option<RedisServer>,
    postgres: Option<PostgresServer>,
    logs: CapturedLog,
    dir: TempDir,
}

impl InventedWorld {
    /// One node on memory and SQLite, or two on Redis and PostgreSQL.
    pub async fn start(setup: Setup) -> Self {
        let logs = captured();
        let dir = tempfile::tempdir().unwrap();
        keys::generate(&dir.path().join("keys"), &OsRng).unwrap();
        let (redis, postgres) = if setup == Setup::TwoHosts {
            (Some(RedisServer::start().await), Some(PostgresServer::start().await))
        } else {
            (None, None)
        };
        let file = format!("sqlite:{}/kiungo.db", dir.path().display());
        let database = postgres.as_ref().map_or(file, PostgresServer::url);
        let [name, key, _] = GATEWAY;
        let settings = SmsStandInSettings {
            username: name.to_owned(),
            key: Secret::new(key),
            number: "38496".to_owned(),
        };
        let gateway = SmsStandIn::start(settings, Arc::new(SystemClock), Arc::new(OsRng)).unwrap();
        let client_at_bank = Client::new("lender", &Branch::ALL);
        let mut world = Self {
            nodes: Vec::new(),
            bank: UmojaBank::new(vec![client_at_bank], Arc::new(SystemClock)),
            gateway,
            records: connect(&database).await.unwrap(),
            client: client(),
            redis,
            postgres,
            logs,
            dir,
        };
        let path = world.dir.path().join("node.toml");
        fs::write(&path, world.config(&database)).unwrap();
        for _ in 0..if setup == Setup::TwoHosts { 2 } else { 1 } {
            let config = Config::load(Some(&path), &[]).expect("a configuration");
            let node = InventedNode::start(config, &world.bank).await;
            world.nodes.push(node);
        }
        world.texts_come_to(0);
        world
    }

    fn config(&self, database: &str) -> String {
        let [name, key, secret] = GATEWAY;
        let store = self.redis.as_ref();
        let store = store.map_or("memory:".to_owned(), |redis| {
            format!("redis://127.0.0.1:{}", redis.port())
        });
        let mut options = Options::default();
        let _ = write!(
            options.policy,
            "\n\n[[sms]]\nname = \"{name}\"\ngateway = \"africastalking\"\nbase_url = \"{}\"\nusername = \"{name}\"\n\
             api_key = \"{key}\"\nsender = \"38496\"\nsecret = \"{secret}\"\ncountry = \"NG\"\n",
            self.gateway.url()
        );
        let stands = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{PUBLIC}\"\n\n[limits]\n{}\n\n[store]\nurl = \"{store}\"\n\n\
             [records]\nurl = \"{database}\"\n\n[keys]\ndir = \"{}/keys\"\nactive = \"k1\"\n\n[log]\nlevel = \"trace\"\n\n\
             [partner]\nname = \"{PARTNER}\"\npurpose = \"a loan decision\"\n",
            options.limits,
            self.dir.path().display(),
        );
        // Mono is set up as well, and does not answer: it is nobody's trouble here.
        stands + &options.serves("http://127.0.0.1:9", None)
    }

    /// The node that this one is counted as; where there is one, it is every one.
    fn node(&self, node: usize) -> &InventedNode {
        &self.nodes[node % self.nodes.len()]
    }

    /// What people text comes to this node.
    pub fn texts_come_to(&self, node: usize) {
        let [name, _, secret] = GATEWAY;
        let url = format!("{}/sms/{name}/{secret}", self.node(node).url);
        self.gateway.state.call_back_at(&url);
    }

    /// The base URL of a node.
    pub fn url(&self, node: usize) -> &str {
        &self.node(node).url
    }

    /// A phone whose turns go to this node.
    pub fn phone_at(&self, node: usize, number: &str) -> Phone {
        let callback = format!("{}/ussd/{CHANNEL}/{SECRET}", self.node(node).url);
        Phone::new(
            number,
            AggregatorClient::new(vec![callback], self.client.clone()).patient(),
        )
    }

    /// The texts that this number has got, once there are so many.
    pub async fn inbox(&self, number: &str, count: usize) -> Vec<String> {
        let read = || self.gateway.state.inbox(number);
        eventually(PATIENCE, async || read().len() >= count).await;
        read().into_iter().map(|text| text.text).collect()
    }

    /// The first text of this number that says so, once there is one.
    pub async fn told(&self, number: &str, words: &str) -> String {
        let found = || {
            let mut inbox = self.gateway.state.inbox(number).into_iter();
            inbox.find(|text| text.text.contains(words))
        };
        eventually(PATIENCE, async || found().is_some()).await;
        found().unwrap().text
    }

    /// Somebody texts, and reads the next text that comes.
    pub async fn send(&self, number: &str, text: &str) -> String {
        let before = self.gateway.state.inbox(number).len();
        self.gateway.state.send_from(number, text);
        self.inbox(number, before + 1).await.swap_remove(before)
    }

    /// Opens a public address at this node, as a balancer would have it.
    pub async fn browser(&self, node: usize, method: reqwest::Method, public: &str) -> Response {
        let path = public
            .strip_prefix(PUBLIC)
            .unwrap_or_else(|| panic!("not ours: {public}"));
        let url = format!("{}{path}", self.node(node).url);
        self.client.request(method, url).send().await.unwrap()
    }

    /// Sends a webhook that tells one thing to a node; the status and the body of the answer.
    pub async fn tell(&self, node: usize, event: HookEvent) -> (u16, String) {
        let path = "/hooks/umoja";
        let request = delivery(&self.bank.state().clients[0].hook_key, path, &[event]);
        let mut call = self.client.post(format!("{}{path}", self.url(node))).body(request.body);
        for (name, value) in request.headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Presses the button of the page that a text leads to; where the provider's page is.
    pub async fn to_the_bank(&self, node: usize, link: &str) -> Url {
        let shown = self.browser(node, reqwest::Method::GET, link).await;
        assert_eq!(shown.status(), 200);
        let page = shown.text().await.unwrap();
        assert!(page.contains("<form method=\"post\""), "{page}");
        let led = self.browser(node + 1, reqwest::Method::POST, link).await;
        assert_eq!(led.status(), 303);
        Url::parse(led.headers()["location"].to_str().unwrap()).unwrap()
    }

    /// Seals as the nodes do.
    pub fn sealing(&self) -> Sealing {
        Sealing {
            keyring: Arc::new(keys::load(&self.dir.path().join("keys"), "k1").unwrap()),
            rng: Arc::new(OsRng),
        }
    }

    /// Waits until no node has any such job left to do, now or later.
    pub async fn idle(&self, types: &[&str]) {
        eventually(PATIENCE, async || self.records.next_due(types).await.unwrap().is_none()).await;
    }

    pub async fn links(&self) -> Vec<Link> {
        let partner = kiungo::app::partner_id(PARTNER);
        self.records.links(partner, None, 1_000).await.unwrap()
    }

    /// The partner's API, with a key that is made now.
    pub async fn api(&self, node: usize) -> Api {
        let partner = kiungo::app::partner_id(PARTNER);
        let key = api_key::generate(ApiKeyKind::Secret, ApiEnvironment::Live, &OsRng);
        let stored = store_key(&*self.records, &SystemClock, partner, ApiKeyKind::Secret, &key);
        stored.await.expect("a key");
        Api {
            base: self.node(node).url.clone(),
            client: self.client.clone(),
            id: partner.to_string(),
            secret: key.expose().to_owned(),
        }
    }

    /// Fails if anything secret stands in a log, the live store or the records: these, and all that the bank has handed out.
    pub async fn assert_absent(&self, typed: &[&str]) {
        if let Some(redis) = &self.redis {
            redis.command(&["SAVE"]).await;
        }
        if let Some(postgres) = &self.postgres {
            postgres.flush().await;
        }
        let mut secrets = self.bank.state().secrets.clone();
        assert!(secrets.len() > 2, "the bank has handed nothing out");
        secrets.extend(typed.iter().map(|&secret| secret.to_owned()));
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.is_file() && path.extension().is_none_or(|kind| kind != "toml"));
        files.extend(self.redis.iter().flat_map(RedisServer::dump_files));
        files.extend(self.postgres.iter().flat_map(PostgresServer::files));
        let mut texts = vec![("log".to_owned(), self.logs.text())];
        for file in files {
            let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
            texts.push((file.display().to_string(), text));
        }
        let known = |needle: &str| texts.iter().any(|(_, text)| holds(text, needle));
        // What is not secret is found, so what is would be, too.
        assert!(
            known("institution list read") && known(PARTNER) && known(NAME),
            "nothing was read"
        );
        for secret in &secrets {
            for form in forms(secret) {
                for (place, text) in &texts {
                    assert!(!holds(text, &form), "{secret:?} stands in {place}");
                }
            }
        }
    }
}
