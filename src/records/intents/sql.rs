//! Partners' intents. A walk-in's implicit intent has a row in `intents` only.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::audit::add_audit;
use super::entities::entity_exists;
use super::jobs::add_job;
use super::messages::add_message;
use super::outbox::intent_over;
use super::{Backend, Connection, in_scope, partner_subject, select_scoped, whole_partner};
use crate::core::access::TenantScope;
use crate::core::ids::{ConsentId, IntentId, LinkId, PartnerId};
use crate::core::page::{PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{
    AuditEntry, ExpireIntent, IntentFilter, IntentLimits, IntentRecords, IntentState, Job, JobType, Link, LinkIntent,
    LinkState, OPEN_INTENTS_FOR_NUMBER, QueuedSms, Result, WriteOutcome,
};

/// Moves an intent out of `open`. One that is over has no code: nobody can dial it, and the digits are free for another.
macro_rules! end_intent {
    ($state:literal, $at:literal, $($which:expr),+) => {
        concat!(
            "UPDATE link_intents SET state = '",
            $state,
            "', moved_at = ",
            $at,
            ", code_digest = NULL, code = NULL, suggested = NULL WHERE state = 'open' AND ",
            $($which),+
        )
    };
}

#[async_trait]
impl IntentRecords for Backend {
    async fn add_intent(
        &self,
        intent: &LinkIntent,
        limits: IntentLimits,
        sms: Option<&QueuedSms>,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>> {
        self.call(async {
            let mut tx = self.write_about(&partner_subject(intent.partner)).await?;
            if let Some(entity) = intent.entity
                && !entity_exists(&mut tx, intent.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            let new = insert(&mut tx, intent).await?;
            let stored = read(&mut tx, &whole_partner(intent.partner), intent.id).await?;
            if new && exceeds(&mut tx, intent, limits).await? {
                return Ok(WriteOutcome::TooMany);
            }
            if new {
                add_job(&mut tx, &expiry_job(intent)).await?;
                if let Some((message, job)) = sms
                    && add_message(&mut tx, message).await?
                {
                    add_job(&mut tx, job).await?;
                }
                add_audit(&mut tx, audit).await?;
                tx.commit().await?;
            }
            // Neither new nor there: its code is another's.
            Ok(stored.map_or(WriteOutcome::Taken, WriteOutcome::Done))
        })
        .await
    }

    async fn intent(&self, scope: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>> {
        self.fetch(select_scoped(LINK_INTENT, scope).bind(id)).await
    }

    async fn intents(
        &self,
        scope: &TenantScope,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkIntent>> {
        let statement = concat!(
            "SELECT * FROM link_intents WHERE ",
            in_scope!(),
            " AND ($4 IS NULL OR state = $4) AND ($5 IS NULL OR reference = $5) \
             AND (created_at < $6 OR (created_at = $6 AND id < $7)) ORDER BY created_at DESC, id DESC LIMIT $8"
        );
        let intents = select_scoped(statement, scope)
            .bind(filter.state)
            .bind(&filter.reference);
        self.fetch_page(intents, page, |intent: &LinkIntent| {
            (intent.created_at, *intent.id.as_bytes())
        })
        .await
    }

    async fn cancel_intent(
        &self,
        scope: &TenantScope,
        id: IntentId,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>> {
        self.transaction(async |tx| {
            let cancelling = end_intent!("cancelled", "$5", in_scope!(), " AND id = $4");
            let cancelled = super::scoped(cancelling, scope).bind(id).bind(audit.at);
            let cancelled = cancelled.execute(&mut *tx).await?.rows_affected() > 0;
            let Some(intent) = read(tx, scope, id).await? else {
                return Ok(WriteOutcome::NotFound);
            };
            if !cancelled {
                return Ok(WriteOutcome::InUse);
            }
            add_audit(tx, audit).await?;
            intent_over(tx, (scope.partner, id), intent.state, None, audit.at).await?;
            Ok(WriteOutcome::Done(intent))
        })
        .await
    }

    async fn intent_of_consent(&self, consent: ConsentId) -> Result<Option<LinkIntent>> {
        let statement = "SELECT * FROM link_intents WHERE id = (SELECT intent FROM consents WHERE id = $1)";
        self.fetch(query_as(statement).bind(consent)).await
    }

    async fn expire_intent(&self, id: IntentId, now: Timestamp) -> Result<Option<Timestamp>> {
        self.transaction(async |tx| {
            let expiring = end_intent!("expired", "$2", "id = $1 AND expires_at <= $2 RETURNING partner");
            let expired = query_scalar(expiring)
                .bind(id)
                .bind(now)
                .fetch_optional(&mut *tx)
                .await?;
            if let Some(partner) = expired {
                intent_over(tx, (partner, id), IntentState::Expired, None, now).await?;
                return Ok(None);
            }
            let due = query_scalar("SELECT expires_at FROM link_intents WHERE id = $1 AND state = 'open'").bind(id);
            Ok(due.fetch_optional(tx).await?)
        })
        .await
    }
}

const LINK_INTENT: &str = concat!("SELECT * FROM link_intents WHERE ", in_scope!(), " AND id = $4");

async fn read(tx: &mut Connection, scope: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>> {
    Ok(select_scoped(LINK_INTENT, scope).bind(id).fetch_optional(tx).await?)
}

/// Whether somebody may go on with an intent: nobody has ended or completed it. Everybody with one that no partner made.
pub(super) async fn may_begin(tx: &mut Connection, intent: IntentId) -> Result<bool> {
    let state: Option<IntentState> = query_scalar("SELECT state FROM link_intents WHERE id = $1")
        .bind(intent)
        .fetch_optional(tx)
        .await?;
    Ok(state.is_none_or(|state| state.next().contains(&IntentState::Completed)))
}

/// Ends the intent that a link answers which is not to the account that is expected; says which.
pub(super) async fn end_mismatched(tx: &mut Connection, link: &Link, at: Timestamp) -> Result<Option<IntentId>> {
    let ended = query_scalar(AssertSqlSafe(format!(
        "UPDATE link_intents SET state = 'mismatched', moved_at = $2, code_digest = NULL, code = NULL, suggested = NULL \
         WHERE id = (SELECT intent FROM consents WHERE id = $1) AND state IN {} RETURNING id",
        IntentState::Mismatched.sources()
    )));
    Ok(ended.bind(link.consent).bind(at).fetch_optional(tx).await?)
}

/// What a link is for the intent that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntentProgress {
    /// One of the links that come of it, or it was not made by a partner.
    Counted,
    /// The one link that it is for.
    Completed(IntentId),
    /// The intent is over: there is to be no link.
    Closed,
}

/// Counts a link for the intent that it answers.
pub(super) async fn count_link(tx: &mut Connection, link: &Link) -> Result<IntentProgress> {
    let counting = query_as(AssertSqlSafe(format!(
        "UPDATE link_intents SET links = links + 1, state = CASE WHEN many THEN state ELSE 'completed' END, \
         moved_at = CASE WHEN many THEN moved_at ELSE $2 END, code = CASE WHEN many THEN code ELSE NULL END, \
         code_digest = CASE WHEN many THEN code_digest ELSE NULL END, \
         suggested = CASE WHEN many THEN suggested ELSE NULL END \
         WHERE id = (SELECT intent FROM consents WHERE id = $1) AND state IN {} RETURNING id, many",
        IntentState::Completed.sources()
    )));
    let counting = counting.bind(link.consent).bind(link.created_at);
    if let Some((id, many)) = counting.fetch_optional(&mut *tx).await? {
        return Ok(if many {
            IntentProgress::Counted
        } else {
            IntentProgress::Completed(id)
        });
    }
    let by_a_partner: i64 =
        query_scalar("SELECT COUNT(*) FROM link_intents WHERE id = (SELECT intent FROM consents WHERE id = $1)")
            .bind(link.consent)
            .fetch_one(tx)
            .await?;
    Ok(if by_a_partner > 0 {
        IntentProgress::Closed
    } else {
        IntentProgress::Counted
    })
}

/// Ends the intents to log in to a link again: done once it is in use, void once it is not.
pub(super) async fn end_renewals(tx: &mut Connection, link: LinkId, to: LinkState, at: Timestamp) -> Result<()> {
    let (statement, state) = match to {
        LinkState::Active => (
            end_intent!(
                "completed",
                "$2",
                "renews = $1 AND EXISTS (SELECT 1 FROM links WHERE id = $1 AND state = 'active') RETURNING partner, id"
            ),
            IntentState::Completed,
        ),
        LinkState::Removing | LinkState::Removed | LinkState::Expired => (
            end_intent!("cancelled", "$2", "renews = $1 RETURNING partner, id"),
            IntentState::Cancelled,
        ),
        LinkState::Verifying | LinkState::ReauthRequired => return Ok(()),
    };
    let ended: Vec<(PartnerId, IntentId)> = query_as(statement).bind(link).bind(at).fetch_all(&mut *tx).await?;
    for which in ended {
        intent_over(tx, which, state, Some(link), at).await?;
    }
    Ok(())
}

/// Adds the row that every intent has, a walk-in's too.
pub(super) async fn add_intent_row(tx: &mut Connection, id: IntentId, partner: PartnerId, at: Timestamp) -> Result<()> {
    let adding = query("INSERT INTO intents (id, partner, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING");
    adding.bind(id).bind(partner).bind(at).execute(tx).await?;
    Ok(())
}

/// Adds an intent; says whether it is new. Nothing is written where the id is taken, or the code.
async fn insert(tx: &mut Connection, intent: &LinkIntent) -> Result<bool> {
    add_intent_row(tx, intent.id, intent.partner, intent.created_at).await?;
    let added = query(
        "INSERT INTO link_intents (id, partner, entity, created_by, state, purpose, days, scope, reference, tag, msisdn, \
         code_digest, code, institution, locale, many, expected, suggested, renews, links, created_at, moved_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23) ON CONFLICT DO NOTHING",
    )
    .bind(intent.id)
    .bind(intent.partner)
    .bind(intent.entity)
    .bind(intent.created_by)
    .bind(intent.state)
    .bind(&intent.purpose)
    .bind(i64::from(intent.days))
    .bind(&intent.scope)
    .bind(&intent.reference)
    .bind(intent.tag)
    .bind(&intent.msisdn)
    .bind(intent.code_digest.map(Bytes))
    .bind(&intent.code)
    .bind(&intent.institution)
    .bind(&intent.locale)
    .bind(intent.many)
    .bind(&intent.expected)
    .bind(&intent.suggested)
    .bind(intent.renews)
    .bind(i64::from(intent.links))
    .bind(intent.created_at)
    .bind(intent.moved_at)
    .bind(intent.expires_at)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Whether there are more open intents now than there may be.
async fn exceeds(tx: &mut Connection, intent: &LinkIntent, limits: IntentLimits) -> Result<bool> {
    let of_partner = "SELECT COUNT(*) FROM link_intents WHERE state = 'open' AND expires_at > $1 AND partner = $2";
    let of_partner = query_scalar(of_partner).bind(intent.created_at).bind(intent.partner);
    let of_partner: i64 = of_partner.fetch_one(&mut *tx).await?;
    let (own, all): (i64, i64) = query_as(
        "SELECT COUNT(CASE WHEN partner = $2 THEN 1 END), COUNT(*) FROM link_intents \
         WHERE state = 'open' AND expires_at > $1 AND tag = $3",
    )
    .bind(intent.created_at)
    .bind(intent.partner)
    .bind(intent.tag)
    .fetch_one(tx)
    .await?;
    Ok(of_partner > i64::from(limits.of_partner)
        || own > i64::from(limits.of_partner_for_number)
        || all > i64::from(OPEN_INTENTS_FOR_NUMBER))
}

/// The job that ends an intent in time.
fn expiry_job(intent: &LinkIntent) -> Job {
    ExpireIntent::job(intent.partner, intent.id, intent.expires_at)
}
