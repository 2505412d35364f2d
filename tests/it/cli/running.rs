//! What operators do to a running server, and what `config check` finds before there is one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use super::{kiungo, text};
use crate::support::config_text::{replaced, runnable};
use crate::support::eventually;
use crate::support::tls::Authority;
use crate::support::world::{Setup, World};

/// A configuration that would be served, with more lines in `[server]`, beside its keys.
fn served(dir: &Path, server: &str, secret: &str) -> PathBuf {
    let keys = dir.join("keys");
    assert!(
        kiungo(&["keys", "new", "--dir", keys.to_str().unwrap()], &[])
            .status
            .success()
    );
    let listen = "listen = \"127.0.0.1:0\"";
    let config = replaced(
        &runnable(dir),
        &[
            (listen, &format!("{listen}\n{server}")),
            ("0123456789abcdef-A_", secret),
        ],
    );
    let path = dir.join("kiungo.toml");
    fs::write(&path, config).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

const DRAWN: &str = "f3b1c8a07d5e4962b18c";

/// What an attacker would like and what would not start are told with key and remedy, never with the secret; the exit code
/// says which it was.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn config_check_finds_what_attackers_like() {
    for (server, secret, mode, env, code, told) in [
        ("", DRAWN, 0o600, None, 0, "The configuration is good."),
        (
            "",
            "aaaaaaaaaaaaaaaa",
            0o600,
            None,
            1,
            "channels[0].secret is easy to guess",
        ),
        (
            "",
            DRAWN,
            0o644,
            None,
            0,
            "channels[0].secret is a secret in a file that everybody",
        ),
        (
            "trusted_proxies = [\"0.0.0.0/0\"]",
            DRAWN,
            0o600,
            None,
            0,
            "trusts everybody",
        ),
        (
            "",
            DRAWN,
            0o600,
            Some(("KIUNGO_SERVER__LISTEN", "0.0.0.0:0")),
            0,
            "server.listen is open to others",
        ),
        (
            "",
            DRAWN,
            0o600,
            Some(("KIUNGO_CHANNELS__0__SECRET", "f3b1c8a07d5e\n4962b18c")),
            1,
            "more than one line",
        ),
        (
            "",
            DRAWN,
            0o600,
            Some(("KIUNGO_KEYS__ACTIVE", "k9")),
            1,
            "k9.key is missing",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = served(dir.path(), server, secret);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let env: Vec<_> = env.into_iter().collect();
        let checked = kiungo(&["config", "check", "--config", path.to_str().unwrap()], &env);
        let out = format!("{}{}", text(&checked.stdout), text(&checked.stderr));
        assert_eq!(checked.status.code(), Some(code), "{told}: {out}");
        assert!(out.contains(told), "{told}: {out}");
        assert!(!out.contains(secret) && !out.contains("4962b18c"), "{out}");
    }
}

/// Keys that reach real banks are neither found good nor served without the statement that the operator is eligible: each part
/// that does not hold is told with its key, all at once.
#[test]
fn live_keys_are_not_served_without_a_statement() {
    let dir = tempfile::tempdir().unwrap();
    let path = served(dir.path(), "", DRAWN);
    let text_of = fs::read_to_string(&path).unwrap();
    let (before, _) = text_of.split_once("[providers.mono.eligibility]").unwrap();
    fs::write(&path, before).unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let args: Vec<_> = command
            .iter()
            .copied()
            .chain(["--config", path.to_str().unwrap()])
            .collect();
        let refused = kiungo(&args, &[("KIUNGO_PROVIDERS__MONO__ELIGIBILITY__REGISTERED", "false")]);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{told}");
        assert!(
            told.contains("providers.mono.eligibility.registered is false"),
            "{told}"
        );
        for key in ["licence", "trading_six_months", "agreement_signed_on", "stated_by"] {
            assert!(
                told.contains(&format!("providers.mono.eligibility.{key} is missing")),
                "{told}"
            );
        }
    }
}

/// A certificate that has expired, or that is not that of its key, is a fault with its file; a good pair is none.
#[test]
fn config_check_looks_at_the_certificate() {
    let authority = Authority::new();
    let (good, stale) = (
        authority.issue_pem("link.example.com", 2050),
        authority.issue_pem("link.example.com", 2020),
    );
    for (cert, key, code, told) in [
        (&good.0, &good.1, 0, "The configuration"),
        (&stale.0, &stale.1, 1, "expired 2020-01-01"),
        (&good.0, &stale.1, 1, "is not the key of the certificate"),
        (&good.1, &good.1, 1, "holds no certificate"),
        (&good.0, &good.0, 1, "holds no private key"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (cert_file, key_file) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        fs::write(&cert_file, cert).unwrap();
        fs::write(&key_file, key).unwrap();
        let server = format!("tls = {{ cert_file = {cert_file:?}, key_file = {key_file:?} }}");
        let path = served(dir.path(), &server, DRAWN);
        let checked = kiungo(&["config", "check", "--config", path.to_str().unwrap()], &[]);
        let out = format!("{}{}", text(&checked.stdout), text(&checked.stderr));
        assert_eq!(
            (checked.status.code(), out.contains(told)),
            (Some(code), true),
            "{told}: {out}"
        );
    }
}

/// SIGHUP changes the log's level and says so; a configuration with faults changes nothing and is told of; neither ends the
/// server.
#[tokio::test]
async fn a_hang_up_reloads() {
    let world = World::start(Setup::Memory).await;
    let node = &world.nodes[0];
    let good = fs::read_to_string(&node.config).unwrap();
    for (config, told) in [
        (good.replace("level = \"trace\"", "level = \"warn\""), "level=\"warn\""),
        ("[server".to_owned(), "the configuration stays as it is"),
        (good.clone(), "level=\"trace\""),
    ] {
        fs::write(&node.config, config).unwrap();
        node.hang_up();
        eventually(std::time::Duration::from_secs(30), async || node.log().contains(told)).await;
        assert_eq!(node.ready().await, 200);
    }
}

/// Signals that mean nothing here change nothing: people go on. SIGQUIT ends a server in good order, as SIGTERM does.
#[tokio::test]
async fn other_signals_end_nothing() {
    let mut world = World::start(Setup::Memory).await;
    let mut phone = world.phone("+2348030006120");
    phone.dial().await.asks("1");
    world.nodes[0].send_other_signals();
    phone.say("1").await.asks("1");
    assert_eq!(world.nodes[0].ready().await, 200);
    let ended = world.nodes[0].quit().await;
    assert_eq!((ended.code(), ended.signal()), (Some(0), None));
}

/// No core file of a server is written, and nobody of its user looks into it, whatever the machine says.
#[tokio::test]
async fn no_core_file_is_left() {
    let mut world = World::start(Setup::Memory).await;
    let pid = world.nodes[0].pid();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"],
        "{core}"
    );
    let ended = world.nodes[0].abort().await;
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
}
