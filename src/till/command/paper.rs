//! Slips printed by a command without the screen: handed to the printer, and waited for. What does
//! not come out is left in the journal for the next start of the screen.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use super::wiring::printer_settings;
use crate::clock::Millis;
use crate::config::Config;
use crate::device::printer::{Job, Patience, Printer, PrinterReport, PrinterSettings};
use crate::engine::{Attempt, RefundRecord};
use crate::journal::{self, JournalError, RefundPaper, SlipSays, SlipStage};
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::receipt::{Form, ReceiptOutcome, RefundSlip, Slip, escpos};
use crate::text;
use crate::till::{Notice, Till};
use paytill_host::clock::Clock;

/// How long to wait for a printer that is not connected or out of paper: somebody waits for the
/// command.
const AWAY: Millis = Millis::seconds(5);
const STALLED: Millis = Millis::seconds(10);
/// How long to wait for a disk that does not answer: the payment has ended, and somebody waits for
/// the exit code.
const UNRECORDED: Duration = Duration::from_secs(3);

/// Slips to print, and where their orders are.
#[derive(Default)]
pub(super) struct Due {
    slips: Vec<journal::Slip>,
    orders: BTreeMap<OutTradeNo, Attempt>,
    /// Those of refunds, each with where its refund is.
    refunds: Vec<(journal::Slip, RefundPaper)>,
}

impl Due {
    pub(super) fn queued(&mut self, slip: journal::Slip) {
        self.slips.push(slip);
    }

    pub(super) fn moved(&mut self, attempt: &Attempt) {
        self.orders.insert(attempt.out_trade_no.clone(), attempt.clone());
    }

    pub(super) fn refund_queued(&mut self, slip: journal::Slip, paper: RefundPaper) {
        self.refunds.push((slip, paper));
    }

    pub(super) fn refund_moved(&mut self, refund: &RefundRecord) {
        for (_, paper) in &mut self.refunds {
            if paper.refund.out_refund_no == refund.out_refund_no {
                paper.refund = refund.clone();
            }
        }
    }

    /// How many there are of either kind.
    fn left(&self) -> usize {
        self.slips.len() + self.refunds.len()
    }

    /// The oldest that still says what is so: of each order the last one at most.
    fn take_next(&mut self) -> Option<(journal::Slip, Attempt)> {
        self.drop_outdated();
        let slip = (!self.slips.is_empty()).then(|| self.slips.remove(0))?;
        let attempt = self.orders.get(&slip.out_trade_no)?.clone();
        Some((slip, attempt))
    }

    fn drop_outdated(&mut self) {
        let Self { slips, orders, .. } = self;
        let mut last = BTreeMap::new();
        for slip in &*slips {
            last.insert(slip.out_trade_no.clone(), slip.id);
        }
        slips.retain(|slip| {
            let order = orders.get(&slip.out_trade_no);
            last.get(&slip.out_trade_no) == Some(&slip.id)
                && order.is_some_and(|order| slip.says == SlipSays::Payment(order.state.status()))
        });
    }

    /// Whether a slip that was made of this says where its order is now.
    fn says_the_truth(&self, slip: &journal::Slip, of: &Attempt) -> bool {
        let is_later =
            |other: &journal::Slip| other.out_trade_no == slip.out_trade_no && other.id > slip.id;
        let outcome = |attempt: &Attempt| ReceiptOutcome::of(&attempt.state);
        !self.slips.iter().any(is_later)
            && self.orders.get(&slip.out_trade_no).map(outcome) == Some(outcome(of))
    }

    fn noticed(&mut self, notice: Notice, moved: &mut impl FnMut(&Attempt)) {
        match notice {
            Notice::SlipDue(slip) => self.queued(slip),
            Notice::Attempt(report) => {
                self.moved(&report.attempt);
                moved(&report.attempt);
            }
            Notice::RefundSlip(slip, paper) => self.refund_queued(slip, *paper),
            Notice::Refund(report) => self.refund_moved(&report.refund),
            Notice::Stopped(_)
            | Notice::Gateway(_)
            | Notice::Enquired { .. }
            | Notice::SlipQueued(..)
            | Notice::SlipBegun { .. }
            | Notice::DrawerNoted { .. }
            | Notice::CashMoved { .. }
            | Notice::CashReturned { .. }
            | Notice::Shift(_) => {}
        }
    }
}

/// Why slips are left, in words for people; the payments are not touched by it.
pub(super) struct NotPrinted {
    pub(super) left: usize,
    pub(super) why: String,
}

