//! Events and how far they have come.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::endpoints::endpoint_of;
use super::{Backend, Connection, Row, add_job_in, fixed, sized, within};
use crate::core::access::TenantScope;
use crate::core::events::EventKind;
use crate::core::ids::{DeliveryId, EndpointId, EntityId, EventId, JobId, PartnerId, UserId, WebhookSecretId};
use crate::core::time::Timestamp;
use crate::records::words::{Word, unknown};
use crate::records::{
    AuditEntry, Delivery, DeliveryResult, DeliveryState, EndpointChange, EventFilter, EventRecords, Job, JobKind,
    OutgoingDelivery, PartnerEvent, RecordsError, Result, TimeRange, WebhookEndpoint, WebhookSecret, WriteOutcome, sql,
};

/// Where the first page begins, and the last one of those read upwards ends.
const FIRST_ID: [u8; 16] = [0; 16];
const LAST_ID: [u8; 16] = [0xff; 16];

#[async_trait]
impl EventRecords for Backend {
    async fn event(&self, reach: &TenantScope, id: EventId) -> Result<Option<PartnerEvent>> {
        within(async {
            let mut connection = self.readers.acquire().await?;
            reached_event(&mut connection, reach, id).await
        })
        .await
    }

    async fn events(
        &self,
        reach: &TenantScope,
        filter: &EventFilter,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>> {
        within(async {
            let (at, id) = after.map_or((i64::MAX, LAST_ID), |(at, id)| (at.as_millis(), *id.as_bytes()));
            let (partner, entity, own) = bound(reach);
            let rows = sqlx::query(sql::events::EVENTS)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(filter.kind.map(EventKind::as_str))
                .bind(filter.subject.as_ref().map(|subject| &subject[..]))
                .bind(at)
                .bind(&id[..])
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(event_of).collect()
        })
        .await
    }

    async fn events_within(
        &self,
        reach: &TenantScope,
        span: TimeRange,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>> {
        within(async {
            let (at, id) = after.map_or((i64::MIN, FIRST_ID), |(at, id)| (at.as_millis(), *id.as_bytes()));
            let (partner, entity, own) = bound(reach);
            let rows = sqlx::query(sql::events::EVENTS_WITHIN)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(span.from.as_millis())
                .bind(span.to.as_millis())
                .bind(at)
                .bind(&id[..])
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(event_of).collect()
        })
        .await
    }

    async fn deliveries(&self, reach: &TenantScope, event: EventId) -> Result<Vec<Delivery>> {
        within(async {
            let (partner, entity, own) = bound(reach);
            let rows = sqlx::query(sql::events::DELIVERIES)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(&event.as_bytes()[..])
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(delivery_of).collect()
        })
        .await
    }

    async fn replay(
        &self,
        reach: &TenantScope,
        event: EventId,
        to: Option<EndpointId>,
        deed: &AuditEntry,
    ) -> Result<Vec<EndpointId>> {
        within(async {
            let mut transaction = self.write().await?;
            let Some(event) = reached_event(&mut transaction, reach, event).await? else {
                return Ok(Vec::new());
            };
            let chosen =
                |endpoint: &WebhookEndpoint| to.map_or_else(|| wants(endpoint, event.kind), |to| endpoint.id == to);
            let mut endpoints = listening(&mut transaction, &event).await?;
            endpoints.retain(chosen);
            for endpoint in &endpoints {
                deliver_again(&mut transaction, &event, endpoint.id, deed.at).await?;
            }
            if !endpoints.is_empty() {
                note(&mut transaction, deed).await?;
            }
            transaction.commit().await?;
            Ok(endpoints.into_iter().map(|endpoint| endpoint.id).collect())
        })
        .await
    }

    async fn add_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        secret: &WebhookSecret,
        most: u32,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<WebhookEndpoint>> {
        self.insert_endpoint(endpoint, secret, most, deed).await
    }

    async fn endpoint(&self, reach: &TenantScope, id: EndpointId) -> Result<Option<WebhookEndpoint>> {
        self.reached_endpoint(reach, id).await
    }

    async fn endpoints(
        &self,
        reach: &TenantScope,
        after: Option<(Timestamp, EndpointId)>,
        limit: u32,
    ) -> Result<Vec<WebhookEndpoint>> {
        let (at, id) = after.map_or((i64::MAX, LAST_ID), |(at, id)| (at.as_millis(), *id.as_bytes()));
        self.reached_endpoints(reach, (at, id), limit).await
    }

    async fn change_endpoint(
        &self,
        reach: &TenantScope,
        id: EndpointId,
        change: &EndpointChange,
        deed: &AuditEntry,
    ) -> Result<Option<WebhookEndpoint>> {
        self.update_endpoint(reach, id, change, deed).await
    }

    async fn rotate_secret(
        &self,
        reach: &TenantScope,
        secret: &WebhookSecret,
        until: Timestamp,
        deed: &AuditEntry,
    ) -> Result<Option<Timestamp>> {
        self.replace_secret(reach, secret, until, deed).await
    }

    async fn publish(&self, event: EventId, at: Timestamp) -> Result<u64> {
        within(async {
            let mut transaction = self.write().await?;
            let Some(event) = event_to_send(&mut transaction, event).await? else {
                return Ok(0);
            };
            let mut endpoints = listening(&mut transaction, &event).await?;
            endpoints.retain(|endpoint| wants(endpoint, event.kind));
            let mut count = 0;
            for endpoint in &endpoints {
                let id = delivery_id(&event, endpoint.id);
                sqlx::query(sql::events::ADD_DELIVERY)
                    .bind(&id.as_bytes()[..])
                    .bind(&event.partner.as_bytes()[..])
                    .bind(&event.id.as_bytes()[..])
                    .bind(&endpoint.id.as_bytes()[..])
                    .bind(at.as_millis())
                    .execute(&mut *transaction)
                    .await?;
                add_job_in(&mut transaction, endpoint.id, &deliver(&event, id, 0, at)).await?;
                count += 1;
            }
            transaction.commit().await?;
            Ok(count)
        })
        .await
    }

    async fn outgoing_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<OutgoingDelivery>> {
        within(async {
            let mut connection = self.readers.acquire().await?;
            let row = sqlx::query(sql::events::DELIVERY)
                .bind(&id.as_bytes()[..])
                .fetch_optional(&mut *connection)
                .await?;
            let Some(delivery) = row.as_ref().map(delivery_of).transpose()? else {
                return Ok(None);
            };
            let Some(event) = event_to_send(&mut connection, delivery.event).await? else {
                return Ok(None);
            };
            let endpoint = sqlx::query(sql::events::ENDPOINT_TO_CALL)
                .bind(&delivery.endpoint.as_bytes()[..])
                .fetch_one(&mut *connection)
                .await?;
            let secrets = sqlx::query(sql::events::SECRETS)
                .bind(&delivery.endpoint.as_bytes()[..])
                .bind(now.as_millis())
                .fetch_all(&mut *connection)
                .await?;
            Ok(Some(OutgoingDelivery {
                delivery,
                event,
                endpoint: endpoint_of(&endpoint)?,
                secrets: secrets.iter().map(secret_of).collect::<Result<_>>()?,
            }))
        })
        .await
    }

    async fn record_delivery_result(&self, id: DeliveryId, tried: &DeliveryResult, at: Timestamp) -> Result<()> {
        within(async {
            sqlx::query(sql::events::TRIED)
                .bind(&id.as_bytes()[..])
                .bind(tried.state.word())
                .bind(i64::from(tried.tries))
                .bind(tried.status.map(i64::from))
                .bind(tried.reason)
                .bind(tried.due_at.map(Timestamp::as_millis))
                .bind(at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn disable_endpoint(
        &self,
        id: EndpointId,
        reason: &'static str,
        silent_since: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool> {
        self.stop_endpoint(id, reason, silent_since, at).await
    }
}

/// A reach as it is bound: partner, entity, user.
pub(super) fn bound(reach: &TenantScope) -> (&[u8], Option<&[u8]>, Option<&[u8]>) {
    (
        reach.partner.as_bytes(),
        reach.entity.as_ref().map(|entity| &entity.as_bytes()[..]),
        reach.own.as_ref().map(|user| &user.as_bytes()[..]),
    )
}

async fn reached_event(connection: &mut Connection, reach: &TenantScope, id: EventId) -> Result<Option<PartnerEvent>> {
    let (partner, entity, own) = bound(reach);
    let row = sqlx::query(sql::events::EVENT)
        .bind(partner)
        .bind(entity)
        .bind(own)
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(event_of).transpose()
}

async fn event_to_send(connection: &mut Connection, id: EventId) -> Result<Option<PartnerEvent>> {
    let row = sqlx::query(sql::events::EVENT_TO_SEND)
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(event_of).transpose()
}

/// The enabled endpoints that may be told of an event.
async fn listening(connection: &mut Connection, event: &PartnerEvent) -> Result<Vec<WebhookEndpoint>> {
    let rows = sqlx::query(sql::events::LISTENING)
        .bind(&event.partner.as_bytes()[..])
        .bind(event.entity.as_ref().map(|entity| &entity.as_bytes()[..]))
        .fetch_all(connection)
        .await?;
    rows.iter().map(endpoint_of).collect()
}

fn wants(endpoint: &WebhookEndpoint, kind: EventKind) -> bool {
    endpoint.kinds.is_empty() || endpoint.kinds.contains(&kind)
}

async fn deliver_again(
    connection: &mut Connection,
    event: &PartnerEvent,
    endpoint: EndpointId,
    at: Timestamp,
) -> Result<()> {
    let id = delivery_id(event, endpoint);
    let round: i64 = sqlx::query_scalar(sql::events::REPLAY)
        .bind(&id.as_bytes()[..])
        .bind(&event.partner.as_bytes()[..])
        .bind(&event.id.as_bytes()[..])
        .bind(&endpoint.as_bytes()[..])
        .bind(at.as_millis())
        .fetch_one(&mut *connection)
        .await?;
    let job = deliver(event, id, round, at);
    add_job_in(connection, endpoint, &job).await?;
    sqlx::query(sql::events::HASTEN)
        .bind(&job.key)
        .bind(at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// One delivery for each event and endpoint, whoever writes it.
fn delivery_id(event: &PartnerEvent, endpoint: EndpointId) -> DeliveryId {
    DeliveryId::from_fact(&format!("delivery {} {endpoint}", event.id))
}

fn deliver(event: &PartnerEvent, id: DeliveryId, round: i64, at: Timestamp) -> Job {
    let key = format!("deliver:{id}:{round}");
    Job {
        id: JobId::from_fact(&key),
        partner: event.partner,
        kind: JobKind::Deliver(id),
        due_at: at,
        tries: 0,
        key,
    }
}

fn event_of(row: &Row) -> Result<PartnerEvent> {
    let kind: &str = row.try_get("kind")?;
    Ok(PartnerEvent {
        id: EventId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        entity: optional(row, "entity")?.map(EntityId::from_bytes),
        created_by: optional(row, "created_by")?.map(UserId::from_bytes),
        kind: EventKind::parse(kind).ok_or_else(|| unknown("EventKind"))?,
        subject: fixed(row, "subject")?,
        sequence: unsigned(row.try_get("seq")?, "seq")?,
        data: row.try_get("data")?,
        at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

fn delivery_of(row: &Row) -> Result<Delivery> {
    let status: Option<i64> = row.try_get("status")?;
    let due: Option<i64> = row.try_get("due_at")?;
    Ok(Delivery {
        id: DeliveryId::from_bytes(fixed(row, "id")?),
        event: EventId::from_bytes(fixed(row, "event")?),
        endpoint: EndpointId::from_bytes(fixed(row, "endpoint")?),
        state: DeliveryState::read(row.try_get("state")?)?,
        tries: unsigned(row.try_get("tries")?, "tries")?,
        status: status.map(|status| unsigned(status, "status")).transpose()?,
        reason: row.try_get("reason")?,
        due_at: due.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}

fn secret_of(row: &Row) -> Result<WebhookSecret> {
    Ok(WebhookSecret {
        id: WebhookSecretId::from_bytes(fixed(row, "id")?),
        endpoint: EndpointId::from_bytes(fixed(row, "endpoint")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        sealed: row.try_get("sealed")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// An id that may be missing.
pub(super) fn optional<const N: usize>(row: &Row, column: &str) -> Result<Option<[u8; N]>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|bytes| sized(&bytes, column)).transpose()
}

fn unsigned<T: TryFrom<i64>>(number: i64, column: &str) -> Result<T> {
    T::try_from(number).map_err(|_| RecordsError(format!("{column} out of range")))
}
