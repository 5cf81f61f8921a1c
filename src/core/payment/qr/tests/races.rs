//! Payments at the moment of closing, at each millisecond, on a gateway that keeps books.

use super::*;

/// A gateway with one order, a customer who pays at a moment, and calls that take a while.
pub(super) struct Gateway {
    ordered: bool,
    closed: bool,
    pays_at: Option<u64>,
    pub(super) paid: bool,
}

impl Gateway {
    pub(super) const fn new(pays_at: Option<u64>) -> Self {
        Self { ordered: false, closed: false, pays_at, paid: false }
    }

    /// The customer acts up to this moment; only a shown code can be paid.
    pub(super) fn advance(&mut self, now: u64, has_code: bool) {
        if self.pays_at.is_some_and(|at| at <= now) && self.ordered && !self.closed && has_code {
            self.paid = true;
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.ordered && !self.closed && !self.paid
    }

    /// What the gateway makes of a call when it arrives.
    pub(super) fn take(&mut self, kind: CallKind) -> Says {
        match kind {
            CallKind::Order if self.closed => Says::Declined(why("ORDERCLOSED")),
            CallKind::Order if self.paid => Says::Ambiguous(why("ORDERPAID")),
            CallKind::Order => {
                self.ordered = true;
                Says::Code(code())
            }
            _ if !self.ordered && kind == CallKind::Close => Says::Accepted,
            _ if !self.ordered => Says::NotFound,
            CallKind::Close if self.paid => Says::AlreadyPaid(why("ORDERPAID")),
            CallKind::Close => {
                self.closed = true;
                Says::Accepted
            }
            _ if self.paid => Says::Paid(proof()),
            _ if self.closed => Says::Ended(Ending::Closed),
            _ => Says::NotPaid,
        }
    }
}

/// How it ends if the customer pays at that millisecond, the cashier gives up at 10 s, and every call
/// takes 40 ms there and 40 ms back.
fn race(pays_at: u64, cancels: bool) -> (Status, bool) {
    const WAY: u64 = 40;
    let lasts = Millis(if cancels { 7_200_000 } else { 10_000 });
    let mut bench = Bench::lasting(lasts);
    let mut gateway = Gateway::new(Some(pays_at));
    // When the call that is under way arrives, and when its answer does.
    let mut arrives = Some(WAY);
    let mut answer: Option<(u64, Call, Says)> = None;
    let mut had_code = false;
    let mut now = 0;
    while now < 40_000 && bench.state.is_open() {
        bench.now = Millis(now);
        gateway.advance(now, had_code);
        let made = bench.calls.len();
        if arrives == Some(now) {
            arrives = None;
            answer = Some((now + WAY, bench.last, gateway.take(bench.last.kind)));
        }
        if let Some((_, call, says)) = answer.take_if(|(at, ..)| *at == now) {
            bench.handle(&says.in_answer_to(call));
            had_code |= bench.state.code_url().is_some();
        }
        if cancels && now == 10_000 {
            bench.handle(&Event::Cancel);
        }
        if bench.state.wake_at(&RULES).is_some_and(|at| at.0 <= now) {
            bench.handle(&Event::Tick);
        }
        if bench.calls.len() > made {
            arrives = Some(now + WAY);
            answer = None;
        }
        let wake = bench.state.wake_at(&RULES).map(|at| at.0);
        let cancel = Some(10_000).filter(|_| cancels);
        let next = [arrives, answer.as_ref().map(|(at, ..)| *at), wake, cancel, Some(pays_at)];
        now = next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(40_000);
    }
    (bench.state.status(), gateway.paid)
}

#[test]
fn a_payment_at_any_millisecond_of_the_closing_is_taken_and_no_other_one() {
    let mut ends = std::collections::BTreeSet::new();
    for cancels in [true, false] {
        for pays_at in 9_700..10_500 {
            let (status, paid) = race(pays_at, cancels);
            let right = if paid { Status::Paid } else { Status::Closed };
            assert_eq!(status, right, "paid at {pays_at} ms");
            ends.insert(status.word());
        }
    }
    assert_eq!(ends.len(), 2, "both are seen");
}
