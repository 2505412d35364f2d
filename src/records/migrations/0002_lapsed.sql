-- A webhook about an account that nobody knows asks for the few attempts that were given up lately.

CREATE INDEX attempts_lapsed ON attempts (partner, provider, moved_at) WHERE state = 'lapsed';
