//! The store in Redis: one server, or a primary behind a name or proxy that follows it.
//!
//! **Values.** A key holds 8 bytes of version, most significant first, then the blob, so the compare-and-set script reads
//! 8 bytes however large the blob is. A key that holds something else was not written by us. It reads as a value with an
//! empty blob, which does not open, and with the version `FOREIGN`. So its owner is not taken for a new subscriber, and is
//! not locked out until somebody deletes the key by hand.
//!
//! **Lost answers.** A swap is sent once. If its answer does not come, it may have happened, and only reading again can tell
//! ([`swap_or_confirm`](super::swap_or_confirm)). Reads and `set_index` can safely run twice, so they are sent once more when
//! the connection turns out to be closed: a server or a balancer may close it while it is idle.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, RedisResult, Script};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use self::connection::{CLOSED, MALFORMED, OTHER, RedisConnection, RedisFault, TIMEOUT, WRONG_TYPE};
use super::settings::RedisSettings;
use super::{
    IndexKey, SetupFinding, Severity, Store, StoreConnectError, StoreError, SwapResult, Version, VersionedValue,
};
use crate::core::seal::SubscriberTag;

mod connection;

/// Sets the value if its first 8 bytes are the expected version (empty: if there is no value). A key that is not a value of
/// ours, for instance a list, has the version [`FOREIGN`]. Returns 1 if it was set, otherwise 0.
const SWAP: &str = "\
local present = redis.pcall('GETRANGE', KEYS[1], 0, 7)
if type(present) == 'table' then
  if not string.find(present.err, 'WRONGTYPE') then return present end
  present = ARGV[4]
elseif #present > 0 and #present < 8 then
  present = ARGV[4]
end
if present ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// The version of anything under a subscriber's key that is not a value of ours. A value that we write has it with a chance
/// of one in 2^64, and that matters only while the key holds something foreign.
const FOREIGN: Version = Version(u64::MAX);

/// Written and read to prove that the server does both; no subscriber's key has this form.
const READY_KEY: &str = "kg:probe";

/// Redis refuses larger numbers.
const MAX_TTL: Duration = Duration::from_hours(24 * 365);

/// No call takes longer than this, whatever the options say.
const CALL_LIMIT: Duration = Duration::from_millis(950);

/// Timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisOptions {
    /// For a connection, its TLS and its login.
    pub connect: Duration,
    /// For the answer to one command.
    pub response: Duration,
    /// For a whole call of the store; at most 950 ms.
    pub call: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(400),
            response: Duration::from_millis(400),
            call: Duration::from_millis(850),
        }
    }
}

pub struct RedisStore {
    connection: RedisConnection,
    call: Duration,
    swap: Script,
}

