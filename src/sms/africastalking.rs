//! Africa's Talking: texts.
//!
//! A text is sent as a form with the key in the header `apikey`; a good answer is 201 (200 is taken, too) and holds one
//! recipient with `status`, `statusCode` and `messageId`. The words of `status` beyond `Success` are not listed together
//! anywhere: those known from delivery reports are understood, any other word leaves it unknown whether the text has gone,
//! so that it is never sent twice. Each callback is a form: texts come to the callback itself, delivery reports and
//! opt-outs to `…/reports`, as the operator registers them. A text comes again until it is answered with 200, for up to
//! twelve hours, so one that cannot be read is answered with 200 as well: it will never be readable.
//!
//! Nothing is signed; the secret in the path proves the caller. Longer texts come joined.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use super::{
    Capabilities, DeliveryReport, Heard, HookAnswer, HookError, IncomingKind, IncomingSms, Needs, OutgoingSms, REPORTS,
    ReportKind, SendError, SenderKind, Sent, SetupError, SmsGateway, SmsSettings, wire,
};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{DeliveryState, Failure};
use crate::gateways::form::Form;
use crate::gateways::{ParseError, RawRequest, WireReply};
use crate::providers::http::{Call, Client};

/// What it must be told.
pub const NEEDS: Needs = Needs {
    username: Some("the name of your app there"),
    sender: false,
    base_url: Some("https://api.africastalking.com"),
    public_url: false,
    signing_key: false,
    routes: &[],
};

/// `2026-05-03T06:04:45Z` or `2026-05-03 06:04:45`: both are seen.
const DATES: &[&str] = &["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"];

/// Africa's Talking, as one app of ours uses it.
pub struct AfricasTalkingSms {
    settings: SmsSettings,
    url: Url,
    username: String,
    client: Client,
}

impl fmt::Debug for AfricasTalkingSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AfricasTalkingSms")
    }
}

/// The answer to a send.
#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "SMSMessageData")]
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    /// One for each number; none when nobody was sent anything.
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    /// A word: `Success`, or why not.
    status: String,
    /// The id in delivery reports; the word `None` when it was not sent.
    message_id: Option<String>,
    /// Currency and amount, `KES 0.8000`.
    cost: Option<String>,
}

impl AfricasTalkingSms {
    /// Sets it up.
    ///
    /// # Errors
    /// Without a user name.
    pub fn new(settings: SmsSettings, client: Client) -> Result<Self, SetupError> {
        Ok(Self {
            url: settings
                .base_url
                .at(&["version1", "messaging"])
                .ok_or(SetupError::Missing("base_url"))?,
            username: settings.username.clone().ok_or(SetupError::Missing("username"))?,
            settings,
            client,
        })
    }
}

#[async_trait]
impl SmsGateway for AfricasTalkingSms {
    fn name(&self) -> &'static str {
        "africastalking"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            most_parts: 10,
            senders: &[SenderKind::Number, SenderKind::Name],
            reports: ReportKind::Called,
            carries_reference: false,
            incoming: IncomingKind::Whole,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<Sent, SendError> {
        let mut fields = vec![
            ("username", self.username.clone()),
            ("to", message.to.as_str().to_owned()),
            ("message", message.text.expose().to_owned()),
            ("bulkSMSMode", "1".to_owned()),
        ];
        fields.extend(message.from.clone().map(|from| ("from", from)));
        let call = Call::post(self.url.clone())
            .header("apikey", self.settings.api_key.expose())
            .form(&fields);
        let answer = wire::call(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::refused(&answer));
        }
        let answered: Answered = wire::read(&answer)?;
        let recipient = answered.data.recipients.into_iter().next();
        // The summary then says why in prose, such as a sender's name that is not ours; it will say so next time, too.
        taken(recipient.ok_or(SendError::Refused(Failure::Rejected))?)
    }

    fn hear(&self, request: &RawRequest<'_>) -> Result<Vec<Heard>, HookError> {
        Ok(vec![match request.tail {
            "" => incoming(request).map(Heard::Incoming)?,
            REPORTS => notification(request)?,
            _ => return Err(ParseError::NotACallback.into()),
        }])
    }

    fn answer(&self, answer: HookAnswer) -> WireReply {
        wire::empty(match answer {
            HookAnswer::Taken | HookAnswer::Garbled => 200,
            HookAnswer::Unauthentic => 403,
            HookAnswer::Unavailable => 503,
        })
    }
}

