//! Links and their accounts.

use async_trait::async_trait;
use sqlx::Row as _;

use super::happening::link_moved;
use super::intents::{Answered, renewals_over};
use super::verifying::{answers, in_use, is_untold};
use super::{Backend, Connection, Row, add_job, fixed, sized, within};
use crate::core::ids::{AttemptId, ConsentId, LinkId, LinkedAccountId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::words::Word;
use crate::records::{
    AccountReading, Job, Link, LinkCompletion, LinkRecords, LinkState, LinkVerification, LinkedAccount, RecordsError,
    Result, VerificationOutcome, sql,
};

#[async_trait]
impl LinkRecords for Backend {
    async fn complete_link(&self, link: &Link, jobs: &[Job]) -> Result<LinkCompletion> {
        within(async {
            // Links of one person are numbered in the order in which they are written, and nobody begins anything new
            // for this person meanwhile.
            let mut transaction = self.write_about(link.tag.as_bytes()).await?;
            if let Some(id) = made_before(&mut transaction, link.attempt).await? {
                return Ok(LinkCompletion::Written(id));
            }
            // Nobody begins anything meanwhile: this transaction holds the write lock.
            if is_superseded(&mut transaction, link).await? {
                return Ok(LinkCompletion::Superseded);
            }
            let answered = answers(&mut transaction, link).await?;
            if answered == Answered::Over {
                return Ok(LinkCompletion::IntentClosed);
            }
            add_link(&mut transaction, link).await?;
            for (place, account) in (0i64..).zip(&link.accounts) {
                add_account(&mut transaction, link, place, account).await?;
            }
            for job in jobs {
                add_job(&mut transaction, job).await?;
            }
            if link.state != LinkState::Verifying {
                in_use(&mut transaction, link, answered).await?;
            }
            transaction.commit().await?;
            Ok(LinkCompletion::Written(link.id))
        })
        .await
    }

    async fn verify_link(
        &self,
        link: &Link,
        verifying: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome> {
        self.verified(link, verifying, at).await
    }

    async fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.one(sql::LINK, id.as_bytes()).await
    }

    async fn link_of_attempt(&self, id: AttemptId) -> Result<Option<Link>> {
        self.one(sql::LINK_OF_ATTEMPT, id.as_bytes()).await
    }

    async fn link_by_account(&self, account_digest: &[u8; 32]) -> Result<Option<Link>> {
        self.one(sql::LINK_BY_ACCOUNT, account_digest).await
    }

    async fn store_account_reading(&self, id: LinkedAccountId, reading: &AccountReading) -> Result<Vec<LinkId>> {
        within(async {
            // Of two accounts with one number that are read at once, the later sees the other.
            let mut transaction = self.write_about(&reading.number_digest).await?;
            let read = sqlx::query(sql::READ_ACCOUNT)
                .bind(&id.as_bytes()[..])
                .bind(&reading.masked)
                .bind(&reading.number_digest[..])
                .bind(&reading.holder)
                .bind(&reading.kind)
                .bind(&reading.currency)
                .execute(&mut *transaction)
                .await?;
            if read.rows_affected() == 0 {
                return Err(RecordsError("a reading of an account that is not linked".to_owned()));
            }
            let others = sqlx::query(sql::SAME_NUMBER)
                .bind(&id.as_bytes()[..])
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            others
                .iter()
                .map(|row| fixed(row, "id").map(LinkId::from_bytes))
                .collect()
        })
        .await
    }

    async fn move_link(&self, id: LinkId, to: LinkState, jobs: &[Job], at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let moved = moved_link(&mut transaction, id, to, jobs, at).await?;
            transaction.commit().await?;
            Ok(moved)
        })
        .await
    }

    async fn links(&self, partner: PartnerId, after: Option<(Timestamp, LinkId)>, limit: u32) -> Result<Vec<Link>> {
        within(async {
            let (at, id) = after.map_or((i64::MAX, [0xff; 16]), |(at, id)| (at.as_millis(), *id.as_bytes()));
            let rows = sqlx::query(sql::LINKS)
                .bind(&partner.as_bytes()[..])
                .bind(at)
                .bind(&id[..])
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            links_of(&rows)
        })
        .await
    }

    async fn record_provider_event(&self, provider: &str, event: &str, at: Timestamp) -> Result<bool> {
        within(async {
            let seen = sqlx::query(sql::FIRST_SIGHT)
                .bind(provider)
                .bind(event)
                .bind(at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(seen.rows_affected() > 0)
        })
        .await
    }
}

impl Backend {
    /// The one link that `statement` finds by `key`.
    async fn one(&self, statement: &'static str, key: &[u8]) -> Result<Option<Link>> {
        within(async {
            let rows = sqlx::query(statement).bind(key).fetch_all(&self.readers).await?;
            Ok(links_of(&rows)?.pop())
        })
        .await
    }
}

