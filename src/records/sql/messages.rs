//! Statements about texts, in the SQL that every backend shares.
//!
//! Which state follows which is decided in `core`: each move reads the row, asks there, and writes only if the row still
//! stands where it was read.

pub(in crate::records) const ADD_MESSAGE: &str = "INSERT INTO messages \
     (id, partner, tag, kind, key, line, state, reason, sealed, gateway_id, tries, created_at, updated_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (partner, key) DO NOTHING";

macro_rules! select_message {
    ($where:literal) => {
        concat!(
            "SELECT id, partner, tag, kind, key, line, state, reason, sealed, gateway_id, tries, created_at, updated_at, \
             expires_at FROM messages WHERE ",
            $where
        )
    };
}

pub(in crate::records) const MESSAGE: &str = select_message!("id = $1");

pub(in crate::records) const MESSAGE_BY_GATEWAY_ID: &str =
    select_message!("line = $1 AND gateway_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1");

/// A text that has left, or never will, keeps no words. `$5` is the word of the state it was read in.
pub(in crate::records) const MOVE_MESSAGE: &str = "UPDATE messages SET state = $2, reason = $3, updated_at = $4, \
     sealed = CASE WHEN $2 IN ('queued', 'sending') THEN sealed ELSE NULL END WHERE id = $1 AND state = $5";

pub(in crate::records) const COUNT_TRY: &str = "UPDATE messages SET tries = tries + 1 WHERE id = $1";

pub(in crate::records) const NAME_MESSAGE: &str = "UPDATE messages SET gateway_id = $2 WHERE id = $1";

/// Those that left, or may have.
pub(in crate::records) const HAD_LATELY: &str = "SELECT COUNT(*) FROM messages WHERE partner = $1 AND tag = $2 \
     AND created_at > $3 AND state NOT IN ('queued', 'withheld')";

pub(in crate::records) const EARLY_REPORT: &str =
    "SELECT state, reason FROM early_reports WHERE line = $1 AND gateway_id = $2";

pub(in crate::records) const PUT_EARLY_REPORT: &str = "INSERT INTO early_reports \
     (line, gateway_id, state, reason, seen_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (line, gateway_id) DO UPDATE SET state = excluded.state, reason = excluded.reason";

pub(in crate::records) const DROP_EARLY_REPORT: &str = "DELETE FROM early_reports WHERE line = $1 AND gateway_id = $2";

pub(in crate::records) const DROP_OLD_REPORTS: &str = "DELETE FROM early_reports WHERE seen_at < $1";

pub(in crate::records) const WISH: &str = "SELECT stopped, changed_at FROM text_wishes WHERE partner = $1 AND tag = $2";

/// The later wish counts, and of two at once the one for silence.
pub(in crate::records) const PUT_WISH: &str = "INSERT INTO text_wishes (partner, tag, stopped, changed_at) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (partner, tag) DO UPDATE \
     SET stopped = excluded.stopped, changed_at = excluded.changed_at \
     WHERE excluded.changed_at > text_wishes.changed_at \
     OR (excluded.changed_at = text_wishes.changed_at AND excluded.stopped > text_wishes.stopped)";
