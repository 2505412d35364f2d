//! Where the client for webhooks connects to, against everything that has been used to lead such clients astray. (W5)

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::public_address::PublicAddressPolicy;
use kiungo::http_client::ssrf_safe::{DeliveryError, DeliveryResponse, Resolver, SsrfSafeClient, SystemResolver};
use kiungo::http_client::{HttpClientOptions, OutboundRequest};
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};
use zeroize::Zeroizing;

use crate::support::machine::Stopwatch;
use crate::support::tcp::{RawTcpServer, TcpBehaviour};
use crate::support::tls::{Authority, TlsServer};

const PRODUCTION: PublicAddressPolicy = PublicAddressPolicy { allow_loopback: false };
const SANDBOX: PublicAddressPolicy = PublicAddressPolicy { allow_loopback: true };

/// Answers with one list of addresses after another, the last one for ever; counts the questions.
#[derive(Default)]
struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(addresses).collect()),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let last = answers.len() == 1;
        let answer = if last {
            answers.front().cloned()
        } else {
            answers.pop_front()
        };
        answer.ok_or_else(|| io::Error::other("no such name"))
    }
}

fn client(outside: PublicAddressPolicy, resolver: Arc<dyn Resolver>) -> SsrfSafeClient {
    SsrfSafeClient::new(&HttpClientOptions::default(), outside, resolver).unwrap()
}

fn call(url: &str) -> OutboundRequest {
    let body = Zeroizing::new(br#"{"type":"link.created"}"#.to_vec());
    OutboundRequest::post(Url::parse(url).unwrap())
        .json(body)
        .timeout(Duration::from_secs(5))
}

/// Whatever is written in a URL, in whatever spelling, nothing reaches this machine or its network, and a server listening
/// here sees no connection.
#[tokio::test]
async fn no_spelling_leads_inside() {
    let wild = RawTcpServer::new(TcpBehaviour::Close).await;
    let port = wild.port();
    let client = client(PRODUCTION, Arc::new(SystemResolver));
    wild.during(async {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "127.0.0.1.",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::]",
            "hooks.example.com@127.0.0.1",
            "127.0.0.1#@hooks.example.com",
        ] {
            for scheme in ["https", "http"] {
                let url = if host.contains('#') {
                    format!("{scheme}://{}", host.replacen('#', &format!(":{port}#"), 1))
                } else {
                    format!("{scheme}://{host}:{port}/in")
                };
                let result = client.send(call(&url)).await;
                // Whether the system knows a name with a dot behind it is its own affair.
                let unknown = host == "localhost." && result == Err(DeliveryError::NameNotFound);
                assert!(unknown || result == Err(DeliveryError::Blocked), "{url}: {result:?}");
            }
        }
    })
    .await;
    assert_eq!(wild.connections(), 0);
}

/// A name is closed by any address of it that is not public, wherever it stands in the answer, in every family.
#[tokio::test]
async fn a_name_with_a_private_address_is_closed() {
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["100.64.0.1"],
        &["0.0.0.0"],
        &["::1"],
        &["::ffff:10.0.0.1"],
        &["64:ff9b::a00:1"],
        &["2002:a00:1::"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["192.168.1.1", "93.184.216.34"],
        &["93.184.216.34", "192.168.1.1"],
        &["2606:4700:4700::1111", "::1"],
    ] {
        let names = Names::new(&[addresses]);
        let result = client(PRODUCTION, names.clone())
            .send(call("https://hooks.example.com/in"))
            .await;
        assert_eq!(result, Err(DeliveryError::Blocked), "{addresses:?}");
        assert_eq!(names.asked(), 1, "{addresses:?}");
    }
    let nobody = Names::new(&[]);
    let result = client(PRODUCTION, nobody)
        .send(call("https://hooks.example.com/in"))
        .await;
    assert_eq!(result, Err(DeliveryError::NameNotFound));
}

/// A name that leads inside is known for that before anything is sent: when its URL is given. One that does not resolve
/// now is not, for it is looked at again with every sending.
#[tokio::test]
async fn a_name_is_looked_at_without_going_there() {
    let wild = RawTcpServer::new(TcpBehaviour::Close).await;
    let name = format!("https://hooks.example.com:{}/in", wild.port());
    for (outside, url, addresses, closed) in [
        (PRODUCTION, name.as_str(), &["93.184.216.34"][..], false),
        (PRODUCTION, &name, &["93.184.216.34", "10.0.0.1"], true),
        (PRODUCTION, &name, &["127.0.0.1"], true),
        (PRODUCTION, &name, &["::ffff:10.0.0.1"], true),
        (PRODUCTION, &name, &["64:ff9b:1::a00:1"], true),
        (PRODUCTION, &name, &[], false),
        (PRODUCTION, "https://10.0.0.1/in", &["93.184.216.34"], true),
        (PRODUCTION, "http://localhost/in", &["127.0.0.1"], true),
        (SANDBOX, "http://localhost/in", &["127.0.0.1", "::1"], false),
        (SANDBOX, &name, &["10.0.0.1"], true),
    ] {
        let answers = if addresses.is_empty() { vec![] } else { vec![addresses] };
        let client = client(outside, Names::new(&answers));
        let found = wild.during(client.is_blocked(&Url::parse(url).unwrap())).await;
        assert_eq!(found, closed, "{url} {addresses:?}");
    }
    assert_eq!(wild.connections(), 0);
}

