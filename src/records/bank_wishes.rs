//! Who wants a text when an institution is back.

use async_trait::async_trait;

use super::{Job, Message, Result};
use crate::core::ids::{PartnerId, WatchId, WishId};
use crate::core::seal::Tag;
use crate::core::time::Timestamp;

/// A person's wish to be texted when an institution is back. There is one for a person and an institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankWish {
    /// Its id; another one each time they ask.
    pub id: WishId,
    /// On whose behalf.
    pub partner: PartnerId,
    /// Who.
    pub tag: Tag,
    /// The provider's name.
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    /// Number, language and channel, sealed.
    pub sealed: Vec<u8>,
    /// Whether only a login shows that it is back; else that a session opens does.
    pub needs_login: bool,
    /// When they asked.
    pub asked_at: Timestamp,
    /// From then on it is forgotten.
    pub until: Timestamp,
}

/// An institution, and since when something about it is asked.
#[derive(Clone, Copy, Debug)]
pub struct BankSince<'a> {
    /// On whose behalf.
    pub partner: PartnerId,
    /// The provider's name.
    pub provider: &'a str,
    /// The institution's id at the provider.
    pub institution: &'a str,
    /// After this moment.
    pub since: Timestamp,
}

/// Wishes to be texted when an institution is back.
#[async_trait]
pub trait BankWishRecords: Send + Sync {
    /// Writes a wish in place of the person's earlier one there. Where a watch that began after `fresh` has somebody to
    /// tell of the same institution it sees to this one too; else `watch` begins, with its job, in the same transaction.
    async fn put_bank_wish(&self, wish: &BankWish, watch: WatchId, job: &Job, fresh: Timestamp) -> Result<()>;
    /// The wishes that a watch has still to answer, oldest first. Those that are over by `now` are deleted.
    async fn open_bank_wishes(&self, watch: WatchId, now: Timestamp) -> Result<Vec<BankWish>>;
    /// A wish that is not over, answered or not.
    async fn bank_wish(&self, id: WishId) -> Result<Option<BankWish>>;
    /// Writes the text that answers a wish, with the job that sends it, and marks the wish, in one transaction: a wish that
    /// is answered, withdrawn or replaced gets none. Says whether it was written.
    async fn answer_bank_wish(&self, id: WishId, text: &Message, send: &Job, at: Timestamp) -> Result<bool>;
    /// Deletes a wish.
    async fn withdraw_bank_wish(&self, id: WishId) -> Result<()>;
    /// Whether the institution has taken a login that was begun since then; one of this person, where one is named.
    async fn login_taken(&self, bank: BankSince<'_>, by: Option<&Tag>) -> Result<bool>;
}
