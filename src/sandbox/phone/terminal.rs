//! The phone in a terminal, and the player of scripts.
//!
//! Input and output are parameters: a person's terminal, a file, or a test. What the person types is sent and never
//! written back; the transcript of a script shows pressed keys, which are choices, and hides typed text.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, Lines};

use super::args::{HELP, PhoneArgs};
use super::handset::{CallError, Handset, Screen, Surroundings};
use super::script::{self, Expected, Script, ScriptError, Step};
use crate::core::time::Timestamp;
use crate::gateways::{Limits, Reply};

/// How the phone was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitOutcome {
    /// By `/quit` or the end of the input.
    SwitchedOff,
    /// The script went through to its end; so many steps.
    Played(usize),
}

/// Why the phone stopped.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The script cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The script is not in the language.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The journey went another way than the script says.
    #[error("{file}:{line}: {problem}\n{screen}")]
    Journey {
        /// The script.
        file: String,
        /// The line of the step, from 1.
        line: usize,
        /// What is not as it should be.
        problem: String,
        /// The screen at that moment, framed; empty when there was none.
        screen: String,
    },
    /// The terminal went away.
    #[error("the terminal cannot be read or written: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Runs `kiungo phone`: plays the script, or reads lines from `input` until it ends.
///
/// # Errors
/// When the script is wrong or fails, or the terminal goes away. A dialog that breaks is shown, not an error.
pub async fn run(
    args: &PhoneArgs,
    around: Surroundings<'_>,
    input: impl AsyncBufRead + Unpin,
    mut output: impl Write,
) -> Result<ExitOutcome, PhoneError> {
    let mut phone = Handset::new(args.sim(), around);
    if let Some(path) = &args.script {
        let source = tokio::fs::read_to_string(path)
            .await
            .map_err(|source| PhoneError::File {
                path: path.clone(),
                source,
            })?;
        let script = script::parse(&path.display().to_string(), &source)?;
        return play(&script, &mut phone, POLL_PACE, &mut output).await;
    }
    let sim = phone.sim();
    writeln!(
        output,
        "SANDBOX phone {} on network {}. /dial calls {}, /help helps.",
        sim.number, sim.network, sim.code
    )?;
    let mut lines = input.lines();
    loop {
        write!(output, "> ")?;
        output.flush()?;
        match next_line(&mut lines, &mut phone, args.patient).await? {
            Heard::Line(line) if line.trim() == "/quit" => break,
            Heard::Line(line) => obey(&line, &mut phone, &mut output).await?,
            Heard::Nothing => {
                writeln!(
                    output,
                    "\nThe network ended the dialog: nobody typed in time. (--patient prevents that)"
                )?;
                hang_up(&mut phone, &mut output).await?;
            }
            Heard::End => break,
        }
    }
    hang_up(&mut phone, &mut output).await?;
    Ok(ExitOutcome::SwitchedOff)
}

enum Heard {
    Line(String),
    Nothing,
    End,
}

/// The next line, unless the network's patience ends first.
async fn next_line<R: AsyncBufRead + Unpin>(
    lines: &mut Lines<R>,
    phone: &mut Handset<'_>,
    patient: bool,
) -> Result<Heard, PhoneError> {
    let line = match phone.dialog_left() {
        Some(left) if !patient => match tokio::time::timeout(left.min(phone.limits().idle), lines.next_line()).await {
            Ok(line) => line?,
            Err(_) => return Ok(Heard::Nothing),
        },
        _ => lines.next_line().await?,
    };
    Ok(line.map_or(Heard::End, Heard::Line))
}

async fn obey(line: &str, phone: &mut Handset<'_>, output: &mut impl Write) -> Result<(), PhoneError> {
    let (command, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let shown = match command {
        "/help" => return Ok(writeln!(output, "{HELP}")?),
        "/cancel" => return hang_up(phone, output).await,
        "/redial" => phone.redial().await,
        "/dial" => phone.dial(Some(rest.trim()).filter(|code| !code.is_empty())).await,
        _ if command.starts_with('/') => {
            writeln!(output, "{command} is not a command of this phone; /help lists them.")?;
            return Ok(());
        }
        _ if !phone.in_dialog() && command.starts_with('*') => phone.dial(Some(command)).await,
        _ if !phone.in_dialog() && command.is_empty() => phone.dial(None).await,
        _ => phone.answer(line).await,
    };
    match shown {
        Ok(screen) => write!(output, "{}", frame(&screen, &phone.limits()))?,
        Err(error) => writeln!(output, "{error}")?,
    }
    Ok(())
}

async fn hang_up(phone: &mut Handset<'_>, output: &mut impl Write) -> Result<(), PhoneError> {
    match phone.cancel().await {
        Ok(true) => writeln!(output, "Hung up.")?,
        Ok(false) => {}
        Err(error) => writeln!(output, "{error}")?,
    }
    Ok(())
}

/// Columns of text inside the frame.
const COLUMNS: usize = 32;

/// The screen as a phone shows it, with what it cost below.
fn frame(screen: &Screen, limits: &Limits) -> String {
    let edge = "-".repeat(COLUMNS + 2);
    let rows = screen
        .reply
        .text()
        .lines()
        .flat_map(wrap)
        .map(|row| format!("| {row:COLUMNS$} |\n"));
    let rows: Vec<String> = rows.collect();
    let cost = match screen.septets {
        Ok(septets) => format!(" {septets}/{} septets ", limits.out_septets),
        Err(c) => format!(" {c:?} is not GSM 7-bit "),
    };
    let rule = "-".repeat((COLUMNS + 1).saturating_sub(cost.chars().count()));
    let state = if matches!(screen.reply, Reply::End(_)) {
        "END"
    } else {
        "CON"
    };
    let seconds = screen.took.as_secs_f64();
    let turn = screen.turn;
    format!(
        "+{edge}+\n{}+{rule}{cost}-+\n  {state}  turn {turn}  {seconds:.2} s\n",
        rows.concat()
    )
}

/// Breaks a line at blanks so that it fits the frame; a longer word is cut.
fn wrap(line: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in line.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let room = rows
            .last()
            .map_or(0, |row| COLUMNS.saturating_sub(row.chars().count() + 1));
        match rows.last_mut() {
            Some(row) if row.is_empty() || word.len() <= room => {
                if !row.is_empty() {
                    row.push(' ');
                }
            }
            _ => rows.push(String::new()),
        }
        while word.len() > COLUMNS {
            let rest = word.split_off(COLUMNS);
            if let Some(row) = rows.last_mut() {
                row.extend(&word);
            }
            rows.push(String::new());
            word = rest;
        }
        if let Some(row) = rows.last_mut() {
            row.extend(&word);
        }
    }
    rows
}

/// How long a person takes to press the key again, so that `poll` does not hammer.
pub const POLL_PACE: Duration = Duration::from_secs(1);

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
    output: &'p mut W,
}

impl<W: Write> Player<'_, '_, W> {
    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Note(text) => writeln!(self.output, "-- {text}")?,
            Step::Number(number) => self.phone.change(|sim| sim.number.clone_from(number)),
            Step::Network(network) => self.phone.change(|sim| sim.network.clone_from(network)),
            Step::Code(code) => self.phone.change(|sim| sim.code.clone_from(code)),
            Step::Dial(code) => {
                writeln!(self.output, "> dial")?;
                let shown = self.phone.dial(code.as_deref()).await;
                self.show(shown)?;
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
