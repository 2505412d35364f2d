//! Sealing: personal data is stored as AES-256-GCM ciphertext under a named key, bound to its context.
//!
//! A blob is `format (1) | key id length (1) | key id | nonce (12) | ciphertext and tag`. The associated data are the
//! format, the key id and the [`SealContext`]: purpose, subject, record and field. A blob that is moved to another person,
//! record or field, or has a byte changed, does not open. The key of a blob is derived with HKDF-SHA-256 from the master key,
//! the purpose and the subject. So no two people share a key, which also keeps random nonces far below their limit.
//!
//! Identities are separate: a [`SubscriberTag`] is an HMAC under its own long-lived key, so rotating the sealing keys never
//! changes a subscriber's tag.

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::msisdn::Msisdn;
use super::time::Rng;

const FORMAT: u8 = 1;
const NONCE: usize = 12;

pub type SealKey = Zeroizing<[u8; 32]>;

/// Identifies a subscriber everywhere: an HMAC of the phone number, useless without the tag key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberTag([u8; 32]);

impl SubscriberTag {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lower-case hexadecimal, as used in store keys.
    pub fn to_hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            hex
        })
    }
}

/// Eight digits are enough to follow a person through a log, and too few to look a person up.
impl fmt::Debug for SubscriberTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", &self.to_hex()[..8])
    }
}

/// What a blob is bound to.
#[derive(Clone, Copy, Debug)]
pub struct SealContext<'a> {
    /// What kind of thing it is: `live`, `consent`, `grant`…
    pub purpose: &'static str,
    /// Whose it is: a subscriber's tag or a partner's id.
    pub subject: &'a [u8],
    /// The id or version of the record.
    pub record: &'a [u8],
    pub field: &'static str,
}

/// Why a blob does not open. Reveals nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed under a key that is not in the ring.
    #[error("sealed under a key that this server does not have")]
    UnknownKey,
    /// Altered, moved to another context, or not a blob at all.
    #[error("altered or moved from its place")]
    Broken,
}

/// The sealing keys (one active, others still accepted) and the tag key.
pub struct Keyring {
    active: String,
    keys: BTreeMap<String, SealKey>,
    tag_key: SealKey,
}

/// Why keys do not make a keyring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The active key is not among the keys.
    #[error("the active key {0:?} is not among the keys")]
    NoActive(String),
    /// A key id must fit its length byte.
    #[error("the key id {0:?} is empty or longer than 64 bytes")]
    BadId(String),
}

impl Keyring {
    /// A keyring that seals with the key `active` and opens with all `keys`; `tag_key` is for tags.
    ///
    /// # Errors
    /// When the active key is missing or an id is empty or too long.
    pub fn new(
        active: impl Into<String>,
        keys: BTreeMap<String, SealKey>,
        tag_key: SealKey,
    ) -> Result<Self, KeyringError> {
        let active = active.into();
        if let Some(bad) = keys.keys().find(|id| id.is_empty() || id.len() > 64) {
            return Err(KeyringError::BadId(bad.clone()));
        }
        if !keys.contains_key(&active) {
            return Err(KeyringError::NoActive(active));
        }
        Ok(Self { active, keys, tag_key })
    }

    pub fn active(&self) -> &str {
        &self.active
    }

    pub fn tag(&self, msisdn: &Msisdn) -> SubscriberTag {
        SubscriberTag(self.digest("msisdn", &[msisdn.as_str().as_bytes()]))
    }

    /// A keyed digest under the long-lived key, for values that must be recognised again but not read (account numbers,
    /// dialog ids).
    pub fn digest(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        keyed_digest(&self.tag_key, purpose, parts)
    }

