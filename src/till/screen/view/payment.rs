//! A payment in words and as a sheet, and the sheet of a till that has stopped.

use ratatui::widgets::BorderType;

use super::sheet::{Meter, Sheet};
use crate::clean::clean;
use crate::money::Money;
use crate::payment::{Funds, Status};
use crate::refund::{RefundState, RefundStatus};
use crate::screen::Model;
use crate::screen::model::ShownAttempt;
use crate::screen::pages::code;
use crate::screen::palette::Tone;
use crate::screen::shapes::{self, NO_ENTRY};
use crate::text::find::{FindWords, Verdict};
use crate::text::screen::{CashWords, FindPageWords};
use crate::text::story::StoryWords;
use crate::text::{reason, refund};

/// How many characters of a transaction number are shown.
const TAIL: usize = 8;

pub(in crate::screen) fn stopped(model: &Model, why: &str) -> Sheet {
    let text = model.text();
    let mut what = vec![text.stop_what().to_owned(), why.to_owned()];
    if model.attempts.iter().any(|attempt| !attempt.view.recorded) {
        what.push(text.not_recorded().into());
    }
    Sheet {
        tone: Tone::Bad,
        border: BorderType::QuadrantOutside,
        is_filled: true,
        shape: &NO_ENTRY,
        word: text.stop().into(),
        detail: String::new(),
        amount: String::new(),
        has_large_word: false,
        what,
        meter: None,
        next: text.stop_next().into(),
        also: String::new(),
    }
}

pub(in crate::screen) fn payment(model: &Model, attempt: &ShownAttempt) -> Sheet {
    let text = model.text();
    let view = &attempt.view;
    let status = view.state.status();
    let border = match status {
        Status::Created | Status::Sent | Status::Waiting | Status::Checking | Status::Reversing => {
            BorderType::Rounded
        }
        Status::Paid => BorderType::Double,
        Status::Declined | Status::Closed | Status::Attention => BorderType::Thick,
        Status::Reversed => BorderType::Plain,
    };
    let mut what = vec![what_happened(model, attempt)];
    let (next, also) = next(model, attempt);
    if !view.recorded {
        what.push(text.not_recorded().into());
    }
    what.extend(code::not_drawn(model, attempt));
    let sheet = Sheet {
        tone: Tone::of(status),
        border,
        is_filled: status.is_final_for_cashier(),
        shape: shapes::of(status),
        word: text.word_of(&view.state).into(),
        detail: detail(model, attempt),
        // What must be counted out now is what must be seen.
        amount: model.money(change_of(attempt).unwrap_or(view.amount)),
        has_large_word: false,
        what,
        meter: meter(model, attempt),
        next,
        also,
    };
    let refunds = attempt.refunds.iter().map(|refund| &refund.state);
    match went_back(model, view.amount, attempt.given_back(), refunds) {
        // The goods are no longer to be handed over.
        Some((word, what)) => Sheet {
            tone: Tone::Back,
            border: BorderType::Plain,
            shape: &shapes::WENT_BACK,
            word,
            amount: model.money(view.amount),
            what,
            next: String::new(),
            ..sheet
        },
        None => sheet,
    }
}

/// The word of an order of which money went back, and how much: nobody may take it for a payment
/// that stands. What the gateway has only accepted is on its way.
pub(in crate::screen) fn went_back<'a>(
    model: &Model,
    paid: Money,
    given: Money,
    mut refunds: impl Iterator<Item = &'a RefundState>,
) -> Option<(String, Vec<String>)> {
    let words = FindPageWords::of(model.language);
    let comes = refunds.find(|state| state.status() == RefundStatus::Accepted);
    let word = match comes {
        Some(_) => refund::word(RefundStatus::Accepted, model.language),
        None => word_of_what_went_back(model, paid, given)?,
    };
    let left = Money::from_minor(paid.minor().saturating_sub(given.minor()));
    let sums = if left > Money::default() {
        words.went_back(&model.money(given), &model.money(left))
    } else {
        words.all_went_back(&model.money(given))
    };
    let comes = comes.map(|state| refund::money(state, model.language).to_owned());
    let what = std::iter::once(sums).chain(comes);
    Some((word.to_owned(), what.chain([words.refunded().to_owned()]).collect()))
}