impl RedisStore {
    /// A store at `url` (`redis://` or `rediss://`) on the current runtime. Nothing is sent yet.
    ///
    /// # Errors
    /// When `url` is not a Redis address, outside a runtime, or without a TLS provider where one is needed.
    pub fn connect(url: &str, options: RedisOptions) -> Result<Self, StoreConnectError> {
        if url.starts_with("rediss:") && rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(StoreConnectError::NoTlsProvider);
        }
        let info = url.into_connection_info().map_err(|_| StoreConnectError::BadAddress)?;
        // Requests and answers are small: waiting to fill a TCP segment would only delay them.
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self {
            connection: RedisConnection::new(
                Client::open(info).map_err(|_| StoreConnectError::BadAddress)?,
                AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(options.connect))
                    .set_response_timeout(Some(options.response))
                    .set_pipeline_buffer_size(1_024),
                Handle::try_current().map_err(|_| StoreConnectError::NoRuntime)?,
            ),
            call: options.call.min(CALL_LIMIT),
            swap: Script::new(SWAP),
        })
    }

    /// Runs `op` on the connection within the time of a call, and once more if the connection was closed and it may run twice.
    async fn run<T, F>(&self, retry: Retry, op: impl Fn(MultiplexedConnection) -> F + Send) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let deadline = Instant::now() + self.call;
        let mut retry = retry;
        loop {
            let (number, connection) = self.connection.get(deadline).await?;
            let fault = match timeout_at(deadline, op(connection)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => RedisFault::from_redis(&error),
                Err(_) => RedisFault::reconnecting(TIMEOUT),
            };
            if fault.reconnect {
                self.connection.discard(number, fault.code);
            }
            if fault.code != CLOSED || retry == Retry::Never {
                return Err(fault.into());
            }
            retry = Retry::Never;
        }
    }

    async fn query<T: redis::FromRedisValue + Send>(&self, retry: Retry, command: &Cmd) -> Result<T, StoreError> {
        let run = |mut connection| async move { command.query_async(&mut connection).await };
        self.run(retry, run).await
    }

    /// Reads one setting; `None` when the server does not allow it.
    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut config = redis::cmd("CONFIG");
        let asked: Result<HashMap<String, String>, _> = self.query(Retry::Once, config.arg("GET").arg(name)).await;
        match asked {
            Ok(mut answer) => Ok(answer.remove(name)),
            Err(StoreError(code)) if code == "NOPERM" || code == OTHER => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn inspect(&self) -> Result<Vec<SetupFinding>, StoreError> {
        self.ready().await?;
        let mut settings = RedisSettings {
            policy: self.setting("maxmemory-policy").await?,
            append_only: self.setting("appendonly").await?.map(|value| value == "yes"),
            ..RedisSettings::default()
        };
        match self.query::<String>(Retry::Once, &redis::cmd("INFO")).await {
            Ok(info) => settings.complete_from_info(&info),
            Err(StoreError(code)) if code == "NOPERM" || code == OTHER => {}
            Err(error) => return Err(error),
        }
        let mut findings = settings.findings();
        // No writer generates this version, so the script runs and changes nothing.
        let script = |mut connection| async move {
            let mut script = self.swap.key(READY_KEY);
            script.arg(&[0_u8][..]).arg("").arg(1).arg("");
            script.invoke_async::<u8>(&mut connection).await
        };
        if let Err(StoreError(code)) = self.run(Retry::Once, script).await {
            findings.push(SetupFinding::new(
                Severity::Error,
                format!("Redis does not run our script ({code}): allow EVALSHA and SCRIPT LOAD to this user"),
            ));
        }
        Ok(findings)
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        match self.query(Retry::Once, redis::cmd("GET").arg(value_key(tag))).await {
            Ok(value) => Ok(unpack(value)),
            Err(StoreError(code)) if code == WRONG_TYPE => Ok(Some(foreign())),
            Err(error) => Err(error),
        }
    }

    async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError> {
        let expected = expected.map(|version| version.0.to_be_bytes());
        let mut script = self.swap.key(value_key(tag));
        script
            .arg(expected.as_ref().map_or(&[][..], <[u8; 8]>::as_slice))
            .arg(pack(next))
            .arg(millis(ttl))
            .arg(&FOREIGN.0.to_be_bytes()[..]);
        let script = &script;
        let run = |mut connection| async move { script.invoke_async::<u8>(&mut connection).await };
        match self.run(Retry::Never, run).await? {
            1 => Ok(SwapResult::Won),
            _ => Ok(SwapResult::Lost),
        }
    }

    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(index_key(name))
            .arg(&tag.as_bytes()[..])
            .arg("PX")
            .arg(millis(ttl));
        self.query(Retry::Once, &set).await
    }

    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        let value: Option<Vec<u8>> = self.query(Retry::Once, redis::cmd("GET").arg(index_key(name))).await?;
        let tag = |bytes: Vec<u8>| bytes.try_into().map(SubscriberTag::from_bytes).map_err(|_| malformed());
        value.map(tag).transpose()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(READY_KEY).arg("1").arg("PX").arg(10_000);
        self.query::<()>(Retry::Once, &set).await?;
        match self.query(Retry::Once, redis::cmd("GET").arg(READY_KEY)).await? {
            Some(1_u8) => Ok(()),
            _ => Err(malformed()),
        }
    }

    async fn check_setup(&self) -> Vec<SetupFinding> {
        match self.inspect().await {
            Ok(findings) => findings,
            Err(StoreError(code)) => vec![SetupFinding::new(
                Severity::Error,
                format!("Redis cannot be read and written ({code})"),
            )],
        }
    }
}

/// Whether a call may be sent again when the connection was found closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    Never,
    Once,
}

fn malformed() -> StoreError {
    StoreError(MALFORMED.to_owned())
}

fn value_key(tag: &SubscriberTag) -> String {
    format!("kg:{{{}}}", tag.to_hex())
}

fn index_key(name: &IndexKey) -> String {
    format!("kg:i:{{{}}}", SubscriberTag::from_bytes(name.0).to_hex())
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(MAX_TTL).as_millis()).unwrap_or(u64::MAX).max(1)
}

fn pack(stored: &VersionedValue) -> Vec<u8> {
    [&stored.version.0.to_be_bytes()[..], &stored.bytes].concat()
}

/// The content of a key. An empty string is no value, as in the script.
fn unpack(value: Option<Vec<u8>>) -> Option<VersionedValue> {
    let value = value.filter(|value| !value.is_empty())?;
    Some(match value.split_first_chunk() {
        Some((version, bytes)) => VersionedValue {
            version: Version(u64::from_be_bytes(*version)),
            bytes: bytes.to_vec(),
        },
        None => foreign(),
    })
}

fn foreign() -> VersionedValue {
    VersionedValue {
        version: FOREIGN,
        bytes: Vec::new(),
    }
}
