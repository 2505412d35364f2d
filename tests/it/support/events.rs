//! Endpoints, events and whose they are.

use kiungo::ambient::OsRng;
use kiungo::core::access::TenantScope;
use kiungo::core::ids::{EndpointId, EntityId, IntentId, PartnerId, UserId, WebhookSecretId};
use kiungo::core::seal::Keyring;
use kiungo::core::webhook::SigningSecret;
use kiungo::records::{
    Attempt, AttemptState, AuditEntry, EndpointState, EventFilter, PartnerEvent, Records, WebhookEndpoint,
    WebhookSecret, WriteOutcome,
};
use kiungo::service::webhooks::deliveries::secret_context;

use super::records::{Fixture, RecordedPerson, at, begin, unique_bytes};

/// All of a partner.
pub fn whole_partner(partner: PartnerId) -> TenantScope {
    TenantScope {
        partner,
        entity: None,
        own: None,
    }
}

/// An enabled endpoint of the partner's, for everything.
pub fn endpoint(partner: PartnerId) -> WebhookEndpoint {
    WebhookEndpoint {
        id: EndpointId::from_bytes(unique_bytes()),
        partner,
        entity: None,
        url: "https://hooks.example.com/in".to_owned(),
        kinds: Vec::new(),
        state: EndpointState::Enabled,
        reason: None,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// Writes an endpoint down, with the secret it begins with.
pub async fn register(db: &dyn Records, endpoint: &WebhookEndpoint, secret: &WebhookSecret) {
    let audit_entry = AuditEntry {
        partner: endpoint.partner,
        entity: endpoint.entity,
        tag: None,
        user: endpoint.created_by,
        kind: "webhook_endpoint.created",
        detail: endpoint.id.to_string(),
        at: endpoint.created_at,
    };
    let kept = db.add_endpoint(endpoint, secret, u32::MAX, &audit_entry).await.unwrap();
    // One that is written down as deleted is not there afterwards.
    let deleted = endpoint.state == EndpointState::Deleted;
    assert!(
        matches!(kept, WriteOutcome::Done(_)) || deleted && kept == WriteOutcome::NotFound,
        "{kept:?}"
    );
}

/// A secret's row; what is sealed in it is no secret at all.
pub fn secret(endpoint: &WebhookEndpoint, since: i64) -> WebhookSecret {
    WebhookSecret {
        id: WebhookSecretId::from_bytes(unique_bytes()),
        endpoint: endpoint.id,
        partner: endpoint.partner,
        sealed: vec![5, 5, 5],
        created_at: at(since),
    }
}

/// A secret's row under these keys, that opens.
pub fn sealed(keyring: &Keyring, endpoint: &WebhookEndpoint, secret: &SigningSecret) -> WebhookSecret {
    let mut row = self::secret(endpoint, 0);
    let place = secret_context(&row.partner, &row.id);
    row.sealed = keyring.seal(&place, secret.as_bytes(), &OsRng).unwrap();
    row
}

/// An entity of a partner's.
pub async fn entity(db: &Fixture, partner: PartnerId) -> EntityId {
    let id = EntityId::from_bytes(unique_bytes());
    let adding = "INSERT INTO entities (id, partner, name, created_at, updated_at) VALUES ($1, $2, 'Branch', 0, 0)";
    db.execute_with(adding, &[id.as_bytes(), partner.as_bytes()]).await;
    id
}

/// An intent that the partner made, in an entity, by a user.
pub async fn requested_intent(db: &Fixture, partner: PartnerId, entity: EntityId, user: UserId) -> IntentId {
    let id = IntentId::from_bytes(unique_bytes());
    let adding = "INSERT INTO intents (id, partner, created_at) VALUES ($1, $2, 0)";
    db.execute_with(adding, &[id.as_bytes(), partner.as_bytes()]).await;
    let adding = "INSERT INTO link_intents (id, partner, entity, created_by, state, purpose, days, scope, many, links, \
        created_at, moved_at, expires_at) VALUES ($1, $2, $3, $4, 'open', 'loans', 90, 'account', FALSE, 0, 0, 0, 0)";
    let ids: [&[u8]; 4] = [id.as_bytes(), partner.as_bytes(), entity.as_bytes(), user.as_bytes()];
    db.execute_with(adding, &ids).await;
    id
}

/// A login that answers this intent.
pub async fn attempt_for(db: &dyn Records, person: RecordedPerson, intent: IntentId, state: AttemptState) -> Attempt {
    let consent = kiungo::records::Consent {
        intent,
        ..person.consent()
    };
    let attempt = person.attempt(&consent);
    begin(db, &consent, &attempt).await;
    if state != AttemptState::Open {
        assert!(db.move_attempt(attempt.id, state, at(0)).await.unwrap());
    }
    Attempt { state, ..attempt }
}

/// All that a partner was told, oldest first.
pub async fn events_of(db: &dyn Records, partner: PartnerId) -> Vec<PartnerEvent> {
    let mut events = db
        .events(&whole_partner(partner), &EventFilter::default(), None, 1000)
        .await
        .unwrap();
    events.reverse();
    events
}

/// What a partner was told about something, in the order of the sequence.
pub async fn events_about(db: &dyn Records, partner: PartnerId, subject: &[u8; 16]) -> Vec<PartnerEvent> {
    let filter = EventFilter {
        kind: None,
        subject: Some(*subject),
    };
    let mut events = db.events(&whole_partner(partner), &filter, None, 1000).await.unwrap();
    events.sort_by_key(|event| event.sequence);
    events
}
