//! Statements about links and connect sessions as their partner sees them, in the SQL that every backend shares. `$1` is
//! the partner, `$2` the entity and `$3` the user, where the caller is bound to them.

/// What grew out of a request is whose that is; what grew out of none is nobody's but the partner's.
macro_rules! of_the_caller {
    ($row:literal) => {
        concat!(
            $row,
            ".partner = $1 AND ($2 IS NULL OR i.entity = $2) AND ($3 IS NULL OR i.created_by = $3)"
        )
    };
}

macro_rules! origin {
    () => {
        "i.id AS asked, i.entity, i.created_by, i.reference, i.purpose, i.days, i.scope"
    };
}

/// Links with accounts, one row an account; `$chosen` says which, newest first. One that was never in use is not there.
macro_rules! holdings {
    ($($chosen:expr),+) => {
        concat!(
            "SELECT l.id AS link_id, l.partner, l.tag, l.consent, l.attempt, l.provider, l.institution, \
             l.institution_name, l.state, l.created_at, l.moved_at, \
             a.id AS account_id, a.account, a.account_digest, a.masked, a.number_digest, a.holder, a.kind, a.currency, \
             c.intent, c.msisdn, c.text, c.version, c.locale, c.channel, c.agreed_at, ",
            origin!(),
            " FROM (SELECT k.* FROM links k JOIN consents e ON e.id = k.consent \
             LEFT JOIN link_intents i ON i.id = e.intent WHERE k.untold = 0 AND ",
            of_the_caller!("k"),
            $($chosen),+,
            ") l JOIN consents c ON c.id = l.consent LEFT JOIN link_intents i ON i.id = c.intent \
             LEFT JOIN linked_accounts a ON a.link = l.id ORDER BY l.created_at DESC, l.id DESC, a.place"
        )
    };
}

/// `$4` is the link.
pub(in crate::records) const HOLDING: &str = holdings!(" AND k.id = $4");

/// `$4` is the state, `$5` the request and `$6` the reference, where they are asked for.
pub(in crate::records) const HOLDINGS: &str = holdings!(
    " AND ($4 IS NULL OR k.state = $4) AND ($5 IS NULL OR e.intent = $5) AND ($6 IS NULL OR i.reference = $6) \
     AND (k.created_at < $7 OR (k.created_at = $7 AND k.id < $8)) ORDER BY k.created_at DESC, k.id DESC LIMIT $9"
);

/// `$4` is the link.
pub(in crate::records) const WHOSE_LINK: &str = concat!(
    "SELECT k.tag, k.state FROM links k JOIN consents e ON e.id = k.consent \
     LEFT JOIN link_intents i ON i.id = e.intent WHERE k.untold = 0 AND ",
    of_the_caller!("k"),
    " AND k.id = $4"
);

/// A session's first submission says when it was begun; the one that made the link, or else the last, where it stands.
macro_rules! tries {
    ($($chosen:expr),+) => {
        concat!(
            "SELECT f.session, f.partner, f.created_at, n.provider, n.institution, n.institution_name, n.state, \
             n.moved_at, n.renews, l.id AS link, ",
            origin!(),
            " FROM attempts f JOIN attempts n ON n.id = (SELECT id FROM attempts WHERE partner = f.partner \
             AND session = f.session ORDER BY CASE WHEN state = 'linked' THEN 0 ELSE 1 END, nth DESC LIMIT 1) \
             JOIN consents c ON c.id = n.consent LEFT JOIN link_intents i ON i.id = c.intent \
             LEFT JOIN links l ON l.attempt = n.id AND l.untold = 0 \
             WHERE NOT EXISTS (SELECT 1 FROM attempts e WHERE e.partner = f.partner AND e.session = f.session \
             AND e.nth < f.nth) AND ",
            of_the_caller!("f"),
            $($chosen),+
        )
    };
}

/// `$4` is the connect session.
pub(in crate::records) const TRY: &str = tries!(" AND f.session = $4");

/// `$4` is the request, if one is named.
pub(in crate::records) const TRIES: &str = tries!(
    " AND ($4 IS NULL OR c.intent = $4) AND (f.created_at < $5 OR (f.created_at = $5 AND f.session < $6)) \
     ORDER BY f.created_at DESC, f.session DESC LIMIT $7"
);
