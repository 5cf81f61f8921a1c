//! What becomes of a payment or a refund by what the gateway tells unasked, decided purely.
//!
//! A notification is one more answer: the same machines take it. What does not match our books moves
//! nothing, and is written down as evidence.

use paytill_core::gateway::notice::{Notice, PaymentNotice, RefundHint, RefundNotice};
use paytill_core::payment::{Answer, Call, Event, Found, Inconclusive, TillCause};
use paytill_core::refund::{Queried, RefundAnswer, RefundEvent};

use super::decide::{self, Decided, Deciding};
use super::decide_refund::{self, RefundDecided};
use crate::store::{Judged, NoticeStep, NoticeWrite, PaymentRow, RefundBooks, RefundRow, Verdict};

/// What moved by a notification.
pub enum Moved {
    Payment(Box<Decided>),
    Refund(Box<RefundDecided>),
}

type Judgement = Judged<Moved>;

const fn only(verdict: Verdict) -> Judgement {
    Judged { verdict, step: None }
}

/// What follows from a notification that was verified, by the payment that it names and its refunds.
pub fn judge(books: &RefundBooks, notice: &Notice, now: Deciding<'_>) -> Judgement {
    match notice {
        Notice::Paid(notice) => paid(books, notice, now),
        Notice::Refund(notice) => refunded(books, notice, now),
        Notice::Hint(hint) => hinted(books, hint, now),
        Notice::Other(_) => only(Verdict::Other),
    }
}

/// The gateway says that an order was paid.
fn paid(books: &RefundBooks, notice: &PaymentNotice, now: Deciding<'_>) -> Judgement {
    let Some(row) = &books.payment else { return only(Verdict::Unknown) };
    let wire = [
        ("notice".to_owned(), notice.id.clone()),
        ("transaction_id".to_owned(), notice.transaction_id.clone()),
    ];
    let is_another =
        |id: &String| row.state.proof().is_some_and(|known| known.transaction_id != *id);
    let proof = match notice.proof(&row.order, now.at) {
        // One order is paid once: a second payment of it is nothing that we could explain.
        Ok(proof) if is_another(&proof.transaction_id) => {
            Err(Inconclusive::Unknown(TillCause::WrongNumber.into()))
        }
        proof => proof,
    };
    let found = match proof {
        Ok(proof) => {
            let mut state = row.state.clone();
            let call = state.notified(&proof, now.since(row.began_at), now.rules);
            let is_evidence = state == row.state && call.is_none();
            let event = Event::Answered(Call::UNASKED, Answer::Found(Found::Paid(proof)));
            let change = decide::moved(row, state, call, (&event, &wire), now);
            return of_payment(Verdict::Taken, change, is_evidence);
        }
        Err(why) => Found::Inconclusive(why),
    };
    let event = Event::Answered(Call::UNASKED, Answer::Found(found));
    let mut change = decide::moved(row, row.state.clone(), None, (&event, &wire), now);
    if let Some(write) = &mut change.write {
        write.outbox.push("payment.mismatch");
    }
    of_payment(Verdict::Mismatch, change, true)
}

/// The gateway says what became of a refund.
fn refunded(books: &RefundBooks, notice: &RefundNotice, now: Deciding<'_>) -> Judgement {
    let Some((payment, row)) = found(books, &notice.out_refund_no) else {
        return only(Verdict::Unknown);
    };
    let wire = [("notice".to_owned(), notice.id.clone())];
    let event = |queried| RefundEvent::Answered(Call::UNASKED, RefundAnswer::Queried(queried));
    match notice.outcome(&row.refund(payment), now.at) {
        Ok(queried) => {
            let mut state = row.state.clone();
            let call = state.notified(&queried, now.since(row.began_at), now.rules);
            let is_evidence = state == row.state && call.is_none();
            let event = event(queried);
            let change = decide_refund::stepped((payment, row), state, call, (&event, &wire), now);
            of_refund(Verdict::Taken, change, is_evidence)
        }
        Err(why) => {
            let event = event(Queried::Inconclusive(why));
            let state = row.state.clone();
            let mut change =
                decide_refund::stepped((payment, row), state, None, (&event, &wire), now);
            if let Some(write) = &mut change.write {
                write.outbox.push("refund.mismatch");
            }
            of_refund(Verdict::Mismatch, change, true)
        }
    }
}

/// Somebody who knows the key, or has seen other messages, wants a refund asked about. That is all that
/// comes of it: nothing that it says is signed.
fn hinted(books: &RefundBooks, hint: &RefundHint, now: Deciding<'_>) -> Judgement {
    let Some((payment, row)) = found(books, &hint.out_refund_no) else {
        return only(Verdict::Unknown);
    };
    let mut state = row.state.clone();
    let call = state.step(&RefundEvent::CheckNow, now.since(row.began_at), now.rules);
    let change =
        decide_refund::stepped((payment, row), state, call, (&RefundEvent::CheckNow, &[]), now);
    of_refund(Verdict::Taken, change, false)
}

fn found<'a>(
    books: &'a RefundBooks,
    out_refund_no: &str,
) -> Option<(&'a PaymentRow, &'a RefundRow)> {
    let row =
        books.refunds.iter().find(|refund| refund.key.out_refund_no.as_str() == out_refund_no);
    books.payment.as_ref().zip(row)
}

fn of_payment(
    verdict: Verdict,
    change: crate::store::Change<Option<Box<Decided>>>,
    is_evidence: bool,
) -> Judgement {
    let step = change.write.zip(change.result).map(|(write, decided)| NoticeStep {
        write: NoticeWrite::Payment(Box::new(write)),
        is_evidence,
        result: Moved::Payment(decided),
    });
    Judged { verdict, step }
}

fn of_refund(
    verdict: Verdict,
    change: crate::store::RefundChange<Option<Box<RefundDecided>>>,
    is_evidence: bool,
) -> Judgement {
    let step = change.write.zip(change.result).map(|(write, decided)| NoticeStep {
        write: NoticeWrite::Refund(Box::new(write)),
        is_evidence,
        result: Moved::Refund(decided),
    });
    Judged { verdict, step }
}
