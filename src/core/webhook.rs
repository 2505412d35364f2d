//! Webhooks to partners, after Standard Webhooks (standardwebhooks.com): how they are signed, and when they are retried.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::Secret;
use super::time::{Rng, Timestamp};

/// The prefix of a secret, so that nobody mistakes it for another kind of key.
const PREFIX: &str = "whsec_";

/// How long a receiver may take to answer.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the previous secret is still used beside a new one.
pub const SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// The delay of each try after the one before. Together they take three days and some hours.
pub const RETRY_DELAYS: [Duration; 10] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookTiming {
    /// How long a receiver may take to answer.
    pub response_timeout: Duration,
    /// Divides the delays between tries: 1, except in tests that cannot wait three days.
    pub speedup: u32,
}

impl Default for WebhookTiming {
    fn default() -> Self {
        Self {
            response_timeout: RESPONSE_TIMEOUT,
            speedup: 1,
        }
    }
}

/// The key that signs the webhooks of an endpoint: 256 random bits.
pub struct SigningSecret(Zeroizing<[u8; 32]>);

impl SigningSecret {
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// `None` if there are not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self(Zeroizing::new(*bytes)))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As the partner stores it: `whsec_` and base64. Shown once.
    pub fn text(&self) -> Secret {
        // Allocated at its full length, so that a growing buffer leaves no copies behind.
        let mut text = String::with_capacity(PREFIX.len() + 44);
        text.push_str(PREFIX);
        BASE64.encode_string(self.0.as_slice(), &mut text);
        Secret::new(text)
    }

    /// The signature of one try, over the webhook's id, the time in whole seconds and the body, as they are sent.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            unreachable!("HMAC takes a key of any length");
        };
        mac.update(format!("{id}.{}.", unix_seconds(at)).as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

/// As in `webhook-timestamp`: whole seconds since the Unix epoch.
pub const fn unix_seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookOutcome {
    Delivered,
    /// The receiver wants no more webhooks, ever.
    Gone,
    /// To be retried.
    Failed,
}

/// A redirect is a failure: the signed body is for the address it was signed for.
pub const fn outcome_of_status(status: u16) -> WebhookOutcome {
    match status {
        200..=299 => WebhookOutcome::Delivered,
        410 => WebhookOutcome::Gone,
        _ => WebhookOutcome::Failed,
    }
}

/// How long to wait after `tries` failed tries; `None` after the last. Random jitter adds up to a tenth, so that what failed
/// together is not retried together; nothing is retried earlier than documented. `asked` is the receiver's `Retry-After`,
/// which counts if it is longer.
pub fn retry_delay(tries: u32, chance: u8, asked: Option<Duration>) -> Option<Duration> {
    let next = *RETRY_DELAYS.get(usize::try_from(tries).ok()?)?;
    let most = u64::try_from(next.as_millis()).ok()? / 10;
    let spread = Duration::from_millis(most * u64::from(chance) / 255);
    Some((next + spread).max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SigningSecret {
        let bytes: Vec<u8> = (0..32).collect();
        SigningSecret::from_bytes(&bytes).unwrap()
    }

    /// The signature is the standard's, not only our own reading of it: the expected values were computed with Python's
    /// `hmac` and `base64` modules. Fractions of a second are cut off, not rounded.
    #[test]
    fn signatures_are_the_standards() {
        let secret = secret();
        assert_eq!(
            secret.text().expose(),
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        );
        let body = br#"{"type":"link.created","timestamp":"2026-05-28T20:26:40.000Z","data":{}}"#;
        for (at, body, want) in [
            (
                1_780_000_000_000,
                &body[..],
                "v1,k1h1uCiSLbpo9luoZOfyf6sf/T+WO5KZUCRFCofmn00=",
            ),
            (
                1_780_000_000_999,
                &body[..],
                "v1,k1h1uCiSLbpo9luoZOfyf6sf/T+WO5KZUCRFCofmn00=",
            ),
            (
                1_780_000_001_000,
                &body[..],
                "v1,HG9rGN1xWowZU68007gXk/F9FDoMlBhXq7Mx0G2x4cQ=",
            ),
            (
                1_780_000_000_000,
                &b""[..],
                "v1,btwDXX/SS1rSTIOG1+QWVx4TleRssAP8EeoXEuqpu30=",
            ),
        ] {
            let at = Timestamp::from_millis(at);
            let signature = secret.sign("0198f1d2-6c53-8d1c-9d4e-0c8f3f3d9a10", at, body);
            assert_eq!(signature, want, "{at:?} {body:?}");
        }
        assert!(SigningSecret::from_bytes(&[0; 31]).is_none());
    }

    /// `Debug` does not show the secret.
    #[test]
    fn a_secret_stays_one() {
        assert_eq!(format!("{:?}", secret()), "SigningSecret(..)");
    }

    /// The delays are those documented for partners; jitter only ever makes them longer, by a tenth at most; a receiver's
    /// `Retry-After` counts if it is longer; and after the last try there is none.
    #[test]
    fn when_it_is_sent_again() {
        const HOUR: u64 = 3600;
        let promised = [
            5,
            300,
            1800,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        for (tries, seconds) in (1..).zip(promised) {
            let seconds = Duration::from_secs(seconds);
            assert_eq!(retry_delay(tries, 0, None), Some(seconds));
            assert_eq!(retry_delay(tries, 255, None), Some(seconds + seconds / 10));
            let between = retry_delay(tries, 100, None).unwrap();
            assert!(between > seconds && between < seconds + seconds / 10, "{tries}");
        }
        let long = Duration::from_hours(3);
        assert_eq!(retry_delay(1, 0, Some(long)), Some(long));
        assert_eq!(retry_delay(5, 0, Some(long)), Some(Duration::from_hours(5)));
        assert_eq!(retry_delay(10, 0, Some(long)), None);
        assert_eq!(retry_delay(u32::MAX, 0, None), None);
    }

    /// Only 2xx is a success, and only 410 a final refusal.
    #[test]
    fn what_a_status_means() {
        for (status, want) in [
            (200, WebhookOutcome::Delivered),
            (204, WebhookOutcome::Delivered),
            (299, WebhookOutcome::Delivered),
            (199, WebhookOutcome::Failed),
            (301, WebhookOutcome::Failed),
            (304, WebhookOutcome::Failed),
            (307, WebhookOutcome::Failed),
            (400, WebhookOutcome::Failed),
            (404, WebhookOutcome::Failed),
            (409, WebhookOutcome::Failed),
            (410, WebhookOutcome::Gone),
            (429, WebhookOutcome::Failed),
            (500, WebhookOutcome::Failed),
            (503, WebhookOutcome::Failed),
        ] {
            assert_eq!(outcome_of_status(status), want, "{status}");
        }
    }
}
