-- What partners read of what came of their requests.

CREATE INDEX attempts_newest ON attempts (partner, created_at, session);
CREATE INDEX attempts_of_a_session ON attempts (partner, session, nth);
CREATE INDEX link_intents_renewing ON link_intents (renews) WHERE state = 'open';
