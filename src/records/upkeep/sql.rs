//! Deleting what has expired. Where not said otherwise, `$1` is the moment before which it was over, `$2` how many.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::{Backend, Connection};
use crate::core::ids::{AttemptId, ConsentId, IntentId, LinkId};
use crate::core::time::Timestamp;
use crate::records::{ExpiredData, Result, UpkeepRecords};

#[async_trait]
impl UpkeepRecords for Backend {
    async fn delete_expired(&self, what: ExpiredData, before: Timestamp, limit: u32) -> Result<u64> {
        let batch = Batch {
            before,
            limit: i64::from(limit),
        };
        self.transaction(async |tx| match what {
            ExpiredData::Links => batch.links(tx).await,
            ExpiredData::Attempts => batch.attempts(tx).await,
            ExpiredData::Consents => batch.consents(tx).await,
            ExpiredData::Intents => batch.intents(tx).await,
            ExpiredData::Events => batch.events(tx).await,
            ExpiredData::Messages => {
                let statement = "DELETE FROM messages WHERE id IN (SELECT id FROM messages \
                     WHERE created_at < $1 AND state NOT IN ('queued', 'sending') ORDER BY created_at LIMIT $2)";
                batch.rows(tx, statement).await
            }
            ExpiredData::Audit => {
                // Its rows have no names: a moment is found before which there are no more of them than may go, but for
                // those of the same millisecond.
                let statement = "DELETE FROM audit WHERE happened_at < $1 AND happened_at <= (\
                     SELECT MAX(happened_at) FROM (\
                     SELECT happened_at FROM audit WHERE happened_at < $1 ORDER BY happened_at LIMIT $2) oldest)";
                batch.rows(tx, statement).await
            }
            ExpiredData::Tokens => {
                let statement = "DELETE FROM tokens WHERE digest IN (\
                     SELECT digest FROM tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                batch.rows(tx, statement).await
            }
            ExpiredData::ProviderPersons => {
                let statement = "DELETE FROM provider_persons WHERE id IN (SELECT id FROM provider_persons p \
                     WHERE updated_at < $1 AND NOT EXISTS (SELECT 1 FROM links \
                     WHERE partner = p.partner AND tag = p.tag AND provider = p.provider) \
                     AND NOT EXISTS (SELECT 1 FROM attempts \
                     WHERE partner = p.partner AND tag = p.tag AND provider = p.provider) \
                     ORDER BY updated_at LIMIT $2)";
                batch.rows(tx, statement).await
            }
            ExpiredData::Tickets => {
                let statement = "DELETE FROM return_tickets WHERE digest IN (\
                     SELECT digest FROM return_tickets WHERE until < $1 ORDER BY until LIMIT $2)";
                batch.rows(tx, statement).await
            }
            ExpiredData::Answers => {
                let statement = "DELETE FROM idempotency WHERE (partner, caller, key) IN (\
                     SELECT partner, caller, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
                batch.rows(tx, statement).await
            }
            ExpiredData::Erasures => {
                let statement = "DELETE FROM erasures WHERE id IN (\
                     SELECT id FROM erasures WHERE state = 'done' AND moved_at < $1 ORDER BY moved_at LIMIT $2)";
                batch.rows(tx, statement).await
            }
        })
        .await
    }
}

/// Which rows of a table.
#[derive(Clone, Copy)]
struct Batch {
    before: Timestamp,
    limit: i64,
}

/// No submission and no link rests on a consent any more.
macro_rules! consent_unused {
    () => {
        "NOT EXISTS (SELECT 1 FROM attempts WHERE consent = consents.id) \
         AND NOT EXISTS (SELECT 1 FROM links WHERE consent = consents.id)"
    };
}

/// Events that others of the same subject follow.
macro_rules! old_events {
    () => {
        "SELECT id FROM events WHERE created_at < $1 AND EXISTS (SELECT 1 FROM events later \
         WHERE later.partner = events.partner AND later.subject = events.subject AND later.seq > events.seq) \
         ORDER BY created_at LIMIT $2"
    };
}

impl Batch {
    /// Rows that nothing points at.
    async fn rows(self, tx: &mut Connection, statement: &'static str) -> Result<u64> {
        let deleted = query(statement).bind(self.before).bind(self.limit).execute(tx).await?;
        Ok(deleted.rows_affected())
    }

    async fn links(self, tx: &mut Connection) -> Result<u64> {
        let old = query_as(
            "SELECT id, attempt, consent, ended_at FROM links \
             WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2",
        );
        let old: Vec<(LinkId, AttemptId, ConsentId, Timestamp)> =
            old.bind(self.before).bind(self.limit).fetch_all(&mut *tx).await?;
        let mut deleted = 0;
        for (link, attempt, consent, ended_at) in old {
            let accounts = query("DELETE FROM linked_accounts WHERE link = $1").bind(link);
            accounts.execute(&mut *tx).await?;
            let links = query("DELETE FROM links WHERE id = $1 AND ended_at IS NOT NULL").bind(link);
            deleted += links.execute(&mut *tx).await?.rows_affected();
            delete_attempt(tx, attempt).await?;
            let over =
                query("UPDATE consents SET over_at = CASE WHEN over_at > $2 THEN over_at ELSE $2 END WHERE id = $1");
            over.bind(consent).bind(ended_at).execute(&mut *tx).await?;
        }
        Ok(deleted)
    }

