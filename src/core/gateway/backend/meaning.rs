//! What the backend's answers mean to a payment or a refund of the till's: one table, a function for
//! each call.
//!
//! A state that is not known, or a member that is not ours, proves nothing. That something is paid
//! takes the number, the mark, the amount, the currency and the gateway's own number.

use super::message::{Payment, PaymentList, Refund as RefundMessage, RefundList, Refused, Told};
use crate::clean::clean;
use crate::clock::Timestamp;
use crate::gateway::{Ask, Lookup, Owner, RefundAsk};
use crate::money::Money;
use crate::order::{CodeUrl, Order, OutTradeNo};
use crate::payment::{
    Answer, CallKind, CloseSaid, Ending, Found, Inconclusive, Ordered, Proof, Reason, Refunds,
    Reversed, Status, Submitted, TillCause,
};
use crate::refund::{
    KnownRefund, Looked, Queried, Refund, RefundAnswer, RefundCallKind, RefundPage, RefundProof,
    RefundSaid, RefundStatus,
};

/// What a signed answer holds: what was asked for, or a refusal.
pub(super) type Said<T> = Result<T, Refusing>;

/// A refusal, with its words.
#[derive(Debug)]
pub(super) struct Refusing {
    pub(super) refused: Refused,
    pub(super) text: String,
}

impl From<Refusing> for Reason {
    fn from(refusing: Refusing) -> Self {
        Self::gateway(refusing.refused.word(), refusing.text)
    }
}

/// What an answer means that could be believed.
pub(super) fn payment(
    ask: Ask<'_>,
    said: Said<Payment>,
    now: Timestamp,
) -> Result<Answer, Inconclusive> {
    let order = ask.order();
    let payment = match said {
        Ok(payment) => payment,
        Err(refusing) => return refused(ask.kind(), refusing),
    };
    let status = match status(&payment, order) {
        Ok(status) => status,
        Err(TillCause::AnotherTill) => return another_tills(ask.kind(), ""),
        Err(cause) => return Err(unknown(cause)),
    };
    let it = Known { payment: &payment, status, order, now };
    Ok(match ask.kind() {
        CallKind::Submit => Answer::Submitted(it.submitted()?),
        CallKind::Query => Answer::Found(it.found()?),
        CallKind::Reverse => Answer::Reversed(it.reversed()),
        CallKind::RefundQuery => Answer::Refunds(it.refunds()?),
        CallKind::Order => Answer::Ordered(it.ordered()?),
        CallKind::Close => Answer::Closed(it.closed()),
    })
}

/// The state of a payment that is ours as far as can be seen.
fn status(payment: &Payment, order: &Order) -> Result<Status, TillCause> {
    if payment.out_trade_no != order.out_trade_no.as_str() {
        return Err(TillCause::WrongNumber);
    }
    let is_marked = !order.mark.is_empty() && !payment.mark.is_empty();
    if is_marked && payment.mark != order.mark {
        return Err(TillCause::AnotherTill);
    }
    Status::from_word(&payment.state).ok_or(TillCause::BadAnswer)
}

/// A payment of ours, and what is needed to hold it against the order.
struct Known<'a> {
    payment: &'a Payment,
    status: Status,
    order: &'a Order,
    now: Timestamp,
}

