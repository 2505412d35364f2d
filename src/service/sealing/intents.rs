//! What is sealed in a partner's request. It is bound to the partner: a code is nobody's yet.

use super::{Sealing, wiped_json};
use crate::core::dial_code::DialCode;
use crate::core::expected_account::ExpectedAccount;
use crate::core::ids::{IntentId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::{SealContext, SealError};

/// A request, as what is sealed in it is bound to it.
#[derive(Clone, Copy)]
pub struct SealedIntent {
    /// Who asks.
    pub partner: PartnerId,
    /// Which request.
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

impl Sealing {
    /// The number that a request is for.
    ///
    /// # Errors
    /// See [`crate::core::seal::Keyring::seal`]; so for all of these.
    pub fn seal_intent_msisdn(&self, request: SealedIntent, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(&request.seal_context("msisdn"), msisdn.as_str().as_bytes())
    }

    /// The number in a request's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_intent_msisdn(&self, request: SealedIntent, sealed: &[u8]) -> Result<Msisdn, SealError> {
        let number = self.open_secret(&request.seal_context("msisdn"), sealed)?;
        Msisdn::parse(number.expose(), "").map_err(|_| SealError::Broken)
    }

    /// The code of a request.
    ///
    /// # Errors
    /// See [`crate::core::seal::Keyring::seal`].
    pub fn seal_intent_code(&self, request: SealedIntent, code: DialCode) -> Result<Vec<u8>, SealError> {
        self.seal(&request.seal_context("code"), code.to_string().as_bytes())
    }

    /// The code in a request's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_intent_code(&self, request: SealedIntent, sealed: &[u8]) -> Result<DialCode, SealError> {
        let code = self.open_secret(&request.seal_context("code"), sealed)?;
        DialCode::parse(code.expose()).ok_or(SealError::Broken)
    }

    /// How the code of a request is recognised when it is dialled.
    pub fn code_digest(&self, code: DialCode) -> [u8; 32] {
        self.keyring.digest("intent code", &[code.to_string().as_bytes()])
    }

    /// What a request expects.
    ///
    /// # Errors
    /// See [`crate::core::seal::Keyring::seal`].
    pub fn seal_expected(&self, request: SealedIntent, expected: &ExpectedAccount) -> Result<Vec<u8>, SealError> {
        let plain = wiped_json(expected).map_err(|_| SealError::Broken)?;
        self.seal(&request.seal_context("expected"), &plain)
    }

    /// What a request's row expects.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_expected(&self, request: SealedIntent, sealed: &[u8]) -> Result<ExpectedAccount, SealError> {
        let plain = self.keyring.open(&request.seal_context("expected"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }
}
