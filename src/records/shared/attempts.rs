//! The ledger of submissions.

use async_trait::async_trait;
use sqlx::Row as _;

use super::happening::{attempt_failed, final_no};
use super::intents::may_begin;
use super::links::links_of;
use super::pins::read_pin;
use super::{Backend, Connection, Row, add_job, fixed, sized, within};
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;
use crate::records::facts::{REFUSALS_WINDOW, facts_of};
use crate::records::words::Word;
use crate::records::{
    Attempt, AttemptRecords, AttemptState, Consent, Job, RecordsError, Result, SubscriberHistory, sql,
};

#[async_trait]
impl AttemptRecords for Backend {
    async fn history(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        now: Timestamp,
        pin: bool,
    ) -> Result<SubscriberHistory> {
        within(async {
            let mut transaction = self.snapshot().await?;
            let since = now.minus(REFUSALS_WINDOW);
            let rows = sqlx::query(sql::FACTS)
                .bind(&tag.as_bytes()[..])
                .bind(since.as_millis())
                .fetch_all(&mut *transaction)
                .await?;
            let attempts = rows.iter().map(attempt_of).collect::<Result<Vec<_>>>()?;
            let rows = sqlx::query(sql::LIVE_LINKS)
                .bind(&tag.as_bytes()[..])
                .fetch_all(&mut *transaction)
                .await?;
            let links = links_of(&rows)?;
            let pin = if pin {
                read_pin(&mut transaction, partner, tag).await?
            } else {
                None
            };
            transaction.commit().await?;
            Ok(facts_of(attempts, links, pin, since))
        })
        .await
    }

