//! Each gateway's callbacks, and what they mean.

use std::fmt::Write as _;

use kiungo::core::secret::Secret;
use kiungo::core::sms::{SmsDeliveryState, SmsFailureReason};
use kiungo::gateways::sms::{SmsCallback, SmsCallbackError};

use super::kit::{TestCallback, gateway, gateway_with, parse_callback};

const NOWHERE: &str = "http://127.0.0.1:9";

/// The callback in one line, for tables.
fn line(heard: &[SmsCallback]) -> String {
    let mut text = String::new();
    for one in heard {
        match one {
            SmsCallback::Incoming(sms) => {
                assert_eq!(sms.part, None);
                let at = sms.received_at.map_or(-1, kiungo::core::time::Timestamp::as_millis);
                let (from, text_of) = (sms.from.as_str(), sms.text.expose());
                write!(text, "in {} {from} {} {at} [{text_of}];", sms.message_id, sms.to).unwrap();
            }
            SmsCallback::Report(report) => {
                let reference = report.reference.as_deref().unwrap_or("-");
                write!(text, "report {} {reference} {:?};", report.message_id, report.state).unwrap();
            }
            SmsCallback::OptedOut(number) => write!(text, "out {};", number.as_str()).unwrap(),
        }
    }
    text
}

fn check(name: &str, tail: &str, rows: &[(&str, Result<&str, &str>)]) {
    let gateway = gateway(name, NOWHERE);
    for (body, want) in rows {
        let hook = TestCallback {
            tail,
            body: body.as_bytes(),
            ..TestCallback::default()
        };
        let got = parse_callback(gateway.as_ref(), hook).map(|heard| {
            let debug = format!("{heard:?}");
            assert!(!debug.contains("8030000001") && !debug.contains("Zq7"), "{debug}");
            line(&heard)
        });
        let want = want.map(str::to_owned).map_err(|why| match why {
            "json" => SmsCallbackError::Malformed("the body is not the JSON of this gateway"),
            "number" => SmsCallbackError::Malformed("the phone number is not one we can serve"),
            "encoding" => SmsCallbackError::Malformed("the text is not valid UTF-8"),
            field => SmsCallbackError::Malformed(match field {
                "id" => "id",
                "to" => "to",
                "status" => "status",
                "groupName" => "groupName",
                "message_id" => "message_id",
                "messageId" => "messageId",
                "sender" => "sender",
                other => panic!("{other}"),
            }),
        });
        assert_eq!(got, want, "{name} {tail} {body}");
    }
}

/// Africa's Talking: both formats of the date, a plus that became a space, repeated and missing fields.
#[test]
fn africas_talking_texts() {
    const IN: &str = "in m1 +2348030000001 21512 1777788285000 [Zq7 BAL];";
    check(
        "africastalking",
        "",
        &[
            (
                "id=m1&from=%2B2348030000001&to=21512&text=Zq7+BAL&date=2026-05-03T06%3A04%3A45Z&linkId=1",
                Ok(IN),
            ),
            (
                "id=m1&from=%2B2348030000001&to=21512&text=Zq7+BAL&date=2026-05-03+06%3A04%3A45&cost=KES+0",
                Ok(IN),
            ),
            (
                "id=m1&from=+2348030000001&to=21512&text=Zq7+BAL&date=2026-05-03+06%3A04%3A45",
                Ok(IN),
            ),
            (
                "id=m1&from=2348030000001&to=21512&text=",
                Ok("in m1 +2348030000001 21512 -1 [];"),
            ),
            (
                "id=m1&from=2348030000001&to=21512&text=&date=soon",
                Ok("in m1 +2348030000001 21512 -1 [];"),
            ),
            ("id=&from=2348030000001&to=21512&text=a", Err("id")),
            ("id=m1&id=m2&from=2348030000001&to=21512&text=a", Err("id")),
            ("id=m1&from=AIRTIME&to=21512&text=a", Err("number")),
            ("id=m1&from=2348030000001&to=21512&text=%FF", Err("encoding")),
            ("id=m1&from=2348030000001&text=a", Err("to")),
        ],
    );
}

/// Africa's Talking: interim and final states, with the reasons of failures; and opt-outs.
#[test]
fn africas_talking_reports() {
    check(
        "africastalking",
        "reports",
        &[
            ("id=A1&status=Sent", Ok("report A1 - Sent;")),
            (
                "id=A1&status=Submitted&phoneNumber=%2B2348030000001",
                Ok("report A1 - Sent;"),
            ),
            ("id=A1&status=Buffered&networkCode=62130", Ok("report A1 - Sent;")),
            ("id=A1&status=Success&retryCount=0", Ok("report A1 - Delivered;")),
            ("id=A1&status=Expired", Ok("report A1 - Failed(Expired);")),
            (
                "id=A1&status=Failed&failureReason=UserInBlackList",
                Ok("report A1 - Failed(OptedOut);"),
            ),
            (
                "id=A1&status=Failed&failureReason=NotNetworkSubscriber",
                Ok("report A1 - Failed(InvalidNumber);"),
            ),
            (
                "id=A1&status=Failed&failureReason=DeliveryFailure",
                Ok("report A1 - Failed(Undelivered);"),
            ),
            ("id=A1&status=Failed", Ok("report A1 - Failed(Undelivered);")),
            (
                "id=A1&status=Rejected&failureReason=InsufficientCredit",
                Ok("report A1 - Failed(Rejected);"),
            ),
            ("id=A1&status=Rejected", Ok("report A1 - Failed(Rejected);")),
            ("senderId=Umoja&phoneNumber=%2B2348030000001", Ok("out +2348030000001;")),
            ("id=A1&status=Perhaps", Err("status")),
            ("status=Success", Err("id")),
        ],
    );
}

