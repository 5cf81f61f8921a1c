//! Today at a glance: what needs a person, what is under way, and the figures of each till.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::money::{Currency, Money};
use paytill_core::payment::Status;
use paytill_core::refund::RefundStatus;

use super::session::Visitor;
use super::view::{Item, RefundItem, amount};
use super::{Frame, Pages, Problem, Tab, answer, is_full, page};
use crate::store::{Figures, TillRow};

/// How many of a kind are listed.
const LISTED: i64 = 50;
/// A till that hears nothing so long may have gone.
const UNHEARD: Millis = Millis::seconds(30);
/// So far back it is looked for what no till has been told.
const UNSEEN: Millis = Millis::seconds(2 * 86_400);

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    f: Frame,
    day: String,
    attention: Vec<Item>,
    attention_refunds: Vec<RefundItem>,
    unseen: Vec<Item>,
    open: Vec<Item>,
    is_cut: bool,
    /// How many messages have failed, in words.
    dead: Option<String>,
    /// In how much the bills of the last days differ from the books, in words.
    differ: Option<String>,
    stores: Vec<StoreDay>,
    totals: Vec<Sums>,
}

/// A store's tills and what they took.
#[derive(Debug, Eq, PartialEq)]
struct StoreDay {
    store: String,
    tills: Vec<(String, Sums)>,
}

/// What one till took in one currency, in words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Sums {
    paid: i64,
    sum: String,
    refunded: String,
    not_paid: i64,
}

impl OverviewPage {
    fn is_well(&self) -> bool {
        self.attention.is_empty()
            && self.attention_refunds.is_empty()
            && self.unseen.is_empty()
            && self.dead.is_none()
            && self.differ.is_none()
    }
}

/// `GET /admin`
pub(super) async fn overview(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let made = made(&pages, visitor.clone()).await;
    answer(&visitor, made)
}

async fn made(pages: &Pages, visitor: Visitor) -> Result<Response, Problem> {
    let (store, merchant, now) = (pages.work.store(), pages.merchant(), pages.work.now());
    let eye = pages.eye(visitor.words);
    let today = pages.today();
    let figures = store.figures(merchant, pages.bounds(today)).await?;
    let tills = store.tills(merchant).await?;
    let unresolved = store.unresolved(merchant, LISTED).await?;
    let before = |span: Millis| Timestamp(now.0.saturating_sub_unsigned(span.0));
    let unseen = store.unseen(merchant, (before(UNSEEN), before(UNHEARD)), LISTED).await?;
    let refunds = store.unresolved_refunds(merchant, LISTED).await?;
    let dead = store.outbox(merchant, true, LISTED).await?.len();
    let differ = super::bills::last(pages).await?.iter().fold(0, |sum, bill| bill.differ + sum);
    let (attention, open): (Vec<_>, Vec<_>) =
        unresolved.iter().partition(|row| row.state.status() == Status::Attention);
    // Whoever has declined is done with it; only the number is still being closed.
    let open = open.into_iter().filter(|row| !row.state.status().is_final_for_cashier());
    let open: Vec<_> = open.map(|row| eye.payment(row)).collect();
    let is_cut =
        [unresolved.len(), refunds.len(), unseen.len()].iter().any(|count| is_full(*count, LISTED));
    let currency = pages.work.parts.desk.currency;
    let attention_refunds =
        refunds.iter().filter(|row| row.state.status() == RefundStatus::Attention);
    let attention_refunds = attention_refunds.map(|row| eye.refund(row, currency));
    let (stores, totals) = summed(&figures, &tills, currency);
    Ok(page(&OverviewPage {
        day: today.to_string(),
        attention: attention.into_iter().map(|row| eye.payment(row)).collect(),
        attention_refunds: attention_refunds.collect(),
        unseen: unseen.iter().map(|row| eye.payment(row)).collect(),
        open,
        is_cut,
        dead: (dead > 0).then(|| eye.w.messages_failed(dead)),
        differ: (differ > 0).then(|| eye.w.bills_differ(differ)),
        stores,
        totals,
        f: Frame::new(pages, visitor, Tab::Today),
    }))
}

/// What one till took in one currency.
#[derive(Clone, Copy, Default)]
struct Sum {
    paid: i64,
    taken: i64,
    refunded: i64,
    not_paid: i64,
}

