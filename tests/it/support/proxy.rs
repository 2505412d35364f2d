//! A TCP proxy that breaks things on purpose, and mends them again, while it runs.
//!
//! It has a thread and a runtime of its own, so that a test which blocks its runtime does not also slow the network. A
//! connection that was open while the proxy was a blackhole stays one for good, as one does whose state a firewall has
//! forgotten: anyone who holds it has to make a new one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};

/// What the proxy does to connections, those already open included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Passes everything on.
    None,
    /// Passes everything on, this much later in each direction.
    Delay(Duration),
    /// Accepts and never answers.
    Blackhole,
    /// Resets every connection.
    Reset,
    /// Accepts nothing, and closes what is open.
    Refuse,
    /// Ends the answers' direction and goes on taking requests.
    HalfClose,
    /// Lets this many bytes of answers through on each connection, then closes it.
    Limit(usize),
    /// Passes everything on until a request with this in it has passed: from then on it is [`Fault::HoldAnswers`].
    HoldAfter(&'static str),
    /// Passes requests on, and holds the answers until it is something else.
    HoldAnswers,
    /// Passes requests on; throws the next answer away, closes its connection, and is whole again.
    LoseAnswer,
}

/// The proxy. It ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    _end: oneshot::Sender<()>,
}

struct Control {
    fault: watch::Sender<Fault>,
    upstream: watch::Sender<SocketAddr>,
    accepted: AtomicUsize,
}

impl Proxy {
    /// A whole proxy before `upstream` on 127.0.0.1.
    pub fn before(upstream: u16) -> Self {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        socket.set_nonblocking(true).unwrap();
        let control = Arc::new(Control {
            fault: watch::Sender::new(Fault::None),
            upstream: watch::Sender::new(local(upstream)),
            accepted: AtomicUsize::new(0),
        });
        let (end, ended) = oneshot::channel();
        let running = control.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(socket, running) => {}
                    _ = ended => {}
                }
            });
        });
        Self {
            address,
            control,
            _end: end,
        }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        self.control.fault.send_replace(fault);
    }

    /// New connections go to this port; those that are open stay where they are.
    pub fn repoint(&self, upstream: u16) {
        self.control.upstream.send_replace(local(upstream));
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.control.accepted.load(Ordering::Relaxed)
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn accept(socket: std::net::TcpListener, control: Arc<Control>) {
    let address = socket.local_addr().unwrap();
    let mut listener = Some(TcpListener::from_std(socket).unwrap());
    let mut fault = control.fault.subscribe();
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let refusing = *fault.borrow_and_update() == Fault::Refuse;
        if refusing {
            listener = None;
        } else if listener.is_none() {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(address).unwrap();
            listener = Some(socket.listen(128).unwrap());
        }
        let Some(listening) = &listener else {
            fault.changed().await.unwrap();
            continue;
        };
        tokio::select! {
            changed = fault.changed() => changed.unwrap(),
            stream = listening.accept() => {
                control.accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(carry(stream.unwrap().0, control.clone()));
            }
        }
    }
}

/// Carries one connection until it ends, by itself or by a fault.
async fn carry(mut client: TcpStream, control: Arc<Control>) {
    let breaking = |fault: &Fault| matches!(fault, Fault::Reset | Fault::Refuse | Fault::Blackhole);
    let target = *control.upstream.borrow();
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            biased;
            fault = control.reaches(breaking) => Some(fault),
            () = pass_requests(from_client, to_server, &control) => None,
            () = pass_answers(from_server, to_client, &control) => None,
        }
    };
    match broken {
        Some(Fault::Blackhole) => std::future::pending().await,
        Some(Fault::Reset) => client.set_zero_linger().unwrap(),
        _ => {}
    }
}

async fn pass_requests(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, control: &Control) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        control.delay().await;
        let fault = *control.fault.borrow();
        if let Fault::HoldAfter(sign) = fault
            && buffer[..length].windows(sign.len()).any(|part| part == sign.as_bytes())
        {
            control.fault.send_replace(Fault::HoldAnswers);
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn pass_answers(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, control: &Control) {
    let mut buffer = vec![0; 64 * 1024];
    let mut passed = 0;
    loop {
        let length = tokio::select! {
            _ = control.reaches(|fault| *fault == Fault::HalfClose) => {
                let _ = to.shutdown().await;
                return std::future::pending().await;
            }
            read = from.read(&mut buffer) => match read {
                Ok(length @ 1..) => length,
                _ => return,
            },
        };
        control.delay().await;
        control.reaches(|fault| *fault != Fault::HoldAnswers).await;
        let now = *control.fault.borrow();
        let length = match now {
            Fault::LoseAnswer => {
                control.fault.send_replace(Fault::None);
                return;
            }
            Fault::Limit(limit) => length.min(limit.saturating_sub(passed)),
            _ => length,
        };
        passed += length;
        if to.write_all(&buffer[..length]).await.is_err() || matches!(now, Fault::Limit(limit) if passed >= limit) {
            return;
        }
    }
}

impl Control {
    /// Waits for a fault of this kind, which may be there already.
    async fn reaches(&self, kind: impl Fn(&Fault) -> bool) -> Fault {
        *self.fault.subscribe().wait_for(kind).await.unwrap()
    }

    async fn delay(&self) {
        let fault = *self.fault.borrow();
        if let Fault::Delay(by) = fault {
            tokio::time::sleep(by).await;
        }
    }
}
