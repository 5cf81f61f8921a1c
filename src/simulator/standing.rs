//! Where an order stands at the gateway, and how much of that a refusal says.

/// Where an order stands at the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrderStatus {
    /// The gateway was asked about the number and has no such order.
    Absent,
    /// `NOTPAY`
    Open,
    /// `USERPAYING`
    Paying,
    /// `SUCCESS`
    Paid,
    /// `PAYERROR`
    PayError,
    /// `CLOSED`
    Closed,
    /// `REVOKED`, and no money had moved.
    Revoked,
    /// `REFUND`, or `REVOKED` with a `transaction_id`: the money went back.
    Refunded,
}

/// How much a refusal says of the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefusalClass {
    /// Nothing: the result is unknown.
    Unclear,
    /// It may be the echo of an earlier delivery of the same number: ask first.
    QueryFirst,
    /// This submission took nothing, though in rare cases the gateway is wrong.
    Failed,
    /// As [`RefusalClass::Failed`], because of the shop's set-up.
    SetUp,
}
