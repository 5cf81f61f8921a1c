//! Orders that the customer pays by scanning a code: unifiedorder and closeorder (protocol 3.7, 3.8,
//! 4.8, 4.9).

use super::ledger::LedgerEntry;
use super::notice_case::NotifyTo;
use super::request::{Incoming, NativeOrder};
use super::scenario::{Scenario, SpecialCase};
use super::status::OrderStatus;
use super::{BANK_TYPES, Bank, Fault, Said, reply};
use paytill_core::clock::Millis;
use paytill_core::gateway::wechat::fields::Fields;
use paytill_core::payment::CallKind;

/// How long a code can be paid (protocol 8).
const CODE_LASTS: Millis = Millis::seconds(2 * 3600);
/// How long a till waits for an answer.
const TILLS_WAIT: Millis = Millis::seconds(10);

/// Training customers who scan a code of ours, by name.
pub const SCANNERS: [(&str, Scenario); 3] = [
    ("scans", Scenario::Pays),
    ("scans-only", Scenario::WalksAway),
    ("scans-at-the-end", Scenario::Odd(SpecialCase::PaysDuringReversal)),
];

impl Bank {
    /// What the customer does who scans the next code.
    pub const fn next_scans(&mut self, scenario: Scenario) {
        self.script.next_scan = Some(scenario);
    }

    /// Orders a code, or answers with the one that the number has.
    pub(super) fn order(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        before: usize,
        now: Millis,
    ) -> Said {
        let order = match incoming.native(&self.script) {
            Ok(order) => order,
            Err((code, text)) => return Said::new(reply::failure(code, &text)),
        };
        let note = format!("{} {} ", self.script.currency.show(order.amount), order.currency);
        let is_known = entry.details.fingerprint.is_some() || entry.status != OrderStatus::NotFound;
        if !is_known {
            let chosen = self.script.next_scan.take().or(self.script.scenario);
            entry.scenario = match chosen.unwrap_or(Scenario::Pays) {
                Scenario::Random => self.draw(),
                scenario => scenario,
            };
        }
        let scenario = entry.scenario;
        let mut said = if let Scenario::Refused { refusal, .. } = scenario
            && !is_known
        {
            Said::new(reply::failure(refusal.code, refusal.text))
        } else if is_known
            && (entry.details.fingerprint != Some(order.fingerprint)
                || entry.details.code_url.is_empty())
        {
            Said::new(reply::failure("INVALID_REQUEST", "201 商户订单号重复"))
        } else {
            // Faults of the first submission are those of the first order.
            let fault = self.fault(entry, CallKind::Submit, before);
            let fault = fault.filter(|fault| fault.applies_to(CallKind::Order));
            let late = match scenario {
                Scenario::AnswerLate(seconds) if before == 0 => Millis::seconds(seconds.into()),
                _ => Millis(0),
            };
            Said { after: late, ..self.take_order(entry, incoming, &order, (fault, late), now) }
        };
        said.note = note;
        said
    }

    /// A customer scans the code of an order, where that still leads to anything.
    pub fn scan(&mut self, out_trade_no: &str, now: Millis) {
        let index = self.by_number.get(out_trade_no);
        let Some(entry) = index.and_then(|index| self.entries.get_mut(*index)) else { return };
        entry.advance(now);
        if entry.status == OrderStatus::Open && !entry.details.is_shown {
            entry.details.is_shown = true;
            let_scan(entry, [Millis(0); 2], now);
        }
    }

    fn take_order(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        order: &NativeOrder,
        (fault, late): (Option<Fault>, Millis),
        now: Millis,
    ) -> Said {
        let is_taken = !matches!(fault, Some(Fault::RequestLost | Fault::ReturnFail));
        if is_taken && entry.details.fingerprint.is_none() {
            self.open_native(entry, incoming, order, now);
        }
        let fields = match entry.status {
            OrderStatus::NotFound | OrderStatus::Open => {
                // Nobody can scan a code before some till has it, and no till waits for ever.
                let has_come = fault.is_none() && late < TILLS_WAIT && !self.script.scans_by_word;
                if has_come && !entry.details.is_shown {
                    entry.details.is_shown = true;
                    let_scan(entry, [late, self.script.scans_after], now);
                }
                Fields::from_iter([
                    ("result_code", "SUCCESS"),
                    ("trade_type", "NATIVE"),
                    ("prepay_id", &format!("wx{}", &entry.transaction_id)),
                    ("code_url", &entry.details.code_url),
                ])
            }
            OrderStatus::Paid | OrderStatus::Refunded => {
                reply::failure("ORDERPAID", "该订单已支付")
            }
            _ => reply::failure("ORDERCLOSED", "订单已关闭"),
        };
        Said { fault, ..Said::new(fields) }
    }

