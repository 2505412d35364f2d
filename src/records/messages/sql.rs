//! SMS. Their transactions are few and short, and rest on what they read of several rows, such as how many a person has
//! had: they take turns.
//!
//! Which state follows which is decided in `core`: each move reads the row, asks there, and writes only if the row still
//! stands where it was read.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::jobs::{add_job, add_jobs};
use super::provider_events::first_sight;
use super::{Backend, Connection, Query, Select};
use crate::core::ids::{MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, WithheldReason};
use crate::core::time::Timestamp;
use crate::records::messages::{EARLY_REPORTS_KEPT_FOR, StateColumns, state_columns};
use crate::records::{
    InboundSms, InvitationCounts, Job, MessageRecords, RecordsError, Result, SmsKind, SmsLimit, SmsMessage,
    SmsPreference, SmsReport, SmsReportOutcome,
};

/// What their transactions are about.
pub(super) const ALL_SMS: &[u8; 32] = b"texts of all people and partners";

#[async_trait]
impl MessageRecords for Backend {
    async fn add_message(&self, message: &SmsMessage, jobs: &[Job]) -> Result<bool> {
        self.transaction_about(ALL_SMS, async |tx| {
            let added = add_message(tx, message).await?;
            if added {
                add_jobs(tx, jobs).await?;
            }
            Ok(added)
        })
        .await
    }

    async fn message(&self, id: MessageId) -> Result<Option<SmsMessage>> {
        self.fetch(by_id(id)).await
    }

    async fn message_about(&self, partner: PartnerId, key: &str) -> Result<Option<SmsMessage>> {
        let statement = "SELECT * FROM messages WHERE partner = $1 AND key = $2";
        self.fetch(query_as(statement).bind(partner).bind(key)).await
    }

    async fn begin_sending(&self, id: MessageId, limit: SmsLimit, at: Timestamp) -> Result<Option<MessageState>> {
        self.transaction_about(ALL_SMS, async |tx| {
            let message = existing(tx, id).await?;
            if message.state != MessageState::Queued {
                return Ok(Some(message.state));
            }
            if let Some(reason) = withheld(tx, &message, limit).await? {
                let state = MessageState::Withheld(reason);
                set_state(tx, &message, state, at).await?;
                return Ok(Some(state));
            }
            set_state(tx, &message, MessageState::Sending, at).await?;
            let counting = query("UPDATE messages SET tries = tries + 1 WHERE id = $1");
            counting.bind(id).execute(tx).await?;
            Ok(None)
        })
        .await
    }

    async fn invitations(&self, partner: PartnerId, tag: &SubscriberTag, since: Timestamp) -> Result<InvitationCounts> {
        self.call(async {
            let mut tx = self.snapshot().await?;
            let counts = count_invitations(&mut tx, (partner, tag), since, true).await?;
            tx.commit().await?;
            Ok(counts)
        })
        .await
    }

    async fn requeue_message(&self, id: MessageId, at: Timestamp) -> Result<bool> {
        self.transaction_about(ALL_SMS, async |tx| {
            let message = by_id(id).fetch_optional(&mut *tx).await?;
            let Some(message) = message.filter(|message| message.state == MessageState::Sending) else {
                return Ok(false);
            };
            set_state(tx, &message, MessageState::Queued, at).await?;
            Ok(true)
        })
        .await
    }

    async fn accepted_by_gateway(&self, id: MessageId, gateway_id: &str, at: Timestamp) -> Result<()> {
        self.transaction_about(ALL_SMS, async |tx| {
            let message = existing(tx, id).await?;
            let early = early_report(tx, &message.gateway, gateway_id).await?;
            let told = early.unwrap_or(MessageState::Accepted).max(MessageState::Accepted);
            if let Some(to) = message.state.advance(told) {
                set_state(tx, &message, to, at).await?;
            }
            let naming = query("UPDATE messages SET gateway_id = $2 WHERE id = $1");
            naming.bind(id).bind(gateway_id).execute(&mut *tx).await?;
            let dropping = query("DELETE FROM early_reports WHERE gateway = $1 AND gateway_id = $2");
            dropping.bind(&message.gateway).bind(gateway_id).execute(tx).await?;
            Ok(())
        })
        .await
    }

    async fn move_message(&self, id: MessageId, to: MessageState, at: Timestamp) -> Result<bool> {
        self.transaction_about(ALL_SMS, async |tx| {
            let message = by_id(id).fetch_optional(&mut *tx).await?;
            let Some(message) = message.filter(|message| message.state.advance(to).is_some()) else {
                return Ok(false);
            };
            set_state(tx, &message, to, at).await?;
            Ok(true)
        })
        .await
    }

