//! SMS gateways set up for tests, and one successful response of each.

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
#[derive(Clone, Copy, Default)]
pub struct TestCallback<'a> {
    pub tail: &'a str,
    pub query: &'a str,
    pub header: Option<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

pub fn parse_callback(gateway: &dyn SmsGateway, hook: TestCallback<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
    let header = hook
        .header
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    gateway.parse_callback(&RawRequest {
        method: "POST",
        tail: hook.tail,
        query: hook.query.as_bytes(),
        headers: header.as_slice(),
        body: hook.body,
        country: "NG",
    })
}

/// Signs as Twilio does, with [`KEY`]: HMAC-SHA-1 in base 64.
pub fn twilio_signature(signed: &str) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}
