//! The sandbox's clock: the machine's clock plus an offset that can be advanced, so that what takes a day can be seen at once.
//!
//! The server and every stand-in use this clock, so that codes, sessions, limits, backoffs and jobs all come due together.
//! It only goes forward, also across a restart, because stored times would otherwise be in the future. So the offset is kept
//! in a file beside the other files of the sandbox. What is in progress when the clock is advanced, such as an answer that a
//! bank takes twenty seconds for, still takes its real time.
//!
//! `GET /phone/clock.json` returns `{"now", "ahead_ms"}`: the sandbox's time in milliseconds since the Unix epoch, and how far
//! it is ahead of the machine's clock. `POST /phone/clock` with `{"forward_s"}`, 1 to 2,678,400 seconds (31 days), advances
//! the clock and returns the same.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, Data, Json, ServiceConfig};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};

use crate::ambient::SystemClock;
use crate::core::time::{Clock, Timestamp};

/// The most that it can be advanced at once.
const MAX_ADVANCE: Duration = Duration::from_hours(31 * 24);

/// The most that it can ever be ahead, in milliseconds: about ten years, so that every date can still be written.
const MAX_AHEAD_MS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

pub struct SandboxClock {
    machine: Arc<dyn Clock>,
    ahead: AtomicI64,
    /// The file with the offset in milliseconds, as digits.
    file: PathBuf,
}

impl SandboxClock {
    /// A clock with the offset in this file, or zero without one.
    pub fn load(machine: Arc<dyn Clock>, file: PathBuf) -> Self {
        let kept = fs::read_to_string(&file)
            .ok()
            .and_then(|digits| digits.trim().parse().ok());
        Self {
            machine,
            ahead: AtomicI64::new(kept.unwrap_or(0).clamp(0, MAX_AHEAD_MS)),
            file,
        }
    }

    /// Advances it by this time, up to about ten years in all. If the offset cannot be stored, it lasts until this process
    /// ends.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(MAX_AHEAD_MS);
        let wound = |ahead: i64| Some(ahead.saturating_add(by).min(MAX_AHEAD_MS));
        // The closure always returns a value.
        let _ = self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, wound);
        if let Err(error) = fs::write(&self.file, self.ahead.load(Ordering::SeqCst).to_string()) {
            tracing::warn!(%error, "cannot store the offset of the sandbox clock");
        }
    }

    /// How far it is ahead of the machine's.
    pub fn ahead(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.ahead.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        self.machine.now().plus(self.ahead())
    }
}

/// A machine's clock that is wrong, for tests of several servers.
pub struct WrongClock {
    /// In milliseconds; behind when negative.
    pub ahead_ms: i64,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis().saturating_add(self.ahead_ms))
    }
}

#[derive(Serialize)]
struct ClockResponse {
    now: Timestamp,
    ahead_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceClock {
    forward_s: u64,
}

pub fn configure(config: &mut ServiceConfig, clock: Arc<SandboxClock>) {
    let clock = Data::from(clock);
    config
        .service(
            web::resource("/phone/clock.json")
                .app_data(clock.clone())
                .get(get_clock),
        )
        .service(web::resource("/phone/clock").app_data(clock).post(post_clock));
}

async fn get_clock(clock: Data<SandboxClock>) -> HttpResponse {
    clock_response(HttpResponse::Ok(), &clock)
}

/// Needs `content-type: application/json`, which no foreign web page can send unasked.
async fn post_clock(clock: Data<SandboxClock>, wind: Json<AdvanceClock>) -> HttpResponse {
    let by = Duration::from_secs(wind.forward_s);
    if by.is_zero() || by > MAX_ADVANCE {
        return clock_response(HttpResponse::BadRequest(), &clock);
    }
    clock.advance(by);
    tracing::info!(seconds = wind.forward_s, "sandbox clock advanced");
    clock_response(HttpResponse::Ok(), &clock)
}

fn clock_response(mut answer: HttpResponseBuilder, clock: &SandboxClock) -> HttpResponse {
    let ahead_ms = clock.ahead.load(Ordering::SeqCst);
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ClockResponse {
            now: clock.now(),
            ahead_ms,
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{MAX_AHEAD_MS, SandboxClock};
    use crate::ambient::SystemClock;
    use crate::core::time::{Clock, Timestamp};

    /// Time that goes backwards, also at a restart, or past the last date, would break what was stored.
    #[test]
    fn it_only_goes_forward_and_not_for_ever() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("clock");
        let clock = SandboxClock::load(Arc::new(SystemClock), file.clone());
        let mut before = clock.now();
        for (by, ahead_ms) in [
            (Duration::ZERO, 0),
            (Duration::from_mins(15), 900_000),
            (Duration::from_hours(24), 87_300_000),
            (Duration::MAX, u64::try_from(MAX_AHEAD_MS).expect("positive")),
            (Duration::from_secs(1), u64::try_from(MAX_AHEAD_MS).expect("positive")),
        ] {
            let machine: Timestamp = SystemClock.now();
            clock.advance(by);
            assert_eq!(clock.ahead(), Duration::from_millis(ahead_ms), "{by:?}");
            let now = clock.now();
            assert!(now >= before && now >= machine.plus(clock.ahead()), "{by:?}");
            before = now;
            assert_eq!(
                SandboxClock::load(Arc::new(SystemClock), file.clone()).ahead(),
                clock.ahead(),
                "{by:?}"
            );
        }
        for spoilt in ["", "-60000", "soon"] {
            std::fs::write(&file, spoilt).expect("written");
            assert_eq!(
                SandboxClock::load(Arc::new(SystemClock), file.clone()).ahead(),
                Duration::ZERO,
                "{spoilt:?}"
            );
        }
    }
}
