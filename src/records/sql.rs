//! The statements that every backend shares: plain SQL with `$n` placeholders, as SQLite and PostgreSQL both read it.
//!
//! What differs, because it rests on how a backend locks rows, stands with the backend: claiming jobs.

pub(super) mod access;
pub(super) mod bank_wishes;
pub(super) mod events;
pub(super) mod intents;
pub(super) mod messages;
pub(super) mod outcomes;
pub(super) mod people;
pub(super) mod requests;
pub(super) mod sealed;
pub(super) mod staff;
pub(super) mod upkeep;

/// The kinds of jobs that this version knows: those of a newer one are left to it.
macro_rules! known_kinds {
    () => {
        "('redeem', 'read_accounts', 'unlink', 'settle', 'send_sms', 'hand_over', 'ask_report', 'erase', 'bank_back', \
         'publish', 'deliver', 'expire_intent')"
    };
}
pub(super) use known_kinds;

/// The rows that a caller may touch: `$1` is the partner, `$2` the entity or nothing, `$3` the user or nothing.
macro_rules! within_reach {
    () => {
        "partner = $1 AND ($2 IS NULL OR entity = $2) AND ($3 IS NULL OR created_by = $3)"
    };
}
pub(super) use within_reach;

/// Columns of an attempt, in the order of its struct.
macro_rules! attempt_columns {
    () => {
        "id, session, consent, partner, tag, provider, institution, institution_name, step, provider_session, renews, \
         state, created_at"
    };
}

pub(super) use attempt_columns;

/// A link with its accounts, one row an account; `$from` yields `l`, in the order wanted.
macro_rules! links_with_accounts {
    ($from:literal, $order:literal) => {
        concat!(
            "SELECT l.id AS link_id, l.partner, l.tag, l.consent, l.attempt, l.provider, l.institution, \
             l.institution_name, l.state, l.created_at, \
             a.id AS account_id, a.account, a.account_digest, a.masked, a.number_digest, a.holder, a.kind, a.currency \
             FROM ",
            $from,
            " LEFT JOIN linked_accounts a ON a.link = l.id ORDER BY ",
            $order,
            ", a.place"
        )
    };
}

pub(super) use links_with_accounts;

pub(super) const PUT_PARTNER: &str = "INSERT INTO partners (id, name, purpose, days, walk_in, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose, days = excluded.days, \
     walk_in = excluded.walk_in";

pub(super) const PARTNER: &str = "SELECT id, name, purpose, days, walk_in, created_at FROM partners WHERE id = $1";

pub(super) const PARTNERS: &str =
    "SELECT id, name, purpose, days, walk_in, created_at FROM partners ORDER BY name, created_at, id";

pub(super) const PROVIDERS_OF: &str =
    "SELECT provider, updated_at FROM provider_credentials WHERE partner = $1 ORDER BY provider";

pub(super) const FORGET_CREDENTIALS: &str = "DELETE FROM provider_credentials WHERE partner = $1 AND provider = $2";

pub(super) const PUT_CREDENTIALS: &str = "INSERT INTO provider_credentials (partner, provider, sealed, updated_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (partner, provider) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";

pub(super) const CREDENTIALS: &str = "SELECT sealed FROM provider_credentials WHERE partner = $1 AND provider = $2";

pub(super) const AUDIT: &str = "INSERT INTO audit (partner, tag, kind, detail, happened_at, id, entity, user_id) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(super) const AUDITED: &str = "SELECT DISTINCT id, entity, user_id, kind, detail, happened_at FROM audit \
     WHERE partner = $1 AND ($2 IS NULL OR entity = $2) AND ($3 IS NULL OR user_id = $3) AND id IS NOT NULL \
     AND (happened_at < $4 OR (happened_at = $4 AND id < $5)) ORDER BY happened_at DESC, id DESC LIMIT $6";

pub(super) const CHANGE_PARTNER: &str = "UPDATE partners SET purpose = COALESCE($2, purpose), days = COALESCE($3, days), \
     walk_in = COALESCE($4, walk_in) WHERE id = $1";

