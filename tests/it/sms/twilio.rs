//! Twilio's callbacks: what is signed, by which method it comes, and what it means.

use kiungo::core::secret::Secret;
use kiungo::core::sms::{SmsDeliveryState, SmsFailureReason};
use kiungo::gateways::sms::{SmsCallbackError, SmsGateway};

use super::kit::{
    CALLBACK, NO_NUMBER, NO_TEXT, NOWHERE, TestCallback, gateway, gateway_with, line, parse_callback, twilio_signature,
};

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

/// A callback of Twilio's with these fields, signed here over this URL as Twilio does.
fn twilio(
    gateway: &dyn SmsGateway,
    (method, tail, query): (&str, &str, &str),
    signed_url: &str,
    fields: &[(&str, &str)],
) -> Result<String, SmsCallbackError> {
    let form = serde_urlencoded::to_string(fields).unwrap();
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let joined: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let (query, body, signed) = if method == "GET" {
        (form.clone(), String::new(), format!("{signed_url}?{form}"))
    } else {
        (query.to_owned(), form, format!("{signed_url}{joined}"))
    };
    let signature = twilio_signature(&signed);
    let hook = TestCallback {
        method,
        tail,
        query: &query,
        header: Some(("x-twilio-signature", &signature)),
        body: body.as_bytes(),
    };
    parse_callback(gateway, hook).map(|heard| line(&heard))
}

/// Twilio's statuses. One that says nothing new is nothing.
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
        (
            "canceled",
            "",
            Some(SmsDeliveryState::Failed(SmsFailureReason::Rejected)),
        ),
        ("scheduled", "", None),
        ("sending", "", None),
        ("partially_delivered", "", None),
    ] {
        let want = want.map_or(String::new(), |state| format!("report SM1 r1 {state:?};"));
        let url = format!("{CALLBACK}/reports?ref=r1");
        let fields = [("ErrorCode", more), ("MessageSid", "SM1"), ("MessageStatus", status)];
        let got = twilio(gateway.as_ref(), ("POST", "reports", "ref=r1"), &url, &fields);
        assert_eq!(got, Ok(want), "{status}");
    }
    let url = format!("{CALLBACK}/reports");
    let fields = [("MessageSid", "SM1"), ("MessageStatus", "odd")];
    let got = twilio(gateway.as_ref(), ("POST", "reports", ""), &url, &fields);
    assert_eq!(got.as_deref(), Ok("dropped: MessageStatus;"));
}

/// Twilio may be set to GET: then the parameters are in the URL, which is what is signed. A text and a report count as by
/// POST, our own id of the message among the parameters.
#[test]
fn twilio_by_get() {
    let gateway = gateway("twilio", NOWHERE);
    let text = [
        ("MessageSid", "SM1"),
        ("From", "+2348030000001"),
        ("To", "+15005550006"),
        ("Body", "STOP & go"),
    ];
    let got = twilio(gateway.as_ref(), ("GET", "", ""), CALLBACK, &text);
    assert_eq!(got.as_deref(), Ok("in SM1 +2348030000001 +15005550006 -1 [STOP & go];"));
    let report = [("ref", "r1"), ("MessageSid", "SM1"), ("MessageStatus", "delivered")];
    let url = format!("{CALLBACK}/reports");
    let got = twilio(gateway.as_ref(), ("GET", "reports", ""), &url, &report);
    assert_eq!(got.as_deref(), Ok("report SM1 r1 Delivered;"));
    let got = twilio(gateway.as_ref(), ("GET", "", ""), &url, &text);
    assert_eq!(got, Err(SmsCallbackError::Unauthentic), "signed for another path");
}

/// What stands in the body of a GET is in no signature, so it says nothing: a URL that somebody has seen cannot be made to opt a
/// person out, or to say something else of a text.
#[test]
fn a_body_beside_a_signed_get_says_nothing() {
    let gateway = gateway("twilio", NOWHERE);
    for (tail, query, body, want) in [
        (
            "",
            "MessageSid=SM1&From=%2B2348030000001&Body=hello",
            "OptOutType=STOP&To=%2B15005550006",
            "in SM1 +2348030000001  -1 [hello];",
        ),
        (
            "reports",
            "ref=r1&MessageSid=SM1&MessageStatus=failed",
            "ErrorCode=21610",
            "report SM1 r1 Failed(Rejected);",
        ),
        (
            "reports",
            "ref=r1&MessageSid=SM1",
            "MessageStatus=delivered",
            "dropped: MessageStatus;",
        ),
    ] {
        let path = if tail.is_empty() {
            String::new()
        } else {
            format!("/{tail}")
        };
        let signature = twilio_signature(&format!("{CALLBACK}{path}?{query}"));
        let hook = TestCallback {
            method: "GET",
            tail,
            query,
            header: Some(("x-twilio-signature", &signature)),
            body: body.as_bytes(),
        };
        let got = parse_callback(gateway.as_ref(), hook).map(|heard| line(&heard));
        assert_eq!(got.as_deref(), Ok(want), "{body}");
    }
}

