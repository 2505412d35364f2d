-- What was done long ago is forgotten, the oldest first.

CREATE INDEX jobs_done ON jobs (due_at) WHERE state = 'done';
CREATE INDEX provider_events_seen ON provider_events (seen_at);
