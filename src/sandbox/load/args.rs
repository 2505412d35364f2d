//! The command line of `kiungo load`.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;

use crate::sandbox::phone::callback_client::DEFAULT_URL;

/// What `kiungo load --help` says below the options.
pub const HELP: &str = "\
What it does: people dial, agree, turn two pages of the list of banks and turn back; six turns, each on an answer to the
one before. The number of a person is +234803 and seven digits: 0000000 for the first. The forms are those of Africa's
Talking; an answer must begin with \"CON \" or \"END \".

Without --rate the loop is closed: each of the --callers sends its next turn when the last is answered. That finds how
many turns a second a server can answer. With --rate turns come at fixed moments whether or not the last were answered, and
a latency counts from the moment a turn was due: a server that stalls cannot hide it by slowing down those who measure. That
finds how long people wait. Let there be enough callers: rate times the longest wait you expect.

Errors, by kind: connect (nobody accepts), lost (the connection broke before the answer was whole), timeout (no answer
within twice the deadline), http_NNN (another status than 200), not_con_or_end (an answer outside the dialect), early_end
(an END before the journey's last turn: often load that was shed, see [limits]). After an error the next journey begins.
Turns a second and latencies are of good answers; the share over the deadline is of all turns, and a timeout is over it.

Exit codes: 0 every turn was answered well, however late; 1 at least one was not, or nothing was done; 2 the command line
is wrong.

Examples:
  kiungo load --seconds 30                              how many turns a second does the sandbox answer?
  kiungo load --rate 500 --seconds 60                   how long do people wait at 500 turns a second?
  kiungo load --turns 1 --once --people 100000          leave a hundred thousand dialogs open
  kiungo load --json 2>/dev/null | jq .latency_ms.p99   for a script

A sandbox sheds load above its limits; to measure without them start it with KIUNGO_LIMITS__TURNS_PER_SECOND=100000 and
KIUNGO_LIMITS__PERSON_TURNS_PER_MINUTE=6000.";

/// Options of `kiungo load`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct LoadArgs {
    /// The callback: http://, on this machine.
    #[arg(long, default_value = DEFAULT_URL)]
    pub url: String,
    /// How many people there are. They dial one after the other, then again from the first.
    #[arg(long, default_value_t = 10_000, value_parser = within(1, 10_000_000))]
    pub people: u32,
    /// The first person's place in the numbers: another one than before makes them other people.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = within(0, 9_999_999))]
    pub first: u32,
    /// How many of them are on the phone at once: each has a connection. No more than there are people.
    #[arg(long, default_value_t = 32, value_parser = within(1, 20_000))]
    pub callers: u32,
    /// Turns a second, of all people together, on a fixed schedule. Left out: as fast as answers come.
    #[arg(long, value_name = "TURNS", value_parser = within(1, 1_000_000))]
    pub rate: Option<u32>,
    /// How long turns are begun, in seconds.
    #[arg(long, default_value_t = 10, value_parser = within(1, 86_400))]
    pub seconds: u32,
    /// End when every person has made one journey, however long it takes.
    #[arg(long, conflicts_with_all = ["rate", "seconds"])]
    pub once: bool,
    /// How many turns of the journey are taken, of the six; 1 only dials.
    #[arg(long, value_name = "1..6", default_value_t = 6, value_parser = within(1, 6))]
    pub turns: u32,
    /// By when a gateway wants its answer, in milliseconds. Later ones are counted.
    #[arg(long, value_name = "MS", default_value_t = 4_000, value_parser = within(1, 600_000))]
    pub deadline_ms: u32,
    /// The service code that is dialled.
    #[arg(long, default_value = "*384*96#")]
    pub code: String,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
    /// Let the callback be on another machine, one that is yours and that nobody else is served by.
    #[arg(long)]
    pub allow_remote: bool,
}

fn within(least: u32, most: u32) -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(u64::from(least)..=u64::from(most))
}

impl LoadArgs {
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms.into())
    }

    /// How long one answer is waited for.
    pub fn timeout(&self) -> Duration {
        2 * self.deadline()
    }
}
