//! How long we wait for a connection.
//!
//! The web server's own timers do not suit connections that gateways keep open. The one for request heads applies to the
//! first request only; it answers `408` on a connection on which nothing was asked (and a client that keeps connections open
//! takes that for the answer to its next request); and afterwards a head may come as slowly as it likes. So they are
//! switched off, and the stream itself keeps the time: once it is over, a read reports that the peer has closed, which makes
//! the server close silently.
//!
//! | waiting for | at most |
//! |---|---|
//! | anything at all on a new connection | [`ConnectionTimeouts::first`] |
//! | the first byte of a further request | [`ConnectionTimeouts::idle`] |
//! | the rest of its head | [`ConnectionTimeouts::head`] from that byte |
//! | its body and our answer, which have shorter limits of their own in the routes | [`ConnectionTimeouts::response`] from the end of the head |
//! | a peer that does not read what we write | the timeout of the phase before |
//!
//! What is read at a time is bounded too: the server takes apart all that it has read before anybody uses it, and of a body
//! in chunks of one byte each chunk becomes many bytes of memory.
//!
//! A connection that only waits, or of whose request a stranger has sent a part, may be closed sooner for another one, see
//! [`super::connections`].
//!
//! What cannot be changed from here: a head that is not HTTP is answered with an empty `400`, and one beyond 128 KiB with an
//! empty `431`; then the connection is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::connections::{ConnectionOfRequest, ConnectionSlot};

/// In bytes.
const MAX_AT_ONCE: usize = 8 * 1024;

/// What the server writes before a body whose sender waits to be asked for it. It is no answer: the body is still to come.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionTimeouts {
    /// Until the first request begins.
    pub(super) first: Duration,
    /// Until a further request begins.
    pub(super) idle: Duration,
    /// Until its head ends.
    pub(super) head: Duration,
    /// Until its body has come and our answer begins.
    pub(super) response: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadPhase {
    Request,
    /// `blank`: the line being read is empty so far.
    Head {
        blank: bool,
    },
    Response,
}

/// A stream that ends when its timeout is over.
pub(super) struct TimeoutStream<S> {
    stream: S,
    timeouts: ConnectionTimeouts,
    phase: ReadPhase,
    deadline: Pin<Box<Sleep>>,
    slot: Arc<ConnectionSlot>,
    /// Read since the server last did something else.
    at_once: usize,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> TimeoutStream<S> {
    pub(super) fn new(stream: S, timeouts: ConnectionTimeouts, slot: ConnectionSlot) -> Self {
        Self {
            stream,
            timeouts,
            phase: ReadPhase::Request,
            deadline: Box::pin(sleep(timeouts.first)),
            closed: Box::pin(slot.closed().cancelled_owned()),
            slot: Arc::new(slot),
            at_once: 0,
        }
    }

    /// For the handlers of its requests.
    pub(super) fn of_request(&self) -> ConnectionOfRequest {
        ConnectionOfRequest(Arc::downgrade(&self.slot))
    }

    fn enter(&mut self, awaited: ReadPhase) {
        let wait = match awaited {
            ReadPhase::Request => self.timeouts.idle,
            ReadPhase::Head { .. } => self.timeouts.head,
            ReadPhase::Response => self.timeouts.response,
        };
        self.phase = awaited;
        if awaited == ReadPhase::Request {
            self.slot.waits_again();
        }
        self.deadline.as_mut().reset(Instant::now() + wait);
    }

    /// Ready once its time is over, or its place is needed by another one.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.deadline.as_mut().poll(cx)
    }

