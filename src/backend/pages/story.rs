//! One payment, and all that happened to it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;

use paytill_core::money::Money;
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{Answer, Call, Event, Ordered, Status};
use paytill_core::refund::RefundEvent;
use paytill_core::text;
use paytill_core::text::story::{Fact, Happened, Means, Story, StoryLine};

use super::session::Visitor;
use super::view::{Eye, Item, RefundItem, amount, class, refund_status};
use super::words::PageWords;
use super::{Frame, Pages, Problem, Tab, answer, page};
use crate::store::{EventRow, PaymentRow, RefundEventRow, RefundRow};

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage {
    f: Frame,
    item: Item,
    facts: Vec<(&'static str, String)>,
    confirmed: Option<String>,
    refunds: Vec<RefundItem>,
    lines: Vec<Line>,
    entries: Vec<Entry>,
}

/// What happened, in the words of a till.
struct Line {
    at: String,
    what: String,
}

/// An event of the books, whole.
struct Entry {
    millis: i64,
    at: String,
    what: String,
    status: &'static str,
    class: &'static str,
    wire: Vec<(String, String)>,
}

/// `GET /admin/payments/{number}`
pub(super) async fn story(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<String>,
) -> Response {
    let made = made(&pages, visitor.clone(), number).await;
    answer(&visitor, made)
}

async fn made(pages: &Pages, visitor: Visitor, number: String) -> Result<Response, Problem> {
    let number = OutTradeNo::try_from(number).map_err(|_| Problem::NotFound)?;
    let (store, key) = (pages.work.store(), pages.work.key(&number));
    let row = store.payment(key.clone()).await?.ok_or(Problem::NotFound)?;
    let eye = pages.eye(visitor.words);
    let w = visitor.words;
    let refunds = store.refunds(key.clone()).await?;
    let payment_events = store.story(key.clone()).await?;
    let refund_events = store.refund_story(&key).await?;
    let past = kept(&row, &payment_events, &refunds, &refund_events);
    let mut entries = Vec::new();
    for event in payment_events {
        let status = Status::from_word(&event.status);
        entries.push(Entry {
            millis: event.at.0,
            at: eye.time(event.at),
            what: told(&event.event, w),
            status: status.map_or("", |status| w.status(status)),
            class: status.map_or("quiet", class),
            wire: event.wire,
        });
    }
    for event in refund_events {
        let status = refund_status(&event.status);
        entries.push(Entry {
            millis: event.at.0,
            at: eye.time(event.at),
            what: w.of_refund(&event.out_refund_no, &refund_told(&event.event, w)),
            status: status.map_or("", |status| text::refund::word(status, w.language())),
            class: "quiet",
            wire: Vec::new(),
        });
    }
    entries.sort_by_key(|entry| entry.millis);
    let currency = row.order.currency;
    Ok(page(&StoryPage {
        item: eye.payment(&row),
        facts: facts(&row, &eye),
        confirmed: row.as_of.map(|at| w.confirmed(&eye.time(at))),
        refunds: refunds.iter().map(|refund| eye.refund(refund, currency)).collect(),
        lines: past.lines().iter().map(|it| line(it, &eye)).collect(),
        entries,
        f: Frame::new(pages, visitor, Tab::Payments),
    }))
}

/// The story as a till keeps it. Nothing is given back before it was paid, so the refunds follow.
fn kept(
    row: &PaymentRow,
    events: &[EventRow],
    refunds: &[RefundRow],
    refund_events: &[RefundEventRow],
) -> Story {
    let mut story = Story::default();
    let mut before = None;
    let means = Means::of(&row.state);
    for EventRow { event, at, status, .. } in events {
        let Some(status) = Status::from_word(status) else { continue };
        story.add(Happened { event, before, status, means, at: *at, by: None });
        before = Some(status);
    }
    let mut refund_events: Vec<_> = refund_events.iter().collect();
    refund_events.sort_by_key(|event| event.at.0);
    for event in refund_events {
        let place =
            refunds.iter().position(|row| row.key.out_refund_no.as_str() == event.out_refund_no);
        let number = place.and_then(|place| i64::try_from(place + 1).ok());
        if let (Some(number), Some(status)) = (number, refund_status(&event.status)) {
            story.add_refund((number, status), event.at, None);
        }
    }
    story
}

fn line(line: &StoryLine, eye: &Eye) -> Line {
    let what = match line.fact {
        // Not the till.
        Fact::Restarted => eye.w.taken_over().to_owned(),
        _ => text::story::sentence(line, eye.w.language()),
    };
    Line { at: eye.time(line.at), what }
}

fn facts(row: &PaymentRow, eye: &Eye) -> Vec<(&'static str, String)> {
    let w = eye.w;
    let proof = row.state.proof();
    let coupon = proof.and_then(|proof| proof.coupon);
    let facts = [
        (w.order_number(), Some(row.key.out_trade_no.to_string())),
        (w.transaction_id(), proof.map(|proof| proof.transaction_id.clone())),
        (w.store(), Some(row.store.clone())),
        (w.till(), Some(row.till.clone())),
        (w.how(), Some(eye.channel(row.channel).to_owned())),
        (w.what_for(), Some(row.order.body.clone())),
        (w.begun(), Some(eye.time(row.created_at))),
        (w.paid_at(), proof.map(|proof| eye.time(proof.paid_at))),
        (w.coupon(), coupon.map(|minor| amount(row.order.currency, Money::from_minor(minor)))),
    ];
    let told = |(name, fact): (&'static str, Option<String>)| {
        fact.filter(|fact| !fact.is_empty()).map(|fact| (name, fact))
    };
    facts.into_iter().filter_map(told).collect()
}

/// An event, as it is told of a backend and not of a till.
fn told(event: &Event, w: PageWords) -> String {
    match event {
        Event::Restarted { .. } => w.resumed().to_owned(),
        // What the customer scans is no secret, but nobody pays here.
        Event::Answered(_, Answer::Ordered(Ordered::Code(_))) => w.code_made().to_owned(),
        Event::Answered(Call::UNASKED, said) => {
            w.told_unasked(&text::history::answer(said, w.language()))
        }
        Event::Begun
        | Event::Answered(..)
        | Event::Tick
        | Event::Cancel
        | Event::CheckNow
        | Event::MerchantChanged
        | Event::Settled(_)
        | Event::Billed { .. } => text::history::event(event, w.language()),
    }
}

fn refund_told(event: &RefundEvent, w: PageWords) -> String {
    match event {
        RefundEvent::Restarted { .. } => w.resumed().to_owned(),
        RefundEvent::Answered(Call::UNASKED, said) => {
            w.told_unasked(&text::history::refund_answer(said))
        }
        RefundEvent::Begun
        | RefundEvent::Answered(..)
        | RefundEvent::Tick
        | RefundEvent::CheckNow
        | RefundEvent::MerchantChanged
        | RefundEvent::Settled(_) => text::history::refund_event(event, w.language()),
    }
}
