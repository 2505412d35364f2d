//! Floods from strangers, against the program itself: what they cost, and that others are served meanwhile.

use std::fs;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::eventually;
use crate::support::http::trusting;
use crate::support::tls::Authority;
use crate::support::wire::{RawConnection, post, request};

/// Long enough for a process to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A sandbox as a process of its own, with so many descriptors at most.
struct SandboxProcess {
    child: Child,
    address: std::net::SocketAddr,
    _dir: TempDir,
}

impl SandboxProcess {
    async fn start(descriptors: u32) -> Self {
        Self::start_with(descriptors, []).await
    }

    /// One with these variables, too.
    async fn start_with(descriptors: u32, variables: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let dir = TempDir::new().unwrap();
        let log: PathBuf = dir.path().join("log");
        let file = fs::File::create(&log).unwrap();
        let child = Command::new("sh")
            .args([
                "-c",
                &format!("ulimit -n {descriptors} && exec \"$0\""),
                env!("CARGO_BIN_EXE_kiungo"),
            ])
            .env_clear()
            .env("KIUNGO_SERVER__LISTEN", "127.0.0.1:0")
            .envs(variables)
            .current_dir(dir.path())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = None;
        eventually(PATIENCE, async || {
            let log = fs::read_to_string(&log).unwrap();
            let line = log.lines().find_map(|line| line.split_once("listening address="));
            address = line.and_then(|(_, address)| address.trim().parse().ok());
            address.is_some()
        })
        .await;
        Self {
            child,
            address: address.unwrap(),
            _dir: dir,
        }
    }

    fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// What it keeps in memory now, in MiB.
    fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() / 1024
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CALLBACK: &str = "/ussd/sandbox/sandbox";

/// Bodies in chunks of one byte, on a hundred connections and without a secret, cost no more memory than their connections;
/// so it is on every route. A gateway is answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn one_byte_chunks_cost_no_memory() {
    // Room for all floods at once, so that the one who asks never has to make any.
    let server = SandboxProcess::start(4_096).await;
    let before = server.resident();
    let mut gateway = RawConnection::open(server.address).await;
    for path in [
        "/hooks/mono",
        "/v1/auth/token",
        "/v1/roles",
        "/back/sandbox",
        CALLBACK,
        "/nowhere",
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let chunks = "1\r\nx\r\n".repeat(40_000);
        let floods = (0..100).map(|_| {
            let (head, chunks) = (head.clone(), chunks.clone());
            async move {
                let mut stream = TcpStream::connect(server.address).await.unwrap();
                // The server may have heard enough before all of it was sent.
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = tokio::time::timeout(Duration::from_secs(2), stream.write_all(chunks.as_bytes())).await;
                stream
            }
        });
        let mut sent = pin!(futures_util::future::join_all(floods));
        let mut most = 0;
        loop {
            most = most.max(server.resident());
            tokio::select! {
                biased;
                answer = gateway.ask(request("GET", "/health/live", "")) => assert_eq!(answer.status(), 200),
                _ = &mut sent => break,
            }
        }
        // Without the limits it was more than a thousand.
        assert!(most < before + 250, "{path}: {before} MiB before, {most} MiB then");
    }
}

/// More silent connections than there are descriptors keep nobody out: they make room for those who ask. One that was kept
/// since before is not cut while it asks.
#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_keep_nobody_out() {
    let server = SandboxProcess::start(256).await;
    flood(&server, async |round| {
        let mut gateway = RawConnection::open(server.address).await;
        gateway.ask(post(CALLBACK, &dial(round))).await.status()
    })
    .await;
}

/// Nor do strangers at many addresses who send heads and then half a body: of whoever shows no secret, all of a request must
/// have come before its connection is kept for its answer.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_keeps_nobody_out() {
    let server = SandboxProcess::start(256).await;
    for (path, kind) in [
        ("/v1/auth/token", "application/json"),
        ("/ussd/sandbox/wrong", "application/x-www-form-urlencoded"),
        ("/nowhere", "text/plain"),
    ] {
        let half = format!("POST {path} HTTP/1.1\r\nhost: t\r\ncontent-type: {kind}\r\ncontent-length: 500\r\n\r\n{{");
        let mut held = Vec::new();
        for round in 0..10 {
            for n in 2..8 {
                for _ in 0..10 {
                    let socket = TcpSocket::new_v4().unwrap();
                    socket.bind((std::net::Ipv4Addr::new(127, 0, 0, n), 0).into()).unwrap();
                    let mut stranger = socket.connect(server.address).await.unwrap();
                    // It may have made room already.
                    let _ = stranger.write_all(half.as_bytes()).await;
                    held.push(stranger);
                }
            }
            let mut gateway = RawConnection::open(server.address).await;
            assert_eq!(gateway.ask(post(CALLBACK, &dial(round))).await.status(), 200, "{path}");
        }
        assert!(server.open_descriptors() < 256, "{path}");
    }
}

/// Nor do they with TLS of ours, of which they have not said the first word.
#[tokio::test(flavor = "multi_thread")]
async fn silent_handshakes_keep_nobody_out() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue_pem("127.0.0.1", 2100);
    let files = [("CERT", cert), ("KEY", key)].map(|(name, pem)| {
        let file = dir.path().join(name);
        fs::write(&file, pem).unwrap();
        (format!("KIUNGO_SERVER__TLS__{name}_FILE"), file)
    });
    let server = SandboxProcess::start_with(256, files).await;
    let (client, url) = (
        trusting(&authority.pem),
        format!("https://{}{CALLBACK}", server.address),
    );
    flood(&server, async |round| {
        let form = "application/x-www-form-urlencoded";
        let ask = client.post(&url).header("content-type", form).body(dial(round));
        // Sooner than a silent handshake is given up.
        let answer = ask.timeout(Duration::from_secs(4)).send().await.unwrap();
        answer.status().as_u16()
    })
    .await;
}

fn dial(session: u32) -> String {
    format!("sessionId=flood{session}&serviceCode=*384*96%23&phoneNumber=%2B2348031234567&text=")
}

/// Opens silent connections, and dials between them.
async fn flood(server: &SandboxProcess, dials: impl AsyncFn(u32) -> u16) {
    let mut silent = Vec::new();
    for round in 0..10 {
        for _ in 0..40 {
            silent.push(TcpStream::connect(server.address).await.unwrap());
        }
        assert_eq!(dials(round).await, 200);
    }
    assert!(server.open_descriptors() < 256);
    // Each is told to go after a while, and those that made room were at once.
    eventually(PATIENCE, async || server.open_descriptors() < 100).await;
}
