//! The invented gateway as an operator sees it: in a configuration, on a running server, and from the command line.

use std::fs;
use std::sync::Arc;

use kiungo::app::channels::{ChannelCommandError, push, subscriptions};
use kiungo::app::{App, StartOptions};
use kiungo::config::{Config, ConfigErrors, Mode};
use kiungo::gateways::ussd_carrier::{CarrierError, SubscriptionCommand};
use tempfile::TempDir;
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::awkward::{NUMBER, TOKEN};
use super::invented::REGISTRY;
use crate::support::redis::RedisServer;

const SECRET: &str = "Zq7-path-secret-0123456789abcdef";

/// A configuration with a channel on the invented gateway and one on Africa's Talking.
fn text(dir: &TempDir, store: &str, own: &str) -> String {
    let dir = dir.path().display();
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://kiungo.example"
[store]
url = "{store}"
[records]
url = "sqlite:{dir}/kiungo.db"
[keys]
dir = "{dir}/keys"
active = "k1"
[policy]
secrets_over_ussd = "warn"
[partner]
name = "Umoja Credit"
purpose = "a loan decision"
[[channels]]
name = "plain"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*97#"
secret = "{SECRET}"
country = "NG"
[[channels]]
name = "own"
kind = "ussd"
gateway = "invented"
service_code = "*384*96#"
secret = "{SECRET}"
country = "NG"
in_chars = 40
alphabet = "gsm7"
{own}
[providers.mono]
base_url = "http://127.0.0.1:0"
secret_key = "test_sk_sandbox0000000000"
webhook_secret = "sandbox-webhook-secret"
customer.email = "sandbox+{{ref}}@example.com"
"#
    )
}

fn load(text: &str) -> Result<Config, ConfigErrors> {
    Config::from_text(text, Mode::Sandbox, &[], REGISTRY)
}

/// An adapter's own settings stand flat beside the common ones, secrets in files too; what is agreed comes before the
/// adapter's limits; and what is shown holds no secret and says what to register.
#[test]
fn own_settings_are_flat() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let file = format!("token_file = \"{}/token\"\nmode = \"deliver\"", dir.path().display());
    for own in [format!("token = \"{TOKEN}\"\nmode = \"deliver\""), file] {
        let config = load(&text(&dir, "memory:", &own)).unwrap();
        let channel = &config.channels[1];
        let limits = channel.limit_overrides.apply_to(channel.adapter.0.limits(None), None);
        assert_eq!((limits.in_chars, limits.out_septets), (40, 120));
        assert_eq!(channel.smallest_page(), 120);
        let shown = config.to_string();
        assert!(
            shown.contains("token = \"(set)\"") && shown.contains("mode = \"deliver\""),
            "{shown}"
        );
        assert!(
            shown.contains("# gateway of own: https://kiungo.example/ussd/own/(secret)/status"),
            "{shown}"
        );
        assert!(!shown.contains(TOKEN) && !shown.contains(SECRET), "{shown}");
        assert!(!format!("{config:?}").contains(TOKEN));
    }
}

/// What is missing, wrong, unknown or another gateway's is reported with its key and what to do, and no value is repeated.
#[test]
fn what_is_wrong_with_own_settings_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    for (own, key, problem) in [
        ("", "channels[1].token", "is missing"),
        ("token = \"short\"", "channels[1].token", "is shorter than 8 characters"),
        (
            "token = \"Zq7-agreed-token\"\nmode = \"pigeon\"",
            "channels[1].mode",
            "is not a word known here",
        ),
        (
            "token = \"Zq7-agreed-token\"\napi_url = \"http://elsewhere.example\"",
            "channels[1].api_url",
            "",
        ),
        (
            "token = \"Zq7-agreed-token\"\ntokn = \"x\"",
            "channels[1].tokn",
            "is not a key known here",
        ),
        (
            "token = \"Zq7-agreed-token\"\nalphabet = \"utf8\"",
            "channels[1].alphabet",
            "",
        ),
    ] {
        let text = text(&dir, "memory:", own);
        let text = if own.contains("alphabet") {
            text.replacen("alphabet = \"gsm7\"\n", "", 1)
        } else {
            text
        };
        let errors = load(&text).unwrap_err();
        let found = errors.0.iter().find(|error| error.key == key);
        let found = found.unwrap_or_else(|| panic!("{own}: {errors}"));
        assert!(found.problem.contains(problem), "{own}: {found}");
        assert_eq!(errors.0.len(), 1, "{own}: {errors}");
        assert!(!errors.to_string().contains(TOKEN), "{errors}");
    }
    // A setting of another gateway's adapter has no meaning here.
    let plain = text(&dir, "memory:", "token = \"Zq7-agreed-token\"").replacen(
        "[[channels]]\nname = \"own\"",
        "token = \"x\"\n[[channels]]\nname = \"own\"",
        1,
    );
    let errors = load(&plain).unwrap_err();
    assert_eq!(errors.0[0].key, "channels[0].token", "{errors}");
    let homeless =
        text(&dir, "memory:", "token = \"Zq7-agreed-token\"").replace("public_url = \"https://kiungo.example\"\n", "");
    let errors = load(&homeless).unwrap_err();
    assert!(errors.to_string().contains("public_url"), "{errors}");
}

