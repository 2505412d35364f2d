//! What every SMS gateway must do.

use std::time::Duration;

use kiungo::core::sms::SmsFailureReason;
use kiungo::gateways::sms::{CallbackOutcome, SmsSendError, SmsSetupError};
use kiungo::gateways::{GATEWAYS, sms_gateway, sms_requirements};
use kiungo::http_client::{HttpClient, HttpClientOptions};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::kit::{
    CALLBACK, GOOD_ANSWERS, KEY, TEXT, TestCallback, gateway, gateway_with, message, parse_callback, settings,
};
use crate::support::tcp::{RawTcpServer, TcpBehaviour};

/// The names in the registry.
fn names() -> impl Iterator<Item = &'static str> {
    let carriers = GATEWAYS.iter().filter(|gateway| gateway.sms.is_some());
    carriers.map(|gateway| gateway.name)
}

/// The registry builds the gateway of every name, and says what it requires; there is a good response of each here, so that
/// none is left out of these tests.
#[test]
fn the_registry_is_whole() {
    let good: Vec<_> = GOOD_ANSWERS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(good, names().collect::<Vec<_>>());
    let client = || HttpClient::new(&HttpClientOptions::default()).unwrap();
    for name in names() {
        let needs = sms_requirements(name).unwrap();
        assert_eq!(gateway(name, "https://gateway.example").name(), name);
        let mut bare = settings("https://gateway.example");
        (bare.username, bare.callback) = (None, None);
        let complete = needs.username.is_none() && !needs.public_url;
        let made = sms_gateway(name, bare, client())
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert_eq!(made.is_ok(), complete, "{name}: {made:?}");
    }
    assert!(sms_requirements("carrier-pigeon").is_none());
    let made = sms_gateway("carrier-pigeon", settings("https://gateway.example"), client());
    assert_eq!(made.map(|_| ()).unwrap_err(), SmsSetupError::Unknown);
}

/// An accepted message has the gateway's id.
#[tokio::test]
async fn a_taken_text_has_an_id() {
    for (name, status, body, id) in GOOD_ANSWERS {
        let server = MockServer::start().await;
        let template = ResponseTemplate::new(*status).set_body_raw(body.as_bytes().to_vec(), "application/json");
        Mock::given(any()).respond_with(template).mount(&server).await;
        let sent = gateway(name, &server.uri())
            .send(&message(Some("Umoja")))
            .await
            .unwrap();
        assert_eq!(sent.message_id, *id, "{name}");
    }
}

/// Every unsuccessful status has its class: only if nothing can have been sent may the send be retried.
#[tokio::test]
async fn statuses_have_their_class() {
    let pause = Some(Duration::from_secs(30));
    for name in names() {
        for (status, want) in [
            (400, SmsSendError::Refused(SmsFailureReason::Rejected)),
            (404, SmsSendError::Refused(SmsFailureReason::Rejected)),
            (401, SmsSendError::NotSent("the gateway does not know our key", pause)),
            (403, SmsSendError::NotSent("the gateway does not know our key", pause)),
            (429, SmsSendError::NotSent("the gateway wants us to wait", pause)),
            (307, SmsSendError::Unknown("the gateway failed")),
            (500, SmsSendError::Unknown("the gateway failed")),
            (502, SmsSendError::Unknown("the gateway failed")),
            (503, SmsSendError::Unknown("the gateway failed")),
        ] {
            let server = MockServer::start().await;
            let template = ResponseTemplate::new(status)
                .insert_header("retry-after", "30")
                .insert_header("location", format!("{}/elsewhere", server.uri()))
                .set_body_string("<html>");
            Mock::given(any()).respond_with(template).mount(&server).await;
            let got = gateway(name, &server.uri()).send(&message(Some("Umoja"))).await;
            assert_eq!(got, Err(want), "{name} {status}");
            assert_eq!(server.received_requests().await.unwrap().len(), 1, "{name} {status}");
        }
    }
}

/// After a successful status with an unreadable body it is unknown whether the message was sent.
#[tokio::test]
async fn garbage_is_no_reason_to_send_again() {
    for name in names() {
        for body in ["", "{", "[]", "null", "OK", "{\"messages\":7}"] {
            let server = MockServer::start().await;
            let template = ResponseTemplate::new(201).set_body_string(body);
            Mock::given(any()).respond_with(template).mount(&server).await;
            let got = gateway(name, &server.uri()).send(&message(Some("Umoja"))).await;
            assert!(matches!(got, Err(SmsSendError::Unknown(_))), "{name} {body}: {got:?}");
        }
    }
}

/// Over a refused connection nothing was sent; over one that was accepted and then fell silent or broke, it may have been.
/// Nothing is sent a second time either way.
#[tokio::test]
async fn broken_connections_have_their_class() {
    let text = message(Some("Umoja"));
    for name in names() {
        for (act, want) in [
            (TcpBehaviour::Silence, "no answer in time"),
            (TcpBehaviour::Close, "the connection was lost"),
            (TcpBehaviour::Reset, "the connection was lost"),
            (
                TcpBehaviour::Write(b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{".to_vec()),
                "the answer broke off",
            ),
        ] {
            let server = RawTcpServer::new(act).await;
            let url = format!("http://127.0.0.1:{}", server.port());
            let gateway = gateway_with(name, &url, |settings| settings.timeout = Duration::from_secs(1));
            let got = server.during(gateway.send(&text)).await;
            assert_eq!(got, Err(SmsSendError::Unknown(want)), "{name}");
            assert_eq!((server.connections(), server.requests().len()), (1, 1), "{name} {want}");
            drop(server);
            let got = gateway.send(&text).await;
            assert_eq!(got, Err(SmsSendError::NotSent("no connection", None)), "{name}");
        }
    }
}

/// No callback panics, and garbage is never understood. Neither keys nor messages are ever printed.
#[test]
fn rubbish_is_not_heard() {
    for name in names() {
        let gateway = gateway(name, "http://127.0.0.1:9");
        for tail in ["", "reports", "elsewhere", "reports/more"] {
            for body in [
                &b""[..],
                b"\xff\xfe",
                b"{}",
                b"[]",
                b"a=%",
                b"id=%00",
                b"null",
                &[b'['; 4096],
            ] {
                let hook = TestCallback {
                    tail,
                    body,
                    ..TestCallback::default()
                };
                let error = parse_callback(gateway.as_ref(), hook)
                    .map(|heard| heard.len())
                    .unwrap_err();
                assert!(!format!("{error} {error:?}").contains("Zq7"));
            }
        }
    }
    let printed = format!("{:?}", message(Some("Umoja")));
    for secret in [KEY, TEXT, CALLBACK, "8030000001"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// An accepted callback is answered 200, and one that we cannot accept now with an error, so that the gateway retries.
#[test]
fn answers_say_whether_to_come_again() {
    for name in names() {
        let gateway = gateway(name, "http://127.0.0.1:9");
        let status = |answer| gateway.render_answer(answer).status;
        assert_eq!(status(CallbackOutcome::Accepted), 200, "{name}");
        assert_eq!(status(CallbackOutcome::Unavailable), 503, "{name}");
        assert_eq!(status(CallbackOutcome::Unauthentic), 403, "{name}");
        // It would be retried for twelve hours.
        let garbled = if name == "africastalking" { 200 } else { 400 };
        assert_eq!(status(CallbackOutcome::Malformed), garbled, "{name}");
        let body = String::from_utf8(gateway.render_answer(CallbackOutcome::Accepted).body).unwrap();
        assert_eq!(body, if name == "twilio" { "<Response/>" } else { "" }, "{name}");
    }
}
