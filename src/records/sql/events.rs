//! Statements about events, endpoints and deliveries, in the SQL that every backend shares.
//!
//! Where a statement is about what a caller may reach, `$1` is the partner, `$2` the entity if one was chosen, `$3` the user
//! if they reach only what they created.

macro_rules! event_columns {
    () => {
        "id, partner, entity, created_by, kind, subject, seq, data, created_at"
    };
}

macro_rules! endpoint_columns {
    () => {
        "id, partner, entity, url, kinds, state, reason, created_by, created_at, updated_at"
    };
}

macro_rules! delivery_columns {
    () => {
        "id, event, endpoint, state, tries, status, reason, due_at, created_at, updated_at"
    };
}

macro_rules! within_reach {
    () => {
        "partner = $1 AND ($2 IS NULL OR entity = $2) AND ($3 IS NULL OR created_by = $3)"
    };
}

/// The next number of a subject. Whoever has drawn one holds the row, so that the next waits until this event is written.
pub(in crate::records) const NEXT_SEQUENCE: &str = "INSERT INTO event_subjects (partner, subject, seq) \
     VALUES ($1, $2, 1) ON CONFLICT (partner, subject) DO UPDATE SET seq = event_subjects.seq + 1 RETURNING seq";

/// Gives back a number that no event was written with.
pub(in crate::records) const GIVE_BACK_SEQUENCE: &str =
    "UPDATE event_subjects SET seq = seq - 1 WHERE partner = $1 AND subject = $2";

pub(in crate::records) const ADD_EVENT: &str = "INSERT INTO events \
     (id, partner, entity, created_by, kind, subject, seq, data, created_at, key) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO NOTHING";

pub(in crate::records) const INTENT_OF_LINK: &str =
    "SELECT l.partner, c.intent FROM links l JOIN consents c ON c.id = l.consent WHERE l.id = $1";

pub(in crate::records) const INTENT_OF_ATTEMPT: &str =
    "SELECT a.partner, a.session, c.intent FROM attempts a JOIN consents c ON c.id = a.consent WHERE a.id = $1";

/// Whose a partner's own intent is; a walk-in's has no such row.
pub(in crate::records) const OWNER_OF_INTENT: &str =
    "SELECT entity, created_by FROM link_intents WHERE id = $1 AND partner = $2";

pub(in crate::records) const EVENT: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE ",
    within_reach!(),
    " AND id = $4"
);

pub(in crate::records) const EVENT_TO_SEND: &str = concat!("SELECT ", event_columns!(), " FROM events WHERE id = $1");

pub(in crate::records) const EVENTS: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE ",
    within_reach!(),
    " AND ($4 IS NULL OR kind = $4) AND ($5 IS NULL OR subject = $5) \
     AND (created_at < $6 OR (created_at = $6 AND id < $7)) ORDER BY created_at DESC, id DESC LIMIT $8"
);

pub(in crate::records) const EVENTS_WITHIN: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE ",
    within_reach!(),
    " AND created_at >= $4 AND created_at < $5 \
     AND (created_at > $6 OR (created_at = $6 AND id > $7)) ORDER BY created_at, id LIMIT $8"
);

pub(in crate::records) const DELIVERIES: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE event = (SELECT id FROM events WHERE ",
    within_reach!(),
    " AND id = $4) ORDER BY created_at, id"
);

pub(in crate::records) const DELIVERY: &str = concat!("SELECT ", delivery_columns!(), " FROM deliveries WHERE id = $1");

pub(in crate::records) const ADD_DELIVERY: &str = "INSERT INTO deliveries \
     (id, partner, event, endpoint, state, round, tries, due_at, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, 'pending', 0, 0, $5, $5, $5) ON CONFLICT (event, endpoint) DO NOTHING";

/// What is on its way goes on in its round, only sooner; what has ended begins another.
pub(in crate::records) const REPLAY: &str = "INSERT INTO deliveries \
     (id, partner, event, endpoint, state, round, tries, due_at, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, 'pending', 0, 0, $5, $5, $5) ON CONFLICT (event, endpoint) DO UPDATE SET \
     round = CASE WHEN deliveries.state = 'pending' THEN deliveries.round ELSE deliveries.round + 1 END, \
     tries = CASE WHEN deliveries.state = 'pending' THEN deliveries.tries ELSE 0 END, \
     created_at = CASE WHEN deliveries.state = 'pending' THEN deliveries.created_at ELSE excluded.created_at END, \
     state = 'pending', due_at = excluded.due_at, updated_at = excluded.updated_at RETURNING round";

