-- Every key begins with the merchant, so that the tables can be spread over several machines. Times
-- are milliseconds since 1970, amounts the currency's minor unit. PostgreSQL's types; SQLite's are put
-- in their place.

CREATE TABLE meta (
    merchant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (merchant, name)
);

-- One attempt to be paid, as its state machine has it. A number that was reversed before it came is a
-- row, too: it refuses the request that is still on its way.
CREATE TABLE payment (
    merchant TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    store TEXT NOT NULL,
    till TEXT NOT NULL,
    channel TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- What else the gateway is told, as JSON; never the payment code.
    order_told TEXT NOT NULL,
    -- A keyed digest of the request, its code included; empty where there was none.
    fingerprint BYTEA NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    transaction_id TEXT,
    began_at BIGINT NOT NULL,
    -- When somebody must look at it next.
    wake_at BIGINT,
    -- Who has a call under way for it, and until when that is believed.
    owner TEXT,
    lease_until BIGINT,
    -- The newest paid version that its till has been told; 0 before.
    seen_version BIGINT NOT NULL,
    -- Whether its till has it on record as paid: 0, it does not say such things; 1, not yet; 2, yes.
    acknowledged BIGINT NOT NULL,
    -- When the gateway last said something that could be believed.
    as_of BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (merchant, out_trade_no)
);
CREATE INDEX payment_wake ON payment (merchant, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX payment_created ON payment (merchant, created_at);
CREATE INDEX payment_transaction ON payment (merchant, transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE INDEX payment_attention ON payment (merchant, created_at) WHERE status = 'attention';

CREATE TABLE payment_event (
    merchant TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- What happened and what came with it, as JSON; codes masked, secrets left out.
    event TEXT NOT NULL,
    wire TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (merchant, out_trade_no, version)
);

CREATE TABLE refund (
    merchant TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    out_refund_no TEXT NOT NULL,
    till TEXT NOT NULL,
    amount BIGINT NOT NULL,
    reason TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    -- 1 while its money was given back or may be.
    counts BIGINT NOT NULL,
    version BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    wake_at BIGINT,
    owner TEXT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (merchant, out_trade_no, out_refund_no)
);
CREATE INDEX refund_wake ON refund (merchant, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX refund_number ON refund (merchant, out_refund_no);
CREATE INDEX refund_attention ON refund (merchant, created_at) WHERE status = 'attention';
CREATE INDEX refund_day ON refund (merchant, created_at);
CREATE INDEX refund_created ON refund (merchant, till, created_at);

CREATE TABLE refund_event (
    merchant TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    out_refund_no TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    wire TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (merchant, out_trade_no, out_refund_no, version)
);

-- What the gateway told unasked, as it came.
CREATE TABLE notice (
    merchant TEXT NOT NULL,
    id TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    headers TEXT NOT NULL,
    body BYTEA NOT NULL,
    out_trade_no TEXT,
    verdict TEXT NOT NULL,
    -- How often it came.
    times BIGINT NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX notice_received ON notice (merchant, received_at);
CREATE INDEX notice_unknown ON notice (merchant, received_at) WHERE verdict = 'unknown';

-- What is to be told to others: one row for each thing.
CREATE TABLE outbox (
    merchant TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    tries BIGINT NOT NULL,
    lease_until BIGINT,
    done_at BIGINT,
    last_error TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, subject)
);
CREATE INDEX outbox_due ON outbox (merchant, due_at) WHERE due_at IS NOT NULL;

-- What nobody expected is listed.
CREATE INDEX outbox_odd ON outbox (merchant, created_at)
    WHERE kind IN ('payment.paid_late', 'payment.mismatch', 'refund.mismatch');

-- One till has one living key, or none.
CREATE TABLE till (
    merchant TEXT NOT NULL,
    till TEXT NOT NULL,
    store TEXT NOT NULL,
    rights TEXT NOT NULL,
    public_key TEXT,
    enrolled_at BIGINT,
    revoked_at BIGINT,
    last_seen_at BIGINT,
    program TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant, till)
);

-- A code that one till may introduce itself with, once.
CREATE TABLE enrolment (
    merchant TEXT NOT NULL,
    code TEXT NOT NULL,
    kept BYTEA NOT NULL,
    till TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (merchant, code)
);

-- Who may see the owner's page, and a salted hash of each one's password with what it cost.
CREATE TABLE admin (
    merchant TEXT NOT NULL,
    name TEXT NOT NULL,
    salt BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    memory BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant, name)
);

-- Who is logged in. The token is the browser's; here is only its digest.
CREATE TABLE session (
    merchant TEXT NOT NULL,
    digest BYTEA NOT NULL,
    admin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (merchant, digest)
);

-- The gateway's bill of a day held against these books, as of the last time.
CREATE TABLE bill (
    merchant TEXT NOT NULL,
    -- By Beijing's calendar, YYYY-MM-DD.
    day TEXT NOT NULL,
    compared_at BIGINT NOT NULL,
    bill_rows BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    differ BIGINT NOT NULL,
    -- The first of them, as JSON.
    differences TEXT NOT NULL,
    PRIMARY KEY (merchant, day)
);

-- How often something was tried since then, such as a password. What is old means nothing.
CREATE TABLE attempt (
    merchant TEXT NOT NULL,
    subject TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (merchant, subject)
);
CREATE INDEX attempt_began ON attempt (merchant, began_at);

-- What people did. Each entry has the digest of the one before it in its own; where the chain ends is
-- in meta, too.
CREATE TABLE audit (
    merchant TEXT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    PRIMARY KEY (merchant, position)
);
