//! What grants were exchanged for. A grant works once, so what came of it is durable before anything else is done with it;
//! and so is what of it is not to be linked before access to that is ended at the provider.

use async_trait::async_trait;

use super::attempts::AttemptState;
use super::{Job, Result};
use crate::core::ids::AttemptId;
use crate::core::time::Timestamp;

/// Accounts that came of an attempt and are not to be linked.
#[derive(Clone, Copy, Debug)]
pub struct RejectedAccounts<'a> {
    /// What is stored of such accounts, as it was read before this was decided.
    pub before: Option<&'a [u8]>,
    /// All of them, sealed, those of before too: access to them is to be ended.
    pub to_end: &'a [u8],
    /// What else came of it, sealed; `None` where nothing did.
    pub own: Option<&'a [u8]>,
    /// Ends the access.
    pub end: &'a Job,
    /// Where the attempt ends, if it ends with them.
    pub state: Option<AttemptState>,
}

#[async_trait]
pub trait ExchangeRecords: Send + Sync {
    /// Stores what the grant of an attempt was exchanged for, sealed. It is wiped with the grant.
    async fn store_exchanged(&self, id: AttemptId, exchanged: &[u8]) -> Result<()>;
    async fn exchanged(&self, id: AttemptId) -> Result<Option<Vec<u8>>>;
    /// Stores accounts that are not to be linked with the job that ends access to them, and moves the attempt if it ends
    /// with them, in one transaction. Nothing is written where somebody has stored others since, where the attempt has
    /// ended otherwise, or where it has a link; says whether it was.
    async fn reject_accounts(&self, id: AttemptId, rejected: &RejectedAccounts<'_>, at: Timestamp) -> Result<bool>;
    /// The accounts to which access is still to be ended, sealed.
    async fn rejected_accounts(&self, id: AttemptId) -> Result<Option<Vec<u8>>>;
    /// Access to these has ended: they are wiped, unless others have been added since.
    async fn rejected_accounts_ended(&self, id: AttemptId, ended: &[u8]) -> Result<()>;
}