    async fn attempts(self, tx: &mut Connection) -> Result<u64> {
        // The conditions of the index come first, word for word.
        let old = query_as(
            "SELECT id, consent FROM attempts \
             WHERE state NOT IN ('open', 'sending', 'unknown', 'waiting', 'granted') AND (state <> 'linked' OR renews IS NOT NULL) \
             AND moved_at < $1 AND to_end IS NULL AND NOT EXISTS (SELECT 1 FROM links WHERE attempt = attempts.id) ORDER BY moved_at LIMIT $2",
        );
        let old: Vec<(AttemptId, ConsentId)> = old.bind(self.before).bind(self.limit).fetch_all(&mut *tx).await?;
        let mut deleted = 0;
        for (attempt, consent) in old {
            deleted += delete_attempt(tx, attempt).await?;
            // It goes now only if no link ever came of it.
            let vain = concat!(
                "DELETE FROM consents WHERE id = $1 AND over_at IS NULL AND ",
                consent_unused!(),
                " RETURNING intent"
            );
            delete_consent(tx, vain, consent).await?;
        }
        Ok(deleted)
    }

    async fn consents(self, tx: &mut Connection) -> Result<u64> {
        let old = query_scalar(concat!(
            "SELECT id FROM consents WHERE over_at IS NOT NULL AND over_at < $1 AND ",
            consent_unused!(),
            " ORDER BY over_at LIMIT $2"
        ));
        let old: Vec<ConsentId> = old.bind(self.before).bind(self.limit).fetch_all(&mut *tx).await?;
        let mut deleted = 0;
        for consent in old {
            let statement = concat!(
                "DELETE FROM consents WHERE id = $1 AND ",
                consent_unused!(),
                " RETURNING intent"
            );
            deleted += delete_consent(tx, statement, consent).await?;
        }
        Ok(deleted)
    }

    async fn intents(self, tx: &mut Connection) -> Result<u64> {
        let old = query_scalar(
            "SELECT id FROM link_intents WHERE state IN ('cancelled', 'expired', 'mismatched') AND moved_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = link_intents.id) ORDER BY moved_at LIMIT $2",
        );
        let old: Vec<IntentId> = old.bind(self.before).bind(self.limit).fetch_all(&mut *tx).await?;
        let mut deleted = 0;
        for intent in old {
            let closed = query("DELETE FROM link_intents WHERE id = $1 AND state <> 'open'").bind(intent);
            deleted += closed.execute(&mut *tx).await?.rows_affected();
            delete_intent_row(tx, intent).await?;
        }
        Ok(deleted)
    }

    async fn events(self, tx: &mut Connection) -> Result<u64> {
        let deliveries = concat!("DELETE FROM deliveries WHERE event IN (", old_events!(), ")");
        self.rows(tx, deliveries).await?;
        let events = concat!(
            "DELETE FROM events WHERE id IN (",
            old_events!(),
            ") AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.id)"
        );
        self.rows(tx, events).await
    }
}

async fn delete_attempt(tx: &mut Connection, id: AttemptId) -> Result<u64> {
    let tickets = query("DELETE FROM return_tickets WHERE attempt = $1").bind(id);
    tickets.execute(&mut *tx).await?;
    let deleting = query(
        "DELETE FROM attempts WHERE id = $1 AND state NOT IN ('open', 'sending', 'unknown', 'waiting', 'granted') \
         AND NOT EXISTS (SELECT 1 FROM links WHERE attempt = attempts.id)",
    );
    Ok(deleting.bind(id).execute(tx).await?.rows_affected())
}

/// Deletes a consent, and the intent it answers if nobody needs that any more.
async fn delete_consent(tx: &mut Connection, statement: &'static str, id: ConsentId) -> Result<u64> {
    let intent: Option<IntentId> = query_scalar(statement).bind(id).fetch_optional(&mut *tx).await?;
    let Some(intent) = intent else {
        return Ok(0);
    };
    let completed = query(
        "DELETE FROM link_intents WHERE id = $1 AND state = 'completed' \
         AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = link_intents.id)",
    );
    completed.bind(intent).execute(&mut *tx).await?;
    delete_intent_row(tx, intent).await?;
    Ok(1)
}

/// Deletes an intent that nobody has made or answered any more.
async fn delete_intent_row(tx: &mut Connection, id: IntentId) -> Result<()> {
    let deleting = query(
        "DELETE FROM intents WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = intents.id) \
         AND NOT EXISTS (SELECT 1 FROM link_intents WHERE id = intents.id)",
    );
    deleting.bind(id).execute(tx).await?;
    Ok(())
}
