-- Who may call on behalf of a partner, and what they may do.

ALTER TABLE partners ADD COLUMN days BIGINT NOT NULL DEFAULT 90;   -- for how many days people agree, where an intent does not say
ALTER TABLE partners ADD COLUMN walk_in BIGINT NOT NULL DEFAULT 0; -- 1: offered to whoever dials the plain code

-- Keys that name a partner. At most two secret ones are valid at a time, so that one can replace the other in service.
CREATE TABLE partner_keys (
    digest     BLOB   NOT NULL PRIMARY KEY,              -- SHA-256 of the key: 256 random bits need no slow hash
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose
    kind       TEXT   NOT NULL,                          -- secret, publishable
    hint       TEXT   NOT NULL,                          -- its last four characters, to tell keys apart
    created_at BIGINT NOT NULL,                          -- ms
    until      BIGINT                                    -- ms; from then on it opens nothing
);

CREATE INDEX partner_keys_of ON partner_keys (partner, kind, created_at);

CREATE TABLE roles (
    id          BLOB   NOT NULL PRIMARY KEY,              -- the role
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    entity      BLOB,                                     -- only for users of this entity; none: for all of the partner's
    name        TEXT   NOT NULL,                          -- as the partner calls it
    permissions TEXT   NOT NULL,                          -- JSON: object to action to permission
    created_by  BLOB,                                     -- the user who made it, if a user did
    created_at  BIGINT NOT NULL,                          -- ms
    updated_at  BIGINT NOT NULL,                          -- ms
    deleted_at  BIGINT,                                   -- ms; from then on nobody has it
    UNIQUE (id, partner)
);

CREATE INDEX roles_newest ON roles (partner, created_at, id);

CREATE TABLE entities (
    id           BLOB   NOT NULL PRIMARY KEY,              -- a brand or branch
    partner      BLOB   NOT NULL REFERENCES partners (id), -- whose
    name         TEXT   NOT NULL,                          -- as people know it
    default_role BLOB,                                     -- what its users may do who have no role of their own
    created_at   BIGINT NOT NULL,                          -- ms
    updated_at   BIGINT NOT NULL,                          -- ms
    deleted_at   BIGINT,                                   -- ms; from then on nothing new is made in it
    UNIQUE (id, partner),
    FOREIGN KEY (default_role, partner) REFERENCES roles (id, partner)
);

CREATE INDEX entities_newest ON entities (partner, created_at, id);

CREATE TABLE users (
    id         BLOB   NOT NULL PRIMARY KEY, -- somebody who works for the partner
    partner    BLOB   NOT NULL,             -- for whom
    entity     BLOB   NOT NULL,             -- where
    login      TEXT   NOT NULL,             -- as the partner's own system knows them
    name       TEXT   NOT NULL,             -- as shown to colleagues
    role       BLOB,                        -- what they may do; none: their entity's default
    created_by BLOB,                        -- the user who made them, if a user did
    created_at BIGINT NOT NULL,             -- ms
    updated_at BIGINT NOT NULL,             -- ms
    deleted_at BIGINT,                      -- ms; from then on they have no tokens
    UNIQUE (id, partner),
    FOREIGN KEY (entity, partner) REFERENCES entities (id, partner),
    FOREIGN KEY (role, partner) REFERENCES roles (id, partner)
);

CREATE INDEX users_newest ON users (partner, created_at, id);

CREATE UNIQUE INDEX users_login ON users (partner, entity, login) WHERE deleted_at IS NULL;

CREATE TABLE tokens (
    digest     BLOB   NOT NULL PRIMARY KEY,              -- SHA-256 of the token
    partner    BLOB   NOT NULL REFERENCES partners (id), -- for whom it speaks
    user_id    BLOB,                                     -- for which of its users; none: for the partner itself
    created_at BIGINT NOT NULL,                          -- ms
    expires_at BIGINT NOT NULL,                          -- ms; from then on it opens nothing
    revoked_at BIGINT,                                   -- ms; likewise
    FOREIGN KEY (user_id, partner) REFERENCES users (id, partner)
);

CREATE INDEX tokens_expired ON tokens (expires_at);
CREATE INDEX tokens_of ON tokens (partner, expires_at);

-- What was answered to a request with an idempotency key, for a day.
CREATE TABLE idempotency (
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    caller      BLOB   NOT NULL,                          -- the user, or the partner itself
    key         BLOB   NOT NULL,                          -- keyed digest of the key
    request     BLOB   NOT NULL,                          -- keyed digest of method, path, entity and body: another request is refused
    status      BIGINT,                                   -- the answer's status; none while it is worked on
    sealed      BLOB,                                     -- the answer's body, sealed: it may hold a secret shown once
    created_at  BIGINT NOT NULL,                          -- ms; when it was first asked
    lease_until BIGINT NOT NULL,                          -- ms; from then on another try may take it over
    PRIMARY KEY (partner, caller, key)
);

CREATE INDEX idempotency_oldest ON idempotency (created_at);

-- What users and partners do is in the audit trail, too. Events from before have no id and are not listed by the API.
ALTER TABLE audit ADD COLUMN id BLOB;      -- the event
ALTER TABLE audit ADD COLUMN entity BLOB;  -- in which entity, if in one
ALTER TABLE audit ADD COLUMN user_id BLOB; -- by which user, if by one
