//! Providers' events.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::attempts::moving;
use super::ending::{note_renewal, renew};
use super::jobs::add_jobs;
use super::links::move_link;
use super::{Backend, Connection, Query};
use crate::core::ids::{AttemptId, ConsentId, LinkId};
use crate::core::time::Timestamp;
use crate::records::attempts::TOLD_WITHIN;
use crate::records::{
    AttemptState, IncomingProviderEvent, LinkState, ProviderEventEffect, ProviderEventOutcome, ProviderEventRecords,
    Result,
};

#[async_trait]
impl ProviderEventRecords for Backend {
    async fn apply_provider_event(
        &self,
        event: &IncomingProviderEvent<'_>,
        effects: &[ProviderEventEffect<'_>],
        now: Timestamp,
    ) -> Result<ProviderEventOutcome> {
        self.transaction(async |tx| {
            // Nobody can keep another's event from being heard by sending its name first.
            let name = format!("{}:{}", event.partner, event.dedupe_key);
            let first = first_sight(event.provider, &name, now);
            if first.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(ProviderEventOutcome::Repeated);
            }
            if !is_newest(tx, event, now).await? {
                return Ok(ProviderEventOutcome::Outdated);
            }
            for effect in effects {
                match *effect {
                    ProviderEventEffect::MoveLink { link, .. } | ProviderEventEffect::RenewLink { link, .. }
                        if is_before_renewal(tx, link, event.at).await? => {}
                    ProviderEventEffect::MoveLink { link, to, jobs } => drop(move_link(tx, link, to, jobs, now).await?),
                    ProviderEventEffect::RenewLink { link, ask_first } => {
                        let renewed_at = event.at.unwrap_or(now);
                        if !ask_first {
                            settle_renewals(tx, link, renewed_at, now).await?;
                        }
                        move_link(tx, link, LinkState::Active, &[], now).await?;
                        // An answer that is lost only after this finds here what it has come to.
                        note_renewal(tx, link, renewed_at).await?;
                    }
                    ProviderEventEffect::Enqueue(jobs) => add_jobs(tx, jobs).await?,
                }
            }
            Ok(ProviderEventOutcome::First)
        })
        .await
    }
}

/// Whether the person has logged in for this link again since then: what an event said of it before is over.
async fn is_before_renewal(tx: &mut Connection, link: LinkId, at: Option<Timestamp>) -> Result<bool> {
    let Some(at) = at else { return Ok(false) };
    let renewed = query("SELECT id FROM links WHERE id = $1 AND renewed_at > $2")
        .bind(link)
        .bind(at);
    Ok(renewed.fetch_optional(tx).await?.is_some())
}

/// What a person has submitted to renew a link has come to that, where nobody knew what became of it.
async fn settle_renewals(tx: &mut Connection, link: LinkId, renewed_at: Timestamp, now: Timestamp) -> Result<()> {
    let unanswered = query_as(
        "SELECT id, consent FROM attempts WHERE renews = $1 AND created_at <= $2 \
         AND (state = 'unknown' OR (state = 'lapsed' AND moved_at > $3)) ORDER BY nth",
    );
    let unanswered = unanswered.bind(link).bind(renewed_at).bind(now.minus(TOLD_WITHIN));
    let unanswered: Vec<(AttemptId, ConsentId)> = unanswered.fetch_all(&mut *tx).await?;
    for (attempt, agreed) in unanswered {
        if renew(tx, link, agreed, None, (renewed_at, now)).await? {
            moving(attempt, AttemptState::Linked, now).execute(&mut *tx).await?;
        }
    }
    Ok(())
}

/// Writes that something came, unless it came before.
pub(super) fn first_sight<'a>(source: &'a str, event: &'a str, at: Timestamp) -> Query<'a> {
    query(
        "INSERT INTO provider_events (provider, event, seen_at) VALUES ($1, $2, $3) \
         ON CONFLICT (provider, event) DO NOTHING",
    )
    .bind(source)
    .bind(event)
    .bind(at)
}

/// Whether nothing later was heard of the event's subject. Remembers it, and holds the row: of two events about one subject
/// at once, the second sees the first.
async fn is_newest(tx: &mut Connection, event: &IncomingProviderEvent<'_>, now: Timestamp) -> Result<bool> {
    let Some(at) = event.at else { return Ok(true) };
    let advancing = query(
        "INSERT INTO provider_event_order (provider, subject, at, seen_at, partner) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (subject, provider, partner) DO UPDATE SET at = excluded.at, seen_at = excluded.seen_at \
         WHERE provider_event_order.at <= excluded.at",
    );
    let advancing = advancing
        .bind(event.provider)
        .bind(&event.subject[..])
        .bind(at)
        .bind(now)
        .bind(event.partner);
    Ok(advancing.execute(tx).await?.rows_affected() > 0)
}
