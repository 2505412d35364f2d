//! A real `redis-server` of one's own: started, stopped, killed, frozen and robbed of the end of its log at will.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use redis::{AsyncConnectionConfig, Value};
use tempfile::TempDir;

use super::resp::message_len;
use super::{eventually, files_below};

/// Long enough for a server to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of 127.0.0.1, with its log (fsync every second) in a directory of its own and no snapshots.
/// Killed when dropped.
pub struct RedisServer {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

/// How much of the log's end is lost.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// This many bytes.
    Bytes(u64),
    /// This part of the log, from 0 to 1.
    Fraction(f64),
    /// The last so many commands.
    Commands(usize),
}

impl RedisServer {
    /// A fresh, empty server that answers.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// One with more options.
    pub async fn with(options: &[&str]) -> Self {
        let mut server = Self {
            dir: tempfile::tempdir().unwrap(),
            port: free_port(),
            child: None,
        };
        server.restart(options).await;
        server
    }

    /// Its address for a store.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it on the same port and log, with more options, and returns at once: it may still be loading.
    pub fn launch(&mut self, options: &[&str]) {
        assert!(self.child.is_none(), "still running");
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--maxmemory-policy", "noeviction", "--dir"])
            .arg(self.dir.path())
            .args(options)
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.child = Some(child);
    }

    /// Starts it on the same port and log, and waits until it answers.
    pub async fn restart(&mut self, options: &[&str]) {
        self.launch(options);
        let (client, log) = (self.client(), self.dir.path().join("log"));
        let child = self.child.as_mut().unwrap();
        eventually(PATIENCE, async || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("redis-server ended: {status}\n{}", fs::read_to_string(&log).unwrap());
            }
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                return false;
            };
            redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
        })
        .await;
    }

    /// Starts it on the same port and log with a password, and waits until it refuses anyone who has none.
    #[cfg(feature = "sandbox")]
    pub async fn restart_locked(&mut self, password: &str) {
        self.launch(&["--requirepass", password]);
        let client = self.client();
        eventually(PATIENCE, async || {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                return false;
            };
            let answer = redis::cmd("PING").query_async::<String>(&mut connection).await;
            answer.is_err_and(|error| error.to_string().contains("NOAUTH") || error.code() == Some("NOAUTH"))
        })
        .await;
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        self.reap();
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        self.reap();
    }

    /// Freezes it: its connections stay open and nothing is answered.
    pub async fn freeze(&self) {
        self.signal("-STOP");
        let stat = format!("/proc/{}/stat", self.pid());
        eventually(PATIENCE, async || fs::read_to_string(&stat).unwrap().contains(") T ")).await;
    }

    /// Lets a frozen one go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Runs a command on a connection of its own.
    pub async fn command(&self, words: &[&str]) -> Value {
        // Some commands are there to take their time.
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let client = self.client();
        let connection = client.get_multiplexed_async_connection_with_config(&patient);
        let mut connection = connection.await.unwrap();
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.unwrap()
    }

    /// Changes a setting while it runs.
    pub async fn config_set(&self, name: &str, value: &str) {
        self.command(&["CONFIG", "SET", name, value]).await;
    }

    /// Waits until what was acknowledged is in its log. Redis writes there before it answers, but puts that off for up to
    /// two seconds while the disk is slow to sync: so even a mere crash may lose what was acknowledged.
    pub async fn written(&self) {
        eventually(PATIENCE, async || {
            let info: String = redis::from_redis_value(self.command(&["INFO", "persistence"]).await).unwrap();
            info.lines().any(|line| line.trim_end() == "aof_buffer_length:0")
        })
        .await;
    }

    /// Bytes in its log once everything acknowledged is in it.
    pub async fn aof_len(&self) -> u64 {
        self.written().await;
        fs::metadata(self.aof()).unwrap().len()
    }

    /// Loses the end of the log of a server that does not run, as a power failure does.
    pub fn truncate_aof(&self, cut: Cut) {
        assert!(self.child.is_none(), "stop it first");
        let length = fs::metadata(self.aof()).unwrap().len();
        let lost = match cut {
            Cut::Bytes(bytes) => bytes,
            Cut::Fraction(part) => {
                let thousandths = (0..=1_000_u64).find(|n| f64::from(u32::try_from(*n).unwrap()) >= part * 1_000.0);
                length * thousandths.unwrap() / 1_000
            }
            Cut::Commands(commands) => last_commands(&fs::read(self.aof()).unwrap(), commands),
        };
        let log = fs::OpenOptions::new().write(true).open(self.aof()).unwrap();
        log.set_len(length.saturating_sub(lost)).unwrap();
    }

    /// Every file it has written: its log, snapshots, and what it printed.
    pub fn dump_files(&self) -> Vec<PathBuf> {
        files_below(self.dir.path())
    }

    /// Where it keeps its files.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    fn aof(&self) -> PathBuf {
        let mut logs = self.dump_files();
        logs.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
        assert_eq!(logs.len(), 1, "{logs:?}");
        logs.remove(0)
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    fn reap(&mut self) {
        self.child.take().unwrap().wait().unwrap();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How many bytes the last commands of a log take.
fn last_commands(log: &[u8], commands: usize) -> u64 {
    let mut begins = Vec::new();
    let mut at = 0;
    while let Some(length) = log.get(at..).and_then(message_len) {
        begins.push(at);
        at += length;
    }
    let first = begins.len().saturating_sub(commands);
    let kept = begins.get(first).copied().unwrap_or(log.len());
    u64::try_from(log.len() - kept).unwrap()
}

/// A port that nobody listens on, below those that the system gives to outgoing connections, so that it stays free while
/// a server on it is down.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 12_000 + u16::try_from(std::process::id() * 53 % 19_000).unwrap();
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
