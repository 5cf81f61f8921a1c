//! The gateway's bill of a day as a till is told of it: its own rows, page by page.

use serde::{Deserialize, Serialize};

use super::{Backend, message};
use crate::clock::Date;
use crate::gateway::{Outgoing, Reply, Stamp};
use crate::payment::Inconclusive;

/// How many rows a page has at most: they stay well below the longest answer.
pub const ROWS: usize = 100;

/// `GET /v1/bills/{date}`: a page of the till's rows of that day, in the bill's order.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct BillPage {
    /// By Beijing's calendar, `YYYY-MM-DD`.
    pub date: String,
    /// A word of [`BillState`].
    pub state: String,
    /// The gateway's words, where it has refused or is in trouble.
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub rows: Vec<BillRow>,
    /// How many rows the till has in all: they are complete only with all pages.
    #[serde(default)]
    pub total: u64,
    /// What to ask for next as `after`, if there are more.
    #[serde(default)]
    pub next: Option<String>,
}

/// A row of the bill.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct BillRow {
    /// `paid`, `refunded` or `reversed`.
    pub kind: String,
    /// When it was paid, or the refund asked for.
    pub at: i64,
    pub out_trade_no: String,
    #[serde(default)]
    pub transaction_id: String,
    /// ISO 4217.
    pub currency: String,
    /// The order's amount.
    pub amount: i64,
    /// What of it is settled with the merchant.
    #[serde(default)]
    pub settled: i64,
    #[serde(default)]
    pub out_refund_no: String,
    /// What goes back to the customer.
    #[serde(default)]
    pub refund: i64,
    /// What of it is taken from the merchant.
    #[serde(default)]
    pub refund_settled: i64,
    /// `done`, `processing`, `failed`, `abnormal` or `unknown`; empty of a payment.
    #[serde(default)]
    pub refund_state: String,
    /// In the currency's major unit, with the bill's own decimals: it has fractions of the minor one.
    #[serde(default)]
    pub fee: String,
}

/// Whether there is a bill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BillState {
    /// Here it is.
    Ready,
    /// The backend is fetching it: ask again.
    Fetching,
    /// Nothing was paid and nothing refunded on that day.
    None,
    /// The gateway has not made it yet.
    Creating,
    /// The gateway, or the way to it, is in trouble.
    Busy,
    /// The gateway does not give it.
    Refused,
}

impl BillState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ready, Self::Fetching, Self::None, Self::Creating, Self::Busy, Self::Refused];

    /// The word in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Fetching => "fetching",
            Self::None => "none",
            Self::Creating => "creating",
            Self::Busy => "busy",
            Self::Refused => "refused",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl Backend {
    /// Asks for the till's rows in the bill of a day; `after` is the last page's `next`.
    pub fn encode_bill(&self, day: Date, after: Option<&str>, stamp: &Stamp) -> Outgoing {
        let after = after.map(|after| format!("?after={}", crate::gateway::escaped(after)));
        self.get(&format!("/v1/bills/{day}{}", after.unwrap_or_default()), stamp)
    }

    /// The page, if it can be believed.
    pub fn decode_bill(&self, reply: &Reply) -> Result<BillPage, Inconclusive> {
        message::<BillPage>(reply)?.map_err(|refusing| Inconclusive::Unknown(refusing.into()))
    }
}
