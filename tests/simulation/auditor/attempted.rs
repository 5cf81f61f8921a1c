//! All that is known about one attempt from outside the till.

use std::collections::BTreeMap;

use paytill::engine::Attempt;
use paytill::order::Order;
use paytill::payment::{
    Answer, Call, CallKind, Event, Found, Inconclusive, Ordered, State, Status, Submitted,
};

/// Refusals of a submission after which certainly nothing was charged (protocol 4.2).
const REFUSALS: [&str; 16] = [
    "APPID_MCHID_NOT_MATCH",
    "APPID_NOT_EXIST",
    "AUTHCODEEXPIRE",
    "AUTH_CODE_ERROR",
    "AUTH_CODE_INVALID",
    "MCHID_NOT_EXIST",
    "NOAUTH",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "ORDERCLOSED",
    "ORDERREVERSED",
    "PARAM_ERROR",
    "REQUIRE_POST_METHOD",
    "SIGNERROR",
    "TRADE_ERROR",
    "XML_FORMAT_ERROR",
];

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Attempted {
    pub number: String,
    pub sale: usize,
    pub attempt: i64,
    pub due: i64,
    pub code: String,
    /// Acknowledged by the disk, in order.
    pub kept: Vec<(Event, State)>,
    /// Since the journal was last read.
    pub has_moved: bool,
    /// Handed to the disk, but not acknowledged.
    pub handed: Vec<(Event, State)>,
    pub body: Vec<u8>,
    /// When the submission was handed to the network, and when it left.
    pub sent_at: Option<u64>,
    pub left_at: Option<u64>,
    pub queries: Vec<u64>,
    pub reversals: Vec<u64>,
    /// How many reversals there were when it was reported as reversed: if it is found open again,
    /// the waits start over.
    pub told_reversed: usize,
    /// How many queries were due for other reasons than the interval.
    pub calls_for: usize,
    /// Submissions on their way to the bank.
    pub on_the_way: u32,
    /// The same, to the merchant's backend; and whether that has its number in its books, so that
    /// nothing more is sent on.
    pub to_backend: u32,
    pub is_booked: bool,
    /// One has arrived: later ones repeat its number.
    pub has_arrived: bool,
    /// One of them is late.
    pub is_late: bool,
    /// When a verified and matching payment was first received.
    pub proof_at: Option<u64>,
    /// The cashier cancelled it.
    pub cancelled: bool,
    /// The gateway demands the reversal, or refused the submission in a way that one query settles.
    pub failed: bool,
    /// A signed refusal of the submission, or proof that it never left.
    pub refused: bool,
    /// A query found it ended.
    pub ended: bool,
    /// A query found that money went back, though perhaps a part.
    pub refunded: bool,
    /// A refund query found that all of it did, or that there is no refund where the reversal was
    /// accepted.
    pub all_refunded: bool,
    /// An answer showed that the order of this number is another till's.
    pub is_anothers: bool,
    /// It is paid in cash.
    pub is_cash: bool,
    /// It is paid by scanning a code of ours: when that was ordered, and how long it may be shown.
    pub scanned: Option<(u64, u64)>,
    /// That code was told to people.
    pub is_shown: bool,
    pub orders: usize,
    pub closings: Vec<u64>,
    /// A query found it unpaid, or unknown.
    pub is_unpaid: bool,
    pub reversed: bool,
    pub absent: Vec<u64>,
    pub told: Option<Status>,
    /// By this process.
    pub is_told_here: bool,
    pub restarts: usize,
    /// How often the cashier asked for something.
    pub asks: usize,
}

impl Attempted {
    /// Whether the gateway has confirmed the end, or has twice denied knowing an order that it
    /// reversed.
    pub fn is_over(&self) -> bool {
        let twice = matches!(self.absent[..], [first, .., last] if last >= first + 10_000);
        let is_returned = self.refunded && self.all_refunded;
        self.ended || is_returned || self.reversed && twice
    }

    /// Where the till is with it, by what it has written down.
    pub fn in_journal(&self) -> Option<Status> {
        self.kept.last().map(|(_, state)| state.status())
    }

    pub fn note_call(&mut self, call: Call, body: &[u8], now: u64) {
        match call.kind {
            CallKind::Submit => {
                self.body = body.to_vec();
                self.sent_at = Some(now);
            }
            CallKind::Query | CallKind::RefundQuery => self.queries.push(now),
            CallKind::Reverse => self.reversals.push(now),
            CallKind::Order => {
                if self.body.is_empty() || self.body.first() != body.first() {
                    self.body = body.to_vec();
                }
                self.sent_at.get_or_insert(now);
                self.orders += 1;
            }
            CallKind::Close => self.closings.push(now),
        }
    }

