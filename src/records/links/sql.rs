//! Links and their accounts.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, FromRow as _, Row as _, query, query_as, query_scalar};

use super::intents::{IntentProgress, end_renewals};
use super::jobs::add_jobs;
use super::outbox::link_moved;
use super::verification::{answer_of, is_unannounced, take_into_use};
use super::{Backend, Connection, Query, Row};
use crate::core::ids::{AttemptId, LinkId, LinkedAccountId, PartnerId};
use crate::core::page::PageCursor;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{
    AccountReading, AttemptState, Job, Link, LinkCompletion, LinkRecords, LinkState, LinkVerification, LinkedAccount,
    RecordsError, Result, VerificationOutcome,
};

/// The columns of a link and of one of its accounts, as [`links_of`] reads them.
macro_rules! link_columns {
    () => {
        "l.id AS link_id, l.partner, l.tag, l.consent, l.attempt, l.provider, l.institution, l.provider_institution, l.institution_name, l.state, \
         l.until, l.notice_from, l.access_until, l.created_at, l.used_at, l.moved_at, l.handle_digest, l.handle, l.access, l.access_version, a.id AS account_id, a.account, a.account_digest, a.masked, a.number_digest, a.holder, \
         a.kind, a.currency"
    };
}
pub(super) use link_columns;

/// Links with accounts, one row an account; `$from` yields `l`, in the order wanted.
macro_rules! select_links {
    ($from:literal, $order:literal) => {
        concat!(
            "SELECT ",
            link_columns!(),
            " FROM ",
            $from,
            " LEFT JOIN linked_accounts a ON a.link = l.id ORDER BY ",
            $order,
            ", a.place"
        )
    };
}
pub(super) use select_links;

#[async_trait]
impl LinkRecords for Backend {
    async fn complete_link(&self, link: &Link, jobs: &[Job]) -> Result<LinkCompletion> {
        // Links of one person are numbered in the order in which they are written, and nobody begins anything new for this
        // person meanwhile.
        self.transaction_about(link.tag.as_bytes(), async |tx| {
            let made_before = query_scalar("SELECT id FROM links WHERE attempt = $1").bind(link.attempt);
            if let Some(id) = made_before.fetch_optional(&mut *tx).await? {
                return Ok(LinkCompletion::Written(id));
            }
            if is_superseded(tx, link).await? {
                return Ok(LinkCompletion::Superseded);
            }
            let answered = answer_of(tx, link).await?;
            if answered == IntentProgress::Closed {
                return Ok(LinkCompletion::IntentClosed);
            }
            add_link(tx, link).await?;
            for (place, account) in (0i64..).zip(&link.accounts) {
                add_account(tx, link, place, account).await?;
            }
            add_jobs(tx, jobs).await?;
            if link.state != LinkState::Verifying {
                take_into_use(tx, link, answered).await?;
            }
            Ok(LinkCompletion::Written(link.id))
        })
        .await
    }

