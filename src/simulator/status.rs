//! An order's status at the gateway, and how much of it a refusal reveals.

/// An order's status at the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrderStatus {
    /// The number was queried, but the gateway has no such order.
    NotFound,
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
    /// `REFUND`, or `REVOKED` with a `transaction_id`: the money was returned, or a part of it.
    Refunded,
}

/// How much a refusal says about the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefusalClass {
    /// Nothing: the result is unknown.
    Unclear,
    /// It may echo an earlier delivery of the same number: query first.
    QueryFirst,
    /// This submission took nothing, though in rare cases the gateway is wrong.
    Failed,
    /// As [`RefusalClass::Failed`], because of the shop's set-up.
    SetUp,
}
