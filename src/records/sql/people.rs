//! Statements about all that is held about a person. `$1` is the partner and `$2` the person's tag, unless it is said
//! otherwise; `$3` is the pseudonym.

use super::{attempt_columns, links_with_accounts};

pub(in crate::records) const HOLDERS: &str = "SELECT id, name, purpose, days, walk_in, created_at FROM partners p \
     WHERE EXISTS (SELECT 1 FROM consents WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM attempts WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM links WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM messages WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM text_wishes WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM subscriber_pins WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM link_intents WHERE partner = p.id AND tag = $1) \
     OR EXISTS (SELECT 1 FROM audit WHERE partner = p.id AND tag = $1) ORDER BY name, id";

pub(in crate::records) const CONSENTS_OF: &str = "SELECT id, intent, partner, tag, msisdn, text, version, locale, channel, agreed_at \
     FROM consents WHERE partner = $1 AND tag = $2 ORDER BY agreed_at, id";

pub(in crate::records) const ATTEMPTS_OF: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    ", moved_at FROM attempts WHERE partner = $1 AND tag = $2 ORDER BY nth"
);

pub(in crate::records) const LINKS_OF: &str =
    links_with_accounts!("(SELECT * FROM links WHERE partner = $1 AND tag = $2) l", "l.nth");

pub(in crate::records) const MESSAGES_OF: &str = "SELECT id, partner, tag, kind, key, line, state, reason, sealed, gateway_id, tries, created_at, \
     updated_at, expires_at FROM messages WHERE partner = $1 AND tag = $2 ORDER BY created_at, id";

pub(in crate::records) const PIN_KEPT_AT: &str = "SELECT kept_at FROM subscriber_pins WHERE partner = $1 AND tag = $2";

pub(in crate::records) const INTENTS_OF: &str = "SELECT id, state, purpose, scope, days, reference, created_at, expires_at \
     FROM link_intents WHERE partner = $1 AND tag = $2 ORDER BY created_at, id";

pub(in crate::records) const UNREMOVED: &str =
    "SELECT id, state FROM links WHERE partner = $1 AND tag = $2 AND state <> 'removed' ORDER BY nth";

pub(in crate::records) const UNREMOVED_COUNT: &str =
    "SELECT COUNT(*) FROM links WHERE partner = $1 AND tag = $2 AND state <> 'removed'";

/// `$1` to `$7` are the columns.
pub(in crate::records) const ADD_ERASURE: &str =
    "INSERT INTO erasures (id, partner, tag, pseudonym, state, begun_at, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(in crate::records) const ERASURE_UNDER_WAY: &str = "SELECT id FROM erasures WHERE partner = $1 AND tag = $2";

/// `$1` is the id.
pub(in crate::records) const ERASURE: &str =
    "SELECT id, partner, tag, pseudonym, state, waits, begun_at, moved_at FROM erasures WHERE id = $1";

/// `$1` is how many.
pub(in crate::records) const ERASURES: &str = "SELECT id, partner, tag, pseudonym, state, waits, begun_at, moved_at FROM erasures \
     ORDER BY begun_at DESC, id DESC LIMIT $1";

/// `$1` is the erasure, `$2` the word.
pub(in crate::records) const ERASURE_WAITS: &str = "UPDATE erasures SET waits = $2 WHERE id = $1 AND state <> 'done'";

/// `$1` is the erasure, `$2` when. Of two who try, one goes on.
pub(in crate::records) const ERASURE_BLANKED: &str =
    "UPDATE erasures SET state = 'blanked', waits = NULL, moved_at = $2 WHERE id = $1 AND state = 'begun'";

/// `$1` is the erasure, `$2` when.
pub(in crate::records) const ERASURE_DONE: &str =
    "UPDATE erasures SET state = 'done', tag = NULL, waits = NULL, moved_at = $2 WHERE id = $1 AND state = 'blanked'";

pub(in crate::records) const UNSETTLED: &str = "SELECT COUNT(*) FROM attempts WHERE partner = $1 AND tag = $2 \
     AND state IN ('open', 'sending', 'unknown', 'granted')";

