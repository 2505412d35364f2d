//! Writes down what partners are to be told, in the transaction of the fact itself: what is told is so, and what is so is
//! told.

use serde::Serialize;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Connection, add_job, fixed};
use crate::core::events::EventKind;
use crate::core::ids::{AttemptId, ConnectSessionId, EventId, IntentId, JobId, LinkId, PartnerId};
use crate::core::time::Timestamp;
use crate::records::words::Word;
use crate::records::{AttemptState, IntentState, Job, JobKind, Link, LinkState, Result, sql};

/// Something that has just become so.
pub(super) struct Happening<'a> {
    pub(super) partner: PartnerId,
    pub(super) kind: EventKind,
    /// The id of the link, intent or connect session it is about: events are counted by it.
    pub(super) subject: [u8; 16],
    /// The intent it grew out of: whose entity and user the event belongs to.
    pub(super) intent: IntentId,
    /// The link to name, if one has to do with it.
    pub(super) link: Option<LinkId>,
    /// The connect session to name, if one has to do with it.
    pub(super) session: Option<ConnectSessionId>,
    /// The subject's state from now on.
    pub(super) state: &'a str,
    /// A stable word: why, where there is more than one reason.
    pub(super) reason: Option<&'a str>,
    /// The transition, where it can be asked for twice: the second time nothing is written. Without one, this is a
    /// transition each time.
    pub(super) key: Option<String>,
    pub(super) at: Timestamp,
}

/// What stands in an event's `data`.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    link_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_session_id: Option<Uuid>,
    /// `null` for somebody who dialled without having been asked.
    intent_id: Option<Uuid>,
    entity_id: Option<Uuid>,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    sequence: i64,
}

/// Writes an event and the job that sees to its delivery.
pub(super) async fn add_event(connection: &mut Connection, what: &Happening<'_>) -> Result<()> {
    let sequence: i64 = sqlx::query_scalar(sql::events::NEXT_SEQUENCE)
        .bind(&what.partner.as_bytes()[..])
        .bind(&what.subject[..])
        .fetch_one(&mut *connection)
        .await?;
    let kind = what.kind.as_str();
    let key = match &what.key {
        Some(key) => key.clone(),
        None => format!("{kind}:{}:{sequence}", Uuid::from_bytes(what.subject)),
    };
    let id = EventId::from_fact(&format!("event {key}"));
    let owner = owner_of(connection, what.partner, what.intent).await?;
    let entity = owner.as_ref().and_then(|owner| owner.entity.as_deref());
    let data = data_of(what, owner.is_some(), entity, sequence);
    let added = sqlx::query(sql::events::ADD_EVENT)
        .bind(&id.as_bytes()[..])
        .bind(&what.partner.as_bytes()[..])
        .bind(entity)
        .bind(owner.as_ref().and_then(|owner| owner.created_by.as_deref()))
        .bind(kind)
        .bind(&what.subject[..])
        .bind(sequence)
        .bind(data)
        .bind(what.at.as_millis())
        .bind(&key)
        .execute(&mut *connection)
        .await?;
    if added.rows_affected() == 0 {
        sqlx::query(sql::events::GIVE_BACK_SEQUENCE)
            .bind(&what.partner.as_bytes()[..])
            .bind(&what.subject[..])
            .execute(connection)
            .await?;
        return Ok(());
    }
    let key = format!("publish:{id}");
    let publish = Job {
        id: JobId::from_fact(&key),
        partner: what.partner,
        kind: JobKind::Publish(id),
        due_at: what.at,
        tries: 0,
        key,
    };
    add_job(connection, &publish).await
}

/// Whose a partner's own intent is.
struct Owner {
    entity: Option<Vec<u8>>,
    created_by: Option<Vec<u8>>,
}

async fn owner_of(connection: &mut Connection, partner: PartnerId, intent: IntentId) -> Result<Option<Owner>> {
    let row = sqlx::query(sql::events::OWNER_OF_INTENT)
        .bind(&intent.as_bytes()[..])
        .bind(&partner.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Owner {
            entity: row.try_get("entity")?,
            created_by: row.try_get("created_by")?,
        })
    })
    .transpose()
}