/// Moves a link, with all that follows from it; says whether it moved. Somebody who has logged in again for a link that is
/// in use has done what was asked of them all the same.
pub(super) async fn moved_link(
    connection: &mut Connection,
    id: LinkId,
    to: LinkState,
    jobs: &[Job],
    at: Timestamp,
) -> Result<bool> {
    let moved = sqlx::query(sql::MOVE_LINK)
        .bind(&id.as_bytes()[..])
        .bind(to.word())
        .bind(at.as_millis())
        .execute(&mut *connection)
        .await?;
    let moved = moved.rows_affected() > 0;
    if moved {
        for job in jobs {
            add_job(&mut *connection, job).await?;
        }
        if !is_untold(&mut *connection, id, at).await? {
            link_moved(&mut *connection, id, to, at).await?;
        }
    }
    renewals_over(connection, id, to, at).await?;
    Ok(moved)
}

/// Whether the person has begun another connect session since the one that a link came of.
pub(super) async fn is_superseded(connection: &mut Connection, link: &Link) -> Result<bool> {
    let later: i64 = sqlx::query_scalar(sql::SUPERSEDED)
        .bind(&link.attempt.as_bytes()[..])
        .bind(&link.tag.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Ok(later > 0)
}

/// The link that an attempt has made already.
async fn made_before(connection: &mut Connection, attempt: AttemptId) -> Result<Option<LinkId>> {
    let id: Option<Vec<u8>> = sqlx::query_scalar(sql::ID_OF_LINK)
        .bind(&attempt.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    id.map(|id| sized(&id, "id").map(LinkId::from_bytes)).transpose()
}

/// Adds a link without its accounts.
async fn add_link(connection: &mut Connection, link: &Link) -> Result<()> {
    sqlx::query(sql::ADD_LINK)
        .bind(&link.id.as_bytes()[..])
        .bind(&link.partner.as_bytes()[..])
        .bind(&link.tag.as_bytes()[..])
        .bind(&link.consent.as_bytes()[..])
        .bind(&link.attempt.as_bytes()[..])
        .bind(&link.provider)
        .bind(&link.institution)
        .bind(&link.institution_name)
        .bind(link.state.word())
        .bind(link.created_at.as_millis())
        .bind(i64::from(!link.in_use()))
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_account(connection: &mut Connection, link: &Link, place: i64, account: &LinkedAccount) -> Result<()> {
    sqlx::query(sql::ADD_ACCOUNT)
        .bind(&account.id.as_bytes()[..])
        .bind(&link.partner.as_bytes()[..])
        .bind(&link.id.as_bytes()[..])
        .bind(place)
        .bind(&account.account)
        .bind(&account.account_digest[..])
        .bind(&account.masked)
        .bind(account.number_digest.as_ref().map(|digest| &digest[..]))
        .bind(&account.holder)
        .bind(&account.kind)
        .bind(&account.currency)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gathers rows, one an account, into links; the rows of one link stand together.
pub(super) fn links_of(rows: &[Row]) -> Result<Vec<Link>> {
    let mut links: Vec<Link> = Vec::new();
    for row in rows {
        let id = LinkId::from_bytes(fixed(row, "link_id")?);
        let account = account_of(row)?;
        match links.last_mut().filter(|link| link.id == id) {
            Some(link) => link.accounts.extend(account),
            None => links.push(link_of(id, row, account)?),
        }
    }
    Ok(links)
}

fn link_of(id: LinkId, row: &Row, account: Option<LinkedAccount>) -> Result<Link> {
    Ok(Link {
        id,
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: SubscriberTag::from_bytes(fixed(row, "tag")?),
        consent: ConsentId::from_bytes(fixed(row, "consent")?),
        attempt: AttemptId::from_bytes(fixed(row, "attempt")?),
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        institution_name: row.try_get("institution_name")?,
        state: LinkState::read(row.try_get("state")?)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        accounts: account.into_iter().collect(),
    })
}

/// The account in a row; none in the single row of a link without accounts.
fn account_of(row: &Row) -> Result<Option<LinkedAccount>> {
    let Some(id) = row.try_get::<Option<Vec<u8>>, _>("account_id")? else {
        return Ok(None);
    };
    let number_digest: Option<Vec<u8>> = row.try_get("number_digest")?;
    Ok(Some(LinkedAccount {
        id: LinkedAccountId::from_bytes(sized(&id, "account_id")?),
        account: row.try_get("account")?,
        account_digest: fixed(row, "account_digest")?,
        masked: row.try_get("masked")?,
        number_digest: number_digest
            .map(|digest| sized(&digest, "number_digest"))
            .transpose()?,
        holder: row.try_get("holder")?,
        kind: row.try_get("kind")?,
        currency: row.try_get("currency")?,
    }))
}
