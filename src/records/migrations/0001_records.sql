-- The durable truth: partners, consents, submissions, links, and the work that must not be lost.
--
-- Written in the dialect that SQLite and PostgreSQL share (where PostgreSQL says BYTEA, this says BLOB):
--   * every moment is a BIGINT, milliseconds since the Unix epoch, UTC;
--   * every id is a BLOB of 16 bytes; every tag and digest a BLOB of 32 bytes;
--   * words (states, kinds, steps) are lower-case TEXT, spelt in src/records/words.rs;
--   * "sealed" bytes are opaque here: no key ever comes near the database.
-- Every row carries its partner, and foreign keys carry it along, so that no row can point across partners.
-- Migrations only ever add: a server of the version before must go on working on this schema.

CREATE TABLE partners (
    id         BLOB   NOT NULL PRIMARY KEY, -- the partner
    name       TEXT   NOT NULL,             -- the name shown to people
    purpose    TEXT   NOT NULL,             -- what the data are for, as shown in the consent
    created_at BIGINT NOT NULL              -- ms; when it was first seen
);

CREATE TABLE provider_credentials (
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose keys these are
    provider   TEXT   NOT NULL,                          -- the provider's name
    sealed     BLOB   NOT NULL,                          -- the credentials, sealed
    updated_at BIGINT NOT NULL,                          -- ms; when these were kept
    PRIMARY KEY (partner, provider)
);

CREATE TABLE intents (
    id         BLOB   NOT NULL PRIMARY KEY,              -- the request
    partner    BLOB   NOT NULL REFERENCES partners (id), -- who asked
    created_at BIGINT NOT NULL,                          -- ms; for a walk-in, when the first consent was given
    UNIQUE (id, partner)
);

CREATE TABLE consents (
    id        BLOB   NOT NULL PRIMARY KEY, -- the consent
    intent    BLOB   NOT NULL,             -- for which request
    partner   BLOB   NOT NULL,             -- to whom
    tag       BLOB   NOT NULL,             -- who: the keyed digest of the number
    msisdn    BLOB   NOT NULL,             -- the number, sealed
    text      TEXT   NOT NULL,             -- the exact words that stood on the screen
    version   TEXT   NOT NULL,             -- digest of that message in its language
    locale    TEXT   NOT NULL,             -- BCP 47 tag of the language it stood in
    channel   TEXT   NOT NULL,             -- the channel it stood on
    agreed_at BIGINT NOT NULL,             -- ms; when it was agreed to
    UNIQUE (id, partner),
    FOREIGN KEY (intent, partner) REFERENCES intents (id, partner)
);

CREATE TABLE attempts (
    id               BLOB   NOT NULL PRIMARY KEY, -- one submission of secrets
    partner          BLOB   NOT NULL,             -- on whose behalf
    tag              BLOB   NOT NULL,             -- who
    nth              BIGINT NOT NULL,             -- which submission of this person at this partner, from 1: the order
                                                  -- of writing, which no clock can turn round
    session          BLOB   NOT NULL,             -- the try at linking it belongs to
    consent          BLOB   NOT NULL,             -- what allows it
    provider         TEXT   NOT NULL,             -- the provider's name
    institution      TEXT   NOT NULL,             -- the institution's id at the provider
    institution_name TEXT   NOT NULL,             -- the institution's name, as shown
    step             TEXT   NOT NULL,             -- which call: login, code, choose
    provider_session BLOB   NOT NULL,             -- the provider's session, sealed
    renews           BLOB,                        -- the link being renewed, if this is a reauthorisation
    state            TEXT   NOT NULL,             -- where it stands; moves only forward
    sealed_grant     BLOB,                        -- what is to be redeemed, sealed; wiped once redeemed or undone
    created_at       BIGINT NOT NULL,             -- ms; when it was begun
    moved_at         BIGINT NOT NULL,             -- ms; when its state last changed
    UNIQUE (id, partner),
    UNIQUE (partner, tag, nth),
    FOREIGN KEY (consent, partner) REFERENCES consents (id, partner)
);

