//! Callbacks of SMS gateways: both paths, both methods, nothing for strangers.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::eventually;
use crate::support::server::{CHANNEL, SECRET, start};
use crate::support::wire::{RawConnection, post, request};

/// A callback reaches the gateway's adapter unaltered, whether in the body or in the query.
#[tokio::test(flavor = "multi_thread")]
async fn calls_arrive_unaltered() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let path = format!("/sms/{CHANNEL}/{SECRET}");
    for (ask, want) in [
        (post(&path, "text=1%2B"), "POST []  Some(\"text=1%2B\")"),
        (
            request("GET", &format!("{path}?text=%2a"), ""),
            "GET [] text=%2a Some(\"\")",
        ),
        (
            post(&format!("{path}/reports?ref=1"), "id=1"),
            "POST [reports] ref=1 Some(\"id=1\")",
        ),
        (
            request("GET", &format!("{path}/reports"), ""),
            "GET [reports]  Some(\"\")",
        ),
        (post(&path, &"1".repeat(256 * 1024 + 1)), "POST []  None"),
        (post(&format!("{path}/"), "a=1"), "POST []  Some(\"a=1\")"),
        (request("GET", &format!("{path}/?a=1"), ""), "GET [] a=1 Some(\"\")"),
        (
            post(&format!("{path}/reports/"), "id=1"),
            "POST [reports]  Some(\"id=1\")",
        ),
    ] {
        let answer = connection.ask(&ask).await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, want), "{}", &ask[..60]);
    }
}

/// Strangers cannot distinguish a wrong secret from a gateway, path or method that does not exist, and keep their connection.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_one_answer() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let nowhere = connection.ask(post("/nowhere", "id=1")).await;
    assert_eq!(nowhere.status(), 404);
    for ask in [
        post(&format!("/sms/{CHANNEL}/wrong-secret-0123456789"), "id=1"),
        post(&format!("/sms/{CHANNEL}/{SECRET}x/reports"), "id=1"),
        post(&format!("/sms/ke/{SECRET}"), "id=1"),
        post(&format!("/sms/{CHANNEL}"), "id=1"),
        post(&format!("/sms/{CHANNEL}/{SECRET}/elsewhere"), "id=1"),
        post(&format!("/sms/{CHANNEL}/{SECRET}/reports/more"), "id=1"),
        request("PUT", &format!("/sms/{CHANNEL}/{SECRET}"), "id=1"),
        request("DELETE", &format!("/sms/{CHANNEL}/{SECRET}/reports"), ""),
    ] {
        assert_eq!(connection.ask(&ask).await, nowhere, "{ask}");
    }
}

/// While more is being sent than there is room for, a long callback is to come again: its gateway never sends one again that it
/// was told was taken. One that is as short as a STOP is taken at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_loses_no_sms() {
    let server = start(0);
    let path = format!("/sms/{CHANNEL}/{SECRET}");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\n\r\n",
        256 * 1024
    );
    // None of these ends; each has room for all that it announced, and together they have all the room.
    let unended = format!("{head}{}", "1".repeat(130 * 1024));
    let long = post(&path, &"1".repeat(32 * 1024));
    let mut flood = Vec::new();
    eventually(Duration::from_secs(30), async || {
        flood.clear();
        flood = join_all((0..140).map(async |_| {
            let mut connection = RawConnection::open(server.address).await;
            // Once there is no more room, who sends more may hear a reset.
            let _ = connection.0.write_all(unended.as_bytes()).await;
            connection
        }))
        .await;
        let mut probe = RawConnection::open(server.address).await;
        // Who is refused before all was read may hear a reset instead, and sends again as well.
        let mut told = [0; "HTTP/1.1 503".len()];
        let asked = probe.0.write_all(long.as_bytes()).await;
        asked.is_ok() && probe.0.read_exact(&mut told).await.is_ok() && told.ends_with(b"503")
    })
    .await;
    let mut gateway = RawConnection::open(server.address).await;
    let answer = gateway.ask(post(&path, "text=STOP")).await;
    assert_eq!(
        (answer.status(), answer.body.as_str()),
        (200, "POST []  Some(\"text=STOP\")")
    );
}

/// So is one that comes too slowly.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_sms_is_to_come_again() {
    let server = start(0);
    let mut gateway = RawConnection::open(server.address).await;
    let half = format!("POST /sms/{CHANNEL}/{SECRET} HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\ntext");
    assert_eq!(gateway.ask(&half).await.status(), 503);
}