    /// Seals `plain` for this context under the active key.
    ///
    /// # Errors
    /// [`SealError::Broken`] when the text is too large for the cipher (64 GiB): not in practice.
    pub fn seal(&self, context: &SealContext<'_>, plain: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, SealError> {
        let id = self.active.as_bytes();
        let mut blob = Vec::with_capacity(2 + id.len() + NONCE + plain.len() + 16);
        blob.push(FORMAT);
        blob.push(u8::try_from(id.len()).map_err(|_| SealError::Broken)?);
        blob.extend_from_slice(id);
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        blob.extend_from_slice(&nonce);
        let aad = associated_data(id, context);
        let sealed = self
            .cipher(&self.active, context)?
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| SealError::Broken)?;
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Opens a blob in its context. The plaintext is wiped when dropped.
    ///
    /// # Errors
    /// When the key is not in the ring, or the blob was altered or moved.
    pub fn open(&self, context: &SealContext<'_>, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (&format, rest) = blob.split_first().ok_or(SealError::Broken)?;
        let (&length, rest) = rest.split_first().ok_or(SealError::Broken)?;
        let (id, rest) = rest.split_at_checked(usize::from(length)).ok_or(SealError::Broken)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Broken)?;
        if format != FORMAT {
            return Err(SealError::Broken);
        }
        let name = std::str::from_utf8(id).map_err(|_| SealError::Broken)?;
        let aad = associated_data(id, context);
        self.cipher(name, context)?
            .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| SealError::Broken)
    }

    fn cipher(&self, id: &str, context: &SealContext<'_>) -> Result<Aes256Gcm, SealError> {
        let master = self.keys.get(id).ok_or(SealError::UnknownKey)?;
        let mut key = Zeroizing::new([0; 32]);
        let info = length_prefixed(&[b"kiungo seal", context.purpose.as_bytes(), context.subject]);
        Hkdf::<Sha256>::new(None, master.as_slice())
            .expand(&info, key.as_mut_slice())
            .map_err(|_| SealError::Broken)?;
        Ok(Aes256Gcm::new(&aes_gcm::Key::<Aes256Gcm>::from(*key)))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// The key id that a blob claims; `None` if it is not a blob. Only opening the blob proves the claim.
pub fn key_id(blob: &[u8]) -> Option<&str> {
    let (&[format, length], rest) = blob.split_first_chunk::<2>()?;
    let id = rest.get(..usize::from(length))?;
    std::str::from_utf8(id)
        .ok()
        .filter(|id| format == FORMAT && !id.is_empty())
}

/// HMAC-SHA-256 over a purpose and parts, each with its length, so that different lists never give the same input.
fn keyed_digest(key: &SealKey, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_slice()) else {
        unreachable!("HMAC takes a key of any length");
    };
    mac.update(&length_prefixed(&[purpose.as_bytes()]));
    mac.update(&length_prefixed(parts));
    mac.finalize().into_bytes().into()
}

fn associated_data(id: &[u8], context: &SealContext<'_>) -> Zeroizing<Vec<u8>> {
    length_prefixed(&[
        &[FORMAT],
        id,
        context.purpose.as_bytes(),
        context.subject,
        context.record,
        context.field.as_bytes(),
    ])
}

/// Wiped when dropped: the parts may be a password.
fn length_prefixed(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum()));
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
impl Keyring {
    /// The same keyring in every test.
    pub(crate) fn for_tests() -> Self {
        let keys = std::iter::once(("k1".to_owned(), Zeroizing::new([1; 32]))).collect();
        Self::new("k1", keys, Zeroizing::new([7; 32])).expect("keys")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::time::Rng;

    /// A source of nonces that never repeats within a test.
    struct CountingNonces(std::sync::atomic::AtomicU64);

    impl Rng for CountingNonces {
        fn fill(&self, out: &mut [u8]) {
            let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
            out.iter_mut().zip(n.iter().cycle()).for_each(|(out, n)| *out = *n);
        }
    }

    fn ring(active: &str, ids: &[&str]) -> Keyring {
        let keys = ids
            .iter()
            .map(|id| ((*id).to_owned(), Zeroizing::new([id.as_bytes()[0]; 32])))
            .collect();
        Keyring::new(active, keys, Zeroizing::new([7; 32])).unwrap()
    }

    fn rng() -> CountingNonces {
        CountingNonces(std::sync::atomic::AtomicU64::new(1))
    }

    const CONTEXT: SealContext<'_> = SealContext {
        purpose: "live",
        subject: b"ada",
        record: b"1",
        field: "state",
    };

