//! What people and scripts are shown of a payment, and the times it keeps to.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// The times a payment keeps to, counted from its submission.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Time between two queries.
    pub query_interval: Millis,
    /// When the customer has had enough time.
    pub give_up_after: Millis,
    /// An earlier reversal may miss a payment that the gateway is still settling.
    pub reverse_not_before: Millis,
    /// How long a reversal may stay unresolved before a person must step in.
    pub attention_after: Millis,
}

impl Rules {
    /// Of a till behind its merchant's backend. The backend keeps to the times itself, so the till
    /// leaves it the first word; and no reversal is too early for it, as it refuses what comes after.
    #[must_use]
    pub const fn behind_a_backend(self) -> Self {
        let give_up_after = self.give_up_after.plus(Millis::seconds(2));
        Self { give_up_after, reverse_not_before: Millis(0), ..self }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            query_interval: Millis::seconds(5),
            give_up_after: Millis::seconds(30),
            reverse_not_before: Millis::seconds(15),
            attention_after: Millis::seconds(180),
        }
    }
}

/// The state of a payment as shown to people and scripts (interface 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In the journal; nothing was sent.
    Created,
    /// The request was sent; no answer yet.
    Sent,
    /// The gateway waits for the customer's password.
    Waiting,
    /// The answer was lost or unclear; the till is querying.
    Checking,
    /// The till is reversing the payment.
    Reversing,
    /// Proven by a verified answer that matches the order.
    Paid,
    /// Nothing was charged, for certain.
    Declined,
    /// Reversed, and confirmed by a query.
    Reversed,
    /// An order that the customer was to pay by its code: it can no longer be paid, by the gateway's
    /// word.
    Closed,
    /// Still unresolved after all automatic steps; a person must step in. The till keeps trying.
    Attention,
}

impl Status {
    /// All of them, in the order a payment may pass through them.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Sent,
        Self::Waiting,
        Self::Checking,
        Self::Reversing,
        Self::Paid,
        Self::Declined,
        Self::Reversed,
        Self::Closed,
        Self::Attention,
    ];

    /// The word in `--json`, on the command line and in the journal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sent => "sent",
            Self::Waiting => "waiting",
            Self::Checking => "checking",
            Self::Reversing => "reversing",
            Self::Paid => "paid",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
            Self::Closed => "closed",
            Self::Attention => "attention",
        }
    }

    /// The status with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the cashier need not wait any longer.
    pub const fn is_final_for_cashier(self) -> bool {
        matches!(
            self,
            Self::Paid | Self::Declined | Self::Reversed | Self::Closed | Self::Attention
        )
    }

    /// Whether it has ended for the cashier without the money.
    pub const fn is_over_unpaid(self) -> bool {
        matches!(self, Self::Declined | Self::Reversed | Self::Closed)
    }

    /// Whether a customer is given a slip by itself. One whose payment was declined is not: they pay
    /// in another way at once.
    pub const fn has_slip(self) -> bool {
        match self {
            Self::Paid | Self::Reversed | Self::Attention => true,
            Self::Created
            | Self::Sent
            | Self::Waiting
            | Self::Checking
            | Self::Reversing
            | Self::Declined
            | Self::Closed => false,
        }
    }

    /// Whether the outcome is known for certain.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Paid | Self::Declined | Self::Reversed | Self::Closed)
    }
}

/// Where the customer's money is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Funds {
    /// None was taken, for certain.
    NotMoved,
    /// The customer is known to have paid, and the money is not known to be returned.
    Held,
    /// It was taken, and the gateway says that it is being returned.
    Returned,
    /// It was taken and belongs to the shop.
    Taken,
    /// Nobody can say yet.
    Unknown,
}

/// What lies ahead, for countdowns. Times count from the submission.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outlook {
    /// The next query.
    pub checks_at: Option<Millis>,
    /// When the till stops waiting for the customer.
    pub gives_up_at: Option<Millis>,
    /// The first reversal, while it is being held back.
    pub reverses_at: Option<Millis>,
}
