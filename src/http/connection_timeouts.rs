//! How long a connection may keep us waiting.
//!
//! The web server's own timers are not for connections that gateways keep: the one for heads runs for the first request
//! only, answers `408` on a connection on which nobody has asked anything (and a client that keeps connections takes that
//! for the answer to its next request), and afterwards a head may come as slowly as it likes. They are switched off, and
//! the stream itself keeps the time: to a reader whose time is over it says that the peer has closed, which makes the
//! server close without a word.
//!
//! | what is waited for | at most |
//! |---|---|
//! | the first byte of a request, or anything at all on a fresh connection | [`Waits::idle`] |
//! | the rest of its head | [`Waits::head`] from that byte |
//! | its body and our answer, whose own and shorter limits are with the routes | [`Waits::whole`] from the end of the head |
//! | a peer that does not read what we write | what was waited for before |
//!
//! What cannot be changed from here: a head that is no HTTP is answered with an empty `400` and one beyond 128 KiB with an
//! empty `431`, and the connection is closed after it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a connection may keep us waiting, see the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionTimeouts {
    /// For a request to begin.
    pub(super) idle: Duration,
    /// For its head to end.
    pub(super) head: Duration,
    /// For its body, and for our answer to begin.
    pub(super) response: Duration,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadPhase {
    Request,
    /// `blank`: the line that is being read has nothing on it so far.
    Head {
        blank: bool,
    },
    Response,
}

/// A stream that ends when it has kept us waiting too long.
pub(super) struct TimeoutStream<S> {
    stream: S,
    timeouts: ConnectionTimeouts,
    phase: ReadPhase,
    deadline: Pin<Box<Sleep>>,
}

impl<S> TimeoutStream<S> {
    /// A connection that was just accepted.
    pub(super) fn new(stream: S, timeouts: ConnectionTimeouts) -> Self {
        Self {
            stream,
            timeouts,
            phase: ReadPhase::Request,
            deadline: Box::pin(sleep(timeouts.idle)),
        }
    }

    fn enter(&mut self, awaited: ReadPhase) {
        let wait = match awaited {
            ReadPhase::Request => self.timeouts.idle,
            ReadPhase::Head { .. } => self.timeouts.head,
            ReadPhase::Response => self.timeouts.response,
        };
        self.phase = awaited;
        self.deadline.as_mut().reset(Instant::now() + wait);
    }

    /// Looks for the end of a head in what was read: an empty line.
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
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.on_read(buf.filled().get(before..).unwrap_or_default());
            return Poll::Ready(read);
        }
        // Nothing was read, which says that the peer has closed.
        this.deadline.as_mut().poll(cx).map(Ok)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Poll::Ready(written) = Pin::new(&mut this.stream).poll_write(cx, buf) {
            this.enter(ReadPhase::Request);
            return Poll::Ready(written);
        }
        ready!(this.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LONG: Duration = Duration::from_mins(10);
    const SHORT: Duration = Duration::from_millis(30);

    /// Only what is waited for is measured: whichever wait is short, the stream ends exactly in the state it is for.
    #[tokio::test]
    async fn each_wait_has_its_own_time() {
        let all = ConnectionTimeouts {
            idle: LONG,
            head: LONG,
            response: LONG,
        };
        let (idle, head, whole) = (
            ConnectionTimeouts { idle: SHORT, ..all },
            ConnectionTimeouts { head: SHORT, ..all },
            ConnectionTimeouts { response: SHORT, ..all },
        );
        for (sent, waits) in [
            ("", idle),
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
            let mut stream = TimeoutStream::new(stream, waits);
            // In single bytes: an end of head may come in pieces.
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

    /// After an answer the next request is waited for as for the first, and its head is measured, too.
    #[tokio::test]
    async fn every_request_is_measured() {
        let waits = ConnectionTimeouts {
            idle: LONG,
            head: SHORT,
            response: LONG,
        };
        let (mut peer, stream) = duplex(1_024);
        let mut stream = TimeoutStream::new(stream, waits);
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

    /// A peer that does not read what it asked for is let go.
    #[tokio::test]
    async fn a_peer_that_does_not_read_is_let_go() {
        let waits = ConnectionTimeouts {
            idle: SHORT,
            head: LONG,
            response: LONG,
        };
        let (_peer, stream) = duplex(16);
        let mut stream = TimeoutStream::new(stream, waits);
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
