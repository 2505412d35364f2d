//! When a link ends: its consent, what takes its place, and what is told of that.

use async_trait::async_trait;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::attempts::add_consent;
use super::audit::add_audit;
use super::intents::end_renewals;
use super::jobs::{add_job, add_jobs};
use super::links::move_link;
use super::messages::add_message;
use super::outbox::{link_expiring, link_moved, link_updated};
use super::{Backend, Connection};
use crate::core::consent;
use crate::core::ids::{ConsentId, LinkId, PartnerId};
use crate::core::time::Timestamp;
use crate::records::{
    AnnounceEnd, AuditEntry, Consent, ConsentReplacement, ExpireLink, Job, JobType, Link, LinkEndRecords, LinkState,
    QueuedSms, Result,
};

#[async_trait]
impl LinkEndRecords for Backend {
    async fn announce_end(&self, id: LinkId, sms: Option<&QueuedSms>, at: Timestamp) -> Result<bool> {
        self.transaction(async |tx| {
            let telling = query_scalar(
                "UPDATE links SET told_at = $2 WHERE id = $1 AND told_at IS NULL AND notice_from <= $2 AND until > $2 \
                 AND state IN ('active', 'reauth_required') RETURNING state",
            );
            let told: Option<LinkState> = telling.bind(id).bind(at).fetch_optional(&mut *tx).await?;
            let Some(state) = told else {
                return Ok(false);
            };
            link_expiring(tx, id, state, at).await?;
            add_sms(tx, sms).await?;
            Ok(true)
        })
        .await
    }

    async fn expire_link(&self, id: LinkId, unlink: &Job, sms: Option<&QueuedSms>, at: Timestamp) -> Result<bool> {
        self.transaction(async |tx| {
            // Where nobody was there to tell it in time, it is told now, with the state that the link was in until now.
            let telling = query_scalar(
                "UPDATE links SET told_at = $2 WHERE id = $1 AND told_at IS NULL AND until <= $2 \
                 AND state IN ('active', 'reauth_required') RETURNING state",
            );
            let untold: Option<LinkState> = telling.bind(id).bind(at).fetch_optional(&mut *tx).await?;
            let expiring = query(
                "UPDATE links SET state = 'expired', moved_at = $2 WHERE id = $1 AND until <= $2 \
                 AND state IN ('active', 'reauth_required')",
            );
            let expired = expiring.bind(id).bind(at).execute(&mut *tx).await?;
            if expired.rows_affected() == 0 {
                return Ok(false);
            }
            if let Some(state) = untold {
                link_expiring(tx, id, state, at).await?;
                add_sms(tx, sms).await?;
            }
            link_moved(tx, id, LinkState::Expired, at).await?;
            add_job(tx, unlink).await?;
            end_renewals(tx, id, LinkState::Expired, at).await?;
            Ok(true)
        })
        .await
    }

    async fn replace_consent(
        &self,
        id: LinkId,
        replaced: ConsentId,
        consent: &Consent,
        audit: &AuditEntry,
    ) -> Result<ConsentReplacement> {
        // Nobody ends or renews anything of this person meanwhile.
        self.transaction_about(consent.tag.as_bytes(), async |tx| {
            let at = consent.agreed_at;
            let Some(link) = LinkEnd::hold(tx, id, at).await? else {
                return Ok(ConsentReplacement::Ended);
            };
            if link.consent != replaced {
                return Ok(ConsentReplacement::Until(link.until));
            }
            add_consent(tx, consent).await?;
            let until = link.replace(tx, consent, link.access_until).await?;
            link_updated(tx, id, link.state, at).await?;
            add_audit(tx, audit).await?;
            Ok(ConsentReplacement::Until(until))
        })
        .await
    }

