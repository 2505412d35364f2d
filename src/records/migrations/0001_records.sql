-- The durable truth: partners, consents, submissions, links, and the work that must not be lost.
--
-- Written in the dialect that SQLite and PostgreSQL share (where PostgreSQL says BYTEA, this says BLOB):
--   * every moment is a BIGINT, milliseconds since the Unix epoch, UTC;
--   * every id is a BLOB of 16 bytes; every tag and digest a BLOB of 32 bytes;
--   * words (states, kinds, steps) are lower-case TEXT, spelt where src/records declares their type;
--   * "sealed" bytes are opaque here: no key ever comes near the database.
-- Every row carries its partner, and foreign keys carry it along, so that no row can point across partners.
-- Migrations only ever add: a server of the version before must go on working on this schema.

CREATE TABLE partners (
    id         BLOB    NOT NULL PRIMARY KEY, -- the partner
    name       TEXT    NOT NULL,             -- the name shown to people
    purpose    TEXT    NOT NULL,             -- what the data are for: one text, or an object of texts by language
    days       BIGINT  NOT NULL,             -- for how many days people agree, where an intent does not say
    walk_in    BOOLEAN NOT NULL,             -- whether it is offered to anybody who dials the plain code
    contact    TEXT,                         -- the telephone number that people can call for help
    created_at BIGINT  NOT NULL              -- ms; when it was first seen
);

-- Who is offered to anybody who dials the plain code.
CREATE INDEX partners_walk_in ON partners (name, id) WHERE walk_in;

CREATE TABLE provider_credentials (
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose keys these are
    provider   TEXT   NOT NULL,                          -- the provider's name
    sealed     BLOB   NOT NULL,                          -- the credentials, sealed
    updated_at BIGINT NOT NULL,                          -- ms; when these were kept
    matched    BOOLEAN NOT NULL DEFAULT FALSE,           -- whether an account has named the session it was linked in
    PRIMARY KEY (partner, provider)
);

-- What a partner has stated of itself, before live keys at a provider were taken from it: the newest. A row says as well that
-- it is registered and has traded for six months: without these nothing is kept.
CREATE TABLE eligibility (
    partner             BLOB   NOT NULL REFERENCES partners (id), -- who is eligible
    provider            TEXT   NOT NULL,                          -- for this provider
    licensed_partner    TEXT,                                     -- whose licence it works under; NULL: its own
    agreement_signed_on TEXT   NOT NULL,                          -- the day, such as 2026-01-31
    stated_by           TEXT   NOT NULL,                          -- the name of who answers for it: a business contact
    source              TEXT   NOT NULL,                          -- api, command_line, configuration
    stated_at           BIGINT NOT NULL,                          -- ms
    PRIMARY KEY (partner, provider)
);

-- Keys that name a partner. At most two secret ones are valid at a time, so that one can replace the other in service.
CREATE TABLE partner_keys (
    digest     BLOB   NOT NULL PRIMARY KEY,              -- SHA-256 of the key: 256 random bits need no slow hash
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose
    kind       TEXT   NOT NULL,                          -- secret, publishable
    hint       TEXT   NOT NULL,                          -- its last four characters, to tell keys apart
    created_at BIGINT NOT NULL,                          -- ms
    until      BIGINT                                    -- ms; from then on it opens nothing
);

CREATE INDEX partner_keys_of ON partner_keys (partner, kind, created_at);

CREATE TABLE roles (
    id          BLOB   NOT NULL PRIMARY KEY,              -- the role
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    entity      BLOB,                                     -- only for users of this entity; none: for all of the partner's
    name        TEXT   NOT NULL,                          -- as the partner calls it
    permissions TEXT   NOT NULL,                          -- JSON: object to action to permission
    created_by  BLOB,                                     -- the user who made it, if a user did
    created_at  BIGINT NOT NULL,                          -- ms
    updated_at  BIGINT NOT NULL,                          -- ms
    deleted_at  BIGINT,                                   -- ms; from then on nobody has it
    UNIQUE (id, partner)
);

CREATE INDEX roles_newest ON roles (partner, created_at, id);

