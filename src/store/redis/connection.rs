//! The connection to Redis, and what its failures mean.
//!
//! All calls share one multiplexed connection, which is kept in a numbered slot. The library's own connection manager is
//! not used: it keeps a failed handshake forever, stays with a server that became a replica, and keeps a connection that no
//! longer answers. Here, a caller that sees such a failure empties the slot, if the slot still has the number of its
//! connection; the next caller connects, and all others wait for that attempt. At most two attempts start in any 100 ms.
//! Until the next one may start, calls fail at once with the code of the last failure, so an outage causes neither a storm
//! of connections nor waiting callers. Each attempt resolves the host name again, which is how the store finds the new
//! primary after a failover.
//!
//! Connections are made and driven on the runtime on which the store was opened: one that is made on the runtime of a web
//! worker would end with it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::store::StoreError;

/// At most two connection attempts start in this time: one, and another if its connection is lost at once.
const REDIAL_WINDOW: Duration = Duration::from_millis(100);

type PendingConnection = Shared<BoxFuture<'static, Result<MultiplexedConnection, RedisFault>>>;

/// The one connection, and how to make another.
pub(super) struct RedisConnection {
    client: Client,
    config: AsyncConnectionConfig,
    runtime: Handle,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    dial: Option<PendingConnection>,
    /// Counts connection attempts, so that a late failure on an old connection does not discard a new one.
    number: u64,
    /// When the last two attempts started, the older one first.
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

    /// The current connection and its number; connects if there is none.
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
                Ok(connected) => connected.map_err(|error| RedisFault::from_redis(&error)),
                Err(_) => Err(RedisFault::reconnecting(UNREACHABLE)),
            }
        }
        .boxed()
        .shared()
    }

    /// Empties the slot if it still has the connection with this number.
    pub fn discard(&self, number: u64, code: &'static str) {
        let mut slot = self.slot();
        if slot.number == number && slot.dial.take().is_some() {
            slot.last_code = code;
            drop(slot);
            tracing::warn!(code, "Redis connection closed");
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

/// The server's error codes that we pass on, and whether reconnecting may lead to a server that can do better.
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

/// What went wrong, as one code, and whether to reconnect.
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

    /// Before version 7, an error inside a script has the code `ERR`, with the real code further back in its text.
    fn from_server(error: &RedisError) -> Self {
        let detail = error.detail().unwrap_or_default();
        let mut codes = error
            .code()
            .into_iter()
            .chain(detail.split(|c: char| !c.is_ascii_uppercase()));
        let known = |code: &str| SERVER_CODES.into_iter().find(|(known, _)| *known == code);
        match codes.find_map(known) {
            Some((code, reconnect)) => Self { code, reconnect },
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
