//! Writes partner events to the outbox, in the transaction of the fact itself: what is told is so, and what is so is told.

use serde::Serialize;
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::Connection;
use super::jobs::add_job;
use crate::core::events::EventKind;
use crate::core::ids::{AttemptId, ConnectSessionId, EntityId, EventId, IntentId, LinkId, PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{AttemptState, IntentState, JobType, Link, LinkState, Publish, Result};

/// Something that has just become so.
struct OutboxEvent<'a> {
    partner: PartnerId,
    kind: EventKind,
    /// The id of the link, intent or connect session it is about: events are counted by it.
    subject: [u8; 16],
    /// The intent it grew out of: whose entity and user the event belongs to.
    intent: IntentId,
    /// The link to name, if one has to do with it.
    link: Option<LinkId>,
    /// When the consent to that link ends, where the link is what this is about.
    until: Option<Timestamp>,
    /// The connect session to name, if one has to do with it.
    session: Option<ConnectSessionId>,
    /// The subject's state from now on.
    state: &'a str,
    /// A stable word: why, where there is more than one reason.
    reason: Option<&'a str>,
    /// The transition, where it can be asked for twice: the second time nothing is written. Without one, this is a
    /// transition each time.
    key: Option<String>,
    at: Timestamp,
}

/// What stands in an event's `data`.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    link_id: Option<LinkId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_session_id: Option<ConnectSessionId>,
    /// `null` for somebody who dialled without having been asked.
    intent_id: Option<IntentId>,
    entity_id: Option<EntityId>,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    sequence: i64,
}

/// Writes an event and the job that sees to its delivery.
async fn add_event(tx: &mut Connection, event: &OutboxEvent<'_>) -> Result<()> {
    // Anyone who has drawn a number holds the row, so that the next waits until this event is written.
    let drawing = query_scalar(
        "INSERT INTO event_subjects (partner, subject, seq) VALUES ($1, $2, 1) \
         ON CONFLICT (partner, subject) DO UPDATE SET seq = event_subjects.seq + 1 RETURNING seq",
    );
    let drawing = drawing.bind(event.partner).bind(Bytes(event.subject));
    let sequence: i64 = drawing.fetch_one(&mut *tx).await?;
    let key = event
        .key
        .clone()
        .unwrap_or_else(|| format!("{}:{}:{sequence}", event.kind.as_str(), Uuid::from_bytes(event.subject)));
    let id = EventId::from_fact(&format!("event {key}"));
    if !insert(tx, event, id, &key, sequence).await? {
        let giving_back = query("UPDATE event_subjects SET seq = seq - 1 WHERE partner = $1 AND subject = $2");
        giving_back
            .bind(event.partner)
            .bind(Bytes(event.subject))
            .execute(tx)
            .await?;
        return Ok(());
    }
    let publish = Publish::job(event.partner, id, event.at);
    add_job(tx, &publish).await
}

