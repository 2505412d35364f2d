//! How webhooks leave the stand-in: one POST over plain HTTP.
//!
//! The default knows just enough HTTP to post to a server on the same machine: one connection a request, and of the
//! answer only the status is read. The product's own client is deliberately not asked for: it speaks to providers over
//! TLS, and a stand-in must not share a fault with what it tests.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use url::Url;

/// One request to send.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request and answers the HTTP status.
pub type Poster = Arc<dyn Fn(Post) -> BoxFuture<'static, io::Result<u16>> + Send + Sync>;

/// How long the default waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The default: plain HTTP/1.1.
pub fn plain() -> Poster {
    Arc::new(|post| {
        Box::pin(async move {
            tokio::time::timeout(PATIENCE, send(post))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
        })
    })
}

async fn send(post: Post) -> io::Result<u16> {
    let nowhere = || io::Error::from(io::ErrorKind::InvalidInput);
    if post.url.scheme() != "http" {
        return Err(nowhere());
    }
    let host = post.url.host_str().ok_or_else(nowhere)?;
    let number = post.url.port_or_known_default().ok_or_else(nowhere)?;
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), number)).await?;
    let target = &post.url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!("POST {target} HTTP/1.1\r\nhost: {host}:{number}\r\nconnection: close\r\n");
    for (name, value) in &post.headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("content-length: ");
    head.push_str(&post.body.len().to_string());
    head.push_str("\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&post.body).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}