pub(in crate::records) const HASTEN: &str =
    "UPDATE jobs SET due_at = $2 WHERE key = $1 AND state = 'open' AND due_at > $2";

pub(in crate::records) const TRIED: &str = "UPDATE deliveries SET state = $2, tries = $3, status = $4, reason = $5, \
     due_at = $6, updated_at = $7 WHERE id = $1 AND state = 'pending'";

pub(in crate::records) const ADD_ENDPOINT: &str = "INSERT INTO webhook_endpoints \
     (id, partner, entity, url, kinds, state, reason, created_by, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";

/// How many endpoints a partner has beside `$2`.
pub(in crate::records) const OTHER_ENDPOINTS: &str =
    "SELECT COUNT(*) FROM webhook_endpoints WHERE partner = $1 AND id <> $2 AND state <> 'deleted'";

pub(in crate::records) const ENDPOINT: &str = concat!(
    "SELECT ",
    endpoint_columns!(),
    " FROM webhook_endpoints WHERE ",
    within_reach!(),
    " AND id = $4 AND state <> 'deleted'"
);

pub(in crate::records) const ENDPOINT_TO_CALL: &str =
    concat!("SELECT ", endpoint_columns!(), " FROM webhook_endpoints WHERE id = $1");

pub(in crate::records) const ENDPOINTS: &str = concat!(
    "SELECT ",
    endpoint_columns!(),
    " FROM webhook_endpoints WHERE ",
    within_reach!(),
    " AND state <> 'deleted' AND (created_at < $4 OR (created_at = $4 AND id < $5)) \
     ORDER BY created_at DESC, id DESC LIMIT $6"
);

/// Those that may be told what happened in an entity (`$2`, or in none): the partner's own and the entity's.
pub(in crate::records) const LISTENING: &str = concat!(
    "SELECT ",
    endpoint_columns!(),
    " FROM webhook_endpoints WHERE partner = $1 AND state = 'enabled' AND (entity IS NULL OR entity = $2) \
     ORDER BY created_at, id"
);

pub(in crate::records) const CHANGE_ENDPOINT: &str = concat!(
    "UPDATE webhook_endpoints SET url = COALESCE($5, url), kinds = COALESCE($6, kinds), \
     reason = CASE WHEN $7 IS NULL THEN reason ELSE $8 END, state = COALESCE($7, state), updated_at = $9 WHERE ",
    within_reach!(),
    " AND id = $4 AND state <> 'deleted' RETURNING ",
    endpoint_columns!()
);

/// An endpoint that took anything since `$4`, or was changed since, goes on; without a moment it does not.
pub(in crate::records) const DISABLE_ENDPOINT: &str = "UPDATE webhook_endpoints SET state = 'disabled', reason = $2, \
     updated_at = $3 WHERE id = $1 AND state = 'enabled' AND ($4 IS NULL OR (updated_at <= $4 AND NOT EXISTS \
     (SELECT 1 FROM deliveries WHERE endpoint = $1 AND state = 'delivered' AND updated_at >= $4)))";

/// Holds the endpoint's row, so that of two that replace a secret at once the later sees what the earlier has left.
pub(in crate::records) const HOLD_ENDPOINT: &str = concat!(
    "UPDATE webhook_endpoints SET updated_at = $5 WHERE ",
    within_reach!(),
    " AND id = $4 AND state <> 'deleted'"
);

pub(in crate::records) const END_OLDER_SECRETS: &str =
    "UPDATE webhook_secrets SET until = $2 WHERE endpoint = $1 AND until > $2";

pub(in crate::records) const END_SECRET: &str =
    "UPDATE webhook_secrets SET until = $2 WHERE endpoint = $1 AND until IS NULL";

pub(in crate::records) const ADD_SECRET: &str = "INSERT INTO webhook_secrets (id, endpoint, partner, sealed, created_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";

pub(in crate::records) const IS_SECRET: &str = "SELECT COUNT(*) FROM webhook_secrets WHERE id = $1";

/// Until when the secret before the present one is used; whatever came before it ended sooner.
pub(in crate::records) const LAST_USE_OF_OLD_SECRETS: &str =
    "SELECT COALESCE(MAX(until), 0) FROM webhook_secrets WHERE endpoint = $1";

pub(in crate::records) const SECRETS: &str = "SELECT id, endpoint, partner, sealed, created_at FROM webhook_secrets \
     WHERE endpoint = $1 AND (until IS NULL OR until > $2) ORDER BY CASE WHEN until IS NULL THEN 0 ELSE 1 END, created_at DESC, id";