    fn open_native(
        &mut self,
        entry: &mut LedgerEntry,
        incoming: &Incoming,
        order: &NativeOrder,
        now: Millis,
    ) {
        entry.amount = order.amount;
        entry.currency.clone_from(&order.currency);
        entry.transaction_id = self.transaction_id(now);
        let text = |name| incoming.fields.get(name).unwrap_or_default().to_owned();
        let pr: String = reply::nonce(&mut self.rng).chars().take(7).collect();
        let details = &mut entry.details;
        details.fingerprint = Some(order.fingerprint);
        details.code_url = format!("weixin://wxpay/bizpayurl/up?pr={pr}&groupid=00");
        details.notify = NotifyTo::of(incoming.fields.get("notify_url"), incoming.form);
        details.device_info = text("device_info");
        details.attach = text("attach");
        details.bank_type = self.rng.choice(BANK_TYPES).unwrap_or("OTHERS");
        details.openid = format!("o{}", &reply::nonce(&mut self.rng)[..27]);
        details.coupon = if self.rng.u8(..8) == 0 { order.amount.minor() / 10 } else { 0 };
        entry.turn_into(OrderStatus::Open, now);
    }

    /// Of the order that is about to be the newest: each ends in another number.
    pub(super) fn transaction_id(&mut self, now: Millis) -> String {
        let day = self.wall(now).to_beijing();
        let ours = self.entries.iter().filter(|entry| !entry.details.code_url.is_empty()).count();
        format!(
            "4200{:06}{}{:010}",
            self.rng.u32(..1_000_000),
            day.get(..8).unwrap_or("00000000"),
            self.used_codes.len() + ours + 1
        )
    }

    /// Closes an order that nobody has paid.
    pub(super) fn close(&self, entry: &mut LedgerEntry, before: usize, now: Millis) -> Said {
        if entry.status != OrderStatus::NotFound && entry.details.code_url.is_empty() {
            return Said::new(reply::failure("INVALID_REQUEST", "此订单只能撤销，不能关单"));
        }
        // Faults of reversals are those of closing.
        let fault = self.fault(entry, CallKind::Reverse, before);
        let fault = fault.filter(|fault| fault.applies_to(CallKind::Close));
        let done =
            || Said::new(Fields::from_iter([("result_code", "SUCCESS"), ("result_msg", "OK")]));
        let failed = |code, text| Said::new(reply::failure(code, text));
        match self.special_case(entry, before) {
            Some(
                SpecialCase::Recall
                | SpecialCase::ReverseSystemError
                | SpecialCase::ReverseUserPaying,
            ) => return failed("SYSTEMERROR", "系统异常，请重试"),
            Some(SpecialCase::ReverseExpired) => return failed("SIGNERROR", "签名错误"),
            Some(SpecialCase::ReverseLies) => return done(),
            // Whoever has the code.
            Some(SpecialCase::ReverseRefused | SpecialCase::PaysDuringReversal)
                if entry.status == OrderStatus::Open && entry.details.is_shown =>
            {
                entry.turn_into(OrderStatus::Paid, now);
            }
            _ => {}
        }
        let said = match entry.status {
            OrderStatus::NotFound => failed("ORDERNOTEXIST", "订单不存在"),
            OrderStatus::Paid | OrderStatus::Refunded => {
                failed("ORDERPAID", "订单已支付，不能发起关单")
            }
            OrderStatus::Closed | OrderStatus::Revoked => failed("ORDERCLOSED", "订单已关闭"),
            OrderStatus::Open | OrderStatus::Paying | OrderStatus::PayError => {
                if fault.is_none_or(Fault::is_processed) {
                    entry.details.turn = None;
                    entry.turn_into(OrderStatus::Closed, now);
                }
                done()
            }
        };
        Said { fault, ..said }
    }
}

/// The customer scans the code some time after the answer, which is late, or does not.
fn let_scan(entry: &mut LedgerEntry, [late, scans_after]: [Millis; 2], now: Millis) {
    let after = |seconds: u8| Millis::seconds(seconds.into());
    let next = match entry.scenario {
        Scenario::Pays | Scenario::AnswerLate(_) => Some((late, OrderStatus::Paid)),
        Scenario::Password(seconds) | Scenario::Slow(seconds) => {
            Some((after(seconds), OrderStatus::Paid))
        }
        // Whoever cancels on the phone leaves the order as it was.
        Scenario::WalksAway | Scenario::Cancels(_) => None,
        Scenario::Revoked(seconds) | Scenario::Closed(seconds) => {
            Some((after(seconds), OrderStatus::Closed))
        }
        Scenario::Refused { charged, .. } | Scenario::Corrupted { charged, .. } => {
            charged.then_some((Millis(0), OrderStatus::Paid))
        }
        Scenario::Odd(
            SpecialCase::QueryFails | SpecialCase::QueryNotVisible | SpecialCase::Refund(_),
        ) => Some((Millis(0), OrderStatus::Paid)),
        Scenario::Odd(SpecialCase::PartlyRefunded | SpecialCase::RefundedElsewhere) => {
            entry.turn_into(OrderStatus::Paid, now);
            Some((Millis(1), OrderStatus::Refunded))
        }
        Scenario::Odd(_) | Scenario::Random => None,
    };
    let next = next.map(|(wait, status)| (scans_after.plus(wait), status));
    let age = now.minus(entry.details.created.unwrap_or(now));
    let next = next.filter(|(wait, _)| age.plus(*wait) < CODE_LASTS);
    entry.details.turn = next.map(|(wait, status)| (now.plus(wait), status));
    entry.advance(now);
}
