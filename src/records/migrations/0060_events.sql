-- What partners are told, where, and how far that has come.

CREATE TABLE webhook_endpoints (
    id         BLOB   NOT NULL PRIMARY KEY,              -- where a partner receives
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose
    entity     BLOB,                                     -- only what happens in this entity; none: all of the partner's
    url        TEXT   NOT NULL,                          -- https, but on loopback in the sandbox
    kinds      TEXT   NOT NULL,                          -- which kinds of events, with commas between; empty: all
    state      TEXT   NOT NULL,                          -- enabled, disabled, deleted
    reason     TEXT,                                     -- stable word: why it was disabled
    created_by BLOB,                                     -- the user who made it, if a user did
    created_at BIGINT NOT NULL,                          -- ms
    updated_at BIGINT NOT NULL,                          -- ms
    UNIQUE (id, partner),
    FOREIGN KEY (entity, partner) REFERENCES entities (id, partner)
);

-- At most two are valid at a time: what is sent is signed with each.
CREATE TABLE webhook_secrets (
    id         BLOB   NOT NULL PRIMARY KEY, -- the secret; part of the place its sealed form is bound to
    endpoint   BLOB   NOT NULL,             -- of which endpoint
    partner    BLOB   NOT NULL,             -- whose
    sealed     BLOB   NOT NULL,             -- the secret, sealed
    created_at BIGINT NOT NULL,             -- ms
    until      BIGINT,                      -- ms; from then on nothing is signed with it
    FOREIGN KEY (endpoint, partner) REFERENCES webhook_endpoints (id, partner)
);

CREATE INDEX webhook_secrets_of ON webhook_secrets (endpoint, created_at);

-- Written in the transaction of the fact it tells.
CREATE TABLE events (
    id         BLOB   NOT NULL PRIMARY KEY,              -- the event; the webhook's id, on every try
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whom it is told
    entity     BLOB,                                     -- in which entity it happened
    created_by BLOB,                                     -- the user whose intent it grew out of
    kind       TEXT   NOT NULL,                          -- such as link.created
    subject    BLOB   NOT NULL,                          -- the link, intent or connect session it is about
    seq        BIGINT NOT NULL,                          -- which event about that subject, from 1
    data       TEXT   NOT NULL,                          -- JSON: ids and states, nothing personal
    key        TEXT   NOT NULL UNIQUE,                   -- the transition it tells: one event each
    created_at BIGINT NOT NULL,                          -- ms; when it happened
    UNIQUE (id, partner),
    UNIQUE (partner, subject, seq)
);

CREATE INDEX events_newest ON events (partner, created_at, id);

-- How many events there are about something: who tells the next one holds the row.
CREATE TABLE event_subjects (
    partner BLOB   NOT NULL REFERENCES partners (id), -- whom it is told
    subject BLOB   NOT NULL,                          -- the link, intent or connect session
    seq     BIGINT NOT NULL,                          -- the last event's
    PRIMARY KEY (partner, subject)
);

CREATE TABLE deliveries (
    id         BLOB   NOT NULL PRIMARY KEY, -- one event on its way to one endpoint
    partner    BLOB   NOT NULL,             -- whose
    event      BLOB   NOT NULL,             -- what
    endpoint   BLOB   NOT NULL,             -- where
    state      TEXT   NOT NULL,             -- pending, delivered, failed
    round      BIGINT NOT NULL,             -- how often somebody asked for it to be sent again, after it had ended
    tries      BIGINT NOT NULL,             -- how often it was sent in this round
    status     BIGINT,                      -- HTTP status of the last answer, if there was one
    reason     TEXT,                        -- stable word: why the last try failed
    due_at     BIGINT,                      -- ms; not before; none once it has ended
    created_at BIGINT NOT NULL,             -- ms; when this round was begun
    updated_at BIGINT NOT NULL,             -- ms
    UNIQUE (event, endpoint),
    FOREIGN KEY (event, partner) REFERENCES events (id, partner),
    FOREIGN KEY (endpoint, partner) REFERENCES webhook_endpoints (id, partner)
);

CREATE INDEX deliveries_taken ON deliveries (endpoint, updated_at) WHERE state = 'delivered';

-- Jobs of one lane hold up each other only: what goes to one receiver.
ALTER TABLE jobs ADD COLUMN lane BLOB;

CREATE INDEX jobs_of_lane ON jobs (lane, due_at) WHERE state = 'open';
