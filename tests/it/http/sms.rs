//! Callbacks of SMS gateways: both paths, both methods, nothing for strangers.

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
