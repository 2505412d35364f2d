//! The HTTP client against servers that refuse, fall silent, reset, redirect, flood, or show the wrong certificate.

use std::time::Duration;

use kiungo::http_client::{
    HttpClient, HttpClientError, HttpClientOptions, OutboundError, OutboundRequest, OutboundResponse,
};
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};
use zeroize::Zeroizing;

use crate::support::logs::Logs;
use crate::support::machine::Stopwatch;
use crate::support::tcp::{RawTcpServer, TcpBehaviour};
use crate::support::tls::{Authority, TlsServer};

const SECRET: &str = "Zq7secretpassword";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn client() -> HttpClient {
    HttpClient::new(&HttpClientOptions::default()).unwrap()
}

/// A call with a secret in its path, its headers and its body.
fn call(root: &str) -> OutboundRequest {
    let url = Url::parse(&format!("{root}/{SECRET}")).unwrap();
    OutboundRequest::post(url)
        .header("x-session-id", SECRET)
        .json(Zeroizing::new(format!("{{\"password\":\"{SECRET}\"}}").into_bytes()))
        .timeout(Duration::from_secs(5))
        .on_fresh_connection()
}

fn shown(result: &Result<OutboundResponse, OutboundError>) -> String {
    let text = match result {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{error} {error:?} {}", error.to_string().replace(' ', "")),
    };
    assert!(!text.contains(SECRET) && !text.contains("127.0.0.1"), "{text}");
    text
}

/// Once the request was read, any failure is unknown and the request is never sent again. (P4, P5, P6)
#[tokio::test]
async fn a_request_that_was_read_is_unknown_and_sent_once() {
    let written = |head: &str| TcpBehaviour::Write(head.as_bytes().to_vec());
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5 * 1024 * 1024));
    for (name, act, want) in [
        ("reset", TcpBehaviour::Reset, "the connection was lost"),
        ("close", TcpBehaviour::Close, "the connection was lost"),
        ("silence", TcpBehaviour::Silence, "no answer in time"),
        ("no HTTP", written("SSH-2.0-OpenSSH\r\n\r\n"), "the connection was lost"),
        (
            "half a head",
            written("HTTP/1.1 200 OK\r\ncontent-"),
            "the connection was lost",
        ),
        (
            "half a body",
            written("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"a\""),
            "the answer broke off",
        ),
        (
            "half a chunk",
            written("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"a\""),
            "the answer broke off",
        ),
        (
            "a huge announcement",
            written("HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n{}"),
            "the answer is too long",
        ),
        ("a huge body", written(&long), "the answer is too long"),
    ] {
        let logs = Logs::capture();
        let server = RawTcpServer::new(act).await;
        let call = call(&format!("http://127.0.0.1:{}", server.port())).timeout(Duration::from_millis(700));
        let result = server.during(client().send(call)).await;
        assert!(
            matches!(result, Err(OutboundError::Unknown(why)) if why == want),
            "{name}: {}",
            shown(&result)
        );
        shown(&result);
        assert_eq!(server.requests().len(), 1, "{name}");
        assert!(
            server.requests()[0].contains(SECRET),
            "{name}: the request did not arrive whole"
        );
        logs.hold_none_of(&[SECRET]);
    }
}

/// Without a connection nothing was sent, and the error says so. (P3)
#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let closed = {
        let server = RawTcpServer::new(TcpBehaviour::Close).await;
        server.port()
    };
    for (root, want) in [
        (format!("http://127.0.0.1:{closed}"), "no connection"),
        ("https://no-such-host.invalid".to_owned(), "the name does not resolve"),
    ] {
        let begun = Stopwatch::start();
        let result = client().send(call(&root)).await;
        assert_eq!(result.as_ref().unwrap_err(), &OutboundError::NotSent(want), "{root}");
        shown(&result);
        assert!(begun.fair() < Duration::from_secs(4), "{root}");
    }
    // A server that accepts the connection but never completes the handshake has not received anything either.
    let server = RawTcpServer::new(TcpBehaviour::Silence).await;
    let options = HttpClientOptions {
        connect_timeout: Duration::from_millis(300),
        ..HttpClientOptions::default()
    };
    let impatient = HttpClient::new(&options).unwrap();
    let result = server
        .during(impatient.send(call(&format!("https://localhost:{}", server.port()))))
        .await;
    assert_eq!(result.unwrap_err(), OutboundError::NotSent("no connection in time"));
}

/// A request that cannot be written, or would leave the machine in clear, is not sent.
#[tokio::test]
async fn what_must_not_leave_does_not() {
    let broken = call("http://127.0.0.1:9").header("mono-sec-key", "key\r\nx-evil: 1");
    let result = client().send(broken).await;
    assert_eq!(
        result.unwrap_err(),
        OutboundError::NotSent("a header cannot be written")
    );
    let result = client().send(call("http://192.0.2.1")).await;
    assert_eq!(
        result.unwrap_err(),
        OutboundError::NotSent("only https may leave this machine")
    );
}

