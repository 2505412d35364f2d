//! What was measured, for people and for scripts. Not where: the callback's path has the channel's secret in it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::args::LoadArgs;
use super::tally::Tally;

#[derive(Serialize)]
struct Figures {
    people: u32,
    callers: u32,
    /// Turns a second that were asked for; none in a closed loop.
    rate: Option<u32>,
    /// How long it took.
    seconds: f64,
    /// All of them.
    turns: u64,
    good: u64,
    /// Good ones.
    turns_per_second: f64,
    latency_ms: Latencies,
    deadline_ms: u32,
    /// A share of all turns, from 0 to 1.
    over_deadline: f64,
    /// Turns by kind.
    errors: BTreeMap<String, u64>,
}

/// Of good answers, in milliseconds.
#[derive(Serialize)]
struct Latencies {
    p50: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

/// Writes the figures, as lines or as one JSON object.
pub(super) fn write(args: &LoadArgs, tally: &Tally, elapsed: Duration, out: &mut dyn Write) -> io::Result<()> {
    let quantile = |share| millis(tally.quantile(share));
    let figures = Figures {
        people: args.people,
        callers: args.callers.min(args.people),
        rate: args.rate,
        seconds: elapsed.as_secs_f64(),
        turns: tally.turns(),
        good: tally.good(),
        turns_per_second: float(tally.good()) / elapsed.as_secs_f64(),
        latency_ms: Latencies {
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: millis(tally.max()),
        },
        deadline_ms: args.deadline_ms,
        over_deadline: float(tally.over_deadline()) / float(tally.turns().max(1)),
        errors: tally.errors_by_kind(),
    };
    if args.json {
        return writeln!(out, "{}", serde_json::to_string(&figures)?);
    }
    write_lines(&figures, out)
}

fn write_lines(figures: &Figures, out: &mut dyn Write) -> io::Result<()> {
    let Latencies {
        p50,
        p90,
        p99,
        p999,
        max,
    } = figures.latency_ms;
    let pace = figures.rate.map_or("as fast as answers came".to_owned(), |rate| {
        format!("{rate} due a second, latencies from then on")
    });
    writeln!(
        out,
        "turns          {} in {:.1} s, {} callers, {pace}",
        figures.turns, figures.seconds, figures.callers
    )?;
    writeln!(out, "turns/s        {:.0}", figures.turns_per_second)?;
    writeln!(
        out,
        "latency        p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms"
    )?;
    let (deadline, over) = (figures.deadline_ms, 100.0 * figures.over_deadline);
    writeln!(out, "over {deadline:>5} ms  {over:.3} %")?;
    if figures.errors.is_empty() {
        writeln!(out, "errors         none")?;
    }
    for (kind, count) in &figures.errors {
        writeln!(out, "errors         {count} {kind}")?;
    }
    Ok(())
}

/// One line a second: what there is so far, and how many turns since the line before.
pub(super) fn progress_line(tally: &Tally, before: u64, elapsed: Duration) -> String {
    let (turns, errors) = (tally.turns(), tally.errors());
    format!(
        "{:>5.0} s  {turns:>9} turns  {:>7}/s  p99 {:>8.2} ms  {errors} errors",
        elapsed.as_secs_f64(),
        turns - before,
        millis(tally.quantile(0.99)),
    )
}

fn millis(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and shown to a few digits")]
fn float(count: u64) -> f64 {
    count as f64
}