fn taken(recipient: Recipient) -> Result<Sent, SendError> {
    match recipient.status.as_str() {
        "Success" => {
            let id = recipient.message_id.as_deref().filter(|id| *id != "None");
            Ok(Sent {
                message_id: id
                    .and_then(wire::id)
                    .ok_or(SendError::Unknown("the answer has no id"))?,
                cost: recipient.cost,
            })
        }
        "InsufficientBalance" | "InsufficientCredit" => Err(SendError::NotSent("the account has no credit", None)),
        "InvalidPhoneNumber" | "UnsupportedNumberType" => Err(SendError::Refused(Failure::Number)),
        "InvalidSenderId" | "RiskHold" => Err(SendError::Refused(Failure::Rejected)),
        word => match reason(word) {
            Failure::Undelivered => Err(SendError::Unknown("a status that is not known here")),
            why => Err(SendError::Refused(why)),
        },
    }
}

/// The words of `failureReason`; those of a send's `status` that are alike differ in letter case only.
fn reason(word: &str) -> Failure {
    match word.to_ascii_lowercase().as_str() {
        "userinblacklist" | "donotdisturbrejection" => Failure::OptedOut,
        "userdoesnotexist" | "notnetworksubscriber" | "userisinactive" | "useraccountsuspended" => Failure::Number,
        "insufficientcredit" | "invalidlinkid" | "usernotsubscribedtoproduct" => Failure::Rejected,
        _ => Failure::Undelivered,
    }
}

fn incoming(request: &RawRequest<'_>) -> Result<IncomingSms, ParseError> {
    let form = Form::read(&[request.query, request.body], ["id", "from", "to", "text", "date"]);
    let message_id = form.token("id", wire::LONGEST_ID)?;
    let from = form.required("from", wire::LONGEST_NUMBER)?;
    let text = Secret::new(form.required("text", wire::LONGEST_TEXT)?);
    let date = form.optional_token("date", wire::LONGEST_NUMBER)?;
    Ok(IncomingSms {
        message_id,
        from: Msisdn::parse(&from, request.country).map_err(|_| ParseError::Msisdn)?,
        to: form.token("to", wire::LONGEST_NUMBER)?,
        text,
        part: None,
        received_at: date.and_then(|date| wire::moment(&date, DATES)),
    })
}

fn notification(request: &RawRequest<'_>) -> Result<Heard, ParseError> {
    let form = Form::read(
        &[request.query, request.body],
        ["id", "status", "failureReason", "senderId", "phoneNumber"],
    );
    if form.optional_token("senderId", wire::LONGEST_ID)?.is_some() && form.optional("id", wire::LONGEST_ID)?.is_none()
    {
        let number = form.required("phoneNumber", wire::LONGEST_NUMBER)?;
        let number = Msisdn::parse(&number, request.country).map_err(|_| ParseError::Msisdn)?;
        return Ok(Heard::OptedOut(number));
    }
    let message_id = form.token("id", wire::LONGEST_ID)?;
    let why = form.optional_token("failureReason", wire::LONGEST_ID)?;
    let state = match form.token("status", wire::LONGEST_ID)?.as_str() {
        "Sent" | "Submitted" | "Buffered" => DeliveryState::Sent,
        "Success" => DeliveryState::Delivered,
        "Expired" => DeliveryState::Failed(Failure::Expired),
        "Failed" => DeliveryState::Failed(why.as_deref().map_or(Failure::Undelivered, reason)),
        "Rejected" => DeliveryState::Failed(match why.as_deref().map(reason) {
            None | Some(Failure::Undelivered) => Failure::Rejected,
            Some(why) => why,
        }),
        _ => return Err(ParseError::Field("status")),
    };
    Ok(Heard::Report(DeliveryReport {
        message_id,
        reference: None,
        state,
    }))
}
