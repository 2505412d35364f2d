//! The connection to Redis, and what its failures mean.
//!
//! All calls share one multiplexed connection, kept in a slot with a number. The library's own connection manager is not
//! used: it keeps a failed handshake for good, stays with a server that became a replica, and keeps a connection on which
//! nothing is answered any more. Here, whoever sees such a failure empties the slot, if the slot still holds the number it
//! used; the next caller dials and all others wait for that same dial. At most two dials start in any 100 ms, and until
//! the next one calls fail at once with the word of the last failure, so an outage costs neither a storm of connections
//! nor waiting callers. Dialling anew resolves the name anew, which is how the store finds the new primary after a
//! failover.
//!
//! Connections are made and driven on the runtime on which the store was opened. One made on a web worker's own runtime
//! would die with it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::store::StoreError;

/// At most two dials start in this time: one, and one more when what it gave is lost at once.
const REDIAL_WINDOW: Duration = Duration::from_millis(100);

type PendingConnection = Shared<BoxFuture<'static, Result<MultiplexedConnection, RedisFault>>>;

/// The one connection and how to make it anew.
pub(super) struct RedisConnection {
    client: Client,
    config: AsyncConnectionConfig,
    runtime: Handle,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    dial: Option<PendingConnection>,
    /// Counts dials, so that a late failure on an old connection does not take away a new one.
    number: u64,
    /// When the last two dials started, the older one first.
    started: [Option<Instant>; 2],
    /// Why the slot was emptied last.
    last_code: &'static str,
}

impl RedisConnection {
    pub fn new(client: Client, config: AsyncConnectionConfig, runtime: Handle) -> Self {
        Self {
            client,
            config,
            runtime,
            slot: Mutex::default(),
        }
    }

    /// The present connection and its number, dialled if there is none.
    pub async fn get(&self, deadline: Instant) -> Result<(u64, MultiplexedConnection), StoreError> {
        let (number, dial) = self.current()?;
        match timeout_at(deadline, dial).await {
            Ok(Ok(connection)) => Ok((number, connection)),
            Ok(Err(fault)) => {
                self.discard(number, fault.code);
                Err(fault.into())
            }
            Err(_) => Err(RedisFault::reconnecting(TIMEOUT).into()),
        }
    }

    fn current(&self) -> Result<(u64, PendingConnection), RedisFault> {
        let mut slot = self.slot();
        if let Some(dial) = &slot.dial {
            return Ok((slot.number, dial.clone()));
        }
        let now = Instant::now();
        let [older, newer] = slot.started;
        if older.is_some_and(|started| now < started + REDIAL_WINDOW) {
            return Err(RedisFault::reconnecting(slot.last_code));
        }
        let dial = self.dial();
        slot.number += 1;
        slot.started = [newer, Some(now)];
        slot.dial = Some(dial.clone());
        Ok((slot.number, dial))
    }

    fn dial(&self) -> PendingConnection {
        let (client, config) = (self.client.clone(), self.config.clone());
        let task = self
            .runtime
            .spawn(async move { client.get_multiplexed_async_connection_with_config(&config).await });
        async move {
            match task.await {
                Ok(dialled) => dialled.map_err(|error| RedisFault::from_redis(&error)),
                Err(_) => Err(RedisFault::reconnecting(UNREACHABLE)),
            }
        }
        .boxed()
        .shared()
    }

    /// Empties the slot if it still holds the connection with this number.
    pub fn discard(&self, number: u64, word: &'static str) {
        let mut slot = self.slot();
        if slot.number == number && slot.dial.take().is_some() {
            slot.last_code = word;
            drop(slot);
            tracing::warn!(word, "the connection to Redis is given up");
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) const TIMEOUT: &str = "timeout";
const REFUSED: &str = "refused";
pub(super) const CLOSED: &str = "closed";
const UNREACHABLE: &str = "unreachable";
const GARBLED: &str = "garbled";
pub(super) const MALFORMED: &str = "malformed";
pub(super) const OTHER: &str = "other";
pub(super) const WRONG_TYPE: &str = "WRONGTYPE";

/// The server's own words that we pass on, and whether another connection may lead to a server that can do better.
const SERVER_CODES: [(&str, bool); 16] = [
    ("OOM", false),
    ("MISCONF", false),
    (WRONG_TYPE, false),
    ("LOADING", false),
    ("BUSY", false),
    ("NOREPLICAS", false),
    ("NOPERM", false),
    ("NOSCRIPT", false),
    ("TRYAGAIN", false),
    ("READONLY", true),
    ("MASTERDOWN", true),
    ("CLUSTERDOWN", true),
    ("MOVED", true),
    ("ASK", true),
    ("NOAUTH", true),
    ("WRONGPASS", true),
];

/// What went wrong, in one word, and whether the connection is to be made anew.
#[derive(Clone, Copy)]
pub(super) struct RedisFault {
    pub code: &'static str,
    pub reconnect: bool,
}

impl RedisFault {
    pub const fn reconnecting(code: &'static str) -> Self {
        Self { code, reconnect: true }
    }

    pub fn from_redis(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::from_server(error),
            ErrorKind::AuthenticationFailed => Self::reconnecting("NOAUTH"),
            ErrorKind::UnexpectedReturnType => Self {
                code: MALFORMED,
                reconnect: false,
            },
            ErrorKind::Parse => Self::reconnecting(GARBLED),
            _ if error.is_timeout() => Self::reconnecting(TIMEOUT),
            _ if error.is_connection_refusal() => Self::reconnecting(REFUSED),
            _ if error.is_connection_dropped() => Self::reconnecting(CLOSED),
            _ => Self::reconnecting(UNREACHABLE),
        }
    }

    /// Before version 7, an error inside a script comes as `ERR` with the word further back in its text.
    fn from_server(error: &RedisError) -> Self {
        let detail = error.detail().unwrap_or_default();
        let mut words = error
            .code()
            .into_iter()
            .chain(detail.split(|c: char| !c.is_ascii_uppercase()));
        let known = |word: &str| SERVER_CODES.into_iter().find(|(known, _)| *known == word);
        match words.find_map(known) {
            Some((word, renew)) => Self {
                code: word,
                reconnect: renew,
            },
            None => Self {
                code: OTHER,
                reconnect: false,
            },
        }
    }
}

impl From<RedisFault> for StoreError {
    fn from(fault: RedisFault) -> Self {
        Self(fault.code.to_owned())
    }
}
