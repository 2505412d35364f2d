//! Logging blocks nobody and keeps libraries quiet.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use kiungo::config::{LogConfig, LogFormat, LogLevel};
use kiungo::service::metrics::Metrics;
use kiungo::telemetry::{LogQueue, subscriber};

/// Longer than anything here takes, so that a fault is a failure and not a hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pipe that is not read at first.
struct Stuck {
    go: Receiver<()>,
    waits: Sender<()>,
    written: Sender<Vec<u8>>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.waits.send(());
        let _ = self.go.recv();
        let _ = self.written.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const JSON: LogConfig = LogConfig {
    format: LogFormat::Json,
    level: LogLevel::Trace,
};

/// When nobody reads the log, lines are dropped and counted, and the logging code continues.
#[test]
fn a_stuck_log_holds_up_nobody() {
    let ((let_go, go), (waits, waiting), (written, lines)) = (channel(), channel(), channel());
    let metrics = Metrics::new();
    let writer = LogQueue::start(Stuck { go, waits, written }, metrics.log_lines_dropped()).unwrap();
    let subscriber = subscriber(JSON, writer).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "kiungo", "first");
        waiting.recv_timeout(PATIENCE).unwrap();
        for line in 0..10_000 {
            tracing::info!(target: "kiungo", line, "more");
        }
    });
    let dropped = metrics.log_lines_dropped().get();
    assert_eq!(dropped, 10_000 - 8_192);
    drop(let_go);
    let written: Vec<_> = lines.iter().collect();
    assert_eq!(written.len(), 1 + 8_192);
}

/// Libraries log only warnings even when our own lines have the finest level, and JSON lines are JSON.
#[test]
fn libraries_are_kept_quiet() {
    let (written, lines) = channel();
    let ((_, go), (waits, _keep)) = (channel(), channel());
    let writer = LogQueue::start(Stuck { go, waits, written }, Metrics::new().log_lines_dropped()).unwrap();
    let subscriber = subscriber(JSON, writer).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "actix_http", "info of a library");
        tracing::warn!(target: "actix_http", "warning of a library");
        tracing::trace!(target: "kiungo::http", status = 200, "ours");
    });
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_slice(&line).unwrap())
        .collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["warning of a library", "ours"]);
    assert_eq!(lines[1]["status"], 200);
}
