//! `kiungo load` as a process of its own, against servers that do well and servers that do not.

use std::process::Output;

use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{kiungo, text};
use crate::support::canned::FakeCallbackServer;
use crate::support::sandbox::Sandbox;
use crate::support::tcp::{RawTcpServer, TcpBehaviour};

/// Ends by itself, whatever the machine is busy with.
async fn load(url: &str, more: &[&str]) -> Output {
    let arguments: Vec<_> = ["load", "--url", url]
        .iter()
        .chain(more)
        .map(|&part| part.to_owned())
        .collect();
    let run = move || kiungo(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    spawn_blocking(run).await.unwrap()
}

fn figures(output: &Output) -> Value {
    let told = || format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told()))
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// What is measured is what happened: every person takes every turn of the journey against the real menu, each of them is
/// answered well, the figures agree with each other, and success is the exit code.
#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_measured() {
    let sandbox = Sandbox::start().await;
    let url = format!("{}/ussd/sandbox/sandbox", sandbox.origin);
    // A generous deadline: the machine may be busy.
    let journeys = load(
        &url,
        &[
            "--people",
            "20",
            "--callers",
            "4",
            "--once",
            "--deadline-ms",
            "30000",
            "--json",
        ],
    )
    .await;
    let told = figures(&journeys);
    assert_eq!(journeys.status.code(), Some(0), "{told} {}", text(&journeys.stderr));
    assert_eq!(
        (told["turns"].as_u64(), told["good"].as_u64()),
        (Some(120), Some(120)),
        "{told}"
    );
    assert_eq!(told["errors"], serde_json::json!({}), "{told}");
    assert_eq!(told["over_deadline"], 0.0, "{told}");
    let latency = |name: &str| told["latency_ms"][name].as_f64().unwrap();
    let rising = ["p50", "p90", "p99", "p99.9", "max"].map(latency);
    assert!(rising[0] > 0.0 && rising.is_sorted(), "{told}");
    let (rate, seconds) = (
        told["turns_per_second"].as_f64().unwrap(),
        told["seconds"].as_f64().unwrap(),
    );
    assert!((rate * seconds - 120.0).abs() < 0.01, "{told}");
    sandbox.stop().await;
}

/// On a fixed schedule exactly the turns that were asked for are taken, however fast answers come, and people are told so in
/// lines; each dialog is a new one of a number of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_kept() {
    let server = FakeCallbackServer::start();
    let schedule = [
        "--rate",
        "40",
        "--seconds",
        "1",
        "--turns",
        "1",
        "--people",
        "8",
        "--deadline-ms",
        "30000",
    ];
    let measured = load(&server.callback(), &schedule).await;
    let told = text(&measured.stdout);
    assert_eq!(measured.status.code(), Some(0), "{told}");
    assert!(told.contains("turns          40 in "), "{told}");
    assert!(told.contains("errors         none"), "{told}");
    let turns = server.turns();
    let distinct = |field: &str| {
        let mut found: Vec<_> = turns.iter().map(|turn| turn[field].clone()).collect();
        found.sort();
        found.dedup();
        found.len()
    };
    assert_eq!(
        (turns.len(), distinct("sessionId"), distinct("phoneNumber")),
        (40, 40, 8)
    );
}

/// Nobody else's server is put under load by a slip, and the refusal says why; nothing is sent. Names are looked up.
#[tokio::test(flavor = "multi_thread")]
async fn other_machines_are_refused() {
    for (url, why) in [
        ("http://192.0.2.1/ussd/x/y", "--allow-remote"),
        ("http://[2001:db8::1]/ussd/x/y", "--allow-remote"),
        ("http://0.0.0.0/ussd/x/y", "--allow-remote"),
        ("https://127.0.0.1/ussd/x/y", "must be an http:// URL"),
    ] {
        let refused = load(url, &[]).await;
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{url}: {told}");
        assert!(told.contains(why) && refused.stdout.is_empty(), "{url}: {told}");
    }
    let server = FakeCallbackServer::start();
    let port = server.origin.rsplit(':').next().unwrap();
    let named = format!("http://localhost:{port}/ussd/sandbox/sandbox");
    let one = ["--once", "--people", "1", "--turns", "1", "--deadline-ms", "30000"];
    let taken = load(&named, &one).await;
    assert_eq!(taken.status.code(), Some(0), "{}", text(&taken.stderr));
}