    async fn begin_attempt(&self, consent: &Consent, attempt: &Attempt, settle: &Job) -> Result<bool> {
        within(async {
            // Attempts of one person are numbered in the order in which they are written.
            let mut transaction = self.write_about(attempt.tag.as_bytes()).await?;
            // To log in to a link again nobody needs the request that it once came of.
            if attempt.renews.is_none() && !may_begin(&mut transaction, consent.intent).await? {
                return Ok(false);
            }
            add_consent(&mut transaction, consent).await?;
            if add_attempt(&mut transaction, attempt).await? {
                add_job(&mut transaction, settle).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn move_attempt(&self, id: AttemptId, to: AttemptState, at: Timestamp) -> Result<bool> {
        within(async {
            let Some(reason) = final_no(to) else {
                return moved(&mut *self.writer.acquire().await?, id, to, at).await;
            };
            let mut transaction = self.write().await?;
            let moved = moved(&mut transaction, id, to, at).await?;
            if moved {
                attempt_failed(&mut transaction, id, reason, at).await?;
            }
            transaction.commit().await?;
            Ok(moved)
        })
        .await
    }

    async fn store_grant(&self, id: AttemptId, grant: &[u8], redeem: &Job, at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let kept = sqlx::query(sql::KEEP_GRANT)
                .bind(&id.as_bytes()[..])
                .bind(grant)
                .bind(at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if kept.rows_affected() > 0 {
                add_job(&mut transaction, redeem).await?;
                transaction.commit().await?;
                return Ok(true);
            }
            match state_of(&mut transaction, id).await? {
                Some(AttemptState::Granted | AttemptState::Linked | AttemptState::Undone) => Ok(false),
                Some(_) => Err(RecordsError(
                    "a grant for an attempt that was answered with no".to_owned(),
                )),
                None => Err(RecordsError("a grant for an attempt that was never begun".to_owned())),
            }
        })
        .await
    }

    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Option<Vec<u8>>)>> {
        within(async {
            let row = sqlx::query(sql::ATTEMPT)
                .bind(&id.as_bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| Ok((attempt_of(&row)?, row.try_get("sealed_grant")?)))
                .transpose()
        })
        .await
    }

    async fn lapsed(&self, partner: PartnerId, provider: &str, since: Timestamp, limit: u32) -> Result<Vec<Attempt>> {
        within(async {
            let rows = sqlx::query(sql::LAPSED)
                .bind(&partner.as_bytes()[..])
                .bind(provider)
                .bind(since.as_millis())
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(attempt_of).collect()
        })
        .await
    }

    async fn consent(&self, id: ConsentId) -> Result<Option<Consent>> {
        within(async {
            let row = sqlx::query(sql::CONSENT)
                .bind(&id.as_bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(|row| consent_of(row, "id")).transpose()
        })
        .await
    }
}

/// Moves an attempt; says whether it moved.
pub(super) async fn moved(connection: &mut Connection, id: AttemptId, to: AttemptState, at: Timestamp) -> Result<bool> {
    let moved = sqlx::query(sql::MOVE_ATTEMPT)
        .bind(&id.as_bytes()[..])
        .bind(to.word())
        .bind(at.as_millis())
        .execute(connection)
        .await?;
    Ok(moved.rows_affected() > 0)
}

async fn add_consent(connection: &mut Connection, consent: &Consent) -> Result<()> {
    sqlx::query(sql::ADD_INTENT)
        .bind(&consent.intent.as_bytes()[..])
        .bind(&consent.partner.as_bytes()[..])
        .bind(consent.agreed_at.as_millis())
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::ADD_CONSENT)
        .bind(&consent.id.as_bytes()[..])
        .bind(&consent.intent.as_bytes()[..])
        .bind(&consent.partner.as_bytes()[..])
        .bind(&consent.tag.as_bytes()[..])
        .bind(&consent.msisdn)
        .bind(&consent.text)
        .bind(&consent.version)
        .bind(&consent.locale)
        .bind(&consent.channel)
        .bind(consent.agreed_at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds an attempt; says whether it is new.
async fn add_attempt(connection: &mut Connection, attempt: &Attempt) -> Result<bool> {
    let added = sqlx::query(sql::ADD_ATTEMPT)
        .bind(&attempt.id.as_bytes()[..])
        .bind(&attempt.session.as_bytes()[..])
        .bind(&attempt.consent.as_bytes()[..])
        .bind(&attempt.partner.as_bytes()[..])
        .bind(&attempt.tag.as_bytes()[..])
        .bind(&attempt.provider)
        .bind(&attempt.institution)
        .bind(&attempt.institution_name)
        .bind(attempt.step.word())
        .bind(&attempt.provider_session)
        .bind(attempt.renews.as_ref().map(|link| &link.as_bytes()[..]))
        .bind(attempt.state.word())
        .bind(attempt.created_at.as_millis())
        .execute(connection)
        .await?;
    Ok(added.rows_affected() > 0)
}

async fn state_of(connection: &mut Connection, id: AttemptId) -> Result<Option<AttemptState>> {
    let word: Option<String> = sqlx::query_scalar(sql::ATTEMPT_STATE)
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    word.map(|word| AttemptState::read(&word)).transpose()
}

pub(super) fn attempt_of(row: &Row) -> Result<Attempt> {
    let renews: Option<Vec<u8>> = row.try_get("renews")?;
    Ok(Attempt {
        id: AttemptId::from_bytes(fixed(row, "id")?),
        session: ConnectSessionId::from_bytes(fixed(row, "session")?),
        consent: ConsentId::from_bytes(fixed(row, "consent")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: SubscriberTag::from_bytes(fixed(row, "tag")?),
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        institution_name: row.try_get("institution_name")?,
        step: SubmissionStep::read(row.try_get("step")?)?,
        provider_session: row.try_get("provider_session")?,
        renews: renews
            .map(|link| sized(&link, "renews").map(LinkId::from_bytes))
            .transpose()?,
        state: AttemptState::read(row.try_get("state")?)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// The consent in a row, whose id stands in this column.
pub(super) fn consent_of(row: &Row, id: &str) -> Result<Consent> {
    Ok(Consent {
        id: ConsentId::from_bytes(fixed(row, id)?),
        intent: IntentId::from_bytes(fixed(row, "intent")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: SubscriberTag::from_bytes(fixed(row, "tag")?),
        msisdn: row.try_get("msisdn")?,
        text: row.try_get("text")?,
        version: row.try_get("version")?,
        locale: row.try_get("locale")?,
        channel: row.try_get("channel")?,
        agreed_at: Timestamp::from_millis(row.try_get("agreed_at")?),
    })
}