CREATE TABLE links (
    id               BLOB   NOT NULL PRIMARY KEY, -- the link
    partner          BLOB   NOT NULL,             -- whose
    tag              BLOB   NOT NULL,             -- who
    nth              BIGINT NOT NULL,             -- which link of this person at this partner, from 1
    consent          BLOB   NOT NULL,             -- what allows it
    attempt          BLOB   NOT NULL UNIQUE,      -- the submission that made it: one link an attempt
    provider         TEXT   NOT NULL,             -- the provider's name
    institution      TEXT   NOT NULL,             -- the institution's id at the provider
    institution_name TEXT   NOT NULL,             -- the institution's name
    state            TEXT   NOT NULL,             -- active, reauth_required, removing, removed
    created_at       BIGINT NOT NULL,             -- ms; when it was made
    moved_at         BIGINT NOT NULL,             -- ms; when its state last changed
    UNIQUE (id, partner),
    UNIQUE (partner, tag, nth),
    FOREIGN KEY (consent, partner) REFERENCES consents (id, partner),
    FOREIGN KEY (attempt, partner) REFERENCES attempts (id, partner)
);

CREATE INDEX links_newest ON links (partner, created_at, id);

CREATE TABLE linked_accounts (
    id             BLOB   NOT NULL PRIMARY KEY, -- the account under the link
    partner        BLOB   NOT NULL,             -- whose
    link           BLOB   NOT NULL,             -- the link it stands under
    place          BIGINT NOT NULL,             -- its place in the provider's list, from 0
    account        BLOB   NOT NULL,             -- the provider's account id, sealed
    account_digest BLOB   NOT NULL,             -- keyed digest of that id: recognises it in webhooks
    masked         TEXT,                        -- the last digits of the number, once read
    number_digest  BLOB,                        -- keyed digest of institution and number, once read
    holder         BLOB,                        -- the holder's name, sealed, once read
    kind           TEXT,                        -- the provider's word for its type
    currency       TEXT,                        -- ISO 4217 code
    UNIQUE (link, place),
    FOREIGN KEY (link, partner) REFERENCES links (id, partner)
);

CREATE INDEX linked_accounts_digest ON linked_accounts (account_digest);
CREATE INDEX linked_accounts_number ON linked_accounts (partner, number_digest);

CREATE TABLE jobs (
    id          BLOB   NOT NULL PRIMARY KEY,              -- the job
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    kind        TEXT   NOT NULL,                          -- what to do: redeem, read_accounts, unlink, settle
    subject     BLOB   NOT NULL,                          -- the id of what it is done to: an attempt or a link
    key         TEXT   NOT NULL UNIQUE,                   -- the fact that asks for it; stays taken when the job is done
    state       TEXT   NOT NULL,                          -- open, done, given_up
    due_at      BIGINT NOT NULL,                          -- ms; not before
    tries       BIGINT NOT NULL,                          -- how often it was taken
    node        BLOB,                                     -- who holds it, if anybody
    lease_until BIGINT,                                   -- ms; from then on anybody may take it again
    reason      TEXT                                      -- stable word: why it was last postponed or given up
);

CREATE INDEX jobs_open ON jobs (due_at) WHERE state = 'open';

CREATE TABLE provider_events (
    provider TEXT   NOT NULL, -- the provider's name
    event    TEXT   NOT NULL, -- what makes it the same event when it comes twice
    seen_at  BIGINT NOT NULL, -- ms; when it first came
    PRIMARY KEY (provider, event)
);

-- No foreign key and no unique column: an event is written down whatever else is missing.
CREATE TABLE audit (
    partner     BLOB   NOT NULL, -- whose
    tag         BLOB,            -- whom it concerns, if anybody
    kind        TEXT   NOT NULL, -- stable word, such as link.created
    detail      TEXT   NOT NULL, -- a few words more; never personal
    happened_at BIGINT NOT NULL  -- ms; when
);

CREATE INDEX audit_newest ON audit (partner, happened_at);

-- One row, counted up by the readiness check: only a commit proves that the disk takes writes.
CREATE TABLE heartbeat (
    id    BIGINT NOT NULL PRIMARY KEY, -- always 1
    beats BIGINT NOT NULL              -- how often it was asked
);

INSERT INTO heartbeat (id, beats) VALUES (1, 0);
