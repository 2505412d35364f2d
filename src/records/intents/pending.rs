//! What is asked of a person.

use async_trait::async_trait;
use sqlx::{Pool, Row as _, query, query_as};

use super::attempts::read_history;
use super::settings::{SubscriberSettings, settings, settings_columns};
use super::{Backend, Connection, Db, Row, Select};
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::ids::{IntentId, PartnerId};
use crate::core::messages::Locale;
use crate::core::purpose::Purpose;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{
    OPEN_INTENTS_FOR_NUMBER, PendingRequests, RecordsError, RequestRecords, Result, SubscriberHistory,
};

/// Open intents with their partners' names.
macro_rules! open_intents {
    ($which:literal) => {
        concat!(
            "SELECT i.id, i.partner, p.name, p.contact, i.purpose, i.days, i.scope, i.institution, i.locale, i.many, \
             i.suggested, i.renews \
             FROM link_intents i JOIN partners p ON p.id = i.partner WHERE i.state = 'open' AND i.expires_at > $2 AND ",
            $which
        )
    };
}

/// The partners that take anyone who dials.
macro_rules! walk_ins {
    () => {
        "SELECT p.id AS partner, p.name, p.contact, p.purpose, p.days FROM partners p \
         WHERE p.walk_in AND EXISTS (SELECT 1 FROM provider_credentials c WHERE c.partner = p.id) \
         ORDER BY p.name, p.id LIMIT 50"
    };
}

#[async_trait]
impl RequestRecords for Backend {
    async fn dialed(
        &self,
        (partner, tag): (PartnerId, &SubscriberTag),
        code: Option<&[u8; 32]>,
        now: Timestamp,
        pin: bool,
    ) -> Result<(PendingRequests, SubscriberHistory)> {
        // Boxed, as it is large.
        let looking = Box::pin(async {
            if code.is_none()
                && let Some(stranger) = look_at_stranger(&self.readers, (partner, tag), now, pin).await?
            {
                return Ok(stranger);
            }
            let mut tx = self.snapshot().await?;
            let history = read_history(&mut tx, (partner, tag), now, pin).await?;
            let mut requests = read_requests(&mut tx, tag, code, now).await?;
            // They are wanted for their names in the history.
            if history != SubscriberHistory::default() {
                requests.partners = named(partners_of(tag).fetch_all(&mut *tx).await?);
            }
            tx.commit().await?;
            Ok((requests, history))
        });
        self.call(looking).await
    }

    async fn partners_of(&self, tag: &SubscriberTag) -> Result<Vec<PartnerRef>> {
        self.fetch_all(partners_of(tag)).await.map(named)
    }
}

/// The partners with which this person has ever had to do.
fn partners_of<'q>(tag: &SubscriberTag) -> Select<'q, (PartnerId, String)> {
    let partners = query_as(
        "SELECT id, name FROM partners WHERE id IN \
         (SELECT partner FROM links WHERE tag = $1 UNION SELECT partner FROM attempts WHERE tag = $1)",
    );
    partners.bind(*tag)
}

fn named(partners: Vec<(PartnerId, String)>) -> Vec<PartnerRef> {
    let named = partners.into_iter().map(|(id, name)| PartnerRef { id, name });
    named.collect()
}

/// What is asked of this person. Names no partners.
async fn read_requests(
    tx: &mut Connection,
    tag: &SubscriberTag,
    code: Option<&[u8; 32]>,
    now: Timestamp,
) -> Result<PendingRequests> {
    let intents = query(open_intents!(
        "i.tag = $1 ORDER BY i.created_at DESC, i.id DESC LIMIT $3"
    ));
    let most = i64::from(OPEN_INTENTS_FOR_NUMBER);
    let intents = intents.bind(tag).bind(now).bind(most).fetch_all(&mut *tx).await?;
    let walk_ins = query(walk_ins!());
    let walk_ins = walk_ins.fetch_all(&mut *tx).await?;
    let requests = intents
        .iter()
        .map(intent_terms)
        .chain(walk_ins.iter().map(walk_in_terms));
    let requests = requests.collect::<Result<Vec<_>>>()?;
    // One that is for somebody by their number has no code.
    let by_code = query(open_intents!("i.code_digest = $1 AND i.tag IS NULL"));
    let by_code = match code {
        Some(code) => by_code.bind(&code[..]).bind(now).fetch_optional(&mut *tx).await?,
        None => None,
    };
    let suggested = intents
        .iter()
        .chain(&by_code)
        .filter_map(|row| suggested(row).transpose());
    Ok(PendingRequests {
        requests,
        suggested: suggested.collect::<Result<_>>()?,
        by_code: by_code.as_ref().map(intent_terms).transpose()?,
        partners: Vec::new(),
    })
}

