//! What a call to a provider is allowed by: the partner's keys, and what the provider handed out earlier for a person or a
//! link. The provider alone knows what is in the latter; the service seals it, stores it and hands it back.

use std::fmt;

use zeroize::Zeroizing;

use super::ProviderKeys;
use crate::core::secret::Secret;

/// Something that a provider handed out and wants back: a user's token, a refresh token with its consent. Only its provider
/// reads it; it is sealed wherever it is kept.
#[derive(PartialEq, Eq)]
pub struct AccessBlob(Zeroizing<Vec<u8>>);

impl AccessBlob {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AccessBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessBlob(..)")
    }
}

/// By what a call is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub keys: &'a ProviderKeys,
    /// What belongs to the person at this partner, if the provider keeps people: made once, used for every link.
    pub person: Option<&'a AccessBlob>,
    /// What belongs to the link that the call is about.
    pub link: Option<&'a AccessBlob>,
}

impl<'a> Access<'a> {
    /// The partner's keys alone.
    pub fn keys(keys: &'a ProviderKeys) -> Self {
        Self {
            keys,
            person: None,
            link: None,
        }
    }
}

/// The person as the provider knows them, to be stored in place of what was.
#[derive(Debug)]
pub struct PersonAccess {
    /// The provider's id of the person, if its events name it.
    pub handle: Option<Secret>,
    pub blob: AccessBlob,
}

/// An answer, and what is to be stored from now on where the call has changed it.
#[derive(Debug)]
pub struct WithAccess<T> {
    pub value: T,
    pub person: Option<PersonAccess>,
    pub link: Option<AccessBlob>,
}

impl<T> WithAccess<T> {
    /// The same changes with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> WithAccess<U> {
        WithAccess {
            value: change(self.value),
            person: self.person,
            link: self.link,
        }
    }
}

/// Nothing is to be stored.
impl<T> From<T> for WithAccess<T> {
    fn from(value: T) -> Self {
        Self {
            value,
            person: None,
            link: None,
        }
    }
}
