//! Sealing of the fields of records: which field of which record, whose.

mod intents;

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::core::ids::{AttemptId, ConsentId, LinkedAccountId, WishId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::Grant;
use crate::core::seal::{Keyring, Place, SealError, Tag};
use crate::core::secret::Secret;
use crate::core::time::Entropy;
use crate::providers::ProviderSession;

pub use self::intents::Request;

/// Somebody who is to be told something later.
#[derive(Serialize, Deserialize)]
pub struct Caller {
    /// Their number.
    pub to: Msisdn,
    /// In this language.
    pub locale: Locale,
    /// The channel they dialled on.
    pub channel: String,
}

/// Seals and opens the fields of records.
#[derive(Clone)]
pub struct Sealing {
    /// The keys.
    pub keyring: Arc<Keyring>,
    /// For nonces.
    pub entropy: Arc<dyn Entropy>,
}

impl Sealing {
    /// The number, for a consent's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`]; so for all of these.
    pub fn msisdn(&self, tag: &Tag, consent: ConsentId, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(
            &at("consent", tag, consent.as_bytes(), "msisdn"),
            msisdn.as_str().as_bytes(),
        )
    }

    /// The number of a consent's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_msisdn(&self, tag: &Tag, consent: ConsentId, sealed: &[u8]) -> Result<Msisdn, SealError> {
        let number = self.text(&at("consent", tag, consent.as_bytes(), "msisdn"), sealed)?;
        Msisdn::parse(number.expose(), "").map_err(|_| SealError::Broken)
    }

    /// The provider's session, for an attempt's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn session(&self, tag: &Tag, attempt: AttemptId, session: &ProviderSession) -> Result<Vec<u8>, SealError> {
        let plain = json(session).map_err(|_| SealError::Broken)?;
        self.seal(&at("attempt", tag, attempt.as_bytes(), "session"), &plain)
    }

    /// The provider's session of an attempt's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_session(&self, tag: &Tag, attempt: AttemptId, sealed: &[u8]) -> Result<ProviderSession, SealError> {
        let plain = self
            .keyring
            .open(&at("attempt", tag, attempt.as_bytes(), "session"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }

    /// A grant, for an attempt's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn grant(&self, tag: &Tag, attempt: AttemptId, grant: &Grant) -> Result<Vec<u8>, SealError> {
        self.seal(
            &at("attempt", tag, attempt.as_bytes(), "grant"),
            grant.0.expose().as_bytes(),
        )
    }

    /// The grant of an attempt's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_grant(&self, tag: &Tag, attempt: AttemptId, sealed: &[u8]) -> Result<Grant, SealError> {
        self.text(&at("attempt", tag, attempt.as_bytes(), "grant"), sealed)
            .map(Grant)
    }

    /// Who is to be told, for the row of a wish.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn caller(&self, tag: &Tag, wish: WishId, caller: &Caller) -> Result<Vec<u8>, SealError> {
        let plain = json(caller).map_err(|_| SealError::Broken)?;
        self.seal(&at("bank wish", tag, wish.as_bytes(), "caller"), &plain)
    }

    /// Who is to be told, by the row of a wish.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_caller(&self, tag: &Tag, wish: WishId, sealed: &[u8]) -> Result<Caller, SealError> {
        let plain = self
            .keyring
            .open(&at("bank wish", tag, wish.as_bytes(), "caller"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }

    /// A provider's account id, for a linked account's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn account(&self, tag: &Tag, account: LinkedAccountId, id: &Secret) -> Result<Vec<u8>, SealError> {
        self.seal(&at("account", tag, account.as_bytes(), "id"), id.expose().as_bytes())
    }

    /// The provider's account id of a linked account's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_account(&self, tag: &Tag, account: LinkedAccountId, sealed: &[u8]) -> Result<Secret, SealError> {
        self.text(&at("account", tag, account.as_bytes(), "id"), sealed)
    }

    /// A holder's name, for a linked account's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn holder(&self, tag: &Tag, account: LinkedAccountId, name: &Secret) -> Result<Vec<u8>, SealError> {
        self.seal(
            &at("account", tag, account.as_bytes(), "holder"),
            name.expose().as_bytes(),
        )
    }

    /// The holder's name of a linked account's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_holder(&self, tag: &Tag, account: LinkedAccountId, sealed: &[u8]) -> Result<Secret, SealError> {
        self.text(&at("account", tag, account.as_bytes(), "holder"), sealed)
    }

    /// How a provider's account id is recognised.
    pub fn account_digest(&self, provider: &str, id: &Secret) -> [u8; 32] {
        self.keyring
            .digest("provider account", &[provider.as_bytes(), id.expose().as_bytes()])
    }

    /// How an account's number is recognised, whichever way it was linked.
    pub fn number_digest(&self, institution: &str, number: &Secret) -> [u8; 32] {
        self.keyring
            .digest("account number", &[institution.as_bytes(), number.expose().as_bytes()])
    }

    fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.keyring.seal(place, plain, self.entropy.as_ref())
    }

    fn text(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        let plain = self.keyring.open(place, sealed)?;
        std::str::from_utf8(&plain)
            .map(Secret::new)
            .map_err(|_| SealError::Broken)
    }
}

/// A value as JSON on its way to be sealed, wiped when dropped and with no copy of it left behind.
///
/// # Errors
/// When the value has no form in JSON.
pub fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let mut wiped = Wiped(Zeroizing::new(Vec::with_capacity(ROOM)));
    serde_json::to_writer(&mut wiped, value)?;
    Ok(wiped.0)
}

/// Most values are smaller than this.
const ROOM: usize = 4096;

/// A buffer that wipes what it leaves when it grows.
struct Wiped(Zeroizing<Vec<u8>>);

impl io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn at<'a>(purpose: &'static str, tag: &'a Tag, record: &'a [u8], field: &'static str) -> Place<'a> {
    Place {
        purpose,
        subject: tag.as_bytes(),
        record,
        field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sealed is all of the value, also where the buffer had to grow, once or many times over.
    #[test]
    fn json_is_whole_however_long() {
        for length in [0, 1, ROOM - 2, ROOM - 1, ROOM, 3 * ROOM, 50 * ROOM] {
            let value = vec!["\"x\"".repeat(length); 3];
            let plain = json(&value).unwrap();
            assert_eq!(plain.as_slice(), serde_json::to_vec(&value).unwrap(), "{length}");
        }
    }
}