    async fn apply_report(&self, report: SmsReport<'_>, at: Timestamp) -> Result<SmsReportOutcome> {
        self.transaction_about(ALL_SMS, async |tx| {
            let Some(message) = reported(tx, report).await? else {
                store_early(tx, report, at).await?;
                return Ok(SmsReportOutcome::Early);
            };
            let Some(to) = message.state.advance(report.state) else {
                return Ok(SmsReportOutcome::Known);
            };
            set_state(tx, &message, to, at).await?;
            Ok(SmsReportOutcome::Moved {
                partner: message.partner,
                tag: message.tag,
                created_at: message.created_at,
            })
        })
        .await
    }

    async fn receive_sms(&self, sms: &InboundSms<'_>, at: Timestamp) -> Result<bool> {
        self.transaction_about(ALL_SMS, async |tx| {
            let source = source(sms.gateway);
            let first = first_sight(&source, sms.gateway_id, at).execute(&mut *tx).await?;
            if first.rows_affected() == 0 {
                return Ok(false);
            }
            if let Some(preference) = sms.preference {
                put_preference(sms.partner, &sms.tag, preference)
                    .execute(&mut *tx)
                    .await?;
            }
            let reply = if says_what_holds(tx, sms).await? {
                &sms.reply
            } else {
                &sms.overruled
            };
            if let Some((message, job)) = reply
                && add_message(tx, message).await?
            {
                add_job(tx, job).await?;
            }
            Ok(true)
        })
        .await
    }

    async fn has_received_sms(&self, gateway: &str, gateway_id: &str) -> Result<bool> {
        let seen = query_as("SELECT seen_at FROM provider_events WHERE provider = $1 AND event = $2");
        let seen: Option<(Timestamp,)> = self.fetch(seen.bind(source(gateway)).bind(gateway_id)).await?;
        Ok(seen.is_some())
    }

