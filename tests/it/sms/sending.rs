//! The exact requests to each gateway, and what its responses mean.

use kiungo::core::sms::{SmsDeliveryState, SmsFailureReason};
use kiungo::gateways::sms::{SentSms, SmsSendError};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::kit::{CALLBACK, GOOD_ANSWERS, KEY, REFERENCE, TEXT, gateway, gateway_with, message};

async fn answering(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    let template = ResponseTemplate::new(status).set_body_raw(body.as_bytes().to_vec(), "application/json");
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

/// Sends the message through a gateway that responds successfully; returns the one request it made.
async fn sent_by(name: &str, from: Option<&str>, route: Option<&str>) -> Request {
    let (_, status, body, _) = GOOD_ANSWERS.iter().find(|(known, ..)| *known == name).unwrap();
    let server = answering(*status, body).await;
    let gateway = gateway_with(name, &server.uri(), |settings| {
        settings.route = route.map(str::to_owned);
    });
    gateway.send(&message(from)).await.unwrap();
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn target(request: &Request) -> String {
    assert_eq!(request.url.query(), None);
    format!("{} {}", request.method, request.url.path())
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn form(request: &Request) -> Vec<(String, String)> {
    assert_eq!(header(request, "content-type"), "application/x-www-form-urlencoded");
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Gateways with forms get every field under its documented name, text and plus unaltered.
#[tokio::test]
async fn forms_are_written_to_the_byte() {
    let at = sent_by("africastalking", Some("Umoja"), None).await;
    assert_eq!(target(&at), "POST /version1/messaging");
    assert_eq!(
        (header(&at, "apikey"), header(&at, "accept")),
        (KEY, "application/json")
    );
    let mut want = pairs(&[
        ("username", "umoja"),
        ("to", "+2348030000001"),
        ("message", TEXT),
        ("bulkSMSMode", "1"),
    ]);
    assert_eq!(form(&sent_by("africastalking", None, None).await), want);
    want.extend(pairs(&[("from", "Umoja")]));
    assert_eq!(form(&at), want);

    for (from, field) in [("+15005550006", "From"), ("MG0001", "MessagingServiceSid")] {
        let twilio = sent_by("twilio", Some(from), None).await;
        assert_eq!(target(&twilio), "POST /2010-04-01/Accounts/umoja/Messages.json");
        // umoja:Zq7-sms-api-key
        assert_eq!(header(&twilio, "authorization"), "Basic dW1vamE6WnE3LXNtcy1hcGkta2V5");
        let callback = format!("{CALLBACK}/reports?ref={REFERENCE}");
        let want = [
            ("To", "+2348030000001"),
            (field, from),
            ("Body", TEXT),
            ("StatusCallback", &callback),
        ];
        assert_eq!(form(&twilio), pairs(&want));
    }
}

/// Gateways with JSON get every field under its documented name.
#[tokio::test]
async fn json_is_written_field_by_field() {
    let hubtel = sent_by("hubtel", Some("Umoja"), None).await;
    assert_eq!(target(&hubtel), "POST /v1/messages/send");
    assert_eq!(header(&hubtel, "authorization"), "Basic dW1vamE6WnE3LXNtcy1hcGkta2V5");
    let want = json!({ "From": "Umoja", "To": "2348030000001", "Content": TEXT });
    assert_eq!(hubtel.body_json::<Value>().unwrap(), want);

    for (route, field) in [(None, "from"), (Some("from"), "from"), (Some("sender"), "sender")] {
        let infobip = sent_by("infobip", Some("Umoja"), route).await;
        assert_eq!(target(&infobip), "POST /sms/3/messages");
        assert_eq!(header(&infobip, "authorization"), format!("App {KEY}"));
        let want = json!({ "messages": [{
            field: "Umoja",
            "destinations": [{ "to": "2348030000001", "messageId": REFERENCE }],
            "content": { "text": TEXT },
            "webhooks": { "delivery": { "url": format!("{CALLBACK}/reports"), "intermediateReport": true,
                "contentType": "application/json" } },
        }] });
        assert_eq!(infobip.body_json::<Value>().unwrap(), want);
    }

    for (route, channel) in [(None, "dnd"), (Some("generic"), "generic")] {
        let termii = sent_by("termii", Some("Umoja"), route).await;
        assert_eq!(target(&termii), "POST /api/sms/send");
        assert_eq!(header(&termii, "content-type"), "application/json");
        let want = json!({ "api_key": KEY, "to": "2348030000001", "from": "Umoja", "sms": TEXT, "type": "plain",
            "channel": channel });
        assert_eq!(termii.body_json::<Value>().unwrap(), want);
    }
}

/// A gateway's response and what it means: name, status, body.
type Row = (&'static str, u16, String, Result<SentSms, SmsSendError>);

fn yes(id: &str, cost: Option<&str>) -> SentSms {
    SentSms {
        message_id: id.to_owned(),
        cost: cost.map(str::to_owned),
    }
}

const REJECTED: SmsSendError = SmsSendError::Refused(SmsFailureReason::Rejected);
const UNCLEAR: SmsSendError = SmsSendError::Unknown("a status that is not known here");
const NO_ID: SmsSendError = SmsSendError::Unknown("the answer has no id");
const WAIT: SmsSendError = SmsSendError::NotSent("the gateway wants us to wait", None);
const BROKE: SmsSendError = SmsSendError::NotSent("the account has no credit", None);

fn africas_talking() -> Vec<Row> {
    let row = |status: &str, id: &str, want| {
        let one =
            json!({ "statusCode": 1, "number": "+2348030000001", "status": status, "cost": "0", "messageId": id });
        let body = json!({ "SMSMessageData": { "Message": "m", "Recipients": [one] } });
        ("africastalking", 201, body.to_string(), want)
    };
    let refused = |why| Err(SmsSendError::Refused(why));
    let nobody = json!({ "SMSMessageData": { "Message": "InvalidSenderId", "Recipients": [] } });
    vec![
        row("Success", "A1", Ok(yes("A1", Some("0")))),
        row("Success", "None", Err(NO_ID)),
        row("Success", "a\u{1}b", Err(NO_ID)),
        row("InsufficientBalance", "None", Err(BROKE)),
        row("InsufficientCredit", "None", Err(BROKE)),
        row("InvalidPhoneNumber", "None", refused(SmsFailureReason::InvalidNumber)),
        row("UserDoesNotExist", "None", refused(SmsFailureReason::InvalidNumber)),
        row("UserInBlacklist", "None", refused(SmsFailureReason::OptedOut)),
        row("UserInBlackList", "None", refused(SmsFailureReason::OptedOut)),
        row("InvalidSenderId", "None", Err(REJECTED)),
        row("GatewayError", "None", Err(UNCLEAR)),
        ("africastalking", 201, nobody.to_string(), Err(REJECTED)),
    ]
}

fn others() -> Vec<Row> {
    let row = |name, status, body: Value, want| (name, status, body.to_string(), want);
    let group = |id| json!({ "messages": [{ "messageId": "m", "status": { "groupId": id } }] });
    let hubtel = json!({ "status": 0, "messageId": "H1", "rate": 0.03 });
    let unnamed = SmsSendError::Unknown("the answer names no text");
    let stopped = SmsSendError::Refused(SmsFailureReason::OptedOut);
    let failed = SmsSendError::Unknown("the gateway failed");
    vec![
        row("hubtel", 201, hubtel, Ok(yes("H1", Some("0.03")))),
        row("hubtel", 200, json!({ "status": 0 }), Err(NO_ID)),
        row("hubtel", 200, json!({ "status": 5, "messageId": "H1" }), Err(REJECTED)),
        row("infobip", 200, group(3), Ok(yes("m", None))),
        row(
            "infobip",
            200,
            group(2),
            Err(SmsSendError::Refused(SmsFailureReason::Undelivered)),
        ),
        row(
            "infobip",
            200,
            group(4),
            Err(SmsSendError::Refused(SmsFailureReason::Expired)),
        ),
        row("infobip", 200, group(5), Err(REJECTED)),
        row("infobip", 200, group(6), Err(UNCLEAR)),
        row("infobip", 200, json!({ "messages": [] }), Err(unnamed)),
        row("termii", 200, json!({ "message_id": 596 }), Ok(yes("596", None))),
        row("termii", 200, json!({ "message": "Successfully Sent" }), Err(NO_ID)),
        row("twilio", 400, json!({ "code": 21610 }), Err(stopped)),
        row("twilio", 400, json!({ "code": 20429 }), Err(WAIT)),
        row("twilio", 400, json!({ "code": 21211 }), Err(REJECTED)),
        row("twilio", 503, json!({ "code": 20429 }), Err(failed)),
        row("twilio", 201, json!({ "status": "queued" }), Err(NO_ID)),
    ]
}

/// Each gateway's own words for accepted, refused, not now and unknown. An unknown word is never a reason to send again.
#[tokio::test]
async fn every_answer_has_its_class() {
    for (name, status, body, want) in africas_talking().into_iter().chain(others()) {
        let server = answering(status, &body).await;
        let got = gateway(name, &server.uri()).send(&message(Some("Umoja"))).await;
        assert_eq!(got, want, "{name} {status} {body}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{name}");
    }
}

/// Hubtel is polled by message id, with our name and key, and only the one documented word changes the message's state.
#[tokio::test]
async fn what_became_of_a_text_is_asked_for() {
    let delivered = Some(SmsDeliveryState::Delivered);
    for (status, body, want) in [
        (
            200,
            r#"{"status":"Delivered","updateTime":"2026-05-28T20:26:40Z"}"#,
            delivered,
        ),
        (200, r#"{"status":"delivered "}"#, delivered),
        (
            200,
            r#"{"status":"Undeliverable"}"#,
            Some(SmsDeliveryState::Failed(SmsFailureReason::Undelivered)),
        ),
        (200, r#"{"status":"Pending"}"#, None),
        (200, r#"{"status":"Perhaps"}"#, None),
        (200, r#"{"status":7}"#, None),
        (200, "{", None),
        (404, r#"{"status":"Delivered"}"#, None),
        (429, "", None),
        (500, "", None),
    ] {
        let server = answering(status, body).await;
        assert_eq!(
            gateway("hubtel", &server.uri()).query_delivery("H 1/2").await,
            want,
            "{status} {body}"
        );
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(target(&requests[0]), "GET /v1/messages/H%201%2F2");
        // umoja:Zq7-sms-api-key
        assert_eq!(
            header(&requests[0], "authorization"),
            "Basic dW1vamE6WnE3LXNtcy1hcGkta2V5"
        );
    }
    assert_eq!(gateway("hubtel", "http://127.0.0.1:9").query_delivery("H1").await, None);
}
