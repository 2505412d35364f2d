//! Partners' requests.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::happening::intent_over;
use super::messages::add_message;
use super::roles::{everything, is_entity};
use super::{Backend, Connection, Row, add_job, fixed, maybe, of_partner, reaching, sized, within};
use crate::core::access::TenantScope;
use crate::core::ids::{ConsentId, EntityId, IntentId, JobId, LinkId, PartnerId, UserId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::sql::{self as all, intents as sql};
use crate::records::words::{Word, unknown};
use crate::records::{
    AnsweredIntent, AuditEntry, IntentFilter, IntentRecords, IntentState, Job, JobKind, Link, LinkIntent, LinkState,
    QueuedSms, RecordsError, Result, WriteOutcome,
};

#[async_trait]
impl IntentRecords for Backend {
    async fn add_intent(
        &self,
        intent: &LinkIntent,
        text: Option<&QueuedSms>,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(intent.partner)).await?;
            if let Some(entity) = intent.entity
                && !is_entity(&mut transaction, intent.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            let new = add(&mut transaction, intent).await?;
            let kept = one(&mut transaction, &everything(intent.partner), intent.id).await?;
            if new {
                add_job(&mut transaction, &expiring(intent)).await?;
                if let Some((message, job)) = text
                    && add_message(&mut transaction, message).await?
                {
                    add_job(&mut transaction, job).await?;
                }
                note(&mut transaction, deed).await?;
                transaction.commit().await?;
            }
            // Neither new nor there: its code is another's.
            Ok(kept.map_or(WriteOutcome::Taken, WriteOutcome::Done))
        })
        .await
    }

    async fn intent(&self, reach: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>> {
        within(async { one(&mut *self.readers.acquire().await?, reach, id).await }).await
    }

    async fn intents(
        &self,
        reach: &TenantScope,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkIntent>> {
        within(async {
            let after = page.after.unwrap_or(PageCursor::START);
            let rows = reaching(sql::LINK_INTENTS, reach)
                .bind(filter.state.map(Word::word))
                .bind(&filter.reference)
                .bind(after.at.as_millis())
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            let intents = rows.iter().map(intent_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(intents, page, |intent| PageCursor {
                at: intent.created_at,
                id: *intent.id.as_bytes(),
            }))
        })
        .await
    }

    async fn cancel_intent(
        &self,
        reach: &TenantScope,
        id: IntentId,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>> {
        within(async {
            let mut transaction = self.write().await?;
            let ended = reaching(sql::CANCEL, reach)
                .bind(&id.as_bytes()[..])
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            let Some(intent) = one(&mut transaction, reach, id).await? else {
                return Ok(WriteOutcome::NotFound);
            };
            if ended.rows_affected() == 0 {
                return Ok(WriteOutcome::InUse);
            }
            note(&mut transaction, deed).await?;
            intent_over(&mut transaction, (reach.partner, id), intent.state, None, deed.at).await?;
            transaction.commit().await?;
            Ok(WriteOutcome::Done(intent))
        })
        .await
    }

    async fn intent_of_consent(&self, consent: ConsentId) -> Result<Option<AnsweredIntent>> {
        within(async {
            let query = sqlx::query(sql::ASKED_FOR).bind(&consent.as_bytes()[..]);
            let row = query.fetch_optional(&self.readers).await?;
            row.map(|row| {
                Ok(AnsweredIntent {
                    id: IntentId::from_bytes(fixed(&row, "id")?),
                    partner: PartnerId::from_bytes(fixed(&row, "partner")?),
                    state: IntentState::read(row.try_get("state")?)?,
                    expected: row.try_get("expected")?,
                })
            })
            .transpose()
        })
        .await
    }

    async fn expire_intent(&self, id: IntentId, now: Timestamp) -> Result<Option<Timestamp>> {
        within(async {
            let mut transaction = self.write().await?;
            let row = sqlx::query(sql::EXPIRE)
                .bind(&id.as_bytes()[..])
                .bind(now.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(row) = row {
                let partner = PartnerId::from_bytes(fixed(&row, "partner")?);
                intent_over(&mut transaction, (partner, id), IntentState::Expired, None, now).await?;
                transaction.commit().await?;
                return Ok(None);
            }
            let due: Option<i64> = sqlx::query_scalar(sql::EXPIRES_AT)
                .bind(&id.as_bytes()[..])
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(due.map(Timestamp::from_millis))
        })
        .await
    }
}

/// Whether somebody may go on with a request: nobody has ended or completed it. Everybody with one that no partner made.
pub(super) async fn may_begin(connection: &mut Connection, intent: IntentId) -> Result<bool> {
    let over: i64 = sqlx::query_scalar(sql::IS_OVER)
        .bind(&intent.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Ok(over == 0)
}

/// Ends the request that a link answers which is not to the account that is expected; says which.
pub(super) async fn mismatch(connection: &mut Connection, link: &Link, at: Timestamp) -> Result<Option<IntentId>> {
    let id: Option<Vec<u8>> = sqlx::query_scalar(sql::MISMATCH)
        .bind(&link.consent.as_bytes()[..])
        .bind(at.as_millis())
        .fetch_optional(connection)
        .await?;
    id.map(|id| sized(&id, "id").map(IntentId::from_bytes)).transpose()
}

/// What a link is for the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// One of the links that come of it, or it was not made by a partner.
    Counted,
    /// The one link that it is for.
    Completed(IntentId),
    /// The request is over: there is to be no link.
    Over,
}

/// Counts a link for the request that it answers.
pub(super) async fn answer(connection: &mut Connection, link: &Link) -> Result<Answered> {
    let row = sqlx::query(sql::ANSWER)
        .bind(&link.consent.as_bytes()[..])
        .bind(link.created_at.as_millis())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = row {
        let (id, many): (_, i64) = (fixed(&row, "id")?, row.try_get("many")?);
        let completed = Answered::Completed(IntentId::from_bytes(id));
        return Ok(if many == 0 { completed } else { Answered::Counted });
    }
    let asked: i64 = sqlx::query_scalar(sql::IS_ASKED)
        .bind(&link.consent.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Ok(if asked > 0 { Answered::Over } else { Answered::Counted })
}

/// Ends the requests to log in to a link again: done once it is in use, void once it is not.
pub(super) async fn renewals_over(
    connection: &mut Connection,
    link: LinkId,
    to: LinkState,
    at: Timestamp,
) -> Result<()> {
    let (statement, state) = match to {
        LinkState::Active => (sql::RENEWED, IntentState::Completed),
        LinkState::Removing | LinkState::Removed => (sql::NOT_RENEWED, IntentState::Cancelled),
        LinkState::Verifying | LinkState::ReauthRequired => return Ok(()),
    };
    let rows = sqlx::query(statement)
        .bind(&link.as_bytes()[..])
        .bind(at.as_millis())
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let (partner, id) = (fixed(&row, "partner")?, fixed(&row, "id")?);
        let which = (PartnerId::from_bytes(partner), IntentId::from_bytes(id));
        intent_over(&mut *connection, which, state, Some(link), at).await?;
    }
    Ok(())
}

/// Adds a request; says whether it is new.
async fn add(connection: &mut Connection, intent: &LinkIntent) -> Result<bool> {
    sqlx::query(all::ADD_INTENT)
        .bind(&intent.id.as_bytes()[..])
        .bind(&intent.partner.as_bytes()[..])
        .bind(intent.created_at.as_millis())
        .execute(&mut *connection)
        .await?;
    let added = sqlx::query(sql::ADD_LINK_INTENT)
        .bind(&intent.id.as_bytes()[..])
        .bind(&intent.partner.as_bytes()[..])
        .bind(intent.entity.as_ref().map(|entity| &entity.as_bytes()[..]))
        .bind(intent.created_by.as_ref().map(|user| &user.as_bytes()[..]))
        .bind(intent.state.word())
        .bind(&intent.purpose)
        .bind(i64::from(intent.days))
        .bind(intent.scope.to_text())
        .bind(&intent.reference)
        .bind(intent.tag.as_ref().map(|tag| &tag.as_bytes()[..]))
        .bind(&intent.msisdn)
        .bind(intent.code_digest.as_ref().map(|digest| &digest[..]))
        .bind(&intent.code)
        .bind(&intent.institution)
        .bind(&intent.locale)
        .bind(i64::from(intent.many))
        .bind(&intent.expected)
        .bind(intent.renews.as_ref().map(|link| &link.as_bytes()[..]))
        .bind(i64::from(intent.links))
        .bind(intent.created_at.as_millis())
        .bind(intent.moved_at.as_millis())
        .bind(intent.expires_at.as_millis())
        .execute(connection)
        .await?;
    Ok(added.rows_affected() > 0)
}

/// The job that ends a request in time.
fn expiring(intent: &LinkIntent) -> Job {
    let key = format!("expire:{}", intent.id);
    Job {
        id: JobId::from_fact(&key),
        partner: intent.partner,
        kind: JobKind::ExpireIntent(intent.id),
        due_at: intent.expires_at,
        tries: 0,
        key,
    }
}

async fn one(connection: &mut Connection, reach: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>> {
    let row = reaching(sql::LINK_INTENT, reach).bind(&id.as_bytes()[..]);
    row.fetch_optional(connection)
        .await?
        .as_ref()
        .map(intent_of)
        .transpose()
}

fn intent_of(row: &Row) -> Result<LinkIntent> {
    let digest: Option<Vec<u8>> = row.try_get("code_digest")?;
    let number = |column: &str| -> Result<u32> {
        let number: i64 = row.try_get(column)?;
        u32::try_from(number).map_err(|_| RecordsError(format!("{column} out of range")))
    };
    let millis = |column| row.try_get(column).map(Timestamp::from_millis);
    Ok(LinkIntent {
        id: IntentId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        entity: maybe(row, "entity", EntityId::from_bytes)?,
        created_by: maybe(row, "created_by", UserId::from_bytes)?,
        state: IntentState::read(row.try_get("state")?)?,
        purpose: row.try_get("purpose")?,
        days: u16::try_from(number("days")?).map_err(|_| RecordsError("days out of range".to_owned()))?,
        scope: Scope::parse(row.try_get("scope")?).ok_or_else(|| unknown("Scope"))?,
        reference: row.try_get("reference")?,
        tag: tag_of(row)?,
        msisdn: row.try_get("msisdn")?,
        code_digest: digest.map(|digest| sized(&digest, "code_digest")).transpose()?,
        code: row.try_get("code")?,
        institution: row.try_get("institution")?,
        locale: row.try_get("locale")?,
        many: number("many")? != 0,
        expected: row.try_get("expected")?,
        renews: maybe(row, "renews", LinkId::from_bytes)?,
        links: number("links")?,
        created_at: millis("created_at")?,
        moved_at: millis("moved_at")?,
        expires_at: millis("expires_at")?,
    })
}

fn tag_of(row: &Row) -> Result<Option<SubscriberTag>> {
    let tag: Option<Vec<u8>> = row.try_get("tag")?;
    tag.map(|tag| sized(&tag, "tag").map(SubscriberTag::from_bytes))
        .transpose()
}