/// Termii: both types of events on any path, statuses as words and as sentences, other types.
#[test]
fn termii() {
    let report = |status: &str| {
        format!(r#"{{"type":"outbound","message_id":"596","receiver":"2348030000001","status":"{status}"}}"#)
    };
    for tail in ["", "reports"] {
        check(
            "termii",
            tail,
            &[
                (&report("DELIVERED"), Ok("report 596 - Delivered;")),
                (&report("Delivered"), Ok("report 596 - Delivered;")),
                (
                    &report("DELIVERED | Message delivered to handset"),
                    Ok("report 596 - Delivered;"),
                ),
                (
                    &report("DND Active on Phone Number"),
                    Ok("report 596 - Failed(Rejected);"),
                ),
                (&report("Message Sent"), Ok("report 596 - Sent;")),
                (&report("Message Failed"), Ok("report 596 - Failed(Undelivered);")),
                (&report("Perhaps"), Err("status")),
                (
                    r#"{"type":"outbound","message_id":596,"status":"DELIVERED"}"#,
                    Ok("report 596 - Delivered;"),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","sender":"2348030000001","receiver":"N-Alert",
                        "message":"Zq7","sent_at":"2026-01-01 11:34:36"}"#,
                    Ok("in m1 +2348030000001 N-Alert 1767267276000 [Zq7];"),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","receiver":"N","message":"Zq7"}"#,
                    Err("sender"),
                ),
                (r#"{"type":"voice","message_id":"m1"}"#, Ok("")),
                (
                    r#"{"type":"outbound","message_id":"","status":"DELIVERED"}"#,
                    Err("message_id"),
                ),
                (
                    r#"{"type":"outbound","message_id":{},"status":"DELIVERED"}"#,
                    Err("message_id"),
                ),
                ("id=1", Err("json")),
            ],
        );
    }
}

/// Termii's signature covers the body as received; with a key set, nothing unsigned or altered is accepted.
#[test]
fn termii_signs() {
    const BODY: &str = r#"{"type":"outbound","message_id":"5964465985113500001","status":"DELIVERED"}"#;
    const SIGNATURE: &str = "5bee5d0e5f41e1ab01edcfbf3519621fdfc7b7220e17b8179e8e3470a287c5ff94df98e995b2ae8922b381e218d2560a5d82432d3a0716f37b7ff3508f92dc3d";
    let gateway = gateway_with("termii", NOWHERE, |settings| {
        settings.signing_key = Some(Secret::new("test-termii-secret"));
    });
    let upper = SIGNATURE.to_ascii_uppercase();
    for (body, signature, good) in [
        (BODY, Some(SIGNATURE), true),
        (BODY, Some(upper.as_str()), true),
        (BODY, None, false),
        (BODY, Some(""), false),
        (BODY, Some("zz"), false),
        (BODY, Some(&SIGNATURE[2..]), false),
        (&BODY.replace("DELIVERED", "Message Failed"), Some(SIGNATURE), false),
        (&format!("{BODY} "), Some(SIGNATURE), false),
    ] {
        let hook = TestCallback {
            header: signature.map(|value| ("x-termii-signature", value)),
            body: body.as_bytes(),
            ..TestCallback::default()
        };
        let got = parse_callback(gateway.as_ref(), hook);
        assert_eq!(got.is_ok(), good, "{body}");
        assert!(good || matches!(got, Err(SmsCallbackError::Unauthentic)));
    }
}

/// Infobip: several messages at once, all or none, and an offset without a colon.
#[test]
fn infobip() {
    let one = |id: &str, from: &str| {
        format!(
            r#"{{"messageId":"{id}","from":"{from}","to":"2347000","text":"Zq7 BAL","cleanText":"BAL",
                "receivedAt":"2026-10-06T09:28:39.220+0000","smsCount":1}}"#
        )
    };
    let (first, second) = (one("m1", "2348030000001"), one("m2", "2348030000002"));
    let list = |items: &[&str]| format!(r#"{{"results":[{}],"messageCount":1}}"#, items.join(","));
    check(
        "infobip",
        "",
        &[
            (&list(&[]), Ok("")),
            (
                &list(&[&first, &second]),
                Ok("in m1 +2348030000001 2347000 1791278919220 [Zq7 BAL];\
                    in m2 +2348030000002 2347000 1791278919220 [Zq7 BAL];"),
            ),
            (&list(&[&first, &one("m2", "INFO")]), Err("number")),
            (&list(&[&one("", "2348030000001")]), Err("messageId")),
            ("{}", Err("json")),
        ],
    );
    let told = |name: &str| format!(r#"{{"results":[{{"messageId":"r1","status":{{"groupName":"{name}"}}}}]}}"#);
    check(
        "infobip",
        "reports",
        &[
            (&told("PENDING"), Ok("report r1 r1 Accepted;")),
            (&told("DELIVERED"), Ok("report r1 r1 Delivered;")),
            (&told("EXPIRED"), Ok("report r1 r1 Failed(Expired);")),
            (&told("REJECTED"), Ok("report r1 r1 Failed(Rejected);")),
            (&told("UNDELIVERABLE"), Ok("report r1 r1 Failed(Undelivered);")),
            (&told("PERHAPS"), Err("groupName")),
            (r#"{"results":[{"messageId":"r1","status":{}}]}"#, Err("groupName")),
        ],
    );
}

/// The body that the signature was computed for, by Twilio's published method.
const TWILIO_BODY: &str = "AccountSid=AC00000000000000000000000000000001&Body=BAL%201&From=%2B2348030000001\
    &MessageSid=SM00000000000000000000000000000001&NumMedia=0&To=%2B15005550006";

/// Twilio's signature is valid for the exact URL and all parameters in any order, and for nothing else.
#[test]
fn twilio_signs() {
    let gateway = gateway_with("twilio", NOWHERE, |settings| {
        settings.api_key = Secret::new("test-auth-token");
        settings.callback = Some(Secret::new("https://ussd.example.test/sms/twilio/in"));
    });
    let signature = "yj8HKq5uxaImCxNjJrMpQGFwRxE=";
    let mut turned: Vec<_> = TWILIO_BODY.split('&').collect();
    turned.reverse();
    let turned = turned.join("&");
    let want = "in SM00000000000000000000000000000001 +2348030000001 +15005550006 -1 [BAL 1];";
    for (query, body, signature, good) in [
        ("ch=7", TWILIO_BODY, signature, true),
        ("ch=7", turned.as_str(), signature, true),
        ("ch=8", TWILIO_BODY, signature, false),
        ("", TWILIO_BODY, signature, false),
        ("ch=7", &format!("{TWILIO_BODY}&New=1"), signature, false),
        ("ch=7", &TWILIO_BODY.replace("BAL", "STOP"), signature, false),
        ("ch=7", TWILIO_BODY, "", false),
        ("ch=7", TWILIO_BODY, "!", false),
        ("ch=7", TWILIO_BODY, "yj8HKq5uxaImCxNjJrMpQGFwRxF=", false),
    ] {
        let hook = TestCallback {
            query,
            header: Some(("x-twilio-signature", signature)),
            body: body.as_bytes(),
            ..TestCallback::default()
        };
        match parse_callback(gateway.as_ref(), hook) {
            Ok(heard) => assert_eq!((good, line(&heard)), (true, want.to_owned()), "{body}"),
            Err(error) => assert_eq!((good, error), (false, SmsCallbackError::Unauthentic), "{query} {body}"),
        }
    }
}

/// Twilio's statuses, in reports whose signature is made here as Twilio does.
#[test]
fn twilio_reports() {
    let gateway = gateway("twilio", NOWHERE);
    for (status, more, want) in [
        ("queued", "", Some(SmsDeliveryState::Accepted)),
        ("sent", "", Some(SmsDeliveryState::Sent)),
        ("delivered", "", Some(SmsDeliveryState::Delivered)),
        ("read", "", Some(SmsDeliveryState::Delivered)),
        (
            "undelivered",
            "",
            Some(SmsDeliveryState::Failed(SmsFailureReason::Undelivered)),
        ),
        ("failed", "", Some(SmsDeliveryState::Failed(SmsFailureReason::Rejected))),
        (
            "failed",
            "21610",
            Some(SmsDeliveryState::Failed(SmsFailureReason::OptedOut)),
        ),
        ("scheduled", "", None),
    ] {
        let pairs = [("ErrorCode", more), ("MessageSid", "SM1"), ("MessageStatus", status)];
        let body: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = body.join("&");
        let joined: String = pairs.iter().flat_map(|(name, value)| [*name, *value]).collect();
        let signature = super::kit::twilio_signature(&format!("{}/reports?ref=r1{joined}", super::kit::CALLBACK));
        let hook = TestCallback {
            tail: "reports",
            query: "ref=r1",
            header: Some(("x-twilio-signature", &signature)),
            body: body.as_bytes(),
        };
        let want = want.map_or(String::new(), |state| format!("report SM1 r1 {state:?};"));
        assert_eq!(line(&parse_callback(gateway.as_ref(), hook).unwrap()), want, "{status}");
    }
}
