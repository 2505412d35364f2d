//! The stand-in for an SMS gateway: its inboxes, its callbacks, and the whole sandbox answering an SMS.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::secret::Secret;
use kiungo::sandbox::sms::{DeliveryReports, RunningSms, SmsStandIn, SmsStandInSettings, SmsSwitches};
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::eventually;
use crate::support::http::client;
use crate::support::sandbox::Sandbox;

const PATIENCE: Duration = Duration::from_secs(20);
const ADA: &str = "+2348030000001";

fn start() -> RunningSms {
    let settings = SmsStandInSettings {
        username: "umoja".to_owned(),
        key: Secret::new("key"),
        number: "38496".to_owned(),
    };
    SmsStandIn::start(settings, Arc::new(SystemClock), Arc::new(OsRng)).unwrap()
}

async fn send(stand_in: &RunningSms, key: &str, text: &str) -> (u16, String) {
    let form = [("username", "umoja"), ("to", ADA), ("message", text), ("from", "Umoja")];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let answer = client()
        .post(format!("{}/version1/messaging", stand_in.url()))
        .header("apikey", key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Only its own key can send, what is sent is in the inbox, and an inbox keeps the newest fifty.
#[tokio::test]
async fn inboxes_are_bounded() {
    let stand_in = start();
    assert_eq!(send(&stand_in, "other", "a").await.0, 401);
    assert!(stand_in.state.inbox(ADA).is_empty());
    for n in 0..52 {
        assert_eq!(send(&stand_in, "key", &format!("text {n}")).await.0, 201);
    }
    let inbox = stand_in.state.inbox(ADA);
    assert_eq!(inbox.len(), 50);
    assert_eq!((inbox[0].text.as_str(), inbox[49].text.as_str()), ("text 2", "text 51"));
    assert_eq!(inbox[0].from, "Umoja");
    assert_eq!(stand_in.state.counts(), (52, 52));
}

/// Reports go to a path below the callback, as often and in the order that the switches say; an SMS from a person goes to
/// the callback itself, and again until it is accepted.
#[tokio::test]
async fn it_calls_back() {
    let (stand_in, callback) = (start(), MockServer::start().await);
    stand_in.state.call_back_at(&format!("{}/cb", callback.uri()));
    let busy = ResponseTemplate::new(503);
    Mock::given(path("/cb"))
        .respond_with(busy)
        .up_to_n_times(1)
        .mount(&callback)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&callback)
        .await;
    stand_in.state.set_switches(SmsSwitches {
        reports: DeliveryReports {
            after_ms: 300,
            copies: 2,
            reversed: true,
            ..DeliveryReports::default()
        },
        ..SmsSwitches::default()
    });
    send(&stand_in, "key", "hello").await;
    stand_in.state.send_as("m1", ADA, "STOP & go");
    eventually(PATIENCE, async || {
        callback.received_requests().await.unwrap().len() == 6
    })
    .await;
    let (mut statuses, mut texts) = (Vec::new(), 0);
    for request in callback.received_requests().await.unwrap() {
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        if request.url.path() == "/cb/reports" {
            assert!(field("id").unwrap().starts_with("ATXid_"));
            statuses.extend(field("status"));
        } else {
            assert_eq!(
                (field("id"), field("from")),
                (Some("m1".to_owned()), Some(ADA.to_owned()))
            );
            assert_eq!(
                (field("text"), field("to")),
                (Some("STOP & go".to_owned()), Some("38496".to_owned()))
            );
            texts += 1;
        }
    }
    assert_eq!(statuses, ["Success", "Success", "Sent", "Sent"]);
    assert_eq!(texts, 2);
}

/// The whole sandbox: an SMS from the phone page reaches the real route, and its answer goes through records, a job and the
/// real gateway into the inbox that the page reads.
#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_answers_an_sms() {
    let sandbox = Sandbox::start().await;
    let (client, base) = (client(), format!("{}/phone", sandbox.origin));
    let inbox = async || {
        let url = format!("{base}/texts.json?msisdn=%2B2348030000001");
        let answer = client.get(url).send().await.unwrap();
        answer.json::<Vec<Value>>().await.unwrap()
    };
    assert!(inbox().await.is_empty());
    let refused = client.post(format!("{base}/texts")).body("{}").send().await.unwrap();
    assert!(refused.status().is_client_error());
    let text = json!({ "msisdn": ADA, "text": "help" });
    let sent = client.post(format!("{base}/texts")).json(&text).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 202);
    eventually(PATIENCE, async || !inbox().await.is_empty()).await;
    let texts = inbox().await;
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0]["from"], "38496");
    let said = texts[0]["text"].as_str().unwrap();
    assert!(said.contains("Sandbox Lender") && said.contains("*384*96#"), "{said}");
    sandbox.stop().await;
}