/// Over the web, anyone who lacks the gateway's token cannot tell the channel from one that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn a_false_token_is_the_uniform_404() {
    let dir = tempfile::tempdir().unwrap();
    let config = load(&text(&dir, "memory:", &format!("token = \"{TOKEN}\""))).unwrap();
    let app = App::start(config, StartOptions::default()).await.unwrap();
    let url = |path: &str| format!("http://{}{path}", app.address);
    let client = crate::support::http::client();
    let body = format!("session=s1&msisdn={NUMBER}&line=*384*96%23");
    let mut answers = Vec::new();
    for (path, token) in [
        ("/nowhere".to_owned(), TOKEN),
        (format!("/ussd/own/{SECRET}"), "wrong"),
        (format!("/ussd/own/{SECRET}/end"), ""),
    ] {
        let answer = client
            .post(url(&path))
            .header("x-token", token)
            .body(body.clone())
            .send()
            .await
            .unwrap();
        let mut headers = answer.headers().clone();
        headers.remove("date");
        answers.push((answer.status(), headers, answer.text().await.unwrap()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(answers[0].0, 404);
    let right = client
        .post(url(&format!("/ussd/own/{SECRET}")))
        .header("x-token", TOKEN)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(right.status(), 200);
    assert!(
        right
            .text()
            .await
            .unwrap()
            .contains(&format!("next=https://kiungo.example/ussd/own/{SECRET}?session=s1"))
    );
    app.stop().await.unwrap();
}

/// Set-up calls are made from the command line, with the channel's own callback URL; a gateway without them says so.
#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_set_up_by_calls() {
    let dir = tempfile::tempdir().unwrap();
    let server = MockServer::start().await;
    let own = format!("token = \"{TOKEN}\"\napi_url = \"{}\"", server.uri());
    let config = load(&text(&dir, "memory:", &own)).unwrap();
    let url = format!("https://kiungo.example/ussd/own/{SECRET}");
    let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    for (call, answer) in [
        (format!("do=add&url={url}"), "sub-1"),
        ("do=list".to_owned(), "sub-1\nsub-2"),
        ("do=remove&id=sub-1".to_owned(), ""),
    ] {
        let mock = Mock::given(path("/subscriptions")).and(body_string_contains(call));
        mock.respond_with(ResponseTemplate::new(200).set_body_string(answer))
            .expect(1)
            .mount(&server)
            .await;
    }
    for (command, ids) in [
        (SubscriptionCommand::Subscribe, &["sub-1"][..]),
        (SubscriptionCommand::List, &["sub-1", "sub-2"]),
        (SubscriptionCommand::Unsubscribe("sub-1"), &[]),
    ] {
        let found = subscriptions(&config, "own", command).await.unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.id.as_str(), one.service_code.as_str()))
            .collect();
        assert_eq!(found, ids.iter().map(|id| (*id, "*384*96#")).collect::<Vec<_>>());
    }
    server.verify().await;
    for (channel, want) in [("plain", "cannot do that"), ("nowhere", "no channel")] {
        let error = subscriptions(&config, channel, SubscriptionCommand::List)
            .await
            .unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(
            told.contains(want) || matches!(error, ChannelCommandError::Carrier(_, CarrierError::NotPossible)),
            "{told}"
        );
    }
}

/// A push from the command line begins a dialog that the servers know, over their store; without a common store, or with a
/// gateway that cannot, nothing is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_reaches_the_servers() {
    let dir = tempfile::tempdir().unwrap();
    let (redis, server) = (RedisServer::start().await, MockServer::start().await);
    Mock::given(path("/pushes"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let own = format!("token = \"{TOKEN}\"\napi_url = \"{}\"", server.uri());
    let with = |store: &str| load(&text(&dir, store, &own)).unwrap();
    let app = App::start(with(&redis.url()), StartOptions::default()).await.unwrap();
    push(with(&redis.url()), "own", "+2348031234567").await.unwrap();
    let pushed = server.received_requests().await.unwrap().remove(0);
    let session = url::form_urlencoded::parse(&pushed.body)
        .find(|(name, _)| name == "session")
        .unwrap()
        .1
        .into_owned();
    let client = crate::support::http::client();
    let url = format!("http://{}/ussd/own/{SECRET}/status", app.address);
    let answer = client
        .post(url)
        .header("x-token", TOKEN)
        .body(format!("session={session}"))
        .send()
        .await
        .unwrap();
    assert!(answer.text().await.unwrap().ends_with("open=true"));
    app.stop().await.unwrap();
    for (store, channel, number, want) in [
        ("memory:", "own", "+2348031234567", "Redis"),
        (redis.url().as_str(), "plain", "+2348031234567", "africastalking"),
        (redis.url().as_str(), "own", "+23480", "phone number"),
    ] {
        let error = push(with(store), channel, number).await.unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
    // Nothing that names anybody stands in the store in clear.
    let store = kiungo::store::connect(&redis.url(), Arc::new(kiungo::ambient::SystemClock)).unwrap();
    store.ready().await.unwrap();
    redis.written().await;
    for file in redis.dump_files() {
        let bytes = fs::read(file).unwrap();
        for secret in ["2348031234567", TOKEN, session.as_str()] {
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{secret} is in the store"
            );
        }
    }
}
