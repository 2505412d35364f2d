//! The erasure of a person. Where not said otherwise, `$1` is the partner, `$2` the person's tag and `$3` the pseudonym.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::export::read_all;
use super::jobs::add_job;
use super::outbox::intent_over;
use super::{Backend, Connection, Query};
use crate::core::ids::{ErasureId, IntentId, LinkId, MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::sql_list;
use crate::records::{
    AttemptState, AuditEntry, DataSubjectRecords, Erasure, ErasureBlocker, IntentState, Job, LinkState, Partner,
    RecordsError, Redaction, Result, SubscriberData,
};

/// What stands where something personal may not be missing.
const NOTHING: &[u8] = &[];
/// A digest of nothing.
const NO_DIGEST: &[u8] = &[0; 32];

#[async_trait]
impl DataSubjectRecords for Backend {
    async fn partners_holding(&self, tag: &SubscriberTag) -> Result<Vec<Partner>> {
        let partners = query_as(
            "SELECT * FROM partners p WHERE EXISTS (SELECT 1 FROM consents WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM attempts WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM links WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM messages WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM sms_preferences WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM subscriber_pins WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM subscriber_languages WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM provider_persons WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM link_intents WHERE partner = p.id AND tag = $1) \
             OR EXISTS (SELECT 1 FROM audit WHERE partner = p.id AND tag = $1) ORDER BY name, id",
        );
        self.fetch_all(partners.bind(tag)).await
    }

    async fn export(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<SubscriberData> {
        self.call(async {
            let mut tx = self.snapshot().await?;
            let data = read_all(&mut tx, (partner, tag)).await?;
            tx.commit().await?;
            Ok(data)
        })
        .await
    }

    async fn begin_erasure(&self, erasure: &Erasure, job: &Job) -> Result<ErasureId> {
        let tag = erasure.tag.ok_or_else(|| RecordsError::new("an erasure of nobody"))?;
        self.transaction_about(tag.as_bytes(), async |tx| {
            let under_way = query_scalar("SELECT id FROM erasures WHERE partner = $1 AND tag = $2");
            let under_way = under_way.bind(erasure.partner).bind(tag);
            if let Some(id) = under_way.fetch_optional(&mut *tx).await? {
                return Ok(id);
            }
            query(
                "INSERT INTO erasures (id, partner, tag, pseudonym, state, begun_at, moved_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(erasure.id)
            .bind(erasure.partner)
            .bind(tag)
            .bind(erasure.pseudonym)
            .bind(erasure.state)
            .bind(erasure.begun_at)
            .bind(erasure.moved_at)
            .execute(&mut *tx)
            .await?;
            add_job(tx, job).await?;
            Ok(erasure.id)
        })
        .await
    }

    async fn erasure(&self, id: ErasureId) -> Result<Option<Erasure>> {
        self.fetch(query_as("SELECT * FROM erasures WHERE id = $1").bind(id))
            .await
    }

    async fn erasures(&self, limit: u32) -> Result<Vec<Erasure>> {
        let erasures = query_as("SELECT * FROM erasures ORDER BY begun_at DESC, id DESC LIMIT $1");
        self.fetch_all(erasures.bind(i64::from(limit))).await
    }

    async fn unremoved_links(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Vec<(LinkId, LinkState)>> {
        let links = "SELECT id, state FROM links WHERE partner = $1 AND tag = $2 AND ended_at IS NULL ORDER BY nth";
        self.fetch_all(query_as(links).bind(partner).bind(tag)).await
    }

    async fn set_erasure_blocker(&self, id: ErasureId, blocker: ErasureBlocker) -> Result<()> {
        let setting = query("UPDATE erasures SET waits = $2 WHERE id = $1 AND state <> 'done'");
        self.execute(setting.bind(id).bind(blocker)).await.map(drop)
    }

    async fn redact(&self, erasure: &Erasure, now: Timestamp) -> Result<Redaction> {
        let Some(tag) = erasure.tag else {
            return Ok(Redaction::Redacted);
        };
        self.call(async {
            // Nobody begins anything for this person meanwhile, nor completes it.
            let mut tx = self.write_about(tag.as_bytes()).await?;
            // Of two who try, one goes on.
            let mine = query(
                "UPDATE erasures SET state = 'blanked', waits = NULL, moved_at = $2 WHERE id = $1 AND state = 'begun'",
            );
            let mine = mine.bind(erasure.id).bind(now).execute(&mut *tx).await?;
            if mine.rows_affected() == 0 {
                return Ok(Redaction::Redacted);
            }
            let person = Person {
                partner: erasure.partner,
                tag,
                pseudonym: erasure.pseudonym,
            };
            if let Some(blocker) = person.blocker(&mut tx, now).await? {
                return Ok(Redaction::BlockedBy(blocker));
            }
            person.redact(&mut tx, now).await?;
            tx.commit().await?;
            Ok(Redaction::Redacted)
        })
        .await
    }

    async fn scrub_files(&self) -> Result<bool> {
        self.call(self.checkpoint()).await
    }

    async fn finish_erasure(&self, id: ErasureId, audit: &AuditEntry) -> Result<bool> {
        let ending = query(
            "UPDATE erasures SET state = 'done', tag = NULL, waits = NULL, moved_at = $2 \
             WHERE id = $1 AND state = 'blanked'",
        );
        self.execute_audited(ending.bind(id).bind(audit.at), audit).await
    }
}

/// Whose rows are redacted, and what stands in the place of their tag.
struct Person {
    partner: PartnerId,
    tag: SubscriberTag,
    pseudonym: SubscriberTag,
}

/// Jobs about a person's rows; none of them is worth doing once the rows are redacted.
macro_rules! their_jobs {
    () => {
        "state = 'open' AND subject IN (SELECT id FROM attempts WHERE partner = $1 AND tag = $2 \
         UNION ALL SELECT id FROM links WHERE partner = $1 AND tag = $2 \
         UNION ALL SELECT id FROM messages WHERE partner = $1 AND tag = $2)"
    };
}

impl Person {
    /// What of theirs is under way. What nobody has taken up is closed, so that nobody will.
    async fn blocker(&self, tx: &mut Connection, now: Timestamp) -> Result<Option<ErasureBlocker>> {
        let pending = AttemptState::ALL.iter().filter(|state| state.is_pending());
        let pending = query(AssertSqlSafe(format!(
            "SELECT 1 FROM attempts WHERE partner = $1 AND tag = $2 AND state IN {} LIMIT 1",
            sql_list(pending.map(|state| state.as_str()))
        )));
        if self.finds(tx, pending).await? {
            return Ok(Some(ErasureBlocker::Attempts));
        }
        let links = query("SELECT 1 FROM links WHERE partner = $1 AND tag = $2 AND ended_at IS NULL LIMIT 1");
        let rejected = query("SELECT 1 FROM attempts WHERE partner = $1 AND tag = $2 AND to_end IS NOT NULL LIMIT 1");
        if self.finds(tx, links).await? || self.finds(tx, rejected).await? {
            return Ok(Some(ErasureBlocker::Links));
        }
        // Those that somebody holds go on.
        let closing = self.bind(concat!(
            "UPDATE jobs SET state = 'done', node = NULL, lease_until = NULL \
             WHERE (lease_until IS NULL OR lease_until <= $3) AND ",
            their_jobs!()
        ));
        closing.bind(now).execute(&mut *tx).await?;
        let held = query(concat!("SELECT 1 FROM jobs WHERE ", their_jobs!(), " LIMIT 1"));
        Ok(self.finds(tx, held).await?.then_some(ErasureBlocker::Work))
    }

    async fn finds(&self, tx: &mut Connection, statement: Query<'_>) -> Result<bool> {
        let found = statement.bind(self.partner).bind(self.tag).fetch_optional(tx).await?;
        Ok(found.is_some())
    }

    /// A statement with `$1` and `$2` bound.
    fn bind(&self, statement: &'static str) -> Query<'static> {
        query(statement).bind(self.partner).bind(self.tag)
    }

    /// In this order: accounts are found by their links, intents by consents, reports by messages.
    async fn redact(&self, tx: &mut Connection, now: Timestamp) -> Result<()> {
        self.redact_messages(tx).await?;
        // What was heard about them, by the digests that go with the rest.
        self.bind(
            "DELETE FROM provider_event_order WHERE partner = $1 AND subject IN (SELECT a.account_digest FROM linked_accounts a \
             JOIN links l ON l.id = a.link WHERE l.partner = $1 AND l.tag = $2 \
             UNION ALL SELECT handle_digest FROM links WHERE partner = $1 AND tag = $2 AND handle_digest IS NOT NULL \
             UNION ALL SELECT session_digest FROM attempts WHERE partner = $1 AND tag = $2 \
             UNION ALL SELECT handle_digest FROM provider_persons \
             WHERE partner = $1 AND tag = $2 AND handle_digest IS NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        self.bind(
            "UPDATE linked_accounts \
             SET account = $3, account_digest = $4, masked = NULL, number_digest = NULL, holder = NULL \
             WHERE link IN (SELECT id FROM links WHERE partner = $1 AND tag = $2)",
        )
        .bind(NOTHING)
        .bind(NO_DIGEST)
        .execute(&mut *tx)
        .await?;
        self.cancel_intents(tx, now).await?;
        let tickets = "DELETE FROM return_tickets WHERE attempt IN (\
             SELECT id FROM attempts WHERE partner = $1 AND tag = $2)";
        self.bind(tickets).execute(&mut *tx).await?;
        for statement in [
            // Those that they have answered are theirs, too, unless others may still.
            "UPDATE link_intents SET tag = CASE WHEN tag = $2 THEN $3 ELSE tag END, \
             reference = NULL, msisdn = NULL, code_digest = NULL, code = NULL, expected = NULL, suggested = NULL \
             WHERE partner = $1 AND (tag = $2 OR (tag IS NULL AND NOT many AND state <> 'open' \
             AND id IN (SELECT intent FROM consents WHERE partner = $1 AND tag = $2)))",
            "UPDATE links SET tag = $3, used_at = created_at, handle_digest = NULL, handle = NULL, access = NULL \
             WHERE partner = $1 AND tag = $2",
            "UPDATE audit SET tag = $3 WHERE partner = $1 AND tag = $2",
        ] {
            self.bind(statement).bind(self.pseudonym).execute(&mut *tx).await?;
        }
        self.bind(
            "UPDATE attempts SET tag = $3, provider_session = $4, session_digest = $5, sealed_grant = NULL, \
             exchanged = NULL, to_end = NULL, returned = NULL \
             WHERE partner = $1 AND tag = $2",
        )
        .bind(self.pseudonym)
        .bind(NOTHING)
        .bind(NO_DIGEST)
        .execute(&mut *tx)
        .await?;
        let consents = self.bind("UPDATE consents SET tag = $3, msisdn = $4 WHERE partner = $1 AND tag = $2");
        consents.bind(self.pseudonym).bind(NOTHING).execute(&mut *tx).await?;
        for statement in [
            "DELETE FROM sms_preferences WHERE partner = $1 AND tag = $2",
            "DELETE FROM sms_wrong_proofs WHERE partner = $1 AND tag = $2",
            "DELETE FROM bank_alerts WHERE partner = $1 AND tag = $2",
            "DELETE FROM provider_persons WHERE partner = $1 AND tag = $2",
            "DELETE FROM subscriber_pins WHERE partner = $1 AND tag = $2",
            "DELETE FROM subscriber_languages WHERE partner = $1 AND tag = $2",
        ] {
            self.bind(statement).execute(&mut *tx).await?;
        }
        Ok(())
    }

    /// Ends what is asked of them and of nobody else. The partner is told that much.
    async fn cancel_intents(&self, tx: &mut Connection, now: Timestamp) -> Result<()> {
        let ids: Vec<IntentId> = query_scalar(
            "UPDATE link_intents SET state = 'cancelled', moved_at = $3 \
             WHERE partner = $1 AND tag = $2 AND state = 'open' RETURNING id",
        )
        .bind(self.partner)
        .bind(self.tag)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        for id in ids {
            intent_over(tx, (self.partner, id), IntentState::Cancelled, None, now).await?;
        }
        Ok(())
    }

    /// Another key for each: keys of hints hold the tag, those of answers the gateway's id. What was not sent is not sent
    /// any more.
    async fn redact_messages(&self, tx: &mut Connection) -> Result<()> {
        let reports = self.bind(
            "DELETE FROM early_reports WHERE EXISTS (SELECT 1 FROM messages m WHERE m.partner = $1 AND m.tag = $2 \
             AND m.gateway = early_reports.gateway AND m.gateway_id = early_reports.gateway_id)",
        );
        reports.execute(&mut *tx).await?;
        let ids = query_scalar("SELECT id FROM messages WHERE partner = $1 AND tag = $2");
        let ids: Vec<MessageId> = ids.bind(self.partner).bind(self.tag).fetch_all(&mut *tx).await?;
        for id in ids {
            query(
                "UPDATE messages SET tag = $2, key = $3, sealed = NULL, gateway_id = NULL, \
                 reason = CASE WHEN state = 'queued' THEN 'unsendable' ELSE reason END, \
                 state = CASE WHEN state = 'queued' THEN 'withheld' WHEN state = 'sending' THEN 'unknown' ELSE state END \
                 WHERE id = $1",
            )
            .bind(id)
            .bind(self.pseudonym)
            .bind(format!("erased:{id}"))
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }
}