pub(super) const BEAT: &str = "UPDATE heartbeat SET beats = beats + 1 WHERE id = 1";

pub(super) const READ_PULSE: &str = "SELECT beats FROM heartbeat WHERE id = 1";

/// The few attempts that the facts are made of: the newest, the newest that got anywhere, and logins that count against
/// the limits. A login that is being sent counts until it is known to be taken, and a lapsed one like the unknown one it
/// was: the bank may well have seen both.
pub(super) const FACTS: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM attempts WHERE tag = $1 AND (\
     nth = (SELECT MAX(nth) FROM attempts WHERE tag = $1) \
     OR nth = (SELECT MAX(nth) FROM attempts WHERE tag = $1 AND state IN ('accepted', 'granted', 'linked')) \
     OR (step = 'login' AND state IN ('refused', 'sending', 'unknown', 'lapsed') AND created_at > $2)) \
     ORDER BY nth DESC, created_at DESC"
);

pub(super) const LIVE_LINKS: &str = links_with_accounts!(
    "(SELECT * FROM links WHERE tag = $1 AND state IN ('active', 'reauth_required')) l",
    "l.nth DESC, l.created_at DESC"
);

pub(super) const ADD_INTENT: &str =
    "INSERT INTO intents (id, partner, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";

pub(super) const ADD_CONSENT: &str = "INSERT INTO consents (id, intent, partner, tag, msisdn, text, version, locale, channel, agreed_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";

pub(super) const ADD_ATTEMPT: &str = concat!(
    "INSERT INTO attempts (",
    attempt_columns!(),
    ", moved_at, nth) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, \
     (SELECT COALESCE(MAX(nth), 0) + 1 FROM attempts WHERE tag = $5)) ON CONFLICT (id) DO NOTHING"
);

/// `Open` < `Sending` < `Unknown` < any other; `Granted` moves to what can come of a grant, and `Lapsed` to what is found late. A
/// grant that is of no more use is wiped.
pub(super) const MOVE_ATTEMPT: &str = "UPDATE attempts SET state = $2, moved_at = $3, \
     sealed_grant = CASE WHEN $2 IN ('linked', 'undone', 'lapsed') THEN NULL ELSE sealed_grant END \
     WHERE id = $1 AND ((state = 'open' AND $2 <> 'open') \
     OR (state = 'sending' AND $2 NOT IN ('open', 'sending')) \
     OR (state = 'unknown' AND $2 NOT IN ('open', 'sending', 'unknown')) \
     OR (state = 'granted' AND $2 IN ('linked', 'undone', 'lapsed')) \
     OR (state = 'lapsed' AND $2 IN ('linked', 'undone')))";

/// A grant is the provider's yes: it overrules everything but an explicit no and what came of an earlier grant.
pub(super) const KEEP_GRANT: &str = "UPDATE attempts SET state = 'granted', sealed_grant = $2, moved_at = $3 \
     WHERE id = $1 AND sealed_grant IS NULL AND state IN ('open', 'sending', 'unknown', 'accepted', 'lapsed', 'granted')";

pub(super) const ATTEMPT_STATE: &str = "SELECT state FROM attempts WHERE id = $1";

pub(super) const ATTEMPT: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    ", sealed_grant FROM attempts WHERE id = $1"
);

/// How many attempts the same person has begun after this one in another connect session. Also not zero when the attempt
/// is nobody's any more, because whose it was has been erased.
pub(super) const SUPERSEDED: &str = "SELECT (SELECT COUNT(*) FROM attempts mine JOIN attempts later ON later.partner = mine.partner \
     AND later.tag = mine.tag AND later.nth > mine.nth AND later.session <> mine.session WHERE mine.id = $1) \
     + (SELECT COUNT(*) FROM attempts WHERE id = $1 AND tag <> $2)";

pub(super) const LAPSED: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM attempts WHERE partner = $1 AND provider = $2 AND state = 'lapsed' AND moved_at > $3 \
     ORDER BY moved_at DESC LIMIT $4"
);

