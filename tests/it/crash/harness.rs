//! A small installation of one's own: keys, records, Redis, a stand-in for Mono, and nodes as processes of the real
//! program, which are started, ended and killed at will.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::core::seal::Keyring;
use kiungo::core::secret::Secret;
use kiungo::records::{Link, Records, connect};
use kiungo::sandbox::mono::{KEY, MonoStandIn, Running, StandInSettings, Switches, WEBHOOK_SECRET};
use kiungo::service::sealing::Sealing;
use tempfile::TempDir;

use super::phone::Line;
use crate::support::eventually;
use crate::support::http::client;
use crate::support::redis::RedisServer;

/// Long enough for a node to come up, or to die, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// The secret segment of the channel's path.
pub const CHANNEL: &str = "a-secret-of-the-tests-channel";
/// The partner.
pub const PARTNER: &str = "Duka Loans";

/// Everything but the nodes.
pub struct Site {
    /// Live state.
    pub redis: RedisServer,
    /// The stand-in for Mono.
    pub mono: Running,
    /// Durable truth, on a handle of the test's own.
    pub records: Arc<dyn Records>,
    /// The keys, to recognise people and accounts.
    pub keyring: Arc<Keyring>,
    /// Calls servers.
    pub client: reqwest::Client,
    dir: TempDir,
    nodes: u32,
}

/// How a node is to be.
#[derive(Clone, Copy, Default)]
pub struct Setup<'a> {
    /// The edge at which it ends itself, and how often that is passed unharmed first.
    pub abort: Option<(&'a str, u64)>,
    /// How long a provider is given, in seconds; 2 where it is 0.
    pub timeout: u64,
    /// The log's level; `info` where it is empty.
    pub level: &'a str,
}

impl Site {
    /// Sets everything up; `change` throws the stand-in's switches.
    pub async fn new(change: impl FnOnce(&mut Switches)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        kiungo::config::keys::generate(&keys, &OsEntropy).unwrap();
        let keyring = Arc::new(kiungo::config::keys::load(&keys, "k1").unwrap());
        let mut switches = Switches::immediate();
        change(&mut switches);
        let settings = StandInSettings {
            switches,
            ..StandInSettings::default()
        };
        let mono = MonoStandIn::start(settings, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap();
        let records = connect(&format!("sqlite:{}", dir.path().join("kiungo.db").display()))
            .await
            .unwrap();
        Self {
            redis: RedisServer::start().await,
            mono,
            records,
            keyring,
            client: client(),
            dir,
            nodes: 0,
        }
    }

    /// Starts a node and waits until it listens. The stand-in's webhooks go to it from now on.
    pub async fn node(&mut self, setup: Setup<'_>) -> Node {
        self.nodes += 1;
        let config = self.dir.path().join(format!("node{}.toml", self.nodes));
        fs::write(&config, self.config(setup)).unwrap();
        let [out, log] = ["out", "log"].map(|kind| self.dir.path().join(format!("node{}.{kind}", self.nodes)));
        let child = Command::new(env!("CARGO_BIN_EXE_kiungo"))
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut node = Node {
            child,
            log,
            address: String::new(),
            client: self.client.clone(),
        };
        eventually(PATIENCE, async || {
            let printed = fs::read_to_string(&node.log).unwrap();
            if let Some(status) = node.child.try_wait().unwrap() {
                panic!("a node ended at its start: {status}\n{printed}");
            }
            node.address = listening(&printed).unwrap_or_default();
            !node.address.is_empty()
        })
        .await;
        self.mono
            .state
            .send_webhooks_to(&format!("http://{}/hooks/mono", node.address));
        node
    }

    fn config(&self, setup: Setup<'_>) -> String {
        let folder = self.dir.path().display();
        let abort = setup.abort.map_or(String::new(), |(edge, after)| {
            format!("abort_at = \"{edge}\"\nabort_after = {after}\n")
        });
        let level = if setup.level.is_empty() { "info" } else { setup.level };
        format!(
            r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:1"
[store]
url = "{redis}"
[records]
url = "sqlite:{folder}/kiungo.db"
[keys]
dir = "{folder}/keys"
active = "k1"
[policy]
secrets_over_ussd = "allow"
[partner]
name = "{PARTNER}"
purpose = "a loan decision"
[[channels]]
name = "ng"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "{CHANNEL}"
country = "NG"
[providers.mono]
base_url = "{mono}"
secret_key = "{KEY}"
webhook_secret = "{WEBHOOK_SECRET}"
timeout = {timeout}
customer.email = "kiungo+{{ref}}@example.com"
[log]
format = "json"
level = "{level}"
[sandbox]
lease_margin = 2
{abort}"#,
            redis = self.redis.url(),
            mono = self.mono.url(),
            timeout = if setup.timeout == 0 { 2 } else { setup.timeout },
        )
    }

    /// All links of the partner.
    pub async fn links(&self) -> Vec<Link> {
        let partner = kiungo::app::partner_id(PARTNER);
        self.records.links(partner, None, 100_000).await.unwrap()
    }

    /// The digest under which the records keep a provider's account.
    pub fn account_digest(&self, account: &str) -> [u8; 32] {
        let sealing = Sealing {
            keyring: Arc::clone(&self.keyring),
            entropy: Arc::new(OsEntropy),
        };
        sealing.account_digest("mono", &Secret::new(account))
    }

    /// Every file that anything here has written, keys and configurations apart.
    pub fn files(&self) -> Vec<PathBuf> {
        let own = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let own = own.filter(|path| path.is_file() && path.extension().is_none_or(|kind| kind != "toml"));
        own.chain(self.redis.dump_files()).collect()
    }
}

/// The address in the line that says so.
fn listening(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("\"listening\""))?;
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(line["address"].as_str()?.to_owned())
}

/// A process of the real program. Killed when dropped.
pub struct Node {
    child: Child,
    /// What it prints on standard error.
    pub log: PathBuf,
    /// Where it listens.
    pub address: String,
    client: reqwest::Client,
}

impl Node {
    /// The way to its channel.
    pub fn line(&self) -> Line {
        Line {
            callbacks: format!("http://{}/ussd/ng/{CHANNEL}", self.address),
            client: self.client.clone(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually(PATIENCE, async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// Ends it as the kernel does when memory is short.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to go and waits until it has.
    pub async fn stop(mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.unwrap().success());
        assert!(self.ended().await.success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of a file that may be in the middle of being replaced.
pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}
