//! Reads request bodies, bounded in length, time and memory.
//!
//! If a handler leaves a body unread, the server closes the connection after the answer, while gateways keep theirs open for
//! thousands of callbacks. So every path reads the body to its end, within reason.
//!
//! A chunk is a slice of the connection's buffer and keeps all of that alive, so a body is copied, byte by byte, into one
//! buffer of its own, and of what is only to be drained nothing is kept. The buffers of all bodies under way together have
//! a limit: one for gateways and providers, one for partners, of which each gets a part, and one for senders who have shown
//! no secret, of which one address gets a part. So nobody uses up what somebody else needs. The first bytes of each do not
//! count, for they cost no more than the connection that they come by, and connections have a limit: whatever others send, a
//! call that is as short as most are is always read.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::connections;
use crate::core::ids::PartnerId;
use crate::service::networks::ip_prefix;

/// How much of a body that is too long is still read, so that the peer can read our answer.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;
/// What a body gets before any of it has come, for an announced length alone is not trusted with more; and what does not
/// count.
const FREE_BYTES: usize = 4 * 1024;
/// Of all bodies under way whose senders have shown a secret of the operator's.
const AUTHENTICATED_BYTES: usize = 32 * 1024 * 1024;
/// Of those of partners.
const PARTNERS_BYTES: usize = 32 * 1024 * 1024;
/// Of those of one partner.
const PARTNER_BYTES: usize = 8 * 1024 * 1024;
/// Of all others.
const STRANGERS_BYTES: usize = 32 * 1024 * 1024;
/// Of those from one address.
const STRANGER_BYTES: usize = 4 * 1024 * 1024;

/// Who sends a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum BodySender {
    /// A gateway or a provider that has shown a secret of the operator's.
    Authenticated,
    /// Somebody who has shown a secret of this partner's.
    Partner(PartnerId),
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
    TooLong,
    /// It came too slowly, or broke off.
    TooSlow,
    /// Too much is being read now.
    Busy,
}

/// The bytes of bodies under way.
#[derive(Default)]
pub(super) struct BodyBudget(Mutex<BytesUnderWay>);

#[derive(Default)]
struct BytesUnderWay {
    authenticated: SharedBytes,
    partners: SharedBytes,
    strangers: SharedBytes,
}

/// What senders of one kind have under way.
#[derive(Debug, Default, PartialEq, Eq)]
struct SharedBytes {
    all: usize,
    by_sender: HashMap<BodySender, usize>,
}

impl BytesUnderWay {
    /// What is under way of this kind of sender, with what all of them may have, and one.
    fn of(&mut self, by: BodySender) -> (&mut SharedBytes, usize, usize) {
        match by {
            BodySender::Authenticated => (&mut self.authenticated, AUTHENTICATED_BYTES, AUTHENTICATED_BYTES),
            BodySender::Partner(_) => (&mut self.partners, PARTNERS_BYTES, PARTNER_BYTES),
            BodySender::Stranger(_) => (&mut self.strangers, STRANGERS_BYTES, STRANGER_BYTES),
        }
    }

    fn take(&mut self, by: BodySender, more: usize) -> bool {
        let (shared, all, each) = self.of(by);
        let theirs = shared.by_sender.get(&by).copied().unwrap_or_default() + more;
        let fits = shared.all + more <= all && theirs <= each;
        if fits {
            shared.all += more;
            shared.by_sender.insert(by, theirs);
        }
        fits
    }

    fn give_back(&mut self, by: BodySender, bytes: usize) {
        let (shared, ..) = self.of(by);
        shared.all -= bytes;
        if let Some(theirs) = shared.by_sender.get_mut(&by) {
            *theirs -= bytes;
            if *theirs == 0 {
                shared.by_sender.remove(&by);
            }
        }
    }
}

/// What counts of one body, given back when dropped.
struct BodyLease {
    budget: Arc<BodyBudget>,
    by: BodySender,
    counted: usize,
}

impl BodyLease {
    fn new(budget: Arc<BodyBudget>, by: BodySender) -> Self {
        let by = match by {
            // Somebody with one address has all those around it.
            BodySender::Stranger(from) => BodySender::Stranger(from.map(ip_prefix)),
            by => by,
        };
        Self { budget, by, counted: 0 }
    }

    fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(FREE_BYTES).saturating_sub(self.counted);
        let mut under_way = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = more == 0 || under_way.take(self.by, more);
        self.counted += if fits { more } else { 0 };
        fits
    }
}

