//! A phone and its aggregator: dials, answers, hangs up, and reports the end of each dialog, in one of the
//! [dialects](super::dialect).

use std::time::Duration;

use super::callback_client::{CallbackClient, CallbackError};
use super::dialect::{PhoneDialect, PhoneDialog, PhoneDialogEnd};
use crate::core::flow::state::TurnReply;
use crate::core::gsm7;
use crate::core::time::{Clock, Rng, Timestamp};
use crate::gateways::UssdLimits;

#[derive(Clone, Copy)]
pub struct HandsetDeps<'a> {
    pub client: &'a dyn CallbackClient,
    pub clock: &'a dyn Clock,
    pub rng: &'a dyn Rng,
    /// What the aggregator speaks.
    pub dialect: &'static dyn PhoneDialect,
    /// The limits of the aggregator and of the network with this code; `None` for the dialect's own.
    pub limits: Option<fn(Option<&str>) -> UssdLimits>,
}

#[derive(Clone, Debug)]
pub struct Sim {
    /// E.164 with `+`.
    pub number: String,
    /// The network's code, as the aggregator sends it.
    pub network: String,
    /// The service code, such as `*384*96#`.
    pub code: String,
}

/// A screen as it was received, with its cost.
#[derive(Clone, Debug)]
pub struct ReceivedScreen {
    pub reply: TurnReply,
    /// The septets of the whole answer with its prefix, or its first character that is not in the GSM 7-bit alphabet.
    pub septets: Result<usize, char>,
    pub took: Duration,
    /// The number of this callback in the dialog, from 1.
    pub turn: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no dialog is open: dial first")]
    NoDialog,
    #[error("the sandbox answers {0} and longer codes that begin so; nothing else is connected")]
    WrongCode(String),
    #[error("a phone on this network lets a person type at most {0} characters")]
    TooLong(u16),
    #[error("no answer within {0:?}: the aggregator gave up and the dialog is gone")]
    Late(Duration),
    #[error("the network ended the dialog after {0:?}")]
    DialogOver(Duration),
    #[error("the answer was not one: HTTP {status} {why}; the aggregator ended the dialog")]
    NotAnAnswer { status: u16, why: &'static str },
    #[error(transparent)]
    Line(#[from] CallbackError),
}

/// A phone with a SIM in it.
pub struct Handset<'a> {
    sim: Sim,
    deps: HandsetDeps<'a>,
    dialog: Option<PhoneDialog>,
    dialled: Option<String>,
}

impl<'a> Handset<'a> {
    /// A phone that is switched on and idle.
    pub fn new(sim: Sim, deps: HandsetDeps<'a>) -> Self {
        Self {
            sim,
            deps,
            dialog: None,
            dialled: None,
        }
    }

    pub fn client(&self) -> &'a dyn CallbackClient {
        self.deps.client
    }

    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Changes the SIM, from the next dial on.
    pub fn change_sim(&mut self, change: impl FnOnce(&mut Sim)) {
        change(&mut self.sim);
    }

    pub fn limits(&self) -> UssdLimits {
        let network = Some(self.sim.network.as_str());
        match self.deps.limits {
            Some(limits) => limits(network),
            None => self.deps.dialect.limits(network),
        }
    }

    pub fn in_dialog(&self) -> bool {
        self.dialog.is_some()
    }

    /// How much longer the dialog may last; `None` without one.
    pub fn dialog_left(&self) -> Option<Duration> {
        let open = self.dialog.as_ref()?;
        Some(
            self.limits()
                .dialog
                .saturating_sub(self.deps.clock.now().since(open.since)),
        )
    }