    async fn verify_link(
        &self,
        link: &Link,
        verification: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome> {
        self.verify(link, verification, at).await
    }

    async fn undo_link(&self, link: &Link, attempt: AttemptState, jobs: &[Job], at: Timestamp) -> Result<bool> {
        self.undo(link, attempt, jobs, at).await
    }

    async fn link(&self, id: LinkId) -> Result<Option<Link>> {
        let statement = select_links!("(SELECT * FROM links WHERE id = $1) l", "l.id");
        self.fetch_link(query(statement).bind(id)).await
    }

    async fn link_of_attempt(&self, id: AttemptId) -> Result<Option<Link>> {
        let statement = select_links!("(SELECT * FROM links WHERE attempt = $1) l", "l.id");
        self.fetch_link(query(statement).bind(id)).await
    }

    async fn made_link_in_use(&self, id: AttemptId) -> Result<bool> {
        let made = query_as("SELECT COUNT(*) FROM links WHERE attempt = $1 AND NOT unannounced").bind(id);
        let made: Option<(i64,)> = self.fetch(made).await?;
        Ok(made.is_some_and(|(made,)| made > 0))
    }

    async fn link_by_account(&self, account_digest: &[u8; 32]) -> Result<Option<Link>> {
        // An account may have been linked, removed and linked again.
        let statement = select_links!(
            "(SELECT k.* FROM linked_accounts d JOIN links k ON k.id = d.link WHERE d.account_digest = $1 \
             ORDER BY CASE WHEN k.state IN ('removed', 'expired') THEN 1 ELSE 0 END, k.created_at DESC, k.nth DESC, k.id DESC LIMIT 1) l",
            "l.id"
        );
        self.fetch_link(query(statement).bind(&account_digest[..])).await
    }

    async fn link_by_account_of(&self, partner: PartnerId, account_digest: &[u8; 32]) -> Result<Option<Link>> {
        let statement = select_links!(
            "(SELECT k.* FROM linked_accounts d JOIN links k ON k.id = d.link WHERE d.account_digest = $1 \
             AND k.partner = $2 \
             ORDER BY CASE WHEN k.state IN ('removed', 'expired') THEN 1 ELSE 0 END, k.created_at DESC, k.nth DESC, k.id DESC LIMIT 1) l",
            "l.id"
        );
        self.fetch_link(query(statement).bind(&account_digest[..]).bind(partner))
            .await
    }

    async fn store_account_reading(&self, id: LinkedAccountId, reading: &AccountReading) -> Result<Vec<LinkId>> {
        // Of two accounts with one number that are read at once, the later sees the other.
        self.transaction_about(&reading.number_digest, async |tx| {
            // An account that was redacted stays blank.
            let stored = query(
                "UPDATE linked_accounts SET masked = $2, number_digest = $3, holder = COALESCE($4, holder), \
                 kind = COALESCE($5, kind), currency = COALESCE($6, currency) WHERE id = $1 AND LENGTH(account) > 0",
            )
            .bind(id)
            .bind(&reading.masked)
            .bind(&reading.number_digest[..])
            .bind(&reading.holder)
            .bind(&reading.kind)
            .bind(&reading.currency)
            .execute(&mut *tx)
            .await?;
            if stored.rows_affected() == 0 {
                return Err(RecordsError::new("a reading of an account that is not linked"));
            }
            let used = query(
                "UPDATE links SET used_at = mine.used_at FROM (SELECT l.tag, l.used_at FROM links l \
                 JOIN linked_accounts a ON a.link = l.id WHERE a.id = $1) mine \
                 WHERE links.tag = mine.tag AND links.used_at < mine.used_at AND EXISTS \
                 (SELECT 1 FROM linked_accounts o WHERE o.link = links.id AND o.number_digest = $2)",
            );
            used.bind(id).bind(&reading.number_digest[..]).execute(&mut *tx).await?;
            let others: Vec<(LinkId, Timestamp)> = query_as(
                "SELECT DISTINCT l.id, l.created_at FROM linked_accounts mine \
                 JOIN linked_accounts other ON other.partner = mine.partner \
                 AND other.number_digest = mine.number_digest AND other.link <> mine.link \
                 JOIN links l ON l.id = other.link AND l.state IN ('active', 'reauth_required') \
                 WHERE mine.id = $1 ORDER BY l.created_at DESC, l.id DESC",
            )
            .bind(id)
            .fetch_all(tx)
            .await?;
            Ok(others.into_iter().map(|(id, _)| id).collect())
        })
        .await
    }

    async fn note_use(&self, tag: &SubscriberTag, links: &[LinkId], at: Timestamp) -> Result<()> {
        self.transaction(async |tx| {
            for link in links {
                let noting = query("UPDATE links SET used_at = $3 WHERE id = $1 AND tag = $2 AND used_at < $3");
                noting.bind(link).bind(tag).bind(at).execute(&mut *tx).await?;
            }
            Ok(())
        })
        .await
    }

    async fn move_link(&self, id: LinkId, to: LinkState, jobs: &[Job], at: Timestamp) -> Result<bool> {
        self.transaction(async |tx| move_link(tx, id, to, jobs, at).await).await
    }

    async fn links(&self, partner: PartnerId, after: Option<(Timestamp, LinkId)>, limit: u32) -> Result<Vec<Link>> {
        let start = (PageCursor::START.at, LinkId::from_bytes(PageCursor::START.id));
        let (at, id) = after.unwrap_or(start);
        let statement = select_links!(
            "(SELECT * FROM links WHERE partner = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) \
             ORDER BY created_at DESC, id DESC LIMIT $4) l",
            "l.created_at DESC, l.id DESC"
        );
        let links = query(statement).bind(partner).bind(at).bind(id);
        self.fetch_links(links.bind(i64::from(limit))).await
    }
}

impl Backend {
    pub(super) async fn fetch_link(&self, statement: Query<'_>) -> Result<Option<Link>> {
        Ok(self.fetch_links(statement).await?.pop())
    }