/// A redirect is returned as it is: the body goes to nobody else. (Trap 3)
#[tokio::test]
async fn redirects_are_not_followed() {
    let (first, second) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&second)
        .await;
    for status in [301, 302, 303, 307, 308] {
        first.reset().await;
        let away = ResponseTemplate::new(status).insert_header("location", second.uri().as_str());
        Mock::given(any()).respond_with(away).mount(&first).await;
        let answer = client().send(call(&first.uri())).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(first.received_requests().await.unwrap().len(), 1);
        assert_eq!(
            second.received_requests().await.unwrap().len(),
            0,
            "{status} was followed"
        );
    }
}

/// Calls made once get a connection each, so that none is lost on one the server has just closed; others share.
#[tokio::test]
async fn calls_made_once_have_their_own_connection() {
    for (once, connections) in [(true, 2), (false, 1)] {
        let server = RawTcpServer::new(TcpBehaviour::WriteAndStay(OK.to_vec())).await;
        let root = Url::parse(&format!("http://127.0.0.1:{}", server.port())).unwrap();
        let client = client();
        server
            .during(async {
                for _ in 0..2 {
                    let call = OutboundRequest::get(root.clone());
                    let call = if once { call.on_fresh_connection() } else { call };
                    assert_eq!(client.send(call).await.unwrap().body.as_slice(), b"{}");
                }
            })
            .await;
        assert_eq!(server.connections(), connections, "once: {once}");
        let request = server.requests()[0].to_lowercase();
        assert!(request.contains("user-agent: kiungo/"), "{request}");
        for header in ["accept-encoding", "referer", "cookie"] {
            assert!(!request.contains(header), "{request}");
        }
    }
}

/// A certificate of a configured authority is trusted for its host and validity period, on TLS 1.2 and 1.3; no other is. (P7)
#[tokio::test]
async fn only_a_valid_certificate_is_trusted() {
    static OLDER: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let (ours, foreign) = (Authority::new(), Authority::new());
    let options = HttpClientOptions {
        extra_roots: Some(ours.pem.clone().into_bytes()),
        ..HttpClientOptions::default()
    };
    let client = HttpClient::new(&options).unwrap();
    let both = rustls::ALL_VERSIONS;
    for (name, identity, versions, good) in [
        ("good", ours.issue("localhost", 2100), both, true),
        ("good, TLS 1.2", ours.issue("localhost", 2100), OLDER, true),
        ("expired", ours.issue("localhost", 2016), both, false),
        ("wrong host", ours.issue("other.example", 2100), both, false),
        ("unknown root", foreign.issue("localhost", 2100), both, false),
    ] {
        let server = TlsServer::start(identity, versions);
        let result = client.send(call(&format!("https://localhost:{}", server.port))).await;
        if good {
            assert_eq!(result.unwrap().body.as_slice(), b"{\"ok\":true}", "{name}");
        } else {
            assert_eq!(
                result.as_ref().unwrap_err(),
                &OutboundError::NotSent("the TLS handshake failed"),
                "{name}"
            );
            shown(&result);
        }
        assert_eq!(server.requests(), usize::from(good), "{name}");
    }
}

/// TLS before 1.2, and no TLS at all, are refused before anything is sent. (P7)
#[tokio::test]
async fn old_tls_and_plain_text_are_refused() {
    // A ServerHello of the version in its fourth and fifth last part: record, handshake, 32 random bytes, no session, one
    // suite of that time, no compression.
    let hello = |minor: u8| {
        let mut body = vec![3, minor];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x13, 0]);
        let mut record = vec![22, 3, minor, 0, u8::try_from(body.len() + 4).unwrap(), 2, 0, 0];
        record.push(u8::try_from(body.len()).unwrap());
        record.extend(body);
        record
    };
    for (name, first) in [("TLS 1.0", hello(1)), ("TLS 1.1", hello(2)), ("plain", OK.to_vec())] {
        let server = RawTcpServer::new(TcpBehaviour::AnswerFirstBytes(first)).await;
        let result = server
            .during(client().send(call(&format!("https://localhost:{}", server.port()))))
            .await;
        assert_eq!(
            result.as_ref().unwrap_err(),
            &OutboundError::NotSent("the TLS handshake failed"),
            "{name}"
        );
        assert!(!server.requests().concat().contains("POST"), "{name}");
    }
}

/// Invalid root certificates are refused at start, not at the first login.
#[test]
fn bad_roots_are_refused_at_the_start() {
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no certificate", garbled] {
        let options = HttpClientOptions {
            extra_roots: Some(pem.as_bytes().to_vec()),
            ..HttpClientOptions::default()
        };
        assert_eq!(
            HttpClient::new(&options).unwrap_err(),
            HttpClientError::BadRoots,
            "{pem}"
        );
    }
}
