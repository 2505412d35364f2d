//! USSD callbacks: always an answer in the gateway's format; nothing for strangers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::time::{interval, timeout};

use crate::support::http::client;
use crate::support::machine::Stopwatch;
use crate::support::server::{CHANNEL, RunningServer, SECRET, path, start};
use crate::support::wire::{RawConnection, post, request};

/// Strangers cannot distinguish a wrong secret from a channel, path, provider or method that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_one_answer() {
    let server = start(0);
    let mut answers = Vec::new();
    for ask in [
        post(&format!("/ussd/{CHANNEL}/wrong-secret-0123456789"), "text=1"),
        post(&format!("/ussd/{CHANNEL}/{SECRET}x"), "text=1"),
        post(&format!("/ussd/ke/{SECRET}"), "text=1"),
        post(&format!("/ussd/{CHANNEL}"), "text=1"),
        post(&format!("/ussd/{CHANNEL}/"), "text=1"),
        post("/hooks/nobody", "{}"),
        request("GET", "/hooks/mono", ""),
        request("DELETE", "/metrics", ""),
        post("/health/live", ""),
        post("/nowhere", "text=1"),
    ] {
        let answer = RawConnection::open(server.address).await.ask(&ask).await;
        assert_eq!(answer.status(), 404, "{ask}");
        assert_eq!(answer.header("server"), None);
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(server.callbacks.requests.lock().unwrap().is_empty());
}

/// Every kind of request reaches the gateway's adapter unaltered: it decides what a callback looks like.
#[tokio::test(flavor = "multi_thread")]
async fn requests_arrive_unaltered() {
    let server = start(usize::MAX >> 4);
    let mut connection = RawConnection::open(server.address).await;
    for (ask, want) in [
        (post(&path(""), "text=1*%2B%FF"), "CON POST 13 bytes"),
        (request("GET", &path("?text=1%2a&text=2"), ""), "CON GET 0 bytes"),
        (
            request("POST", &path("/sessions/a%2Fb/start?x"), "{}"),
            "CON POST 2 bytes",
        ),
        // Other methods do nothing, in the gateway's dialect.
        (
            request("DELETE", &path("/?text=1"), ""),
            "END Sorry, something went wrong. Please dial again.",
        ),
        (
            request("PUT", &path("?text=1"), "{}"),
            "END Sorry, something went wrong. Please dial again.",
        ),
    ] {
        let answer = connection.ask(&ask).await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, want), "{ask}");
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.header("x-flag"), Some("one"));
    }
    let twice = format!(
        "POST {} HTTP/1.1\r\nhost: t\r\nX-Id: 1\r\nx-id: 2\r\ncontent-length: 0\r\n\r\n",
        path("")
    );
    connection.ask(&twice).await;
    let requests = server.callbacks.requests.lock().unwrap();
    assert_eq!(
        requests[0].body.as_deref().map(Vec::as_slice),
        Some(&b"text=1*%2B%FF"[..])
    );
    assert_eq!(
        (requests[1].query.as_slice(), requests[1].tail.as_str()),
        (&b"text=1%2a&text=2"[..], "")
    );
    assert_eq!(
        (requests[2].query.as_slice(), requests[2].tail.as_str()),
        (&b"x"[..], "sessions/a%2Fb/start")
    );
    let ids: Vec<_> = requests[3]
        .headers
        .iter()
        .filter(|(name, _)| name == "x-id")
        .map(|(_, id)| id.clone())
        .collect();
    assert_eq!(ids, [b"1", b"2"]);
}

/// Old gateways speak HTTP/1.0 and read until we close.
#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_is_answered() {
    let server = start(2);
    for ask in [
        format!("GET {} HTTP/1.0\r\n\r\n", path("?text=")),
        format!("POST {} HTTP/1.0\r\ncontent-length: 5\r\n\r\ntext=", path("")),
    ] {
        let mut connection = RawConnection::open(server.address).await;
        let answer = connection.ask(&ask).await;
        assert_eq!(answer.status(), 200, "{ask}");
        assert!(answer.body.starts_with("CON "));
        assert!(connection.closes().await, "{ask}");
    }
}

