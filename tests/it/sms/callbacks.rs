//! Each gateway's callbacks, and what they mean.

use kiungo::core::secret::Secret;
use kiungo::gateways::sms::SmsCallbackError;

use super::kit::{NO_NUMBER, NO_TEXT, NOWHERE, TestCallback, gateway, gateway_with, line, parse_callback};

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
            "id" => SmsCallbackError::Malformed("id"),
            other => panic!("{other}"),
        });
        assert_eq!(got, want, "{name} {tail} {body}");
    }
}

/// Africa's Talking: both formats of the date, a plus that became a space, repeated and missing fields; and what nobody can
/// read, which is dropped: bringing it again would not change that.
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
                "id=m1&from=2348030000001&to=21512&text=a&date=soon",
                Ok("in m1 +2348030000001 21512 -1 [a];"),
            ),
            ("id=m1&from=2348030000001&text=a", Ok("in m1 +2348030000001  -1 [a];")),
            ("id=m1&from=2348030000001&to=21512&text=", Ok(NO_TEXT)),
            ("id=m1&from=2348030000001&to=21512&text=+%0A", Ok(NO_TEXT)),
            ("id=m1&from=2348030000001&to=21512", Ok(NO_TEXT)),
            ("id=m1&to=21512&text=a", Ok("dropped: from;")),
            ("id=m1&from=AIRTIME&to=21512&text=a", Ok(NO_NUMBER)),
            ("id=m1&from=38496&to=21512&text=a", Ok(NO_NUMBER)),
            (
                "id=m1&from=2348030000001&to=21512&text=%FF",
                Ok("dropped: the text is not valid UTF-8;"),
            ),
            (
                "id=m1&from=2348030000001&to=21512&to=21513&date=%FF&text=STOP%FF",
                Ok("in m1 +2348030000001  -1 [STOP\u{fffd}];"),
            ),
            ("id=&from=2348030000001&to=21512&text=a", Err("id")),
            ("id=m1&id=m2&from=2348030000001&to=21512&text=a", Err("id")),
        ],
    );
}

/// Africa's Talking: interim and final states, with the reasons of failures; and opt-outs. A state that is not documented is
/// an end, unless it says that it is none: a text must not stand as accepted for ever.
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
            ("senderId=Umoja&phoneNumber=38496", Ok(NO_NUMBER)),
            ("id=A1&status=AbsentSubscriber", Ok("report A1 - Failed(Undelivered);")),
            (
                "id=A1&status=AbsentSubscriber&failureReason=UserInBlackList",
                Ok("report A1 - Failed(OptedOut);"),
            ),
            ("id=A1&status=DeliveryFailure", Ok("report A1 - Failed(Undelivered);")),
            ("id=A1&status=Undeliverable", Ok("report A1 - Failed(Undelivered);")),
            ("id=A1&status=NoRoute", Ok("report A1 - Failed(Undelivered);")),
            (
                "id=A1&status=NO_ROUTE_AVAILABLE",
                Ok("report A1 - Failed(Undelivered);"),
            ),
            ("id=A1&status=Routed", Ok("")),
            ("id=A1&status=Blocked", Ok("report A1 - Failed(Rejected);")),
            ("id=A1&status=Perhaps", Ok("report A1 - Failed(Undelivered);")),
            ("id=A1&status=DeliveredToTerminal", Ok("report A1 - Delivered;")),
            ("id=A1&status=DeliveredToNetwork", Ok("report A1 - Sent;")),
            ("id=A1&status=Queued", Ok("")),
            ("id=A1&status=EnRoute", Ok("")),
            ("id=A1", Ok("dropped: status;")),
            ("status=Success", Err("id")),
        ],
    );
}

