//! What nobody expected: payments that were paid after they were given up, and what the gateway has
//! reported otherwise than it is in the books. With each, what was done about the money.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::Funds;

use super::session::Visitor;
use super::view::{Item, class};
use super::words::PageWords;
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::{OutboxRow, PaymentRow};

/// How many of a kind are listed.
const LISTED: i64 = 100;
/// How far back.
const SINCE: Millis = Millis::seconds(31 * 86_400);

#[derive(Template)]
#[template(path = "exceptions.html")]
struct ExceptionsPage {
    f: Frame,
    found: Vec<Found>,
    unknown: Vec<Unknown>,
    is_cut: bool,
}

/// A payment or a refund of ours.
struct Found {
    what: &'static str,
    at: String,
    /// The refund's number, if it is about one.
    refund: String,
    payment: Option<Item>,
    done: &'static str,
    class: &'static str,
}

/// What the gateway told of an order that is not ours.
struct Unknown {
    number: String,
    at: String,
}

/// `GET /admin/exceptions`
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = made(&pages, visitor.clone()).await;
    answer(&visitor, made)
}

async fn made(pages: &Pages, visitor: Visitor) -> Result<Response, Problem> {
    let (store, merchant) = (pages.work.store(), pages.merchant());
    let from = Timestamp(pages.work.now().0.saturating_sub_unsigned(SINCE.0));
    let odd = store.odd(merchant, from, LISTED).await?;
    let unknown = store.unknown_notices(merchant, from, LISTED).await?;
    let is_cut = is_full(odd.len(), LISTED) || is_full(unknown.len(), LISTED);
    let eye = pages.eye(visitor.words);
    let mut found = Vec::new();
    for row in odd {
        let payment = payment(pages, &row).await?;
        let is_late = row.kind == "payment.paid_late";
        let is_refund = row.kind.starts_with("refund.");
        found.push(Found {
            what: if is_late { eye.w.paid_late() } else { eye.w.mismatch() },
            at: eye.time(row.created_at),
            done: match &payment {
                Some(row) if is_late => funds(row.state.money(), eye.w),
                Some(_) | None => eye.w.mismatch_hint(),
            },
            class: payment
                .as_ref()
                .filter(|_| is_late)
                .map_or("bad", |row| class(row.state.status())),
            payment: payment.map(|row| eye.payment(&row)),
            refund: if is_refund { row.subject } else { String::new() },
        });
    }
    let unknown = unknown.into_iter().map(|notice| Unknown {
        number: notice.out_trade_no.unwrap_or(notice.id),
        at: eye.time(notice.received_at),
    });
    let unknown = unknown.collect();
    let f = Frame::new(pages, visitor, Tab::Exceptions);
    Ok(page(&ExceptionsPage { f, found, unknown, is_cut }))
}

/// The payment that it is about.
async fn payment(pages: &Pages, row: &OutboxRow) -> Result<Option<PaymentRow>, Problem> {
    let store = pages.work.store();
    let number = match OutTradeNo::try_from(row.subject.clone()) {
        Ok(number) if row.kind.starts_with("payment.") => Some(number),
        Ok(_) | Err(_) => store.of_refund(pages.merchant(), &row.subject).await?,
    };
    let Some(number) = number else { return Ok(None) };
    Ok(store.payment(pages.work.key(&number)).await?)
}

/// Where the money of a late payment is by now.
const fn funds(funds: Funds, w: PageWords) -> &'static str {
    match funds {
        Funds::Taken => w.booked(),
        Funds::Held => w.being_returned(),
        Funds::Returned => w.returned(),
        Funds::NotMoved => w.not_charged(),
        Funds::Unknown => w.not_known(),
    }
}
