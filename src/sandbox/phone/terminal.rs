//! The phone in a terminal.
//!
//! Input and output are parameters: a person's terminal, a file, or a test. What the person types is sent and never written
//! back.

use std::io::Write;
use std::path::PathBuf;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, Lines};

use super::args::{HELP, PhoneArgs};
use super::handset::{Handset, HandsetDeps, ReceivedScreen};
use super::player::{POLL_PACE, play};
use super::script::{self, ScriptError};
use crate::gateways::UssdLimits;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitOutcome {
    /// By `/quit` or the end of the input.
    SwitchedOff,
    /// The script was played to its end; the number of its steps.
    Played(usize),
}

#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    #[error("{path}: {source}", path = .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The journey did not go as the script says.
    #[error("{file}:{line}: {problem}\n{screen}")]
    Journey {
        file: String,
        /// The line of the step, from 1.
        line: usize,
        problem: String,
        /// The screen at that time, framed; empty if there was none.
        screen: String,
    },
    #[error("the terminal cannot be read or written: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Runs `kiungo phone`: plays the script, or reads lines from `input` until it ends.
///
/// # Errors
/// When the script is wrong or fails, or the terminal goes away. A dialog that breaks is shown, not an error.
pub async fn run(
    args: &PhoneArgs,
    around: HandsetDeps<'_>,
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
            UserInput::Line(line) if line.trim() == "/quit" => break,
            UserInput::Line(line) => run_command(&line, &mut phone, &mut output).await?,
            UserInput::Nothing => {
                writeln!(
                    output,
                    "\nThe network ended the dialog: nobody typed in time. (--patient prevents that)"
                )?;
                hang_up(&mut phone, &mut output).await?;
            }
            UserInput::End => break,
        }
    }
    hang_up(&mut phone, &mut output).await?;
    Ok(ExitOutcome::SwitchedOff)
}

enum UserInput {
    Line(String),
    Nothing,
    End,
}

/// The next line, unless the network's time for it ends first.
async fn next_line<R: AsyncBufRead + Unpin>(
    lines: &mut Lines<R>,
    phone: &mut Handset<'_>,
    patient: bool,
) -> Result<UserInput, PhoneError> {
    let line = match phone.dialog_left() {
        Some(left) if !patient => match tokio::time::timeout(left.min(phone.limits().idle), lines.next_line()).await {
            Ok(line) => line?,
            Err(_) => return Ok(UserInput::Nothing),
        },
        _ => lines.next_line().await?,
    };
    Ok(line.map_or(UserInput::End, UserInput::Line))
}

async fn run_command(line: &str, phone: &mut Handset<'_>, output: &mut impl Write) -> Result<(), PhoneError> {
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

pub(super) async fn hang_up(phone: &mut Handset<'_>, output: &mut impl Write) -> Result<(), PhoneError> {
    match phone.cancel().await {
        Ok(true) => writeln!(output, "Hung up.")?,
        Ok(false) => {}
        Err(error) => writeln!(output, "{error}")?,
    }
    Ok(())
}

/// Columns of text inside the frame.
const COLUMNS: usize = 32;

/// The screen as a phone shows it, with its cost below.
pub(super) fn frame(screen: &ReceivedScreen, limits: &UssdLimits) -> String {
    let edge = "-".repeat(COLUMNS + 2);
    let rows = screen
        .reply
        .text
        .lines()
        .flat_map(wrap)
        .map(|row| format!("| {row:COLUMNS$} |\n"));
    let rows: Vec<String> = rows.collect();
    let cost = match screen.septets {
        Ok(septets) => format!(" {septets}/{} septets ", limits.out_septets),
        Err(c) => format!(" {c:?} is not GSM 7-bit "),
    };
    let rule = "-".repeat((COLUMNS + 1).saturating_sub(cost.chars().count()));
    let state = if screen.reply.end { "END" } else { "CON" };
    let seconds = screen.took.as_secs_f64();
    let turn = screen.turn;
    format!(
        "+{edge}+\n{}+{rule}{cost}-+\n  {state}  turn {turn}  {seconds:.2} s\n",
        rows.concat()
    )
}

/// Breaks a line at spaces to fit the frame; a longer word is cut.
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