/// A repeated callback reaches the turn again, which alone knows what was answered.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_not_the_web_servers_business() {
    let server = start(2);
    let ask = post(&path(""), "sessionId=1&text=");
    let first = RawConnection::open(server.address).await.ask(&ask).await;
    let second = RawConnection::open(server.address).await.ask(&ask).await;
    assert_eq!(first, second);
    assert_eq!(server.callbacks.requests.lock().unwrap().len(), 2);
}

/// A body that is too long is answered in the gateway's format, and the connection can be reused.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_is_answered_in_the_dialect() {
    let server = start(4);
    let mut connection = RawConnection::open(server.address).await;
    let most = 64 * 1024;
    for (length, want) in [
        (most, "CON POST 65536 bytes"),
        (most + 1, "END Please try again."),
        (1_000_000, "END Please try again."),
    ] {
        let answer = connection.ask(post(&path(""), &"1".repeat(length))).await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, want), "{length}");
    }
    let answer = connection.ask(post(&path(""), "text=")).await;
    assert_eq!(answer.body, "CON POST 5 bytes");
}

/// A body that never ends does not keep the person waiting, nor the memory growing.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_answered_in_the_dialect() {
    let server = start(1);
    let mut connection = RawConnection::open(server.address).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n",
        path("")
    );
    connection.0.write_all(head.as_bytes()).await.unwrap();
    let (_, mut write) = connection.0.split();
    let chunk = format!("10000\r\n{}\r\n", "1".repeat(0x10000));
    let flood = async { while write.write_all(chunk.as_bytes()).await.is_ok() {} };
    let begun = async { server.callbacks.begun.acquire().await.unwrap().forget() };
    tokio::select! {
        () = flood => panic!("cut off before it was answered"),
        begun = timeout(Duration::from_secs(5), begun) => begun.unwrap(),
    }
    assert!(server.callbacks.requests.lock().unwrap()[0].body.is_none());
}

/// A body at one byte a second is answered within three seconds: the person's screen does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_answered_in_time() {
    let server = start(1);
    let mut connection = RawConnection::open(server.address).await;
    let started = Stopwatch::start();
    let head = format!("POST {} HTTP/1.1\r\nhost: t\r\ncontent-length: 60\r\n\r\n", path(""));
    connection.0.write_all(head.as_bytes()).await.unwrap();
    let begun = async { server.callbacks.begun.acquire().await.unwrap().forget() };
    let mut ticks = interval(Duration::from_secs(1));
    tokio::pin!(begun);
    loop {
        tokio::select! {
            () = &mut begun => break,
            _ = ticks.tick() => connection.0.write_all(b"1").await.unwrap(),
        }
    }
    let answer = connection.answer().await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "END Please try again."));
    assert!(started.fair() < Duration::from_secs(3), "{:?}", started.elapsed());
}

/// A server with one turn open, and the connection that waits for its answer.
async fn amid_a_turn() -> (RunningServer, RawConnection) {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    connection
        .0
        .write_all(post(&path(""), "text=1").as_bytes())
        .await
        .unwrap();
    server.callbacks.begun.acquire().await.unwrap().forget();
    (server, connection)
}

/// A turn goes on if the gateway disconnects in the middle of it: what was submitted must be completed.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_does_not_cancel_the_turn() {
    let (server, connection) = amid_a_turn().await;
    connection.0.set_zero_linger().unwrap();
    drop(connection);
    let dropped = timeout(Duration::from_millis(500), server.callbacks.dropped.acquire()).await;
    assert!(dropped.is_err(), "the turn was cancelled with its connection");
    server.callbacks.go.add_permits(1);
    let ended = timeout(Duration::from_secs(5), server.callbacks.ended.acquire()).await;
    assert!(ended.is_ok(), "the turn did not come to its end");
}

/// A turn that panics still ends with a screen, and the next one works.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_with_a_screen() {
    let server = start(1);
    let mut connection = RawConnection::open(server.address).await;
    server.callbacks.panics.store(true, Ordering::Relaxed);
    let answer = connection.ask(post(&path(""), "text=1")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.body.starts_with("END "), "{answer:?}");
    server.callbacks.panics.store(false, Ordering::Relaxed);
    let answer = connection.ask(post(&path(""), "text=1")).await;
    assert!(answer.body.starts_with("CON "), "{answer:?}");
}

