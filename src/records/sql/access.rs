//! Statements about keys and tokens.

pub(in crate::records) const ADD_PARTNER: &str = "INSERT INTO partners (id, name, purpose, days, walk_in, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (id) DO NOTHING";

pub(in crate::records) const PUT_KEY: &str = "INSERT INTO partner_keys (digest, partner, kind, hint, created_at, until) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (digest) DO UPDATE SET partner = excluded.partner, kind = excluded.kind, hint = excluded.hint, \
     created_at = excluded.created_at, until = excluded.until";

/// The one in use until now has its time limited; one that was on its way out is over.
pub(in crate::records) const RETIRE_KEYS: &str = "UPDATE partner_keys SET until = CASE WHEN until IS NULL THEN $5 ELSE $4 END \
     WHERE partner = $1 AND kind = $2 AND digest <> $3 AND (until IS NULL OR until > $4)";

pub(in crate::records) const REVOKE_TOKENS: &str =
    "UPDATE tokens SET revoked_at = $2 WHERE partner = $1 AND expires_at > $2 AND revoked_at IS NULL";

pub(in crate::records) const KEY: &str = "SELECT digest, partner, kind, hint, created_at, until FROM partner_keys \
     WHERE digest = $1 AND (until IS NULL OR until > $2)";

pub(in crate::records) const KEYS: &str = "SELECT digest, partner, kind, hint, created_at, until FROM partner_keys \
     WHERE partner = $1 ORDER BY created_at DESC, digest";

/// A user who is not there, or is deleted, gets no token.
pub(in crate::records) const ADD_TOKEN: &str = "INSERT INTO tokens (digest, partner, user_id, created_at, expires_at) \
     SELECT $1, p.id, $3, $4, $5 FROM partners p WHERE p.id = $2 \
     AND ($3 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = $3 AND partner = $2 AND deleted_at IS NULL))";

/// What a role that was deleted allowed, nobody may do.
pub(in crate::records) const BEARER: &str = "SELECT t.partner, t.user_id, t.expires_at, u.entity, r.permissions FROM tokens t \
     LEFT JOIN users u ON u.id = t.user_id AND u.partner = t.partner AND u.deleted_at IS NULL \
     LEFT JOIN entities e ON e.id = u.entity AND e.partner = u.partner AND e.deleted_at IS NULL \
     LEFT JOIN roles r ON r.id = COALESCE(u.role, e.default_role) AND r.partner = t.partner AND r.deleted_at IS NULL \
     WHERE t.digest = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL \
     AND (t.user_id IS NULL OR e.id IS NOT NULL)";

pub(in crate::records) const REVOKE_TOKEN: &str =
    "UPDATE tokens SET revoked_at = $3 WHERE digest = $2 AND partner = $1 AND revoked_at IS NULL";

pub(in crate::records) const FORGET_TOKENS: &str = "DELETE FROM tokens WHERE digest IN (\
     SELECT digest FROM tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

pub(in crate::records) const REQUEST: &str = "SELECT request, status, sealed, created_at, lease_until FROM idempotency WHERE partner = $1 AND caller = $2 AND key = $3";

pub(in crate::records) const TAKE_REQUEST: &str = "INSERT INTO idempotency (partner, caller, key, request, created_at, lease_until) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner, caller, key) DO UPDATE SET request = excluded.request, \
     status = NULL, sealed = NULL, created_at = excluded.created_at, lease_until = excluded.lease_until";

pub(in crate::records) const KEEP_ANSWER: &str = "UPDATE idempotency SET status = $4, sealed = $5 \
     WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL";

pub(in crate::records) const RELEASE_REQUEST: &str = "UPDATE idempotency SET lease_until = 0 WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL AND lease_until = $4";

pub(in crate::records) const UNDO_REQUEST: &str =
    "DELETE FROM idempotency WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL AND lease_until = $4";

pub(in crate::records) const FORGET_REQUESTS: &str = "DELETE FROM idempotency WHERE (partner, caller, key) IN (\
     SELECT partner, caller, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
