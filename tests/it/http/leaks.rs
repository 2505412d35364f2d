//! Nothing of a request is ever logged, at the finest level of every library.

use crate::support::logs::captured;
use crate::support::server::{SECRET, path, start};
use crate::support::wire::{RawConnection, post, request};

/// Path secret, wrong secret, query, body and headers are never logged, whatever the outcome of the request.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_request_is_logged() {
    let log = captured();
    let server = start(usize::MAX >> 4);
    let canary = "Zq7c0ffee5eed";
    let mut connection = RawConnection::open(server.address).await;
    connection.ask(post(&path(""), &format!("text=1*{canary}"))).await;
    connection
        .ask(request("GET", &path(&format!("/{canary}?text={canary}")), ""))
        .await;
    connection.ask(post(&format!("/ussd/ng/{canary}"), canary)).await;
    connection.ask(request(&format!("X{canary}"), &path(""), "")).await;
    connection.ask(post(&path(""), &canary.repeat(10_000))).await;
    let headers = format!(
        "GET {} HTTP/1.1\r\nhost: {canary}\r\nreferer: {canary}\r\ncookie: {canary}\r\n\r\n",
        path("")
    );
    connection.ask(&headers).await;
    for broken in [
        format!("GET /ussd/ng/{canary} HTTP/9\r\n\r\n"),
        format!("GET {} HTTP/1.1\r\nhost: t\r\nx: \u{1}{canary}\r\n\r\n", path("")),
        format!(
            "POST {} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n{canary}\r\n",
            path("")
        ),
    ] {
        RawConnection::open(server.address).await.provoke(&broken).await;
    }
    let text = log.text();
    assert!(
        text.contains("answered") && text.contains("/ussd/{channel}/{secret}"),
        "nothing was captured:\n{text}"
    );
    assert!(text.contains("TRACE"), "not captured at the finest level:\n{text}");
    for secret in [canary, SECRET] {
        let leak = text.lines().find(|line| line.contains(secret));
        assert_eq!(leak, None);
    }
}
