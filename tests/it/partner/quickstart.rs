//! The ten minutes of docs/PARTNERS.md, run word for word. Only the two addresses differ, because other tests have servers too.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::support::postgres::PostgresServer;
use crate::support::sandbox::Sandbox;

const PAGE: &str = include_str!("../../../docs/PARTNERS.md");

/// The text between a heading and the next one that is no deeper.
fn section(heading: &str) -> &'static str {
    let from = PAGE.split_once(&format!("\n{heading}\n")).expect(heading).1;
    let depth = heading.split(' ').next().unwrap();
    from.split(&format!("\n{depth} ")).next().unwrap()
}

/// The code blocks in this language.
fn blocks(text: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// Runs it against this sandbox; the output, and what the receiver got.
fn walk(origin: &str) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("verify.py"),
        blocks(section("### Verifying"), "python")[0],
    )
    .unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = blocks(section("## Ten minutes"), "sh").concat();
    let script = script
        .replace("http://127.0.0.1:8080", origin)
        .replace("127.0.0.1:9099", &format!("127.0.0.1:{port}"));
    let kiungo = Path::new(env!("CARGO_BIN_EXE_kiungo")).parent().unwrap();
    let output = Command::new("bash")
        .args([
            "-euo",
            "pipefail",
            "-c",
            &format!("PATH={}:$PATH\n{script}", kiungo.display()),
        ])
        .current_dir(&folder)
        .output()
        .expect("bash");
    let received = fs::read_to_string(folder.path().join("received.log")).unwrap_or_default();
    (output, received)
}

/// Copied line by line, the page leads from nothing to a link with signed webhooks and back, on either database.
#[rstest]
#[case::sqlite(false)]
#[case::postgres(true)]
#[tokio::test(flavor = "multi_thread")]
async fn the_ten_minutes_are_as_written(#[case] on_postgres: bool) {
    let postgres = if on_postgres {
        Some(PostgresServer::start().await)
    } else {
        None
    };
    let url = postgres.as_ref().map(PostgresServer::url);
    let more: Vec<_> = url.iter().map(|url| ("KIUNGO_RECORDS__URL", url.as_str())).collect();
    let sandbox = Sandbox::with(&more).await;
    let origin = sandbox.origin.clone();
    let (output, received) = tokio::task::spawn_blocking(move || walk(&origin)).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}\n{received}");
    assert!(!received.contains("FORGED"), "{received}");
    for kind in ["intent.completed", "link.created", "link.removed"] {
        let told = received.lines().filter(|line| line.contains(&format!("\"{kind}\"")));
        assert_eq!(told.count(), 1, "{kind}: {received}");
    }
    for shown in [
        "\"state\": \"open\"",
        "*384*96#",
        "\"state\": \"active\"",
        "Sandbox Lender asks",
    ] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
    sandbox.stop().await;
}
