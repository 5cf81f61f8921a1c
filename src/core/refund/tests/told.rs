//! What the gateway tells unasked of a refund.

use super::*;

#[test]
fn what_the_gateway_tells_unasked_is_the_end_wherever_the_refund_is() {
    let RefundAnswer::Queried(done) = done() else { unreachable!() };
    let mut refused = Bench::new(plan(2000));
    refused.answer(nothing_yet());
    assert_eq!(refused.state.status(), RefundStatus::Refused);
    let mut closed = Bench::sent(400);
    assert_eq!(closed.state.notified(&Queried::Closed, Millis(5), &RULES), None);
    assert_eq!(closed.state.status(), RefundStatus::Attention);
    for mut bench in [Bench::new(plan(400)), Bench::sent(400), refused, closed] {
        assert_eq!(bench.state.notified(&done, Millis(5), &RULES), None);
        assert_eq!((bench.state.status(), bench.state.counts()), (RefundStatus::Done, true));
        let before = bench.state.clone();
        for later in [Queried::Closed, Queried::Abnormal, Queried::Processing] {
            assert_eq!(bench.state.notified(&later, Millis(6), &RULES), None);
        }
        assert_eq!(bench.state, before);
    }
}

#[test]
fn a_refund_that_is_told_to_be_stuck_needs_a_person_and_goes_on_being_asked_about() {
    let mut bench = Bench::sent(400);
    assert_eq!(bench.state.notified(&Queried::Abnormal, Millis(5), &RULES), None);
    assert_eq!(bench.state.status(), RefundStatus::Attention);
    bench.answer(said(RefundSaid::Accepted));
    bench.tick();
    assert_eq!(bench.kind(), Some(RefundCallKind::Query));
}
