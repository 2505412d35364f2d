-- A link to an account that the partner expects is compared before anybody is told of it.

ALTER TABLE links ADD COLUMN untold BIGINT NOT NULL DEFAULT 0; -- 1: it was never in use, so its partner was never told of it
