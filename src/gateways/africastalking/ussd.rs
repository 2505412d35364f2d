//! Africa's Talking: USSD.
//!
//! One contract covers Kenya, Nigeria, Uganda, Tanzania, Rwanda, Ghana, Zambia, Malawi, South Africa and Ethiopia. Each
//! callback is a form with `sessionId`, `phoneNumber`, `networkCode`, `serviceCode` and `text`; `text` is empty when the
//! person has just dialed, and afterwards holds all lines so far, joined by `*`. The answer is plain text that begins with
//! `CON ` to continue or `END ` to finish; anything else, including an HTTP error, ends the dialog with the gateway's own
//! message. How a dialog ended comes as a second form, which is registered separately: `…/events`, with the same
//! `sessionId`, a `status`, and the whole transcript again (`input`), which is not read.
//!
//! Nothing is signed and no list of source addresses is published, so the secret in the path authenticates the caller.
//! Undocumented are retries, a turn number, what a 5xx does, and whether the prefix counts among the 160 characters. So a
//! turn is identified by its text, every error is answered with a screen, and the prefix is counted.

use std::time::Duration;

use crate::core::msisdn::Msisdn;
use crate::gateways::form::DecodedForm;
use crate::gateways::{
    Caller, DialogEnd, DialogEndNotice, Echo, ParseError, RawRequest, UssdCallback, UssdGateway, UssdInput, UssdLimits,
    UssdRefusal, UssdReply, UssdRequest, UssdRequirements, WireReply,
};

pub const REQUIREMENTS: UssdRequirements = UssdRequirements {
    settings: &[],
    public_url: false,
    callback_paths: &[""],
};

const CONTINUE: &str = "CON ";
const END: &str = "END ";
/// The path below the callback's own that end-of-session events are sent to.
const EVENTS: &str = "events";

/// The longest session id, network code or service code that is accepted. Session ids seen are 38 bytes long.
const MAX_TOKEN_BYTES: usize = 128;
/// The longest phone number that is accepted, before it is parsed.
const MAX_NUMBER_BYTES: usize = 64;
/// The longest text that is accepted: a person types at most 90 characters a screen, and all screens come together.
const MAX_TEXT_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, Default)]
pub struct AfricasTalkingUssd;

impl UssdGateway for AfricasTalkingUssd {
    fn name(&self) -> &'static str {
        "africastalking"
    }

    fn overhead(&self) -> u16 {
        // Whether it counts is undocumented, so it is counted. Both prefixes have four characters.
        4
    }

    fn limits(&self, network: Option<&str>) -> UssdLimits {
        // The gateway waits 10 s for an answer (its documentation, as quoted by others) and a dialog lasts 180 s in total
        // (its help centre, on Kenya). Screens of 160 characters are the smallest documented; idle times of other networks
        // are unknown.
        let usual = UssdLimits {
            turn: Duration::from_secs(10),
            dialog: Duration::from_mins(3),
            out_septets: 160,
            in_chars: 80,
            ..UssdLimits::default()
        };
        match network {
            // Safaricom and Equitel, Kenya: the person has 30 s to answer; Safaricom 160 out, 80 in (help centre, 2020).
            Some("63902" | "63999") => UssdLimits {
                idle: Duration::from_secs(30),
                ..usual
            },
            // Airtel, Kenya: 15 s for our answer, 60 s for the person's, 90 in. The help centre gives 184 out, two more than
            // a USSD string can carry in GSM-7 (160 octets, TS 29.002), so 182 is the limit.
            Some("63903") => UssdLimits {
                turn: Duration::from_secs(15),
                idle: Duration::from_mins(1),
                out_septets: 182,
                in_chars: 90,
                ..usual
            },
            _ => usual,
        }
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        Ok(match request.tail {
            "" => UssdRequest::Turn(parse_callback(request)?),
            EVENTS => UssdRequest::DialogEnd(parse_dialog_end(request)?),
            _ => return Err(ParseError::NotACallback.into()),
        })
    }

    fn render(&self, reply: &UssdReply<'_>, _: &Echo) -> WireReply {
        let body = match reply {
            UssdReply::Continue { text, .. } => format!("{CONTINUE}{text}"),
            UssdReply::End { text } => format!("{END}{text}"),
            UssdReply::Acknowledged(_) | UssdReply::Probed { .. } | UssdReply::Taken => String::new(),
        };
        WireReply {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }
}

fn parse_callback(request: &RawRequest<'_>) -> Result<UssdCallback, ParseError> {
    let form = DecodedForm::find(
        &[request.query, request.body],
        ["sessionId", "phoneNumber", "networkCode", "serviceCode", "text"],
    );
    // A missing field is reported before what is wrong with the others.
    let dialog = form.token("sessionId", MAX_TOKEN_BYTES)?;
    let number = form.required("phoneNumber", MAX_NUMBER_BYTES)?;
    let text = form.secret("text", MAX_TEXT_BYTES)?;
    Ok(UssdCallback {
        dialog,
        caller: Caller::Number(Msisdn::parse(&number, request.country).map_err(|_| ParseError::Msisdn)?),
        network: form.optional_token("networkCode", MAX_TOKEN_BYTES)?,
        service_code: form.optional_token("serviceCode", MAX_TOKEN_BYTES)?,
        input: if text.expose().is_empty() {
            UssdInput::Dialed(text)
        } else {
            UssdInput::Cumulative(text)
        },
        turn_id: None,
        echo: Echo::default(),
    })
}

fn parse_dialog_end(request: &RawRequest<'_>) -> Result<DialogEndNotice, ParseError> {
    let form = DecodedForm::find(&[request.query, request.body], ["sessionId", "phoneNumber", "status"]);
    let dialog = form.token("sessionId", MAX_TOKEN_BYTES)?;
    let closed = match form.token("status", MAX_TOKEN_BYTES)?.as_str() {
        "Success" => DialogEnd::Finished,
        // The person hung up or was too slow: the gateway does not distinguish these.
        "Incomplete" => DialogEnd::Abandoned,
        "Failed" => DialogEnd::Failed,
        _ => return Err(ParseError::Field("status")),
    };
    let number = form.optional("phoneNumber", MAX_NUMBER_BYTES)?;
    let msisdn = number.and_then(|number| Msisdn::parse(&number, request.country).ok());
    Ok(DialogEndNotice {
        dialog,
        caller: msisdn.map_or(Caller::KnownDialog, Caller::Number),
        end: closed,
        echo: Echo::default(),
    })
}