/// Twilio signs a URL now with its port and now without, and as it was registered, with or without a slash at its end. What
/// was signed for another host, port or path is not ours.
#[test]
fn twilio_signs_the_url_as_it_spells_it() {
    for (public, signed, good) in [
        (
            "https://link.example:8443/sms/t/s",
            "https://link.example:8443/sms/t/s",
            true,
        ),
        (
            "https://link.example:8443/sms/t/s",
            "https://link.example/sms/t/s",
            true,
        ),
        (
            "https://link.example:8443/sms/t/s",
            "https://link.example/sms/t/s/",
            true,
        ),
        (
            "https://link.example:8443/sms/t/s",
            "https://link.example:443/sms/t/s",
            false,
        ),
        ("https://link.example/sms/t/s", "https://link.example:443/sms/t/s", true),
        ("https://link.example/sms/t/s", "https://link.example/sms/t/s/", true),
        (
            "https://link.example/sms/t/s",
            "https://link.example:444/sms/t/s",
            false,
        ),
        ("https://link.example/sms/t/s", "https://link.example/sms/t/s//", false),
        ("https://link.example/sms/t/s", "https://link.example/sms/t", false),
        ("https://link.example/sms/t/s", "http://link.example/sms/t/s", false),
        ("https://link.example/sms/t/s", "https://evil.example/sms/t/s", false),
        ("http://127.0.0.1:80/sms/t/s", "http://127.0.0.1/sms/t/s", true),
        ("http://[::1]:8080/sms/t/s", "http://[::1]/sms/t/s", true),
        ("http://[::1]/sms/t/s", "http://[::1]:80/sms/t/s", true),
    ] {
        let gateway = gateway_with("twilio", NOWHERE, |settings| {
            settings.callback = Some(Secret::new(public));
        });
        let fields = [("MessageSid", "SM1"), ("From", "+2348030000001"), ("Body", "HELP")];
        for method in ["POST", "GET"] {
            let got = twilio(gateway.as_ref(), (method, "", ""), signed, &fields);
            assert_eq!(got.is_ok(), good, "{method} {public} {signed}: {got:?}");
            assert!(good || got == Err(SmsCallbackError::Unauthentic));
        }
    }
}

/// What comes from a short code or a name, or is a picture, is acknowledged and dropped: an error would be an alarm there. A
/// keyword that Twilio has answered by itself is marked.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of messages")]
fn twilio_texts() {
    let gateway = gateway("twilio", NOWHERE);
    let incoming = "in SM1 +2348030000001  -1 ";
    for (from, text, more, want) in [
        (
            "+2348030000001",
            "hello",
            ("NumMedia", "0"),
            format!("{incoming}[hello];"),
        ),
        (
            "+2348030000001",
            "STOP",
            ("NumMedia", "1"),
            format!("{incoming}[STOP];"),
        ),
        (
            "+2348030000001",
            "STOP",
            ("OptOutType", "STOP"),
            format!("{incoming}[STOP] Stop;"),
        ),
        (
            "+2348030000001",
            "Arret",
            ("OptOutType", "stop"),
            format!("{incoming}[Arret] Stop;"),
        ),
        (
            "+2348030000001",
            "YES",
            ("OptOutType", "START"),
            format!("{incoming}[YES] Start;"),
        ),
        (
            "+2348030000001",
            "info",
            ("OptOutType", "HELP"),
            format!("{incoming}[info] Help;"),
        ),
        (
            "+2348030000001",
            "",
            ("OptOutType", "STOP"),
            format!("{incoming}[] Stop;"),
        ),
        ("+2348030000001", "x", ("OptOutType", "ODD"), format!("{incoming}[x];")),
        ("+2348030000001", "", ("NumMedia", "1"), NO_TEXT.to_owned()),
        ("68849", "Your code is 1", ("NumMedia", "0"), NO_NUMBER.to_owned()),
        ("AIRTIME", "hello", ("NumMedia", "0"), NO_NUMBER.to_owned()),
        (
            "whatsapp:+2348030000001",
            "hello",
            ("NumMedia", "0"),
            NO_NUMBER.to_owned(),
        ),
    ] {
        let fields = [("MessageSid", "SM1"), ("From", from), ("Body", text), more];
        let got = twilio(gateway.as_ref(), ("POST", "", ""), CALLBACK, &fields);
        assert_eq!(got, Ok(want), "{from} {text}");
    }
    let fields = [("From", "+2348030000001"), ("Body", "hello")];
    let got = twilio(gateway.as_ref(), ("POST", "", ""), CALLBACK, &fields);
    assert_eq!(got.as_deref(), Ok("dropped: MessageSid;"));
}
