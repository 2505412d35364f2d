//! The player of scripts. Its transcript shows pressed keys, which are choices, and hides typed and texted words.

use std::io::Write;
use std::time::Duration;

use super::callback_client::CallbackError;
use super::handset::{CallError, Handset, ReceivedScreen};
use super::script::{ExpectedScreen, PhoneScript, ScriptStep};
use super::terminal::{ExitOutcome, PhoneError, frame, hang_up};
use crate::core::sms::{self, Alphabet};
use crate::core::time::Timestamp;

/// How long a person takes to press the key again, so that `poll` does not hammer.
pub const POLL_PACE: Duration = Duration::from_secs(1);

/// How long a text is waited for.
const TEXT_WITHIN: Duration = Duration::from_mins(1);

/// Plays `script` on `phone`, writing what happens to `output`; `pace` is the pause between two presses of `poll`.
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
        texts: SmsSeen::default(),
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
    texts: SmsSeen,
    output: &'p mut W,
}

/// What is known of the texts of the number in the phone.
#[derive(Default)]
struct SmsSeen {
    /// How many of them were there before, or have been expected.
    read: usize,
    /// The one expected last.
    newest: String,
}

impl<W: Write> Player<'_, '_, W> {
    async fn step(&mut self, step: &ScriptStep) -> Result<(), PlayError> {
        match step {
            ScriptStep::Note(text) => writeln!(self.output, "-- {text}")?,
            ScriptStep::Number(number) => {
                self.texts = SmsSeen::default();
                self.phone.change_sim(|sim| sim.number.clone_from(number));
            }
            ScriptStep::Network(network) => self.phone.change_sim(|sim| sim.network.clone_from(network)),
            ScriptStep::Code(code) => self.phone.change_sim(|sim| sim.code.clone_from(code)),
            ScriptStep::Dial(code) => self.dial(code.as_deref()).await?,
            ScriptStep::DialCode => {
                let code = code_in(&self.texts.newest).ok_or_else(|| self.no("code that can be dialled"))?;
                self.dial(Some(&code)).await?;
            }
            ScriptStep::Sms(text) => self.text(text).await?,
            ScriptStep::SmsNumber => {
                let number = number_in(&self.texts.newest).ok_or_else(|| self.no("number before a choice"))?;
                self.text(&number).await?;
            }
            ScriptStep::ExpectSms(wanted) => self.expect_text(wanted).await?,
            ScriptStep::Wait(by) => {
                writeln!(self.output, "-- {} s later", by.as_secs())?;
                self.phone
                    .client()
                    .advance_clock(*by)
                    .await
                    .map_err(|error| told(&error))?;
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
            ScriptStep::Expect(expected) => self.screen()?.meets(expected).map_err(PlayError::Journey)?,
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

    /// Sends a text; what came before it is no answer to it.
    async fn text(&mut self, text: &str) -> Result<(), PlayError> {
        writeln!(self.output, "> sms")?;
        let number = self.phone.sim().number.clone();
        self.texts.read = self
            .phone
            .client()
            .inbox(&number)
            .await
            .map_err(|error| told(&error))?
            .len();
        self.phone
            .client()
            .send_sms(&number, text)
            .await
            .map_err(|error| told(&error))
    }

    /// Waits for a text that contains this.
    async fn expect_text(&mut self, wanted: &str) -> Result<(), PlayError> {
        let number = self.phone.sim().number.clone();
        let began = self.phone.now();
        loop {
            let inbox = self.phone.client().inbox(&number).await.map_err(|error| told(&error))?;
            let come = inbox.iter().enumerate().skip(self.texts.read);
            if let Some((at, text)) = come.clone().find(|(_, text)| text.contains(wanted)) {
                (self.texts.read, self.texts.newest) = (at + 1, text.clone());
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
            if self.phone.now().since(began) >= TEXT_WITHIN {
                let come: Vec<_> = come.map(|(_, text)| text).collect();
                return Err(PlayError::Journey(format!(
                    "no text contains {wanted:?}; those that came: {come:?}"
                )));
            }
            tokio::time::sleep(self.pace).await;
        }
    }

    fn no(&self, what: &str) -> PlayError {
        PlayError::Journey(format!(
            "the text expected last holds no {what}: {:?}",
            self.texts.newest
        ))
    }

    async fn press(&mut self, keys: &str) -> Result<(), PlayError> {
        writeln!(self.output, "> {keys}")?;
        let shown = self.phone.answer(keys).await;
        self.show(shown)
    }

    async fn poll(&mut self, key: &str, until: &ExpectedScreen, within: Duration) -> Result<(), PlayError> {
        let began: Timestamp = self.phone.now();
        while let Err(unmet) = self.screen()?.meets(until) {
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

    /// Takes the new screen and holds it to what every screen must be.
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
    /// Says what is missing.
    fn meets(&self, expected: &ExpectedScreen) -> Result<(), String> {
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

fn told(error: &CallbackError) -> PlayError {
    PlayError::Journey(error.to_string())
}

/// The first thing in a text that can be dialled, such as `*384*96*482913507#`.
fn code_in(text: &str) -> Option<String> {
    let from = text.find('*')?;
    let to = text[from..].find('#')?;
    Some(text[from..=from + to].to_owned())
}

/// The number of three digits that a line of a text begins with.
fn number_in(text: &str) -> Option<String> {
    let mut words = text.lines().filter_map(|line| line.split(' ').next());
    let number = words.find(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    number.map(str::to_owned)
}
