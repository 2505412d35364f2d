//! Statements that forget. Where not said otherwise, `$1` is the moment before which it was over, `$2` how many.

pub(in crate::records) const OLD_LINKS: &str = "SELECT id, attempt, consent, moved_at FROM links \
     WHERE state = 'removed' AND moved_at < $1 ORDER BY moved_at LIMIT $2";

/// `$1` is the link.
pub(in crate::records) const DROP_ACCOUNTS: &str = "DELETE FROM linked_accounts WHERE link = $1";

/// `$1` is the link.
pub(in crate::records) const DROP_LINK: &str = "DELETE FROM links WHERE id = $1 AND state = 'removed'";

/// `$1` is the consent, `$2` when its link was removed.
pub(in crate::records) const CONSENT_OVER: &str =
    "UPDATE consents SET over_at = CASE WHEN over_at > $2 THEN over_at ELSE $2 END WHERE id = $1";

/// The conditions of the index come first, word for word.
pub(in crate::records) const OLD_ATTEMPTS: &str = "SELECT id, consent FROM attempts \
     WHERE state NOT IN ('open', 'sending', 'unknown', 'granted') AND (state <> 'linked' OR renews IS NOT NULL) \
     AND moved_at < $1 AND NOT EXISTS (SELECT 1 FROM links WHERE attempt = attempts.id) ORDER BY moved_at LIMIT $2";

/// `$1` is the submission.
pub(in crate::records) const DROP_ATTEMPT: &str = "DELETE FROM attempts WHERE id = $1 \
     AND state NOT IN ('open', 'sending', 'unknown', 'granted') \
     AND NOT EXISTS (SELECT 1 FROM links WHERE attempt = attempts.id)";

pub(in crate::records) const OLD_CONSENTS: &str = "SELECT id FROM consents WHERE over_at IS NOT NULL AND over_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM attempts WHERE consent = consents.id) \
     AND NOT EXISTS (SELECT 1 FROM links WHERE consent = consents.id) ORDER BY over_at LIMIT $2";

/// `$1` is the consent.
pub(in crate::records) const DROP_CONSENT: &str = "DELETE FROM consents WHERE id = $1 \
     AND NOT EXISTS (SELECT 1 FROM attempts WHERE consent = consents.id) \
     AND NOT EXISTS (SELECT 1 FROM links WHERE consent = consents.id) RETURNING intent";

/// `$1` is the consent: it goes now only if no link ever came of it.
pub(in crate::records) const DROP_VAIN_CONSENT: &str = "DELETE FROM consents WHERE id = $1 AND over_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM attempts WHERE consent = consents.id) \
     AND NOT EXISTS (SELECT 1 FROM links WHERE consent = consents.id) RETURNING intent";

/// `$1` is the request.
pub(in crate::records) const DROP_COMPLETED: &str = "DELETE FROM link_intents WHERE id = $1 AND state = 'completed' \
     AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = link_intents.id)";

/// `$1` is the request, which nobody has made or answered any more.
pub(in crate::records) const DROP_INTENT: &str = "DELETE FROM intents WHERE id = $1 \
     AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = intents.id) \
     AND NOT EXISTS (SELECT 1 FROM link_intents WHERE id = intents.id)";

pub(in crate::records) const OLD_INTENTS: &str = "SELECT id FROM link_intents \
     WHERE state IN ('cancelled', 'expired', 'mismatched') AND moved_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM consents WHERE intent = link_intents.id) ORDER BY moved_at LIMIT $2";

/// `$1` is the request.
pub(in crate::records) const DROP_CLOSED: &str = "DELETE FROM link_intents WHERE id = $1 AND state <> 'open'";

pub(in crate::records) const FORGET_MESSAGES: &str = "DELETE FROM messages WHERE id IN (\
     SELECT id FROM messages WHERE created_at < $1 AND state NOT IN ('queued', 'sending') ORDER BY created_at LIMIT $2)";

/// Its rows have no names: a moment is found before which there are no more of them than may go, but for those of the same
/// millisecond.
pub(in crate::records) const FORGET_AUDIT: &str = "DELETE FROM audit WHERE happened_at < $1 AND happened_at <= (\
     SELECT MAX(happened_at) FROM (\
     SELECT happened_at FROM audit WHERE happened_at < $1 ORDER BY happened_at LIMIT $2) oldest)";

/// Events that others of the same subject follow.
macro_rules! old_events {
    () => {
        "SELECT id FROM events WHERE created_at < $1 AND EXISTS (SELECT 1 FROM events later \
         WHERE later.partner = events.partner AND later.subject = events.subject AND later.seq > events.seq) \
         ORDER BY created_at LIMIT $2"
    };
}

pub(in crate::records) const FORGET_DELIVERIES: &str =
    concat!("DELETE FROM deliveries WHERE event IN (", old_events!(), ")");

/// After their deliveries.
pub(in crate::records) const FORGET_EVENTS: &str = concat!(
    "DELETE FROM events WHERE id IN (",
    old_events!(),
    ") AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.id)"
);

pub(in crate::records) const FORGET_TOKENS: &str = "DELETE FROM tokens WHERE digest IN (\
     SELECT digest FROM tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

pub(in crate::records) const FORGET_ANSWERS: &str = "DELETE FROM idempotency WHERE (partner, caller, key) IN (\
     SELECT partner, caller, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

pub(in crate::records) const FORGET_ERASURES: &str = "DELETE FROM erasures WHERE id IN (\
     SELECT id FROM erasures WHERE state = 'done' AND moved_at < $1 ORDER BY moved_at LIMIT $2)";
