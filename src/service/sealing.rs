//! Seals and opens the fields of records. Each is bound to its place: what it is for, who it is about, which record and
//! which field. An intent's fields are bound to its partner, for nobody has claimed it yet.

use std::io;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::core::dial_code::DialCode;
use crate::core::expected_account::ExpectedAccount;
use crate::core::flow::session::ConsentGiven;
use crate::core::flow::terms::Suggested;
use crate::core::ids::{AttemptId, BankAlertId, ConsentId, IntentId, LinkedAccountId, PartnerId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::Grant;
use crate::core::seal::{Keyring, SealContext, SealError, SubscriberTag};
use crate::core::secret::Secret;
use crate::core::time::Rng;
use crate::providers::ProviderSession;
use crate::records::Consent;

mod provider_access;

/// Who gets a bank alert.
#[derive(Serialize, Deserialize)]
pub struct AlertRecipient {
    pub to: Msisdn,
    pub locale: Locale,
    /// The channel they dialed on.
    pub channel: String,
}

/// The intent that a sealed field belongs to.
#[derive(Clone, Copy)]
pub struct SealedIntent {
    pub partner: PartnerId,
    pub id: IntentId,
}

impl SealedIntent {
    fn seal_context(&self, field: &'static str) -> SealContext<'_> {
        SealContext {
            purpose: "intent",
            subject: self.partner.as_bytes(),
            record: self.id.as_bytes(),
            field,
        }
    }
}

/// Seals and opens the fields of records. Sealing fails as [`Keyring::seal`] does, opening when the value was altered or
/// moved, or its key is missing.
#[derive(Clone)]
pub struct Sealing {
    pub keyring: Arc<Keyring>,
    /// For nonces.
    pub rng: Arc<dyn Rng>,
}

#[expect(clippy::missing_errors_doc, reason = "all fail as `Sealing` says")]
impl Sealing {
    /// The number in a consent.
    pub fn seal_msisdn(&self, tag: &SubscriberTag, consent: ConsentId, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("consent", tag, consent.as_bytes(), "msisdn"),
            msisdn.as_str().as_bytes(),
        )
    }

    pub fn open_msisdn(&self, tag: &SubscriberTag, consent: ConsentId, sealed: &[u8]) -> Result<Msisdn, SealError> {
        self.open_number(&seal_context("consent", tag, consent.as_bytes(), "msisdn"), sealed)
    }

    /// A consent that was just given, as a row.
    pub fn given_consent(
        &self,
        tag: &SubscriberTag,
        msisdn: &Msisdn,
        partner: PartnerId,
        given: &ConsentGiven,
    ) -> Result<Consent, SealError> {
        Ok(Consent {
            id: given.id,
            intent: given.intent,
            partner,
            tag: *tag,
            msisdn: self.seal_msisdn(tag, given.id, msisdn)?,
            text: given.text.clone(),
            version: given.version.clone(),
            locale: given.locale.tag().to_owned(),
            channel: given.channel.clone(),
            agreed_at: given.at,
            purpose: given.purpose.clone(),
            purposes: given.purposes.clone(),
            days: given.days,
            scope: given.scope.clone(),
        })
    }

    /// The provider's session of an attempt.
    pub fn seal_session(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        session: &ProviderSession,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_json(&seal_context("attempt", tag, attempt.as_bytes(), "session"), session)
    }

    pub fn open_session(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        sealed: &[u8],
    ) -> Result<ProviderSession, SealError> {
        self.open_json(&seal_context("attempt", tag, attempt.as_bytes(), "session"), sealed)
    }

    /// The grant of an attempt.
    pub fn seal_grant(&self, tag: &SubscriberTag, attempt: AttemptId, grant: &Grant) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("attempt", tag, attempt.as_bytes(), "grant"),
            grant.0.expose().as_bytes(),
        )
    }

    pub fn open_grant(&self, tag: &SubscriberTag, attempt: AttemptId, sealed: &[u8]) -> Result<Grant, SealError> {
        self.open_secret(&seal_context("attempt", tag, attempt.as_bytes(), "grant"), sealed)
            .map(Grant)
    }

    /// What the grant of an attempt was exchanged for.
    pub fn seal_exchanged(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        accounts: &impl Serialize,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_json(&seal_context("attempt", tag, attempt.as_bytes(), "exchanged"), accounts)
    }

    pub fn open_exchanged<T: DeserializeOwned>(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        sealed: &[u8],
    ) -> Result<T, SealError> {
        self.open_json(&seal_context("attempt", tag, attempt.as_bytes(), "exchanged"), sealed)
    }

    /// What came of an attempt and is not to be linked.
    pub fn seal_rejected(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        accounts: &impl Serialize,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_json(&seal_context("attempt", tag, attempt.as_bytes(), "to end"), accounts)
    }

    pub fn open_rejected<T: DeserializeOwned>(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        sealed: &[u8],
    ) -> Result<T, SealError> {
        self.open_json(&seal_context("attempt", tag, attempt.as_bytes(), "to end"), sealed)
    }

    /// Who gets a bank alert.
    pub fn seal_recipient(
        &self,
        tag: &SubscriberTag,
        alert: BankAlertId,
        recipient: &AlertRecipient,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_json(&seal_context("bank wish", tag, alert.as_bytes(), "caller"), recipient)
    }

    pub fn open_recipient(
        &self,
        tag: &SubscriberTag,
        alert: BankAlertId,
        sealed: &[u8],
    ) -> Result<AlertRecipient, SealError> {
        self.open_json(&seal_context("bank wish", tag, alert.as_bytes(), "caller"), sealed)
    }

    /// The provider's id of a linked account.
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

    pub fn open_account(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("account", tag, account.as_bytes(), "id"), sealed)
    }

    /// The name of a linked account's holder.
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

    pub fn open_holder(
        &self,
        tag: &SubscriberTag,
        account: LinkedAccountId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("account", tag, account.as_bytes(), "holder"), sealed)
    }

    /// The number that an intent is for.
    pub fn seal_intent_msisdn(&self, intent: SealedIntent, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(&intent.seal_context("msisdn"), msisdn.as_str().as_bytes())
    }

    pub fn open_intent_msisdn(&self, intent: SealedIntent, sealed: &[u8]) -> Result<Msisdn, SealError> {
        self.open_number(&intent.seal_context("msisdn"), sealed)
    }

    /// The code of an intent.
    pub fn seal_intent_code(&self, intent: SealedIntent, code: DialCode) -> Result<Vec<u8>, SealError> {
        self.seal(&intent.seal_context("code"), code.to_string().as_bytes())
    }

    pub fn open_intent_code(&self, intent: SealedIntent, sealed: &[u8]) -> Result<DialCode, SealError> {
        let code = self.open_secret(&intent.seal_context("code"), sealed)?;
        DialCode::parse(code.expose()).ok_or(SealError::Broken)
    }

    /// The account that an intent expects.
    pub fn seal_expected(&self, intent: SealedIntent, expected: &ExpectedAccount) -> Result<Vec<u8>, SealError> {
        self.seal_json(&intent.seal_context("expected"), expected)
    }

    pub fn open_expected(&self, intent: SealedIntent, sealed: &[u8]) -> Result<ExpectedAccount, SealError> {
        self.open_json(&intent.seal_context("expected"), sealed)
    }

    /// What an intent offers.
    pub fn seal_suggested(&self, intent: SealedIntent, suggested: &Suggested) -> Result<Vec<u8>, SealError> {
        self.seal_json(&intent.seal_context("suggested"), suggested)
    }

    pub fn open_suggested(&self, intent: SealedIntent, sealed: &[u8]) -> Result<Suggested, SealError> {
        self.open_json(&intent.seal_context("suggested"), sealed)
    }

    /// How the code of an intent is recognised when it is dialed.
    pub fn code_digest(&self, code: DialCode) -> [u8; 32] {
        self.keyring.digest("intent code", &[code.to_string().as_bytes()])
    }

    /// How a provider's account id is recognised.
    pub fn account_digest(&self, provider: &str, id: &Secret) -> [u8; 32] {
        self.keyring
            .digest("provider account", &[provider.as_bytes(), id.expose().as_bytes()])
    }

    /// How an account's number is recognised, whichever provider linked it.
    pub fn number_digest(&self, institution: &str, number: &Secret) -> [u8; 32] {
        self.keyring
            .digest("account number", &[institution.as_bytes(), number.expose().as_bytes()])
    }

    fn seal(&self, context: &SealContext<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.keyring.seal(context, plain, self.rng.as_ref())
    }

    fn seal_json(&self, context: &SealContext<'_>, value: &impl Serialize) -> Result<Vec<u8>, SealError> {
        let plain = wiped_json(value).map_err(|_| SealError::Broken)?;
        self.seal(context, &plain)
    }

    fn open_json<T: DeserializeOwned>(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<T, SealError> {
        let plain = self.keyring.open(context, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }

    fn open_secret(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        let plain = self.keyring.open(context, sealed)?;
        std::str::from_utf8(&plain)
            .map(Secret::new)
            .map_err(|_| SealError::Broken)
    }

    fn open_number(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<Msisdn, SealError> {
        let number = self.open_secret(context, sealed)?;
        Msisdn::parse(number.expose(), "").map_err(|_| SealError::Broken)
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