fn data_of(what: &Happening<'_>, asked_for: bool, entity: Option<&[u8]>, sequence: i64) -> String {
    let data = Data {
        link_id: what.link.map(|link| Uuid::from_bytes(*link.as_bytes())),
        connect_session_id: what.session.map(|session| Uuid::from_bytes(*session.as_bytes())),
        intent_id: asked_for.then(|| Uuid::from_bytes(*what.intent.as_bytes())),
        entity_id: entity.and_then(|entity| Uuid::from_slice(entity).ok()),
        state: what.state,
        reason: what.reason,
        sequence,
    };
    serde_json::to_string(&data).unwrap_or_default()
}

/// Tells of a new link.
pub(super) async fn link_created(connection: &mut Connection, link: &Link) -> Result<()> {
    // One that begins out of use was never there for the partner.
    if !link.in_use() {
        return Ok(());
    }
    let told = Told {
        kind: EventKind::LinkCreated,
        key: Some(format!("link.created:{}", link.id)),
    };
    about_link(connection, link.id, link.state, told, link.created_at).await
}

/// Tells of a link that has moved.
pub(super) async fn link_moved(connection: &mut Connection, id: LinkId, to: LinkState, at: Timestamp) -> Result<()> {
    let (kind, key) = match to {
        // Before it is in use it is nothing to the partner.
        LinkState::Verifying => return Ok(()),
        LinkState::Active => (EventKind::LinkUpdated, None),
        LinkState::ReauthRequired => (EventKind::LinkReauthRequired, None),
        // Out of use is out of use: that the provider has been told by now is nothing new.
        LinkState::Removing | LinkState::Removed => (EventKind::LinkRemoved, Some(format!("link.removed:{id}"))),
    };
    about_link(connection, id, to, Told { kind, key }, at).await
}

struct Told {
    kind: EventKind,
    key: Option<String>,
}

async fn about_link(
    connection: &mut Connection,
    id: LinkId,
    state: LinkState,
    told: Told,
    at: Timestamp,
) -> Result<()> {
    let row = sqlx::query(sql::events::INTENT_OF_LINK)
        .bind(&id.as_bytes()[..])
        .fetch_one(&mut *connection)
        .await?;
    let happening = Happening {
        partner: PartnerId::from_bytes(fixed(&row, "partner")?),
        kind: told.kind,
        subject: *id.as_bytes(),
        intent: IntentId::from_bytes(fixed(&row, "intent")?),
        link: Some(id),
        session: None,
        state: state.word(),
        reason: None,
        key: told.key,
        at,
    };
    add_event(connection, &happening).await
}

/// Tells of a request that is over, and of the link that has to do with that; one that is open is nothing to tell of.
pub(super) async fn intent_over(
    connection: &mut Connection,
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
    let happening = Happening {
        partner,
        kind,
        subject: *id.as_bytes(),
        intent: id,
        link,
        session: None,
        state: state.word(),
        reason: None,
        // It ends so once.
        key: Some(format!("{}:{id}", kind.as_str())),
        at,
    };
    add_event(connection, &happening).await
}

/// Why an attempt in this state ends its connect session for the partner; `None` where it does not. The person may be asked
/// for another code, or log in again: that is a new attempt, and another end.
pub(super) fn final_no(state: AttemptState) -> Option<&'static str> {
    match state {
        AttemptState::Refused => Some("refused"),
        AttemptState::Lapsed => Some("unconfirmed"),
        AttemptState::Undone => Some("undone"),
        _ => None,
    }
}

/// Tells of an attempt that came to nothing: once, however often it is moved from one end to another.
pub(super) async fn attempt_failed(
    connection: &mut Connection,
    id: AttemptId,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let row = sqlx::query(sql::events::INTENT_OF_ATTEMPT)
        .bind(&id.as_bytes()[..])
        .fetch_one(&mut *connection)
        .await?;
    let session = ConnectSessionId::from_bytes(fixed(&row, "session")?);
    let happening = Happening {
        partner: PartnerId::from_bytes(fixed(&row, "partner")?),
        kind: EventKind::ConnectSessionFailed,
        subject: *session.as_bytes(),
        intent: IntentId::from_bytes(fixed(&row, "intent")?),
        link: None,
        session: Some(session),
        state: "failed",
        reason: Some(reason),
        key: Some(format!("connect_session.failed:{id}")),
        at,
    };
    add_event(connection, &happening).await
}
