-- Texts to people, what they want of us, and reports that came before we knew what they were about.

CREATE TABLE messages (
    id         BLOB   NOT NULL PRIMARY KEY,              -- the text
    partner    BLOB   NOT NULL REFERENCES partners (id), -- on whose behalf
    tag        BLOB   NOT NULL,                          -- to whom
    kind       TEXT   NOT NULL,                          -- hand_over, reply
    key        TEXT   NOT NULL,                          -- the fact it tells: one text a fact
    line       TEXT   NOT NULL,                          -- the SMS gateway as the configuration names it
    state      TEXT   NOT NULL,                          -- where it stands; moves only forward
    reason     TEXT,                                     -- why it was withheld or failed
    sealed     BLOB,                                     -- number and words, sealed; wiped once it has left or never will
    gateway_id TEXT,                                     -- the gateway's id of it
    tries      BIGINT NOT NULL,                          -- how often it was handed to the gateway
    created_at BIGINT NOT NULL,                          -- ms; when it was written
    updated_at BIGINT NOT NULL,                          -- ms; when its state last changed
    expires_at BIGINT NOT NULL,                          -- ms; from then on it is not sent any more
    UNIQUE (partner, key)
);

CREATE INDEX messages_by_gateway_id ON messages (line, gateway_id);
CREATE INDEX messages_of_a_person ON messages (partner, tag, created_at);

-- A gateway may report before its answer to the send has been written down. Kept for a day.
CREATE TABLE early_reports (
    line       TEXT   NOT NULL, -- the SMS gateway as the configuration names it
    gateway_id TEXT   NOT NULL, -- its id of the text
    state      TEXT   NOT NULL, -- the furthest state reported
    reason     TEXT,            -- why it failed
    seen_at    BIGINT NOT NULL, -- ms; when it first came
    PRIMARY KEY (line, gateway_id)
);

CREATE INDEX early_reports_oldest ON early_reports (seen_at);

-- Who wants no texts. Nobody is in here who never said anything.
CREATE TABLE text_wishes (
    partner    BLOB   NOT NULL REFERENCES partners (id), -- from whom
    tag        BLOB   NOT NULL,                          -- who
    stopped    BIGINT NOT NULL,                          -- 1: wants none; 0: wants them again
    changed_at BIGINT NOT NULL,                          -- ms; when they said so
    PRIMARY KEY (partner, tag)
);
