//! A whole installation: servers, the live store, the records, and a stand-in for the provider whose call log is the truth.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::config::keys;
use kiungo::core::seal::Keyring;
use kiungo::core::secret::Secret;
use kiungo::records::{Link, Records, connect};
use kiungo::sandbox::bank::SubmitOutcome;
use kiungo::sandbox::mono::{CallLog, MonoCall, MonoDialect, MonoStandInSettings, MonoSwitches, RunningMono};
use kiungo::service::deps::CrashPoint;
use tempfile::TempDir;

use super::aggregator::{AggregatorClient, Phone};
use super::http::client;
use super::node::Node;
use super::options::Options;
use super::postgres::PostgresServer;
use super::proxy::Proxy;
use super::recorder::Recorder;
use super::redis::RedisServer;
use super::search_forms::{forms, holds};

/// What the stand-in sends with its webhooks.
pub const WEBHOOK_SECRET: &str = "webhook-secret-of-the-tests-0123456789";
/// The partner.
pub const PARTNER: &str = "Sandbox Lender";

/// How many servers there are, and where they keep what is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// None yet, to be on Redis: [`World::node`] starts them.
    Bare,
    /// The same, with their records in PostgreSQL.
    BareHosts,
    /// One, in its memory.
    Memory,
    /// One, in Redis.
    Redis,
    /// Two on one Redis, taking the turns of a dialog alternately.
    TwoNodes,
    /// As two nodes, with their records in one PostgreSQL, as on two hosts.
    TwoHosts,
}

/// The installation. Everything in it ends when it is dropped.
pub struct World {
    /// The servers.
    pub nodes: Vec<Node>,
    /// The live store, where it is not memory.
    pub redis: Option<RedisServer>,
    /// What stands between the servers and Redis, and breaks it on demand.
    pub proxy: Option<Proxy>,
    /// What stands there instead, and brings old values back on demand.
    pub recorder: Option<Recorder>,
    /// The records, where they are not a file.
    pub postgres: Option<PostgresServer>,
    /// The provider.
    pub mono: RunningMono,
    /// Durable truth, on a handle of the test's own.
    pub records: Arc<dyn Records>,
    /// One for all phones: to make one takes so long that answers would seem late.
    pub client: reqwest::Client,
    options: Options,
    database: String,
    started: usize,
    dir: TempDir,
}

impl World {
    /// Starts one.
    pub async fn start(setup: Setup) -> Self {
        Self::with(setup, |_| ()).await
    }

    /// Starts one, changed as wished.
    pub async fn with(setup: Setup, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let dir = tempfile::tempdir().unwrap();
        let settings = MonoStandInSettings {
            switches: options.switches.clone(),
            dialect: MonoDialect {
                webhook_secret: Secret::new(WEBHOOK_SECRET),
                ..MonoDialect::default()
            },
            webhook_retries: [100, 300, 1_000, 3_000].map(Duration::from_millis).to_vec(),
            ..MonoStandInSettings::default()
        };
        let mono = kiungo::sandbox::bank::start(settings, Arc::new(SystemClock), Arc::new(OsRng)).unwrap();
        keys::generate(&dir.path().join("keys"), &OsRng).unwrap();
        let redis = match setup {
            Setup::Memory => None,
            Setup::Bare | Setup::BareHosts | Setup::Redis | Setup::TwoNodes | Setup::TwoHosts => {
                Some(RedisServer::with(&options.redis).await)
            }
        };
        let postgres = match setup {
            Setup::Bare | Setup::Memory | Setup::Redis | Setup::TwoNodes => None,
            Setup::BareHosts | Setup::TwoHosts => Some(PostgresServer::start().await),
        };
        let proxy = redis.as_ref().filter(|_| options.proxy);
        let proxy = proxy.map(|redis| Proxy::before(redis.port()));
        let recorder = redis.as_ref().filter(|_| options.recorder);
        let recorder = recorder.map(|redis| Recorder::before(redis.port()));
        let file = format!("sqlite:{}/kiungo.db", dir.path().display());
        let database = postgres.as_ref().map_or(file, PostgresServer::url);
        let mut world = Self {
            nodes: Vec::new(),
            redis,
            proxy,
            recorder,
            postgres,
            mono,
            records: connect(&database).await.unwrap(),
            database,
            client: client(),
            options,
            started: 0,
            dir,
        };
        let nodes = match setup {
            Setup::Bare | Setup::BareHosts => 0,
            Setup::Memory | Setup::Redis => 1,
            Setup::TwoNodes | Setup::TwoHosts => 2,
        };
        for _ in 0..nodes {
            let node = world.node(None).await;
            world.nodes.push(node);
        }
        if nodes > 0 {
            world.hook(0);
        }
        world
    }

    /// Starts another server, which may end itself at an edge after passing it unharmed so many times. The provider's
    /// webhooks come to it from now on.
    pub async fn node(&mut self, abort: Option<(CrashPoint, u64)>) -> Node {
        let number = self.started;
        self.started += 1;
        let [config, log] = ["toml", "log"].map(|kind| self.dir.path().join(format!("node-{number}.{kind}")));
        fs::write(&config, self.config(abort)).unwrap();
        let node = Node::start(config, log, self.client.clone()).await;
        self.mono.state.send_webhooks_to(&format!("{}/hooks/mono", node.url()));
        node
    }

