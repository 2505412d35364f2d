//! Consents, and the ledger of submissions.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::intents::{add_intent_row, may_begin};
use super::jobs::{add_job, add_jobs};
use super::links::live_links;
use super::obstacles::obstacle;
use super::outbox::{attempt_failed, final_no};
use super::settings::read_settings;
use super::{Backend, Connection, Query};
use crate::core::attempt::ToldOutcome;
use crate::core::ids::{AttemptId, ConsentId, LinkId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::attempts::{FAILED_LOGINS_WINDOW, TOLD_WITHIN};
use crate::records::columns::{Bytes, sql_list};
use crate::records::{
    Attempt, AttemptRecords, AttemptState, Begun, Consent, Job, RecordsError, Result, SubscriberHistory,
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
        self.call(async {
            let mut tx = self.snapshot().await?;
            let history = read_history(&mut tx, (partner, tag), now, pin).await?;
            tx.commit().await?;
            Ok(history)
        })
        .await
    }

    async fn begin_attempt(
        &self,
        consent: &Consent,
        attempt: &Attempt,
        follows: Option<AttemptId>,
        settle: &Job,
    ) -> Result<Begun> {
        // Nobody else begins anything for this person meanwhile.
        self.transaction_about(attempt.tag.as_bytes(), async |tx| {
            if let Some(before) = follows {
                moving(before, AttemptState::Accepted, attempt.created_at)
                    .execute(&mut *tx)
                    .await?;
            }
            if let Some(refused) = obstacle(tx, attempt).await? {
                return Ok(refused);
            }
            let settle = std::slice::from_ref(settle);
            match begin(tx, consent, attempt, settle).await? {
                Some(true) => Ok(Begun::New),
                Some(false) => Err(RecordsError::new("an attempt came to be while it was begun")),
                None => Ok(Begun::RequestEnded),
            }
        })
        .await
    }

    async fn save_told(&self, id: AttemptId, told: Option<ToldOutcome>, revision: u64) -> Result<()> {
        let saving = query(
            "UPDATE attempts SET told = $2, told_revision = $3 \
             WHERE id = $1 AND (told_revision IS NULL OR told_revision <= $3)",
        );
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        self.execute(saving.bind(id).bind(told).bind(revision)).await?;
        Ok(())
    }

    async fn move_attempt(&self, id: AttemptId, to: AttemptState, at: Timestamp) -> Result<bool> {
        self.transaction(async |tx| move_attempt_in(tx, id, to, at).await).await
    }

    async fn move_attempt_from(
        &self,
        id: AttemptId,
        from: AttemptState,
        to: AttemptState,
        at: Timestamp,
    ) -> Result<bool> {
        self.transaction(async |tx| {
            // Taken for writing, so that nobody moves it between looking and moving.
            let stands = query("UPDATE attempts SET state = $2 WHERE id = $1 AND state = $2");
            let stands = stands.bind(id).bind(from).execute(&mut *tx).await?;
            if stands.rows_affected() == 0 {
                return Ok(false);
            }
            match final_no(to) {
                Some(reason) => move_to_failure(tx, id, to, reason, at).await,
                None => Ok(moving(id, to, at).execute(tx).await?.rows_affected() > 0),
            }
        })
        .await
    }

    async fn store_grant(&self, id: AttemptId, grant: &[u8], redeem: &Job, at: Timestamp) -> Result<bool> {
        self.transaction(async |tx| {
            let states = sql_list(AttemptState::TAKES_GRANT.iter().map(|state| state.as_str()));
            let stored = query(AssertSqlSafe(format!(
                "UPDATE attempts SET state = 'granted', sealed_grant = $2, returned = NULL, moved_at = $3 \
                 WHERE id = $1 AND sealed_grant IS NULL AND state IN {states}"
            )));
            let stored = stored.bind(id).bind(grant).bind(at).execute(&mut *tx).await?;
            if stored.rows_affected() > 0 {
                add_job(tx, redeem).await?;
                return Ok(true);
            }
            let state = query_scalar("SELECT state FROM attempts WHERE id = $1").bind(id);
            match state.fetch_optional(tx).await? {
                Some(
                    AttemptState::Granted | AttemptState::Linked | AttemptState::Undone | AttemptState::OtherAccount,
                ) => Ok(false),
                Some(_) => Err(RecordsError::new("a grant for an attempt that was answered with no")),
                None => Err(RecordsError::new("a grant for an attempt that was never begun")),
            }
        })
        .await
    }

    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Option<Vec<u8>>)>> {
        let found = query_as("SELECT * FROM attempts WHERE id = $1").bind(id);
        let found: Option<WithGrant> = self.fetch(found).await?;
        Ok(found.map(|found| (found.attempt, found.sealed_grant)))
    }

    async fn lapsed(&self, partner: PartnerId, provider: &str, since: Timestamp, limit: u32) -> Result<Vec<Attempt>> {
        let lapsed = query_as(
            "SELECT * FROM attempts WHERE partner = $1 AND provider = $2 AND state = 'lapsed' AND moved_at > $3 \
             ORDER BY moved_at DESC LIMIT $4",
        );
        let lapsed = lapsed.bind(partner).bind(provider).bind(since);
        self.fetch_all(lapsed.bind(i64::from(limit))).await
    }

    async fn renewals(&self, link: LinkId, since: Timestamp) -> Result<Vec<Attempt>> {
        let renewals = query_as(
            "SELECT * FROM attempts WHERE renews = $1 AND (state IN ('open', 'sending', 'unknown', 'waiting', 'granted') \
             OR (state = 'lapsed' AND moved_at > $2)) ORDER BY nth",
        );
        self.fetch_all(renewals.bind(link).bind(since)).await
    }

    async fn store_consent(&self, consent: &Consent) -> Result<()> {
        self.transaction(async |tx| {
            add_consent(tx, consent).await?;
            // Nothing keeps it but what comes to rest on it.
            let over = query("UPDATE consents SET over_at = agreed_at WHERE id = $1 AND over_at IS NULL");
            over.bind(consent.id).execute(tx).await?;
            Ok(())
        })
        .await
    }

    async fn consent(&self, id: ConsentId) -> Result<Option<Consent>> {
        self.fetch(query_as("SELECT * FROM consents WHERE id = $1").bind(id))
            .await
    }
}

