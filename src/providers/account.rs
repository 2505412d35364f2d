//! What a provider says of an account.

use crate::core::secret::Secret;

/// A linked account at the provider.
#[derive(Debug)]
pub struct ProviderAccount {
    /// The provider's account id; valid only with the key that created it.
    pub id: Secret,
    /// The session it was linked in, if the provider says: how a lost answer is found again.
    pub session_id: Option<String>,
    /// The provider's id of the person it belongs to, where it names people.
    pub person: Option<Secret>,
    /// The provider's id of the whole link it belongs to, where that is what can be ended: a list must say it.
    pub link: Option<Secret>,
    /// If this call returns them.
    pub details: Option<AccountDetails>,
}

/// What we read of an account. Deliberately no balance.
#[derive(Debug)]
pub struct AccountDetails {
    /// The full number: hashed and masked at once, never stored.
    pub number: Secret,
    /// The holder's name; sealed wherever it is stored.
    pub holder: Option<Secret>,
    /// The type as the provider writes it.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// The institution's name.
    pub institution: Option<String>,
}