impl Drop for BodyLease {
    fn drop(&mut self) {
        let mut under_way = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.give_back(self.by, self.counted);
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
            let room = (self.bytes.capacity() * 2).max(FREE_BYTES).max(length).min(most);
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

/// Notes that all of a request without a body has come.
pub(super) fn note_request_without(request: &HttpRequest) {
    let headers = request.headers();
    let length = headers
        .get(CONTENT_LENGTH)
        .map_or(&b"0"[..], |length| length.as_bytes());
    if length == b"0" && !headers.contains_key(TRANSFER_ENCODING) {
        connections::is_answered(request);
    }
}

/// The whole body, wiped when dropped; its bytes count until the request is over.
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limits: BodyLimits,
    by: BodySender,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    if !matches!(by, BodySender::Stranger(_)) {
        connections::is_answered(request);
    }
    let budget = request.app_data::<Data<BodyBudget>>();
    let budget = budget.map_or_else(Arc::default, |budget| Arc::clone(budget));
    let mut body = BodyBuffer {
        bytes: Zeroizing::default(),
        lease: BodyLease::new(budget, by),
    };
    let whole = async {
        let (mut length, mut outcome) = (0_usize, Ok(()));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Unread::TooSlow)?;
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
    timeout(limits.time, whole).await.unwrap_or(Err(Unread::TooSlow))?;
    connections::is_answered(request);
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
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    use super::*;

    const AUTHENTICATED: BodySender = BodySender::Authenticated;

    fn partner(n: u8) -> BodySender {
        BodySender::Partner(PartnerId::from_bytes([n; 16]))
    }

    fn from(address: &str) -> BodySender {
        BodySender::Stranger(Some(address.parse().unwrap()))
    }

    /// Takes so much of what counts.
    fn takes(budget: &Arc<BodyBudget>, by: BodySender, bytes: usize) -> Option<BodyLease> {
        let mut lease = BodyLease::new(Arc::clone(budget), by);
        lease.grow_to(FREE_BYTES + bytes).then_some(lease)
    }

    /// Everything that one sender after the other gets, until there is no more for any of them.
    fn all_of(budget: &Arc<BodyBudget>, each: usize, senders: impl Iterator<Item = BodySender>) -> Vec<BodyLease> {
        senders.filter_map(|by| takes(budget, by, each)).collect()
    }

    /// However much strangers send, somebody with a secret still can, and so can strangers elsewhere; and the same between
    /// partners, and between these and gateways. All addresses that one stranger has count as one. What is over is free
    /// again.
    #[test]
    fn nobody_uses_up_the_room_of_others() {
        let budget = Arc::new(BodyBudget::default());
        for (greedy, also_greedy, another, each) in [
            (from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.2"), STRANGER_BYTES),
            (
                from("2001:db8::1"),
                from("2001:db8::ffff:1"),
                from("2001:db8:0:1::1"),
                STRANGER_BYTES,
            ),
            (partner(1), partner(1), partner(2), PARTNER_BYTES),
        ] {
            let taken = takes(&budget, greedy, each);
            assert!(
                taken.is_some() && takes(&budget, also_greedy, 1).is_none(),
                "{greedy:?}"
            );
            assert!(takes(&budget, another, each).is_some(), "{greedy:?}");
        }
        let strangers = (0..100).map(|n| BodySender::Stranger(Some(IpAddr::from([192, 0, 2, n]))));
        let strangers = all_of(&budget, STRANGER_BYTES, strangers);
        assert_eq!(strangers.len(), STRANGERS_BYTES / STRANGER_BYTES);
        assert!(takes(&budget, BodySender::Stranger(None), 1).is_none());
        let partners = all_of(&budget, PARTNER_BYTES, (0..100).map(partner));
        assert_eq!(partners.len(), PARTNERS_BYTES / PARTNER_BYTES);
        assert!(takes(&budget, partner(200), 1).is_none());
        let authenticated = takes(&budget, AUTHENTICATED, AUTHENTICATED_BYTES);
        assert!(authenticated.is_some() && takes(&budget, AUTHENTICATED, 1).is_none());
        drop((strangers, partners, authenticated));
        let under_way = budget.0.lock().unwrap();
        for shared in [&under_way.authenticated, &under_way.partners, &under_way.strangers] {
            assert_eq!(shared, &SharedBytes::default());
        }
    }

    /// With all room taken, what is short is still read: a dial, a STOP, and a partner's key, which is among what strangers
    /// send until it was read. What is long may come again.
    #[actix_web::test]
    async fn what_is_short_is_always_read() {
        let budget = Data::new(BodyBudget::default());
        let shared = Arc::clone(&budget);
        let strangers = (0..100).map(|n| from(&format!("192.0.2.{n}")));
        let _full = (
            all_of(&shared, STRANGER_BYTES, strangers),
            all_of(&shared, PARTNER_BYTES, (0..100).map(partner)),
            all_of(&shared, AUTHENTICATED_BYTES, [AUTHENTICATED].into_iter()),
        );
        let limits = BodyLimits {
            bytes: 64 * 1024,
            time: Duration::from_secs(5),
        };
        for by in [AUTHENTICATED, partner(200), from("203.0.113.5")] {
            for (length, want) in [(FREE_BYTES, Ok(FREE_BYTES)), (FREE_BYTES + 1, Err(Unread::Busy))] {
                let (request, mut payload) = TestRequest::default()
                    .app_data(budget.clone())
                    .set_payload(vec![b'x'; length])
                    .to_http_parts();
                let payload = Payload::from_request(&request, &mut payload).await.unwrap();
                let body = read(&request, payload, limits, by).await.map(|body| body.len());
                assert_eq!(body, want, "{by:?}");
            }
        }
    }
}