/// Termii: both types of events on any path, statuses as words and as sentences, other types.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
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
                (&report("Rejected by network"), Ok("report 596 - Failed(Rejected);")),
                (&report("Expired"), Ok("report 596 - Failed(Expired);")),
                (&report("Pending"), Ok("")),
                (&report("Perhaps"), Ok("dropped: status;")),
                (
                    r#"{"type":"outbound","message_id":"596","status":7}"#,
                    Ok("dropped: status;"),
                ),
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
                    "\u{feff}{\"type\":\"Inbound\",\"message_id\":\"m1\",\"sender\":2348030000001,\"receiver\":7,\
                        \"message\":\"ST\nOP\",\"sent_at\":7,\"status\":{}}",
                    Ok("in m1 +2348030000001 7 -1 [ST OP];"),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","receiver":"N","message":"Zq7"}"#,
                    Ok("dropped: sender;"),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","sender":"MTN","receiver":"N","message":"Zq7"}"#,
                    Ok(NO_NUMBER),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","sender":"2348030000001","receiver":"N"}"#,
                    Ok("dropped: message;"),
                ),
                (
                    r#"{"type":"inbound","message_id":"m1","sender":"2348030000001","message":" "}"#,
                    Ok(NO_TEXT),
                ),
                (r#"{"type":"voice","message_id":"m1"}"#, Ok("")),
                (r#"{"type":"voice"}"#, Ok("")),
                (
                    r#"{"type":"outbound","message_id":"","status":"DELIVERED"}"#,
                    Ok("dropped: message_id;"),
                ),
                (
                    r#"{"type":"outbound","message_id":{},"status":"DELIVERED"}"#,
                    Ok("dropped: message_id;"),
                ),
                (r#"{"message_id":"m1"}"#, Err("json")),
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

/// Infobip: several messages at once, and an offset without a colon. Of a list each entry is read by itself: what nobody can
/// read does not take the STOP beside it along.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn infobip() {
    const FIRST: &str = "in m1 +2348030000001 2347000 1791278919220 [Zq7 BAL];";
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
            (
                &list(&[&one("m2", "INFO"), &first, &one("m3", "38496")]),
                Ok(&format!("{NO_NUMBER}{FIRST}{NO_NUMBER}")),
            ),
            (
                &list(&[&one("", "2348030000001"), &first]),
                Ok(&format!("dropped: messageId;{FIRST}")),
            ),
            (
                &list(&[&first.replace(r#""text":"Zq7 BAL","#, ""), &first]),
                Ok(&format!("{NO_TEXT}{FIRST}")),
            ),
            (
                &list(&[&first.replace(r#""Zq7 BAL""#, "null"), &first]),
                Ok(&format!("{NO_TEXT}{FIRST}")),
            ),
            (
                &list(&["null", "7", "{}", &first, "[]"]),
                Ok(&format!(
                    "dropped: results;dropped: results;dropped: messageId;{FIRST}dropped: results;"
                )),
            ),
            (&list(&vec![first.as_str(); 600]), Ok(&FIRST.repeat(600))),
            // What nobody needs may be anything, and numbers are written in many ways.
            (
                &list(&[&first
                    .replace(r#""2347000""#, "2347000")
                    .replace(r#""2026-10-06T09:28:39.220+0000""#, "7")
                    .replace(r#""2348030000001""#, "2348030000001")]),
                Ok("in m1 +2348030000001 2347000 -1 [Zq7 BAL];"),
            ),
            (&list(&[&one("m1", "002348030000001")]), Ok(FIRST)),
            (&list(&[&one("m1", "08030000001")]), Ok(FIRST)),
            (&list(&[&one("m1", "+2348030000001")]), Ok(FIRST)),
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
            (&told("ACCEPTED"), Ok("report r1 r1 Accepted;")),
            (&told("SEEN"), Ok("report r1 r1 Delivered;")),
            (&told("PERHAPS"), Ok("dropped: groupName;")),
            (
                r#"{"results":[{"messageId":"r0","status":{"groupName":"ODD"}},{"messageId":"r1","status":{"groupId":3}},
                    {"messageId":"r2"},{"messageId":"r3","status":{"groupId":5}}]}"#,
                Ok("dropped: groupName;report r1 r1 Delivered;dropped: results;report r3 r3 Failed(Rejected);"),
            ),
            (
                r#"{"results":[{"messageId":"r1","status":{}}]}"#,
                Ok("dropped: groupName;"),
            ),
        ],
    );
}