/// Prints the slips that the journal has, one after the other, and writes down what became of each.
/// An order that moves meanwhile is told to `moved`, and gets the slip of its new state in place of
/// the old. A printer that fails once is not waited for again.
pub(super) async fn print_all(
    mut due: Due,
    mut moved: impl FnMut(&Attempt),
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), NotPrinted> {
    loop {
        // What has happened while the last one was printed.
        while let Ok(notice) = tokio::time::timeout(Duration::ZERO, till.next()).await {
            due.noticed(notice, &mut moved);
        }
        let result = if let Some((slip, attempt)) = due.take_next() {
            print(&slip, &attempt, &mut due, &mut moved, config, till, clock).await
        } else if let Some((slip, _)) = due.refunds.first() {
            let slip = slip.clone();
            print_refund(&slip, &mut due, &mut moved, config, till, clock).await
        } else {
            return Ok(());
        };
        if let Err(why) = result {
            due.drop_outdated();
            return Err(NotPrinted { left: due.left() + 1, why });
        }
    }
}

async fn print(
    slip: &journal::Slip,
    attempt: &Attempt,
    due: &mut Due,
    moved: &mut impl FnMut(&Attempt),
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), String> {
    let language = config.till.language;
    let is_recorded = begin(slip, due, moved, till, language).await?;
    if !due.says_the_truth(slip, attempt) {
        if is_recorded {
            till.mark_slip(slip.id, SlipStage::Replaced);
        }
        return Ok(());
    }
    if !is_recorded {
        return Err(text::journal::sentence(&JournalError::Stopped, language));
    }
    let of = Slip::of(attempt, config, slip.copy, &slip.tenders);
    let page = of.map(|of| escpos::print(&of, &Form::of(config), language));
    put_on_paper(page, slip, config, till, clock)
}

/// The first of those of refunds, as its refund is once the journal knows that it begins.
async fn print_refund(
    slip: &journal::Slip,
    due: &mut Due,
    moved: &mut impl FnMut(&Attempt),
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), String> {
    let language = config.till.language;
    let is_recorded = begin(slip, due, moved, till, language).await;
    let (_, paper) = due.refunds.remove(0);
    if !is_recorded? {
        return Err(text::journal::sentence(&JournalError::Stopped, language));
    }
    let Some(of) = RefundSlip::of(&paper, config, slip.copy) else {
        till.mark_slip(slip.id, SlipStage::Replaced);
        return Ok(());
    };
    put_on_paper(Some(of.print(&Form::of(config), language)), slip, config, till, clock)
}

/// Prints a slip, and has it written down whether it came out.
fn put_on_paper(
    page: Option<Vec<u8>>,
    slip: &journal::Slip,
    config: &Config,
    till: &mut Till,
    clock: &Clock,
) -> Result<(), String> {
    let printed = send(page, config, clock);
    let stage = if printed.is_ok() { SlipStage::Done } else { SlipStage::Missing };
    till.mark_slip(slip.id, stage);
    printed
}

/// Has it written down that a slip may be on paper from now on, and tells whether it was.
async fn begin(
    slip: &journal::Slip,
    due: &mut Due,
    moved: &mut impl FnMut(&Attempt),
    till: &mut Till,
    language: Language,
) -> Result<bool, String> {
    till.mark_slip(slip.id, SlipStage::Begun);
    let is_recorded = tokio::time::timeout(UNRECORDED, is_recorded(slip.id, due, moved, till));
    is_recorded.await.map_err(|_| text::journal::no_answer(language).to_owned())
}

/// Whether the journal knows that a slip may be on paper from now on.
async fn is_recorded(
    id: i64,
    due: &mut Due,
    moved: &mut impl FnMut(&Attempt),
    till: &mut Till,
) -> bool {
    loop {
        match till.next().await {
            Notice::SlipBegun { slip, recorded } if slip == id => return recorded,
            notice => due.noticed(notice, moved),
        }
    }
}

