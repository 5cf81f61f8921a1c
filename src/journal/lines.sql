-- Since format 6: what a sale sells.
ALTER TABLE sale ADD COLUMN lines TEXT NOT NULL DEFAULT ''; -- JSON, with all figures; empty for an amount alone