    /// From its next start on, every server in [`Self::nodes`] seals with this key.
    pub fn seal_with(&mut self, key: &str) {
        key.clone_into(&mut self.options.active);
        for node in &self.nodes {
            fs::write(&node.config, self.config(None)).unwrap();
        }
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    /// The keys, to recognise people and accounts.
    pub fn keyring(&self) -> Keyring {
        keys::load(&self.keys(), &self.options.active).unwrap()
    }

    /// All links of the partner.
    pub async fn links(&self) -> Vec<Link> {
        let partner = kiungo::app::partner_id(PARTNER);
        self.records.links(partner, None, 100_000).await.unwrap()
    }

    /// Lets the provider's webhooks come to this server.
    pub fn hook(&self, node: usize) {
        let url = format!("{}/hooks/mono", self.nodes[node].url());
        self.mono.state.send_webhooks_to(&url);
    }

    /// A phone with this number, whose turns go to the servers in turn.
    pub fn phone(&self, number: &str) -> Phone {
        Phone::new(number, self.line())
    }

    /// The way to all servers.
    pub fn line(&self) -> AggregatorClient {
        AggregatorClient::new(self.nodes.iter().map(Node::callback).collect(), self.client.clone())
    }

    /// A phone whose turns all go to one server.
    pub fn phone_at(&self, node: usize, number: &str) -> Phone {
        Phone::new(number, self.nodes[node].line())
    }

    /// Changes the provider's behaviour.
    pub fn switch(&self, change: impl FnOnce(&mut MonoSwitches)) {
        let mut switches = self.mono.state.switches();
        change(&mut switches);
        self.mono.state.set_switches(switches);
    }

    /// What reached the provider.
    pub fn call_log(&self) -> CallLog {
        self.mono.state.call_log()
    }

    /// What became of the submissions in the sessions in which this user name was typed, in order.
    pub fn submits(&self, username: &str) -> Vec<(MonoCall, Option<SubmitOutcome>)> {
        let call_log = self.call_log();
        let sessions = sessions(&call_log, username);
        call_log
            .submits
            .iter()
            .filter(|submit| submit.session.as_ref().is_some_and(|id| sessions.contains(id)))
            .map(|submit| (submit.call, submit.outcome))
            .collect()
    }

    /// The numbers of the accounts linked and not unlinked with this user name.
    pub fn accounts(&self, username: &str) -> Vec<String> {
        let call_log = self.call_log();
        let sessions = sessions(&call_log, username);
        call_log
            .accounts
            .iter()
            .filter(|account| account.unlinked_at.is_none() && sessions.contains(&account.session))
            .map(|account| account.number.clone())
            .collect()
    }

    /// Every file that anything here has written: logs, records with their journals, and what Redis and PostgreSQL keep.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file() && path.extension().is_none_or(|kind| kind != "toml"))
            .collect();
        files.extend(self.redis.iter().flat_map(RedisServer::dump_files));
        files.extend(self.postgres.iter().flat_map(PostgresServer::files));
        files
    }

    /// Fails if any of these texts stands in any file: in clear, in hexadecimal, in base 64 or in wide characters.
    pub async fn assert_absent(&self, secrets: &[&str]) {
        if let Some(redis) = &self.redis {
            redis.command(&["SAVE"]).await;
        }
        if let Some(postgres) = &self.postgres {
            postgres.flush().await;
        }
        let files = self.files();
        let file = files.iter().any(|file| file.ends_with("kiungo.db"));
        assert!(file || self.postgres.is_some(), "{files:?}");
        let mut seen = 0;
        for file in files {
            // What is not text becomes other characters; what is stays, and searching text is quick.
            let bytes = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            seen += usize::from(holds(&text, "listening")) + usize::from(holds(&text, "Sandbox Lender"));
            for secret in secrets {
                assert!(secret.len() >= 6, "{secret:?} may stand anywhere by chance");
                for form in forms(secret) {
                    assert!(!holds(&text, &form), "{secret:?} stands in {}", file.display());
                }
            }
        }
        // What is not secret is found in logs and records, so what is would be, too.
        assert!(seen >= 2, "the files were not read");
    }
}

/// The sessions in which this user name was typed.
fn sessions(call_log: &CallLog, username: &str) -> Vec<String> {
    let submits = call_log.submits.iter();
    submits
        .filter(|submit| submit.username.as_deref() == Some(username))
        .filter_map(|submit| submit.session.clone())
        .collect()
}

impl World {
    /// The configuration of a server: who it is and where it keeps things, then what is switched.
    fn config(&self, abort: Option<(CrashPoint, u64)>) -> String {
        let options = &self.options;
        let direct = self.redis.as_ref().map(RedisServer::port);
        let between = self.proxy.as_ref().map(Proxy::port);
        let store = between.or(self.recorder.as_ref().map(Recorder::port)).or(direct);
        let stands = format!(
            r#"
[server]
listen = "127.0.0.1:0"
{server}

[limits]
{limits}

[store]
url = "{store}"

[records]
url = "{database}"

[keys]
dir = "{dir}/keys"
active = "{active}"

[log]
level = "{level}"

[partner]
name = "{PARTNER}"
purpose = "a loan decision"
{partner}
"#,
            store = store.map_or("memory:".to_owned(), |port| format!("redis://127.0.0.1:{port}")),
            server = options.server,
            partner = options.partner,
            limits = options.limits,
            database = self.database,
            dir = self.dir.path().display(),
            active = options.active,
            level = options.level,
        );
        let base = options.provider.clone().unwrap_or_else(|| self.mono.url());
        stands + &options.serves(&base, abort)
    }
}
