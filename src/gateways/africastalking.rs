//! Africa's Talking.
//!
//! One contract for Kenya, Nigeria, Uganda, Tanzania, Rwanda, Ghana, Zambia, Malawi, South Africa and Ethiopia. Each
//! callback is a form with `sessionId`, `phoneNumber`, `networkCode`, `serviceCode` and `text`; `text` is empty when the
//! person has just dialled and afterwards holds all lines so far joined by `*`. The answer is a plain text that begins
//! with `CON ` to go on or `END ` to finish; anything else, an HTTP error included, ends the dialog with the gateway's own
//! message. How a dialog ended is told by a second form, which is registered apart: `…/events`, with the same
//! `sessionId`, a `status`, and the whole transcript once more (`input`), which is not looked at.
//!
//! Nothing is signed and no list of source addresses is published, so that the secret in the path is what proves the
//! caller. Retries, a turn number, what a 5xx does and whether the prefix counts among the 160 characters are
//! undocumented: the turn is told by its text, all errors are answered with a screen, and the prefix is counted.

use std::time::Duration;

use super::form::Form;
use super::{Callback, Closed, Event, Gateway, Limits, Notice, ParseError, Parsed, RawRequest, Reply, WireReply};
use crate::core::msisdn::Msisdn;

/// Continues the dialog.
const CONTINUE: &str = "CON ";
/// Ends the dialog.
const END: &str = "END ";
/// The path after the callback's own that end-of-session events come to.
const EVENTS: &str = "events";

/// The longest name of a dialog, network or code that is taken. Session ids seen are 38 bytes long.
const LONGEST_TOKEN: usize = 128;
/// The longest number that is taken, before it is read as one.
const LONGEST_NUMBER: usize = 64;
/// The longest text that is taken: a person types at most 90 characters a screen, and all screens come together.
const LONGEST_TEXT: usize = 4096;

/// The dialect of Africa's Talking.
#[derive(Clone, Copy, Debug, Default)]
pub struct AfricasTalking;

impl Gateway for AfricasTalking {
    fn name(&self) -> &'static str {
        "africastalking"
    }

    fn overhead(&self) -> u16 {
        // Undocumented whether it is counted, so it is. Both prefixes have four characters.
        4
    }

    fn limits(&self, network: Option<&str>) -> Limits {
        // The gateway waits 10 s for an answer (its documentation, as quoted by others) and a dialog lasts 180 s in all
        // (its help centre on Kenya). Screens of 160 characters are the smallest documented; idle times of other networks
        // are unknown.
        let usual = Limits {
            turn: Duration::from_secs(10),
            dialog: Duration::from_mins(3),
            out_septets: 160,
            in_chars: 80,
            ..Limits::default()
        };
        match network {
            // Safaricom and Equitel, Kenya: 30 s to answer; Safaricom 160 out, 80 in (help centre, 2020).
            Some("63902" | "63999") => Limits {
                idle: Duration::from_secs(30),
                ..usual
            },
            // Airtel, Kenya: 15 s for our answer, 60 s for the person's, 90 in. The 184 out that the help centre gives is
            // two more than a USSD string can carry in GSM-7 (160 octets, TS 29.002), so that is the limit.
            Some("63903") => Limits {
                turn: Duration::from_secs(15),
                idle: Duration::from_mins(1),
                out_septets: 182,
                in_chars: 90,
                ..usual
            },
            _ => usual,
        }
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<Parsed, ParseError> {
        match request.tail {
            "" => callback(request).map(Parsed::Turn),
            EVENTS => notice(request).map(Parsed::Notice),
            _ => Err(ParseError::NotACallback),
        }
    }

    fn render(&self, reply: Option<&Reply>, _echo: &[(String, String)]) -> WireReply {
        let body = match reply {
            Some(Reply::Continue(text)) => format!("{CONTINUE}{text}"),
            Some(Reply::End(text)) => format!("{END}{text}"),
            None => String::new(),
        };
        WireReply {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }
}

fn callback(request: &RawRequest<'_>) -> Result<Callback, ParseError> {
    let form = Form::read(
        &[request.query, request.body],
        ["sessionId", "phoneNumber", "networkCode", "serviceCode", "text"],
    );
    // Missing fields are told before what is wrong with the others.
    let dialog = form.token("sessionId", LONGEST_TOKEN)?;
    let number = form.required("phoneNumber", LONGEST_NUMBER)?;
    let text = form.typed("text", LONGEST_TEXT)?;
    Ok(Callback {
        dialog,
        msisdn: Msisdn::parse(&number, request.country).map_err(|_| ParseError::Msisdn)?,
        network: form.optional_token("networkCode", LONGEST_TOKEN)?,
        service_code: form.optional_token("serviceCode", LONGEST_TOKEN)?,
        event: if text.expose().is_empty() {
            Event::Begin { dialled: Vec::new() }
        } else {
            Event::Whole(text)
        },
        turn_id: None,
        echo: Vec::new(),
    })
}

fn notice(request: &RawRequest<'_>) -> Result<Notice, ParseError> {
    let form = Form::read(&[request.query, request.body], ["sessionId", "phoneNumber", "status"]);
    let dialog = form.token("sessionId", LONGEST_TOKEN)?;
    let closed = match form.token("status", LONGEST_TOKEN)?.as_str() {
        "Success" => Closed::Finished,
        // The person hung up or was too slow: the gateway does not tell these apart.
        "Incomplete" => Closed::Abandoned,
        "Failed" => Closed::Failed,
        _ => return Err(ParseError::Field("status")),
    };
    let number = form.optional("phoneNumber", LONGEST_NUMBER)?;
    Ok(Notice {
        dialog,
        msisdn: number.and_then(|number| Msisdn::parse(&number, request.country).ok()),
        closed,
    })
}
