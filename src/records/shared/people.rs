//! What is held about a person, and its erasure.

use async_trait::async_trait;
use sqlx::Row as _;

use super::attempts::{attempt_of, consent_of};
use super::happening::intent_over;
use super::links::links_of;
use super::messages::{message_of, wish};
use super::partners::partner_of;
use super::{Backend, Connection, Row, add_audit, add_job, fixed, sized, within};
use crate::core::ids::{ErasureId, IntentId, LinkId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::sql::{self as all, people as sql};
use crate::records::words::Word;
use crate::records::{
    AuditEvent, DataSubjectRecords, Erasure, ErasureBlocker, ErasureState, IntentState, Job, LinkState, Partner,
    RecordsError, Redaction, Result, SubscriberAttempt, SubscriberData, SubscriberIntent,
};

/// What stands where something personal may not be missing.
const NOTHING: &[u8] = &[];
/// A digest of nothing.
const NO_DIGEST: &[u8] = &[0; 32];

#[async_trait]
impl DataSubjectRecords for Backend {
    async fn partners_holding(&self, tag: &SubscriberTag) -> Result<Vec<Partner>> {
        within(async {
            let query = sqlx::query(sql::HOLDERS).bind(&tag.as_bytes()[..]);
            let rows = query.fetch_all(&self.readers).await?;
            rows.iter().map(partner_of).collect()
        })
        .await
    }

    async fn export(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<SubscriberData> {
        within(async {
            let mut transaction = self.snapshot().await?;
            let held = held(&mut transaction, partner, tag).await?;
            transaction.commit().await?;
            Ok(held)
        })
        .await
    }

    async fn begin_erasure(&self, erasure: &Erasure, job: &Job) -> Result<ErasureId> {
        let tag = erasure
            .tag
            .ok_or_else(|| RecordsError("an erasure of nobody".to_owned()))?;
        within(async {
            let mut transaction = self.write_about(tag.as_bytes()).await?;
            let under_way: Option<Vec<u8>> = sqlx::query_scalar(sql::ERASURE_UNDER_WAY)
                .bind(&erasure.partner.as_bytes()[..])
                .bind(&tag.as_bytes()[..])
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(id) = under_way {
                return Ok(ErasureId::from_bytes(sized(&id, "id")?));
            }
            sqlx::query(sql::ADD_ERASURE)
                .bind(&erasure.id.as_bytes()[..])
                .bind(&erasure.partner.as_bytes()[..])
                .bind(&tag.as_bytes()[..])
                .bind(&erasure.pseudonym.as_bytes()[..])
                .bind(erasure.state.word())
                .bind(erasure.begun_at.as_millis())
                .bind(erasure.moved_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            add_job(&mut transaction, job).await?;
            transaction.commit().await?;
            Ok(erasure.id)
        })
        .await
    }

    async fn erasure(&self, id: ErasureId) -> Result<Option<Erasure>> {
        within(async {
            let query = sqlx::query(sql::ERASURE).bind(&id.as_bytes()[..]);
            let row = query.fetch_optional(&self.readers).await?;
            row.as_ref().map(erasure_of).transpose()
        })
        .await
    }

    async fn erasures(&self, limit: u32) -> Result<Vec<Erasure>> {
        within(async {
            let query = sqlx::query(sql::ERASURES).bind(i64::from(limit));
            let rows = query.fetch_all(&self.readers).await?;
            rows.iter().map(erasure_of).collect()
        })
        .await
    }

    async fn unremoved_links(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Vec<(LinkId, LinkState)>> {
        within(async {
            let query = sqlx::query(sql::UNREMOVED)
                .bind(&partner.as_bytes()[..])
                .bind(&tag.as_bytes()[..]);
            let rows = query.fetch_all(&self.readers).await?;
            rows.iter()
                .map(|row| {
                    Ok((
                        LinkId::from_bytes(fixed(row, "id")?),
                        LinkState::read(row.try_get("state")?)?,
                    ))
                })
                .collect()
        })
        .await
    }

    async fn set_erasure_blocker(&self, id: ErasureId, waits: ErasureBlocker) -> Result<()> {
        within(async {
            sqlx::query(sql::ERASURE_WAITS)
                .bind(&id.as_bytes()[..])
                .bind(waits.word())
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn redact(&self, erasure: &Erasure, now: Timestamp) -> Result<Redaction> {
        let Some(tag) = erasure.tag else {
            return Ok(Redaction::Redacted);
        };
        within(async {
            // Nobody begins anything for this person meanwhile, nor completes it.
            let mut transaction = self.write_about(tag.as_bytes()).await?;
            let mine = sqlx::query(sql::ERASURE_BLANKED)
                .bind(&erasure.id.as_bytes()[..])
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            if mine.rows_affected() == 0 {
                return Ok(Redaction::Redacted);
            }
            let them = Them {
                partner: erasure.partner,
                tag,
                pseudonym: erasure.pseudonym,
            };
            if let Some(waits) = them.waits(&mut transaction, now).await? {
                return Ok(Redaction::BlockedBy(waits));
            }
            them.blank(&mut transaction, now).await?;
            transaction.commit().await?;
            Ok(Redaction::Redacted)
        })
        .await
    }

    async fn scrub_files(&self) -> Result<bool> {
        within(self.scrub_files()).await
    }

    async fn finish_erasure(&self, id: ErasureId, fact: &AuditEvent) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let done = sqlx::query(sql::ERASURE_DONE)
                .bind(&id.as_bytes()[..])
                .bind(fact.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            add_audit(&mut transaction, fact).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}

/// Whose rows are blanked, and what stands in the place of their tag.
struct Them {
    partner: PartnerId,
    tag: SubscriberTag,
    pseudonym: SubscriberTag,
}

impl Them {
    /// What of theirs is under way. What nobody has taken up is closed, so that nobody will.
    async fn waits(&self, connection: &mut Connection, now: Timestamp) -> Result<Option<ErasureBlocker>> {
        if self.count(&mut *connection, sql::UNSETTLED).await? > 0 {
            return Ok(Some(ErasureBlocker::Attempts));
        }
        if self.count(&mut *connection, sql::UNREMOVED_COUNT).await? > 0 {
            return Ok(Some(ErasureBlocker::Links));
        }
        sqlx::query(sql::CLOSE_JOBS)
            .bind(&self.partner.as_bytes()[..])
            .bind(&self.tag.as_bytes()[..])
            .bind(now.as_millis())
            .execute(&mut *connection)
            .await?;
        let held = self.count(connection, sql::OPEN_JOBS).await?;
        Ok((held > 0).then_some(ErasureBlocker::Work))
    }

    async fn count(&self, connection: &mut Connection, statement: &'static str) -> Result<i64> {
        let query = sqlx::query_scalar(statement)
            .bind(&self.partner.as_bytes()[..])
            .bind(&self.tag.as_bytes()[..]);
        Ok(query.fetch_one(connection).await?)
    }

    /// In this order: accounts are found by their links, intents by consents, reports by texts.
    async fn blank(&self, connection: &mut Connection, now: Timestamp) -> Result<()> {
        let (partner, tag) = (&self.partner.as_bytes()[..], &self.tag.as_bytes()[..]);
        let pseudonym = &self.pseudonym.as_bytes()[..];
        let theirs = |statement| sqlx::query(statement).bind(partner).bind(tag);
        theirs(sql::DROP_THEIR_REPORTS).execute(&mut *connection).await?;
        self.blank_texts(&mut *connection).await?;
        theirs(sql::BLANK_ACCOUNTS)
            .bind(NOTHING)
            .bind(NO_DIGEST)
            .execute(&mut *connection)
            .await?;
        theirs(sql::BLANK_LINKS)
            .bind(pseudonym)
            .execute(&mut *connection)
            .await?;
        self.cancel_intents(&mut *connection, now).await?;
        theirs(sql::BLANK_INTENTS)
            .bind(pseudonym)
            .execute(&mut *connection)
            .await?;
        for statement in [sql::BLANK_ATTEMPTS, sql::BLANK_CONSENTS] {
            theirs(statement)
                .bind(pseudonym)
                .bind(NOTHING)
                .execute(&mut *connection)
                .await?;
        }
        for statement in [sql::DROP_WISH, sql::DROP_BANK_WISHES, all::FORGET_PIN] {
            theirs(statement).execute(&mut *connection).await?;
        }
        theirs(sql::BLANK_AUDIT).bind(pseudonym).execute(connection).await?;
        Ok(())
    }

    /// Ends what is asked of them and of nobody else. The partner is told that much.
    async fn cancel_intents(&self, connection: &mut Connection, now: Timestamp) -> Result<()> {
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(sql::CANCEL_THEIR_INTENTS)
            .bind(&self.partner.as_bytes()[..])
            .bind(&self.tag.as_bytes()[..])
            .bind(now.as_millis())
            .fetch_all(&mut *connection)
            .await?;
        for id in ids {
            let which = (self.partner, IntentId::from_bytes(sized(&id, "id")?));
            intent_over(&mut *connection, which, IntentState::Cancelled, None, now).await?;
        }
        Ok(())
    }

    async fn blank_texts(&self, connection: &mut Connection) -> Result<()> {
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(sql::TEXTS_OF)
            .bind(&self.partner.as_bytes()[..])
            .bind(&self.tag.as_bytes()[..])
            .fetch_all(&mut *connection)
            .await?;
        for id in ids {
            let key = crate::core::ids::MessageId::from_bytes(sized(&id, "id")?);
            sqlx::query(sql::BLANK_TEXT)
                .bind(&id)
                .bind(&self.pseudonym.as_bytes()[..])
                .bind(format!("erased:{key}"))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

async fn held(connection: &mut Connection, partner: PartnerId, tag: &SubscriberTag) -> Result<SubscriberData> {
    let theirs = |statement| {
        sqlx::query(statement)
            .bind(partner.as_bytes().to_vec())
            .bind(tag.as_bytes().to_vec())
    };
    let consents = theirs(sql::CONSENTS_OF).fetch_all(&mut *connection).await?;
    let attempts = theirs(sql::ATTEMPTS_OF).fetch_all(&mut *connection).await?;
    let links = theirs(sql::LINKS_OF).fetch_all(&mut *connection).await?;
    let messages = theirs(sql::MESSAGES_OF).fetch_all(&mut *connection).await?;
    let intents = theirs(sql::INTENTS_OF).fetch_all(&mut *connection).await?;
    let pin = theirs(sql::PIN_KEPT_AT).fetch_optional(&mut *connection).await?;
    Ok(SubscriberData {
        consents: consents
            .iter()
            .map(|row| consent_of(row, "id"))
            .collect::<Result<_>>()?,
        attempts: attempts.iter().map(held_attempt_of).collect::<Result<_>>()?,
        links: links_of(&links)?,
        messages: messages.iter().map(message_of).collect::<Result<_>>()?,
        sms_preference: wish(connection, partner, tag).await?,
        pin_kept_at: pin.map(|row| millis(&row, "kept_at")).transpose()?,
        intents: intents.iter().map(intent_of).collect::<Result<_>>()?,
    })
}

fn millis(row: &Row, column: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn held_attempt_of(row: &Row) -> Result<SubscriberAttempt> {
    Ok(SubscriberAttempt {
        attempt: attempt_of(row)?,
        moved_at: millis(row, "moved_at")?,
    })
}

fn intent_of(row: &Row) -> Result<SubscriberIntent> {
    Ok(SubscriberIntent {
        id: IntentId::from_bytes(fixed(row, "id")?),
        state: row.try_get("state")?,
        purpose: row.try_get("purpose")?,
        scope: row.try_get("scope")?,
        days: row.try_get("days")?,
        reference: row.try_get("reference")?,
        created_at: millis(row, "created_at")?,
        expires_at: millis(row, "expires_at")?,
    })
}

fn erasure_of(row: &Row) -> Result<Erasure> {
    let tag: Option<Vec<u8>> = row.try_get("tag")?;
    let waits: Option<&str> = row.try_get("waits")?;
    Ok(Erasure {
        id: ErasureId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: tag
            .map(|tag| sized(&tag, "tag").map(SubscriberTag::from_bytes))
            .transpose()?,
        pseudonym: SubscriberTag::from_bytes(fixed(row, "pseudonym")?),
        state: ErasureState::read(row.try_get("state")?)?,
        blocked_by: waits.map(ErasureBlocker::read).transpose()?,
        begun_at: millis(row, "begun_at")?,
        moved_at: millis(row, "moved_at")?,
    })
}