/// Adds the event; says whether it is new.
async fn insert(tx: &mut Connection, event: &OutboxEvent<'_>, id: EventId, key: &str, sequence: i64) -> Result<bool> {
    // Whose a partner's own intent is; a walk-in's has no such row.
    let owner = query_as("SELECT entity, created_by FROM link_intents WHERE id = $1 AND partner = $2");
    let owner = owner.bind(event.intent).bind(event.partner);
    let owner: Option<(Option<EntityId>, Option<UserId>)> = owner.fetch_optional(&mut *tx).await?;
    let (entity, created_by) = owner.unwrap_or_default();
    let data = Data {
        link_id: event.link,
        connect_session_id: event.session,
        intent_id: owner.map(|_| event.intent),
        entity_id: entity,
        state: event.state,
        reason: event.reason,
        until: event.until.map(Timestamp::to_rfc3339),
        sequence,
    };
    let added = query(
        "INSERT INTO events (id, partner, entity, created_by, kind, subject, seq, data, created_at, key) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO NOTHING",
    )
    .bind(id)
    .bind(event.partner)
    .bind(entity)
    .bind(created_by)
    .bind(event.kind)
    .bind(Bytes(event.subject))
    .bind(sequence)
    .bind(serde_json::to_string(&data).unwrap_or_default())
    .bind(event.at)
    .bind(key)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Tells of a new link.
pub(super) async fn link_created(tx: &mut Connection, link: &Link) -> Result<()> {
    // One that begins out of use was never there for the partner.
    if !link.in_use() {
        return Ok(());
    }
    let key = Some(format!("link.created:{}", link.id));
    about_link(tx, link.id, link.state, (EventKind::LinkCreated, key), link.created_at).await
}

/// Tells of a link that has moved.
pub(super) async fn link_moved(tx: &mut Connection, id: LinkId, to: LinkState, at: Timestamp) -> Result<()> {
    let told = match to {
        // Before it is in use it is nothing to the partner.
        LinkState::Verifying => return Ok(()),
        LinkState::Active => (EventKind::LinkUpdated, None),
        LinkState::ReauthRequired => (EventKind::LinkReauthRequired, None),
        // Out of use is out of use: that the provider has been told by now is nothing new.
        LinkState::Removing | LinkState::Removed => (EventKind::LinkRemoved, Some(format!("link.removed:{id}"))),
        LinkState::Expired => (EventKind::LinkExpired, Some(format!("link.expired:{id}"))),
    };
    about_link(tx, id, to, told, at).await
}

/// Tells of a link on new terms.
pub(super) async fn link_updated(tx: &mut Connection, id: LinkId, state: LinkState, at: Timestamp) -> Result<()> {
    about_link(tx, id, state, (EventKind::LinkUpdated, None), at).await
}

/// Tells that a link ends soon.
pub(super) async fn link_expiring(tx: &mut Connection, id: LinkId, state: LinkState, at: Timestamp) -> Result<()> {
    about_link(tx, id, state, (EventKind::LinkExpiring, None), at).await
}

async fn about_link(
    tx: &mut Connection,
    id: LinkId,
    state: LinkState,
    (kind, key): (EventKind, Option<String>),
    at: Timestamp,
) -> Result<()> {
    let link = query_as(
        "SELECT l.partner, c.intent, l.until FROM links l JOIN consents c ON c.id = l.consent WHERE l.id = $1",
    );
    let (partner, intent, until) = link.bind(id).fetch_one(&mut *tx).await?;
    let event = OutboxEvent {
        partner,
        kind,
        subject: *id.as_bytes(),
        intent,
        link: Some(id),
        until: Some(until),
        session: None,
        state: state.as_str(),
        reason: None,
        key,
        at,
    };
    add_event(tx, &event).await
}

/// Tells of an intent that is over, and of the link that has to do with that; one that is open is nothing to tell of.
pub(super) async fn intent_over(
    tx: &mut Connection,
    (partner, id): (PartnerId, IntentId),
    state: IntentState,
    link: Option<LinkId>,
    at: Timestamp,
) -> Result<()> {
    let kind = match state {
        IntentState::Open => return Ok(()),
        IntentState::Completed => EventKind::IntentCompleted,
        IntentState::Cancelled => EventKind::IntentCancelled,
        IntentState::Expired => EventKind::IntentExpired,
        IntentState::Mismatched => EventKind::IntentMismatched,
    };
    let event = OutboxEvent {
        partner,
        kind,
        subject: *id.as_bytes(),
        intent: id,
        link,
        until: None,
        session: None,
        state: state.as_str(),
        reason: None,
        // It ends so once.
        key: Some(format!("{}:{id}", kind.as_str())),
        at,
    };
    add_event(tx, &event).await
}

/// Why an attempt in this state ends its connect session for the partner; `None` where it does not. The person may be asked
/// for another code, or log in again: that is a new attempt, and another end.
pub(super) fn final_no(state: AttemptState) -> Option<&'static str> {
    match state {
        AttemptState::Refused => Some("refused"),
        AttemptState::Lapsed => Some("unconfirmed"),
        AttemptState::Undone => Some("undone"),
        AttemptState::OtherAccount => Some("other_account"),
        _ => None,
    }
}

/// Tells of an attempt that came to nothing: once, however often it is moved from one end to another.
pub(super) async fn attempt_failed(tx: &mut Connection, id: AttemptId, reason: &str, at: Timestamp) -> Result<()> {
    let attempt = query_as(
        "SELECT a.partner, a.session, c.intent FROM attempts a JOIN consents c ON c.id = a.consent WHERE a.id = $1",
    );
    let attempt: (PartnerId, ConnectSessionId, IntentId) = attempt.bind(id).fetch_one(&mut *tx).await?;
    let (partner, session, intent) = attempt;
    let event = OutboxEvent {
        partner,
        kind: EventKind::ConnectSessionFailed,
        subject: *session.as_bytes(),
        intent,
        link: None,
        until: None,
        session: Some(session),
        state: "failed",
        reason: Some(reason),
        key: Some(format!("connect_session.failed:{id}")),
        at,
    };
    add_event(tx, &event).await
}
