//! A server that misbehaves below HTTP.

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to do on a connection.
#[derive(Clone)]
pub enum TcpBehaviour {
    /// Read the whole request, then reset the connection.
    Reset,
    /// Read the whole request, then close it properly.
    Close,
    /// Read the whole request, write this, and close.
    Write(Vec<u8>),
    /// Read the whole request, write this, and go on to the next request of the same connection.
    WriteAndStay(Vec<u8>),
    /// Read the whole request and never answer.
    Silence,
    /// Read what comes first, write this, and note all that follows.
    AnswerFirstBytes(Vec<u8>),
}

/// The server, with what it has seen.
pub struct RawTcpServer {
    listener: TcpListener,
    act: TcpBehaviour,
    /// Connections taken.
    connections: Mutex<usize>,
    /// Requests read, or what came instead.
    requests: Mutex<Vec<Vec<u8>>>,
}

impl RawTcpServer {
    /// A server on a free loopback port.
    pub async fn new(act: TcpBehaviour) -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            act,
            connections: Mutex::new(0),
            requests: Mutex::new(Vec::new()),
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// How many connections it took.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The requests it read.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Serves, one connection after another, until `client` is done.
    pub async fn during<T>(&self, client: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = client => done,
            () = self.serve() => unreachable!("serves for ever"),
        }
    }

    async fn serve(&self) {
        loop {
            let (stream, _) = self.listener.accept().await.unwrap();
            *self.connections.lock().unwrap() += 1;
            self.talk(stream).await;
        }
    }

    async fn talk(&self, mut stream: TcpStream) {
        if let TcpBehaviour::AnswerFirstBytes(answer) = &self.act {
            let mut bytes = vec![0; 16 * 1024];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(answer).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            self.requests.lock().unwrap().push(rest);
            return;
        }
        while let Some(request) = read_request(&mut stream).await {
            self.requests.lock().unwrap().push(request);
            match &self.act {
                TcpBehaviour::Reset => return stream.set_zero_linger().unwrap(),
                TcpBehaviour::Write(answer) => {
                    let _ = stream.write_all(answer).await;
                    let _ = stream.shutdown().await;
                    return;
                }
                TcpBehaviour::WriteAndStay(answer) => stream.write_all(answer).await.unwrap(),
                TcpBehaviour::Silence => tokio::time::sleep(Duration::MAX).await,
                TcpBehaviour::Close | TcpBehaviour::AnswerFirstBytes(_) => return,
            }
        }
    }
}

/// One request with its body, or nothing when the other side has closed.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if end_of_request(&request).is_some_and(|end| request.len() >= end) {
            return Some(request);
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// How long the request is with its body, once its head is there.
pub fn end_of_request(request: &[u8]) -> Option<usize> {
    let head = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text.split("content-length:").nth(1).map_or(0, |rest| {
        rest.lines()
            .next()
            .and_then(|line| line.trim().parse().ok())
            .unwrap_or(0)
    });
    Some(head + length)
}
