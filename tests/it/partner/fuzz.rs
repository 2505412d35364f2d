//! Fuzzing: schemathesis generates requests that the OpenAPI document allows, and requests that it does not. (W7)

use std::path::Path;
use std::process::{Command, Output};

use kiungo::config::sandbox::API_SECRET_KEY;

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// Far more than the tool sends.
const UNLIMITED: [(&str, &str); 2] = [
    ("KIUNGO_API__REQUESTS_PER_SECOND", "10000"),
    ("KIUNGO_API__BURST", "100000"),
];

/// Where `make test` installs it.
const TOOL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/tools/schemathesis/bin/schemathesis"
);

/// Nothing breaks the server, all responses and errors are as documented, and nothing is answered without the token it
/// requires.
///
/// A request that is valid by the document is not always accepted, because its ids may be of nothing. So that is not checked.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_is_answered_as_described() {
    let sandbox = Sandbox::with(&UNLIMITED).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let (origin, bearer) = (sandbox.origin.clone(), format!("Authorization: Bearer {token}"));
    let run = tokio::task::spawn_blocking(move || schemathesis(&origin, &bearer)).await;
    let output = run.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains(" generated, "), "nothing was tried: {said}");
    for secret in [token.as_str(), API_SECRET_KEY] {
        assert!(!said.contains(secret), "a secret was answered: {said}");
    }
    sandbox.stop().await;
}

fn schemathesis(origin: &str, bearer: &str) -> Output {
    // It writes files to its working directory.
    let folder = tempfile::tempdir().unwrap();
    let tool = if Path::new(TOOL).exists() { TOOL } else { "schemathesis" };
    Command::new(tool)
        .args(["run", &format!("{origin}/v1/openapi.json"), "--header", bearer])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "8",
            "--seed",
            "1",
        ])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--continue-on-failure", "--warnings", "off"])
        .current_dir(&folder)
        .output()
        .expect("schemathesis is installed: `make tools`")
}