    proptest! {
        /// A sealed value opens in its context, unchanged.
        #[test]
        fn a_blob_opens_in_its_context(plain: Vec<u8>) {
            let ring = ring("a", &["a"]);
            let blob = ring.seal(&CONTEXT, &plain, &rng()).unwrap();
            let opened = ring.open(&CONTEXT, &blob).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
        }

        /// Any single changed byte is noticed.
        #[test]
        fn a_changed_byte_never_opens(plain: Vec<u8>, at: prop::sample::Index, flip in 1u8..) {
            let ring = ring("a", &["a", "b"]);
            let mut blob = ring.seal(&CONTEXT, &plain, &rng()).unwrap();
            let at = at.index(blob.len());
            blob[at] ^= flip;
            prop_assert!(ring.open(&CONTEXT, &blob).is_err());
        }

        /// Garbage is refused and does not panic.
        #[test]
        fn garbage_is_refused(blob: Vec<u8>) {
            prop_assert!(ring("a", &["a"]).open(&CONTEXT, &blob).is_err());
        }
    }

    /// A blob moved to another purpose, person, record or field does not open.
    #[test]
    fn a_moved_blob_does_not_open() {
        let ring = ring("a", &["a"]);
        let blob = ring.seal(&CONTEXT, b"state", &rng()).unwrap();
        for context in [
            SealContext {
                purpose: "grant",
                ..CONTEXT
            },
            SealContext {
                subject: b"eve",
                ..CONTEXT
            },
            SealContext {
                record: b"2",
                ..CONTEXT
            },
            SealContext {
                field: "reply",
                ..CONTEXT
            },
            SealContext {
                subject: b"ad",
                record: b"a1",
                ..CONTEXT
            },
        ] {
            assert_eq!(
                ring.open(&context, &blob).unwrap_err(),
                SealError::Broken,
                "{context:?}"
            );
        }
    }

    /// Rotation: blobs under the previous key still open, new ones name the new key, and no tag changes.
    #[test]
    fn rotation_keeps_old_blobs_and_identities() {
        let (before, after) = (ring("a", &["a"]), ring("b", &["a", "b"]));
        let old = before.seal(&CONTEXT, b"x", &rng()).unwrap();
        assert_eq!(after.open(&CONTEXT, &old).unwrap().as_slice(), b"x");
        let new = after.seal(&CONTEXT, b"x", &rng()).unwrap();
        assert_eq!((key_id(&old), key_id(&new)), (Some("a"), Some("b")));
        for garbage in [
            &b""[..],
            &[FORMAT],
            &[FORMAT, 2, b'a'],
            &[FORMAT, 0],
            &[FORMAT + 1, 1, b'a'],
            &[FORMAT, 1, 0xff],
        ] {
            assert_eq!(key_id(garbage), None, "{garbage:?}");
        }
        assert_eq!(before.open(&CONTEXT, &new).unwrap_err(), SealError::UnknownKey);
        let msisdn = Msisdn::parse("+2348031234567", "NG").unwrap();
        assert_eq!(before.tag(&msisdn), after.tag(&msisdn));
    }

    /// Two blobs of one plaintext differ, so comparing blobs reveals nothing.
    #[test]
    fn equal_texts_give_different_blobs() {
        let (ring, rng) = (ring("a", &["a"]), rng());
        assert_ne!(
            ring.seal(&CONTEXT, b"x", &rng).unwrap(),
            ring.seal(&CONTEXT, b"x", &rng).unwrap()
        );
    }
}
