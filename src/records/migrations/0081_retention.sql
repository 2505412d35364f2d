-- What is over is forgotten after a while, the oldest first; what others still point at stays.

ALTER TABLE consents ADD COLUMN over_at BIGINT; -- ms; when the link it led to had ended, once that link is forgotten

CREATE INDEX consents_over ON consents (over_at) WHERE over_at IS NOT NULL;
CREATE INDEX links_removed ON links (moved_at) WHERE state = 'removed';
CREATE INDEX links_of_a_consent ON links (consent);
CREATE INDEX attempts_of_a_consent ON attempts (consent);
-- Those that made a link go with it.
CREATE INDEX attempts_over ON attempts (moved_at)
    WHERE state NOT IN ('open', 'sending', 'unknown', 'granted') AND (state <> 'linked' OR renews IS NOT NULL);
CREATE INDEX messages_oldest ON messages (created_at);
CREATE INDEX audit_oldest ON audit (happened_at);
CREATE INDEX events_oldest ON events (created_at);
-- Those that were completed go with the consent they led to.
CREATE INDEX link_intents_over ON link_intents (moved_at) WHERE state IN ('cancelled', 'expired', 'mismatched');
