-- Since format 5: what the seals of all slips come to, so that a slip that was put back to an earlier
-- stage together with its seal does not fit.
DROP TABLE last_slip;
CREATE TABLE last_slip (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    slip INTEGER NOT NULL, -- the last one's number
    sum  BLOB    NOT NULL, -- of all seals, modulo 2^128
    seal BLOB    NOT NULL  -- keyed digest over both
) STRICT;
