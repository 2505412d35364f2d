//! Tokens that are revoked while in use, and unavailable records.

use std::time::Duration;

use futures_util::future::join_all;
use kiungo::core::api_key;
use kiungo::core::ids::PartnerId;
use kiungo::core::time::Timestamp;
use kiungo::records::AuditEntry;
use tokio::time::Instant;

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// How long a token may work after it was revoked on another server.
const CACHE_TTL: Duration = Duration::from_secs(1);

/// Sends requests with a token until the answer changes; the time and status of each.
async fn ask_on(api: &Api, token: &str, from: u16) -> Vec<(Instant, u16)> {
    let mut seen = Vec::new();
    loop {
        let at = Instant::now();
        let status = api.get("/v1/roles").by(token).send().await.status;
        seen.push((at, status));
        if status != from {
            return seen;
        }
    }
}

/// A burst of requests with one token while another server revokes it: none that is sent a second later succeeds. While the
/// records are unavailable no request succeeds, whatever its token or keys; afterwards everything works as before.
#[tokio::test(flavor = "multi_thread")]
async fn what_ends_elsewhere_ends_here_within_a_second() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__REQUESTS_PER_SECOND", "10000")]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let (token, kept) = (api.token().await, api.token().await);
    let burst = join_all((0..6).map(|_| ask_on(&api, &token, 200)));
    let revoke = async {
        // What another server on the same records does to revoke.
        let (records, partner) = (sandbox.records().await, PartnerId::parse(&api.id).unwrap());
        let digest = api_key::digest(&token);
        let audit = AuditEntry::new(partner, "token.revoked", String::new(), Timestamp::from_millis(1));
        let revoked = records.revoke_token(&digest, &audit);
        revoked.await.unwrap();
        Instant::now()
    };
    let (burst, ended) = tokio::join!(burst, revoke);
    for seen in burst {
        let (_, last) = seen.last().unwrap();
        assert_eq!(*last, 401);
        let late = seen
            .iter()
            .filter(|(at, status)| *status == 200 && *at > ended + CACHE_TTL);
        assert_eq!(late.count(), 0, "let in after a second");
    }
    api.get("/v1/roles").by(&kept).send().await.expect(200);
    sandbox.execute("ALTER TABLE tokens RENAME TO tokens_away").await;
    let away = Instant::now();
    let seen = ask_on(&api, &kept, 200).await;
    assert_eq!(seen.last().unwrap().1, 503);
    assert!(
        seen.iter()
            .all(|(at, status)| *status == 503 || *at <= away + CACHE_TTL)
    );
    for wrong in [&token, &format!("kg_at_sandbox_{}", "a".repeat(43))] {
        let answer = api.get("/v1/roles").by(wrong).send().await;
        answer.refused(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let mut ask = api.keys();
    ask["grant_type"] = "client_credentials".into();
    api.post("/v1/auth/token", &ask)
        .send()
        .await
        .refused(503, "unavailable");
    sandbox.execute("ALTER TABLE tokens_away RENAME TO tokens").await;
    api.get("/v1/roles").by(&kept).send().await.expect(200);
    let still = api.get("/v1/roles").by(&token).send().await;
    still.refused(401, "unauthenticated");
    sandbox.stop().await;
}
