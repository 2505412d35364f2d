//! A whole installation: servers, the live store, the records, and a stand-in for the provider whose ledger is the truth.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::config::keys;
use kiungo::sandbox::mono::{APP, Call, KEY, Ledger, MonoStandIn, Outcome, Running, StandInSettings, Switches};
use tempfile::TempDir;

use super::aggregator::{Phone, Servers};
use super::http::client;
use super::node::{CHANNEL, Node, SECRET};
use super::postgres::PostgresServer;
use super::redis::RedisServer;

/// What the stand-in sends with its webhooks.
const WEBHOOK_SECRET: &str = "webhook-secret-of-the-tests-0123456789";

/// How many servers there are, and where they keep what is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// One, in its memory.
    Memory,
    /// One, in Redis.
    Redis,
    /// Two on one Redis, taking the turns of a dialog alternately.
    TwoNodes,
    /// As two nodes, with their records in one PostgreSQL, as on two hosts.
    TwoHosts,
}

/// What is in the configuration apart from what every test needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lines under `[policy]`, and tables after it.
    pub policy: String,
    /// Lines under `[server]`, beside where it listens.
    pub server: &'static str,
    /// Lines under `[[channels]]`, beside what it needs.
    pub channel: &'static str,
    /// Lines under `[limits]`.
    pub limits: &'static str,
    /// Institutions to show first.
    pub favourites: Vec<&'static str>,
    /// Seconds that the provider is given.
    pub timeout: u64,
    /// Whether to speak the provider's first version.
    pub v1: bool,
    /// How the stand-in behaves at first.
    pub switches: Switches,
    /// Where the provider is, if it is not the stand-in.
    pub provider: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: "secrets_over_ussd = \"allow\"".to_owned(),
            server: "",
            channel: "",
            limits: "",
            favourites: vec!["Providus Bank", "Zenith Bank"],
            timeout: 60,
            v1: false,
            switches: Switches::immediate(),
            provider: None,
        }
    }
}

/// The installation. Everything in it ends when it is dropped.
pub struct World {
    /// The servers.
    pub nodes: Vec<Node>,
    /// The live store, where it is not memory.
    pub redis: Option<RedisServer>,
    /// The records, where they are not a file.
    pub postgres: Option<PostgresServer>,
    /// The provider.
    pub mono: Running,
    /// One for all phones: to make one takes so long that answers would seem late.
    client: reqwest::Client,
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
        let settings = StandInSettings {
            switches: options.switches.clone(),
            webhook_secret: kiungo::core::secret::Secret::new(WEBHOOK_SECRET),
            webhook_retries: [100, 300, 1_000, 3_000].map(Duration::from_millis).to_vec(),
            ..StandInSettings::default()
        };
        let mono = MonoStandIn::start(settings, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap();
        keys::generate(&dir.path().join("keys"), &OsEntropy).unwrap();
        let redis = match setup {
            Setup::Memory => None,
            Setup::Redis | Setup::TwoNodes | Setup::TwoHosts => Some(RedisServer::start().await),
        };
        let postgres = match setup {
            Setup::Memory | Setup::Redis | Setup::TwoNodes => None,
            Setup::TwoHosts => Some(PostgresServer::start().await),
        };
        let store = redis.as_ref().map_or("memory:".to_owned(), RedisServer::url);
        let file = format!("sqlite:{}/kiungo.db", dir.path().display());
        let records = postgres.as_ref().map_or(file, PostgresServer::url);
        let file = dir.path().join("kiungo.toml");
        fs::write(&file, config(&options, &store, &records, &dir, &mono)).unwrap();
        let mut nodes = Vec::new();
        let servers = match setup {
            Setup::Memory | Setup::Redis => 1,
            Setup::TwoNodes | Setup::TwoHosts => 2,
        };
        for number in 0..servers {
            let log = dir.path().join(format!("node-{number}.log"));
            nodes.push(Node::start(file.clone(), log).await);
        }
        let world = Self {
            nodes,
            redis,
            postgres,
            mono,
            client: client(),
            dir,
        };
        world.hook(0);
        world
    }

    /// Lets the provider's webhooks come to this server.
    pub fn hook(&self, node: usize) {
        let url = format!("{}/hooks/mono", self.nodes[node].url());
        self.mono.state.send_webhooks_to(&url);
    }

