//! An HTTP client that sends exactly the bytes it is given, over real TCP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct RawAnswer {
    /// The status line, then the headers in alphabetical order without `date`.
    pub head: Vec<String>,
    /// The body.
    pub body: String,
}

impl RawAnswer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head[0].split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().skip(1);
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// One connection.
pub struct RawConnection(pub TcpStream);

impl RawConnection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes and reads one answer.
    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> RawAnswer {
        self.0.write_all(request.as_ref()).await.unwrap();
        self.answer().await
    }

    /// Reads one answer.
    pub async fn answer(&mut self) -> RawAnswer {
        timeout(PATIENCE, self.read()).await.expect("no answer in time")
    }

    async fn read(&mut self) -> RawAnswer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut head: Vec<_> = head
            .trim_end()
            .split("\r\n")
            .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
            .map(str::to_owned)
            .collect();
        head[1..].sort();
        let mut answer = RawAnswer {
            head,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Sends bytes that are no request, and waits until the peer has answered or closed.
    pub async fn provoke(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
        let answered = timeout(PATIENCE, self.0.read_u8()).await;
        answered.expect("neither answered nor closed").ok();
    }

    /// Whether the peer closes without saying more.
    pub async fn closes(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.is_ok() && rest.is_empty()
    }
}

/// A request with a body.
pub fn post(target: &str, body: &str) -> String {
    request("POST", target, body)
}

/// A request of any method.
pub fn request(method: &str, target: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n{body}")
}
