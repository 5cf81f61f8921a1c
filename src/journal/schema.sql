-- Format 3; what later ones have in addition is in files of their own. `entry` is only ever appended to; `attempt` says where each attempt stands after its
-- last entry and changes in the same transaction.
CREATE TABLE sale (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL, -- milliseconds since the Unix epoch, as all wall times here
    day      TEXT    NOT NULL, -- the shop's calendar day, decided once
    due      INTEGER NOT NULL, -- minor units
    currency TEXT    NOT NULL, -- ISO 4217
    note     TEXT    NOT NULL
) STRICT;

CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    out_trade_no TEXT    NOT NULL UNIQUE,
    sale         INTEGER NOT NULL REFERENCES sale (id),
    channel      TEXT    NOT NULL,
    amount       INTEGER NOT NULL,
    request      TEXT    NOT NULL, -- JSON: merchant, body, device_info, client_ip, by whom
    code_hash    BLOB,             -- keyed; notices a payment code that is scanned twice
    created_at   INTEGER NOT NULL,
    day          TEXT    NOT NULL,
    updated_at   INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    progress     TEXT    NOT NULL, -- open; recheck: the gateway never knew it; done
    last_entry   INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_in_progress ON attempt (id) WHERE progress <> 'done';
-- People name an order by its last digits.
CREATE INDEX attempt_by_tail ON attempt (substr(out_trade_no, -4));
CREATE INDEX attempt_of_day ON attempt (day);
CREATE INDEX attempt_of_sale ON attempt (sale);
-- Nearly all attempts are paid; those are found from the end of the table.
CREATE INDEX attempt_not_paid ON attempt (status) WHERE status <> 'paid';

CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL, -- what concerns an order and does not move it: with a minus; 0 if it concerns none
    at      INTEGER NOT NULL,
    age     INTEGER NOT NULL, -- milliseconds since the submission
    boot    INTEGER NOT NULL, -- which boot `sent_at` counts from; 0: unknown
    sent_at INTEGER NOT NULL, -- when the submission left, in milliseconds of uptime
    event   TEXT    NOT NULL, -- JSON: what happened, and whose doing it was
    state   TEXT    NOT NULL, -- JSON: where the event led; empty if it moves no payment
    wire    TEXT    NOT NULL, -- JSON: the fields sent or received, codes masked; or empty
    chain   BLOB    NOT NULL  -- keyed digest over the entry before and this one
) STRICT;
CREATE INDEX entry_of_attempt ON entry (attempt);

-- Whether a process has this journal in use, or died while it had. The main file says so before the
-- first entry is acknowledged: a copy of it without the files beside it must not pass for whole.
CREATE TABLE in_use (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    is_open INTEGER NOT NULL
) STRICT;
INSERT INTO in_use VALUES (1, 0);

-- Which key the digests are made with.
CREATE TABLE chain_key (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    mark BLOB    NOT NULL -- the digest of a fixed text
) STRICT;
