//! Plays scripts. The transcript shows pressed keys, which are choices, and hides typed text and sent SMS.

use std::io::Write;
use std::time::Duration;

use super::callback_client::CallbackError;
use super::handset::{CallError, Handset, ReceivedScreen};
use super::script::{ExpectedScreen, PhoneScript, ScriptStep};
use super::terminal::{ExitOutcome, PhoneError, frame, hang_up};
use crate::core::sms::{self, Alphabet};
use crate::core::time::Timestamp;

/// The pause between two presses of `poll`, like a person's.
pub const POLL_PACE: Duration = Duration::from_secs(1);

/// How long to wait for an SMS.
const SMS_WITHIN: Duration = Duration::from_mins(1);

/// Plays `script` on `phone` and writes a transcript to `output`; `pace` is the pause between two presses of `poll`.
///
/// # Errors
/// [`PhoneError::Journey`] at the first step that does not go as the script says.
pub async fn play(
    script: &PhoneScript,
    phone: &mut Handset<'_>,
    pace: Duration,
    output: &mut impl Write,
) -> Result<ExitOutcome, PhoneError> {
    let mut player = Player {
        phone,
        pace,
        screen: None,
        sms_seen: SmsSeen::default(),
        output,
    };
    for (line, step) in &script.steps {
        player.step(step).await.map_err(|stop| match stop {
            PlayError::Broken(error) => error,
            PlayError::Journey(problem) => PhoneError::Journey {
                file: script.name.clone(),
                line: *line,
                problem,
                screen: player
                    .screen
                    .as_ref()
                    .map_or_else(String::new, |s| frame(s, &player.phone.limits())),
            },
        })?;
    }
    hang_up(player.phone, player.output).await?;
    Ok(ExitOutcome::Played(script.steps.len()))
}

enum PlayError {
    Broken(PhoneError),
    Journey(String),
}

impl From<std::io::Error> for PlayError {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.into())
    }
}

struct Player<'p, 'a, W> {
    phone: &'p mut Handset<'a>,
    pace: Duration,
    screen: Option<ReceivedScreen>,
    sms_seen: SmsSeen,
    output: &'p mut W,
}

#[derive(Default)]
struct SmsSeen {
    /// How many of the number's SMS are old or were expected already.
    read: usize,
    /// The last one that was expected.
    newest: String,
}

impl<W: Write> Player<'_, '_, W> {
    async fn step(&mut self, step: &ScriptStep) -> Result<(), PlayError> {
        match step {
            ScriptStep::Note(text) => writeln!(self.output, "-- {text}")?,
            ScriptStep::Number(number) => {
                self.sms_seen = SmsSeen::default();
                self.phone.change_sim(|sim| sim.number.clone_from(number));
            }
            ScriptStep::Network(network) => self.phone.change_sim(|sim| sim.network.clone_from(network)),
            ScriptStep::Code(code) => self.phone.change_sim(|sim| sim.code.clone_from(code)),
            ScriptStep::Dial(code) => self.dial(code.as_deref()).await?,
            ScriptStep::DialCode => {
                let code = code_in(&self.sms_seen.newest).ok_or_else(|| self.not_in_sms("code that can be dialled"))?;
                self.dial(Some(&code)).await?;
            }
            ScriptStep::Sms(text) => self.send_sms(text).await?,
            ScriptStep::SmsNumber => {
                let number = number_in(&self.sms_seen.newest).ok_or_else(|| self.not_in_sms("number of six digits"))?;
                self.send_sms(&number).await?;
            }
            ScriptStep::ExpectSms(wanted) => self.expect_sms(wanted).await?,
            ScriptStep::Wait(by) => {
                writeln!(self.output, "-- {} s later", by.as_secs())?;
                self.phone
                    .client()
                    .advance_clock(*by)
                    .await
                    .map_err(|error| call_failed(&error))?;
            }
            ScriptStep::Redial => {
                writeln!(self.output, "> redial")?;
                let shown = self.phone.redial().await;
                self.show(shown)?;
            }
            ScriptStep::Press(keys) => self.press(keys).await?,
            ScriptStep::Type(text) => {
                writeln!(self.output, "> ****")?;
                let shown = self.phone.answer(text).await;
                self.show(shown)?;
            }
            ScriptStep::Cancel => match self.phone.cancel().await {
                Ok(true) => writeln!(self.output, "Hung up.")?,
                Ok(false) => return Err(PlayError::Journey("there is no dialog to cancel".to_owned())),
                Err(error) => return Err(PlayError::Journey(error.to_string())),
            },
            ScriptStep::Expect(expected) => self.screen()?.check(expected).map_err(PlayError::Journey)?,
            ScriptStep::ExpectNot(text) if self.screen()?.reply.text.contains(text) => {
                return Err(PlayError::Journey(format!("the screen must not contain {text:?}")));
            }
            ScriptStep::ExpectNot(_) => {}
            ScriptStep::Poll { key, until, within } => self.poll(key, until, *within).await?,
        }
        Ok(())
    }

