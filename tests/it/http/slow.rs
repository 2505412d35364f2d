//! Slow and idle connections: nobody else waits for them, and none gets an answer that it did not ask for.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::machine::Stopwatch;
use crate::support::server::{path, start};
use crate::support::wire::{RawConnection, post, request};

/// Hundreds of connections that never finish a head, the first or a later one, delay nobody; each is cut after a few
/// seconds without a byte of an answer. Connections that have asked nothing meanwhile are left in peace and can be used.
#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_delay_nobody_and_are_cut() {
    const SLOW: usize = 150;
    let server = start(usize::MAX >> 4);
    let head = "POST /ussd/ng/somebody HTTP/1.1\r\nhost: t\r\nx-slow: 1";
    let mut slow = Vec::new();
    for number in 0..SLOW * 2 {
        let mut connection = RawConnection::open(server.address).await;
        if number % 2 == 1 {
            let answer = connection.ask(request("GET", "/health/live", "")).await;
            assert_eq!(answer.status(), 200);
        }
        connection.0.write_all(head.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    let mut idle = Vec::new();
    for number in 0..20 {
        let mut connection = RawConnection::open(server.address).await;
        if number % 2 == 1 {
            connection.ask(post(&path(""), "text=")).await;
        }
        idle.push(connection);
    }
    let mut kept = RawConnection::open(server.address).await;
    for _ in 0..100 {
        let began = Stopwatch::start();
        let answer = kept.ask(post(&path(""), "text=1")).await;
        assert_eq!(answer.body, "CON POST 6 bytes");
        assert!(began.fair() < Duration::from_millis(500), "{:?}", began.elapsed());
    }
    let cut = slow.into_iter().map(async |mut connection| {
        let mut said = Vec::new();
        let ended = timeout(Duration::from_secs(20), connection.0.read_to_end(&mut said)).await;
        ended.expect("a slow head was never cut").ok();
        said
    });
    for said in join_all(cut).await {
        assert_eq!(String::from_utf8_lossy(&said), "");
    }
    // All of them were open for as long as it takes to cut a slow head.
    for connection in &mut idle {
        let answer = connection.ask(post(&path(""), "text=1")).await;
        assert_eq!((answer.status(), answer.body.as_str()), (200, "CON POST 6 bytes"));
    }
}
