//! Who asks a person.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, Row, fixed, sized, within};
use crate::core::flow::requesters::RequestTerms;
use crate::core::flow::state::PartnerRef;
use crate::core::ids::{IntentId, LinkId, PartnerId};
use crate::core::messages::Locale;
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::sql::requests as sql;
use crate::records::words::unknown;
use crate::records::{PendingRequests, RecordsError, RequestRecords, Result};

#[async_trait]
impl RequestRecords for Backend {
    async fn pending_requests(
        &self,
        tag: &SubscriberTag,
        code: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<PendingRequests> {
        within(async {
            let mut transaction = self.snapshot().await?;
            let requests = sqlx::query(sql::OF_A_PERSON)
                .bind(&tag.as_bytes()[..])
                .bind(now.as_millis())
                .fetch_all(&mut *transaction)
                .await?;
            let walk_ins = sqlx::query(sql::WALK_INS).fetch_all(&mut *transaction).await?;
            let asks = requests.iter().map(request_of).chain(walk_ins.iter().map(walk_in_of));
            let asks = asks.collect::<Result<Vec<_>>>()?;
            let coded = match code {
                Some(code) => {
                    sqlx::query(sql::BY_CODE)
                        .bind(&code[..])
                        .bind(now.as_millis())
                        .fetch_optional(&mut *transaction)
                        .await?
                }
                None => None,
            };
            let businesses = sqlx::query(sql::BUSINESSES)
                .bind(&tag.as_bytes()[..])
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(PendingRequests {
                requests: asks,
                by_code: coded.as_ref().map(request_of).transpose()?,
                partners: businesses.iter().map(business_of).collect::<Result<_>>()?,
            })
        })
        .await
    }
}

fn business_of(row: &Row) -> Result<PartnerRef> {
    Ok(PartnerRef {
        id: PartnerId::from_bytes(fixed(row, "id")?),
        name: row.try_get("name")?,
    })
}

fn walk_in_of(row: &Row) -> Result<RequestTerms> {
    let partner = PartnerRef {
        id: PartnerId::from_bytes(fixed(row, "partner")?),
        name: row.try_get("name")?,
    };
    Ok(RequestTerms::open_offer(
        partner,
        row.try_get("purpose")?,
        days_of(row)?,
    ))
}

fn request_of(row: &Row) -> Result<RequestTerms> {
    let (scope, locale): (String, Option<String>) = (row.try_get("scope")?, row.try_get("locale")?);
    let (many, renews): (i64, Option<Vec<u8>>) = (row.try_get("many")?, row.try_get("renews")?);
    Ok(RequestTerms {
        scope: Scope::parse(&scope).ok_or_else(|| unknown("Data"))?,
        intent: Some(IntentId::from_bytes(fixed(row, "id")?)),
        reusable: many != 0,
        institution: row.try_get("institution")?,
        locale: locale.and_then(|tag| Locale::from_tag(&tag)),
        renews: renews
            .map(|link| sized(&link, "renews").map(LinkId::from_bytes))
            .transpose()?,
        ..walk_in_of(row)?
    })
}

fn days_of(row: &Row) -> Result<u16> {
    let days: i64 = row.try_get("days")?;
    u16::try_from(days).map_err(|_| RecordsError("a row holds a number of days that cannot be".to_owned()))
}
