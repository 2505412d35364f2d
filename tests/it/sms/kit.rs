//! SMS gateways set up for tests, and one successful response of each.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use kiungo::core::msisdn::Msisdn;
use kiungo::core::secret::Secret;
use kiungo::gateways::RawRequest;
use kiungo::gateways::settings::SettingValues;
use kiungo::gateways::sms::{OutgoingSms, SmsCallback, SmsCallbackError, SmsGateway, SmsSettings};
use kiungo::gateways::sms_gateway;
use kiungo::http_client::base_url::parse_base_url;
use kiungo::http_client::{HttpClient, HttpClientOptions};

/// The key of every gateway here.
pub const KEY: &str = "Zq7-sms-api-key";
pub const TEXT: &str = "Zq7 & your bank: [linked] 100%";
/// Our id of the message.
pub const REFERENCE: &str = "6a5eed00-0000-4000-8000-0000000000d1";
/// The public URL of the callback.
pub const CALLBACK: &str = "https://ussd.example.test/sms/ng/Zq7-path-secret";

/// Where nobody listens.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// What is dropped, as [`line`] writes it.
pub const NO_NUMBER: &str = "dropped: the phone number is not one we can serve;";
pub const NO_TEXT: &str = "dropped: text;";

/// What each gateway responds when it has accepted a message, and the id in it.
pub const GOOD_ANSWERS: &[(&str, u16, &str, &str)] = &[
    (
        "africastalking",
        201,
        r#"{"SMSMessageData":{"Message":"Sent to 1/1 Total Cost: KES 0.8000","Recipients":[{"statusCode":101,
            "number":"+2348030000001","status":"Success","cost":"KES 0.8000","messageId":"ATXid_0001"}]}}"#,
        "ATXid_0001",
    ),
    (
        "hubtel",
        200,
        r#"{"rate":0.0309,"messageId":"0f1e2d3c-0001","status":0,"networkId":"62001","clientReference":null,
            "statusDescription":"request submitted successfully"}"#,
        "0f1e2d3c-0001",
    ),
    (
        "infobip",
        200,
        r#"{"messages":[{"messageId":"6a5eed00-0000-4000-8000-0000000000d1","status":{"groupId":1,
            "groupName":"PENDING","id":26,"name":"PENDING_ACCEPTED"},"destination":"2348030000001"}]}"#,
        REFERENCE,
    ),
    (
        "termii",
        200,
        r#"{"code":"ok","message_id":"5964465985113500001","message":"Successfully Sent","balance":9}"#,
        "5964465985113500001",
    ),
    (
        "twilio",
        201,
        r#"{"sid":"SM00000000000000000000000000000001","status":"queued","error_code":null}"#,
        "SM00000000000000000000000000000001",
    ),
];

/// Settings with everything that any gateway requires.
pub fn settings(base_url: &str) -> SmsSettings {
    SmsSettings {
        base_url: parse_base_url(base_url, true).unwrap(),
        username: Some("umoja".to_owned()),
        api_key: Secret::new(KEY),
        signing_key: None,
        route: None,
        callback: Some(Secret::new(CALLBACK)),
        own: SettingValues::default(),
        timeout: Duration::from_secs(20),
    }
}

/// A gateway whose API is at this address, set up with a change.
pub fn gateway_with(name: &str, base_url: &str, change: impl FnOnce(&mut SmsSettings)) -> Arc<dyn SmsGateway> {
    let mut settings = settings(base_url);
    change(&mut settings);
    sms_gateway(name, settings, HttpClient::new(&HttpClientOptions::default()).unwrap()).unwrap()
}

/// A gateway whose API is at this address.
pub fn gateway(name: &str, base_url: &str) -> Arc<dyn SmsGateway> {
    gateway_with(name, base_url, |_| ())
}

/// The text, from this sender.
pub fn message(from: Option<&str>) -> OutgoingSms {
    OutgoingSms {
        to: Msisdn::parse("+2348030000001", "NG").unwrap(),
        from: from.map(str::to_owned),
        text: Secret::new(TEXT),
        reference: REFERENCE.to_owned(),
    }
}

/// A callback: the path below ours, query, headers, body.
#[derive(Clone, Copy)]
pub struct TestCallback<'a> {
    pub method: &'a str,
    pub tail: &'a str,
    pub query: &'a str,
    pub header: Option<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

impl Default for TestCallback<'_> {
    fn default() -> Self {
        Self {
            method: "POST",
            tail: "",
            query: "",
            header: None,
            body: b"",
        }
    }
}

pub fn parse_callback(gateway: &dyn SmsGateway, hook: TestCallback<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
    let header = hook
        .header
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    gateway.parse_callback(&RawRequest {
        method: hook.method,
        tail: hook.tail,
        query: hook.query.as_bytes(),
        headers: header.as_slice(),
        body: hook.body,
        country: "NG",
    })
}

/// The callback in one line, for tables.
pub fn line(heard: &[SmsCallback]) -> String {
    let mut text = String::new();
    for one in heard {
        match one {
            SmsCallback::Incoming(sms) => {
                assert_eq!(sms.part, None);
                let at = sms.received_at.map_or(-1, kiungo::core::time::Timestamp::as_millis);
                let (from, text_of) = (sms.from.as_str(), sms.text.expose());
                write!(text, "in {} {from} {} {at} [{text_of}]", sms.message_id, sms.to).unwrap();
                if let Some(handled) = sms.handled {
                    write!(text, " {handled:?}").unwrap();
                }
                text.push(';');
            }
            SmsCallback::Report(report) => {
                let reference = report.reference.as_deref().unwrap_or("-");
                write!(text, "report {} {reference} {:?};", report.message_id, report.state).unwrap();
            }
            SmsCallback::Unreadable(why) => write!(text, "dropped: {why};").unwrap(),
            SmsCallback::OptedOut(number) => write!(text, "out {};", number.as_str()).unwrap(),
        }
    }
    text
}

/// Signs as Twilio does, with [`KEY`]: HMAC-SHA-1 in base 64.
pub fn twilio_signature(signed: &str) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}