/// Jobs about a person's rows; none of them is worth doing once the rows are blank.
macro_rules! their_jobs {
    () => {
        "state = 'open' AND kind IN ('redeem', 'read_accounts', 'unlink', 'settle', 'send_sms', 'hand_over') \
         AND subject IN (SELECT id FROM attempts WHERE partner = $1 AND tag = $2 \
         UNION ALL SELECT id FROM links WHERE partner = $1 AND tag = $2 \
         UNION ALL SELECT id FROM messages WHERE partner = $1 AND tag = $2)"
    };
}

/// `$3` is now: those that somebody holds go on.
pub(in crate::records) const CLOSE_JOBS: &str = concat!(
    "UPDATE jobs SET state = 'done', node = NULL, lease_until = NULL \
     WHERE (lease_until IS NULL OR lease_until <= $3) AND ",
    their_jobs!()
);

pub(in crate::records) const OPEN_JOBS: &str = concat!("SELECT COUNT(*) FROM jobs WHERE ", their_jobs!());

/// Before the texts are blanked.
pub(in crate::records) const DROP_THEIR_REPORTS: &str = "DELETE FROM early_reports WHERE EXISTS (SELECT 1 FROM messages m \
     WHERE m.partner = $1 AND m.tag = $2 AND m.line = early_reports.line AND m.gateway_id = early_reports.gateway_id)";

pub(in crate::records) const TEXTS_OF: &str = "SELECT id FROM messages WHERE partner = $1 AND tag = $2";

/// `$1` is the text, `$2` the pseudonym, `$3` another key: keys of hints hold the tag, those of answers the gateway's id.
/// What was not sent is not sent any more.
pub(in crate::records) const BLANK_TEXT: &str = "UPDATE messages SET tag = $2, key = $3, sealed = NULL, gateway_id = NULL, \
     reason = CASE WHEN state = 'queued' THEN 'unsendable' ELSE reason END, \
     state = CASE WHEN state = 'queued' THEN 'withheld' WHEN state = 'sending' THEN 'unknown' ELSE state END \
     WHERE id = $1";

/// Before the links are blanked. `$3` is nothing, `$4` a digest of nothing.
pub(in crate::records) const BLANK_ACCOUNTS: &str = "UPDATE linked_accounts \
     SET account = $3, account_digest = $4, masked = NULL, number_digest = NULL, holder = NULL \
     WHERE link IN (SELECT id FROM links WHERE partner = $1 AND tag = $2)";

pub(in crate::records) const BLANK_LINKS: &str = "UPDATE links SET tag = $3 WHERE partner = $1 AND tag = $2";

/// `$4` is nothing.
pub(in crate::records) const BLANK_ATTEMPTS: &str =
    "UPDATE attempts SET tag = $3, provider_session = $4, sealed_grant = NULL WHERE partner = $1 AND tag = $2";

/// Before they are blanked. `$3` is now.
pub(in crate::records) const CANCEL_THEIR_INTENTS: &str = "UPDATE link_intents SET state = 'cancelled', moved_at = $3 \
     WHERE partner = $1 AND tag = $2 AND state = 'open' RETURNING id";

/// Before the consents are blanked, and once none is open. Those that they have answered are theirs, too, unless others may still.
pub(in crate::records) const BLANK_INTENTS: &str = "UPDATE link_intents \
     SET tag = CASE WHEN tag = $2 THEN $3 ELSE tag END, \
     reference = NULL, msisdn = NULL, code_digest = NULL, code = NULL, expected = NULL \
     WHERE partner = $1 AND (tag = $2 OR (tag IS NULL AND many = 0 AND state <> 'open' \
     AND id IN (SELECT intent FROM consents WHERE partner = $1 AND tag = $2)))";

/// `$4` is nothing.
pub(in crate::records) const BLANK_CONSENTS: &str =
    "UPDATE consents SET tag = $3, msisdn = $4 WHERE partner = $1 AND tag = $2";

pub(in crate::records) const DROP_WISH: &str = "DELETE FROM text_wishes WHERE partner = $1 AND tag = $2";

pub(in crate::records) const DROP_BANK_WISHES: &str = "DELETE FROM bank_wishes WHERE partner = $1 AND tag = $2";

pub(in crate::records) const BLANK_AUDIT: &str = "UPDATE audit SET tag = $3 WHERE partner = $1 AND tag = $2";
