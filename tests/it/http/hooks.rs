//! Webhooks of providers: what reaches them, and who gets an answer.

use crate::support::server::start;
use crate::support::wire::{RawConnection, post, request};

/// A provider sees all of a request that it may have signed: method, whole path as it came, what stands behind the owner,
/// query, headers and body; and its sender gets the answer that it wants.
#[tokio::test]
async fn a_provider_sees_the_whole_request() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    for (ask, want) in [
        (post("/hooks/seen", "{}"), "POST /hooks/seen None []  None {}"),
        (
            post("/hooks/seen?a=1%2B&a=2", ""),
            "POST /hooks/seen None [] a=1%2B&a=2 None ",
        ),
        (
            post("/hooks/seen/operator", "{}"),
            "POST /hooks/seen/operator Some(\"operator\") []  None {}",
        ),
        (
            post("/hooks/seen/p1/users/a%2Fb/?x", "b"),
            "POST /hooks/seen/p1/users/a%2Fb/ Some(\"p1\") [users/a%2Fb/] x None b",
        ),
        (
            "POST /hooks/seen/p1 HTTP/1.1\r\nhost: t\r\nX-Signature: s=1\r\ncontent-length: 1\r\n\r\n1".to_owned(),
            "POST /hooks/seen/p1 Some(\"p1\") []  Some(\"s=1\") 1",
        ),
        (
            request("GET", "/hooks/seen/p1/check?challenge=7", ""),
            "GET /hooks/seen/p1/check Some(\"p1\") [check] challenge=7 None ",
        ),
    ] {
        let answer = connection.ask(&ask).await;
        assert_eq!((answer.status(), answer.body.as_str()), (202, want), "{ask}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

/// Of what is not there, a provider, an owner of keys, a method, strangers cannot tell which is missing; and a body has a
/// limit, no matter who it is for.
#[tokio::test]
async fn strangers_and_floods_are_turned_away() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let nowhere = connection.ask(post("/nowhere", "{}")).await;
    assert_eq!(nowhere.status(), 404);
    for ask in [
        post("/hooks", "{}"),
        post("/hooks/", "{}"),
        post("/hooks/nobody", "{}"),
        post("/hooks/nobody/operator/x", "{}"),
        post("/hooks/mono/0b0e2a54-94c7-4a8b-8a3b-7a1f3e1f0d7c", "{}"),
        post("/hooks/mono/0b0e2a54-94c7-4a8b-8a3b-7a1f3e1f0d7c/tail", "{}"),
        request("GET", "/hooks/mono", ""),
        request("PUT", "/hooks/seen", "{}"),
        request("DELETE", "/hooks/seen/operator/x", ""),
    ] {
        assert_eq!(connection.ask(&ask).await, nowhere, "{ask}");
    }
    let mut allowed = RawConnection::open(server.address).await;
    let answer = allowed.ask(post("/hooks/seen/p1/x", &"1".repeat(1024 * 1024))).await;
    assert_eq!(answer.status(), 202);
    let answer = allowed
        .ask(post("/hooks/seen/p1/x", &"1".repeat(1024 * 1024 + 1)))
        .await;
    assert_eq!(answer.status(), 400);
}