    async fn renew_link(
        &self,
        id: LinkId,
        agreed: ConsentId,
        access_until: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<()> {
        self.transaction(async |tx| renew(tx, id, agreed, access_until, (at, at)).await.map(drop))
            .await
    }

    async fn renewed_since(&self, id: LinkId, since: Timestamp) -> Result<bool> {
        let renewed = query_scalar("SELECT COUNT(*) FROM links WHERE id = $1 AND renewed_at >= $2");
        let renewed: i64 = self
            .call(async { Ok(renewed.bind(id).bind(since).fetch_one(&self.readers).await?) })
            .await?;
        Ok(renewed > 0)
    }

    async fn access_ended(&self, id: LinkId, at: Timestamp) -> Result<()> {
        self.transaction(async |tx| {
            let expired = query(
                "UPDATE links SET ended_at = $2, access = NULL WHERE id = $1 AND state = 'expired' AND ended_at IS NULL",
            );
            expired.bind(id).bind(at).execute(&mut *tx).await?;
            move_link(tx, id, LinkState::Removed, &[], at).await?;
            Ok(())
        })
        .await
    }
}

/// Takes a link back into use after a new login, see [`LinkEndRecords::renew_link`]. Says whether it has not ended.
pub(super) async fn renew(
    tx: &mut Connection,
    id: LinkId,
    agreed: ConsentId,
    access_until: Option<Timestamp>,
    (renewed_at, at): (Timestamp, Timestamp),
) -> Result<bool> {
    let Some(link) = LinkEnd::hold(tx, id, at).await? else {
        return Ok(false);
    };
    note_renewal(tx, id, renewed_at).await?;
    let used = query("UPDATE links SET used_at = $2 WHERE id = $1 AND used_at < $2");
    used.bind(id).bind(renewed_at).execute(&mut *tx).await?;
    // What was agreed to last holds.
    let last = query_as(
        "SELECT * FROM consents WHERE id = $1 OR id = $2 \
         ORDER BY agreed_at DESC, CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1",
    );
    let last: Consent = last.bind(agreed).bind(link.consent).fetch_one(&mut *tx).await?;
    let access_until = access_until.or(link.access_until);
    let changed = last.id != link.consent || access_until != link.access_until;
    if changed {
        link.replace(tx, &last, access_until).await?;
    }
    if !move_link(tx, id, LinkState::Active, &[], at).await? && changed {
        link_updated(tx, id, LinkState::Active, at).await?;
    }
    Ok(true)
}

/// Writes that somebody has logged in to a link again then. That need not be who dials here: it is no use of the link.
pub(super) async fn note_renewal(tx: &mut Connection, id: LinkId, renewed_at: Timestamp) -> Result<()> {
    let noting = query("UPDATE links SET renewed_at = $2 WHERE id = $1 AND (renewed_at IS NULL OR renewed_at < $2)");
    noting.bind(id).bind(renewed_at).execute(tx).await?;
    Ok(())
}

/// Until when a link in use may be read, and why.
#[derive(FromRow)]
struct LinkEnd {
    id: LinkId,
    partner: PartnerId,
    consent: ConsentId,
    state: LinkState,
    until: Timestamp,
    access_until: Option<Timestamp>,
}

impl LinkEnd {
    /// Those of a link that is in use at this moment. Nobody else moves it or puts another consent in its place until this
    /// transaction is over.
    async fn hold(tx: &mut Connection, id: LinkId, at: Timestamp) -> Result<Option<Self>> {
        let terms = query_as(
            "UPDATE links SET moved_at = moved_at WHERE id = $1 AND until > $2 AND state IN ('active', 'reauth_required') \
             RETURNING id, partner, consent, state, until, access_until",
        );
        Ok(terms.bind(id).bind(at).fetch_optional(tx).await?)
    }

    /// Puts this consent in the place of the present one, or this end of the provider's access. Says until when the link may
    /// be read now.
    async fn replace(
        &self,
        tx: &mut Connection,
        consent: &Consent,
        access_until: Option<Timestamp>,
    ) -> Result<Timestamp> {
        let until = consent.access_until(access_until);
        let notice_from = consent::notice_from(consent.agreed_at, until);
        query(
            "UPDATE links SET consent = $2, until = $3, notice_from = $4, access_until = $5, \
             told_at = CASE WHEN until = $3 THEN told_at END WHERE id = $1",
        )
        .bind(self.id)
        .bind(consent.id)
        .bind(until)
        .bind(notice_from)
        .bind(access_until)
        .execute(&mut *tx)
        .await?;
        if consent.id != self.consent {
            let over = query("UPDATE consents SET over_at = $2 WHERE id = $1");
            over.bind(self.consent)
                .bind(consent.agreed_at)
                .execute(&mut *tx)
                .await?;
        }
        add_jobs(tx, &ending_jobs(self.partner, self.id, notice_from, until)).await?;
        Ok(until)
    }
}

async fn add_sms(tx: &mut Connection, sms: Option<&QueuedSms>) -> Result<()> {
    if let Some((message, job)) = sms
        && add_message(tx, message).await?
    {
        add_job(tx, job).await?;
    }
    Ok(())
}

/// What tells of the end of a link that is in use from now on, and ends it.
pub(super) fn ending_jobs_of(link: &Link) -> [Job; 2] {
    ending_jobs(link.partner, link.id, link.notice_from, link.until)
}

/// One pair for each end that a link ever has: those of an end that is not the link's any more find nothing to do.
fn ending_jobs(partner: PartnerId, link: LinkId, notice_from: Timestamp, until: Timestamp) -> [Job; 2] {
    [
        AnnounceEnd::job(partner, link, notice_from).on_occasion(until.as_millis()),
        ExpireLink::job(partner, link, until).on_occasion(until.as_millis()),
    ]
}