    /// Takes note of a correctly signed answer.
    pub fn note_answer(
        &mut self,
        order: &Order,
        kind: CallKind,
        fields: &BTreeMap<String, String>,
        now: u64,
    ) {
        let says = |name: &str, value: &str| fields.get(name).is_some_and(|says| says == value);
        let is_ours = says("mch_id", &order.merchant.mch_id)
            && says("appid", &order.merchant.app_id)
            && fields.get("out_trade_no").is_none_or(|theirs| *theirs == self.number);
        if !is_ours || !says("return_code", "SUCCESS") {
            return;
        }
        // The bank repeats what was submitted with the number.
        if fields.get("attach").is_some_and(|mark| *mark != order.mark) {
            self.is_anothers = true;
            return;
        }
        let is_success = says("result_code", "SUCCESS");
        let is_payment = match kind {
            CallKind::Submit => is_success,
            CallKind::Query => is_success && says("trade_state", "SUCCESS"),
            CallKind::Reverse | CallKind::RefundQuery | CallKind::Order | CallKind::Close => false,
        };
        let matches = says("total_fee", &self.due.to_string())
            && says("fee_type", "CNY")
            && says("out_trade_no", &self.number);
        if is_payment && matches {
            self.proof_at.get_or_insert(now);
        }
        match kind {
            CallKind::Submit => {
                let is_certain = REFUSALS.iter().any(|code| says("err_code", code));
                self.refused |= says("result_code", "FAIL") && is_certain;
            }
            CallKind::Query => {
                let is_over = ["REVOKED", "CLOSED"].iter().any(|word| says("trade_state", word));
                self.ended |= is_success && is_over;
                self.refunded |= is_success && says("trade_state", "REFUND");
                self.failed |= is_success && says("trade_state", "PAYERROR");
                self.refused |= says("behind", "closing");
                self.is_unpaid |= is_success && says("trade_state", "NOTPAY");
                if says("err_code", "ORDERNOTEXIST") {
                    self.absent.push(now);
                    self.is_unpaid = true;
                }
            }
            CallKind::Reverse => {
                if is_success && says("recall", "N") {
                    self.reversed = true;
                    self.absent.clear();
                }
            }
            CallKind::Order => {}
            CallKind::Close => {
                let is_gone =
                    ["ORDERCLOSED", "ORDERNOTEXIST"].iter().any(|code| says("err_code", code));
                if is_success || is_gone {
                    self.reversed = true;
                    self.absent.clear();
                }
            }
            CallKind::RefundQuery => {
                let returned = fields.iter().filter(|(name, _)| name.starts_with("refund_fee_"));
                let returned: i64 = returned.filter_map(|(_, fee)| fee.parse::<i64>().ok()).sum();
                let is_none = says("err_code", "REFUNDNOTEXIST");
                self.all_refunded |= is_success && returned >= self.due || is_none && self.reversed;
            }
        }
    }

    /// Something calls for a query outside the interval.
    pub fn note_wish(&mut self, event: &Event) {
        self.calls_for += 1;
        self.asks += 1;
        self.cancelled |= *event == Event::Cancel;
    }

    pub fn note_told(&mut self, attempt: &Attempt, event: &Event) {
        if let Event::Answered(_, answer) = event {
            // A refusal is queried at once, and so is a refused payment that was returned. A
            // reversal has two queries of its own.
            let asks = match answer {
                Answer::Submitted(submitted) => !matches!(
                    submitted,
                    Submitted::Paying
                        | Submitted::Asked(_)
                        | Submitted::Inconclusive(Inconclusive::Unknown(_))
                ),
                // So is a refund that may be of a part.
                Answer::Found(found) => matches!(found, Found::Ended(_)),
                // Whatever brings no code may be the last try.
                Answer::Ordered(ordered) => !matches!(ordered, Ordered::Code(_)),
                Answer::Reversed(_) | Answer::Refunds(_) | Answer::Closed(_) => false,
            };
            self.calls_for += usize::from(asks);
            let is_unsigned = matches!(answer.as_inconclusive(), Some(Inconclusive::Unsigned(_)));
            self.failed |=
                is_unsigned || matches!(answer, Answer::Submitted(Submitted::Ambiguous(_)));
        }
        self.is_shown |= attempt.code_to_show().is_some();
        let status = attempt.state.status();
        if status == Status::Reversed && self.told != Some(status) {
            self.told_reversed = self.reversals.len();
        }
        self.is_told_here = true;
        // An unrecorded status was reported as such; the next start determines it anew.
        self.told = attempt.recorded.then_some(status);
    }
}