/// What is known of a person; see [`AttemptRecords::history`].
pub(super) async fn read_history(
    tx: &mut Connection,
    (partner, tag): (PartnerId, &SubscriberTag),
    now: Timestamp,
    pin: bool,
) -> Result<SubscriberHistory> {
    let since = now.minus(FAILED_LOGINS_WINDOW);
    // The newest attempt and submission, the newest that got anywhere, what may still come to something, links that nobody was told
    // of, and logins that count against the limits. A login that is being sent counts until it is known to be
    // taken, and a lapsed one like the unknown one it was.
    let attempts = query_as(
        "SELECT * FROM attempts WHERE tag = $1 AND (nth = (SELECT MAX(nth) FROM attempts WHERE tag = $1) \
         OR nth = (SELECT MAX(nth) FROM attempts WHERE tag = $1 AND ordinal > 0) \
         OR nth = (SELECT MAX(nth) FROM attempts WHERE tag = $1 AND state IN ('accepted', 'granted', 'linked')) \
         OR state IN ('open', 'sending', 'unknown', 'waiting', 'granted') \
         OR (state = 'linked' AND (told IS NULL OR told <> 'linked') AND moved_at > $3) \
         OR (step = 'login' AND state IN ('refused', 'sending', 'unknown', 'lapsed') AND created_at > $2)) \
         ORDER BY nth DESC, created_at DESC",
    );
    let news_since = now.minus(TOLD_WITHIN);
    let attempts: Vec<Attempt> = attempts
        .bind(tag)
        .bind(since)
        .bind(news_since)
        .fetch_all(&mut *tx)
        .await?;
    // Every link has come of an attempt.
    let (undone_link, links) = if attempts.is_empty() {
        (None, Vec::new())
    } else {
        let undone = query_as(
            "SELECT a.* FROM attempts a JOIN links l ON l.attempt = a.id AND NOT l.unannounced \
             WHERE a.tag = $1 AND a.state IN ('undone', 'other_account') AND a.moved_at > $2 \
             AND (a.told IS NULL OR a.told <> 'not_linked') ORDER BY a.nth DESC LIMIT 1",
        );
        let undone = undone.bind(tag).bind(news_since).fetch_optional(&mut *tx).await?;
        (undone, live_links(tx, tag, now).await?)
    };
    let settings = read_settings(tx, partner, tag).await?;
    Ok(SubscriberHistory {
        texts_stopped: settings.texts_stopped,
        language: settings.language,
        undone_link,
        ..SubscriberHistory::new(attempts, links, settings.pin.filter(|_| pin), (since, news_since))
    })
}

#[derive(sqlx::FromRow)]
struct WithGrant {
    #[sqlx(flatten)]
    attempt: Attempt,
    sealed_grant: Option<Vec<u8>>,
}

