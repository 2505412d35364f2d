//! What is asked of a person.

use async_trait::async_trait;
use sqlx::{Row as _, query};

use super::{Backend, Row};
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::ids::IntentId;
use crate::core::messages::Locale;
use crate::core::purpose::Purpose;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{OPEN_INTENTS_FOR_NUMBER, PendingRequests, RecordsError, RequestRecords, Result};

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

#[async_trait]
impl RequestRecords for Backend {
    async fn pending_requests(
        &self,
        tag: &SubscriberTag,
        code: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<PendingRequests> {
        self.call(async {
            let mut tx = self.snapshot().await?;
            let intents = query(open_intents!(
                "i.tag = $1 ORDER BY i.created_at DESC, i.id DESC LIMIT $3"
            ));
            let most = i64::from(OPEN_INTENTS_FOR_NUMBER);
            let intents = intents.bind(tag).bind(now).bind(most).fetch_all(&mut *tx).await?;
            let walk_ins = query(
                "SELECT p.id AS partner, p.name, p.contact, p.purpose, p.days FROM partners p \
                 WHERE p.walk_in AND EXISTS (SELECT 1 FROM provider_credentials c WHERE c.partner = p.id) \
                 ORDER BY p.name, p.id LIMIT 50",
            );
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
            let partners = query(
                "SELECT id AS partner, name FROM partners WHERE id IN \
                 (SELECT partner FROM links WHERE tag = $1 UNION SELECT partner FROM attempts WHERE tag = $1)",
            );
            let partners = partners.bind(tag).fetch_all(&mut *tx).await?;
            tx.commit().await?;
            let suggested = intents
                .iter()
                .chain(&by_code)
                .filter_map(|row| suggested(row).transpose());
            Ok(PendingRequests {
                requests,
                suggested: suggested.collect::<Result<_>>()?,
                by_code: by_code.as_ref().map(intent_terms).transpose()?,
                partners: partners.iter().map(partner_ref).collect::<Result<_>>()?,
            })
        })
        .await
    }
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
