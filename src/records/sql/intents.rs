//! Statements about partners' requests, in the SQL that every backend shares.

use super::within_reach;

macro_rules! intents {
    ($($rest:expr),+) => {
        concat!(
            "SELECT id, partner, entity, created_by, state, purpose, days, scope, reference, tag, msisdn, code_digest, \
             code, institution, locale, many, expected, renews, links, created_at, moved_at, expires_at FROM link_intents ",
            $($rest),+
        )
    };
}

/// A request that is over has no code: nobody can dial it, and the digits are free for another.
macro_rules! over {
    ($state:literal, $at:literal) => {
        concat!(
            "UPDATE link_intents SET state = ",
            $state,
            ", moved_at = ",
            $at,
            ", code_digest = NULL, code = NULL "
        )
    };
}

/// Nothing is written where the id is taken, or the code.
pub(in crate::records) const ADD_LINK_INTENT: &str = "INSERT INTO link_intents \
     (id, partner, entity, created_by, state, purpose, days, scope, reference, tag, msisdn, code_digest, code, \
     institution, locale, many, expected, renews, links, created_at, moved_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
     ON CONFLICT DO NOTHING";

pub(in crate::records) const LINK_INTENT: &str = intents!("WHERE ", within_reach!(), " AND id = $4");

/// `$4` is the state and `$5` the reference, where they are asked for.
pub(in crate::records) const LINK_INTENTS: &str = intents!(
    "WHERE ",
    within_reach!(),
    " AND ($4 IS NULL OR state = $4) AND ($5 IS NULL OR reference = $5) \
     AND (created_at < $6 OR (created_at = $6 AND id < $7)) ORDER BY created_at DESC, id DESC LIMIT $8"
);

/// `$4` is the request, `$5` when.
pub(in crate::records) const CANCEL: &str = concat!(
    over!("'cancelled'", "$5"),
    "WHERE ",
    within_reach!(),
    " AND id = $4 AND state = 'open'"
);

/// `$1` is the request, `$2` now.
pub(in crate::records) const EXPIRE: &str = concat!(
    over!("'expired'", "$2"),
    "WHERE id = $1 AND state = 'open' AND expires_at <= $2 RETURNING partner"
);

/// `$1` is the request.
pub(in crate::records) const EXPIRES_AT: &str = "SELECT expires_at FROM link_intents WHERE id = $1 AND state = 'open'";

/// `$1` is the link, `$2` when: the person has logged in to it again.
pub(in crate::records) const RENEWED: &str = concat!(
    over!("'completed'", "$2"),
    "WHERE renews = $1 AND state = 'open' AND EXISTS (SELECT 1 FROM links WHERE id = $1 AND state = 'active') \
     RETURNING id, partner"
);

/// `$1` is the link, which is out of use, `$2` when.
pub(in crate::records) const NOT_RENEWED: &str = concat!(
    over!("'cancelled'", "$2"),
    "WHERE renews = $1 AND state = 'open' RETURNING id, partner"
);

/// `$1` is the request.
pub(in crate::records) const IS_OVER: &str =
    "SELECT COUNT(*) FROM link_intents WHERE id = $1 AND state IN ('completed', 'cancelled', 'mismatched')";

/// `$1` is the consent of a new link, `$2` when that was made. One whose time was over meanwhile counts all the same.
pub(in crate::records) const ANSWER: &str = "UPDATE link_intents SET links = links + 1, \
     state = CASE WHEN many = 0 THEN 'completed' ELSE state END, moved_at = CASE WHEN many = 0 THEN $2 ELSE moved_at END, \
     code_digest = CASE WHEN many = 0 THEN NULL ELSE code_digest END, code = CASE WHEN many = 0 THEN NULL ELSE code END \
     WHERE id = (SELECT intent FROM consents WHERE id = $1) AND state IN ('open', 'expired') RETURNING id, many";

/// `$1` is the consent: whether a partner has made the request that it answers.
pub(in crate::records) const IS_ASKED: &str =
    "SELECT COUNT(*) FROM link_intents WHERE id = (SELECT intent FROM consents WHERE id = $1)";

/// `$1` is the consent.
pub(in crate::records) const ASKED_FOR: &str = "SELECT id, partner, state, expected FROM link_intents \
     WHERE id = (SELECT intent FROM consents WHERE id = $1)";

/// `$1` is the consent of the link that was not to the account that is expected, `$2` when.
pub(in crate::records) const MISMATCH: &str = concat!(
    over!("'mismatched'", "$2"),
    "WHERE id = (SELECT intent FROM consents WHERE id = $1) AND state IN ('open', 'expired') RETURNING id"
);