/// In a word: all of it, or a part.
pub(in crate::screen) fn word_of_what_went_back(
    model: &Model,
    paid: Money,
    given: Money,
) -> Option<&'static str> {
    if given == Money::default() {
        return None;
    }
    Some(if given < paid {
        FindPageWords::of(model.language).partly_refunded()
    } else {
        FindWords::of(model.language).word(Verdict::Refunded)
    })
}

/// The change that goes back to whoever paid in cash.
fn change_of(attempt: &ShownAttempt) -> Option<Money> {
    let change = attempt.view.state.cash()?.change();
    (change > Money::default()).then_some(change)
}

fn detail(model: &Model, attempt: &ShownAttempt) -> String {
    let text = model.text();
    match attempt.view.state.proof() {
        Some(proof) => {
            let id = clean(&proof.transaction_id, 40);
            let from = id.char_indices().rev().nth(TAIL - 1).map_or(0, |(index, _)| index);
            text.transaction(&id[from..])
        }
        None => text.order(attempt.view.out_trade_no.tail()),
    }
}

/// What happened, and whether money moved.
pub(in crate::screen) fn what_happened(model: &Model, attempt: &ShownAttempt) -> String {
    let text = model.text();
    let state = &attempt.view.state;
    let status = state.status();
    let both = |first: &str, then: &str| format!("{first}{}{then}", text.gap());
    let because = |reason| reason::cause_sentence(reason, model.language);
    let of_code = code::what_of_code(model, attempt);
    match (status, state.reason()) {
        (Status::Created, _) => text.being_saved().into(),
        (Status::Sent, _) => of_code.unwrap_or_else(|| text.was_sent()).into(),
        (Status::Waiting, reason) if let Some(to_scan) = of_code => match reason {
            Some(reason) => both(to_scan, &because(reason)),
            None => to_scan.into(),
        },
        (Status::Waiting, _) => match reason::while_paying(state, model.language) {
            Some(said) => both(text.customer_confirms(), &said),
            None => text.customer_confirms().into(),
        },
        (Status::Checking, Some(reason)) => both(&because(reason), text.checking_result()),
        (Status::Checking, None) => text.no_clear_answer().into(),
        (Status::Reversing, _) if state.money() == Funds::Held => {
            match reason::obstacle(state, model.language) {
                Some(why) => both(&why, reason::money(status, Funds::Held, model.language)),
                None => text.money_being_returned().into(),
            }
        }
        (Status::Reversing, _) if state.obstacle().is_some() => {
            reason::of(state, model.language).unwrap_or_default()
        }
        (Status::Reversing, reason) => {
            let ended = of_code.unwrap_or_else(|| text.being_reversed());
            reason.map_or_else(|| ended.to_owned(), |reason| both(ended, &because(reason)))
        }
        (Status::Paid, _) if let Some(cash) = state.cash() => {
            let words = CashWords::of(model.language);
            let [given, due] = [cash.tendered(), cash.due()].map(|sum| model.money(sum));
            if cash.tendered() == cash.due() {
                return words.cash_received().to_owned();
            }
            match change_of(attempt) {
                Some(change) => words.change_of(&model.money(change), &given, &due),
                // It is not the whole of its sale.
                None => {
                    both(&words.given_for(&given, &due), &words.left(&model.money(cash.left())))
                }
            }
        }
        (Status::Paid, Some(reason)) if state.is_paid_late() => {
            both(text.payment_received(), &because(reason))
        }
        (Status::Paid, _) => match state.proof().and_then(|proof| proof.coupon) {
            Some(coupon) => {
                let coupon = Money::from_minor(coupon);
                text.payment_received_with_coupon(&model.money(coupon))
            }
            None => text.payment_received().into(),
        },
        (Status::Reversed, _) if state.money() == Funds::Returned => {
            both(text.was_reversed(), text.money_being_returned())
        }
        (Status::Declined | Status::Reversed | Status::Closed | Status::Attention, Some(_)) => {
            reason::of(state, model.language).unwrap_or_default()
        }
        (Status::Reversed, None) => text.was_reversed().into(),
        (Status::Declined | Status::Closed, None) => {
            reason::money(status, state.money(), model.language).into()
        }
        (Status::Attention, None) if state.money() == Funds::Held => {
            reason::money(status, state.money(), model.language).into()
        }
        (Status::Attention, None) => StoryWords::of(model.language).no_end().into(),
    }
}

