//! Statements about wishes to be texted when an institution is back, in the SQL that every backend shares.

macro_rules! wish_columns {
    () => {
        "id, partner, tag, provider, institution, sealed, needs_login, asked_at, until"
    };
}

/// A watch that still has somebody to tell, the newest first.
pub(in crate::records) const WATCH: &str = "SELECT watch, watched_since FROM bank_wishes \
     WHERE partner = $1 AND provider = $2 AND institution = $3 AND told_at IS NULL AND until > $4 AND watched_since > $5 \
     ORDER BY watched_since DESC LIMIT 1";

pub(in crate::records) const PUT_BANK_WISH: &str = concat!(
    "INSERT INTO bank_wishes (",
    wish_columns!(),
    ", watch, watched_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (partner, tag, provider, institution) DO UPDATE SET id = excluded.id, sealed = excluded.sealed, \
     needs_login = excluded.needs_login, asked_at = excluded.asked_at, until = excluded.until, watch = excluded.watch, \
     watched_since = excluded.watched_since, told_at = NULL"
);

pub(in crate::records) const DROP_OLD_BANK_WISHES: &str = "DELETE FROM bank_wishes WHERE watch = $1 AND until <= $2";

pub(in crate::records) const OPEN_BANK_WISHES: &str = concat!(
    "SELECT ",
    wish_columns!(),
    " FROM bank_wishes WHERE watch = $1 AND told_at IS NULL ORDER BY asked_at, id"
);

pub(in crate::records) const BANK_WISH: &str = concat!("SELECT ", wish_columns!(), " FROM bank_wishes WHERE id = $1");

pub(in crate::records) const MARK_BANK_WISH: &str =
    "UPDATE bank_wishes SET told_at = $2 WHERE id = $1 AND told_at IS NULL";

pub(in crate::records) const WITHDRAW_BANK_WISH: &str = "DELETE FROM bank_wishes WHERE id = $1";

pub(in crate::records) const LOGIN_TAKEN: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM attempts \
     WHERE partner = $1 AND provider = $2 AND institution = $3 AND created_at > $4 \
     AND step = 'login' AND state IN ('accepted', 'granted', 'linked') LIMIT 1) taken";

pub(in crate::records) const LOGIN_TAKEN_BY: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM attempts \
     WHERE partner = $1 AND provider = $2 AND institution = $3 AND created_at > $4 AND tag = $5 \
     AND step = 'login' AND state IN ('accepted', 'granted', 'linked') LIMIT 1) taken";

pub(in crate::records) const FORGET_BANK_WISHES: &str = "DELETE FROM bank_wishes WHERE id IN (\
     SELECT id FROM bank_wishes WHERE until < $1 ORDER BY until LIMIT $2)";
