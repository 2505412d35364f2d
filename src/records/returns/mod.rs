//! Tickets with which a browser finds its attempt. A ticket is random and told to nobody but the person it is for; what is
//! here is its digest.

use async_trait::async_trait;

use super::columns::{Bytes, db_enum};
use super::{Job, Result};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::time::Timestamp;

db_enum! {
    /// What a ticket is for.
    pub enum TicketPurpose {
        /// It is in the link that the person gets in an SMS, and leads to the bank's page.
        Go = "go",
        /// It goes to the bank as `state`, and comes back with the browser.
        State = "state",
    }
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReturnTicket {
    /// A keyed digest of the ticket's random bits.
    #[sqlx(try_from = "Bytes<32>")]
    pub digest: [u8; 32],
    pub partner: PartnerId,
    /// Where it leads.
    pub attempt: AttemptId,
    pub purpose: TicketPurpose,
    pub created_at: Timestamp,
    /// From then on it leads nowhere.
    pub until: Timestamp,
    /// When it was used, if it was.
    pub used_at: Option<Timestamp>,
}

/// Tickets. Those that are over are deleted as [`super::ExpiredData::Tickets`], or with their attempt.
#[async_trait]
pub trait ReturnRecords: Send + Sync {
    /// Adds tickets; one whose digest is there already is not touched.
    async fn add_tickets(&self, tickets: &[ReturnTicket]) -> Result<()>;
    /// The ticket with this digest, used or not, if its time is not over. It is not used by that.
    async fn ticket(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<ReturnTicket>>;
    /// Uses a ticket: says where it leads, if its time is not over, once.
    async fn use_ticket(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<AttemptId>>;
    /// Uses a ticket and adds the one that follows it, in one transaction. Says whether it did; if not, nothing is written.
    async fn exchange_ticket(&self, digest: &[u8; 32], next: &ReturnTicket, now: Timestamp) -> Result<bool>;
    /// Uses a ticket with which a browser came back, keeps what it brought, sealed, in an attempt that waits for it, and
    /// writes the jobs that go on with that, in one transaction.
    async fn return_with_ticket(
        &self,
        digest: &[u8; 32],
        returned: &[u8],
        jobs: &[Job],
        now: Timestamp,
    ) -> Result<Option<AttemptId>>;
}