pub(super) const CONSENT: &str = "SELECT id, intent, partner, tag, msisdn, text, version, locale, channel, agreed_at \
     FROM consents WHERE id = $1";

pub(super) const ADD_LINK: &str = "INSERT INTO links (id, partner, tag, consent, attempt, provider, institution, institution_name, state, \
     created_at, moved_at, nth, untold) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, \
     (SELECT COALESCE(MAX(nth), 0) + 1 FROM links WHERE tag = $3), $11)";

/// Whether its partner has never been told of a link, and the submission that made it.
pub(super) const UNTOLD: &str = "SELECT untold, attempt FROM links WHERE id = $1";

/// `$2` is when its account was found to be the one that is expected.
pub(super) const VERIFIED: &str =
    "UPDATE links SET state = 'active', untold = 0, moved_at = $2 WHERE id = $1 AND state = 'verifying'";

pub(super) const LINK_STATE: &str = "SELECT state FROM links WHERE id = $1";

pub(super) const ID_OF_LINK: &str = "SELECT id FROM links WHERE attempt = $1";

pub(super) const ADD_ACCOUNT: &str = "INSERT INTO linked_accounts (id, partner, link, place, account, account_digest, masked, number_digest, holder, \
     kind, currency) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The link is durable, so its attempt is `Linked`, whatever was thought before; only what was undone stays undone.
pub(super) const LINKED: &str = "UPDATE attempts SET state = CASE WHEN state = 'undone' THEN state ELSE 'linked' END, sealed_grant = NULL, \
     moved_at = $2 WHERE id = $1";

pub(super) const LINK: &str = links_with_accounts!("(SELECT * FROM links WHERE id = $1) l", "l.id");

pub(super) const LINK_OF_ATTEMPT: &str = links_with_accounts!("(SELECT * FROM links WHERE attempt = $1) l", "l.id");

/// An account may have been linked, removed and linked again: the link in use is meant, else the newest.
pub(super) const LINK_BY_ACCOUNT: &str = links_with_accounts!(
    "(SELECT k.* FROM linked_accounts d JOIN links k ON k.id = d.link WHERE d.account_digest = $1 \
     ORDER BY CASE WHEN k.state = 'removed' THEN 1 ELSE 0 END, k.created_at DESC, k.nth DESC, k.id DESC LIMIT 1) l",
    "l.id"
);

pub(super) const LINKS: &str = links_with_accounts!(
    "(SELECT * FROM links WHERE partner = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) \
     ORDER BY created_at DESC, id DESC LIMIT $4) l",
    "l.created_at DESC, l.id DESC"
);

/// An account that was blanked stays blank.
pub(super) const READ_ACCOUNT: &str = "UPDATE linked_accounts SET masked = $2, number_digest = $3, holder = COALESCE($4, holder), \
     kind = COALESCE($5, kind), currency = COALESCE($6, currency) WHERE id = $1 AND LENGTH(account) > 0";

pub(super) const SAME_NUMBER: &str = "SELECT DISTINCT l.id, l.created_at FROM linked_accounts mine \
     JOIN linked_accounts other ON other.partner = mine.partner AND other.number_digest = mine.number_digest \
     AND other.link <> mine.link \
     JOIN links l ON l.id = other.link AND l.state IN ('active', 'reauth_required') \
     WHERE mine.id = $1 ORDER BY l.created_at DESC, l.id DESC";

/// `Removed` is final, and what is being removed is not taken into use again. Nor is what is still to be compared, but by
/// comparing it.
pub(super) const MOVE_LINK: &str = "UPDATE links SET state = $2, moved_at = $3 WHERE id = $1 AND state <> $2 \
     AND ((state IN ('active', 'reauth_required') AND $2 <> 'verifying') OR (state = 'removing' AND $2 = 'removed') \
     OR (state = 'verifying' AND $2 IN ('removing', 'removed')))";

pub(super) const FIRST_SIGHT: &str = "INSERT INTO provider_events (provider, event, seen_at) VALUES ($1, $2, $3) \
     ON CONFLICT (provider, event) DO NOTHING";

