//! The account that a partner expects to be linked.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the account must turn out to be; at least one of the two.
#[derive(Serialize, Deserialize)]
pub struct Expected {
    /// Its number, digits only.
    pub account_number: Option<Zeroizing<String>>,
    /// Its holder's name, as the partner writes it.
    pub holder_name: Option<Zeroizing<String>>,
}
