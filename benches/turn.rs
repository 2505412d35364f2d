//! The cost of a turn with each live store, from the bytes of the callback to those of the answer, without the web server.
//!
//! Both stores are measured so that their ratio can be followed; absolute figures say more about the machine. The benchmark
//! starts its own Redis with the settings that the service needs; without `redis-server` it is left out.

use std::error::Error;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, SamplingMode, measurement::WallTime};
use kiungo::app::{App, StartOptions};
use kiungo::config::Config;
use kiungo::config::sandbox::CHANNEL_SECRET;
use kiungo::service::callbacks::{IncomingRequest, UssdCallbacks};
use kiungo::service::channel::Channel;
use tempfile::TempDir;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many screens of the list of banks each person views.
const LINES: u64 = 40;

/// A Redis that stops when it is dropped.
struct Redis {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Redis {
    /// Starts it and waits until it accepts connections; `None` when the program is not installed.
    fn start() -> Outcome<Option<Self>> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let dir = tempfile::tempdir()?;
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--maxmemory-policy", "noeviction", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            return Ok(None);
        };
        let redis = Self { child, port, _dir: dir };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err("redis-server did not come up".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(redis))
    }
}

/// A whole server with one store, called without its web server.
struct Node {
    app: App,
    callbacks: Arc<dyn UssdCallbacks>,
    channel: Arc<Channel>,
    people: AtomicU64,
    _data: TempDir,
}

impl Node {
    async fn start(store: &str) -> Outcome<Self> {
        let data = tempfile::tempdir()?;
        let env = [
            ("KIUNGO_SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("KIUNGO_STORE__URL".to_owned(), store.to_owned()),
        ];
        let config = Config::sandbox(data.path(), &env)?;
        let app = App::start(config, StartOptions::default()).await?;
        let callbacks = app.callbacks.clone();
        let channel = callbacks
            .admit("sandbox", CHANNEL_SECRET, None)
            .ok_or("the sandbox has its channel")?;
        let node = Self {
            app,
            callbacks,
            channel,
            people: AtomicU64::new(0),
            _data: data,
        };
        // Checks that the screens are the expected ones, and reads the list of banks for the first time.
        let mut person = node.somebody();
        node.expect(&mut person, "", "Sandbox Lender").await?;
        node.expect(&mut person, "1", "Choose your bank").await?;
        node.expect(&mut person, "9", "9 More").await?;
        Ok(node)
    }

    /// A new subscriber.
    fn somebody(&self) -> Person {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        Person {
            form: format!(
                "sessionId=bench-{number}&phoneNumber=%2B234803{number:07}&networkCode=62130&serviceCode=*384*96%23&text="
            ),
            lines: String::new(),
        }
    }

    /// One turn: the person types `line`.
    async fn turn(&self, person: &mut Person, line: &str) -> Vec<u8> {
        if !person.lines.is_empty() {
            person.lines.push('*');
        }
        person.lines.push_str(line);
        let request = IncomingRequest {
            method: "POST".to_owned(),
            tail: String::new(),
            query: Vec::new().into(),
            headers: Vec::new(),
            body: Some([person.form.as_bytes(), person.lines.as_bytes()].concat().into()),
        };
        let answer = self.callbacks.answer(self.channel.clone(), request).await;
        answer.map(|answer| answer.body).unwrap_or_default()
    }

    async fn expect(&self, person: &mut Person, line: &str, text: &str) -> Outcome<()> {
        let answer = String::from_utf8(self.turn(person, line).await)?;
        let good = answer.starts_with("CON ") && answer.contains(text);
        if good { Ok(()) } else { Err(answer.into()) }
    }

    /// A new subscriber dials, which also reads the records.
    async fn dial(&self, rounds: u64) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..rounds {
            let mut person = self.somebody();
            let start = Instant::now();
            std::hint::black_box(self.turn(&mut person, "").await);
            took += start.elapsed();
        }
        took
    }

    /// A subscriber in a dialog turns a page.
    async fn page(&self, rounds: u64) -> Duration {
        let (mut took, mut left) = (Duration::ZERO, rounds);
        while left > 0 {
            let mut person = self.somebody();
            self.turn(&mut person, "").await;
            self.turn(&mut person, "1").await;
            for line in (0..LINES.min(left)).map(|line| if line % 2 == 0 { "9" } else { "0" }) {
                let start = Instant::now();
                std::hint::black_box(self.turn(&mut person, line).await);
                took += start.elapsed();
            }
            left -= LINES.min(left);
        }
        took
    }
}

struct Person {
    form: String,
    lines: String,
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, store: &str, node: &Node) {
    group.bench_function(format!("dial/{store}"), |bencher| {
        bencher.to_async(runtime).iter_custom(|rounds| node.dial(rounds));
    });
    group.bench_function(format!("page/{store}"), |bencher| {
        bencher.to_async(runtime).iter_custom(|rounds| node.page(rounds));
    });
}

/// The cost of a page with Redis relative to memory: the figure to follow.
fn ratio(runtime: &Runtime, nodes: [&Node; 2]) -> Outcome<()> {
    const ROUNDS: u64 = 2000;
    let [memory, redis] = nodes.map(|node| runtime.block_on(node.page(ROUNDS)).as_secs_f64());
    let (after, ratio) = (std::io::stdout(), redis / memory);
    writeln!(&after, "turn/page: {ratio:.1} times as long over redis as over memory")?;
    Ok(())
}

fn main() -> Outcome<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new()?;
    let redis = Redis::start()?;
    let memory = runtime.block_on(Node::start("memory:"))?;
    let over_redis = match &redis {
        Some(redis) => Some(runtime.block_on(Node::start(&format!("redis://127.0.0.1:{}", redis.port)))?),
        None => None,
    };
    let mut group = criterion.benchmark_group("turn");
    group.sampling_mode(SamplingMode::Flat);
    measure(&mut group, &runtime, "memory", &memory);
    if let Some(node) = &over_redis {
        measure(&mut group, &runtime, "redis", node);
    }
    group.finish();
    match &over_redis {
        Some(node) => ratio(&runtime, [&memory, node])?,
        None => writeln!(
            std::io::stdout(),
            "redis-server is not installed: only memory was measured"
        )?,
    }
    for node in [Some(memory), over_redis].into_iter().flatten() {
        runtime.block_on(node.app.stop())?;
    }
    Ok(())
}
