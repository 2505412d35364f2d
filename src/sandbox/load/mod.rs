//! `kiungo load`: many people who dial at once, for measuring a server from outside, over real connections.
//!
//! It shares the machine with what it measures, so all of it runs on one thread, in one task: `callers` take the turns of a
//! `journey` when the `schedule` says so, over a connection to the `target` each, and a `tally` keeps what came of them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::core::time::Rng;

use self::args::LoadArgs;
use self::callers::Load;
use self::schedule::Schedule;
use self::tally::Tally;
use self::target::Target;

pub mod args;
mod callers;
mod journey;
mod report;
mod schedule;
mod tally;
mod target;

/// How often a line of progress is written.
const PROGRESS: Duration = Duration::from_secs(1);

/// Why nothing was measured, or that turns failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the callback must be an http:// URL, such as http://127.0.0.1:8080/ussd/sandbox/sandbox")]
    Address,
    #[error("{0:?} cannot be resolved: {1}")]
    Unresolved(String, #[source] io::Error),
    #[error(
        "{host:?} is not this machine ({address}), and nothing was sent: a load test keeps everybody else who is served \
         there waiting, and leaves dialogs under numbers that people may have. If the server is yours and serves nobody, \
         say --allow-remote"
    )]
    NotLoopback { host: String, address: std::net::IpAddr },
    /// They have been printed by kind.
    #[error("{errors} of {turns} turns failed")]
    FailedTurns { errors: u64, turns: u64 },
    #[error("no turn was taken")]
    NoTurns,
    #[error(transparent)]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Drives turns as `args` say, with a line of progress each second on `err`, and prints what was measured on `out`.
///
/// # Errors
/// When nothing could be measured, or any turn failed; what was measured has been printed then.
pub async fn run(args: &LoadArgs, rng: &dyn Rng, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), LoadError> {
    let target = Target::resolve(&args.url, args.allow_remote).await?;
    let tally = RefCell::new(Tally::new(args.deadline())?);
    let schedule = Schedule::start(args);
    let load = Load {
        args,
        target: &target,
        schedule: &schedule,
        tally: &tally,
        rng,
    };
    tokio::select! {
        () = load.all_callers() => {}
        () = schedule.given_up() => {}
        told = progress(&tally, schedule.began(), err) => return Err(told.into()),
    }
    let mut tally = tally.into_inner();
    // Due, and after twice the deadline not even begun: a server that stalls must not hide it.
    tally.never_answered(schedule.turns().map_or(0, |turns| turns.saturating_sub(tally.turns())));
    let elapsed = schedule.began().elapsed();
    report::write(args, &tally, elapsed, out)?;
    match (tally.errors(), tally.turns()) {
        (_, 0) => Err(LoadError::NoTurns),
        (0, _) => Ok(()),
        (errors, turns) => Err(LoadError::FailedTurns { errors, turns }),
    }
}

/// Writes lines until they cannot be written.
async fn progress(tally: &RefCell<Tally>, began: Instant, err: &mut dyn Write) -> io::Error {
    let mut ticks = tokio::time::interval(PROGRESS);
    ticks.tick().await;
    let mut before = 0;
    loop {
        ticks.tick().await;
        let line = report::progress_line(&tally.borrow(), before, began.elapsed());
        before = tally.borrow().turns();
        if let Err(error) = writeln!(err, "{line}") {
            return error;
        }
    }
}
