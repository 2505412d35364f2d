//! What we report about a Redis at start, and what we never report: addresses, keys, passwords.

use kiungo::store::{Severity, Store, StoreConnectError, connect};

use super::{LONG, clock, failure, key, put, random_tag, redis_at, value};
use crate::support::redis::RedisServer;

/// Settings that lose dialogs are found on a running server, each with its severity.
#[tokio::test]
async fn bad_settings_are_found() {
    let server = RedisServer::start().await;
    let store = redis_at(&server.url());
    assert_eq!(store.check_setup().await, []);
    let rows = [
        ("maxmemory-policy", "allkeys-lru", "noeviction", Severity::Error),
        ("maxmemory-policy", "volatile-ttl", "noeviction", Severity::Error),
        ("appendonly", "no", "yes", Severity::Warning),
    ];
    for (name, bad, good, level) in rows {
        server.config_set(name, bad).await;
        let findings = store.check_setup().await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].level, level);
        assert!(findings[0].text.contains(name), "{}", findings[0].text);
        server.config_set(name, good).await;
    }
    assert_eq!(store.check_setup().await, []);
}

/// The permissions of our user decide what can be checked: without CONFIG the settings come from INFO, without both there
/// are notes, and without scripts there is an error.
#[tokio::test]
async fn a_server_that_forbids_looking_is_only_noted() {
    let server = RedisServer::start().await;
    let rows: [(&str, &[&str], &[Severity]); 3] = [
        ("noconfig", &["-config"], &[]),
        ("blind", &["-config", "-info"], &[Severity::Note, Severity::Note]),
        ("mute", &["-evalsha"], &[Severity::Error]),
    ];
    for (user, rules, levels) in rows {
        let setuser = ["ACL", "SETUSER", user, "on", ">hunter2", "~kg:*", "+@all"];
        server.command(&[&setuser[..], rules].concat()).await;
        let store = redis_at(&format!("redis://{user}:hunter2@127.0.0.1:{}", server.port()));
        let findings = store.check_setup().await;
        let found: Vec<_> = findings.iter().map(|finding| finding.level).collect();
        assert_eq!(found, levels, "{user}: {findings:?}");
    }
}

/// A server that is down, a replica, or not Redis at all is an error in plain words.
#[tokio::test]
async fn an_unusable_server_is_an_error() {
    let mut server = RedisServer::start().await;
    let store = redis_at(&server.url());
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let findings = store.check_setup().await;
    assert_eq!(findings[0].level, Severity::Error);
    assert!(findings[0].text.contains("READONLY"), "{findings:?}");
    server.kill();
    let findings = store.check_setup().await;
    assert_eq!(
        (findings.len(), findings[0].level),
        (1, Severity::Error),
        "{findings:?}"
    );
}

/// Each form of address opens its store, and errors do not repeat the address.
#[tokio::test]
async fn addresses_are_understood_or_refused_without_being_repeated() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let rows = [
        ("memory:", None),
        ("redis://127.0.0.1:1", None),
        ("redis://user:hunter2@127.0.0.1:1/3", None),
        ("rediss://user:hunter2@127.0.0.1:1", None),
        ("memory:hunter2", Some(StoreConnectError::UnknownScheme)),
        (
            "postgres://user:hunter2@127.0.0.1",
            Some(StoreConnectError::UnknownScheme),
        ),
        ("hunter2", Some(StoreConnectError::UnknownScheme)),
        ("", Some(StoreConnectError::UnknownScheme)),
        (
            "redis://user:hunter2@127.0.0.1:99999",
            Some(StoreConnectError::BadAddress),
        ),
        ("redis:hunter2", Some(StoreConnectError::BadAddress)),
        ("redis://:hunter2@127.0.0.1/nine", Some(StoreConnectError::BadAddress)),
    ];
    for (url, error) in rows {
        let outcome = connect(url, clock()).err();
        assert_eq!(outcome, error, "{url}");
        if let Some(error) = outcome {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}

/// A TLS address without a TLS provider, and any Redis address outside a runtime, are errors, not panics.
#[test]
fn a_missing_provider_or_runtime_is_an_error() {
    let refused = |url| connect(url, clock()).err();
    assert_eq!(refused("redis://127.0.0.1:1"), Some(StoreConnectError::NoRuntime));
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        assert_eq!(refused("rediss://127.0.0.1:1"), Some(StoreConnectError::NoTlsProvider));
    }
}

/// TLS to a server without TLS fails in time, with a code.
#[tokio::test]
async fn tls_to_a_plain_server_fails_cleanly() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = RedisServer::start().await;
    let store = redis_at(&format!("rediss://127.0.0.1:{}", server.port()));
    let word = failure(store.ready()).await;
    assert!(
        ["closed", "unreachable", "timeout", "garbled"].contains(&word.as_str()),
        "{word}"
    );
}

/// The server's error texts may contain keys and users. We pass on only the code.
#[tokio::test]
async fn errors_are_one_code() {
    let server = RedisServer::start().await;
    let tag = random_tag();
    server
        .command(&["ACL", "SETUSER", "ada", "on", ">hunter2", "~elsewhere:*", "+@all"])
        .await;
    let barred = redis_at(&format!("redis://ada:hunter2@127.0.0.1:{}", server.port()));
    let store = redis_at(&server.url());
    let name = kiungo::store::IndexKey(*tag.as_bytes());
    server
        .command(&["LPUSH", &format!("kg:i:{{{}}}", tag.to_hex()), "x"])
        .await;
    let mut words = vec![
        failure(barred.load(&tag)).await,
        failure(barred.ready()).await,
        failure(store.look_up(&name)).await,
    ];
    server.config_set("maxmemory", "1").await;
    words.push(failure(store.swap(&random_tag(), None, &value(b"x"), LONG)).await);
    assert_eq!(words, ["NOPERM", "NOPERM", "WRONGTYPE", "OOM"]);
}

/// The store writes one key per subscriber, with the documented form and time to live, and the probe; every key expires.
#[tokio::test]
async fn every_key_has_its_form_and_an_end() {
    let server = RedisServer::start().await;
    let store = redis_at(&server.url());
    let tag = random_tag();
    let stored = put(&store, &tag, b"blob").await;
    store
        .set_index(&kiungo::store::IndexKey([0xab; 32]), &tag, LONG)
        .await
        .unwrap();
    store.ready().await.unwrap();
    store.check_setup().await;
    let mut connection = redis::Client::open(server.url())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    keys.sort();
    let index = format!("kg:i:{{{}}}", "ab".repeat(32));
    assert_eq!(keys, [index, "kg:probe".to_owned(), key(&tag)]);
    for key in &keys {
        let ttl: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!((1..=3_600_000).contains(&ttl), "{key}: {ttl}");
    }
    let raw: Vec<u8> = redis::cmd("GET")
        .arg(key(&tag))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(raw, [&stored.version.0.to_be_bytes()[..], b"blob"].concat());
}
