//! Reads request bodies, bounded in length, time and memory.
//!
//! If a handler leaves a body unread, the server closes the connection after the answer, while gateways keep theirs open for
//! thousands of callbacks. So every path reads the body to its end, within reason.
//!
//! A chunk is a slice of the connection's buffer and keeps all of that alive, so a body is copied, byte by byte, into one
//! buffer of its own, and of what is only to be drained nothing is kept. The buffers of all bodies under way together have
//! a limit; senders who have shown no secret have another one of their own, of which one address gets only a part, so that
//! they cannot use up what gateways and partners need.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How much of a body that is too long is still read, so that the peer can read our answer.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;
/// What a body gets before any of it has come: an announced length alone is not trusted with more.
const FIRST_BYTES: usize = 4 * 1024;
/// Of all bodies under way whose senders have shown a secret.
const AUTHENTICATED_BYTES: usize = 64 * 1024 * 1024;
/// Of all others.
const STRANGERS_BYTES: usize = 32 * 1024 * 1024;
/// Of those from one address.
const STRANGER_BYTES: usize = 4 * 1024 * 1024;

/// Who sends a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodySender {
    /// Somebody who has shown a secret.
    Authenticated,
    /// Anybody. All unknown addresses count as one.
    Stranger(Option<IpAddr>),
}

/// What is read of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is too long, came too slowly, or broke off.
    TooLong,
    /// Too much is being read now: it may be sent again.
    Busy,
}

/// The bytes of bodies under way.
#[derive(Default)]
pub(super) struct BodyBudget(Mutex<BytesUnderWay>);

#[derive(Default)]
struct BytesUnderWay {
    authenticated: usize,
    strangers: usize,
    by_address: HashMap<Option<IpAddr>, usize>,
}

impl BytesUnderWay {
    fn take(&mut self, by: BodySender, more: usize) -> bool {
        match by {
            BodySender::Authenticated => {
                let fits = self.authenticated + more <= AUTHENTICATED_BYTES;
                self.authenticated += if fits { more } else { 0 };
                fits
            }
            BodySender::Stranger(address) => {
                let theirs = self.by_address.get(&address).copied().unwrap_or_default() + more;
                let fits = self.strangers + more <= STRANGERS_BYTES && theirs <= STRANGER_BYTES;
                if fits {
                    self.strangers += more;
                    self.by_address.insert(address, theirs);
                }
                fits
            }
        }
    }

    fn give_back(&mut self, by: BodySender, bytes: usize) {
        match by {
            BodySender::Authenticated => self.authenticated -= bytes,
            BodySender::Stranger(address) => {
                self.strangers -= bytes;
                if let Some(theirs) = self.by_address.get_mut(&address) {
                    *theirs -= bytes;
                    if *theirs == 0 {
                        self.by_address.remove(&address);
                    }
                }
            }
        }
    }
}

/// The bytes of one body, given back when dropped.
struct BodyLease {
    budget: Arc<BodyBudget>,
    by: BodySender,
    bytes: usize,
}

impl BodyLease {
    fn grow_to(&mut self, bytes: usize) -> bool {
        let mut under_way = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = under_way.take(self.by, bytes.saturating_sub(self.bytes));
        if fits {
            self.bytes = self.bytes.max(bytes);
        }
        fits
    }
}

impl Drop for BodyLease {
    fn drop(&mut self) {
        let mut under_way = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.give_back(self.by, self.bytes);
    }
}

/// A body as it grows, in one buffer.
struct BodyBuffer {
    bytes: Zeroizing<Vec<u8>>,
    lease: BodyLease,
}

impl BodyBuffer {
    fn add(&mut self, chunk: &Bytes, most: usize) -> Result<(), Unread> {
        let length = self.bytes.len() + chunk.len();
        if length > self.bytes.capacity() {
            let room = (self.bytes.capacity() * 2).max(FIRST_BYTES).max(length).min(most);
            if !self.lease.grow_to(room) {
                return Err(Unread::Busy);
            }
            // Moved by hand: a buffer that grows by itself leaves a copy behind that nobody wipes.
            let mut grown = Zeroizing::new(Vec::with_capacity(room));
            grown.extend_from_slice(&self.bytes);
            self.bytes = grown;
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

/// The whole body, wiped when dropped; its bytes count until the request is over.
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limits: BodyLimits,
    by: BodySender,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let budget = request.app_data::<Data<BodyBudget>>();
    let budget = budget.map_or_else(Arc::default, |budget| Arc::clone(budget));
    let mut body = BodyBuffer {
        bytes: Zeroizing::default(),
        lease: BodyLease { budget, by, bytes: 0 },
    };
    let whole = async {
        let (mut length, mut outcome) = (0_usize, Ok(()));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Unread::TooLong)?;
            length = length.saturating_add(chunk.len());
            if length > limits.bytes.max(MAX_DRAINED_BYTES) {
                return Err(Unread::TooLong);
            }
            if length > limits.bytes {
                outcome = Err(Unread::TooLong);
            }
            if outcome.is_ok() {
                outcome = body.add(&chunk, limits.bytes);
            }
            if outcome.is_err() {
                body.bytes = Zeroizing::default();
            }
        }
        outcome
    };
    timeout(limits.time, whole).await.unwrap_or(Err(Unread::TooLong))?;
    request.extensions_mut().insert(body.lease);
    Ok(body.bytes)
}

/// Reads and discards a body.
pub(super) async fn drain(mut payload: Payload) {
    let drained = async {
        let mut length = 0_usize;
        while let Some(Ok(chunk)) = payload.next().await {
            length = length.saturating_add(chunk.len());
            if length > MAX_DRAINED_BYTES {
                return;
            }
        }
    };
    let _ = timeout(Duration::from_secs(2), drained).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(budget: &Arc<BodyBudget>, by: BodySender) -> BodyLease {
        BodyLease {
            budget: Arc::clone(budget),
            by,
            bytes: 0,
        }
    }

    /// However much strangers send, somebody with a secret still can, and so can strangers elsewhere; what is over is free
    /// again.
    #[test]
    fn strangers_do_not_use_up_the_room() {
        let budget = Arc::new(BodyBudget::default());
        let from = |n: u32| BodySender::Stranger(Some(IpAddr::V4(n.into())));
        let mut greedy = lease(&budget, from(1));
        assert!(greedy.grow_to(STRANGER_BYTES));
        assert!(!greedy.grow_to(STRANGER_BYTES + 1) && !lease(&budget, from(1)).grow_to(1));
        assert!(lease(&budget, from(2)).grow_to(1));
        let many: Vec<_> = (2..100)
            .map(|n| {
                let mut lease = lease(&budget, from(n));
                (lease.grow_to(STRANGER_BYTES), lease)
            })
            .collect();
        assert_eq!(
            many.iter().filter(|(fits, _)| *fits).count(),
            STRANGERS_BYTES / STRANGER_BYTES - 1
        );
        assert!(!lease(&budget, BodySender::Stranger(None)).grow_to(1));
        let mut authenticated = lease(&budget, BodySender::Authenticated);
        assert!(authenticated.grow_to(AUTHENTICATED_BYTES) && !lease(&budget, BodySender::Authenticated).grow_to(1));
        drop((many, greedy, authenticated));
        let under_way = budget.0.lock().unwrap();
        assert_eq!(
            (under_way.authenticated, under_way.strangers, under_way.by_address.len()),
            (0, 0, 0)
        );
    }
}
