//! Stands between servers and Redis, keeps every value that was ever written, and brings old ones back: at once, or right
//! after a write, before anybody else knows that it happened. Redis does the same when it loses the end of its log, when a
//! replica that is behind takes over, and when somebody restores a file.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use kiungo::core::seal::{Keyring, SealContext, SubscriberTag};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::resp::{message_len, words};

/// As long as the product lets a value live.
const TTL: &str = "86400000";

/// How far a value goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Back {
    /// By one write.
    One,
    /// By two.
    Two,
    /// By half of all that there were.
    Many,
    /// To nothing at all.
    Nothing,
    /// Somebody puts one of the first values back by hand.
    ByHand,
}

impl Back {
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Many, Self::Nothing, Self::ByHand];
}

/// The recorder. It ends when dropped.
pub struct Recorder {
    port: u16,
    shared: Arc<Shared>,
    _end: oneshot::Sender<()>,
}

struct Shared {
    redis: u16,
    values: Mutex<HashMap<String, History>>,
}

/// What was done to one key.
#[derive(Default)]
struct History {
    /// Every value that was ever written, in order.
    written: Vec<Arc<[u8]>>,
    /// Which of them a log would hold that has lost only what was rolled back.
    log: Vec<usize>,
    armed: Option<Armed>,
    /// The version that was put back last, and whether anything was written on top of it.
    put_back: Option<[u8; 8]>,
    taken_up: usize,
}

/// What is done after so many more writes.
struct Armed {
    writes: usize,
    back: Back,
    done: oneshot::Sender<()>,
}

impl History {
    /// The value to go back to, which is then the last one in the log.
    fn go_back(&mut self, back: Back) -> Option<Arc<[u8]>> {
        let length = self.log.len();
        let kept = match back {
            Back::One => length.saturating_sub(1),
            Back::Two => length.saturating_sub(2),
            Back::Many => length.div_ceil(2),
            Back::Nothing => 0,
            Back::ByHand => {
                let early = self.log.get(length / 4).copied();
                self.log.extend(early);
                self.log.len()
            }
        };
        self.log.truncate(kept);
        let value = self.log.last().map(|index| self.written[*index].clone());
        self.put_back = value.as_ref().and_then(|value| value.first_chunk().copied());
        value
    }

    fn written(&mut self, expected: &[u8], value: &[u8]) -> Option<(Back, oneshot::Sender<()>)> {
        if self.put_back.is_some_and(|version| version == expected) {
            self.taken_up += 1;
            self.put_back = None;
        }
        self.log.push(self.written.len());
        self.written.push(value.into());
        let armed = self.armed.as_mut()?;
        armed.writes -= 1;
        if armed.writes > 0 {
            return None;
        }
        self.armed.take().map(|armed| (armed.back, armed.done))
    }
}

impl Recorder {
    /// One before the Redis on this port.
    pub fn before(redis: u16) -> Self {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        socket.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared {
            redis,
            values: Mutex::default(),
        });
        let (end, ended) = oneshot::channel();
        let running = shared.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                tokio::select! {
                    () = accept(socket, running) => {}
                    _ = ended => {}
                }
            });
        });
        Self {
            port,
            shared,
            _end: end,
        }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Rolls this person's value back now.
    pub async fn roll_back(&self, tag: &SubscriberTag, back: Back) {
        self.shared.roll_back(&key(tag), back).await;
    }

    /// Rolls this person's value back right after so many more writes; what is returned ends when it was done.
    pub fn arm(&self, tag: &SubscriberTag, writes: usize, back: Back) -> oneshot::Receiver<()> {
        let (done, fired) = oneshot::channel();
        self.shared.values().entry(key(tag)).or_default().armed = Some(Armed { writes, back, done });
        fired
    }

    /// Nothing is to be done to this person's value any more.
    pub fn disarm(&self, tag: &SubscriberTag) {
        if let Some(history) = self.shared.values().get_mut(&key(tag)) {
            history.armed = None;
        }
    }

    /// How often the product went on from a value of this person that was put back.
    pub fn taken_up(&self, tag: &SubscriberTag) -> usize {
        self.shared
            .values()
            .get(&key(tag))
            .map_or(0, |history| history.taken_up)
    }

    /// Every value of this person that was ever written: as it was written, and what is in it.
    pub fn contents(&self, tag: &SubscriberTag, keyring: &Keyring) -> Vec<(Arc<[u8]>, Vec<u8>)> {
        let values = self.shared.values();
        let written = values.get(&key(tag)).map_or(&[][..], |history| &history.written);
        let opened = written.iter().filter(|value| value.len() > 8).map(|value| {
            let (version, sealed) = value.split_at(8);
            let context = SealContext {
                purpose: "live",
                subject: tag.as_bytes(),
                record: version,
                field: "subscriber",
            };
            let plain = keyring.open(&context, sealed).expect("a value of the product's");
            (value.clone(), plain.to_vec())
        });
        opened.collect()
    }
}

fn key(tag: &SubscriberTag) -> String {
    format!("kg:{{{}}}", tag.to_hex())
}

impl Shared {
    fn values(&self) -> MutexGuard<'_, HashMap<String, History>> {
        self.values.lock().unwrap()
    }

    async fn roll_back(&self, key: &str, back: Back) {
        let value = self.values().entry(key.to_owned()).or_default().go_back(back);
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.redis)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
        let command = match value {
            Some(value) => redis::cmd("SET").arg(key).arg(&value[..]).arg("PX").arg(TTL).to_owned(),
            None => redis::cmd("DEL").arg(key).to_owned(),
        };
        let _: redis::Value = command.query_async(&mut connection).await.expect("Redis answers");
    }
}

/// A compare-and-set on its way.
struct Swap {
    key: String,
    expected: Vec<u8>,
    value: Vec<u8>,
}

impl Swap {
    /// What this command is, if it is one: the product's script with a person's key.
    fn of(command: &[u8]) -> Option<Self> {
        let words = words(command);
        let [script, _, _, key, expected, value, ..] = words[..] else {
            return None;
        };
        (script.eq_ignore_ascii_case(b"EVALSHA") && key.starts_with(b"kg:{")).then(|| Self {
            key: String::from_utf8_lossy(key).into_owned(),
            expected: expected.to_vec(),
            value: value.to_vec(),
        })
    }
}

/// What is to be answered on a connection, in order.
type Pending = Mutex<VecDeque<Option<Swap>>>;

async fn accept(socket: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(socket).unwrap();
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(carry(stream, shared.clone()));
    }
}

async fn carry(mut client: TcpStream, shared: Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], shared.redis))).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let pending = Pending::default();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        () = pass_commands(from_client, to_server, &pending) => {}
        () = pass_answers(from_server, to_client, &pending, &shared) => {}
    }
}

async fn pass_commands(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, pending: &Pending) {
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = message_len(&buffer) {
            pending.lock().unwrap().push_back(Swap::of(&buffer[..length]));
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
            buffer.drain(..length);
        }
        if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

async fn pass_answers(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, pending: &Pending, shared: &Shared) {
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = message_len(&buffer) {
            let swap = pending.lock().unwrap().pop_front().flatten();
            if let Some(swap) = swap.filter(|_| buffer.starts_with(b":1\r\n")) {
                let due = shared
                    .values()
                    .entry(swap.key.clone())
                    .or_default()
                    .written(&swap.expected, &swap.value);
                if let Some((back, done)) = due {
                    shared.roll_back(&swap.key, back).await;
                    let _ = done.send(());
                }
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
            buffer.drain(..length);
        }
        if !matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}
