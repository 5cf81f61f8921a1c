//! What a scan was.

use crate::order::{AuthCode, OutTradeNo};

/// A scan, named.
#[derive(Clone, Debug, PartialEq)]
pub enum Scan {
    Payment(AuthCode),
    OtherWallet(Wallet),
    ReceiveCode,
    Goods(String),
    OwnReceipt(OutTradeNo),
    Transaction(String),
    Noise,
}

/// Whose payment code it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wallet {
    Alipay,
    UnionPay,
    EmvCode,
    Other,
}