CREATE TABLE entities (
    id           BLOB   NOT NULL PRIMARY KEY,              -- a brand or branch
    partner      BLOB   NOT NULL REFERENCES partners (id), -- whose
    name         TEXT   NOT NULL,                          -- as people know it
    default_role BLOB,                                     -- what its users may do who have no role of their own
    created_at   BIGINT NOT NULL,                          -- ms
    updated_at   BIGINT NOT NULL,                          -- ms
    deleted_at   BIGINT,                                   -- ms; from then on nothing new is made in it
    UNIQUE (id, partner),
    FOREIGN KEY (default_role, partner) REFERENCES roles (id, partner)
);

CREATE INDEX entities_newest ON entities (partner, created_at, id);

CREATE TABLE users (
    id         BLOB   NOT NULL PRIMARY KEY, -- somebody who works for the partner
    partner    BLOB   NOT NULL,             -- for whom
    entity     BLOB   NOT NULL,             -- where
    login      TEXT   NOT NULL,             -- as the partner's own system knows them
    name       TEXT   NOT NULL,             -- as shown to colleagues
    role       BLOB,                        -- what they may do; none: their entity's default
    created_by BLOB,                        -- the user who made them, if a user did
    created_at BIGINT NOT NULL,             -- ms
    updated_at BIGINT NOT NULL,             -- ms
    deleted_at BIGINT,                      -- ms; from then on they have no tokens
    UNIQUE (id, partner),
    FOREIGN KEY (entity, partner) REFERENCES entities (id, partner),
    FOREIGN KEY (role, partner) REFERENCES roles (id, partner)
);

CREATE INDEX users_newest ON users (partner, created_at, id);
CREATE UNIQUE INDEX users_login ON users (partner, entity, login) WHERE deleted_at IS NULL;

CREATE TABLE tokens (
    digest     BLOB   NOT NULL PRIMARY KEY,              -- SHA-256 of the token
    partner    BLOB   NOT NULL REFERENCES partners (id), -- for whom it speaks
    user_id    BLOB,                                     -- for which of its users; none: for the partner itself
    created_at BIGINT NOT NULL,                          -- ms
    expires_at BIGINT NOT NULL,                          -- ms; from then on it opens nothing
    revoked_at BIGINT,                                   -- ms; likewise
    FOREIGN KEY (user_id, partner) REFERENCES users (id, partner)
);

CREATE INDEX tokens_expired ON tokens (expires_at);
CREATE INDEX tokens_of ON tokens (partner, expires_at);

-- What was answered to a request with an idempotency key, for a day.
CREATE TABLE idempotency (
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    caller      BLOB   NOT NULL,                          -- the user, or the partner itself
    key         BLOB   NOT NULL,                          -- keyed digest of the key
    request     BLOB   NOT NULL,                          -- keyed digest of method, path, entity and body: another request is refused
    status      BIGINT,                                   -- the answer's status; none while it is worked on
    sealed      BLOB,                                     -- the answer's body, sealed: it may hold a secret shown once
    created_at  BIGINT NOT NULL,                          -- ms; when it was first asked
    lease_until BIGINT NOT NULL,                          -- ms; from then on another try may take it over
    PRIMARY KEY (partner, caller, key)
);

CREATE INDEX idempotency_oldest ON idempotency (created_at);

CREATE TABLE intents (
    id         BLOB   NOT NULL PRIMARY KEY,              -- the request
    partner    BLOB   NOT NULL REFERENCES partners (id), -- who asked
    created_at BIGINT NOT NULL,                          -- ms; for a walk-in, when the first consent was given
    UNIQUE (id, partner)
);

