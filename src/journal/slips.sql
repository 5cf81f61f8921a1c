-- Since format 4. Slips for the printer, numbered in the order in which they were asked for. They
-- are no part of the chain, since no money depends on them; each row has a seal of its own, and the
-- last number another.
CREATE TABLE slip (
    id      INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    status  TEXT    NOT NULL, -- where the order was: what the slip says
    copy    INTEGER NOT NULL, -- 0: the first one; else which copy of it
    at      INTEGER NOT NULL,
    stage   TEXT    NOT NULL, -- waiting, begun, done, missing, replaced
    seal    BLOB    NOT NULL  -- keyed digest over the row
) STRICT;
CREATE INDEX slip_of_attempt ON slip (attempt);
CREATE INDEX slip_in_progress ON slip (id) WHERE stage NOT IN ('done', 'replaced');

CREATE TABLE last_slip (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    slip INTEGER NOT NULL,
    seal BLOB    NOT NULL
) STRICT;