    async fn sms_preference(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<SmsPreference>> {
        self.fetch(preference(partner, tag)).await
    }

    async fn put_sms_preference(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        preference: SmsPreference,
    ) -> Result<()> {
        self.execute(put_preference(partner, tag, preference)).await.map(drop)
    }
}

/// Whether what they say counts: what a newer SMS has said holds, and an older one that comes late changes nothing.
async fn says_what_holds(tx: &mut Connection, sms: &InboundSms<'_>) -> Result<bool> {
    let Some(wanted) = sms.preference else { return Ok(true) };
    let kept = preference(sms.partner, &sms.tag).fetch_optional(tx).await?;
    Ok(kept.is_none_or(|kept| kept.stopped == wanted.stopped))
}

/// What the ids of this gateway's messages are stored under.
fn source(gateway: &str) -> String {
    format!("sms:{gateway}")
}

pub(super) async fn add_message(tx: &mut Connection, message: &SmsMessage) -> Result<bool> {
    let (state, reason) = state_columns(message.state);
    let added = query(
        "INSERT INTO messages (id, partner, tag, kind, key, gateway, state, reason, sealed, gateway_id, tries, created_at, \
         updated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (partner, key) DO NOTHING",
    )
    .bind(message.id)
    .bind(message.partner)
    .bind(message.tag)
    .bind(message.kind)
    .bind(&message.key)
    .bind(&message.gateway)
    .bind(state)
    .bind(reason)
    .bind(&message.sealed)
    .bind(&message.gateway_id)
    .bind(i64::from(message.tries))
    .bind(message.created_at)
    .bind(message.updated_at)
    .bind(message.expires_at)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

fn by_id(id: MessageId) -> Select<'static, SmsMessage> {
    query_as("SELECT * FROM messages WHERE id = $1").bind(id)
}

async fn existing(tx: &mut Connection, id: MessageId) -> Result<SmsMessage> {
    let message = by_id(id).fetch_optional(tx).await?;
    message.ok_or_else(|| RecordsError::new("there is no such message"))
}

/// The message that a report is about: by the gateway's id, or by ours while the gateway's is not known.
async fn reported(tx: &mut Connection, report: SmsReport<'_>) -> Result<Option<SmsMessage>> {
    let found = query_as(
        "SELECT * FROM messages WHERE gateway = $1 AND gateway_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
    );
    let found = found.bind(report.gateway).bind(report.gateway_id);
    match (found.fetch_optional(&mut *tx).await?, report.reference) {
        (None, Some(id)) => {
            let found = by_id(id).fetch_optional(tx).await?;
            Ok(found.filter(|message| message.gateway == report.gateway && message.state >= MessageState::Sending))
        }
        (found, _) => Ok(found),
    }
}

/// Writes a state. A message that has left, or never will, keeps no words.
async fn set_state(tx: &mut Connection, message: &SmsMessage, to: MessageState, at: Timestamp) -> Result<()> {
    let (state, reason) = state_columns(to);
    let (was, _) = state_columns(message.state);
    let written = query(
        "UPDATE messages SET state = $2, reason = $3, updated_at = $4, \
         sealed = CASE WHEN $2 IN ('queued', 'sending') THEN sealed ELSE NULL END WHERE id = $1 AND state = $5",
    )
    .bind(message.id)
    .bind(state)
    .bind(reason)
    .bind(at)
    .bind(was)
    .execute(tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(RecordsError::new("a message moved in between"));
    }
    Ok(())
}

/// Why this message may not be sent, if it may not.
async fn withheld(tx: &mut Connection, message: &SmsMessage, limit: SmsLimit) -> Result<Option<WithheldReason>> {
    let wanted = preference(message.partner, &message.tag)
        .fetch_optional(&mut *tx)
        .await?;
    if wanted.is_some_and(|wanted| wanted.stopped) && message.kind != SmsKind::Reply {
        return Ok(Some(WithheldReason::OptedOut));
    }
    if message.kind == SmsKind::Request {
        let sent = count_invitations(tx, (message.partner, &message.tag), limit.since, false).await?;
        if sent.reach(limit.invitations) {
            return Ok(Some(WithheldReason::DailyCap));
        }
    }
    // Those that left, or may have.
    let had: i64 = query_scalar(
        "SELECT COUNT(*) FROM messages WHERE partner = $1 AND tag = $2 AND created_at > $3 \
         AND state NOT IN ('queued', 'withheld')",
    )
    .bind(message.partner)
    .bind(message.tag)
    .bind(limit.since)
    .fetch_one(tx)
    .await?;
    Ok((had >= i64::from(limit.max)).then_some(WithheldReason::DailyCap))
}

/// Invitations that were not withheld, with those that are queued or without.
async fn count_invitations(
    tx: &mut Connection,
    (partner, tag): (PartnerId, &SubscriberTag),
    since: Timestamp,
    queued_too: bool,
) -> Result<InvitationCounts> {
    let counting = query_as(
        "SELECT SUM(CASE WHEN partner = $1 THEN 1 ELSE 0 END), SUM(CASE WHEN tag = $2 THEN 1 ELSE 0 END), \
         SUM(CASE WHEN partner = $1 AND tag = $2 THEN 1 ELSE 0 END) FROM messages \
         WHERE (partner = $1 OR tag = $2) AND kind = 'request' AND created_at > $3 AND state <> 'withheld' \
         AND ($4 OR state <> 'queued')",
    );
    let counting = counting.bind(partner).bind(*tag).bind(since).bind(queued_too);
    let sums: (Option<i64>, Option<i64>, Option<i64>) = counting.fetch_one(tx).await?;
    let count = |sum: Option<i64>| u32::try_from(sum.unwrap_or_default()).unwrap_or(u32::MAX);
    Ok(InvitationCounts {
        of_partner: count(sums.0),
        to_number: count(sums.1),
        of_partner_to_number: count(sums.2),
    })
}

async fn early_report(tx: &mut Connection, gateway: &str, gateway_id: &str) -> Result<Option<MessageState>> {
    let report = query_as("SELECT state, reason FROM early_reports WHERE gateway = $1 AND gateway_id = $2");
    let report: Option<StateColumns> = report.bind(gateway).bind(gateway_id).fetch_optional(tx).await?;
    report
        .map(|columns| MessageState::try_from(columns).map_err(|error| RecordsError::new(error.to_string())))
        .transpose()
}

/// Stores the furthest of the reports about a message that is not known, and drops those of the day before.
async fn store_early(tx: &mut Connection, report: SmsReport<'_>, at: Timestamp) -> Result<()> {
    let known = early_report(tx, report.gateway, report.gateway_id).await?;
    let (state, reason) = state_columns(known.map_or(report.state, |known| known.max(report.state)));
    let dropping = query("DELETE FROM early_reports WHERE seen_at < $1");
    dropping
        .bind(at.minus(EARLY_REPORTS_KEPT_FOR))
        .execute(&mut *tx)
        .await?;
    query(
        "INSERT INTO early_reports (gateway, gateway_id, state, reason, seen_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (gateway, gateway_id) DO UPDATE SET state = excluded.state, reason = excluded.reason",
    )
    .bind(report.gateway)
    .bind(report.gateway_id)
    .bind(state)
    .bind(reason)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn preference<'q>(partner: PartnerId, tag: &SubscriberTag) -> Select<'q, SmsPreference> {
    let preference = query_as("SELECT stopped, changed_at FROM sms_preferences WHERE partner = $1 AND tag = $2");
    preference.bind(partner).bind(*tag)
}

/// Of two preferences the later counts, and of two at once the one for silence.
fn put_preference<'q>(partner: PartnerId, tag: &SubscriberTag, preference: SmsPreference) -> Query<'q> {
    query(
        "INSERT INTO sms_preferences (partner, tag, stopped, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (partner, tag) DO UPDATE SET stopped = excluded.stopped, changed_at = excluded.changed_at \
         WHERE excluded.changed_at > sms_preferences.changed_at \
         OR (excluded.changed_at = sms_preferences.changed_at AND excluded.stopped AND NOT sms_preferences.stopped)",
    )
    .bind(partner)
    .bind(*tag)
    .bind(preference.stopped)
    .bind(preference.at)
}