-- What partners ask for. A walk-in's implicit intent has a row in `intents` only; one that a partner made has one here too.
CREATE TABLE link_intents (
    id           BLOB   NOT NULL PRIMARY KEY, -- the request
    partner      BLOB   NOT NULL,             -- who asks
    entity       BLOB,                        -- for which entity
    created_by   BLOB,                        -- the user who made it, if a user did
    state        TEXT   NOT NULL,             -- open, completed, cancelled, expired, mismatched
    purpose      TEXT   NOT NULL,             -- what the data are for: one text, or an object of texts by language
    days         BIGINT NOT NULL,             -- for how many days
    scope        TEXT   NOT NULL,             -- which data, with commas between: account, balance, transactions, identity
    reference    TEXT,                        -- the partner's own name for it
    tag          BLOB,                        -- the only person who may use it; none: anybody who has the code
    msisdn       BLOB,                        -- their number, sealed
    code_digest  BLOB   UNIQUE,               -- keyed digest of the code to dial; none where the number is enough, and once it is over
    code         BLOB,                        -- the code, sealed: the partner may read it again
    institution  TEXT,                        -- the only institution, by our key for it; none: any
    locale       TEXT,                        -- the language to begin in, BCP 47; none: the person's own
    many         BOOLEAN NOT NULL,            -- whether it may be used by more than one person
    expected     BLOB,                        -- sealed: the account number and holder name it must turn out to be
    suggested    BLOB,                        -- sealed: the bank, the way to log in, the user name and the account number that are offered
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
CREATE INDEX link_intents_open ON link_intents (partner, expires_at) WHERE state = 'open';
CREATE INDEX link_intents_addressed ON link_intents (partner, tag) WHERE tag IS NOT NULL;
CREATE INDEX link_intents_renewing ON link_intents (renews) WHERE state = 'open';

-- Those that were completed go with the consent they led to.
CREATE INDEX link_intents_over ON link_intents (moved_at) WHERE state IN ('cancelled', 'expired', 'mismatched');

CREATE TABLE consents (
    id        BLOB   NOT NULL PRIMARY KEY, -- the consent
    intent    BLOB   NOT NULL,             -- for which request
    partner   BLOB   NOT NULL,             -- to whom
    tag       BLOB   NOT NULL,             -- who: the keyed digest of the number
    msisdn    BLOB   NOT NULL,             -- the number, sealed
    text      TEXT   NOT NULL,             -- the exact words that stood on the screen
    version   TEXT   NOT NULL,             -- digest of that message in its language
    locale    TEXT   NOT NULL,             -- BCP 47 tag of the language it stood in
    channel   TEXT   NOT NULL,             -- the channel it stood on
    agreed_at BIGINT NOT NULL,             -- ms; when it was agreed to
    purpose   TEXT   NOT NULL,             -- what the data are for, as the words say
    purposes  TEXT,                          -- the same by language, where it was written in several
    days      BIGINT NOT NULL,             -- for how many days from then, as the words say
    scope     TEXT   NOT NULL,             -- which data, with commas between, as the words say
    over_at   BIGINT,                      -- ms; when another took its place; or when the link it led to had ended, once that is deleted
    UNIQUE (id, partner),
    FOREIGN KEY (intent, partner) REFERENCES intents (id, partner)
);

CREATE INDEX consents_of_a_person ON consents (partner, tag);
CREATE INDEX consents_of_an_intent ON consents (intent);
CREATE INDEX consents_over ON consents (over_at) WHERE over_at IS NOT NULL;

CREATE TABLE attempts (
    id               BLOB   NOT NULL PRIMARY KEY, -- one submission of secrets
    partner          BLOB   NOT NULL,             -- on whose behalf
    tag              BLOB   NOT NULL,             -- who
    nth              BIGINT NOT NULL,             -- which submission of this person at this partner, from 1: the order
                                                  -- of writing, which no clock can turn round
    session          BLOB   NOT NULL,             -- the try at linking it belongs to
    series           BLOB   NOT NULL,             -- all submissions that one consent allows, or that one renewal is
    ordinal          BIGINT NOT NULL,             -- which submission of its series, from 1: none is written that is not
                                                  -- after all others; 0 for one that needs no submission
    consent          BLOB   NOT NULL,             -- what allows it
    provider         TEXT   NOT NULL,             -- the provider's name
    institution      TEXT   NOT NULL,             -- our id of the institution
    provider_institution TEXT NOT NULL,           -- the provider's id of it; what shares it is one bank to the limits
    institution_name TEXT   NOT NULL,             -- the institution's name, as shown
    step             TEXT   NOT NULL,             -- which call: login, code, choose
    provider_session BLOB   NOT NULL,             -- the provider's session, sealed
    renews           BLOB,                        -- the link being renewed, if this is a reauthorisation
    session_digest   BLOB   NOT NULL,             -- keyed digest of provider and session: finds it when an event names that
    state            TEXT   NOT NULL,             -- where it stands; moves only forward
    told             TEXT,                        -- what the person was told of it last, on a screen or by text
    told_revision    BIGINT,                      -- which revision of the live value has told that
    waits_until      BIGINT,                      -- ms; when the provider stops waiting for the person, if it goes on without us
    returned         BLOB,                        -- what the browser brought back, sealed; wiped once the provider has it
    sealed_grant     BLOB,                        -- what is to be redeemed, sealed; wiped once redeemed or undone
    exchanged        BLOB,                        -- what it was redeemed for and is not linked yet, sealed; wiped with it
    to_end           BLOB,                        -- accounts that are not to be linked, sealed; wiped once access to them has ended
    created_at       BIGINT NOT NULL,             -- ms; when it was begun
    moved_at         BIGINT NOT NULL,             -- ms; when its state last changed
    UNIQUE (id, partner),
    UNIQUE (partner, tag, nth),
    FOREIGN KEY (consent, partner) REFERENCES consents (id, partner)
);

-- A person is one at all partners: what is known of them is read, and numbered, across all of them.
CREATE INDEX attempts_of_a_person ON attempts (tag, nth);
CREATE INDEX attempts_newest ON attempts (partner, created_at, session);
CREATE INDEX attempts_of_a_session ON attempts (partner, session, nth);
CREATE INDEX attempts_of_a_consent ON attempts (consent);
CREATE UNIQUE INDEX attempts_of_a_series ON attempts (series, ordinal) WHERE ordinal > 0;
CREATE INDEX attempts_by_session ON attempts (session_digest, nth);

-- A webhook about an account that nobody knows asks for the few attempts that were given up lately.
CREATE INDEX attempts_lapsed ON attempts (partner, provider, moved_at) WHERE state = 'lapsed';

-- Whether anybody has logged in at an institution lately.
CREATE INDEX attempts_taken ON attempts (partner, provider, institution, created_at)
    WHERE step = 'login' AND state IN ('accepted', 'granted', 'linked');

-- Those that made a link go with it.
CREATE INDEX attempts_over ON attempts (moved_at)
    WHERE state NOT IN ('open', 'sending', 'unknown', 'waiting', 'granted') AND (state <> 'linked' OR renews IS NOT NULL);

-- Columns that are empty in almost every row are walked through when records are sealed under another key.
CREATE INDEX attempts_granted ON attempts (id) WHERE sealed_grant IS NOT NULL;
CREATE INDEX attempts_renewing ON attempts (renews, nth) WHERE renews IS NOT NULL;
CREATE INDEX attempts_returned ON attempts (id) WHERE returned IS NOT NULL;
CREATE INDEX attempts_exchanged ON attempts (id) WHERE exchanged IS NOT NULL;
CREATE INDEX attempts_to_end ON attempts (id) WHERE to_end IS NOT NULL;

-- What a browser brings to find its attempt: in the link that is sent to a person, and in what a bank sends back.
CREATE TABLE return_tickets (
    digest     BLOB   NOT NULL PRIMARY KEY, -- keyed digest of the ticket, 128 random bits
    partner    BLOB   NOT NULL,             -- on whose behalf
    attempt    BLOB   NOT NULL,             -- where it leads
    purpose    TEXT   NOT NULL,             -- go: the link in a text; state: what comes back from the browser
    created_at BIGINT NOT NULL,             -- ms
    until      BIGINT NOT NULL,             -- ms; from then on it leads nowhere
    used_at    BIGINT,                      -- ms; when it was used: once
    FOREIGN KEY (attempt, partner) REFERENCES attempts (id, partner)
);

CREATE INDEX return_tickets_of ON return_tickets (attempt);
CREATE INDEX return_tickets_over ON return_tickets (until);

CREATE TABLE links (
    id               BLOB   NOT NULL PRIMARY KEY, -- the link
    partner          BLOB   NOT NULL,             -- whose
    tag              BLOB   NOT NULL,             -- who
    nth              BIGINT NOT NULL,             -- which link of this person at this partner, from 1
    consent          BLOB   NOT NULL,             -- what allows it
    attempt          BLOB   NOT NULL UNIQUE,      -- the submission that made it: one link an attempt
    provider         TEXT   NOT NULL,             -- the provider's name
    institution      TEXT   NOT NULL,             -- our id of the institution
    provider_institution TEXT NOT NULL,           -- the provider's id of it
    institution_name TEXT   NOT NULL,             -- the institution's name
    state            TEXT   NOT NULL,             -- verifying, active, reauth_required, removing, removed, expired
    until            BIGINT NOT NULL,             -- ms; from then on nothing is read: its consent ends, or the provider's access
    notice_from      BIGINT NOT NULL,             -- ms; from then on it is told that it ends
    told_at          BIGINT,                      -- ms; when that was told
    access_until     BIGINT,                      -- ms; when the provider ends its access by itself, if it says
    ended_at         BIGINT,                      -- ms; when the provider had ended the access, or said that there is none
    created_at       BIGINT NOT NULL,             -- ms; when it was made
    used_at          BIGINT NOT NULL,             -- ms; when its person last saw it, within a day, or linked its account again
    moved_at         BIGINT NOT NULL,             -- ms; when its state last changed
    renewed_at       BIGINT,                      -- ms; when its person last logged in for it again
    unannounced      BOOLEAN NOT NULL,            -- it was never in use, so its partner was never told of it
    handle_digest    BLOB,                        -- keyed digest of the provider's own id of it: recognises it in webhooks
    handle           BLOB,                        -- the provider's own id of it, sealed
    access           BLOB,                        -- what the provider wants to see for it, sealed; wiped when the provider has ended it
    access_version   BIGINT NOT NULL,             -- counts up whenever that is replaced
    access_lease_node  BLOB,                      -- who refreshes it, if anybody
    access_lease_until BIGINT,                    -- ms; from then on anybody may
    UNIQUE (id, partner),
    UNIQUE (partner, tag, nth),
    FOREIGN KEY (consent, partner) REFERENCES consents (id, partner),
    FOREIGN KEY (attempt, partner) REFERENCES attempts (id, partner)
);

CREATE INDEX links_newest ON links (partner, created_at, id);
CREATE INDEX links_of_a_person ON links (tag, nth);
CREATE INDEX links_of_a_consent ON links (consent);
CREATE INDEX links_by_handle ON links (handle_digest) WHERE handle_digest IS NOT NULL;
CREATE INDEX links_with_handle ON links (id) WHERE handle IS NOT NULL;
CREATE INDEX links_with_access ON links (id) WHERE access IS NOT NULL;
CREATE INDEX links_ended ON links (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE linked_accounts (
    id             BLOB   NOT NULL PRIMARY KEY, -- the account under the link
    partner        BLOB   NOT NULL,             -- whose
    link           BLOB   NOT NULL,             -- the link it stands under
    place          BIGINT NOT NULL,             -- its place in the provider's list, from 0
    account        BLOB   NOT NULL,             -- the provider's account id, sealed
    account_digest BLOB   NOT NULL,             -- keyed digest of that id: recognises it in webhooks
    masked         TEXT,                        -- the last digits of the number, once read
    number_digest  BLOB,                        -- keyed digest of institution and number, once read
    holder         BLOB,                        -- the holder's name, sealed, once read
    kind           TEXT,                        -- the provider's word for its type
    currency       TEXT,                        -- ISO 4217 code
    UNIQUE (link, place),
    FOREIGN KEY (link, partner) REFERENCES links (id, partner)
);

CREATE INDEX linked_accounts_digest ON linked_accounts (account_digest);
CREATE INDEX linked_accounts_number ON linked_accounts (partner, number_digest);

-- What belongs to a person at a partner at one provider, whichever links they have there.
CREATE TABLE provider_persons (
    id            BLOB   NOT NULL PRIMARY KEY,              -- part of the place that its sealed column is bound to
    partner       BLOB   NOT NULL REFERENCES partners (id), -- on whose behalf
    provider      TEXT   NOT NULL,                          -- the provider's name
    tag           BLOB   NOT NULL,                          -- who
    handle_digest BLOB,                                     -- keyed digest of the provider's own id of them: recognises it in webhooks
    access        BLOB   NOT NULL,                          -- what the provider wants to see for them, sealed
    version       BIGINT NOT NULL,                          -- from 1; counts up whenever that is replaced
    updated_at    BIGINT NOT NULL,                          -- ms; when it last was
    lease_node    BLOB,                                     -- who refreshes it, if anybody
    lease_until   BIGINT,                                   -- ms; from then on anybody may
    UNIQUE (partner, provider, tag)
);

CREATE INDEX provider_persons_of ON provider_persons (tag, partner);
CREATE INDEX provider_persons_by_handle ON provider_persons (handle_digest) WHERE handle_digest IS NOT NULL;
CREATE INDEX provider_persons_oldest ON provider_persons (updated_at);

CREATE TABLE jobs (
    id          BLOB   NOT NULL PRIMARY KEY,              -- the job
    partner     BLOB   NOT NULL REFERENCES partners (id), -- whose
    kind        TEXT   NOT NULL,                          -- what to do, such as redeem
    subject     BLOB   NOT NULL,                          -- the id of what it is done to
    lane        BLOB,                                     -- jobs of one lane hold up each other only: what goes to one receiver
    key         TEXT   NOT NULL UNIQUE,                   -- the fact that asks for it; stays taken when the job is done
    state       TEXT   NOT NULL,                          -- open, done, given_up
    due_at      BIGINT NOT NULL,                          -- ms; not before
    tries       BIGINT NOT NULL,                          -- how often it was taken
    node        BLOB,                                     -- who holds it, if anybody
    lease_until BIGINT,                                   -- ms; from then on anybody may take it again
    reason      TEXT                                      -- stable word: why it was last postponed or given up
);

CREATE INDEX jobs_open ON jobs (due_at) WHERE state = 'open';
CREATE INDEX jobs_of_lane ON jobs (lane, due_at) WHERE state = 'open';
CREATE INDEX jobs_done ON jobs (due_at) WHERE state = 'done';

CREATE TABLE provider_events (
    provider TEXT   NOT NULL, -- the provider's name
    event    TEXT   NOT NULL, -- what makes it the same event when it comes twice
    seen_at  BIGINT NOT NULL, -- ms; when it first came
    PRIMARY KEY (provider, event)
);

CREATE INDEX provider_events_seen ON provider_events (seen_at);

-- What was last heard about something: an event from before that changes nothing any more.
CREATE TABLE provider_event_order (
    partner  BLOB   NOT NULL, -- whose keys it came with
    provider TEXT   NOT NULL, -- the provider's name
    subject  BLOB   NOT NULL, -- keyed digest of the account, session, link or person it is about
    at       BIGINT NOT NULL, -- ms; when the newest event happened, as the provider says
    seen_at  BIGINT NOT NULL, -- ms; when it came
    PRIMARY KEY (subject, provider, partner)
);

CREATE INDEX provider_event_order_seen ON provider_event_order (seen_at);

CREATE TABLE messages (
    id         BLOB   NOT NULL PRIMARY KEY,              -- an SMS to a person
    partner    BLOB   NOT NULL REFERENCES partners (id), -- on whose behalf
    tag        BLOB   NOT NULL,                          -- to whom
    kind       TEXT   NOT NULL,                          -- hand_over, reply, request
    key        TEXT   NOT NULL,                          -- the fact it tells: one message a fact
    gateway    TEXT   NOT NULL,                          -- the SMS gateway as the configuration names it
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

CREATE INDEX messages_by_gateway_id ON messages (gateway, gateway_id);
CREATE INDEX messages_of_a_person ON messages (partner, tag, created_at);
CREATE INDEX messages_invited_by ON messages (partner, created_at) WHERE kind = 'request';
CREATE INDEX messages_invited ON messages (tag, created_at) WHERE kind = 'request';
CREATE INDEX messages_oldest ON messages (created_at);
CREATE INDEX messages_worded ON messages (id) WHERE sealed IS NOT NULL;

-- A gateway may report before its answer to the send has been written down. Kept for a day.
CREATE TABLE early_reports (
    gateway    TEXT   NOT NULL, -- the SMS gateway as the configuration names it
    gateway_id TEXT   NOT NULL, -- its id of the message
    state      TEXT   NOT NULL, -- the furthest state reported
    reason     TEXT,            -- why it failed
    seen_at    BIGINT NOT NULL, -- ms; when it first came
    PRIMARY KEY (gateway, gateway_id)
);

CREATE INDEX early_reports_oldest ON early_reports (seen_at);

-- Who wants no SMS. Nobody is in here who never said anything.
CREATE TABLE sms_preferences (
    partner    BLOB    NOT NULL REFERENCES partners (id), -- from whom
    tag        BLOB    NOT NULL,                          -- who
    stopped    BOOLEAN NOT NULL,                          -- whether they want none
    changed_at BIGINT  NOT NULL,                          -- ms; when they said so
    PRIMARY KEY (partner, tag)
);

-- Wrong numbers that were texted to agree to something: a few a day, then that is for the phone only. Deleted with finished jobs.
CREATE TABLE sms_wrong_proofs (
    gateway    TEXT   NOT NULL,                          -- the SMS gateway as the configuration names it
    gateway_id TEXT   NOT NULL,                          -- its id of the SMS
    partner    BLOB   NOT NULL REFERENCES partners (id), -- with whom the person's SMS are kept
    tag        BLOB   NOT NULL,                          -- who
    tried_at   BIGINT NOT NULL,                          -- ms
    PRIMARY KEY (gateway, gateway_id)
);

CREATE INDEX sms_wrong_proofs_of_a_person ON sms_wrong_proofs (partner, tag, tried_at);
CREATE INDEX sms_wrong_proofs_oldest ON sms_wrong_proofs (tried_at);

-- Who wants an SMS when an institution is back, and what shows that it is.
CREATE TABLE bank_alerts (
    id            BLOB   NOT NULL PRIMARY KEY,              -- the alert
    partner       BLOB   NOT NULL REFERENCES partners (id), -- on whose behalf the SMS is sent
    tag           BLOB   NOT NULL,                          -- who
    provider      TEXT   NOT NULL,                          -- the provider's name
    institution   TEXT   NOT NULL,                          -- the institution's id at the provider
    watch         BLOB   NOT NULL,                          -- the job that looks for it, with all who wait there
    watched_since BIGINT NOT NULL,                          -- ms; when that began
    sealed        BLOB   NOT NULL,                          -- number, language and channel, sealed
    needs_login   BOOLEAN NOT NULL,                         -- whether only a login shows that it is back; else a session does, too
    asked_at      BIGINT NOT NULL,                          -- ms; when it was asked for
    until         BIGINT NOT NULL,                          -- ms; from then on it is forgotten
    told_at       BIGINT,                                   -- ms; when its SMS was written, if it was
    UNIQUE (partner, tag, provider, institution)
);

CREATE INDEX bank_alerts_watched ON bank_alerts (watch, asked_at);
CREATE INDEX bank_alerts_over ON bank_alerts (until);

-- People's own codes for phones that others use too.
CREATE TABLE subscriber_pins (
    partner  BLOB   NOT NULL REFERENCES partners (id), -- at whose menu
    tag      BLOB   NOT NULL,                          -- whose
    digest   BLOB   NOT NULL,                          -- keyed digest of number and code, 32 bytes
    wrong    BIGINT NOT NULL,                          -- wrong tries since the last right one
    wrong_at BIGINT NOT NULL,                          -- ms; when the last of them was
    chosen_at BIGINT NOT NULL,                         -- ms; when it was chosen: of two the later counts
    kept_at  BIGINT NOT NULL,                          -- ms; when this row was last written
    PRIMARY KEY (partner, tag)
);

-- The languages that people have chosen.
CREATE TABLE subscriber_languages (
    partner   BLOB   NOT NULL REFERENCES partners (id), -- at whose menu
    tag       BLOB   NOT NULL,                          -- whose
    locale    TEXT   NOT NULL,                          -- BCP 47
    chosen_at BIGINT NOT NULL,                          -- ms
    PRIMARY KEY (partner, tag)
);

CREATE TABLE webhook_endpoints (
    id         BLOB   NOT NULL PRIMARY KEY,              -- where a partner receives
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whose
    entity     BLOB,                                     -- only what happens in this entity; none: all of the partner's
    url        TEXT   NOT NULL,                          -- https, but on loopback in the sandbox
    kinds      TEXT   NOT NULL,                          -- which kinds of events, with commas between; empty: all
    state      TEXT   NOT NULL,                          -- enabled, disabled, deleted
    reason     TEXT,                                     -- stable word: why it was disabled
    created_by BLOB,                                     -- the user who made it, if a user did
    created_at BIGINT NOT NULL,                          -- ms
    updated_at BIGINT NOT NULL,                          -- ms
    UNIQUE (id, partner),
    FOREIGN KEY (entity, partner) REFERENCES entities (id, partner)
);

-- At most two are valid at a time: what is sent is signed with each.
CREATE TABLE webhook_secrets (
    id         BLOB   NOT NULL PRIMARY KEY, -- the secret; part of the place its sealed form is bound to
    endpoint   BLOB   NOT NULL,             -- of which endpoint
    partner    BLOB   NOT NULL,             -- whose
    sealed     BLOB   NOT NULL,             -- the secret, sealed
    created_at BIGINT NOT NULL,             -- ms
    until      BIGINT,                      -- ms; from then on nothing is signed with it
    FOREIGN KEY (endpoint, partner) REFERENCES webhook_endpoints (id, partner)
);

CREATE INDEX webhook_secrets_of ON webhook_secrets (endpoint, created_at);

-- Written in the transaction of the fact it tells.
CREATE TABLE events (
    id         BLOB   NOT NULL PRIMARY KEY,              -- the event; the webhook's id, on every try
    partner    BLOB   NOT NULL REFERENCES partners (id), -- whom it is told
    entity     BLOB,                                     -- in which entity it happened
    created_by BLOB,                                     -- the user whose intent it grew out of
    kind       TEXT   NOT NULL,                          -- such as link.created
    subject    BLOB   NOT NULL,                          -- the link, intent or connect session it is about
    seq        BIGINT NOT NULL,                          -- which event about that subject, from 1
    data       TEXT   NOT NULL,                          -- JSON: ids and states, nothing personal
    key        TEXT   NOT NULL UNIQUE,                   -- the transition it tells: one event each
    created_at BIGINT NOT NULL,                          -- ms; when it happened
    UNIQUE (id, partner),
    UNIQUE (partner, subject, seq)
);

CREATE INDEX events_newest ON events (partner, created_at, id);
CREATE INDEX events_oldest ON events (created_at);

-- How many events there are about something: who tells the next one holds the row.
CREATE TABLE event_subjects (
    partner BLOB   NOT NULL REFERENCES partners (id), -- whom it is told
    subject BLOB   NOT NULL,                          -- the link, intent or connect session
    seq     BIGINT NOT NULL,                          -- the last event's
    PRIMARY KEY (partner, subject)
);

CREATE TABLE deliveries (
    id         BLOB   NOT NULL PRIMARY KEY, -- one event on its way to one endpoint
    partner    BLOB   NOT NULL,             -- whose
    event      BLOB   NOT NULL,             -- what
    endpoint   BLOB   NOT NULL,             -- where
    state      TEXT   NOT NULL,             -- pending, delivered, failed
    round      BIGINT NOT NULL,             -- how often somebody asked for it to be sent again, after it had ended
    tries      BIGINT NOT NULL,             -- how often it was sent in this round
    status     BIGINT,                      -- HTTP status of the last answer, if there was one
    reason     TEXT,                        -- stable word: why the last try failed
    due_at     BIGINT,                      -- ms; not before; none once it has ended
    created_at BIGINT NOT NULL,             -- ms; when this round was begun
    updated_at BIGINT NOT NULL,             -- ms
    UNIQUE (event, endpoint),
    FOREIGN KEY (event, partner) REFERENCES events (id, partner),
    FOREIGN KEY (endpoint, partner) REFERENCES webhook_endpoints (id, partner)
);

CREATE INDEX deliveries_taken ON deliveries (endpoint, updated_at) WHERE state = 'delivered';

-- No foreign key and no unique column: an entry is written down whatever else is missing.
CREATE TABLE audit (
    id          BLOB   NOT NULL, -- the entry; equal ones of the same moment share one
    partner     BLOB   NOT NULL, -- whose
    entity      BLOB,            -- in which entity, if in one
    user_id     BLOB,            -- by which user, if by one
    tag         BLOB,            -- whom it concerns, if anybody
    kind        TEXT   NOT NULL, -- stable word, such as link.created
    detail      TEXT   NOT NULL, -- a few words more; never personal
    happened_at BIGINT NOT NULL  -- ms; when
);

CREATE INDEX audit_newest ON audit (partner, happened_at);
CREATE INDEX audit_of_a_person ON audit (partner, tag) WHERE tag IS NOT NULL;
CREATE INDEX audit_oldest ON audit (happened_at);

-- People's right to be forgotten.
CREATE TABLE erasures (
    id        BLOB   NOT NULL PRIMARY KEY,              -- the erasure
    partner   BLOB   NOT NULL REFERENCES partners (id), -- whose rows are redacted
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

-- What one node at a time does for as long as it lives.
CREATE TABLE leases (
    name  TEXT   NOT NULL PRIMARY KEY, -- what it is, such as a channel's connection to its gateway
    node  BLOB   NOT NULL,             -- the server process that holds it
    until BIGINT NOT NULL              -- ms; from then on another may take it
);

-- One row, counted up by the readiness check: only a commit proves that the disk takes writes.
CREATE TABLE heartbeat (
    id    BIGINT NOT NULL PRIMARY KEY, -- always 1
    beats BIGINT NOT NULL              -- how often it was asked
);

INSERT INTO heartbeat (id, beats) VALUES (1, 0);
