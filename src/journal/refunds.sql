-- Since format 6. Refunds of paid orders. Their entries are in `entry` like all others, in the one
-- chain: of minus the order's attempt, with the refund's number at the start of the event.
CREATE TABLE refund (
    id            INTEGER PRIMARY KEY,
    attempt       INTEGER NOT NULL REFERENCES attempt (id),
    out_refund_no TEXT    NOT NULL UNIQUE,
    amount        INTEGER NOT NULL,
    reason        TEXT    NOT NULL, -- in the cashier's words
    created_at    INTEGER NOT NULL,
    day           TEXT    NOT NULL,
    updated_at    INTEGER NOT NULL,
    status        TEXT    NOT NULL,
    progress      TEXT    NOT NULL, -- open; recheck: refused, and asked about once more; done
    last_entry    INTEGER NOT NULL
) STRICT;
CREATE INDEX refund_of_attempt ON refund (attempt);
CREATE INDEX refund_in_progress ON refund (id) WHERE progress <> 'done';
