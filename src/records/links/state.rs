//! Where a link stands, and what may follow.

use crate::records::columns::{db_enum, moves};

db_enum! {
    /// Where a link stands.
    pub enum LinkState {
        /// Not in use yet: the account is to be compared with the one that the partner expects.
        Verifying = "verifying",
        /// In use.
        Active = "active",
        /// The person must log in again.
        ReauthRequired = "reauth_required",
        /// Being ended: the provider is still to be told.
        Removing = "removing",
        /// Ended.
        Removed = "removed",
        /// Its consent is over. The provider is told until it has ended its access.
        Expired = "expired",
    }
}

// `Removed` and `Expired` are final, and what is being removed is not taken into use again. Nor is what is still to be compared, but by
// comparing it (`LinkRecords::verify_link`).
moves!(LinkState {
    Verifying => [Removing, Removed],
    Active => [ReauthRequired, Removing, Removed, Expired],
    ReauthRequired => [Active, Removing, Removed, Expired],
    Removing => [Removed],
    Removed => [],
    Expired => [],
});

impl LinkState {
    /// All that a partner sees: a link that is being compared does not exist for it yet.
    pub const VISIBLE: [Self; 5] = [
        Self::Active,
        Self::ReauthRequired,
        Self::Removing,
        Self::Removed,
        Self::Expired,
    ];

    /// The state with this name, if a partner may see it.
    pub fn parse_visible(name: &str) -> Option<Self> {
        Self::VISIBLE.into_iter().find(|state| state.as_str() == name)
    }
}
