//! Links and connect sessions, as their partner sees them.

use async_trait::async_trait;
use sqlx::Row as _;

use super::attempts::consent_of;
use super::audit::note;
use super::links::{links_of, moved_link};
use super::{Backend, Connection, Row, fixed, maybe, reaching, within};
use crate::core::access::Reach;
use crate::core::ids::{ConnectSessionId, EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::{Cursor, Page, Paged};
use crate::core::scope::Scope;
use crate::core::seal::Tag;
use crate::core::time::Timestamp;
use crate::records::sql::outcomes as sql;
use crate::records::words::{Word, unknown};
use crate::records::{
    AttemptState, Deed, EndedLink, Holding, Job, LinkFilter, LinkState, Origin, OutcomeRecords, RecordsError, Result,
    Try,
};

#[async_trait]
impl OutcomeRecords for Backend {
    async fn holding(&self, reach: &Reach, id: LinkId) -> Result<Option<Holding>> {
        within(async {
            let query = reaching(sql::HOLDING, reach).bind(&id.as_bytes()[..]);
            Ok(holdings_of(&query.fetch_all(&self.readers).await?)?.pop())
        })
        .await
    }

    async fn holdings(&self, reach: &Reach, filter: &LinkFilter, page: &Page) -> Result<Paged<Holding>> {
        within(async {
            let after = page.after.unwrap_or(Cursor::START);
            let rows = reaching(sql::HOLDINGS, reach)
                .bind(filter.state.map(Word::word))
                .bind(filter.intent.as_ref().map(|intent| &intent.as_bytes()[..]))
                .bind(&filter.reference)
                .bind(after.at.as_millis())
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            Ok(Paged::of(holdings_of(&rows)?, page, |holding| Cursor {
                at: holding.link.created_at,
                id: *holding.link.id.as_bytes(),
            }))
        })
        .await
    }

    async fn end_link(&self, reach: &Reach, id: LinkId, unlink: &Job, deed: &Deed) -> Result<Option<EndedLink>> {
        within(async {
            let mut transaction = self.write().await?;
            // Whose it is never changes.
            let Some(tag) = whose(&mut transaction, reach, id).await?.map(|(tag, _)| tag) else {
                return Ok(None);
            };
            let (jobs, to) = (std::slice::from_ref(unlink), LinkState::Removing);
            let now = moved_link(&mut transaction, id, to, jobs, deed.at).await?;
            let state = whose(&mut transaction, reach, id).await?.map_or(to, |(_, state)| state);
            if now {
                note(&mut transaction, deed).await?;
            }
            transaction.commit().await?;
            Ok(Some(EndedLink { tag, state, now }))
        })
        .await
    }

    async fn a_try(&self, reach: &Reach, id: ConnectSessionId) -> Result<Option<Try>> {
        within(async {
            let query = reaching(sql::TRY, reach).bind(&id.as_bytes()[..]);
            let row = query.fetch_optional(&self.readers).await?;
            row.as_ref().map(try_of).transpose()
        })
        .await
    }

    async fn tries(&self, reach: &Reach, intent: Option<IntentId>, page: &Page) -> Result<Paged<Try>> {
        within(async {
            let after = page.after.unwrap_or(Cursor::START);
            let rows = reaching(sql::TRIES, reach)
                .bind(intent.as_ref().map(|intent| &intent.as_bytes()[..]))
                .bind(after.at.as_millis())
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            let tries = rows.iter().map(try_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::of(tries, page, |one| Cursor {
                at: one.created_at,
                id: *one.id.as_bytes(),
            }))
        })
        .await
    }
}

/// Whose a link in reach is, and where it stands.
async fn whose(connection: &mut Connection, reach: &Reach, id: LinkId) -> Result<Option<(Tag, LinkState)>> {
    let query = reaching(sql::WHOSE_LINK, reach).bind(&id.as_bytes()[..]);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| {
        let state = LinkState::read(row.try_get("state")?)?;
        Ok((Tag::from_bytes(fixed(&row, "tag")?), state))
    })
    .transpose()
}

/// Gathers rows, one an account, into links; the rows of one link stand together.
fn holdings_of(rows: &[Row]) -> Result<Vec<Holding>> {
    let of = |row: &Row| row.try_get::<Vec<u8>, _>("link_id").ok();
    let mut holdings = Vec::new();
    for rows in rows.chunk_by(|one, next| of(one) == of(next)) {
        if let (Some(link), Some(row)) = (links_of(rows)?.pop(), rows.first()) {
            holdings.push(Holding {
                moved_at: millis(row, "moved_at")?,
                consent: consent_of(row, "consent")?,
                origin: origin_of(row)?,
                link,
            });
        }
    }
    Ok(holdings)
}

fn origin_of(row: &Row) -> Result<Option<Origin>> {
    let Some(intent) = maybe(row, "asked", IntentId::from_bytes)? else {
        return Ok(None);
    };
    let days: i64 = row.try_get("days")?;
    Ok(Some(Origin {
        intent,
        entity: maybe(row, "entity", EntityId::from_bytes)?,
        created_by: maybe(row, "created_by", UserId::from_bytes)?,
        reference: row.try_get("reference")?,
        purpose: row.try_get("purpose")?,
        days: u16::try_from(days).map_err(|_| RecordsError("days out of range".to_owned()))?,
        scope: Scope::parse(row.try_get("scope")?).ok_or_else(|| unknown("Scope"))?,
    }))
}

fn try_of(row: &Row) -> Result<Try> {
    let (made, renews) = (
        maybe(row, "link", LinkId::from_bytes)?,
        maybe(row, "renews", LinkId::from_bytes)?,
    );
    Ok(Try {
        id: ConnectSessionId::from_bytes(fixed(row, "session")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        institution_name: row.try_get("institution_name")?,
        state: AttemptState::read(row.try_get("state")?)?,
        link: made.or(renews),
        origin: origin_of(row)?,
        created_at: millis(row, "created_at")?,
        moved_at: millis(row, "moved_at")?,
    })
}

fn millis(row: &Row, column: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}