impl Sum {
    fn shown(&self, currency: Currency) -> Sums {
        let show = |minor| amount(currency, Money::from_minor(minor));
        Sums {
            paid: self.paid,
            sum: show(self.taken),
            refunded: if self.refunded == 0 { "–".to_owned() } else { show(self.refunded) },
            not_paid: self.not_paid,
        }
    }

    fn add(&mut self, other: Self) {
        self.paid = self.paid.saturating_add(other.paid);
        self.taken = self.taken.saturating_add(other.taken);
        self.refunded = self.refunded.saturating_add(other.refunded);
        self.not_paid = self.not_paid.saturating_add(other.not_paid);
    }
}

/// The day by store and till, and in all; a line for each currency, should there be several. `ours` is
/// that of refunds, which name none.
fn summed(figures: &Figures, tills: &[TillRow], ours: Currency) -> (Vec<StoreDay>, Vec<Sums>) {
    let mut days: BTreeMap<(String, String, &'static str), Sum> = BTreeMap::new();
    for figure in &figures.payments {
        let (Some(currency), Some(status)) =
            (Currency::from_code(&figure.currency), Status::from_word(&figure.status))
        else {
            continue;
        };
        let name = (figure.store.clone(), figure.till.clone(), currency.code());
        let day = days.entry(name).or_default();
        match status {
            Status::Paid => {
                day.paid += figure.count;
                day.taken = day.taken.saturating_add(figure.sum.minor());
            }
            Status::Declined | Status::Reversed | Status::Closed => day.not_paid += figure.count,
            Status::Created
            | Status::Sent
            | Status::Waiting
            | Status::Checking
            | Status::Reversing
            | Status::Attention => {}
        }
    }
    for figure in &figures.refunds {
        let store = tills.iter().find(|till| till.till == figure.till);
        let store = store.map_or_else(String::new, |till| till.store.clone());
        let day = days.entry((store, figure.till.clone(), ours.code())).or_default();
        day.refunded = day.refunded.saturating_add(figure.sum.minor());
    }
    let mut totals: BTreeMap<&'static str, Sum> = BTreeMap::new();
    let mut stores: Vec<StoreDay> = Vec::new();
    for ((store, till, code), sum) in days {
        let Some(currency) = Currency::from_code(code) else { continue };
        totals.entry(code).or_default().add(sum);
        let line = (till, sum.shown(currency));
        match stores.last_mut().filter(|day| day.store == store) {
            Some(day) => day.tills.push(line),
            None => stores.push(StoreDay { store, tills: vec![line] }),
        }
    }
    let totals = totals
        .into_iter()
        .filter_map(|(code, sum)| Currency::from_code(code).map(|currency| sum.shown(currency)));
    (stores, totals.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{PaymentFigure, RefundFigure};

    #[test]
    fn a_day_is_summed_by_till_and_store_and_only_what_is_paid_counts() {
        let figure = |store: &str, till: &str, status: &str, count, sum| PaymentFigure {
            store: store.to_owned(),
            till: till.to_owned(),
            currency: "CNY".to_owned(),
            status: status.to_owned(),
            count,
            sum: Money::from_minor(sum),
        };
        let figures = Figures {
            payments: vec![
                figure("S1", "T01", "attention", 1, 9_999),
                figure("S1", "T01", "declined", 2, 500),
                figure("S1", "T01", "paid", 3, 123_456),
                figure("S2", "T02", "paid", 1, 100),
                figure("S2", "T02", "waiting", 1, 7_777),
            ],
            refunds: vec![RefundFigure { till: "T09".to_owned(), sum: Money::from_minor(50) }],
        };
        let (stores, totals) = summed(&figures, &[], Currency::CNY);
        let names: Vec<_> = stores.iter().map(|day| day.store.as_str()).collect();
        assert_eq!(names, ["", "S1", "S2"], "a refund by a till that is gone is not left out");
        let first = &stores[1].tills[0].1;
        assert_eq!((first.paid, first.sum.as_str(), first.not_paid), (3, "￥1,234.56", 2));
        assert_eq!(totals[0].sum, "￥1,235.56");
        assert_eq!(totals[0].refunded, "￥0.50");
    }
}
