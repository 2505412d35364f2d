-- Who wants a text when an institution is back, and what shows that it is.

CREATE TABLE bank_wishes (
    id            BLOB   NOT NULL PRIMARY KEY,              -- the wish
    partner       BLOB   NOT NULL REFERENCES partners (id), -- on whose behalf the text is sent
    tag           BLOB   NOT NULL,                          -- who
    provider      TEXT   NOT NULL,                          -- the provider's name
    institution   TEXT   NOT NULL,                          -- the institution's id at the provider
    watch         BLOB   NOT NULL,                          -- the job that looks for it, with all who wait there
    watched_since BIGINT NOT NULL,                          -- ms; when that began
    sealed        BLOB   NOT NULL,                          -- number, language and channel, sealed
    needs_login   BIGINT NOT NULL,                          -- 1: only a login shows that it is back; 0: so does a session
    asked_at      BIGINT NOT NULL,                          -- ms; when it was asked for
    until         BIGINT NOT NULL,                          -- ms; from then on it is forgotten
    told_at       BIGINT,                                   -- ms; when its text was written, if it was
    UNIQUE (partner, tag, provider, institution)
);

CREATE INDEX bank_wishes_watched ON bank_wishes (watch, asked_at);
CREATE INDEX bank_wishes_over ON bank_wishes (until);

-- Whether anybody has logged in at an institution lately.
CREATE INDEX attempts_taken ON attempts (partner, provider, institution, created_at)
    WHERE step = 'login' AND state IN ('accepted', 'granted', 'linked');
