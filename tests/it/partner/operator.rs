//! An operator sets up partners while the server runs.

use std::process::{Command, Output};
use std::time::Duration;

use kiungo::config::sandbox::MONO_KEY;
use serde_json::json;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

fn partners(sandbox: &Sandbox, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiungo"));
    command.env_clear().arg("partners").args(args);
    command.arg("--data").arg(sandbox.folder()).output().unwrap()
}

/// The value behind a word at the beginning of a line.
fn said(output: &Output, word: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no {word} in {output:?}"))
        .trim()
        .to_owned()
}

/// The partner with the secret key that a command printed.
fn with_key(api: &Api, output: &Output) -> Api {
    Api {
        secret: said(output, "client_secret"),
        ..api.clone()
    }
}

/// A partner can call as soon as it is added, sets its own provider credentials, and rotates its key without a gap; a stolen
/// key ends with all tokens issued for it. The audit trail has all of it, and no key is printed again.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn an_operator_lets_a_partner_in() {
    let sandbox = Sandbox::start().await;
    let add = ["add", "Duka Credit", "--purpose", "loan decisions", "--days", "60"];
    let added = partners(&sandbox, &add);
    assert!(said(&added, "publishable_key").starts_with("kg_pub_sandbox_"));
    let mut api = with_key(&Api::of_sandbox(&sandbox.origin), &added);
    api.id = said(&added, "client_id");
    let token = api.token().await;
    let partner = api.get("/v1/partner").by(&token).send().await.expect(200);
    for (member, value) in [
        ("name", json!("Duka Credit")),
        ("purpose", json!("loan decisions")),
        ("data_days", json!(60)),
        ("walk_in", json!(false)),
    ] {
        assert_eq!(partner[member], value, "{member}");
    }
    // The operator offers it to everybody, and ends that; the partner may only end it.
    for (word, offered) in [("--offer", true), ("--end", false), ("--offer", true)] {
        let output = partners(&sandbox, &["walk-ins", "Duka Credit", word]);
        assert!(output.status.success(), "{output:?}");
        let read = api.get("/v1/partner").by(&token).send().await.expect(200);
        assert_eq!(read["walk_in"], json!(offered), "{word}");
    }
    for walk_in in [true, false] {
        let change = json!({"walk_in": walk_in});
        let changed = api.patch("/v1/partner", &change).by(&token).send().await.expect(200);
        assert_eq!(changed["walk_in"], json!(walk_in));
    }
    let again = api
        .patch("/v1/partner", &json!({"walk_in": true}))
        .by(&token)
        .send()
        .await;
    again.refused(422, "invalid");

    let put = api.ask("PUT", "/v1/provider-credentials/mono");
    let put = put.json(&json!({"secret_key": MONO_KEY})).by(&token);
    put.send().await.expect(200);

    let next = with_key(&api, &partners(&sandbox, &["rotate", "Duka Credit", "--keep", "2"]));
    api.token().await;
    next.token().await;
    let last = with_key(&api, &partners(&sandbox, &["rotate", &api.id, "--stolen"]));
    for over in [&api, &next] {
        let mut ask = over.keys();
        ask["grant_type"] = "client_credentials".into();
        let refused = over.post("/v1/auth/token", &ask).send().await;
        refused.refused(401, "unauthenticated");
    }
    eventually(Duration::from_secs(1), async || {
        api.get("/v1/partner").by(&token).send().await.status == 401
    })
    .await;
    the_trail_tells(&last).await;
    let listed = partners(&sandbox, &["list"]);
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(
        listed.contains("Duka Credit") && listed.contains(", over since "),
        "{listed}"
    );
    for Api { secret, .. } in [&api, &next, &last] {
        assert!(!listed.contains(&**secret) && listed.contains(&secret[secret.len() - 4..]));
    }
    sandbox.stop().await;
}

async fn the_trail_tells(api: &Api) {
    let token = api.token().await;
    let trail = api.get("/v1/audit?limit=100").by(&token).send().await.expect(200);
    let trail = trail.to_string();
    for kind in [
        "partner.added",
        "partner.offered",
        "token.issued",
        "credentials.set",
        "key.rotated",
    ] {
        assert!(trail.contains(kind), "{kind} is missing in {trail}");
    }
}