    async fn dial(&mut self, code: Option<&str>) -> Result<(), PlayError> {
        writeln!(self.output, "> dial")?;
        let shown = self.phone.dial(code).await;
        self.show(shown)
    }

    /// Sends an SMS. Earlier SMS do not count as its answer.
    async fn send_sms(&mut self, text: &str) -> Result<(), PlayError> {
        writeln!(self.output, "> sms")?;
        let number = self.phone.sim().number.clone();
        self.sms_seen.read = self
            .phone
            .client()
            .inbox(&number)
            .await
            .map_err(|error| call_failed(&error))?
            .len();
        self.phone
            .client()
            .send_sms(&number, text)
            .await
            .map_err(|error| call_failed(&error))
    }

    async fn expect_sms(&mut self, wanted: &str) -> Result<(), PlayError> {
        let number = self.phone.sim().number.clone();
        let began = self.phone.now();
        loop {
            let inbox = self
                .phone
                .client()
                .inbox(&number)
                .await
                .map_err(|error| call_failed(&error))?;
            let come = inbox.iter().enumerate().skip(self.sms_seen.read);
            if let Some((at, text)) = come.clone().find(|(_, text)| text.contains(wanted)) {
                (self.sms_seen.read, self.sms_seen.newest) = (at + 1, text.clone());
                writeln!(self.output, "   SMS: {}", text.replace('\n', "\n        "))?;
                let size = sms::measure(text);
                let one = (size.alphabet, size.parts) == (Alphabet::Gsm7, 1);
                return if one {
                    Ok(())
                } else {
                    Err(PlayError::Journey(format!(
                        "the text is not one part of the GSM 7-bit alphabet: {text:?}"
                    )))
                };
            }
            if self.phone.now().since(began) >= SMS_WITHIN {
                let come: Vec<_> = come.map(|(_, text)| text).collect();
                return Err(PlayError::Journey(format!(
                    "no text contains {wanted:?}; those that came: {come:?}"
                )));
            }
            tokio::time::sleep(self.pace).await;
        }
    }

    fn not_in_sms(&self, what: &str) -> PlayError {
        PlayError::Journey(format!(
            "the text expected last holds no {what}: {:?}",
            self.sms_seen.newest
        ))
    }

    async fn press(&mut self, keys: &str) -> Result<(), PlayError> {
        writeln!(self.output, "> {keys}")?;
        let shown = self.phone.answer(keys).await;
        self.show(shown)
    }

    async fn poll(&mut self, key: &str, until: &ExpectedScreen, within: Duration) -> Result<(), PlayError> {
        let began: Timestamp = self.phone.now();
        while let Err(unmet) = self.screen()?.check(until) {
            if !self.phone.in_dialog() {
                return Err(PlayError::Journey(format!("the dialog ended while polling: {unmet}")));
            }
            if self.phone.now().since(began) >= within {
                return Err(PlayError::Journey(format!(
                    "not within {} s: {unmet}",
                    within.as_secs()
                )));
            }
            tokio::time::sleep(self.pace).await;
            self.press(key).await?;
        }
        Ok(())
    }

    fn screen(&self) -> Result<&ReceivedScreen, PlayError> {
        self.screen
            .as_ref()
            .ok_or_else(|| PlayError::Journey("there is no screen yet: dial first".to_owned()))
    }

    /// Stores the new screen, and checks what must be true for every screen.
    fn show(&mut self, shown: Result<ReceivedScreen, CallError>) -> Result<(), PlayError> {
        let screen = shown.map_err(|error| PlayError::Journey(error.to_string()))?;
        let limits = self.phone.limits();
        write!(self.output, "{}", frame(&screen, &limits))?;
        let fits = match screen.septets {
            Ok(septets) if septets <= usize::from(limits.out_septets) => Ok(()),
            Ok(septets) => Err(format!(
                "the answer costs {septets} septets, the network carries {}",
                limits.out_septets
            )),
            Err(c) => Err(format!(
                "the answer holds {c:?}, which is not in the GSM 7-bit alphabet"
            )),
        };
        self.screen = Some(screen);
        fits.map_err(PlayError::Journey)
    }
}

impl ReceivedScreen {
    fn check(&self, expected: &ExpectedScreen) -> Result<(), String> {
        let ended = self.reply.end;
        match expected.end {
            Some(true) if !ended => return Err("the dialog should be over, but awaits an answer".to_owned()),
            Some(false) if ended => return Err("the screen should await an answer, but the dialog is over".to_owned()),
            _ => {}
        }
        if self.reply.text.contains(&expected.text) {
            Ok(())
        } else {
            Err(format!("the screen should contain {:?}", expected.text))
        }
    }
}

fn call_failed(error: &CallbackError) -> PlayError {
    PlayError::Journey(error.to_string())
}

/// The first code in an SMS, such as `*384*96*482913507#`.
fn code_in(text: &str) -> Option<String> {
    let from = text.find('*')?;
    let to = text[from..].find('#')?;
    Some(text[from..=from + to].to_owned())
}

/// The number of six digits in an SMS.
fn number_in(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let number = words.find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()));
    number.map(str::to_owned)
}