/// Moves an attempt as its table says. A grant that is of no more use is wiped.
pub(super) fn moving(id: AttemptId, to: AttemptState, at: Timestamp) -> Query<'static> {
    let moving = query(AssertSqlSafe(format!(
        "UPDATE attempts SET state = $2, moved_at = $3, returned = NULL, \
         sealed_grant = CASE WHEN $2 IN ('linked', 'undone', 'other_account', 'lapsed') THEN NULL ELSE sealed_grant END, \
         exchanged = CASE WHEN $2 IN ('linked', 'undone', 'other_account', 'lapsed') THEN NULL ELSE exchanged END \
         WHERE id = $1 AND state IN {}",
        to.sources()
    )));
    moving.bind(id).bind(to).bind(at)
}

/// Moves an attempt as its table says, and tells the partner of a final no. Says whether it moved.
pub(super) async fn move_attempt_in(
    tx: &mut Connection,
    id: AttemptId,
    to: AttemptState,
    at: Timestamp,
) -> Result<bool> {
    match final_no(to) {
        Some(reason) => move_to_failure(tx, id, to, reason, at).await,
        None => Ok(moving(id, to, at).execute(tx).await?.rows_affected() > 0),
    }
}

/// Moves an attempt to a final no and tells the partner why, if it moved.
pub(super) async fn move_to_failure(
    tx: &mut Connection,
    id: AttemptId,
    to: AttemptState,
    reason: &str,
    at: Timestamp,
) -> Result<bool> {
    let moved = moving(id, to, at).execute(&mut *tx).await?.rows_affected() > 0;
    if moved {
        attempt_failed(tx, id, reason, at).await?;
    }
    Ok(moved)
}

/// Adds an attempt, the consent that allows it and the jobs that follow, in a transaction about its person. Says whether the
/// attempt is new; `None` if the partner's intent is over.
pub(super) async fn begin(
    tx: &mut Connection,
    consent: &Consent,
    attempt: &Attempt,
    jobs: &[Job],
) -> Result<Option<bool>> {
    // To log in to a link again nobody needs the intent that it once came of.
    if attempt.renews.is_none() && !may_begin(tx, consent.intent).await? {
        return Ok(None);
    }
    add_consent(tx, consent).await?;
    let new = add_attempt(tx, attempt).await?;
    if new {
        add_jobs(tx, jobs).await?;
    }
    Ok(Some(new))
}

pub(super) async fn add_consent(tx: &mut Connection, consent: &Consent) -> Result<()> {
    add_intent_row(tx, consent.intent, consent.partner, consent.agreed_at).await?;
    query(
        "INSERT INTO consents (id, intent, partner, tag, msisdn, text, version, locale, channel, agreed_at, purpose, days, \
         scope, purposes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO NOTHING",
    )
    .bind(consent.id)
    .bind(consent.intent)
    .bind(consent.partner)
    .bind(consent.tag)
    .bind(&consent.msisdn)
    .bind(&consent.text)
    .bind(&consent.version)
    .bind(&consent.locale)
    .bind(&consent.channel)
    .bind(consent.agreed_at)
    .bind(&consent.purpose)
    .bind(i64::from(consent.days))
    .bind(&consent.scope)
    .bind(&consent.purposes)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds an attempt; says whether it is new.
async fn add_attempt(tx: &mut Connection, attempt: &Attempt) -> Result<bool> {
    let added = query(
        "INSERT INTO attempts (id, session, consent, partner, tag, provider, institution, institution_name, step, \
         provider_session, session_digest, renews, state, waits_until, returned, created_at, moved_at, series, ordinal, \
         provider_institution, nth) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18, $19, \
         (SELECT COALESCE(MAX(nth), 0) + 1 FROM attempts WHERE tag = $5)) ON CONFLICT (id) DO NOTHING",
    )
    .bind(attempt.id)
    .bind(attempt.session)
    .bind(attempt.consent)
    .bind(attempt.partner)
    .bind(attempt.tag)
    .bind(&attempt.provider)
    .bind(&attempt.institution)
    .bind(&attempt.institution_name)
    .bind(attempt.step)
    .bind(&attempt.provider_session)
    .bind(Bytes(attempt.session_digest))
    .bind(attempt.renews)
    .bind(attempt.state)
    .bind(attempt.waits_until)
    .bind(&attempt.returned)
    .bind(attempt.created_at)
    .bind(attempt.series)
    .bind(attempt.ordinal)
    .bind(&attempt.provider_institution)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}
