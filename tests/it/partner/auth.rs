//! Keys and tokens.

use std::time::Duration;

use kiungo::config::sandbox::API_PUBLISHABLE_KEY;
use serde_json::json;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

/// A partner's token is valid until it is revoked; revoking an unknown token succeeds (RFC 7009).
#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_until_it_is_revoked() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let mut ask = api.keys();
    ask["grant_type"] = "client_credentials".into();
    let answer = api.post("/v1/auth/token", &ask).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("ratelimit-remaining").is_empty());
    let issued = answer.expect(200);
    assert_eq!(
        (&issued["token_type"], &issued["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    let token = issued["access_token"].as_str().unwrap();
    assert!(token.starts_with("kg_at_sandbox_"));
    api.get("/v1/roles").by(token).send().await.expect(200);
    // The node that revokes it refuses it at once.
    api.revoke(token).await;
    api.get("/v1/roles")
        .by(token)
        .send()
        .await
        .refused(401, "unauthenticated");
    api.revoke(token).await;
    api.revoke("rubbish").await;
    // Each is recorded once, with a fingerprint that tells tokens apart.
    let other = api.token().await;
    let trail = api.get("/v1/audit").by(&other).send().await.expect(200);
    let all = trail["data"].as_array().unwrap();
    let of = |kind: &str| -> Vec<_> {
        let details = all.iter().filter(|entry| entry["kind"] == kind);
        details.map(|entry| entry["detail"].as_str().unwrap()).collect()
    };
    let (issued, revoked) = (of("token.issued"), of("token.revoked"));
    assert_eq!((issued.len(), revoked.len()), (2, 1));
    assert!(
        issued
            .iter()
            .any(|issued| *issued == format!("{} for the partner", revoked[0]))
    );
    sandbox.stop().await;
}

/// Requests without a key or token, or with a wrong one, are refused, and told how to authenticate.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let secret = |prefix: &str| format!("{prefix}{}", "Zq7".repeat(14) + "x");
    let other = Api {
        id: "11111111-1111-4111-8111-111111111111".to_owned(),
        ..api.clone()
    };
    let with = |secret: String| Api { secret, ..api.clone() };
    for (who, code) in [
        (other, "unauthenticated"),
        (with(secret("kg_sk_sandbox_")), "unauthenticated"),
        (with(secret("kg_pub_sandbox_")), "unauthenticated"),
        (with(secret("kg_sk_live_")), "wrong_environment"),
        (with("Zq7".to_owned()), "unauthenticated"),
    ] {
        let mut ask = who.keys();
        ask["grant_type"] = "client_credentials".into();
        let answer = who.post("/v1/auth/token", &ask).send().await;
        answer.refused(401, code);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        ask.as_object_mut().unwrap().remove("grant_type");
        ask["token"] = "x".into();
        who.post("/v1/auth/revoke", &ask).send().await.refused(401, code);
    }
    for (value, code) in [
        (String::new(), "unauthenticated"),
        ("Bearer".to_owned(), "unauthenticated"),
        (format!("Basic {}", secret("kg_at_sandbox_")), "unauthenticated"),
        (format!("Bearer {}", secret("kg_at_sandbox_")), "unauthenticated"),
        (format!("Bearer {}", api.secret), "unauthenticated"),
        (format!("Bearer {}", secret("kg_at_live_")), "wrong_environment"),
    ] {
        let answer = api.get("/v1/roles").header("authorization", &value).send().await;
        answer.refused(401, code);
        assert!(!answer.body.to_string().contains("Zq7"));
    }
    sandbox.stop().await;
}

/// A user's token is limited by their role, follows its changes, and ends with the user; an unknown user gets none.
#[tokio::test(flavor = "multi_thread")]
async fn a_users_token_follows_the_user() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let entity = api.entity(&partner, "Lagos").await;
    let role = api.role(&partner, &json!({"user": {"read": "allowed"}})).await;
    let user = api.user(&partner, &entity, "ada", Some(&role)).await;
    let token = api.token_of(&user).await;
    let me = api.get("/v1/users/me").by(&token).send().await.expect(200);
    assert_eq!((&me["id"], &me["entity_id"]), (&json!(user), &json!(entity)));
    api.get("/v1/users").by(&token).send().await.expect(200);
    let roles = api.get("/v1/roles").by(&token).send().await;
    roles.refused(403, "role_does_not_allow");
    let change = json!({"permissions": {"role": {"read": "allowed"}}});
    api.patch(&format!("/v1/roles/{role}"), &change)
        .by(&partner)
        .send()
        .await
        .expect(200);
    let second = Duration::from_secs(1);
    let status = async |path: &str| api.get(path).by(&token).send().await.status;
    eventually(second, async || {
        status("/v1/roles").await == 200 && status("/v1/users").await == 403
    })
    .await;
    api.delete(&format!("/v1/users/{user}"))
        .by(&partner)
        .send()
        .await
        .expect(204);
    eventually(second, async || status("/v1/users/me").await == 401).await;
    for who in [user.as_str(), "11111111-1111-4111-8111-111111111111"] {
        let mut ask = api.keys();
        ask["grant_type"] = "user".into();
        ask["user_id"] = who.into();
        let refused = api.post("/v1/auth/token", &ask).send().await;
        refused.refused(422, "invalid");
        assert_eq!(refused.faults(), [("/user_id".to_owned(), "unknown".to_owned())]);
    }
    sandbox.stop().await;
}

