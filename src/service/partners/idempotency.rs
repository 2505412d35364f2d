//! Requests that may come twice: the same `Idempotency-Key` within a day is the same request, and is done once.
//!
//! What holds, whatever dies when:
//!
//! * A request that was answered with success is answered the same again for 24 hours; the answer is kept sealed, for it may
//!   hold a secret that is shown once.
//! * While it is worked on, the same request is told so (409). Whoever works on it has it for 15 s, longer than any call of
//!   the records may take; after that, or once the records have failed, the next one takes it over.
//! * A creation that was cut off may have been done or not, so doing it again must come to the same. Everything that a
//!   request with a key draws, ids and secrets, comes from the key and the moment at which it first came
//!   (`DerivedRng`): done again, it makes the same row, and adding a row that is there changes nothing.
//! * A request that was refused has done nothing, and leaves no trace: its key may be used for what was meant.
//!
//! A key is one caller's, a user's or the partner's own, so nobody gets to see what somebody else was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{AccountApi, ApiError, Repeats, RequestContext};
use crate::core::access::Caller;
use crate::core::seal::{Keyring, SealContext};
use crate::core::time::{Rng, Timestamp};
use crate::records::{IdempotencyOutcome, RequestFingerprint};

/// For how long the same key is the same request.
pub(super) const IDEMPOTENCY_RETENTION: Duration = Duration::from_hours(24);
/// How long whoever works on a request has it.
const LEASE: Duration = Duration::from_secs(15);

/// A request that is ours to do.
pub struct IdempotencyLease {
    key: RequestFingerprint,
    lease_until: Timestamp,
    /// Where everything it makes comes from.
    pub rng: Arc<dyn Rng>,
}

/// What is to be done with a request that has a key.
pub enum IdempotentRequest {
    /// Do it, and say what came of it.
    New(IdempotencyLease),
    /// It is done. This was the answer.
    Replay {
        /// Its HTTP status.
        status: u16,
        /// Its body, JSON.
        body: Vec<u8>,
    },
}

#[async_trait]
impl Repeats for AccountApi {
    async fn begin(&self, asked: &RequestContext, key: &str, request: &[&[u8]]) -> Result<IdempotentRequest, ApiError> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "1 to 255 visible ASCII characters";
            return Err(ApiError::field("Idempotency-Key", "invalid", detail));
        }
        let key = RequestFingerprint {
            partner: asked.reach.partner,
            caller: match &asked.caller {
                Caller::Partner(partner) => *partner.as_bytes(),
                Caller::User { user, .. } => *user.as_bytes(),
            },
            key: self.keyring.digest("idempotency key", &[key.as_bytes()]),
            request: self.keyring.digest("idempotent request", request),
        };
        let now = self.now();
        let lease_until = now.plus(LEASE);
        let begun = self
            .records
            .begin_request(&key, now, lease_until, now.minus(IDEMPOTENCY_RETENTION));
        match begun.await? {
            IdempotencyOutcome::InProgress => Err(ApiError::InProgress),
            IdempotencyOutcome::Mismatch => Err(ApiError::IdempotencyMismatch),
            IdempotencyOutcome::Acquired { since } => Ok(IdempotentRequest::New(self.lease(key, since, lease_until))),
            IdempotencyOutcome::Answered { status, sealed } => {
                // Under a key that is gone it cannot be read again, and doing it again would be wrong.
                let body = self.keyring.open(&seal_context(&key), &sealed).map_err(|error| {
                    tracing::error!(%error, "a kept answer does not open");
                    ApiError::Unavailable
                })?;
                let body = body.to_vec();
                Ok(IdempotentRequest::Replay { status, body })
            }
        }
    }

    async fn finish(&self, held: &IdempotencyLease, status: u16, body: &[u8]) {
        let key = &held.key;
        let ended = if (200..300).contains(&status) {
            match self.keyring.seal(&seal_context(key), body, self.runtime.rng.as_ref()) {
                Ok(sealed) => self.records.store_response(key, status, &sealed).await,
                Err(_) => self.records.release_request(key, held.lease_until, false).await,
            }
        } else {
            self.records.release_request(key, held.lease_until, status < 500).await
        };
        // The lease ends by itself, and what is done again comes to the same.
        if let Err(error) = ended {
            tracing::warn!(%error, "what came of a request with a key could not be kept");
        }
    }
}

impl AccountApi {
    fn lease(&self, key: RequestFingerprint, since: Timestamp, lease_until: Timestamp) -> IdempotencyLease {
        let fresh = Arc::new(DerivedRng {
            keyring: Arc::clone(&self.keyring),
            key,
            since,
            drawn: AtomicU64::new(0),
        });
        IdempotencyLease {
            key,
            lease_until,
            rng: fresh,
        }
    }
}

fn seal_context(key: &RequestFingerprint) -> SealContext<'_> {
    SealContext {
        purpose: "idempotency",
        subject: key.partner.as_bytes(),
        record: &key.key,
        field: "answer",
    }
}

/// Chance that comes out the same whenever the same request is done again, and that nobody without our keys can guess.
struct DerivedRng {
    keyring: Arc<Keyring>,
    key: RequestFingerprint,
    since: Timestamp,
    drawn: AtomicU64,
}

impl Rng for DerivedRng {
    fn fill(&self, out: &mut [u8]) {
        let RequestFingerprint {
            partner,
            caller,
            key,
            request,
        } = &self.key;
        for chunk in out.chunks_mut(32) {
            let nth = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let since = self.since.as_millis().to_be_bytes();
            let parts: [&[u8]; 6] = [partner.as_bytes(), caller, key, request, &since, &nth];
            let block = self.keyring.digest("idempotent draw", &parts);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::PartnerId;

    fn drawn(caller: u8, key: u8, since: i64) -> [u8; 80] {
        let derived = DerivedRng {
            keyring: Arc::new(Keyring::for_tests()),
            key: RequestFingerprint {
                partner: PartnerId::from_bytes([1; 16]),
                caller: [caller; 16],
                key: [key; 32],
                request: [9; 32],
            },
            since: Timestamp::from_millis(since),
            drawn: AtomicU64::new(0),
        };
        let mut out = [0; 80];
        derived.fill(&mut out[..16]);
        derived.fill(&mut out[16..]);
        out
    }

    /// The same request draws the same; another caller, key or day something else, and no two draws are alike.
    #[test]
    fn the_same_request_draws_the_same() {
        let first = drawn(1, 1, 1);
        assert_eq!(first, drawn(1, 1, 1));
        for other in [drawn(2, 1, 1), drawn(1, 2, 1), drawn(1, 1, 2)] {
            assert_ne!(first[..16], other[..16]);
        }
        assert_ne!(first[..16], first[16..32]);
        assert_ne!(first[16..48], first[48..80]);
    }
}
