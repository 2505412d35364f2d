-- People's right to be forgotten, and what is found by whose it is when they use it.

CREATE TABLE erasures (
    id        BLOB   NOT NULL PRIMARY KEY,              -- the erasure
    partner   BLOB   NOT NULL REFERENCES partners (id), -- whose rows are blanked
    tag       BLOB,                                     -- who is erased; none once it is done
    pseudonym BLOB   NOT NULL,                          -- random; stands where their tag stood, and leads nowhere
    state     TEXT   NOT NULL,                          -- begun, blanked, done; moves only forward
    waits     TEXT,                                     -- stable word: what it last had to wait for
    begun_at  BIGINT NOT NULL,                          -- ms
    moved_at  BIGINT NOT NULL                           -- ms; when its state last changed
);

-- Asked for twice, a person is erased once.
CREATE UNIQUE INDEX erasures_open ON erasures (partner, tag) WHERE tag IS NOT NULL;
CREATE INDEX erasures_newest ON erasures (begun_at, id);

CREATE INDEX consents_of_a_person ON consents (partner, tag);
CREATE INDEX audit_of_a_person ON audit (partner, tag) WHERE tag IS NOT NULL;
CREATE INDEX link_intents_addressed ON link_intents (partner, tag) WHERE tag IS NOT NULL;
CREATE INDEX consents_of_an_intent ON consents (intent);
