//! Whom the gateway serves, and how it behaves.

use super::{Bills, NoticeCase, Scenario};
use paytill_core::clock::Millis;
use paytill_core::money::Currency;
use paytill_core::order::Merchant;

/// The one merchant that the gateway serves.
#[derive(Clone)]
pub struct Account {
    pub merchant: Merchant,
    /// Another of its `app_id`s, which may be used as well.
    pub other_app_id: Option<String>,
    /// The `APIv2` key, 32 characters.
    pub api_key: String,
}

/// How the gateway behaves.
#[derive(Clone, Debug)]
pub struct Script {
    /// The scenario of all orders; `None` lets each payment code choose.
    pub scenario: Option<Scenario>,
    /// The currency accepted besides CNY.
    pub currency: Currency,
    /// An order younger than this is still being settled: a reversal is refused with `USERPAYING`
    /// and `recall=Y` (the real gateway may also miss the payment).
    pub reverse_not_before: Millis,
    /// An order younger than this is not visible to queries yet (protocol 4.4).
    pub visible_after: Millis,
    /// When the gateway itself revokes an unpaid order (protocol 5.3).
    pub lapse_after: Millis,
    /// Whether reversing a number that the gateway has never seen blocks it for good. Whether the
    /// real gateway does so is unknown (protocol 6).
    pub fence_unknown: bool,
    /// Whether only the codes of training customers choose what happens. Anybody else's code, such
    /// as a real phone's, pays at once: its last digits are chance.
    pub practice_alone: bool,
    /// What becomes of questions for a bill.
    pub bills: Bills,
    /// What the gateway keeps of a payment, in ten-thousandths.
    pub fee_rate: u32,
    /// Whether customers scan a code only by [`Bank::scan`]: an answer may be lost on its way.
    pub scans_by_word: bool,
    /// How long customers look at a code before they scan it.
    pub scans_after: Millis,
    /// What the customer does who scans the next code that is ordered; the others follow `scenario`.
    pub next_scan: Option<Scenario>,
    /// What becomes of notifications.
    pub notices: NoticeCase,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            scenario: None,
            currency: Currency::CNY,
            reverse_not_before: Millis::seconds(15),
            visible_after: Millis(0),
            lapse_after: Millis::seconds(45),
            fence_unknown: false,
            practice_alone: false,
            bills: Bills::default(),
            fee_rate: 60,
            scans_by_word: false,
            scans_after: Millis(0),
            next_scan: None,
            notices: NoticeCase::default(),
        }
    }
}
