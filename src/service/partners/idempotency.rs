//! Idempotent requests: the same `Idempotency-Key` within a day is the same request, and takes effect once.
//!
//! What holds, whatever fails at whatever moment:
//!
//! * A request that succeeded gets the same response again for 24 hours. The response is stored sealed, because it may hold
//!   a secret that is shown once.
//! * While it is in progress, the same request gets 409. The one in progress holds a lease of 15 s, longer than any call of
//!   the records may take; after that, or once the records have failed, the next one takes over.
//! * A creation that was interrupted may have taken effect or not, so a repeat must have the same effect. All random values
//!   of a request with a key, ids and secrets, are derived from the key and the time of its first arrival (`DerivedRng`):
//!   a repeat creates the same row, and adding a row that exists changes nothing.
//! * A request that was refused had no effect and leaves no trace: its key may be used for a corrected request.
//!
//! A key belongs to its caller, a user or the partner itself, so nobody sees the responses of others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::ApiError;
use crate::core::access::Caller;
use crate::core::seal::{Keyring, SealContext};
use crate::core::time::{Rng, Timestamp};
use crate::records::{IdempotencyOutcome, RequestFingerprint};

pub(super) const IDEMPOTENCY_RETENTION: Duration = Duration::from_hours(24);
const LEASE: Duration = Duration::from_secs(15);

/// The right to run a request.
pub struct IdempotencyLease {
    key: RequestFingerprint,
    lease_until: Timestamp,
    /// The source of all random values of the request.
    pub rng: Arc<dyn Rng>,
}

/// How to go on with a request that has a key.
pub enum IdempotentRequest {
    /// Run it, then call `AccountApi::finish`.
    New(IdempotencyLease),
    /// It was run before, with this response.
    Replay {
        status: u16,
        /// JSON.
        body: Vec<u8>,
    },
}

impl AccountApi {
    pub(crate) async fn begin(
        &self,
        context: &RequestContext,
        key: &str,
        request: &[&[u8]],
    ) -> Result<IdempotentRequest, ApiError> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "1 to 255 visible ASCII characters";
            return Err(ApiError::field("Idempotency-Key", "invalid", detail));
        }
        let key = RequestFingerprint {
            partner: context.scope.partner,
            caller: match &context.caller {
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
                // Without its sealing key it cannot be read, and running the request again would be wrong.
                let body = self.keyring.open(&seal_context(&key), &sealed).map_err(|error| {
                    tracing::error!(%error, "a stored response cannot be opened");
                    ApiError::Unavailable
                })?;
                let body = body.to_vec();
                Ok(IdempotentRequest::Replay { status, body })
            }
        }
    }

    pub(crate) async fn finish(&self, lease: &IdempotencyLease, status: u16, body: &[u8]) {
        let key = &lease.key;
        let ended = if (200..300).contains(&status) {
            match self.keyring.seal(&seal_context(key), body, self.deps.rng.as_ref()) {
                Ok(sealed) => self.records.store_response(key, status, &sealed).await,
                Err(_) => self.records.release_request(key, lease.lease_until, false).await,
            }
        } else {
            self.records.release_request(key, lease.lease_until, status < 500).await
        };
        // The lease expires by itself, and a repeat has the same effect.
        if let Err(error) = ended {
            tracing::warn!(%error, "the outcome of an idempotent request could not be stored");
        }
    }

    fn lease(&self, key: RequestFingerprint, since: Timestamp, lease_until: Timestamp) -> IdempotencyLease {
        let rng = Arc::new(DerivedRng {
            keyring: Arc::clone(&self.keyring),
            key,
            since,
            drawn: AtomicU64::new(0),
        });
        IdempotencyLease { key, lease_until, rng }
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

/// Random values that are the same for every repeat of a request, and that nobody can guess without our keys.
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

    /// The same request gets the same values; another caller, key or time gets others, and no two values are alike.
    #[test]
    fn the_same_request_gets_the_same_values() {
        let first = drawn(1, 1, 1);
        assert_eq!(first, drawn(1, 1, 1));
        for other in [drawn(2, 1, 1), drawn(1, 2, 1), drawn(1, 1, 2)] {
            assert_ne!(first[..16], other[..16]);
        }
        assert_ne!(first[..16], first[16..32]);
        assert_ne!(first[16..48], first[48..80]);
    }
}
