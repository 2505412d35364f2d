//! What the machine could not give: how long threads that had something to do waited for a processor.
//!
//! A promise such as "answered within a second" is about the server, and is kept on a machine that lets it run. Beside
//! other work it may be late through no fault of its own, by as long as its threads, the test's and those of what the test
//! started waited for their turn. Linux counts that for each thread. On a quiet machine the sum is next to nothing, so the
//! promise is held as it is written; on a busy one the sum is granted, which is at least what mattered.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// To count takes a millisecond, so watches that are started at nearly the same time share what was counted at the first.
const FRESH: Duration = Duration::from_millis(100);

/// A stopwatch that knows what the machine could not give.
pub struct Stopwatch {
    began: Instant,
    waited: Duration,
}

impl Stopwatch {
    /// Starts one.
    pub fn start() -> Self {
        static LAST: Mutex<Option<(Instant, Duration)>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap();
        let fresh = last.filter(|(at, _)| at.elapsed() < FRESH);
        let (_, waited) = *last.insert(fresh.unwrap_or_else(|| (Instant::now(), waited())));
        Self {
            began: Instant::now(),
            waited,
        }
    }

    /// The time since its start.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time since its start, less what this process and all that it has started waited for a processor meanwhile.
    pub fn fair(&self) -> Duration {
        let elapsed = self.elapsed();
        // No promise is as short as this.
        if elapsed < FRESH * 3 {
            return elapsed;
        }
        elapsed.saturating_sub(waited().saturating_sub(self.waited))
    }
}

/// How long the threads of this process and of all below it have waited for a processor since they began. Threads that
/// have ended count no more, so the sum may fall.
fn waited() -> Duration {
    let mut processes = vec![std::process::id().to_string()];
    let mut nanos = 0;
    while let Some(process) = processes.pop() {
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let read = |file: &str| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
            // Three numbers: nanoseconds on a processor, nanoseconds waiting for one, and how often.
            nanos += read("schedstat")
                .split(' ')
                .nth(1)
                .and_then(|waited| waited.parse().ok())
                .unwrap_or(0);
            processes.extend(read("children").split_whitespace().map(str::to_owned));
        }
    }
    Duration::from_nanos(nanos)
}

#[cfg(test)]
mod tests {
    use std::hint::spin_loop;
    use std::thread;

    use super::*;

    /// Runs on one processor for so long.
    fn spin(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            spin_loop();
        }
    }

    /// More threads than processors wait for each other, and that is not counted.
    #[test]
    fn what_the_machine_could_not_give_is_not_counted() {
        let watch = Stopwatch::start();
        thread::scope(|scope| {
            for _ in 0..4 * thread::available_parallelism().unwrap().get() {
                scope.spawn(|| spin(Duration::from_millis(150)));
            }
            spin(Duration::from_millis(400));
            let (elapsed, fair) = (watch.elapsed(), watch.fair());
            assert!(fair < elapsed, "{fair:?} of {elapsed:?}");
        });
    }
}
