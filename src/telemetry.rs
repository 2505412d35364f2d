//! Logging: to standard error, as text or JSON, without ever blocking and without secrets.
//!
//! Three rules are built in here. Libraries log warnings and errors only, whatever the configuration says, because their
//! finer levels print what goes over the wire. Lines are handed to one thread that writes them, and are dropped and counted
//! if it cannot keep up: a full disk, or a pipe that nobody reads, must not hold up a person at a phone. And a panic is
//! logged with its location only, because its message may quote what was being processed.

use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The most lines that wait to be written; some megabytes at most.
const QUEUE_CAPACITY: usize = 8192;

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("cannot start the thread that writes the log: {0}")]
    WriterThread(#[source] io::Error),
    #[error("logging is set up already")]
    AlreadyInitialized,
    #[error("the log filter is not understood")]
    InvalidFilter,
}

/// While lines keep coming they are looked for this often: to wake the thread that writes them for each costs those who
/// log more than the line.
const PAUSE: Duration = Duration::from_millis(5);

/// How long the end of the program waits for what was logged last.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Changes how much is logged while the server runs. What was logged before it is dropped has been written then.
pub struct LevelSwitch {
    set: Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>,
    lines: Option<LogQueue>,
}

impl LevelSwitch {
    fn new(set: impl Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync + 'static) -> Self {
        Self {
            set: Box::new(set),
            lines: None,
        }
    }

    /// # Errors
    /// When the level is not a valid filter, or logging has ended; not in practice.
    pub fn set(&self, level: LogLevel) -> Result<(), TelemetryError> {
        (self.set)(filter(level)?).map_err(|_| TelemetryError::InvalidFilter)
    }
}

impl Drop for LevelSwitch {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.flush(LAST_LINES);
        }
    }
}

/// Libraries stay at warnings, whatever the level of our own lines.
fn filter(level: LogLevel) -> Result<EnvFilter, TelemetryError> {
    let level = level.as_str();
    EnvFilter::try_new(format!("warn,kiungo={level}")).map_err(|_| TelemetryError::InvalidFilter)
}

/// Starts logging to standard error, counting dropped lines.
///
/// # Errors
/// When no thread can be started, or logging is set up already.
pub fn init(log: LogConfig, dropped: Counter) -> Result<LevelSwitch, TelemetryError> {
    let lines = LogQueue::start(io::stderr(), dropped).map_err(TelemetryError::WriterThread)?;
    let (subscriber, mut switch) = switchable(log, lines.clone())?;
    switch.lines = Some(lines);
    subscriber.try_init().map_err(|_| TelemetryError::AlreadyInitialized)?;
    panic::set_hook(Box::new(|info| {
        let (file, line) = info.location().map_or(("", 0), |at| (at.file(), at.line()));
        tracing::error!(file, line, "panic");
    }));
    Ok(switch)
}

/// Formats lines and hands them to `writer`.
///
/// # Errors
/// When the level is not a valid filter; not in practice.
pub fn subscriber<W>(log: LogConfig, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    switchable(log, writer).map(|(subscriber, _)| subscriber)
}

type Switchable = (Box<dyn Subscriber + Send + Sync>, LevelSwitch);

fn switchable<W>(log: LogConfig, writer: W) -> Result<Switchable, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = fmt::Subscriber::builder()
        .with_env_filter(filter(log.level)?)
        .with_writer(writer)
        .with_ansi(false);
    Ok(match log.format {
        LogFormat::Text => {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            (
                Box::new(builder.finish()),
                LevelSwitch::new(move |filter| handle.reload(filter)),
            )
        }
        LogFormat::Json => {
            let builder = builder
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .with_filter_reloading();
            let handle = builder.reload_handle();
            (
                Box::new(builder.finish()),
                LevelSwitch::new(move |filter| handle.reload(filter)),
            )
        }
    })
}

enum LogMessage {
    Line(Vec<u8>),
    /// Says that all before it has been written.
    Flush(SyncSender<()>),
}

/// Hands lines to the writer thread.
#[derive(Clone)]
pub struct LogQueue {
    sender: SyncSender<LogMessage>,
    dropped: Arc<Counter>,
}

impl LogQueue {
    /// Starts the thread that writes to `out`. It ends when the last handle is dropped.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(mut out: impl Write + Send + 'static, dropped: Counter) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_CAPACITY);
        let dropped = Arc::new(dropped);
        let lost = Arc::clone(&dropped);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let mut take = |message| match message {
                LogMessage::Line(line) => {
                    if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                        lost.inc();
                    }
                }
                LogMessage::Flush(told) => drop(told),
            };
            while let Ok(first) = receiver.recv() {
                take(first);
                let mut quiet = false;
                while !quiet {
                    thread::sleep(PAUSE);
                    quiet = receiver.try_iter().map(&mut take).count() == 0;
                }
            }
        })?;
        Ok(Self { sender, dropped })
    }

    /// Waits, for so long at most, until what was logged is written; also where the queue is full.
    fn flush(&self, most: Duration) {
        let until = Instant::now() + most;
        let (tell, told) = sync_channel(0);
        let mut message = LogMessage::Flush(tell);
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message) {
            if Instant::now() >= until {
                return;
            }
            message = back;
            thread::sleep(PAUSE);
        }
        // Nothing is sent: the other end goes once all before it is written.
        let _ = told.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine {
            text: Vec::with_capacity(256),
            queue: self,
        }
    }
}

/// One line, queued when dropped.
pub struct LogLine<'a> {
    text: Vec<u8>,
    queue: &'a LogQueue,
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine<'_> {
    fn drop(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() && self.queue.sender.try_send(LogMessage::Line(text)).is_err() {
            self.queue.dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Writes nothing until it is let, and tells of every line.
    struct GatedWriter {
        gate: Option<Receiver<()>>,
        written: Sender<Vec<u8>>,
    }

    impl Write for GatedWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(gate) = self.gate.take() {
                gate.recv().unwrap();
            }
            self.written.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The end of the program waits for the last line, also behind a full queue; but not for ever.
    #[test]
    fn the_last_lines_are_written() {
        let (open, gate) = channel();
        let (tell, written) = channel();
        let writer = GatedWriter {
            gate: Some(gate),
            written: tell,
        };
        let dropped = Counter::default();
        let lines = LogQueue::start(writer, dropped.clone()).unwrap();
        while dropped.get() == 0 {
            lines.make_writer().write_all(b"a line").unwrap();
        }
        lines.flush(Duration::from_millis(1));
        assert_eq!(written.try_iter().count(), 0);
        thread::scope(|scope| {
            let flushed = scope.spawn(|| lines.flush(PATIENCE));
            open.send(()).unwrap();
            flushed.join().unwrap();
        });
        assert!(written.try_iter().count() >= QUEUE_CAPACITY);
    }
}