/// A token expires, and requests above the rate limit are refused with `Retry-After`.
#[tokio::test(flavor = "multi_thread")]
async fn time_and_rate_are_kept() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__BURST", "4"), ("KIUNGO_API__REQUESTS_PER_SECOND", "1")]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let answer = api.get("/v1/roles").by(&token).send().await;
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, "4"));
    // Even on a slow machine, these are more requests than the limit allows.
    let mut last = answer;
    for _ in 0..1_000 {
        last = api.get("/v1/roles").by(&token).send().await;
        if last.status != 200 {
            break;
        }
    }
    last.refused(429, "too_many_requests");
    assert_eq!(
        (last.header("retry-after"), last.header("ratelimit-remaining")),
        ("1", "0")
    );
    let wind = json!({"forward_s": 600});
    let wound = api.client.post(format!("{}/phone/clock", api.base)).json(&wind).send();
    assert!(wound.await.unwrap().status().is_success());
    api.get("/v1/roles")
        .by(&token)
        .send()
        .await
        .refused(401, "unauthenticated");
    sandbox.stop().await;
}

/// However many wrong keys come from an address, they alone are put off, and are told for how long; a right key opens at
/// once, for a token and to revoke one. The trail says in one row that there were some, and the metrics how many.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_key_opens_after_any_number_of_wrong_ones() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let ask = |secret: &str| {
        let mut ask = api.keys();
        ask["client_secret"] = secret.into();
        ask["grant_type"] = "client_credentials".into();
        api.post("/v1/auth/token", &ask).send()
    };
    // Even on a slow machine, these are more requests than the limit allows.
    let mut wrong = 1;
    let mut last = ask("Zq7").await;
    while last.status == 401 && wrong < 1_000 {
        last = ask("Zq7").await;
        wrong += 1;
    }
    last.refused(429, "too_many_requests");
    let seconds: u32 = last.header("retry-after").parse().unwrap();
    assert!((1..=6).contains(&seconds), "{seconds}");
    ask(&api.secret).await.expect(200);
    api.revoke(&token).await;
    let refused = api.get("/v1/roles").by(&token).send().await;
    refused.refused(401, "unauthenticated");
    let token = api.token().await;
    let rows = async |kind: &str| {
        let trail = api.get("/v1/audit?limit=100").by(&token).send().await.expect(200);
        let rows = trail["data"].as_array().unwrap().iter();
        rows.filter(|row| row["kind"] == kind).count()
    };
    eventually(Duration::from_secs(10), async || {
        rows("key.wrong").await == 1 && rows("token.wrong").await == 1
    })
    .await;
    let metrics = api.client.get(format!("{}/metrics", api.base)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        format!("kiungo_strangers_total{{tried=\"key\"}} {wrong}"),
        "kiungo_strangers_total{tried=\"token\"} 1".to_owned(),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} not in\n{metrics}");
    }
    sandbox.stop().await;
}

/// A publishable key in a loop, or a user's token, leaves the partner's own token all of its requests, and these leave the
/// secret key's: the key can always end a token.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_uses_up_what_a_stronger_key_needs() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__BURST", "8"), ("KIUNGO_API__REQUESTS_PER_SECOND", "1")]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let entity = api.entity(&partner, "Lagos").await;
    let role = api.role(&partner, &json!({"user": {"read": "allowed"}})).await;
    let user = api.user(&partner, &entity, "ada", Some(&role)).await;
    let user = api.token_of(&user).await;
    let public = "/v1/public/link-intents/11111111-1111-4111-8111-111111111111";
    let mut left = 0;
    // Each of them until it is refused, the weakest first.
    for (who, path, token, fine) in [
        ("a page", public, API_PUBLISHABLE_KEY, 404),
        ("a user", "/v1/users/me", &user, 200),
        ("the partner", "/v1/roles", &partner, 200),
    ] {
        let own = api.get("/v1/roles").by(&partner).send().await;
        let now: u32 = own.header("ratelimit-remaining").parse().unwrap();
        assert!(own.status == 200 && now + 1 >= left, "{who}: {now} of {left} are left");
        left = now;
        let mut last = api.get(path).by(token).send().await;
        for _ in 0..1_000 {
            if last.status != fine {
                break;
            }
            last = api.get(path).by(token).send().await;
        }
        last.refused(429, "too_many_requests");
    }
    api.revoke(&partner).await;
    sandbox.stop().await;
}
