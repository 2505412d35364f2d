-- People's own codes for phones that others use too.

CREATE TABLE subscriber_pins (
    partner  BLOB   NOT NULL REFERENCES partners (id), -- at whose menu
    tag      BLOB   NOT NULL,                          -- whose
    digest   BLOB   NOT NULL,                          -- keyed digest of number and code, 32 bytes
    wrong    BIGINT NOT NULL,                          -- wrong tries since the last right one
    wrong_at BIGINT NOT NULL,                          -- ms; when the last of them was
    kept_at  BIGINT NOT NULL,                          -- ms; when this row was last written
    PRIMARY KEY (partner, tag)
);
