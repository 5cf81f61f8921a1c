//! The rules between the refunds of an order.

use super::*;
use crate::money::Currency;
use crate::order::{Merchant, Order};
use crate::payment::{Answer, Call, Event, Proof, State, Status, Submitted};

const NOW: Timestamp = Timestamp(1_795_318_200_000);

fn merchant(mch_id: &str) -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: mch_id.into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

fn order() -> Order {
    let number = OutTradeNo::try_from("T01112203300089000107".to_owned()).unwrap();
    Order { amount: money(1234), ..Order::of_number(number, merchant("1900000109"), Currency::CNY) }
}

fn paid_at(paid_at: Timestamp) -> State {
    let mut state = State::begin(&RULES, 0);
    let proof = Proof { transaction_id: "42".into(), paid_at, coupon: None };
    let answer = Answer::Submitted(Submitted::Paid(proof));
    let call = state.step(&Event::Answered(Call::SUBMISSION.number, answer), Millis(1), &RULES);
    assert_eq!((call, state.status()), (None, Status::Paid));
    state
}

fn earlier(amount: i64, state: RefundState, begun_at: Timestamp) -> EarlierRefund {
    EarlierRefund { number: number("T01-000001R010001"), amount: money(amount), state, begun_at }
}

fn at(end: &str, amount: i64) -> RefundState {
    let mut bench = Bench::sent(amount);
    match end {
        "sent" => return bench.state,
        "refused" => {
            bench.answer(said(RefundSaid::Refused(why("NOTENOUGH"))));
            bench.query(Queried::NotFound);
        }
        _ => bench.answer(said(RefundSaid::Accepted)),
    }
    match end {
        "done" => {
            bench.tick();
            bench.answer(done());
        }
        "closed" => {
            bench.query(Queried::Closed);
        }
        "abnormal" => {
            bench.query(Queried::Abnormal);
        }
        _ => {}
    }
    bench.state
}

fn planned(
    payment: &State,
    mch_id: &str,
    earlier: &[EarlierRefund],
    amount: Option<i64>,
) -> Result<i64, RefundRefusal> {
    let (order, merchant) = (order(), merchant(mch_id));
    let limits = RefundLimits {
        order: &order,
        payment,
        earlier,
        merchant: &merchant,
        now: NOW,
        rules: &RULES,
    };
    limits.plan(amount.map(money)).map(|plan| plan.amount.minor())
}

#[test]
fn only_a_paid_order_of_this_merchant_is_refunded_and_only_within_a_year() {
    let paid = paid_at(NOW);
    let ours = "1900000109";
    assert_eq!(planned(&paid, ours, &[], None), Ok(1234));
    assert_eq!(planned(&paid, ours, &[], Some(1)), Ok(1));
    let open = State::begin(&RULES, 0);
    assert_eq!(planned(&open, ours, &[], None), Err(RefundRefusal::NotPaid(Status::Sent)));
    assert_eq!(planned(&paid, "1900000999", &[], None), Err(RefundRefusal::AnotherMerchants));
    let year = 365 * 24 * 3600 * 1000;
    assert_eq!(planned(&paid_at(Timestamp(NOW.0 - year)), ours, &[], None), Ok(1234));
    let old = paid_at(Timestamp(NOW.0 - year - 1));
    assert_eq!(planned(&old, ours, &[], None), Err(RefundRefusal::TooOld));
    let ahead = paid_at(Timestamp(NOW.0 + year));
    assert_eq!(planned(&ahead, ours, &[], None), Ok(1234), "this clock is behind");
}

#[test]
fn no_more_is_refunded_than_is_left_and_what_gave_nothing_back_does_not_count() {
    let paid = paid_at(NOW);
    let long_ago = Timestamp(NOW.0 - 60_000);
    for (end, left) in [
        ("accepted", 1000),
        ("done", 1000),
        ("abnormal", 1000),
        ("refused", 1234),
        ("closed", 1234),
    ] {
        let refunds = [earlier(234, at(end, 234), long_ago)];
        let planned = |amount| planned(&paid, "1900000109", &refunds, amount);
        assert_eq!(planned(None), Ok(left), "{end}");
        assert_eq!(planned(Some(left)), Ok(left));
        assert_eq!(planned(Some(left + 1)), Err(RefundRefusal::MoreThanLeft(money(left))));
    }
    let refunds = [earlier(1234, at("done", 1234), long_ago)];
    assert_eq!(planned(&paid, "1900000109", &refunds, None), Err(RefundRefusal::NothingLeft));
    // What the last look has seen of others.
    let mut bench = Bench::new(plan(1234));
    bench.answer(page(1, &[("P1", 1000, true)]));
    let refunds = [earlier(1234, bench.state, long_ago)];
    assert_eq!(planned(&paid, "1900000109", &refunds, None), Ok(234));
}

#[test]
fn one_at_a_time_a_minute_apart_and_fifty_at_most() {
    let paid = paid_at(NOW);
    let planned = |refunds: &[EarlierRefund]| planned(&paid, "1900000109", refunds, Some(1));
    for unclear in [at("sent", 1), Bench::new(plan(1)).state] {
        let refunds = [earlier(1, unclear, Timestamp(NOW.0 - 60_000))];
        assert_eq!(planned(&refunds), Err(RefundRefusal::Unclear(refunds[0].number.clone())));
    }
    let refunds = [earlier(1, at("done", 1), Timestamp(NOW.0 - 59_000))];
    assert_eq!(planned(&refunds), Err(RefundRefusal::TooSoon(Millis::seconds(1))));
    let refunds = [earlier(1, at("done", 1), Timestamp(NOW.0 + 1))];
    assert_eq!(planned(&refunds), Ok(1), "the clock was set back");
    let one = earlier(1, at("done", 1), Timestamp(0));
    assert_eq!(planned(&vec![one.clone(); 49]), Ok(1));
    assert_eq!(planned(&vec![one; 50]), Err(RefundRefusal::TooMany));
    let refused = earlier(1, at("refused", 1), Timestamp(0));
    assert_eq!(planned(&vec![refused.clone(); 98]), Ok(1));
    assert_eq!(planned(&vec![refused; 99]), Err(RefundRefusal::TooMany));
}