/// One connection serves a gateway for thousands of callbacks: a refused request does not close it.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_keep_the_connection() {
    let server = start(5);
    let mut connection = RawConnection::open(server.address).await;
    for refused in [
        post("/ussd/ng/wrong-secret-0123456789", &"1".repeat(5_000)),
        post("/nowhere", &"1".repeat(5_000)),
        request("PUT", "/hooks/mono", "{}"),
        post("/hooks/mono", "unsigned"),
        post("/metrics", "1"),
    ] {
        let answer = connection.ask(&refused).await;
        assert!(matches!(answer.status(), 404 | 401), "{refused}");
        assert_ne!(answer.header("connection"), Some("close"), "{refused}");
        let answer = connection.ask(post(&path(""), "text=1")).await;
        assert_eq!(answer.status(), 200, "after {refused}");
    }
}

/// At shutdown a turn that is open is answered, and then the server ends.
#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_open_turns_finish() {
    let (server, mut connection) = amid_a_turn().await;
    server.shutdown.cancel();
    server.callbacks.go.add_permits(1);
    assert_eq!(connection.answer().await.body, "CON POST 6 bytes");
    drop(connection);
    timeout(Duration::from_secs(10), server.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

/// Only GET and POST are callbacks. To any other method, in whatever spelling of the path, a gateway gets a screen that does
/// nothing and a stranger what everybody gets; with the right spelling of the letters it is the same callback.
#[tokio::test(flavor = "multi_thread")]
async fn other_methods_and_spellings_do_nothing() {
    let server = start(usize::MAX >> 4);
    let (client, base) = (client(), format!("http://{}", server.address));
    let ask = async |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client.request(method, format!("{base}{path}")).send().await.unwrap();
        let mut headers: Vec<_> = answer.headers().iter().filter(|(name, _)| *name != "date").collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        let headers = format!("{headers:?}");
        (answer.status().as_u16(), headers, answer.text().await.unwrap())
    };
    let wrong = "wrong-secret-0123456789";
    let first = format!("%{:02X}{}", SECRET.as_bytes()[0], &SECRET[1..]);
    for ussd in ["ussd", "%75ssd", "us%73%64"] {
        for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE"] {
            let nowhere = ask(method, "/nowhere?text=1").await;
            assert_eq!(nowhere.0, 404, "{method}");
            for path in [
                format!("/{ussd}/{CHANNEL}/{wrong}?text=1"),
                format!("/{ussd}/{CHANNEL}/{wrong}/tail?text=1"),
                format!("/{ussd}/ke/{SECRET}?text=1"),
            ] {
                assert_eq!(ask(method, &path).await, nowhere, "{method} {path}");
            }
            for path in [
                format!("/{ussd}/{CHANNEL}/{SECRET}?text=1"),
                format!("/{ussd}/{CHANNEL}/{first}?text=1"),
                format!("/{ussd}/{CHANNEL}/{SECRET}/tail?text=1"),
            ] {
                let (status, _, text) = ask(method, &path).await;
                let shown = "END Sorry, something went wrong. Please dial again.";
                let shown = if method == "HEAD" { "" } else { shown };
                assert_eq!((status, text.as_str()), (200, shown), "{method} {path}");
            }
        }
    }
    for sms in ["sms", "%73ms", "s%6D%73"] {
        for (method, status) in [
            ("HEAD", 200),
            ("PUT", 404),
            ("DELETE", 404),
            ("OPTIONS", 404),
            ("PATCH", 404),
        ] {
            for (secret, status) in [(SECRET, status), (wrong, 404)] {
                let path = format!("/{sms}/{CHANNEL}/{secret}?text=STOP");
                let (found, headers, text) = ask(method, &path).await;
                assert_eq!(found, status, "{method} {path}");
                // What a call is answered with says what came.
                assert!(!text.contains("STOP") && !headers.contains("STOP"), "{method} {path}");
                let silent = headers.contains("(\"content-length\", \"0\")");
                assert!(silent || found != 200, "{method} {path}: {headers}");
            }
        }
    }
    assert!(server.callbacks.requests.lock().unwrap().is_empty());
    // The letters may be spelt like that: a call is a call.
    for (ussd, secret) in [("%75ssd", SECRET), ("ussd", first.as_str())] {
        let (status, _, text) = ask("GET", &format!("/{ussd}/{CHANNEL}/{secret}?text=1")).await;
        assert_eq!((status, text.as_str()), (200, "CON GET 0 bytes"), "{ussd} {secret}");
    }
    assert_eq!(server.callbacks.requests.lock().unwrap().len(), 2);
}