/// What there is to know of a person who has submitted nothing and of whom nothing is asked in particular; `None` of everybody
/// else. Most who dial have never been here, so this is one statement.
async fn look_at_stranger(
    readers: &Pool<Db>,
    (partner, tag): (PartnerId, &SubscriberTag),
    now: Timestamp,
    pin: bool,
) -> Result<Option<(PendingRequests, SubscriberHistory)>> {
    let look = query(concat!(
        "SELECT EXISTS (SELECT 1 FROM attempts WHERE tag = $2) OR \
         EXISTS (SELECT 1 FROM link_intents WHERE tag = $2 AND state = 'open' AND expires_at > $3) AS known, \
         w.partner, w.name, w.contact, w.purpose, w.days, ",
        settings_columns!(),
        " FROM ",
        settings!(),
        " LEFT JOIN (",
        walk_ins!(),
        ") w ON 1 = 1 ORDER BY w.name, w.partner"
    ));
    let rows = look.bind(partner).bind(tag).bind(now).fetch_all(readers).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    if first.try_get("known")? {
        return Ok(None);
    }
    let settings = SubscriberSettings::of(first)?;
    // Without a walk-in there is one row, with nothing but the settings.
    let listed = |row| -> Result<_> {
        let partner: Option<PartnerId> = Row::try_get(row, "partner")?;
        partner.map(|_| walk_in_terms(row)).transpose()
    };
    let requests = rows
        .iter()
        .filter_map(|row| listed(row).transpose())
        .collect::<Result<_>>()?;
    let history = SubscriberHistory {
        pin: settings.pin.filter(|_| pin),
        texts_stopped: settings.texts_stopped,
        language: settings.language,
        ..SubscriberHistory::default()
    };
    let requests = PendingRequests {
        requests,
        ..PendingRequests::default()
    };
    Ok(Some((requests, history)))
}

/// What is offered with an intent, if anything is.
fn suggested(row: &Row) -> Result<Option<(IntentId, Vec<u8>)>> {
    let sealed: Option<Vec<u8>> = row.try_get("suggested")?;
    let intent = row.try_get("id")?;
    Ok(sealed.map(|sealed| (intent, sealed)))
}

fn partner_ref(row: &Row) -> Result<PartnerRef> {
    Ok(PartnerRef {
        id: row.try_get("partner")?,
        name: row.try_get("name")?,
    })
}

fn walk_in_terms(row: &Row) -> Result<RequestTerms> {
    let days: i64 = row.try_get("days")?;
    let days = u16::try_from(days).map_err(|_| RecordsError::new("a number of days is out of range"))?;
    Ok(RequestTerms {
        contact: row.try_get("contact")?,
        ..RequestTerms::open_offer(partner_ref(row)?, row.try_get::<Purpose, _>("purpose")?, days)
    })
}

fn intent_terms(row: &Row) -> Result<RequestTerms> {
    let locale: Option<String> = row.try_get("locale")?;
    Ok(RequestTerms {
        scope: row.try_get("scope")?,
        intent: row.try_get("id")?,
        reusable: row.try_get("many")?,
        institution: row.try_get("institution")?,
        locale: locale.and_then(|tag| Locale::from_tag(&tag)),
        renews: row.try_get("renews")?,
        ..walk_in_terms(row)?
    })
}