    /// A phone with this number, whose turns go to the servers in turn.
    pub fn phone(&self, number: &str) -> Phone {
        Phone::new(
            number,
            self.nodes.iter().map(Node::callback).collect(),
            self.client.clone(),
        )
    }

    /// A phone whose turns go wherever a balancer sends them.
    pub fn phone_through(&self, servers: &Servers, number: &str) -> Phone {
        Phone::through(number, servers.clone(), self.client.clone())
    }

    /// A phone whose turns all go to one server.
    pub fn phone_at(&self, node: usize, number: &str) -> Phone {
        Phone::new(number, vec![self.nodes[node].callback()], self.client.clone())
    }

    /// Changes the provider's behaviour.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.mono.state.switches();
        change(&mut switches);
        self.mono.state.set(switches);
    }

    /// What reached the provider.
    pub fn ledger(&self) -> Ledger {
        self.mono.state.ledger()
    }

    /// What became of the submissions in the sessions in which this user name was typed, in order.
    pub fn submits(&self, username: &str) -> Vec<(Call, Option<Outcome>)> {
        let ledger = self.ledger();
        let sessions = sessions(&ledger, username);
        ledger
            .submits
            .iter()
            .filter(|submit| submit.session.as_ref().is_some_and(|id| sessions.contains(id)))
            .map(|submit| (submit.call, submit.outcome))
            .collect()
    }

    /// The numbers of the accounts linked and not unlinked with this user name.
    pub fn accounts(&self, username: &str) -> Vec<String> {
        let ledger = self.ledger();
        let sessions = sessions(&ledger, username);
        ledger
            .accounts
            .iter()
            .filter(|account| account.unlinked_at.is_none() && sessions.contains(&account.session))
            .map(|account| account.number.clone())
            .collect()
    }

    /// Every file that anything here has written: logs, records with their journals, and what Redis and PostgreSQL keep.
    pub fn files(&self) -> Vec<PathBuf> {
        let keys = self.dir.path().join("keys");
        let mut files: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| *path != keys && path.is_file())
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

/// The forms in which a text may have been written down.
fn forms(secret: &str) -> [String; 3] {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    let hex = secret
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    let wide = secret.chars().flat_map(|letter| [letter, '\0']).collect();
    [secret.to_owned(), hex, wide]
}

/// Whether `form` stands in `text`; digits only where they are not part of a longer word.
pub fn holds(text: &str, form: &str) -> bool {
    let digits = form.bytes().all(|byte| byte.is_ascii_digit());
    let beside = |byte: Option<&u8>| digits && byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.match_indices(form).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !beside(before) && !beside(bytes.get(at + form.len()))
    })
}

/// The sessions in which this user name was typed.
fn sessions(ledger: &Ledger, username: &str) -> Vec<String> {
    let submits = ledger.submits.iter();
    submits
        .filter(|submit| submit.username.as_deref() == Some(username))
        .filter_map(|submit| submit.session.clone())
        .collect()
}

fn config(options: &Options, store: &str, records: &str, dir: &TempDir, mono: &Running) -> String {
    let dialect = if options.v1 {
        format!("dialect = \"v1\"\napp_id = \"{APP}\"")
    } else {
        String::new()
    };
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
{server}

[limits]
{limits}

[store]
url = "{store}"

[records]
url = "{records}"

[keys]
dir = "{dir}/keys"
active = "k1"

[log]
level = "trace"

[partner]
name = "Sandbox Lender"
purpose = "a loan decision"

[[channels]]
name = "{CHANNEL}"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "{SECRET}"
country = "NG"
{channel}

[providers.mono]
base_url = "{base}"
secret_key = "{KEY}"
webhook_secret = "{WEBHOOK_SECRET}"
customer.email = "test+{{ref}}@example.com"
favourites = {favourites:?}
timeout = {timeout}
{dialect}

[policy]
{policy}
"#,
        server = options.server,
        channel = options.channel,
        limits = options.limits,
        dir = dir.path().display(),
        base = options.provider.clone().unwrap_or_else(|| mono.url()),
        favourites = options.favourites,
        timeout = options.timeout,
        policy = options.policy,
    )
}