    pub(super) async fn fetch_links(&self, statement: Query<'_>) -> Result<Vec<Link>> {
        self.call(async { links_of(&statement.fetch_all(&self.readers).await?) })
            .await
    }
}

/// A person's links that are in use now, newest first.
pub(super) async fn live_links(tx: &mut Connection, tag: &SubscriberTag, now: Timestamp) -> Result<Vec<Link>> {
    let statement = select_links!(
        "(SELECT * FROM links WHERE tag = $1 AND state IN ('active', 'reauth_required') AND until > $2) l",
        "l.nth DESC, l.created_at DESC"
    );
    links_of(&query(statement).bind(tag).bind(now).fetch_all(tx).await?)
}

/// Moves a link, with all that follows from it; says whether it moved. Somebody who has logged in again for a link that is
/// in use has done what was asked of them all the same. What has ended is not taken into use again, whether or not that was
/// written down yet.
pub(super) async fn move_link(
    tx: &mut Connection,
    id: LinkId,
    to: LinkState,
    jobs: &[Job],
    at: Timestamp,
) -> Result<bool> {
    let moving = query(AssertSqlSafe(format!(
        "UPDATE links SET state = $2, moved_at = $3, access = CASE WHEN $2 = 'removed' THEN NULL ELSE access END, \
         ended_at = CASE WHEN $2 = 'removed' THEN $3 ELSE ended_at END \
         WHERE id = $1 AND ($2 NOT IN ('active', 'reauth_required') OR until > $3) AND state IN {}",
        to.sources()
    )));
    let moved = moving.bind(id).bind(to).bind(at).execute(&mut *tx).await?;
    let moved = moved.rows_affected() > 0;
    if moved {
        add_jobs(tx, jobs).await?;
        if !is_unannounced(tx, id, at).await? {
            link_moved(tx, id, to, at).await?;
        }
    }
    end_renewals(tx, id, to, at).await?;
    Ok(moved)
}

/// Whether the same person has begun another connect session since the one that a link came of. So it is, too, when the
/// attempt is nobody's any more, because whose it was has been erased.
pub(super) async fn is_superseded(tx: &mut Connection, link: &Link) -> Result<bool> {
    let later: i64 = query_scalar(
        "SELECT (SELECT COUNT(*) FROM attempts mine JOIN attempts later ON later.partner = mine.partner \
         AND later.tag = mine.tag AND later.nth > mine.nth AND later.session <> mine.session WHERE mine.id = $1) \
         + (SELECT COUNT(*) FROM attempts WHERE id = $1 AND tag <> $2)",
    )
    .bind(link.attempt)
    .bind(link.tag)
    .fetch_one(tx)
    .await?;
    Ok(later > 0)
}

/// Adds a link without its accounts.
async fn add_link(tx: &mut Connection, link: &Link) -> Result<()> {
    query(
        "INSERT INTO links (id, partner, tag, consent, attempt, provider, institution, institution_name, state, \
         created_at, moved_at, nth, unannounced, handle_digest, handle, access, access_version, until, notice_from, \
         access_until, used_at, provider_institution) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, \
         (SELECT COALESCE(MAX(nth), 0) + 1 FROM links WHERE tag = $3), $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    )
    .bind(link.id)
    .bind(link.partner)
    .bind(link.tag)
    .bind(link.consent)
    .bind(link.attempt)
    .bind(&link.provider)
    .bind(&link.institution)
    .bind(&link.institution_name)
    .bind(link.state)
    .bind(link.created_at)
    .bind(!link.in_use())
    .bind(link.access.handle_digest.map(Bytes))
    .bind(&link.access.handle)
    .bind(&link.access.sealed)
    .bind(i64::from(link.access.version))
    .bind(link.until)
    .bind(link.notice_from)
    .bind(link.access_until)
    .bind(link.used_at)
    .bind(&link.provider_institution)
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_account(tx: &mut Connection, link: &Link, place: i64, account: &LinkedAccount) -> Result<()> {
    query(
        "INSERT INTO linked_accounts (id, partner, link, place, account, account_digest, masked, number_digest, holder, \
         kind, currency) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(account.id)
    .bind(link.partner)
    .bind(link.id)
    .bind(place)
    .bind(&account.account)
    .bind(&account.account_digest[..])
    .bind(&account.masked)
    .bind(account.number_digest.map(Bytes))
    .bind(&account.holder)
    .bind(&account.kind)
    .bind(&account.currency)
    .execute(tx)
    .await?;
    Ok(())
}

/// Gathers rows, one an account, into links; the rows of one link stand together.
pub(super) fn links_of(rows: &[Row]) -> Result<Vec<Link>> {
    let mut links: Vec<Link> = Vec::new();
    for row in rows {
        let mut link = Link::from_row(row)?;
        if links.last().is_some_and(|last| last.id == link.id) {
            link = links.pop().unwrap_or(link);
        }
        // None in the single row of a link without accounts.
        if row.try_get::<Option<LinkedAccountId>, _>("account_id")?.is_some() {
            link.accounts.push(LinkedAccount::from_row(row)?);
        }
        links.push(link);
    }
    Ok(links)
}
