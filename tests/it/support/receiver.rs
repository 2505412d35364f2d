//! A partner's server that takes webhooks, or does not, as it is told; it keeps all that came.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// One sending, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signatures: String,
    pub body: Vec<u8>,
    /// What it was answered with; 0: nothing.
    pub status: u16,
}

impl ReceivedRequest {
    /// Whether it is signed with a secret as partners have it, looked at as the standard says.
    pub fn verifies(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        mac.update(&self.body);
        let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.signatures.split(' ').any(|signature| signature == wanted)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct ReceiverState {
    status: AtomicU16,
    /// How long an answer takes.
    delay: Duration,
    /// Lines of its head, each with its end.
    head: String,
    received: Mutex<Vec<ReceivedRequest>>,
}

/// A server on a free port of this machine.
pub struct WebhookReceiver {
    pub url: String,
    shared: Arc<ReceiverState>,
    serving: JoinHandle<()>,
}

impl WebhookReceiver {
    /// Starts one that answers with this status; with 0 it closes connections without an answer.
    pub async fn start(status: u16) -> Self {
        Self::with(status, Duration::ZERO, "").await
    }

    /// Starts one that answers after a delay, with more lines in the answer's head.
    pub async fn with(status: u16, delay: Duration, head: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let shared = Arc::new(ReceiverState {
            status: AtomicU16::new(status),
            delay,
            head: head.to_owned(),
            received: Mutex::default(),
        });
        let serving = Handle::current().spawn(serve(listener, shared.clone()));
        Self { url, shared, serving }
    }

    /// All that came, in order.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// How much was answered with 200.
    pub fn taken(&self) -> usize {
        let received = self.shared.received.lock().unwrap();
        received.iter().filter(|one| one.status == 200).count()
    }

    /// How much came.
    pub fn count(&self) -> usize {
        self.shared.received.lock().unwrap().len()
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<ReceiverState>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = shared.clone();
        Handle::current().spawn(async move {
            // Anyone who goes away in the middle has sent nothing.
            let _ = take(stream, &shared).await;
        });
    }
}

/// Takes one request of a connection, which is closed then.
async fn take(mut stream: TcpStream, shared: &ReceiverState) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, begin) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let header = |name: &str| {
        let line = head.lines().find_map(|line| {
            line.split_once(": ")
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        });
        line.map_or(String::new(), |(_, value)| value.to_owned())
    };
    let end = begin + header("content-length").parse().unwrap_or(0);
    while bytes.len() < end {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    let status = shared.status.load(Ordering::SeqCst);
    let received = ReceivedRequest {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signatures: header("webhook-signature"),
        body: bytes[begin..end].to_vec(),
        status,
    };
    shared.received.lock().unwrap().push(received);
    tokio::time::sleep(shared.delay).await;
    if status > 0 {
        let head = &shared.head;
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{head}connection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await
}