/// A server that fails fast is not taken for a fast one: what is no good answer is counted by its kind, keeps out of the
/// figures of good ones, and fails the command.
#[tokio::test]
async fn bad_answers_are_errors() {
    for (act, deadline, kind) in [
        (
            TcpBehaviour::WriteAndStay(answer("500 Internal Server Error", "CON Hi")),
            "30000",
            "http_500",
        ),
        (
            TcpBehaviour::WriteAndStay(answer("200 OK", "<html>It works</html>")),
            "30000",
            "not_con_or_end",
        ),
        (
            TcpBehaviour::WriteAndStay(answer("200 OK", "END Please try later")),
            "30000",
            "early_end",
        ),
        (
            TcpBehaviour::WriteAndStay(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
            "30000",
            "lost",
        ),
        (TcpBehaviour::Reset, "30000", "lost"),
        (TcpBehaviour::Silence, "20", "timeout"),
    ] {
        let server = RawTcpServer::new(act).await;
        let url = format!("http://127.0.0.1:{}/ussd/a/b", server.port());
        let people = [
            "--people",
            "2",
            "--callers",
            "1",
            "--once",
            "--json",
            "--deadline-ms",
            deadline,
        ];
        // A silent server stays with its first caller for ever; the second connection is made by the system.
        let measured = server.during(load(&url, &people)).await;
        let told = figures(&measured);
        assert_eq!(measured.status.code(), Some(1), "{kind}: {told}");
        assert_eq!(told["errors"], serde_json::json!({ kind: 2 }), "{told}");
        assert_eq!(
            (told["turns"].as_u64(), told["good"].as_u64()),
            (Some(2), Some(0)),
            "{told}"
        );
        assert!(text(&measured.stderr).contains("2 of 2 turns failed"), "{measured:?}");
    }
}

/// Where nobody listens, that is the error; and a server that stalls cannot hide the turns that it kept from being sent: all
/// that were due are counted.
#[tokio::test]
async fn turns_that_were_due_are_counted() {
    let server = RawTcpServer::new(TcpBehaviour::Silence).await;
    let url = format!("http://127.0.0.1:{}/ussd/a/b", server.port());
    let stalled = [
        "--rate",
        "200",
        "--seconds",
        "1",
        "--callers",
        "1",
        "--deadline-ms",
        "100",
        "--json",
    ];
    let told = figures(&server.during(load(&url, &stalled)).await);
    assert_eq!(told["turns"].as_u64(), Some(200), "{told}");
    assert_eq!(told["errors"], serde_json::json!({ "timeout": 200 }), "{told}");
    assert_eq!(told["over_deadline"], 1.0, "{told}");
    drop(server);
    let alone = ["--once", "--people", "1", "--turns", "1", "--json"];
    let told = figures(&load(&url, &alone).await);
    assert_eq!(told["errors"], serde_json::json!({ "connect": 1 }), "{told}");
}

/// The help teaches: defaults, units and examples, and what the exit code means.
#[tokio::test]
async fn the_help_teaches() {
    let help = text(&load("http://127.0.0.1:9", &["--help"]).await.stdout);
    for part in [
        "Examples:",
        "[default: 10000]",
        "in seconds",
        "in milliseconds",
        "Exit codes:",
        "early_end",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let odd = load("http://127.0.0.1:9", &["--turns", "7"]).await;
    assert_eq!(odd.status.code(), Some(2), "{odd:?}");
}
