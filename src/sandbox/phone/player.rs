//! The player of scripts. Its transcript shows pressed keys, which are choices, and hides typed and texted words.

use std::io::Write;
use std::time::Duration;

use super::handset::{CallError, Handset, Screen};
use super::line::LineError;
use super::script::{Expected, Script, Step};
use super::terminal::{ExitOutcome, PhoneError, frame, hang_up};
use crate::core::sms::{self, Alphabet};
use crate::core::time::Timestamp;
use crate::gateways::Reply;

/// How long a person takes to press the key again, so that `poll` does not hammer.
pub const POLL_PACE: Duration = Duration::from_secs(1);

/// How long a text is waited for.
const TEXT_WITHIN: Duration = Duration::from_mins(1);

/// Plays `script` on `phone`, writing what happens to `output`; `pace` is the pause between two presses of `poll`.
///
/// # Errors
/// [`PhoneError::Journey`] at the first step that does not go as the script says.
pub async fn play(
    script: &Script,
    phone: &mut Handset<'_>,
    pace: Duration,
    output: &mut impl Write,
) -> Result<ExitOutcome, PhoneError> {
    let mut player = Player {
        phone,
        pace,
        screen: None,
        texts: Texts::default(),
        output,
    };
    for (line, step) in &script.steps {
        player.step(step).await.map_err(|stop| match stop {
            Stop::Broken(error) => error,
            Stop::Journey(problem) => PhoneError::Journey {
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

enum Stop {
    Broken(PhoneError),
    Journey(String),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.into())
    }
}

struct Player<'p, 'a, W> {
    phone: &'p mut Handset<'a>,
    pace: Duration,
    screen: Option<Screen>,
    texts: Texts,
    output: &'p mut W,
}

/// What is known of the texts of the number in the phone.
#[derive(Default)]
struct Texts {
    /// How many of them were there before, or have been expected.
    read: usize,
    /// The one expected last.
    newest: String,
}

impl<W: Write> Player<'_, '_, W> {
    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Note(text) => writeln!(self.output, "-- {text}")?,
            Step::Number(number) => {
                self.texts = Texts::default();
                self.phone.change(|sim| sim.number.clone_from(number));
            }
            Step::Network(network) => self.phone.change(|sim| sim.network.clone_from(network)),
            Step::Code(code) => self.phone.change(|sim| sim.code.clone_from(code)),
            Step::Dial(code) => self.dial(code.as_deref()).await?,
            Step::DialCode => {
                let code = code_in(&self.texts.newest).ok_or_else(|| self.no("code that can be dialled"))?;
                self.dial(Some(&code)).await?;
            }
            Step::Sms(text) => self.text(text).await?,
            Step::SmsNumber => {
                let number = number_in(&self.texts.newest).ok_or_else(|| self.no("number before a choice"))?;
                self.text(&number).await?;
            }
            Step::ExpectSms(wanted) => self.expect_text(wanted).await?,
            Step::Wait(by) => {
                writeln!(self.output, "-- {} s later", by.as_secs())?;
                self.phone.line().wind(*by).await.map_err(|error| told(&error))?;
            }
            Step::Redial => {
                writeln!(self.output, "> redial")?;
                let shown = self.phone.redial().await;
                self.show(shown)?;
            }
            Step::Press(keys) => self.press(keys).await?,
            Step::Type(text) => {
                writeln!(self.output, "> ****")?;
                let shown = self.phone.answer(text).await;
                self.show(shown)?;
            }
            Step::Cancel => match self.phone.cancel().await {
                Ok(true) => writeln!(self.output, "Hung up.")?,
                Ok(false) => return Err(Stop::Journey("there is no dialog to cancel".to_owned())),
                Err(error) => return Err(Stop::Journey(error.to_string())),
            },
            Step::Expect(expected) => self.screen()?.meets(expected).map_err(Stop::Journey)?,
            Step::ExpectNot(text) if self.screen()?.reply.text().contains(text) => {
                return Err(Stop::Journey(format!("the screen must not contain {text:?}")));
            }
            Step::ExpectNot(_) => {}
            Step::Poll { key, until, within } => self.poll(key, until, *within).await?,
        }
        Ok(())
    }

    async fn dial(&mut self, code: Option<&str>) -> Result<(), Stop> {
        writeln!(self.output, "> dial")?;
        let shown = self.phone.dial(code).await;
        self.show(shown)
    }

    /// Sends a text; what came before it is no answer to it.
    async fn text(&mut self, text: &str) -> Result<(), Stop> {
        writeln!(self.output, "> sms")?;
        let number = self.phone.sim().number.clone();
        self.texts.read = self
            .phone
            .line()
            .inbox(&number)
            .await
            .map_err(|error| told(&error))?
            .len();
        self.phone
            .line()
            .text(&number, text)
            .await
            .map_err(|error| told(&error))
    }

    /// Waits for a text that contains this.
    async fn expect_text(&mut self, wanted: &str) -> Result<(), Stop> {
        let number = self.phone.sim().number.clone();
        let began = self.phone.now();
        loop {
            let inbox = self.phone.line().inbox(&number).await.map_err(|error| told(&error))?;
            let come = inbox.iter().enumerate().skip(self.texts.read);
            if let Some((at, text)) = come.clone().find(|(_, text)| text.contains(wanted)) {
                (self.texts.read, self.texts.newest) = (at + 1, text.clone());
                writeln!(self.output, "   SMS: {}", text.replace('\n', "\n        "))?;
                let size = sms::size(text);
                let one = (size.alphabet, size.parts) == (Alphabet::Gsm7, 1);
                return if one {
                    Ok(())
                } else {
                    Err(Stop::Journey(format!(
                        "the text is not one part of the GSM 7-bit alphabet: {text:?}"
                    )))
                };
            }
            if self.phone.now().since(began) >= TEXT_WITHIN {
                let come: Vec<_> = come.map(|(_, text)| text).collect();
                return Err(Stop::Journey(format!(
                    "no text contains {wanted:?}; those that came: {come:?}"
                )));
            }
            tokio::time::sleep(self.pace).await;
        }
    }

    fn no(&self, what: &str) -> Stop {
        Stop::Journey(format!(
            "the text expected last holds no {what}: {:?}",
            self.texts.newest
        ))
    }

    async fn press(&mut self, keys: &str) -> Result<(), Stop> {
        writeln!(self.output, "> {keys}")?;
        let shown = self.phone.answer(keys).await;
        self.show(shown)
    }

    async fn poll(&mut self, key: &str, until: &Expected, within: Duration) -> Result<(), Stop> {
        let began: Timestamp = self.phone.now();
        while let Err(unmet) = self.screen()?.meets(until) {
            if !self.phone.in_dialog() {
                return Err(Stop::Journey(format!("the dialog ended while polling: {unmet}")));
            }
            if self.phone.now().since(began) >= within {
                return Err(Stop::Journey(format!("not within {} s: {unmet}", within.as_secs())));
            }
            tokio::time::sleep(self.pace).await;
            self.press(key).await?;
        }
        Ok(())
    }

    fn screen(&self) -> Result<&Screen, Stop> {
        self.screen
            .as_ref()
            .ok_or_else(|| Stop::Journey("there is no screen yet: dial first".to_owned()))
    }

    /// Takes the new screen and holds it to what every screen must be.
    fn show(&mut self, shown: Result<Screen, CallError>) -> Result<(), Stop> {
        let screen = shown.map_err(|error| Stop::Journey(error.to_string()))?;
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
        fits.map_err(Stop::Journey)
    }
}

impl Screen {
    /// Says what is missing.
    fn meets(&self, expected: &Expected) -> Result<(), String> {
        let ended = matches!(self.reply, Reply::End(_));
        match expected.end {
            Some(true) if !ended => return Err("the dialog should be over, but awaits an answer".to_owned()),
            Some(false) if ended => return Err("the screen should await an answer, but the dialog is over".to_owned()),
            _ => {}
        }
        if self.reply.text().contains(&expected.text) {
            Ok(())
        } else {
            Err(format!("the screen should contain {:?}", expected.text))
        }
    }
}

fn told(error: &LineError) -> Stop {
    Stop::Journey(error.to_string())
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
