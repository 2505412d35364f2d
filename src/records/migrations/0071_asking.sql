-- A person is one at all partners: what is known of them is read, and numbered, across all of them.

CREATE INDEX attempts_of_a_person ON attempts (tag, nth);
CREATE INDEX links_of_a_person ON links (tag, nth);

-- Who is offered to whoever dials the plain code.
CREATE INDEX partners_walk_in ON partners (name, id) WHERE walk_in = 1;
