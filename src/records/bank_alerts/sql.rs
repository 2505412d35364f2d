//! Bank alerts. What is concluded here rests on several of them, such as whether somebody still waits with a watch: they
//! take turns, with SMS.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::Backend;
use super::jobs::add_job;
use super::messages::{ALL_SMS, add_message};
use crate::core::ids::{BankAlertId, WatchId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{BankAlert, BankAlertRecords, InstitutionSince, Job, Result, SmsMessage};

#[async_trait]
impl BankAlertRecords for Backend {
    async fn put_bank_alert(&self, alert: &BankAlert, watch: WatchId, job: &Job, fresh: Timestamp) -> Result<()> {
        self.transaction_about(ALL_SMS, async |tx| {
            // A watch that still has somebody to tell, the newest first.
            let under_way: Option<(WatchId, Timestamp)> = query_as(
                "SELECT watch, watched_since FROM bank_alerts WHERE partner = $1 AND provider = $2 AND institution = $3 \
                 AND told_at IS NULL AND until > $4 AND watched_since > $5 ORDER BY watched_since DESC LIMIT 1",
            )
            .bind(alert.partner)
            .bind(&alert.provider)
            .bind(&alert.institution)
            .bind(alert.asked_at)
            .bind(fresh)
            .fetch_optional(&mut *tx)
            .await?;
            let (watch, since) = under_way.unwrap_or((watch, alert.asked_at));
            query(
                "INSERT INTO bank_alerts (id, partner, tag, provider, institution, sealed, needs_login, asked_at, until, \
                 watch, watched_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                 ON CONFLICT (partner, tag, provider, institution) DO UPDATE SET id = excluded.id, \
                 sealed = excluded.sealed, needs_login = excluded.needs_login, asked_at = excluded.asked_at, \
                 until = excluded.until, watch = excluded.watch, watched_since = excluded.watched_since, told_at = NULL",
            )
            .bind(alert.id)
            .bind(alert.partner)
            .bind(alert.tag)
            .bind(&alert.provider)
            .bind(&alert.institution)
            .bind(&alert.sealed)
            .bind(alert.needs_login)
            .bind(alert.asked_at)
            .bind(alert.until)
            .bind(watch)
            .bind(since)
            .execute(&mut *tx)
            .await?;
            if under_way.is_none() {
                add_job(tx, job).await?;
            }
            Ok(())
        })
        .await
    }

    async fn open_bank_alerts(&self, watch: WatchId, now: Timestamp) -> Result<Vec<BankAlert>> {
        self.transaction_about(ALL_SMS, async |tx| {
            let dropping = query("DELETE FROM bank_alerts WHERE watch = $1 AND until <= $2");
            dropping.bind(watch).bind(now).execute(&mut *tx).await?;
            let open = query_as("SELECT * FROM bank_alerts WHERE watch = $1 AND told_at IS NULL ORDER BY asked_at, id");
            Ok(open.bind(watch).fetch_all(tx).await?)
        })
        .await
    }

    async fn bank_alert(&self, id: BankAlertId) -> Result<Option<BankAlert>> {
        self.fetch(query_as("SELECT * FROM bank_alerts WHERE id = $1").bind(id))
            .await
    }

    async fn answer_bank_alert(&self, id: BankAlertId, sms: &SmsMessage, send: &Job, at: Timestamp) -> Result<bool> {
        self.transaction_about(ALL_SMS, async |tx| {
            let marking = query("UPDATE bank_alerts SET told_at = $2 WHERE id = $1 AND told_at IS NULL");
            let marked = marking.bind(id).bind(at).execute(&mut *tx).await?;
            let written = marked.rows_affected() > 0 && add_message(tx, sms).await?;
            if written {
                add_job(tx, send).await?;
            }
            Ok(written)
        })
        .await
    }

    async fn delete_bank_alert(&self, id: BankAlertId) -> Result<()> {
        self.transaction_about(ALL_SMS, async |tx| {
            let deleting = query("DELETE FROM bank_alerts WHERE id = $1");
            deleting.bind(id).execute(tx).await?;
            Ok(())
        })
        .await
    }

    async fn login_accepted_since(&self, bank: InstitutionSince<'_>, by: Option<&SubscriberTag>) -> Result<bool> {
        let accepted = query_as(
            "SELECT created_at FROM attempts WHERE partner = $1 AND provider = $2 AND institution = $3 \
             AND created_at > $4 AND ($5 IS NULL OR tag = $5) \
             AND step = 'login' AND state IN ('accepted', 'granted', 'linked') LIMIT 1",
        );
        let accepted = accepted.bind(bank.partner).bind(bank.provider).bind(bank.institution);
        let accepted: Option<(Timestamp,)> = self.fetch(accepted.bind(bank.since).bind(by)).await?;
        Ok(accepted.is_some())
    }
}