    /// What the stream says while it is not over.
    fn poll_until_over<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        ready!(self.poll_over(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Looks for the end of the head in what was read: an empty line.
    fn on_read(&mut self, bytes: &[u8]) {
        if self.phase == ReadPhase::Request && !bytes.is_empty() {
            self.enter(ReadPhase::Head { blank: false });
        }
        let ReadPhase::Head { mut blank } = self.phase else {
            return;
        };
        for byte in bytes {
            match byte {
                b'\n' if blank => return self.enter(ReadPhase::Response),
                b'\n' => blank = true,
                b'\r' => {}
                _ => blank = false,
            }
        }
        self.phase = ReadPhase::Head { blank };
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        // Whatever more of it comes.
        if this.phase == ReadPhase::Response && this.slot.closed().is_cancelled() {
            return Poll::Ready(Ok(()));
        }
        if this.at_once >= MAX_AT_ONCE {
            this.at_once = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            let bytes = buf.filled().get(before..).unwrap_or_default();
            this.at_once += bytes.len();
            this.on_read(bytes);
            return Poll::Ready(read);
        }
        this.at_once = 0;
        // Nothing was read, which means that the peer has closed.
        this.poll_over(cx).map(Ok)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        if written.is_ready() && buf != CONTINUE {
            this.enter(ReadPhase::Request);
        }
        this.poll_until_over(written, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.poll_until_over(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let closed = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.poll_until_over(closed, cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex};

    use super::*;
    use crate::http::connections::{ConnectionLimits, Connections};

    fn slot() -> ConnectionSlot {
        let connections = Connections::new(ConnectionLimits { all: 1, each: 1 });
        connections.admit(Ipv4Addr::LOCALHOST.into(), false).unwrap()
    }

    const LONG: Duration = Duration::from_mins(10);
    const SHORT: Duration = Duration::from_millis(30);

    /// Only the current phase is timed: whichever timeout is short, the stream ends exactly in its phase.
    #[tokio::test]
    async fn each_wait_has_its_own_time() {
        let all = ConnectionTimeouts {
            first: LONG,
            idle: LONG,
            head: LONG,
            response: LONG,
        };
        let (first, head, whole) = (
            ConnectionTimeouts { first: SHORT, ..all },
            ConnectionTimeouts { head: SHORT, ..all },
            ConnectionTimeouts { response: SHORT, ..all },
        );
        for (sent, waits) in [
            ("", first),
            ("G", head),
            ("POST / HTTP/1.1\r\nhost: t\r\n", head),
            ("POST / HTTP/1.1\r\nhost: t\r\n\r", head),
            ("POST / HTTP/1.1\nhost: t\n", head),
            ("\r\nPOST / HTTP/1.1\r\n", head),
            ("POST / HTTP/1.1\r\nhost: t\r\n\r\n", whole),
            ("POST / HTTP/1.1\nhost: t\n\n", whole),
            ("POST / HTTP/1.1\r\nhost: t\r\n\r\ntext=1", whole),
            ("\r\n\r\n", whole),
        ] {
            let (mut peer, stream) = duplex(1_024);
            let mut stream = TimeoutStream::new(stream, waits, slot());
            // Byte by byte: the end of a head may come in pieces.
            let send = async {
                for byte in sent.bytes() {
                    peer.write_u8(byte).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let mut read = String::new();
            let (ended, ()) = tokio::join!(tokio::time::timeout(LONG / 20, stream.read_to_string(&mut read)), send);
            assert!(ended.is_ok(), "{sent:?} kept it waiting");
            assert_eq!(read, sent);
        }
    }

    /// After an answer the timeouts apply to the next request as they did to the first.
    #[tokio::test]
    async fn every_request_is_measured() {
        let waits = ConnectionTimeouts {
            first: SHORT,
            idle: LONG,
            head: SHORT,
            response: LONG,
        };
        let (mut peer, stream) = duplex(1_024);
        let mut stream = TimeoutStream::new(stream, waits, slot());
        for _ in 0..2 {
            peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let mut head = [0; 18];
            stream.read_exact(&mut head).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
        peer.write_all(b"GET / HT").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"GET / HT");
    }

    /// A connection that waits ends at once when its place is needed, even in the middle of a head or of a body; one whose
    /// request has come, or whose sender is known, goes on to its answer, also where the sender first waits to be asked for the
    /// body.
    #[tokio::test]
    async fn a_place_is_given_to_another() {
        let waits = ConnectionTimeouts {
            first: LONG,
            idle: LONG,
            head: LONG,
            response: LONG,
        };
        let half = "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n{";
        for (sent, known, asked_for, makes_room) in [
            ("", false, false, true),
            ("GET / HT", false, false, true),
            (half, false, false, true),
            (half, true, false, false),
            (half, false, true, true),
            (half, true, true, false),
            ("GET / HTTP/1.1\r\n\r\n", true, false, false),
        ] {
            let connections = Connections::new(ConnectionLimits { all: 1, each: 1 });
            let admit = || connections.admit(Ipv4Addr::LOCALHOST.into(), false);
            let (mut peer, stream) = duplex(1_024);
            let mut stream = TimeoutStream::new(stream, waits, admit().unwrap());
            peer.write_all(sent.as_bytes()).await.unwrap();
            let mut read = vec![0; sent.len()];
            stream.read_exact(&mut read).await.unwrap();
            if known {
                stream.of_request().0.upgrade().unwrap().is_answered();
            }
            if asked_for {
                stream.write_all(CONTINUE).await.unwrap();
            }
            assert_eq!(admit().is_some(), makes_room, "{sent:?}");
            if makes_room {
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "{sent:?}");
            } else {
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                assert!(admit().is_some());
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
            }
        }
    }

    /// One that does not read our answer makes room like one that says nothing: also where the answer waits to be flushed, as
    /// behind TLS, or the connection to be closed.
    #[tokio::test]
    async fn who_does_not_read_makes_room() {
        let waits = ConnectionTimeouts {
            first: LONG,
            idle: LONG,
            head: LONG,
            response: LONG,
        };
        for step in ["write", "flush", "close"] {
            let connections = Connections::new(ConnectionLimits { all: 1, each: 1 });
            let admit = || connections.admit(Ipv4Addr::LOCALHOST.into(), false);
            let (_peer, stream) = duplex(16);
            let stream = BufWriter::with_capacity(64, stream);
            let mut stream = TimeoutStream::new(stream, waits, admit().unwrap());
            stream.write_all(&[0; 60]).await.unwrap();
            let ended = async {
                match step {
                    "write" => stream.write_all(&[0; 600]).await,
                    "flush" => stream.flush().await,
                    _ => stream.shutdown().await,
                }
            };
            let room = async {
                tokio::task::yield_now().await;
                admit().map(drop)
            };
            let (ended, room) = tokio::join!(tokio::time::timeout(LONG / 20, ended), room);
            assert!(room.is_some(), "{step}");
            assert_eq!(ended.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut, "{step}");
        }
    }

    /// The connection to a peer that does not read our answer is closed.
    #[tokio::test]
    async fn a_peer_that_does_not_read_is_let_go() {
        let waits = ConnectionTimeouts {
            first: SHORT,
            idle: SHORT,
            head: LONG,
            response: LONG,
        };
        let (_peer, stream) = duplex(16);
        let mut stream = TimeoutStream::new(stream, waits, slot());
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
