//! Anyone who is not a channel's gateway is told nothing and changes nothing.

use rstest::rstest;

use crate::support::aggregator::form;
use crate::support::http::client;
use crate::support::node::{CHANNEL, SECRET};
use crate::support::world::{Setup, World};

/// A callback that would be a whole dialog, were it let in.
fn callback() -> String {
    form(&[
        ("sessionId", "ATUid_stranger"),
        ("phoneNumber", "+2348030009001"),
        ("networkCode", "62130"),
        ("serviceCode", "*384*96#"),
        ("text", ""),
    ])
}

/// Status and body of a callback to this path with these addresses said to stand before us.
async fn call(world: &World, path: &str, forwarded: &[&str]) -> (u16, String) {
    let url = format!("{}{path}", world.nodes[0].url());
    let call = client()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    let call = forwarded
        .iter()
        .fold(call, |call, line| call.header("x-forwarded-for", *line));
    let answer = call.body(callback()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// No turn was begun, nobody is known, nothing is recorded and the provider has heard nothing.
async fn nothing_happened(world: &World) {
    let metrics = client()
        .get(format!("{}/metrics", world.nodes[0].url()))
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("kiungo_requests_total"), "{metrics}");
    assert!(!metrics.contains("kiungo_turns_total{"), "{metrics}");
    let keys = world.redis.as_ref().unwrap().command(&["KEYS", "kg:*"]).await;
    let keys: Vec<String> = redis::from_redis_value(keys).unwrap();
    // The server's own, by which it knows that Redis takes writes.
    assert!(keys.iter().all(|key| key == "kg:probe"), "{keys:?}");
    assert!(world.call_log().submits.is_empty());
    world.assert_absent(&["8030009001", "ATUid_stranger"]).await;
}

/// A callback without the secret, with a wrong or an old one, from another address than the gateway's, or with an
/// address it only says it has, gets the answer of an unknown path and has no effect.
#[rstest]
// Nobody stands in front, so what is said of addresses is not read.
#[case::direct("", &["192.0.2.7"])]
// We stand behind a proxy that is not the caller.
#[case::another_proxy("trusted_proxies = [\"10.0.0.0/8\"]", &["192.0.2.7, 10.0.0.1"])]
// The caller is behind our proxy, and says that it is somebody else.
#[case::spoofed("trusted_proxies = [\"127.0.0.0/8\"]", &["192.0.2.7, 203.0.113.5"])]
#[case::spoofed_line("trusted_proxies = [\"127.0.0.0/8\"]", &["192.0.2.7", "203.0.113.5"])]
// Our proxy does not say who calls.
#[case::untold("trusted_proxies = [\"127.0.0.0/8\"]", &[])]
#[case::unreadable("trusted_proxies = [\"127.0.0.0/8\"]", &["192.0.2.7, unknown"])]
#[tokio::test]
async fn strangers_have_no_effect(#[case] server: &'static str, #[case] forwarded: &[&str]) {
    let world = World::with(Setup::Redis, |options| {
        options.server = server;
        options.channel = "sources = [\"192.0.2.0/24\"]";
    })
    .await;
    let nowhere = call(&world, "/nowhere", &[]).await;
    assert_eq!(nowhere.0, 404);
    for path in [
        format!("/ussd/{CHANNEL}"),
        format!("/ussd/{CHANNEL}/"),
        format!("/ussd/{CHANNEL}/old-secret-of-the-tests-0123456789"),
        format!("/ussd/ke/{SECRET}"),
        format!("/ussd/{CHANNEL}/{SECRET}"),
        format!("/ussd/{CHANNEL}/{SECRET}/events"),
    ] {
        assert_eq!(call(&world, &path, forwarded).await, nowhere, "{path}");
    }
    nothing_happened(&world).await;
}

/// The gateway itself is let in: from its own address, or from behind a proxy that says so.
#[rstest]
#[case::direct("", "sources = [\"127.0.0.1\"]", &["203.0.113.5"])]
#[case::proxied("trusted_proxies = [\"127.0.0.0/8\"]", "sources = [\"192.0.2.0/24\"]", &["1.2.3.4, 192.0.2.7"])]
#[case::anybody("trusted_proxies = [\"127.0.0.0/8\"]", "", &["unknown"])]
#[tokio::test]
async fn the_gateway_is_let_in(
    #[case] server: &'static str,
    #[case] channel: &'static str,
    #[case] forwarded: &[&str],
) {
    let world = World::with(Setup::Memory, |options| {
        options.server = server;
        options.channel = channel;
    })
    .await;
    let (status, body) = call(&world, &format!("/ussd/{CHANNEL}/{SECRET}"), forwarded).await;
    assert_eq!(status, 200);
    assert!(body.starts_with("CON Sandbox Lender"), "{body}");
    let wrong = call(&world, &format!("/ussd/{CHANNEL}/{SECRET}x"), forwarded).await;
    assert_eq!(wrong.0, 404);
}
