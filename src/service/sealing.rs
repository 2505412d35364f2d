//! Sealing of the fields of records: which field of which record, whose.

mod intents;

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::core::ids::{AttemptId, BankAlertId, ConsentId, LinkedAccountId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::Grant;
use crate::core::seal::{Keyring, SealContext, SealError, SubscriberTag};
use crate::core::secret::Secret;
use crate::core::time::Rng;
use crate::providers::ProviderSession;

pub use self::intents::SealedIntent;

/// Somebody who is to be told something later.
#[derive(Serialize, Deserialize)]
pub struct AlertRecipient {
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
    pub rng: Arc<dyn Rng>,
}

impl Sealing {
    /// The number, for a consent's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`]; so for all of these.
    pub fn seal_msisdn(&self, tag: &SubscriberTag, consent: ConsentId, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("consent", tag, consent.as_bytes(), "msisdn"),
            msisdn.as_str().as_bytes(),
        )
    }

    /// The number of a consent's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_msisdn(&self, tag: &SubscriberTag, consent: ConsentId, sealed: &[u8]) -> Result<Msisdn, SealError> {
        let number = self.open_secret(&seal_context("consent", tag, consent.as_bytes(), "msisdn"), sealed)?;
        Msisdn::parse(number.expose(), "").map_err(|_| SealError::Broken)
    }

    /// The provider's session, for an attempt's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn seal_session(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        session: &ProviderSession,
    ) -> Result<Vec<u8>, SealError> {
        let plain = wiped_json(session).map_err(|_| SealError::Broken)?;
        self.seal(&seal_context("attempt", tag, attempt.as_bytes(), "session"), &plain)
    }

    /// The provider's session of an attempt's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_session(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        sealed: &[u8],
    ) -> Result<ProviderSession, SealError> {
        let plain = self
            .keyring
            .open(&seal_context("attempt", tag, attempt.as_bytes(), "session"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }

    /// A grant, for an attempt's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn seal_grant(&self, tag: &SubscriberTag, attempt: AttemptId, grant: &Grant) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("attempt", tag, attempt.as_bytes(), "grant"),
            grant.0.expose().as_bytes(),
        )
    }

    /// The grant of an attempt's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_grant(&self, tag: &SubscriberTag, attempt: AttemptId, sealed: &[u8]) -> Result<Grant, SealError> {
        self.open_secret(&seal_context("attempt", tag, attempt.as_bytes(), "grant"), sealed)
            .map(Grant)
    }

    /// Who is to be told, for the row of a wish.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn seal_recipient(
        &self,
        tag: &SubscriberTag,
        wish: BankAlertId,
        caller: &AlertRecipient,
    ) -> Result<Vec<u8>, SealError> {
        let plain = wiped_json(caller).map_err(|_| SealError::Broken)?;
        self.seal(&seal_context("bank wish", tag, wish.as_bytes(), "caller"), &plain)
    }

    /// Who is to be told, by the row of a wish.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_recipient(
        &self,
        tag: &SubscriberTag,
        wish: BankAlertId,
        sealed: &[u8],
    ) -> Result<AlertRecipient, SealError> {
        let plain = self
            .keyring
            .open(&seal_context("bank wish", tag, wish.as_bytes(), "caller"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }

    /// A provider's account id, for a linked account's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn seal_account(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        id: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("account", tag, account.as_bytes(), "id"),
            id.expose().as_bytes(),
        )
    }

    /// The provider's account id of a linked account's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_account(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("account", tag, account.as_bytes(), "id"), sealed)
    }

    /// A holder's name, for a linked account's row.
    ///
    /// # Errors
    /// See [`Keyring::seal`].
    pub fn seal_holder(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        name: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("account", tag, account.as_bytes(), "holder"),
            name.expose().as_bytes(),
        )
    }

    /// The holder's name of a linked account's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_holder(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("account", tag, account.as_bytes(), "holder"), sealed)
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

    fn seal(&self, place: &SealContext<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.keyring.seal(place, plain, self.rng.as_ref())
    }

    fn open_secret(&self, place: &SealContext<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
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
pub fn wiped_json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let mut wiped = WipedBuffer(Zeroizing::new(Vec::with_capacity(INITIAL_CAPACITY)));
    serde_json::to_writer(&mut wiped, value)?;
    Ok(wiped.0)
}

/// Most values are smaller than this.
const INITIAL_CAPACITY: usize = 4096;

/// A buffer that wipes what it leaves when it grows.
struct WipedBuffer(Zeroizing<Vec<u8>>);

impl io::Write for WipedBuffer {
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

fn seal_context<'a>(
    purpose: &'static str,
    tag: &'a SubscriberTag,
    record: &'a [u8],
    field: &'static str,
) -> SealContext<'a> {
    SealContext {
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
        for length in [
            0,
            1,
            INITIAL_CAPACITY - 2,
            INITIAL_CAPACITY - 1,
            INITIAL_CAPACITY,
            3 * INITIAL_CAPACITY,
            50 * INITIAL_CAPACITY,
        ] {
            let value = vec!["\"x\"".repeat(length); 3];
            let plain = wiped_json(&value).unwrap();
            assert_eq!(plain.as_slice(), serde_json::to_vec(&value).unwrap(), "{length}");
        }
    }
}
