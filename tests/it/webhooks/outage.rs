//! Everything goes down once, and nothing is lost. (W1)

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::PartnerId;
use kiungo::core::time::Clock as _;
use kiungo::records::{LinkState, Records, connect};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::postgres::PostgresServer;
use crate::support::receiver::{ReceivedRequest, WebhookReceiver};
use crate::support::records::{RecordedPerson, person};
use crate::support::redis::free_port;
use crate::support::soak;

/// How much happens to each link.
const EACH: usize = 50;
/// As much of it really happens. The rest is written into the tables as if it had, which takes a tenth of the time.
const REAL: usize = 5;
/// Three days of tries in less than a minute.
const HASTE: &str = "5000";
/// Longer than all of it takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// Links to which it happens: ten thousand events in `make soak`.
fn links() -> usize {
    soak::number(40, 200)
}

fn events() -> usize {
    links() * EACH
}

/// The real program, as a sandbox: it calls receivers on this machine. Killed when dropped.
struct Server {
    child: Option<Child>,
    port: u16,
}

impl Server {
    /// Starts it on these records, and waits until it is ready.
    async fn start(data: &Path, records: &str) -> Self {
        let mut server = Self {
            child: None,
            port: free_port(),
        };
        server.restart(data, records).await;
        server
    }

    async fn restart(&mut self, data: &Path, records: &str) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kiungo"))
            .args(["serve", "--data"])
            .arg(data)
            .env_clear()
            .env("KIUNGO_SERVER__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("KIUNGO_RECORDS__URL", records)
            .env("KIUNGO_SANDBOX__WEBHOOK_HASTE", HASTE)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        let ready = format!("{}/health/ready", self.origin());
        let client = crate::support::http::client();
        eventually(PATIENCE, async || {
            let answer = client.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it as `kill -9` does.
    fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// All that happens, to several links at a time.
async fn happen(db: &Arc<dyn Records>, partner: PartnerId) {
    let mut tasks = JoinSet::new();
    for first in 0..8 {
        let db = db.clone();
        tasks.spawn(async move {
            for n in (first..links()).step_by(8) {
                let whom = RecordedPerson {
                    partner,
                    ..person(1, u8::try_from(n).unwrap())
                };
                let link = whom.links_now(&*db).await;
                for n in 1..REAL {
                    let to = [LinkState::Active, LinkState::ReauthRequired][n % 2];
                    assert!(db.move_link(link.id, to, &[], SystemClock.now()).await.unwrap());
                }
            }
        });
    }
    tasks.join_all().await;
}

/// Writes down the rest of what happens to each link, with the job of each event.
async fn happen_on(postgres: &PostgresServer) {
    let sql = format!(
        "WITH more AS (
             SELECT partner, subject, n, created_at + n AS at, decode(md5(encode(subject, 'hex') || n), 'hex') AS id,
                 CASE WHEN n % 2 = 1 THEN 'active' ELSE 'reauth_required' END AS state
             FROM events CROSS JOIN generate_series({REAL} + 1, {EACH}) AS n WHERE seq = 1
         ), told AS (
             INSERT INTO events (id, partner, kind, subject, seq, data, key, created_at)
             SELECT id, partner, CASE state WHEN 'active' THEN 'link.updated' ELSE 'link.reauth_required' END, subject, n,
                 format('{{\"link_id\":\"%s\",\"state\":\"%s\",\"sequence\":%s}}', encode(subject, 'hex')::uuid, state, n),
                 'more:' || encode(id, 'hex'), at
             FROM more
         )
         INSERT INTO jobs (id, partner, kind, subject, key, state, due_at, tries)
         SELECT id, partner, 'publish', id, 'publish:' || encode(id, 'hex')::uuid, 'open', at, 0 FROM more"
    );
    let mut raw = postgres.raw().await;
    let written = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await.unwrap();
    assert_eq!(
        usize::try_from(written.rows_affected()).unwrap(),
        links() * (EACH - REAL)
    );
}

async fn undelivered(postgres: &PostgresServer) -> i64 {
    let counting = "SELECT COUNT(*) FROM events e LEFT JOIN deliveries d ON d.event = e.id \
        WHERE d.state IS NULL OR d.state <> 'delivered'";
    let mut raw = postgres.raw().await;
    sqlx::query_scalar(counting).fetch_one(&mut raw).await.unwrap()
}

/// Each event that came, by its id: one body each, one id for each body, and for each link every number once, in the order
/// in which things happened.
fn each_once(received: &[ReceivedRequest]) {
    let mut bodies: HashMap<&str, &[u8]> = HashMap::new();
    for one in received {
        assert_eq!(*bodies.entry(&one.id).or_insert(&one.body), one.body, "{}", one.id);
    }
    let mut states_of: HashMap<String, HashMap<u64, Value>> = HashMap::new();
    for body in bodies.values() {
        let event: Value = serde_json::from_slice(body).unwrap();
        let link = event["data"]["link_id"].as_str().unwrap().to_owned();
        let sequence = event["data"]["sequence"].as_u64().unwrap();
        let twice = states_of
            .entry(link)
            .or_default()
            .insert(sequence, event["data"]["state"].clone());
        assert_eq!(twice, None, "two events for one transition");
    }
    assert_eq!((bodies.len(), states_of.len()), (events(), links()));
    for states in states_of.values() {
        for sequence in 1..=u64::try_from(EACH).unwrap() {
            let wanted = if sequence % 2 == 1 { "active" } else { "reauth_required" };
            assert_eq!(states.get(&sequence), Some(&json!(wanted)), "{sequence}");
        }
    }
}

/// Thousands of events while the receiver is down; then the server is killed, and the database, in the middle of telling
/// them. All are told in the end, each under one id on every try, one for each transition, and their numbers say in which
/// order things happened. What was taken is told again only where a death hid that it was.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_everything_goes_down_once() {
    let mut postgres = PostgresServer::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &postgres.url()).await;
    let receiver = WebhookReceiver::start(0).await;
    let api = Api::of_sandbox(&server.origin());
    let token = api.token().await;
    let new = json!({"url": receiver.url});
    api.created(&token, None, "/v1/webhook-endpoints", &new).await;
    let partner = PartnerId::parse(&api.id).unwrap();
    happen(&connect(&postgres.url()).await.unwrap(), partner).await;
    happen_on(&postgres).await;
    eventually(PATIENCE, async || receiver.count() > 100).await;
    assert_eq!(receiver.taken(), 0);

    receiver.answer(200);
    eventually(PATIENCE, async || receiver.taken() > events() / 5).await;
    server.kill();
    server.restart(data.path(), &postgres.url()).await;
    let before = receiver.taken();
    eventually(PATIENCE, async || receiver.taken() > before + events() / 5).await;
    postgres.kill().await;
    postgres.restart().await;
    eventually(PATIENCE, async || receiver.taken() >= events()).await;
    eventually(PATIENCE, async || undelivered(&postgres).await == 0).await;

    let received = receiver.received();
    each_once(&received);
    let taken: Vec<_> = received
        .iter()
        .filter(|one| one.status == 200)
        .map(|one| &one.id)
        .collect();
    let once: HashSet<_> = taken.iter().collect();
    assert_eq!(once.len(), events());
    assert!(
        taken.len() - once.len() <= 2 * 8,
        "{} were taken twice",
        taken.len() - once.len()
    );
}
