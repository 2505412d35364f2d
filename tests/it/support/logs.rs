//! Captures what is logged, at the finest level, of libraries too, to look for what must not be there.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::subscriber::DefaultGuard;
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

/// Everything logged on this thread since it was made. Proves on the way that it captures at all.
pub struct Logs {
    lines: CapturedLog,
    _guard: DefaultGuard,
}

/// Lines as they were written.
#[derive(Clone, Default)]
pub struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    /// All of them.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Logs {
    /// Captures from now on, until dropped.
    pub fn capture() -> Self {
        let lines = CapturedLog::default();
        let logs = Self {
            lines: lines.clone(),
            _guard: tracing::subscriber::set_default(finest(lines)),
        };
        tracing::trace!("a planted line");
        assert!(logs.text().contains("a planted line"), "nothing is captured");
        logs
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.lines.text()
    }

    /// Fails if any of `secrets` stands in it.
    pub fn hold_none_of(&self, secrets: &[&str]) {
        let text = self.text();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} was logged:\n{text}");
        }
    }
}

/// The log of this whole process, all its threads, captured from the first call on.
pub fn captured() -> CapturedLog {
    static LOG: OnceLock<CapturedLog> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = CapturedLog::default();
        tracing::subscriber::set_global_default(finest(log.clone())).unwrap();
        log
    });
    log.clone()
}

fn finest(lines: CapturedLog) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_writer(lines)
        .finish()
}

impl io::Write for CapturedLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CapturedLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
