-- Of two codes the one that was chosen last counts, in whichever order they are written.

ALTER TABLE subscriber_pins ADD COLUMN chosen_at BIGINT NOT NULL DEFAULT 0; -- ms; when it was chosen; 0: before this was kept
