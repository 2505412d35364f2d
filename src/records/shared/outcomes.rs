//! Links and connect sessions, as their partner sees them.

use async_trait::async_trait;
use sqlx::Row as _;

use super::attempts::consent_of;
use super::audit::note;
use super::links::{links_of, moved_link};
use super::{Backend, Connection, Row, fixed, maybe, reaching, within};
use crate::core::access::TenantScope;
use crate::core::ids::{ConnectSessionId, EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::sql::outcomes as sql;
use crate::records::words::{Word, unknown};
use crate::records::{
    AttemptState, AuditEntry, ConnectSessionView, EndedLink, IntentSummary, Job, LinkDetails, LinkFilter, LinkState,
    LinkViewRecords, RecordsError, Result,
};

#[async_trait]
impl LinkViewRecords for Backend {
    async fn link_view(&self, reach: &TenantScope, id: LinkId) -> Result<Option<LinkDetails>> {
        within(async {
            let query = reaching(sql::HOLDING, reach).bind(&id.as_bytes()[..]);
            Ok(holdings_of(&query.fetch_all(&self.readers).await?)?.pop())
        })
        .await
    }

    async fn link_views(
        &self,
        reach: &TenantScope,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkDetails>> {
        within(async {
            let after = page.after.unwrap_or(PageCursor::START);
            let rows = reaching(sql::HOLDINGS, reach)
                .bind(filter.state.map(Word::word))
                .bind(filter.intent.as_ref().map(|intent| &intent.as_bytes()[..]))
                .bind(&filter.reference)
                .bind(after.at.as_millis())
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            Ok(Paged::from_rows(holdings_of(&rows)?, page, |holding| PageCursor {
                at: holding.link.created_at,
                id: *holding.link.id.as_bytes(),
            }))
        })
        .await
    }

    async fn end_link(
        &self,
        reach: &TenantScope,
        id: LinkId,
        unlink: &Job,
        deed: &AuditEntry,
    ) -> Result<Option<EndedLink>> {
        within(async {
            let mut transaction = self.write().await?;
            // Whose it is never changes.
            let Some(tag) = whose(&mut transaction, reach, id).await?.map(|(tag, _)| tag) else {
                return Ok(None);
            };
            let (jobs, to) = (std::slice::from_ref(unlink), LinkState::Removing);
            let newly_ended = moved_link(&mut transaction, id, to, jobs, deed.at).await?;
            let state = whose(&mut transaction, reach, id).await?.map_or(to, |(_, state)| state);
            if newly_ended {
                note(&mut transaction, deed).await?;
            }
            transaction.commit().await?;
            Ok(Some(EndedLink {
                tag,
                state,
                newly_ended,
            }))
        })
        .await
    }

    async fn connect_session(&self, reach: &TenantScope, id: ConnectSessionId) -> Result<Option<ConnectSessionView>> {
        within(async {
            let query = reaching(sql::TRY, reach).bind(&id.as_bytes()[..]);
            let row = query.fetch_optional(&self.readers).await?;
            row.as_ref().map(try_of).transpose()
        })
        .await
    }

    async fn connect_sessions(
        &self,
        reach: &TenantScope,
        intent: Option<IntentId>,
        page: &PageRequest,
    ) -> Result<Paged<ConnectSessionView>> {
        within(async {
            let after = page.after.unwrap_or(PageCursor::START);
            let rows = reaching(sql::TRIES, reach)
                .bind(intent.as_ref().map(|intent| &intent.as_bytes()[..]))
                .bind(after.at.as_millis())
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            let tries = rows.iter().map(try_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(tries, page, |one| PageCursor {
                at: one.created_at,
                id: *one.id.as_bytes(),
            }))
        })
        .await
    }
}

/// Whose a link in reach is, and where it stands.
async fn whose(
    connection: &mut Connection,
    reach: &TenantScope,
    id: LinkId,
) -> Result<Option<(SubscriberTag, LinkState)>> {
    let query = reaching(sql::WHOSE_LINK, reach).bind(&id.as_bytes()[..]);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| {
        let state = LinkState::read(row.try_get("state")?)?;
        Ok((SubscriberTag::from_bytes(fixed(&row, "tag")?), state))
    })
    .transpose()
}

/// Gathers rows, one an account, into links; the rows of one link stand together.
fn holdings_of(rows: &[Row]) -> Result<Vec<LinkDetails>> {
    let of = |row: &Row| row.try_get::<Vec<u8>, _>("link_id").ok();
    let mut holdings = Vec::new();
    for rows in rows.chunk_by(|one, next| of(one) == of(next)) {
        if let (Some(link), Some(row)) = (links_of(rows)?.pop(), rows.first()) {
            holdings.push(LinkDetails {
                moved_at: millis(row, "moved_at")?,
                consent: consent_of(row, "consent")?,
                intent: origin_of(row)?,
                link,
            });
        }
    }
    Ok(holdings)
}

fn origin_of(row: &Row) -> Result<Option<IntentSummary>> {
    let Some(intent) = maybe(row, "asked", IntentId::from_bytes)? else {
        return Ok(None);
    };
    let days: i64 = row.try_get("days")?;
    Ok(Some(IntentSummary {
        id: intent,
        entity: maybe(row, "entity", EntityId::from_bytes)?,
        created_by: maybe(row, "created_by", UserId::from_bytes)?,
        reference: row.try_get("reference")?,
        purpose: row.try_get("purpose")?,
        days: u16::try_from(days).map_err(|_| RecordsError("days out of range".to_owned()))?,
        scope: Scope::parse(row.try_get("scope")?).ok_or_else(|| unknown("Scope"))?,
    }))
}

fn try_of(row: &Row) -> Result<ConnectSessionView> {
    let (made, renews) = (
        maybe(row, "link", LinkId::from_bytes)?,
        maybe(row, "renews", LinkId::from_bytes)?,
    );
    Ok(ConnectSessionView {
        id: ConnectSessionId::from_bytes(fixed(row, "session")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        institution_name: row.try_get("institution_name")?,
        state: AttemptState::read(row.try_get("state")?)?,
        link: made.or(renews),
        intent: origin_of(row)?,
        created_at: millis(row, "created_at")?,
        moved_at: millis(row, "moved_at")?,
    })
}

fn millis(row: &Row, column: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}
