//! Events and how far they have come.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::audit::add_audit;
use super::jobs::add_job_in;
use super::rights::permissions_of;
use super::{Backend, Connection, in_scope, select_scoped};
use crate::core::access::{Action, Object, Permission, TenantScope};
use crate::core::events::EventKind;
use crate::core::ids::{DeliveryId, EndpointId, EventId};
use crate::core::page::PageCursor;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{
    AuditEntry, Deliver, Delivery, DeliveryResult, EventFilter, EventRecords, Job, JobType, OutgoingDelivery,
    PartnerEvent, Result, TimeRange, WebhookEndpoint,
};

const EVENT: &str = concat!("SELECT * FROM events WHERE ", in_scope!(), " AND id = $4");

#[async_trait]
impl EventRecords for Backend {
    async fn event(&self, scope: &TenantScope, id: EventId) -> Result<Option<PartnerEvent>> {
        self.fetch(select_scoped(EVENT, scope).bind(id)).await
    }

    async fn events(
        &self,
        scope: &TenantScope,
        filter: &EventFilter,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>> {
        let (at, id) = after.unwrap_or((PageCursor::START.at, EventId::from_bytes(PageCursor::START.id)));
        let statement = concat!(
            "SELECT * FROM events WHERE ",
            in_scope!(),
            " AND ($4 IS NULL OR kind = $4) AND ($5 IS NULL OR subject = $5) \
             AND (created_at < $6 OR (created_at = $6 AND id < $7)) ORDER BY created_at DESC, id DESC LIMIT $8"
        );
        let events = select_scoped(statement, scope)
            .bind(filter.kind)
            .bind(filter.subject.map(Bytes))
            .bind(at)
            .bind(id)
            .bind(i64::from(limit));
        self.fetch_all(events).await
    }

    async fn events_within(
        &self,
        scope: &TenantScope,
        range: TimeRange,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>> {
        let (at, id) = after.unwrap_or((Timestamp::from_millis(i64::MIN), EventId::from_bytes([0; 16])));
        let statement = concat!(
            "SELECT * FROM events WHERE ",
            in_scope!(),
            " AND created_at >= $4 AND created_at < $5 \
             AND (created_at > $6 OR (created_at = $6 AND id > $7)) ORDER BY created_at, id LIMIT $8"
        );
        let events = select_scoped(statement, scope).bind(range.from).bind(range.to);
        self.fetch_all(events.bind(at).bind(id).bind(i64::from(limit))).await
    }

    async fn deliveries(&self, scope: &TenantScope, event: EventId) -> Result<Vec<Delivery>> {
        let statement = concat!(
            "SELECT * FROM deliveries WHERE event = (SELECT id FROM events WHERE ",
            in_scope!(),
            " AND id = $4) ORDER BY created_at, id"
        );
        self.fetch_all(select_scoped(statement, scope).bind(event)).await
    }

    async fn replay(
        &self,
        scope: &TenantScope,
        event: EventId,
        to: Option<EndpointId>,
        audit: &AuditEntry,
    ) -> Result<Vec<EndpointId>> {
        self.transaction(async |tx| {
            let event = select_scoped(EVENT, scope).bind(event).fetch_optional(&mut *tx).await?;
            let Some(event) = event else {
                return Ok(Vec::new());
            };
            let mut endpoints = listening(tx, &event).await?;
            endpoints.retain(|endpoint| to.map_or_else(|| wants(endpoint, event.kind), |to| endpoint.id == to));
            for endpoint in &endpoints {
                deliver_again(tx, &event, endpoint.id, audit.at).await?;
            }
            if !endpoints.is_empty() {
                add_audit(tx, audit).await?;
            }
            Ok(endpoints.into_iter().map(|endpoint| endpoint.id).collect())
        })
        .await
    }

    async fn publish(&self, event: EventId, at: Timestamp) -> Result<u64> {
        self.transaction(async |tx| {
            let Some(event) = event_to_send(tx, event).await? else {
                return Ok(0);
            };
            let mut endpoints = listening(tx, &event).await?;
            endpoints.retain(|endpoint| wants(endpoint, event.kind));
            let mut count = 0;
            for endpoint in &endpoints {
                let id = delivery_id(&event, endpoint.id);
                query(
                    "INSERT INTO deliveries \
                     (id, partner, event, endpoint, state, round, tries, due_at, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, 'pending', 0, 0, $5, $5, $5) ON CONFLICT (event, endpoint) DO NOTHING",
                )
                .bind(id)
                .bind(event.partner)
                .bind(event.id)
                .bind(endpoint.id)
                .bind(at)
                .execute(&mut *tx)
                .await?;
                add_job_in(tx, endpoint.id, &delivery_job(&event, id, 0, at)).await?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }

    async fn outgoing_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<OutgoingDelivery>> {
        self.call(async {
            let mut connection = self.readers.acquire().await?;
            let delivery = query_as("SELECT * FROM deliveries WHERE id = $1").bind(id);
            let Some(delivery): Option<Delivery> = delivery.fetch_optional(&mut *connection).await? else {
                return Ok(None);
            };
            let Some(event) = event_to_send(&mut connection, delivery.event).await? else {
                return Ok(None);
            };
            let endpoint = query_as("SELECT * FROM webhook_endpoints WHERE id = $1").bind(delivery.endpoint);
            let endpoint: WebhookEndpoint = endpoint.fetch_one(&mut *connection).await?;
            let allowed = may_hear(&mut connection, &endpoint, &event).await?;
            let secrets = query_as(
                "SELECT * FROM webhook_secrets WHERE endpoint = $1 AND (until IS NULL OR until > $2) \
                 ORDER BY CASE WHEN until IS NULL THEN 0 ELSE 1 END, created_at DESC, id",
            );
            let secrets = secrets.bind(delivery.endpoint).bind(now);
            Ok(Some(OutgoingDelivery {
                delivery,
                event,
                endpoint,
                allowed,
                secrets: secrets.fetch_all(&mut *connection).await?,
            }))
        })
        .await
    }

    async fn record_delivery_result(&self, id: DeliveryId, result: &DeliveryResult, at: Timestamp) -> Result<()> {
        let recording = query(
            "UPDATE deliveries SET state = $2, tries = $3, status = $4, reason = $5, due_at = $6, updated_at = $7 \
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id)
        .bind(result.state)
        .bind(i64::from(result.tries))
        .bind(result.status.map(i64::from))
        .bind(result.reason)
        .bind(result.due_at)
        .bind(at);
        self.execute(recording).await.map(drop)
    }
}

async fn event_to_send(tx: &mut Connection, id: EventId) -> Result<Option<PartnerEvent>> {
    let event = query_as("SELECT * FROM events WHERE id = $1").bind(id);
    Ok(event.fetch_optional(tx).await?)
}

/// The enabled endpoints that may be told of an event: those of all the partner and of its entity, as far as their makers may
/// read it.
async fn listening(tx: &mut Connection, event: &PartnerEvent) -> Result<Vec<WebhookEndpoint>> {
    let endpoints = query_as(
        "SELECT * FROM webhook_endpoints WHERE partner = $1 AND state = 'enabled' \
         AND (entity IS NULL OR entity = $2) ORDER BY created_at, id",
    );
    let endpoints: Vec<WebhookEndpoint> = endpoints
        .bind(event.partner)
        .bind(event.entity)
        .fetch_all(&mut *tx)
        .await?;
    let mut allowed = Vec::new();
    for endpoint in endpoints {
        if may_hear(tx, &endpoint, event).await? {
            allowed.push(endpoint);
        }
    }
    Ok(allowed)
}

/// Whether an endpoint may be told of an event: what its maker may read of events at present. A user who is not there any
/// more reads nothing.
async fn may_hear(tx: &mut Connection, endpoint: &WebhookEndpoint, event: &PartnerEvent) -> Result<bool> {
    let Some(maker) = endpoint.created_by else {
        return Ok(true);
    };
    let permissions = permissions_of(tx, endpoint.partner, maker).await?.unwrap_or_default();
    Ok(match permissions.permission(Object::Event, Action::Read) {
        Permission::Allowed => true,
        Permission::AllowedForOwn => event.created_by == Some(maker),
        Permission::NotAllowed => false,
    })
}

fn wants(endpoint: &WebhookEndpoint, kind: EventKind) -> bool {
    endpoint.kinds.is_empty() || endpoint.kinds.contains(&kind)
}

async fn deliver_again(tx: &mut Connection, event: &PartnerEvent, endpoint: EndpointId, at: Timestamp) -> Result<()> {
    let id = delivery_id(event, endpoint);
    // What is on its way goes on in its round, only sooner; what has ended begins another.
    let round = query_scalar(
        "INSERT INTO deliveries (id, partner, event, endpoint, state, round, tries, due_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, 'pending', 0, 0, $5, $5, $5) ON CONFLICT (event, endpoint) DO UPDATE SET \
         round = CASE WHEN deliveries.state = 'pending' THEN deliveries.round ELSE deliveries.round + 1 END, \
         tries = CASE WHEN deliveries.state = 'pending' THEN deliveries.tries ELSE 0 END, \
         created_at = CASE WHEN deliveries.state = 'pending' THEN deliveries.created_at ELSE excluded.created_at END, \
         state = 'pending', due_at = excluded.due_at, updated_at = excluded.updated_at RETURNING round",
    )
    .bind(id)
    .bind(event.partner)
    .bind(event.id)
    .bind(endpoint)
    .bind(at)
    .fetch_one(&mut *tx)
    .await?;
    let job = delivery_job(event, id, round, at);
    add_job_in(tx, endpoint, &job).await?;
    let hastening = query("UPDATE jobs SET due_at = $2 WHERE key = $1 AND state = 'open' AND due_at > $2");
    hastening.bind(&job.key).bind(at).execute(tx).await?;
    Ok(())
}

/// One delivery for each event and endpoint, whichever node writes it.
fn delivery_id(event: &PartnerEvent, endpoint: EndpointId) -> DeliveryId {
    DeliveryId::from_fact(&format!("delivery {} {endpoint}", event.id))
}

fn delivery_job(event: &PartnerEvent, id: DeliveryId, round: i64, at: Timestamp) -> Job {
    Deliver::job(event.partner, id, at).on_occasion(round)
}
