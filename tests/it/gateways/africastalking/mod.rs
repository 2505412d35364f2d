//! Africa's Talking: callbacks and end-of-session events in, `CON` and `END` out.

use std::time::Duration;

use kiungo::core::flow::state::TurnReply;
use kiungo::core::gsm7;
use kiungo::core::screen_alphabet::ScreenAlphabet;
use kiungo::gateways::{DialogEnd, Echo, ParseError, UssdLimits};
use proptest::prelude::*;

use crate::gateways::kit::{self, ExpectedCallback, ExpectedInput, ExpectedRequest, ReplyRow, RequestRow};

mod requests;
mod size;

const SESSION: &str = "ATUid_5d3b4c2bc589f4811820a7184eed4d01";
/// A whole callback up to its text.
const HEAD: &str = "sessionId=ATUid_5d3b4c2bc589f4811820a7184eed4d01&phoneNumber=%2B254711000001&networkCode=63902\
                    &serviceCode=%2A384%2A1234%23&text=";
const EVENT: &str = "date=2026-01-01+09%3A15%3A02&sessionId=ATUid_5d3b4c2bc589f4811820a7184eed4d01\
                     &serviceCode=%2A384%2A1234%23&networkCode=63902&phoneNumber=%2B254711000001&cost=KES+0.10\
                     &durationInMillis=41230&hopsCount=3&hopsMetadata=home%7Clink%7Cbank&input=1%2A2%2Apa55word\
                     &lastAppResponse=CON+Link+a+bank&status=";

fn turn(did: ExpectedInput) -> ExpectedCallback {
    ExpectedCallback {
        dialog: SESSION.to_owned(),
        msisdn: "+254711000001".to_owned(),
        network: Some("63902".to_owned()),
        service_code: Some("*384*1234#".to_owned()),
        did,
        ..ExpectedCallback::default()
    }
}

fn whole(text: &str) -> ExpectedRequest {
    ExpectedRequest::Turn(turn(ExpectedInput::Whole(text.to_owned())))
}

/// A callback whose text, as encoded, is this.
fn typed(name: &'static str, encoded: impl AsRef<[u8]>, want: ExpectedRequest) -> RequestRow {
    RequestRow {
        name,
        body: [HEAD.as_bytes(), encoded.as_ref()].concat(),
        want,
        ..RequestRow::default()
    }
}

fn refused(error: ParseError) -> ExpectedRequest {
    ExpectedRequest::Refused(error)
}

/// A form sent to the events' path, with what no output may hold.
fn event(name: &'static str, body: impl Into<Vec<u8>>, want: ExpectedRequest) -> RequestRow {
    RequestRow {
        name,
        tail: "events",
        body: body.into(),
        hidden: vec!["pa55word".to_owned(), "254711000001".to_owned()],
        want,
        ..RequestRow::default()
    }
}

/// The end of a dialog is a notice, identified by its status alone; the transcript is not kept.
#[test]
fn events_tell_how_a_dialog_ended() {
    let ended = |closed| ExpectedRequest::Notice {
        dialog: SESSION.to_owned(),
        msisdn: Some("+254711000001".to_owned()),
        closed,
    };
    let nobody = ExpectedRequest::Notice {
        dialog: SESSION.to_owned(),
        msisdn: None,
        closed: DialogEnd::Failed,
    };
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            event("we ended it", format!("{EVENT}Success"), ended(DialogEnd::Finished)),
            event(
                "hung up or too slow",
                format!("{EVENT}Incomplete"),
                ended(DialogEnd::Abandoned),
            ),
            event(
                "our error",
                format!("{EVENT}Failed&errorMessage=timeout"),
                ended(DialogEnd::Failed),
            ),
            event(
                "no number",
                format!("sessionId={SESSION}&status=Failed"),
                nobody.clone(),
            ),
            event(
                "a number that is none",
                format!("sessionId={SESSION}&status=Failed&phoneNumber=x"),
                nobody,
            ),
            event(
                "garbage in the transcript",
                format!("{EVENT}Success&input=%FF%"),
                ended(DialogEnd::Finished),
            ),
        ],
    );
}

/// A malformed end-of-session event is refused with its reason, wherever it was sent.
#[test]
fn what_is_no_event_is_refused() {
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            event(
                "unknown status",
                format!("{EVENT}Done"),
                refused(ParseError::Field("status")),
            ),
            event(
                "no status",
                EVENT.replace("&status=", ""),
                refused(ParseError::Field("status")),
            ),
            event("no session", "status=Success", refused(ParseError::Field("sessionId"))),
            event(
                "a callback sent there",
                format!("{HEAD}1"),
                refused(ParseError::Field("status")),
            ),
            RequestRow {
                name: "another path",
                tail: "other",
                body: format!("{HEAD}1").into_bytes(),
                ..RequestRow::default()
            },
            RequestRow {
                name: "below the events",
                tail: "events/x",
                body: format!("{EVENT}Success").into_bytes(),
                ..RequestRow::default()
            },
        ],
    );
}

/// A reply is plain text after a prefix of four characters; a notice is acknowledged with an empty body.
#[test]
fn replies_in_the_dialect() {
    let gateway = kit::gateway("africastalking");
    let row = |reply, body| ReplyRow {
        reply,
        echo: Echo::default(),
        content_type: "text/plain; charset=utf-8",
        headers: vec![],
        body,
    };
    kit::check_replies(
        &*gateway,
        &[
            row(
                Some(TurnReply::ask("Link a bank\n1 Equity\n0 Back".to_owned())),
                "CON Link a bank\n1 Equity\n0 Back",
            ),
            row(
                Some(TurnReply::end("Société Générale: linked".to_owned())),
                "END Société Générale: linked",
            ),
            row(None, ""),
        ],
    );
    for prefix in ["CON ", "END "] {
        assert_eq!(gsm7::septets(prefix), Some(usize::from(gateway.overhead())));
    }
}

/// The documented deadlines and sizes, and conservative ones elsewhere.
#[test]
fn limits_by_network() {
    let limits = |turn, idle, out_septets, in_chars| UssdLimits {
        turn: Duration::from_secs(turn),
        dialog: Duration::from_mins(3),
        idle: Duration::from_secs(idle),
        out_septets,
        in_chars,
        alphabet: ScreenAlphabet::Gsm7,
    };
    kit::check_limits(
        &*kit::gateway("africastalking"),
        &[
            (Some("63902"), limits(10, 30, 160, 80)),
            (Some("63903"), limits(15, 60, 182, 90)),
            (Some("63999"), limits(10, 30, 160, 80)),
            (Some("62130"), limits(10, 20, 160, 80)),
            (Some("99999"), limits(10, 20, 160, 80)),
            (Some("unheard of"), limits(10, 20, 160, 80)),
            (None, limits(10, 20, 160, 80)),
        ],
    );
}

proptest! {
    /// No input makes the parser panic or print it.
    #[test]
    fn survives_any_bytes(query in any::<Vec<u8>>(), body in any::<Vec<u8>>(), events in any::<bool>()) {
        let row = RequestRow { name: "any bytes", tail: if events { "events" } else { "" }, query, body, ..RequestRow::default() };
        kit::parse(&*kit::gateway("africastalking"), &row);
    }

    /// Any text a person can type comes back exactly, however much of it is encoded.
    #[test]
    fn any_text_is_exact(text in any::<String>().prop_filter("typed", |text| !text.is_empty())) {
        let encoded = text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
        let got = kit::parse(&*kit::gateway("africastalking"), &typed("any text", encoded, whole(&text)));
        prop_assert_eq!(got, whole(&text));
    }
}