pub(super) const SEEN: &str = "SELECT seen_at FROM provider_events WHERE provider = $1 AND event = $2";

pub(super) const ENQUEUE: &str = "INSERT INTO jobs (id, partner, kind, subject, key, state, due_at, tries) \
     VALUES ($1, $2, $3, $4, $5, 'open', $6, $7) ON CONFLICT (key) DO NOTHING";

pub(super) const ENQUEUE_IN: &str = "INSERT INTO jobs (id, partner, kind, subject, key, state, due_at, tries, lane) \
     VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8) ON CONFLICT (key) DO NOTHING";

pub(super) const LANES_DUE: &str = concat!(
    "SELECT DISTINCT lane FROM jobs WHERE state = 'open' AND lane IS NOT NULL AND due_at <= $1 \
     AND (lease_until IS NULL OR lease_until <= $1) AND kind IN ",
    known_kinds!()
);

pub(super) const HOLD: &str = "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND node = $2 AND state = 'open'";

pub(super) const FORGET_JOBS: &str = "DELETE FROM jobs WHERE id IN (\
     SELECT id FROM jobs WHERE state = 'done' AND due_at < $1 ORDER BY due_at LIMIT $2)";

pub(super) const FORGET_EVENTS: &str = "DELETE FROM provider_events WHERE (provider, event) IN (\
     SELECT provider, event FROM provider_events WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)";

/// Two nodes that ask at once take turns at the row; the later one finds it held.
pub(super) const CLAIM_KEY: &str = concat!(
    "UPDATE jobs SET node = $1, lease_until = $3, tries = tries + 1 \
     WHERE key = $4 AND state = 'open' AND (lease_until IS NULL OR lease_until <= $2) AND kind IN ",
    known_kinds!(),
    " RETURNING id, partner, kind, subject, due_at, tries, key"
);

pub(super) const FINISH: &str = "UPDATE jobs SET state = 'done', node = NULL, lease_until = NULL \
     WHERE id = $1 AND node = $2 AND state = 'open'";

pub(super) const POSTPONE: &str = "UPDATE jobs SET due_at = $3, reason = $4, node = NULL, lease_until = NULL \
     WHERE id = $1 AND node = $2 AND state = 'open'";

pub(super) const REVIVE: &str = "UPDATE jobs SET state = 'open', due_at = $2, tries = 0, reason = NULL \
     WHERE key = $1 AND state = 'given_up'";

pub(super) const GIVE_UP: &str = "UPDATE jobs SET state = 'given_up', reason = $3, node = NULL, lease_until = NULL \
     WHERE id = $1 AND node = $2 AND state = 'open'";

/// A job that is held becomes due again when its lease ends: whoever sleeps until then does not spin.
pub(super) const NEXT_DUE: &str = concat!(
    "SELECT MIN(CASE WHEN lease_until IS NOT NULL AND lease_until > due_at THEN lease_until ELSE due_at END) \
     FROM jobs WHERE state = 'open' AND kind IN ",
    known_kinds!()
);

pub(super) const PIN: &str =
    "SELECT digest, wrong, wrong_at, chosen_at FROM subscriber_pins WHERE partner = $1 AND tag = $2";

/// Of two codes the one chosen last stays. A right entry sets the tries back; of two wrong ones that cross, the later stays.
pub(super) const KEEP_PIN: &str = "INSERT INTO subscriber_pins (partner, tag, digest, wrong, wrong_at, chosen_at, kept_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (partner, tag) DO UPDATE SET digest = excluded.digest, wrong = excluded.wrong, \
     wrong_at = excluded.wrong_at, chosen_at = excluded.chosen_at, kept_at = excluded.kept_at \
     WHERE excluded.chosen_at > subscriber_pins.chosen_at OR (excluded.chosen_at = subscriber_pins.chosen_at \
     AND (subscriber_pins.digest <> excluded.digest OR excluded.wrong_at >= subscriber_pins.wrong_at))";

pub(super) const FORGET_PIN: &str = "DELETE FROM subscriber_pins WHERE partner = $1 AND tag = $2";