    pub fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Dials `code` (`None`: the channel's own code), after hanging up an open dialog.
    ///
    /// # Errors
    /// When there is no screen.
    pub async fn dial(&mut self, code: Option<&str>) -> Result<ReceivedScreen, CallError> {
        self.cancel().await?;
        let dialled = code.unwrap_or(&self.sim.code).to_owned();
        let segments =
            extension(&self.sim.code, &dialled).ok_or_else(|| CallError::WrongCode(self.sim.code.clone()))?;
        let mut random = [0; 16];
        self.deps.rng.fill(&mut random);
        self.dialog = Some(PhoneDialog {
            sim: self.sim.clone(),
            id: self.deps.dialect.dialog_id(random),
            extension: segments.to_owned(),
            lines: Vec::new(),
            turns: 0,
            since: self.deps.clock.now(),
            last: String::new(),
        });
        self.dialled = Some(dialled);
        self.turn().await
    }

    /// Dials the last code again, in a new session.
    ///
    /// # Errors
    /// When there is no screen.
    pub async fn redial(&mut self) -> Result<ReceivedScreen, CallError> {
        let again = self.dialled.clone();
        self.dial(again.as_deref()).await
    }

    /// Answers the screen with `line`.
    ///
    /// # Errors
    /// When there is no screen.
    pub async fn answer(&mut self, line: &str) -> Result<ReceivedScreen, CallError> {
        let most = self.limits().in_chars;
        let left = self.dialog_left().ok_or(CallError::NoDialog)?;
        if line.chars().count() > usize::from(most) {
            return Err(CallError::TooLong(most));
        }
        if left.is_zero() {
            self.finish(PhoneDialogEnd::HungUp).await?;
            return Err(CallError::DialogOver(self.limits().dialog));
        }
        let Some(open) = self.dialog.as_mut() else {
            return Err(CallError::NoDialog);
        };
        open.lines.push(line.to_owned());
        self.turn().await
    }

    /// Hangs up, and the aggregator reports `Incomplete`; returns whether there was a dialog.
    ///
    /// # Errors
    /// When the event could not be delivered.
    pub async fn cancel(&mut self) -> Result<bool, CallError> {
        let open = self.in_dialog();
        self.finish(PhoneDialogEnd::HungUp).await?;
        Ok(open)
    }

    async fn turn(&mut self) -> Result<ReceivedScreen, CallError> {
        let limits = self.limits();
        let began = self.deps.clock.now();
        let Some(open) = self.dialog.as_mut() else {
            return Err(CallError::NoDialog);
        };
        open.turns += 1;
        let turn = open.turns;
        let request = self.deps.dialect.turn(open);
        let posted = self.deps.client.post(request.suffix, &request.form);
        let answer = tokio::time::timeout(limits.turn, posted).await;
        let (status, body) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => {
                self.dialog = None;
                return Err(broken.into());
            }
            Err(_) => {
                self.finish(PhoneDialogEnd::Failed("no answer in time")).await?;
                return Err(CallError::Late(limits.turn));
            }
        };
        let took = self.deps.clock.now().since(began);
        let reply = match self.deps.dialect.read(status, &body) {
            Ok(reply) => reply,
            Err(why) => {
                self.finish(PhoneDialogEnd::Failed(why)).await?;
                return Err(CallError::NotAnAnswer { status, why });
            }
        };
        let septets = septets(&body);
        if let Some(open) = self.dialog.as_mut() {
            open.last = body;
        }
        if reply.end {
            self.finish(PhoneDialogEnd::Finished).await?;
        }
        Ok(ReceivedScreen {
            reply,
            septets,
            took,
            turn,
        })
    }

    /// Ends the dialog, and reports that where the aggregator does.
    async fn finish(&mut self, end: PhoneDialogEnd) -> Result<(), CallError> {
        let Some(over) = self.dialog.take() else { return Ok(()) };
        if let Some(event) = self.deps.dialect.ended(&over, end, self.deps.clock.now()) {
            self.deps.client.post(event.suffix, &event.form).await?;
        }
        Ok(())
    }
}

/// The segments of `dialled` after `code`, joined as the aggregator joins them: `1*2` for `*384*96*1*2#`, empty for the code
/// itself, `None` for another code.
fn extension<'d>(code: &str, dialled: &'d str) -> Option<&'d str> {
    let rest = dialled.strip_suffix('#')?.strip_prefix(code.strip_suffix('#')?)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('*').filter(|more| !more.is_empty())
    }
}

/// The septets of a text, or its first character that is not in the GSM 7-bit alphabet.
fn septets(text: &str) -> Result<usize, char> {
    text.chars()
        .map(|character| gsm7::septet_cost(character).ok_or(character))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{extension, septets};

    /// A screen that costs more than the phone counts would be cut on a real phone.
    #[test]
    fn costs_follow_the_alphabet() {
        for (text, cost) in [
            ("", Ok(0)),
            ("1. Balance", Ok(10)),
            ("a\nb", Ok(3)),
            ("[€]", Ok(6)),
            ("ọ", Err('ọ')),
        ] {
            assert_eq!(septets(text), cost, "{text:?}");
        }
    }

    /// A phone that accepts too many codes would hide a wrong short code; one that accepts too few, a recovery code.
    #[test]
    fn dialled_segments_are_the_first_text() {
        for (dialled, text) in [
            ("*384*96#", Some("")),
            ("*384*96*1*2#", Some("1*2")),
            ("*384*96*#", None),
            ("*384*961#", None),
            ("*384#", None),
            ("*384*96", None),
        ] {
            assert_eq!(extension("*384*96#", dialled), text, "{dialled}");
        }
    }
}