/// A name that changes its answer gains nothing: it is asked once for each connection, and the connection goes to what was
/// looked at. What is closed the second time is not called, although it was open the first time.
#[tokio::test]
async fn a_name_that_changes_its_answer_is_looked_at_anew() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let port = server.address().port();
    // Loopback stands for the public address here: nothing public is called by a test.
    let names = Names::new(&[
        &["127.0.0.1"],
        &["10.0.0.1"],
        &["127.0.0.1", "10.0.0.1"],
        &["127.0.0.1"],
    ]);
    let client = client(SANDBOX, names.clone());
    let url = format!("http://localhost:{port}/in");
    for (asked, want) in [
        (1, Ok(204)),
        (2, Err(DeliveryError::Blocked)),
        (3, Err(DeliveryError::Blocked)),
        (4, Ok(204)),
    ] {
        let result = client.send(call(&url)).await;
        assert_eq!(result.map(|receipt| receipt.status), want, "question {asked}");
        assert_eq!(names.asked(), asked);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

/// A redirection is an answer like any other: nobody goes where it points.
#[tokio::test]
async fn redirections_are_not_followed() {
    let elsewhere = MockServer::start().await;
    for code in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(code).insert_header("location", elsewhere.uri().as_str());
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let receipt = client(SANDBOX, Arc::new(SystemResolver))
            .send(call(&format!("{}/in", server.uri())))
            .await;
        assert_eq!(receipt.unwrap().status, code);
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

/// A receiver is only as good as its certificate: for its name, in its time, by somebody who is trusted.
#[tokio::test]
async fn certificates_are_looked_at() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (name, authority, host, until, want) in [
        ("good", &ours, "hooks.example.com", 2100, Ok(200)),
        (
            "another name",
            &ours,
            "other.example.com",
            2100,
            Err(DeliveryError::TlsFailed),
        ),
        ("over", &ours, "hooks.example.com", 2020, Err(DeliveryError::TlsFailed)),
        (
            "nobody's",
            &theirs,
            "hooks.example.com",
            2100,
            Err(DeliveryError::TlsFailed),
        ),
    ] {
        let server = TlsServer::start(authority.issue(host, until), rustls::ALL_VERSIONS);
        let options = HttpClientOptions {
            extra_roots: Some(ours.pem.clone().into_bytes()),
            ..HttpClientOptions::default()
        };
        let names = Names::new(&[&["127.0.0.1"]]);
        let client = SsrfSafeClient::new(&options, SANDBOX, names).unwrap();
        let url = format!("https://hooks.example.com:{}/in", server.port);
        let result = client.send(call(&url)).await;
        assert_eq!(result.map(|receipt| receipt.status), want, "{name}");
        assert_eq!(server.requests(), usize::from(want.is_ok()), "{name}");
    }
}

/// A receiver may be slow, silent, endless or rude: what has answered has answered, however much it goes on to say, and
/// what has not is given up in time. (W2)
#[tokio::test]
async fn rude_receivers_cost_no_more_than_their_time() {
    let written = |head: &str| TcpBehaviour::Write(head.as_bytes().to_vec());
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(4 * 1024 * 1024));
    let paused = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n";
    for (name, act, want) in [
        ("long", written(&endless), Ok(200)),
        (
            "never finished",
            TcpBehaviour::WriteAndStay(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            Ok(200),
        ),
        ("pause", written(paused), Ok(429)),
        ("silence", TcpBehaviour::Silence, Err(DeliveryError::Timeout)),
        ("reset", TcpBehaviour::Reset, Err(DeliveryError::ConnectionLost)),
        ("close", TcpBehaviour::Close, Err(DeliveryError::ConnectionLost)),
        (
            "no HTTP",
            written("SSH-2.0-OpenSSH\r\n\r\n"),
            Err(DeliveryError::ConnectionLost),
        ),
    ] {
        let server = RawTcpServer::new(act).await;
        let call = call(&format!("http://127.0.0.1:{}/in", server.port())).timeout(Duration::from_millis(700));
        let begun = Stopwatch::start();
        let client = client(SANDBOX, Arc::new(SystemResolver));
        let result = server.during(client.send(call)).await;
        assert_eq!(result.map(|receipt| receipt.status), want, "{name}");
        assert!(begun.fair() < Duration::from_secs(4), "{name}");
        if let Ok(DeliveryResponse {
            status: 429,
            retry_after,
        }) = result
        {
            assert_eq!(retry_after, Some(Duration::from_secs(90)));
        }
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}
