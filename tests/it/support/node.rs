//! The real program as a process of its own: started, killed, ended in good order, started again on the same files.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::aggregator::AggregatorClient;
use super::eventually;

/// Long enough for a process to come up or go down on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one channel's name.
pub const CHANNEL: &str = "ng";
/// Its secret.
pub const SECRET: &str = "path-secret-of-the-tests-0123456789";

/// One process. Killed when dropped.
pub struct Node {
    /// Where its configuration is.
    pub config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    address: Option<SocketAddr>,
    client: reqwest::Client,
}

impl Node {
    /// Starts one with this configuration and waits until it is ready. What it prints is kept in `log`.
    pub async fn start(config: PathBuf, log: PathBuf, client: reqwest::Client) -> Self {
        let mut node = Self {
            config,
            log,
            child: None,
            address: None,
            client,
        };
        node.restart().await;
        node
    }

    /// Starts it again, on the same files, and waits until it is ready.
    pub async fn restart(&mut self) {
        let before = self.launch();
        self.comes_up(before).await;
    }

    /// Starts it again and returns at once, with how much it has printed before.
    pub fn launch(&mut self) -> usize {
        assert!(self.child.is_none(), "still running");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let before = usize::try_from(log.metadata().unwrap().len()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kiungo"))
            .args(["serve", "--config"])
            .arg(&self.config)
            .env_clear()
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        before
    }

    /// Waits until it is ready, and says so behind what it has printed `before`.
    pub async fn comes_up(&mut self, before: usize) {
        let mut address = None;
        eventually(PATIENCE, async || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the server ended: {status}\n{}", self.log());
            }
            address = listening(&fs::read(&self.log).unwrap()[before..]);
            address.is_some()
        })
        .await;
        self.address = address;
        eventually(PATIENCE, async || self.ready().await == 200).await;
        // Anyone who dials before this waits a little for the list; that is not what is looked at here.
        eventually(PATIENCE, async || {
            self.log()[before..].contains("institution list read")
        })
        .await;
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        let tls = fs::read_to_string(&self.config).unwrap().contains("[server.tls]");
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address.expect("started"))
    }

    /// Where gateways call it.
    pub fn callback(&self) -> String {
        format!("{}/ussd/{CHANNEL}/{SECRET}", self.url())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.expect("started").port()
    }

    /// The status of its readiness; 0 when it does not answer.
    pub async fn ready(&self) -> u16 {
        let answer = self.client.get(format!("{}/health/ready", self.url())).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// What it says of its readiness.
    pub async fn readiness(&self) -> String {
        let answer = self.client.get(format!("{}/health/ready", self.url())).send().await;
        answer.unwrap().text().await.unwrap()
    }

    /// The way to it alone.
    pub fn line(&self) -> AggregatorClient {
        AggregatorClient::new(vec![self.callback()], self.client.clone())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    /// Freezes it: its connections stay open and nothing is done.
    pub async fn freeze(&self) {
        self.signal("-STOP");
        let stat = format!("/proc/{}/stat", self.pid());
        eventually(PATIENCE, async || fs::read_to_string(&stat).unwrap().contains(") T ")).await;
    }

    /// Lets a frozen one go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// What closes a terminal, or rotates logs, sends.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// What nobody asked for.
    pub fn send_other_signals(&self) {
        for signal in ["-USR1", "-USR2", "-ALRM", "-PIPE"] {
            self.signal(signal);
        }
    }

    /// Ends it as Ctrl-\ and some supervisors do.
    pub async fn quit(&mut self) -> ExitStatus {
        self.signal("-QUIT");
        self.ended().await
    }

    /// Ends it as a failed assertion in a library does.
    pub async fn abort(&mut self) -> ExitStatus {
        self.signal("-ABRT");
        self.ended().await
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        self.child.take().unwrap().wait().unwrap();
    }

    /// Ends it in good order; its exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.ended().await.code()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let mut status = None;
        eventually(PATIENCE, async || {
            status = child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// Everything it has printed since its first start.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where gateways call whatever is on this port of this machine, such as a proxy before a server.
pub fn callback_at(port: u16) -> String {
    format!("http://127.0.0.1:{port}/ussd/{CHANNEL}/{SECRET}")
}

/// The address in the line that says so.
fn listening(log: &[u8]) -> Option<SocketAddr> {
    let log = String::from_utf8_lossy(log);
    let line = log.lines().find(|line| line.contains("listening address="))?;
    line.rsplit_once("address=")?.1.trim().parse().ok()
}
