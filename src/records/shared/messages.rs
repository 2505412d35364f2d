//! Texts. Their transactions are few and short, and rest on what they read of several rows, such as how many texts a
//! person has had: they take turns.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, Connection, Row, add_job, fixed, within};
use crate::core::ids::{MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, WithheldReason};
use crate::core::time::Timestamp;
use crate::records::messages::{EARLY_FOR, kind_word, read_kind, read_state, state_columns};
use crate::records::sql::messages as sql;
use crate::records::{
    InboundSms, Job, MessageRecords, RecordsError, Result, SmsKind, SmsLimit, SmsMessage, SmsPreference, SmsReport,
    SmsReportOutcome,
};

/// What their transactions are about.
pub(super) const TEXTS: &[u8; 32] = b"texts of all people and partners";

#[async_trait]
impl MessageRecords for Backend {
    async fn add_message(&self, message: &SmsMessage, jobs: &[Job]) -> Result<bool> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let kept = add_message(&mut transaction, message).await?;
            if kept {
                for job in jobs {
                    add_job(&mut transaction, job).await?;
                }
            }
            transaction.commit().await?;
            Ok(kept)
        })
        .await
    }

    async fn message(&self, id: MessageId) -> Result<Option<SmsMessage>> {
        within(async { read(&mut *self.readers.acquire().await?, id).await }).await
    }

    async fn begin_sending(&self, id: MessageId, allowance: SmsLimit, at: Timestamp) -> Result<Option<MessageState>> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let Some(message) = read(&mut transaction, id).await? else {
                return Err(RecordsError("there is no such text".to_owned()));
            };
            if message.state != MessageState::Queued {
                return Ok(Some(message.state));
            }
            let to = match withheld(&mut transaction, &message, allowance).await? {
                Some(why) => MessageState::Withheld(why),
                None => MessageState::Sending,
            };
            write(&mut transaction, &message, to, at).await?;
            if to == MessageState::Sending {
                let id = &id.as_bytes()[..];
                sqlx::query(sql::COUNT_TRY).bind(id).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(Some(to).filter(|to| *to != MessageState::Sending))
        })
        .await
    }

    async fn requeue_message(&self, id: MessageId, at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let sending = read(&mut transaction, id)
                .await?
                .filter(|message| message.state == MessageState::Sending);
            if let Some(message) = &sending {
                write(&mut transaction, message, MessageState::Queued, at).await?;
            }
            transaction.commit().await?;
            Ok(sending.is_some())
        })
        .await
    }

    async fn accepted_by_gateway(&self, id: MessageId, gateway_id: &str, at: Timestamp) -> Result<()> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let Some(message) = read(&mut transaction, id).await? else {
                return Err(RecordsError("there is no such text".to_owned()));
            };
            let early = early(&mut transaction, &message.gateway, gateway_id).await?;
            let told = early.unwrap_or(MessageState::Accepted).max(MessageState::Accepted);
            if let Some(to) = message.state.advance(told) {
                write(&mut transaction, &message, to, at).await?;
            }
            sqlx::query(sql::NAME_MESSAGE)
                .bind(&id.as_bytes()[..])
                .bind(gateway_id)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(sql::DROP_EARLY_REPORT)
                .bind(&message.gateway)
                .bind(gateway_id)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn move_message(&self, id: MessageId, to: MessageState, at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let Some(message) = read(&mut transaction, id).await? else {
                return Ok(false);
            };
            let moves = message.state.advance(to).is_some();
            if moves {
                write(&mut transaction, &message, to, at).await?;
            }
            transaction.commit().await?;
            Ok(moves)
        })
        .await
    }

    async fn apply_report(&self, report: SmsReport<'_>, at: Timestamp) -> Result<SmsReportOutcome> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let Some(message) = reported(&mut transaction, report).await? else {
                keep_early(&mut transaction, report, at).await?;
                transaction.commit().await?;
                return Ok(SmsReportOutcome::Early);
            };
            let Some(to) = message.state.advance(report.state) else {
                return Ok(SmsReportOutcome::Known);
            };
            write(&mut transaction, &message, to, at).await?;
            transaction.commit().await?;
            Ok(SmsReportOutcome::Moved {
                partner: message.partner,
                tag: message.tag,
                created_at: message.created_at,
            })
        })
        .await
    }

    async fn receive_sms(&self, incoming: &InboundSms<'_>, at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let first = sqlx::query(crate::records::sql::FIRST_SIGHT)
                .bind(source(incoming.gateway))
                .bind(incoming.gateway_id)
                .bind(at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if first.rows_affected() == 0 {
                return Ok(false);
            }
            if let Some(wish) = incoming.preference {
                put_wish(&mut transaction, incoming.partner, &incoming.tag, wish).await?;
            }
            if let Some((message, job)) = &incoming.reply
                && add_message(&mut transaction, message).await?
            {
                add_job(&mut transaction, job).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn has_received_sms(&self, line: &str, gateway_id: &str) -> Result<bool> {
        within(async {
            let query = sqlx::query(crate::records::sql::SEEN)
                .bind(source(line))
                .bind(gateway_id);
            Ok(query.fetch_optional(&self.readers).await?.is_some())
        })
        .await
    }

    async fn sms_preference(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<SmsPreference>> {
        within(async { wish(&mut *self.readers.acquire().await?, partner, tag).await }).await
    }

    async fn put_sms_preference(&self, partner: PartnerId, tag: &SubscriberTag, wish: SmsPreference) -> Result<()> {
        within(async { put_wish(&mut *self.writer.acquire().await?, partner, tag, wish).await }).await
    }
}

/// What the ids of this gateway's texts are kept under.
fn source(line: &str) -> String {
    format!("sms:{line}")
}

pub(super) async fn add_message(connection: &mut Connection, message: &SmsMessage) -> Result<bool> {
    let (state, reason) = state_columns(message.state);
    let written = sqlx::query(sql::ADD_MESSAGE)
        .bind(&message.id.as_bytes()[..])
        .bind(&message.partner.as_bytes()[..])
        .bind(&message.tag.as_bytes()[..])
        .bind(kind_word(message.kind))
        .bind(&message.key)
        .bind(&message.gateway)
        .bind(state)
        .bind(reason)
        .bind(&message.sealed)
        .bind(&message.gateway_id)
        .bind(i64::from(message.tries))
        .bind(message.created_at.as_millis())
        .bind(message.updated_at.as_millis())
        .bind(message.expires_at.as_millis())
        .execute(connection)
        .await?;
    Ok(written.rows_affected() > 0)
}

async fn read(connection: &mut Connection, id: MessageId) -> Result<Option<SmsMessage>> {
    let query = sqlx::query(sql::MESSAGE).bind(&id.as_bytes()[..]);
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(message_of).transpose()
}

/// The text that a report is about: by the gateway's id, or by ours while the gateway's is not known.
async fn reported(connection: &mut Connection, report: SmsReport<'_>) -> Result<Option<SmsMessage>> {
    let query = sqlx::query(sql::MESSAGE_BY_GATEWAY_ID)
        .bind(report.gateway)
        .bind(report.gateway_id);
    let row = query.fetch_optional(&mut *connection).await?;
    match (row, report.reference) {
        (Some(row), _) => message_of(&row).map(Some),
        (None, Some(id)) => {
            let found = read(connection, id).await?;
            Ok(found.filter(|message| message.gateway == report.gateway && message.state >= MessageState::Sending))
        }
        (None, None) => Ok(None),
    }
}

async fn write(connection: &mut Connection, message: &SmsMessage, to: MessageState, at: Timestamp) -> Result<()> {
    let (state, reason) = state_columns(to);
    let (was, _) = state_columns(message.state);
    let written = sqlx::query(sql::MOVE_MESSAGE)
        .bind(&message.id.as_bytes()[..])
        .bind(state)
        .bind(reason)
        .bind(at.as_millis())
        .bind(was)
        .execute(connection)
        .await?;
    if written.rows_affected() == 0 {
        return Err(RecordsError("a text moved in between".to_owned()));
    }
    Ok(())
}

/// Why this text may not be sent, if it may not.
async fn withheld(
    connection: &mut Connection,
    message: &SmsMessage,
    allowance: SmsLimit,
) -> Result<Option<WithheldReason>> {
    let (partner, tag) = (message.partner, &message.tag);
    let stopped = wish(&mut *connection, partner, tag)
        .await?
        .is_some_and(|wish| wish.stopped);
    if stopped && message.kind != SmsKind::Reply {
        return Ok(Some(WithheldReason::OptedOut));
    }
    let had: i64 = sqlx::query_scalar(sql::HAD_LATELY)
        .bind(&partner.as_bytes()[..])
        .bind(&tag.as_bytes()[..])
        .bind(allowance.since.as_millis())
        .fetch_one(connection)
        .await?;
    Ok((had >= i64::from(allowance.max)).then_some(WithheldReason::DailyCap))
}

async fn early(connection: &mut Connection, line: &str, gateway_id: &str) -> Result<Option<MessageState>> {
    let query = sqlx::query(sql::EARLY_REPORT).bind(line).bind(gateway_id);
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(state_of).transpose()
}

/// Keeps the furthest of the reports about a text that is not known, and lets those of the day before go.
async fn keep_early(connection: &mut Connection, report: SmsReport<'_>, at: Timestamp) -> Result<()> {
    let known = early(&mut *connection, report.gateway, report.gateway_id).await?;
    let (state, reason) = state_columns(known.map_or(report.state, |known| known.max(report.state)));
    sqlx::query(sql::DROP_OLD_REPORTS)
        .bind(at.minus(EARLY_FOR).as_millis())
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::PUT_EARLY_REPORT)
        .bind(report.gateway)
        .bind(report.gateway_id)
        .bind(state)
        .bind(reason)
        .bind(at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn wish(
    connection: &mut Connection,
    partner: PartnerId,
    tag: &SubscriberTag,
) -> Result<Option<SmsPreference>> {
    let query = sqlx::query(sql::WISH)
        .bind(&partner.as_bytes()[..])
        .bind(&tag.as_bytes()[..]);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| {
        Ok(SmsPreference {
            stopped: row.try_get::<i64, _>("stopped")? != 0,
            at: Timestamp::from_millis(row.try_get("changed_at")?),
        })
    })
    .transpose()
}

async fn put_wish(
    connection: &mut Connection,
    partner: PartnerId,
    tag: &SubscriberTag,
    wish: SmsPreference,
) -> Result<()> {
    sqlx::query(sql::PUT_WISH)
        .bind(&partner.as_bytes()[..])
        .bind(&tag.as_bytes()[..])
        .bind(i64::from(wish.stopped))
        .bind(wish.at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

fn state_of(row: &Row) -> Result<MessageState> {
    let reason: Option<&str> = row.try_get("reason")?;
    read_state(row.try_get("state")?, reason)
}

pub(super) fn message_of(row: &Row) -> Result<SmsMessage> {
    let millis = |column| row.try_get(column).map(Timestamp::from_millis);
    Ok(SmsMessage {
        id: MessageId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: SubscriberTag::from_bytes(fixed(row, "tag")?),
        kind: read_kind(row.try_get("kind")?)?,
        key: row.try_get("key")?,
        gateway: row.try_get("line")?,
        state: state_of(row)?,
        sealed: row.try_get("sealed")?,
        gateway_id: row.try_get("gateway_id")?,
        tries: u32::try_from(row.try_get::<i64, _>("tries")?)
            .map_err(|_| RecordsError("tries out of range".to_owned()))?,
        created_at: millis("created_at")?,
        updated_at: millis("updated_at")?,
        expires_at: millis("expires_at")?,
    })
}