fn send(page: Option<Vec<u8>>, config: &Config, clock: &Clock) -> Result<(), String> {
    let (Some(settings), Some(page)) = (printer_settings(config), page) else { return Ok(()) };
    let language = config.till.language;
    let patience = Patience { away: AWAY, stalled: STALLED, trouble: STALLED };
    let (post, reports) = mpsc::channel();
    let report = move |report| {
        let _ = post.send(report);
    };
    let printer = Printer::start(PrinterSettings { patience, ..settings }, clock.clone(), report)
        .map_err(|error| text::system::text(&error).in_language(language).to_owned())?;
    let copies = config.receipt.copies;
    let job = Job { id: 1, page, copies, good_for: None, regardless: false, asks_first: false };
    printer.print(job).map_err(|_| text::device::queue_full(language).to_owned())?;
    let longest = Duration::from(AWAY.plus(STALLED).plus(Millis::seconds(30)));
    while let Ok(report) = reports.recv_timeout(longest) {
        match report {
            PrinterReport::Printed(_) | PrinterReport::Sent(_) => return Ok(()),
            PrinterReport::Failed(_, fault) => {
                return Err(text::device::job_fault(&fault, language));
            }
            PrinterReport::Health(_) | PrinterReport::Answers(_) | PrinterReport::Begins(_) => {}
        }
    }
    Err(language.pick("the printer did not answer", "打印机没有应答").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Timestamp, Uptime};
    use crate::money::{Currency, Money};
    use crate::payment::{Call, CallKind, Event, Reason, Rules, State, Status};
    use crate::says::Says;

    fn number(of: u32) -> OutTradeNo {
        OutTradeNo::try_from(format!("T01-{of:06}")).unwrap()
    }

    fn slip(id: i64, of: u32, status: Status) -> journal::Slip {
        let (out_trade_no, at) = (number(of), Timestamp(0));
        let says = SlipSays::Payment(status);
        let (stage, tenders) = (SlipStage::Waiting, Vec::new());
        journal::Slip { id, out_trade_no, says, copy: 0, at, stage, tenders }
    }

    /// An order that needs a person, and the same reversed after all.
    fn orders(of: u32) -> (Attempt, Attempt) {
        let rules = Rules::default();
        let mut state = State::begin(&rules, 0);
        let call = |kind, number| Call { kind, number };
        let refused = Says::ReversalRefused(Reason::gateway("TRADE_ERROR", ""));
        let late = rules.give_up_after;
        for event in [
            Event::Tick,
            Says::NotPaid.in_answer_to(call(CallKind::Query, 1)),
            refused.in_answer_to(call(CallKind::Reverse, 2)),
        ] {
            let _ = state.step(&event, late, &rules);
        }
        let before = Attempt {
            out_trade_no: number(of),
            sale: 1,
            amount: Money::from_minor(1234),
            currency: Currency::CNY,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            sent_at: Uptime(0),
            state,
            sold: std::sync::Arc::default(),
            recorded: true,
        };
        let mut after = before.clone();
        let settled = Event::Settled("refunded".into());
        let _ = after.state.step(&settled, late, &rules);
        (before, after)
    }

    #[test]
    fn of_each_order_the_last_slip_is_printed_if_it_says_what_is_so() {
        let mut due = Due::default();
        let (first, _) = orders(1);
        let (second, _) = orders(2);
        assert_eq!(first.state.status(), Status::Attention);
        for attempt in [&first, &second] {
            due.moved(attempt);
        }
        due.queued(slip(1, 1, Status::Attention));
        due.queued(slip(2, 2, Status::Attention));
        due.queued(slip(3, 1, Status::Reversed));
        due.queued(slip(4, 7, Status::Paid));
        let (next, of) = due.take_next().unwrap();
        assert_eq!((next.id, of.out_trade_no), (2, number(2)));
        assert!(due.take_next().is_none());
    }

    #[test]
    fn what_comes_while_a_slip_is_being_marked_is_kept_and_takes_its_place() {
        let mut due = Due::default();
        let (before, after) = orders(1);
        due.moved(&before);
        due.queued(slip(1, 1, Status::Attention));
        let (old, of) = due.take_next().unwrap();
        assert!(due.says_the_truth(&old, &of));
        // A later slip alone, or a later state alone, will do.
        due.noticed(Notice::SlipDue(slip(2, 1, Status::Attention)), &mut |_| {});
        assert!(!due.says_the_truth(&old, &of));
        let (new, of) = due.take_next().unwrap();
        assert_eq!(new.id, 2);
        assert!(due.says_the_truth(&new, &of));
        let mut told = Vec::new();
        let report = crate::engine::Report {
            attempt: after,
            event: Event::Tick,
            before: Some(Status::Attention),
            was_over: false,
        };
        due.noticed(Notice::Attempt(Box::new(report)), &mut |of: &Attempt| {
            told.push(of.out_trade_no.clone());
        });
        assert_eq!(told, [number(1)]);
    }
}
