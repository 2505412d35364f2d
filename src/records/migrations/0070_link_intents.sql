-- What partners ask for. A walk-in's implicit intent has a row in `intents` only; one that a partner made has one here too.

CREATE TABLE link_intents (
    id           BLOB   NOT NULL PRIMARY KEY, -- the request
    partner      BLOB   NOT NULL,             -- who asks
    entity       BLOB,                        -- for which entity
    created_by   BLOB,                        -- the user who made it, if a user did
    state        TEXT   NOT NULL,             -- open, completed, cancelled, expired, mismatched
    purpose      TEXT   NOT NULL,             -- what the data are for, as shown in the consent
    days         BIGINT NOT NULL,             -- for how many days
    scope        TEXT   NOT NULL,             -- which data, with commas between: account, balance, transactions, identity
    reference    TEXT,                        -- the partner's own name for it
    tag          BLOB,                        -- the only person who may use it; none: whoever has the code
    msisdn       BLOB,                        -- their number, sealed
    code_digest  BLOB   UNIQUE,               -- keyed digest of the code to dial; none where the number is enough, and once it is over
    code         BLOB,                        -- the code, sealed: the partner may read it again
    institution  TEXT,                        -- the only institution, by our key for it; none: any
    locale       TEXT,                        -- the language to begin in, BCP 47; none: the person's own
    many         BIGINT NOT NULL,             -- 1: may be used by more than one person
    expected     BLOB,                        -- sealed: the account number and holder name it must turn out to be
    renews       BLOB,                        -- the link to be logged in to again, if that is what is asked
    links        BIGINT NOT NULL,             -- how many links have come of it
    created_at   BIGINT NOT NULL,             -- ms
    moved_at     BIGINT NOT NULL,             -- ms; when its state last changed
    expires_at   BIGINT NOT NULL,             -- ms; from then on it cannot be begun
    UNIQUE (id, partner),
    FOREIGN KEY (id, partner) REFERENCES intents (id, partner),
    FOREIGN KEY (entity, partner) REFERENCES entities (id, partner)
);

CREATE INDEX link_intents_newest ON link_intents (partner, created_at, id);
CREATE INDEX link_intents_of_a_person ON link_intents (tag, created_at) WHERE state = 'open';
