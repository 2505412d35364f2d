//! What is sealed in a partner's request. It is bound to the partner: a code is nobody's yet.

use super::{Sealing, json};
use crate::core::dial_code::DialCode;
use crate::core::expected::Expected;
use crate::core::ids::{IntentId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::{Place, SealError};

/// A request, as what is sealed in it is bound to it.
#[derive(Clone, Copy)]
pub struct Request {
    /// Who asks.
    pub partner: PartnerId,
    /// Which request.
    pub id: IntentId,
}

impl Request {
    fn place(&self, field: &'static str) -> Place<'_> {
        Place {
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
    pub fn asked_msisdn(&self, request: Request, msisdn: &Msisdn) -> Result<Vec<u8>, SealError> {
        self.seal(&request.place("msisdn"), msisdn.as_str().as_bytes())
    }

    /// The number in a request's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_asked_msisdn(&self, request: Request, sealed: &[u8]) -> Result<Msisdn, SealError> {
        let number = self.text(&request.place("msisdn"), sealed)?;
        Msisdn::parse(number.expose(), "").map_err(|_| SealError::Broken)
    }

    /// The code of a request.
    ///
    /// # Errors
    /// See [`crate::core::seal::Keyring::seal`].
    pub fn asked_code(&self, request: Request, code: DialCode) -> Result<Vec<u8>, SealError> {
        self.seal(&request.place("code"), code.to_string().as_bytes())
    }

    /// The code in a request's row.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_asked_code(&self, request: Request, sealed: &[u8]) -> Result<DialCode, SealError> {
        let code = self.text(&request.place("code"), sealed)?;
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
    pub fn expected(&self, request: Request, expected: &Expected) -> Result<Vec<u8>, SealError> {
        let plain = json(expected).map_err(|_| SealError::Broken)?;
        self.seal(&request.place("expected"), &plain)
    }

    /// What a request's row expects.
    ///
    /// # Errors
    /// When it does not open.
    pub fn open_expected(&self, request: Request, sealed: &[u8]) -> Result<Expected, SealError> {
        let plain = self.keyring.open(&request.place("expected"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::Broken)
    }
}