impl Known<'_> {
    fn submitted(&self) -> Result<Submitted, Inconclusive> {
        let reason = self.reason();
        Ok(match self.status {
            Status::Paid => Submitted::Paid(self.proof()?),
            // A query tells it, to whatever the till does then.
            _ if self.has_money() => Submitted::Ambiguous(reason),
            Status::Waiting if reason.code() == "USERPAYING" && !reason.text.is_empty() => {
                Submitted::Asked(reason)
            }
            Status::Waiting => Submitted::Paying,
            Status::Declined => Submitted::Declined(reason),
            Status::Reversing | Status::Reversed | Status::Closed => Submitted::Ambiguous(reason),
            Status::Created | Status::Sent | Status::Checking | Status::Attention => {
                return Err(Inconclusive::Unknown(reason));
            }
        })
    }

    fn found(&self) -> Result<Found, Inconclusive> {
        let Payment { closed, money_returned, code_url, .. } = self.payment;
        Ok(match self.status {
            Status::Paid => Found::Paid(self.proof()?),
            Status::Reversed if *money_returned => Found::Ended(Ending::Returned),
            _ if self.has_money() => Found::Returning,
            // A code that nobody has scanned, or a customer at the password.
            Status::Waiting if code_url.is_some() => Found::NotPaid,
            Status::Waiting => Found::Paying,
            Status::Declined => Found::Declined { reason: self.reason(), closed: *closed },
            Status::Reversing => Found::Failed(self.reason()),
            Status::Reversed => Found::Ended(Ending::Revoked),
            Status::Closed => Found::Ended(Ending::Closed),
            Status::Created | Status::Sent | Status::Checking | Status::Attention => {
                return Err(Inconclusive::Unknown(self.reason()));
            }
        })
    }

    fn reversed(&self) -> Reversed {
        let closed = self.payment.closed;
        match self.status {
            Status::Reversed | Status::Closed if self.is_without_money() => Reversed::Accepted,
            Status::Declined if closed => Reversed::Accepted,
            // A person has settled it there, and nothing more will be done about it.
            Status::Attention if closed => Reversed::Refused(self.reason()),
            // Paid: the backend gives it up now.
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Paid
            | Status::Declined
            | Status::Reversed
            | Status::Closed
            | Status::Attention => Reversed::Repeat(self.reason()),
        }
    }

    fn refunds(&self) -> Result<Refunds, Inconclusive> {
        match self.status {
            Status::Paid => self.proof().map(|_| Refunds::None),
            Status::Reversed if self.payment.money_returned => Ok(Refunds::Whole),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Declined
            | Status::Reversed
            | Status::Closed
            | Status::Attention => Err(Inconclusive::Unknown(self.reason())),
        }
    }

    fn ordered(&self) -> Result<Ordered, Inconclusive> {
        if let Some(code_url) = &self.payment.code_url {
            self.is_of_this_amount()?;
            let code = CodeUrl::try_from(code_url.clone());
            return code.map(Ordered::Code).map_err(|_| unknown(TillCause::BadAnswer));
        }
        let reason = self.reason();
        match self.status {
            Status::Declined | Status::Closed => Ok(Ordered::Refused(reason)),
            // Its code is gone, or was never told.
            Status::Paid | Status::Reversing | Status::Reversed | Status::Attention => {
                Ok(Ordered::Ambiguous(reason))
            }
            Status::Created | Status::Sent | Status::Waiting | Status::Checking => {
                Err(Inconclusive::Unknown(reason))
            }
        }
    }

    fn closed(&self) -> CloseSaid {
        match self.status {
            Status::Closed | Status::Reversed if self.is_without_money() => CloseSaid::Accepted,
            Status::Declined if self.payment.closed => CloseSaid::Accepted,
            Status::Paid => CloseSaid::Paid(Reason::gateway("ORDERPAID", "")),
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Declined
            | Status::Reversed
            | Status::Closed
            | Status::Attention => CloseSaid::Repeat(self.reason()),
        }
    }

    /// The customer had paid, and it is not the shop's.
    const fn has_money(&self) -> bool {
        self.payment.money_held || self.payment.money_returned
    }

    /// Nothing is held of the customer's, any more or ever.
    const fn is_without_money(&self) -> bool {
        self.payment.money_returned || !self.payment.money_held
    }

    /// The proof in a payment that is reported as paid, if it matches the order in every part.
    fn proof(&self) -> Result<Proof, Inconclusive> {
        let Self { payment, order, now, .. } = self;
        self.is_of_this_amount()?;
        // What is paid was submitted, and so with its mark.
        if !order.mark.is_empty() && payment.mark != order.mark {
            return Err(unknown(TillCause::BadAnswer));
        }
        let is_plain = |id: &&str| {
            (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let id = payment.transaction_id.as_deref().filter(is_plain);
        Ok(Proof {
            transaction_id: id.ok_or_else(|| unknown(TillCause::BadAnswer))?.to_owned(),
            paid_at: payment.paid_at.map_or(*now, Timestamp),
            coupon: payment.coupon.filter(|coupon| (1..=order.amount.minor()).contains(coupon)),
        })
    }

    fn is_of_this_amount(&self) -> Result<(), Inconclusive> {
        let Self { payment, order, .. } = self;
        if payment.amount != order.amount.minor() {
            return Err(unknown(TillCause::WrongAmount));
        }
        if payment.currency != order.currency.code() {
            return Err(unknown(TillCause::WrongCurrency));
        }
        Ok(())
    }

    fn reason(&self) -> Reason {
        reason(self.payment.reason.as_ref())
    }
}

/// Why the backend did nothing for a payment.
fn refused(kind: CallKind, refusing: Refusing) -> Result<Answer, Inconclusive> {
    use CallKind::{Close, Order, Query, RefundQuery, Reverse, Submit};
    match (refusing.refused, kind) {
        (Refused::NumberUsed, _) => another_tills(kind, &refusing.text),
        // To the last copy of it: the order is made again.
        (Refused::NotSent, Order) => Err(Inconclusive::NotSent(refusing.into())),
        (Refused::NotFound, Query) => Ok(Answer::Found(Found::NotFound)),
        // What was refused may be a copy of one that is still on its way, perhaps to an instance that can
        // write it down: its number is closed.
        (
            Refused::Closed
            | Refused::NotSent
            | Refused::Revoked
            | Refused::NotAllowed
            | Refused::Limit
            | Refused::Clock
            | Refused::Unauthorized
            | Refused::BadRequest,
            Submit,
        ) => Ok(Answer::Submitted(Submitted::Declined(refusing.into()))),
        (
            Refused::Closed
            | Refused::Revoked
            | Refused::NotAllowed
            | Refused::Limit
            | Refused::Clock
            | Refused::Unauthorized
            | Refused::BadRequest,
            Order,
        ) => Ok(Answer::Ordered(Ordered::Refused(refusing.into()))),
        // A copy came first, and that one was not refused; or it is not known how far it came.
        (Refused::Replayed | Refused::Failed | Refused::NotFound, Submit | Order)
        // Nothing that is said to these ends an order.
        | (
            Refused::NotFound
            | Refused::Closed
            | Refused::NotSent
            | Refused::Revoked
            | Refused::NotAllowed
            | Refused::Limit
            | Refused::Clock
            | Refused::Replayed
            | Refused::Unauthorized
            | Refused::BadRequest
            | Refused::Failed,
            Query | Reverse | RefundQuery | Close,
        ) => Err(Inconclusive::Unknown(refusing.into())),
    }
}

/// The number is in another till's hand, or stands for another order of ours.
fn another_tills(kind: CallKind, text: &str) -> Result<Answer, Inconclusive> {
    let reason = Reason::quoting(TillCause::AnotherTill, text);
    Ok(match kind {
        CallKind::Submit => Answer::Submitted(Submitted::Ambiguous(reason)),
        CallKind::Query => Answer::Found(Found::AnotherTills(reason)),
        CallKind::Reverse => Answer::Reversed(Reversed::Refused(reason)),
        CallKind::Order => Answer::Ordered(Ordered::Ambiguous(reason)),
        CallKind::Close => Answer::Closed(CloseSaid::Refused(reason)),
        CallKind::RefundQuery => return Err(Inconclusive::Unknown(reason)),
    })
}

/// What an answer about one refund means.
pub(super) fn refund(
    ask: RefundAsk<'_>,
    said: Said<RefundMessage>,
    now: Timestamp,
) -> Result<RefundAnswer, Inconclusive> {
    let is_query = ask.kind == RefundCallKind::Query;
    let message = match said {
        Ok(message) => message,
        Err(refusing) if is_query => return query_refused(refusing),
        Err(refusing) => return refund_refused(refusing).map(RefundAnswer::Said),
    };
    let status = refund_status(&message, ask.refund)?;
    let reason = reason(message.reason.as_ref());
    if is_query {
        queried(&message, status, reason, now).map(RefundAnswer::Queried)
    } else {
        refund_said(&message, status, reason).map(RefundAnswer::Said)
    }
}

/// Of this very refund, its state.
fn refund_status(message: &RefundMessage, refund: &Refund) -> Result<RefundStatus, Inconclusive> {
    let order = &refund.order;
    if message.out_trade_no != order.out_trade_no.as_str()
        || message.out_refund_no != refund.out_refund_no.as_str()
    {
        return Err(unknown(TillCause::WrongNumber));
    }
    if message.amount != refund.amount.minor() || message.total != order.amount.minor() {
        return Err(unknown(TillCause::WrongAmount));
    }
    if message.currency != order.currency.code() {
        return Err(unknown(TillCause::WrongCurrency));
    }
    let states = [
        RefundStatus::Sent,
        RefundStatus::Checking,
        RefundStatus::Accepted,
        RefundStatus::Done,
        RefundStatus::Refused,
        RefundStatus::Attention,
    ];
    let known = states.into_iter().find(|status| status.word() == message.state);
    known.ok_or_else(|| unknown(TillCause::BadAnswer))
}

fn refund_said(
    message: &RefundMessage,
    status: RefundStatus,
    reason: Reason,
) -> Result<RefundSaid, Inconclusive> {
    match status {
        RefundStatus::Accepted | RefundStatus::Done | RefundStatus::Attention => {
            Ok(RefundSaid::Accepted)
        }
        RefundStatus::Refused if !message.counts => Ok(RefundSaid::Refused(reason)),
        // The backend has it, and the gateway perhaps not yet.
        RefundStatus::Refused | RefundStatus::Sent | RefundStatus::Checking => {
            Err(Inconclusive::Unknown(reason))
        }
    }
}

fn queried(
    message: &RefundMessage,
    status: RefundStatus,
    reason: Reason,
    now: Timestamp,
) -> Result<Queried, Inconclusive> {
    Ok(match status {
        RefundStatus::Done => Queried::Done(RefundProof {
            refund_id: clean(message.refund_id.as_deref().unwrap_or_default(), 32),
            done_at: message.done_at.map_or(now, Timestamp),
        }),
        RefundStatus::Accepted => Queried::Processing,
        // Nothing has reached the gateway, and nothing will unless it is sent again.
        RefundStatus::Refused if !message.counts => Queried::NotFound,
        RefundStatus::Attention if reason.code() == "CHANGE" => Queried::Abnormal,
        RefundStatus::Attention if reason.code() == "REFUNDCLOSE" => Queried::Closed,
        RefundStatus::Sent
        | RefundStatus::Checking
        | RefundStatus::Refused
        | RefundStatus::Attention => return Err(Inconclusive::Unknown(reason)),
    })
}

/// Why the backend did not take a refund.
fn refund_refused(refusing: Refusing) -> Result<RefundSaid, Inconclusive> {
    match refusing.refused {
        Refused::NotSent => Err(Inconclusive::NotSent(refusing.into())),
        Refused::Replayed | Refused::Failed => Err(Inconclusive::Unknown(refusing.into())),
        Refused::NotFound
        | Refused::NumberUsed
        | Refused::Closed
        | Refused::Revoked
        | Refused::NotAllowed
        | Refused::Limit
        | Refused::Clock
        | Refused::Unauthorized
        | Refused::BadRequest => Ok(RefundSaid::Refused(refusing.into())),
    }
}

/// Why the backend did not tell of a refund.
fn query_refused(refusing: Refusing) -> Result<RefundAnswer, Inconclusive> {
    if refusing.refused == Refused::NotFound {
        return Ok(RefundAnswer::Queried(Queried::NotFound));
    }
    Err(Inconclusive::Unknown(refusing.into()))
}

/// What the list of an order's refunds means. It is whole: there is no second page.
pub(super) fn looked(
    ask: RefundAsk<'_>,
    offset: u32,
    said: Said<RefundList>,
) -> Result<RefundAnswer, Inconclusive> {
    let RefundList { refunds } = said.map_err(|refusing| Inconclusive::Unknown(refusing.into()))?;
    let order = &ask.refund.order;
    let is_ours = |refund: &RefundMessage| {
        refund.out_trade_no == order.out_trade_no.as_str()
            && refund.currency == order.currency.code()
    };
    if !refunds.iter().all(is_ours) {
        return Err(unknown(TillCause::WrongNumber));
    }
    let total = u32::try_from(refunds.len()).map_err(|_| unknown(TillCause::BadAnswer))?;
    let known = refunds.iter().skip(offset as usize).map(|refund| KnownRefund {
        number: clean(&refund.out_refund_no, 64),
        amount: Money::from_minor(refund.amount),
        counts: refund.counts,
    });
    let page = RefundPage { total, refunds: known.collect() };
    Ok(RefundAnswer::Looked(Looked::Page(page)))
}

/// Whose a transaction is.
pub(super) fn owner(lookup: Lookup<'_>, said: Said<PaymentList>) -> Result<Owner, Inconclusive> {
    let PaymentList { payments, .. } =
        said.map_err(|refusing| Inconclusive::Unknown(refusing.into()))?;
    let [payment] = payments.as_slice() else {
        return if payments.is_empty() {
            Ok(Owner::Nobody)
        } else {
            Err(unknown(TillCause::BadAnswer))
        };
    };
    if payment.transaction_id.as_deref() != Some(lookup.transaction_id) {
        return Err(unknown(TillCause::WrongNumber));
    }
    let number = OutTradeNo::try_from(payment.out_trade_no.clone());
    number.map(Owner::Order).map_err(|_| unknown(TillCause::WrongNumber))
}

/// The backend's reason; it is still at it where it gives none.
fn reason(told: Option<&Told>) -> Reason {
    told.map_or_else(|| TillCause::InProgress.into(), Reason::from)
}

pub(super) fn unknown(cause: TillCause) -> Inconclusive {
    Inconclusive::Unknown(cause.into())
}