/// The next step, and what else can be done.
fn next(model: &Model, attempt: &ShownAttempt) -> (String, String) {
    let text = model.text();
    let state = &attempt.view.state;
    let status = state.status();
    let advice = reason::advice(state, attempt.view.recorded, model.language);
    if let Some(change) = change_of(attempt) {
        let words = CashWords::of(model.language);
        return (words.give_change(&model.money(change)), text.after_paid().to_owned());
    }
    let has_ended = status.is_over_unpaid();
    if let Some(part) = model.part_paid(attempt.view.sale).filter(|_| has_ended) {
        let words = CashWords::of(model.language);
        return (advice.to_owned(), words.rest_by_code(&model.money(part.left)));
    }
    let (next, also) = match status {
        Status::Created | Status::Sent | Status::Waiting | Status::Checking => (advice, ""),
        Status::Paid if state.is_paid_late() => (advice, text.after_paid()),
        Status::Paid => (text.hand_over(), text.after_paid()),
        Status::Reversing | Status::Attention => (advice, text.next_customer_meanwhile()),
        Status::Declined | Status::Reversed | Status::Closed if is_over(model, attempt) => {
            (text.after_the_minute(), "")
        }
        Status::Declined | Status::Reversed | Status::Closed => (advice, text.after_declined()),
    };
    (next.into(), also.into())
}

/// Whether a code would have been charged just now, and no longer is.
fn is_over(model: &Model, attempt: &ShownAttempt) -> bool {
    attempt.view.state.may_be_charged_again() && model.takes_codes().is_none()
}

pub(in crate::screen) fn meter(model: &Model, attempt: &ShownAttempt) -> Option<Meter> {
    let text = model.text();
    let state = &attempt.view.state;
    let elapsed = attempt.elapsed(model.now);
    let outlook = state.outlook(&model.settings.rules);
    let asks = match outlook.checks_at {
        Some(at) if at > elapsed => text.next_check_in(at.minus(elapsed).seconds_up()),
        Some(_) | None => text.checking_now().into(),
    };
    let ahead = ahead(model, attempt)?;
    let until = outlook.gives_up_at.or_else(|| outlook.reverses_at.filter(|at| *at > elapsed));
    Some(match until {
        Some(end) => Meter { bar: Some((elapsed.0, end.0)), left: asks, right: ahead },
        None => Meter { bar: None, left: ahead, right: text.keeps_trying().into() },
    })
}

/// The most important event ahead.
pub(in crate::screen) fn ahead(model: &Model, attempt: &ShownAttempt) -> Option<String> {
    if let Some(ahead) = code::ahead_of_code(model, attempt) {
        return Some(ahead);
    }
    let text = model.text();
    let state = &attempt.view.state;
    let elapsed = attempt.elapsed(model.now);
    let outlook = state.outlook(&model.settings.rules);
    let left = |at: crate::clock::Millis| at.minus(elapsed).seconds_up();
    match state.status() {
        Status::Sent | Status::Waiting | Status::Checking => Some(match outlook.gives_up_at {
            Some(at) if at > elapsed => text.stops_waiting_in(left(at)),
            Some(_) | None => text.stops_waiting_now().into(),
        }),
        // The till can do nothing more about it.
        Status::Attention if outlook.checks_at.is_none() && state.awaited().is_none() => None,
        Status::Reversing | Status::Attention => {
            Some(match (outlook.reverses_at, outlook.checks_at) {
                (Some(at), _) if at > elapsed => text.reverses_in(left(at)),
                (_, Some(at)) if at > elapsed => text.next_try_in(left(at)),
                (Some(_), _) => text.reversing_now().into(),
                (None, _) => text.checking_now().into(),
            })
        }
        Status::Created | Status::Paid | Status::Declined | Status::Reversed | Status::Closed => {
            None
        }
    }
}
