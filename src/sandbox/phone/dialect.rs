//! The gateways that the phones can speak as: what a callback of theirs looks like, and how they read an answer. One row each,
//! by the name of the gateway that is called.

use chrono::DateTime;

use super::callback_client::FormFields;
use super::handset::Sim;
use crate::core::flow::state::TurnReply;
use crate::core::time::Timestamp;
use crate::gateways::{UssdLimits, UssdSetup, ussd_gateway};

/// A dialog as its gateway knows it.
pub struct PhoneDialog {
    /// The SIM that dialled; the phone may have another one now.
    pub sim: Sim,
    /// The gateway's id of it.
    pub id: String,
    /// What was dialled behind the code, joined by `*`; may be empty.
    pub extension: String,
    /// What was typed since.
    pub lines: Vec<String>,
    pub turns: u32,
    pub since: Timestamp,
    /// The last answer, as it came.
    pub last: String,
}

/// How a dialog ended, in the eyes of its gateway.
#[derive(Clone, Copy, Debug)]
pub enum PhoneDialogEnd {
    Finished,
    HungUp,
    /// We are to blame, for this reason.
    Failed(&'static str),
}

/// A request to the callback.
pub struct PhoneRequest {
    /// What follows the callback's path.
    pub suffix: &'static str,
    pub form: FormFields,
}

/// One gateway's dialect.
pub trait PhoneDialect: Send + Sync {
    /// The gateway that is called, by its name in the configuration.
    fn gateway(&self) -> &'static str;

    /// A name for a new dialog, from random bytes.
    fn dialog_id(&self, random: [u8; 16]) -> String;

    fn turn(&self, dialog: &PhoneDialog) -> PhoneRequest;

    /// What the gateway reports when a dialog is over, if it reports that.
    fn ended(&self, dialog: &PhoneDialog, end: PhoneDialogEnd, now: Timestamp) -> Option<PhoneRequest>;

    /// Reads an answer.
    ///
    /// # Errors
    /// Says why it is none; the gateway ends the dialog then.
    fn read(&self, status: u16, body: &str) -> Result<TurnReply, &'static str>;

    /// The limits of a network, by its code.
    fn limits(&self, network: Option<&str>) -> UssdLimits {
        let gateway = ussd_gateway(self.gateway(), UssdSetup::default());
        let gateway = gateway.and_then(Result::ok);
        gateway.map_or_else(UssdLimits::default, |gateway| gateway.limits(network))
    }
}

/// All of them.
pub const DIALECTS: &[&dyn PhoneDialect] = &[&AfricasTalkingDialect];

/// The dialect of the gateway with this name.
pub fn dialect(gateway: &str) -> Option<&'static dyn PhoneDialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.gateway() == gateway)
}

/// Africa's Talking: one session id per dialog, all lines so far joined by `*`, and one event on the events path when the
/// dialog is over, whatever ended it.
pub struct AfricasTalkingDialect;

impl AfricasTalkingDialect {
    fn text(dialog: &PhoneDialog) -> String {
        let extension = Some(dialog.extension.as_str()).filter(|extension| !extension.is_empty());
        let lines = dialog.lines.iter().map(String::as_str);
        extension.into_iter().chain(lines).collect::<Vec<_>>().join("*")
    }
}

impl PhoneDialect for AfricasTalkingDialect {
    fn gateway(&self) -> &'static str {
        "africastalking"
    }

    fn dialog_id(&self, random: [u8; 16]) -> String {
        format!("ATUid_{}", uuid::Uuid::from_bytes(random).simple())
    }

    fn turn(&self, dialog: &PhoneDialog) -> PhoneRequest {
        let form = vec![
            ("sessionId", dialog.id.clone()),
            ("phoneNumber", dialog.sim.number.clone()),
            ("networkCode", dialog.sim.network.clone()),
            ("serviceCode", dialog.sim.code.clone()),
            ("text", Self::text(dialog)),
        ];
        PhoneRequest { suffix: "", form }
    }

    fn ended(&self, dialog: &PhoneDialog, end: PhoneDialogEnd, now: Timestamp) -> Option<PhoneRequest> {
        let (status, error) = match end {
            PhoneDialogEnd::Finished => ("Success", None),
            PhoneDialogEnd::HungUp => ("Incomplete", None),
            PhoneDialogEnd::Failed(why) => ("Failed", Some(why)),
        };
        let date = DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default();
        let mut form: FormFields = vec![
            ("date", date.format("%Y-%m-%d %H:%M:%S").to_string()),
            ("sessionId", dialog.id.clone()),
            ("serviceCode", dialog.sim.code.clone()),
            ("networkCode", dialog.sim.network.clone()),
            ("phoneNumber", dialog.sim.number.clone()),
            ("status", status.to_owned()),
            ("cost", "None".to_owned()),
            ("durationInMillis", now.since(dialog.since).as_millis().to_string()),
            ("hopsCount", dialog.turns.to_string()),
            ("input", Self::text(dialog)),
            ("lastAppResponse", dialog.last.clone()),
        ];
        form.extend(error.map(|error| ("errorMessage", error.to_owned())));
        let suffix = "/events";
        Some(PhoneRequest { suffix, form })
    }

    /// Exactly `CON ` or `END `, and then some text.
    fn read(&self, status: u16, body: &str) -> Result<TurnReply, &'static str> {
        if status != 200 {
            return Err("and not 200");
        }
        let reply = match (body.strip_prefix("CON "), body.strip_prefix("END ")) {
            (Some(text), _) => TurnReply::ask(text.to_owned()),
            (_, Some(text)) => TurnReply::end(text.to_owned()),
            _ => return Err("and the body begins with neither \"CON \" nor \"END \""),
        };
        if reply.text.trim().is_empty() {
            Err("and the screen is empty")
        } else {
            Ok(reply)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateways::GATEWAYS;

    /// The aggregator ends a session when an answer is not exactly in its dialect, so the phone must too.
    #[test]
    fn answers_outside_the_dialect_are_refused() {
        for (status, body, good) in [
            (200, "CON Hi", true),
            (200, "END Bye", true),
            (200, " CON Hi", false),
            (200, "\u{feff}CON Hi", false),
            (200, "con Hi", false),
            (200, "CON ", false),
            (200, "", false),
            (404, "END Bye", false),
        ] {
            assert_eq!(
                AfricasTalkingDialect.read(status, body).is_ok(),
                good,
                "{status} {body:?}"
            );
        }
    }

    /// Every gateway that carries USSD can be dialled in the sandbox.
    #[test]
    fn every_gateway_can_be_dialled() {
        let gateways = GATEWAYS.iter().filter(|gateway| gateway.ussd.is_some());
        let spoken: Vec<_> = DIALECTS.iter().map(|dialect| dialect.gateway()).collect();
        assert_eq!(gateways.map(|gateway| gateway.name).collect::<Vec<_>>(), spoken);
    }
}
