-- Columns that are empty in almost every row are walked through when records are sealed under another key.

CREATE INDEX attempts_granted ON attempts (id) WHERE sealed_grant IS NOT NULL;
CREATE INDEX messages_worded ON messages (id) WHERE sealed IS NOT NULL;
