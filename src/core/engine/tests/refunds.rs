//! Refunds: what is written before what is sent, the rules between them, and restarts.

use super::*;
use crate::refund::{
    EarlierRefund, Looked, Queried, RefundCallKind, RefundEvent, RefundPage, RefundProof,
    RefundRefusal, RefundSaid, RefundStatus,
};

const LOOK: RefundCallKind = RefundCallKind::Look { offset: 0 };

fn paid_order(id: i64) -> StoredAttempt {
    let mut stored = stored(id, "1900000109", 7);
    stored.state = State::begin(&RULES, 0);
    let proof = Proof {
        transaction_id: "4200002026112200000000000001".into(),
        paid_at: Timestamp(1_795_318_200_000),
        coupon: None,
    };
    let paid = Says::Paid(proof).in_answer_to(Call::SUBMISSION);
    assert_eq!(stored.state.step(&paid, Millis(300), &RULES), None);
    stored
}

fn nothing_yet() -> RefundAnswer {
    RefundAnswer::Looked(Looked::Page(RefundPage::default()))
}

fn accepted() -> RefundAnswer {
    RefundAnswer::Said(RefundSaid::Accepted)
}

fn done() -> RefundAnswer {
    let proof = RefundProof { refund_id: "5".into(), done_at: Timestamp(0) };
    RefundAnswer::Queried(Queried::Done(proof))
}

impl EngineBench {
    fn refund(
        &mut self,
        amount: Option<i64>,
        earlier: Vec<EarlierRefund>,
    ) -> Result<String, RefundRefusal> {
        let order = paid_order(1);
        let (now, wall) = self.at();
        let start = RefundStart {
            attempt: 1,
            sale: 1,
            order: order.order,
            payment: order.state,
            earlier,
            amount: amount.map(Money::from_minor),
            reason: "cold".into(),
            by: Some(By { operator: "Anna".into(), consent: Some("Ben".into()) }),
            draw: Draw([0, 7, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        };
        let (number, effects) = self.engine.begin_refund(start, now, wall)?;
        self.take(effects);
        Ok(number.to_string())
    }

    fn refund_disk(&mut self, refund: i64, on_disk: bool) {
        let (now, wall) = self.at();
        let effects = self.engine.refund_written(refund, on_disk, now, wall);
        self.take(effects);
    }

    /// The latest call of a refund is answered; the disk has not written that yet.
    fn answer_refund(&mut self, refund: i64, answer: RefundAnswer) {
        let call = self.refund_calls.iter().rfind(|(of, ..)| *of == refund).unwrap().1;
        assert!(answer.answers(call.kind), "{call:?} {answer:?}");
        let (now, wall) = self.at();
        let event = RefundEvent::Answered(call.number, answer);
        let effects = self.engine.handle_refund_event(refund, event, Vec::new(), now, wall);
        self.take(effects);
    }

    /// To when the engine wants to be woken, and its refunds' entries on disk.
    fn wake(&mut self) {
        self.now = self.now.max(self.engine.wake_at().expect("it goes on").0);
        let (now, wall) = self.at();
        let before = self.refunds_written.len();
        let effects = self.engine.tick(now, wall);
        self.take(effects);
        for at in before..self.refunds_written.len() {
            self.refund_disk(self.refunds_written[at].refund, true);
        }
    }

    fn refund_kinds(&self) -> Vec<RefundCallKind> {
        self.refund_calls.iter().map(|(_, call, _)| call.kind).collect()
    }

    fn refund_statuses(&self) -> Vec<(RefundStatus, bool)> {
        let shown = |report: &RefundReport| (report.refund.state.status(), report.refund.recorded);
        self.refunds_reported.iter().map(shown).collect()
    }

    fn last_entry(&self) -> &RefundEntry {
        self.refunds_written.last().unwrap()
    }

    /// As the journal gives it back.
    fn stored_refund(&self) -> StoredRefund {
        let first = self.refunds_written[0].clone();
        let (last, begin) = (self.last_entry(), first.begin.unwrap());
        StoredRefund {
            id: last.refund,
            attempt: last.attempt,
            refund: begin.refund,
            boot: last.boot,
            begun_at: last.begun_at,
            age: last.age,
            created_at: first.at,
            updated_at: last.at,
            state: last.state.clone(),
        }
    }
}

#[test]
fn number_amount_and_reason_are_on_disk_before_anything_is_asked_or_sent() {
    let mut bench = EngineBench::new();
    let number = bench.refund(None, Vec::new()).unwrap();
    assert_eq!(number, "T01261122113000000107R010007");
    let begin = bench.last_entry().begin.clone().unwrap();
    assert_eq!(begin.refund.out_refund_no.as_str(), number);
    assert_eq!((begin.refund.amount.minor(), begin.refund.reason.as_str()), (1234, "cold"));
    assert_eq!(begin.refund.approved_by, "Ben", "and not whoever typed it");
    assert_eq!(bench.last_entry().wire, [("out_refund_no".to_owned(), number.clone())]);
    assert!(bench.refund_calls.is_empty() && bench.refunds_reported.is_empty());
    bench.refund_disk(1, true);
    assert_eq!(bench.refund_kinds(), [LOOK]);
    bench.answer_refund(1, nothing_yet());
    assert_eq!(bench.refund_kinds(), [LOOK], "that it is sent must be on disk first");
    bench.now += 200;
    bench.refund_disk(1, true);
    assert_eq!(bench.refund_kinds(), [LOOK, RefundCallKind::Refund]);
    bench.answer_refund(1, accepted());
    bench.refund_disk(1, true);
    bench.wake();
    bench.answer_refund(1, done());
    assert_eq!(bench.refund_statuses().len(), 4, "done is told once it is on disk");
    bench.refund_disk(1, true);
    let shown = [
        RefundStatus::Checking,
        RefundStatus::Sent,
        RefundStatus::Accepted,
        RefundStatus::Accepted,
        RefundStatus::Done,
    ];
    assert_eq!(bench.refund_statuses(), shown.map(|status| (status, true)));
    assert!(bench.refund_calls.iter().all(|(_, _, sent)| *sent == number));
    assert_eq!(bench.engine.open_refunds().count(), 0);
    assert_eq!(bench.engine.wake_at(), None);
}

#[test]
fn when_the_disk_fails_nothing_leaves_and_everything_stops() {
    let mut bench = EngineBench::new();
    bench.refund(None, Vec::new()).unwrap();
    bench.refund_disk(1, false);
    assert!(bench.refund_calls.is_empty() && bench.refunds_reported.is_empty());
    assert_eq!(bench.refund(None, Vec::new()), Err(RefundRefusal::Stopped));
    assert_eq!(bench.sell(1), Err(Refusal::Stopped));
    // Between the look and the refund.
    let mut bench = EngineBench::new();
    bench.refund(None, Vec::new()).unwrap();
    bench.refund_disk(1, true);
    bench.answer_refund(1, nothing_yet());
    bench.refund_disk(1, false);
    assert_eq!(bench.refund_kinds(), [LOOK]);
    assert_eq!(bench.engine.wake_at(), None);
    // A payment's entry that fails stops refunds, too.
    let mut bench = EngineBench::new();
    bench.refund(None, Vec::new()).unwrap();
    bench.refund_disk(1, true);
    bench.sell(1).unwrap();
    bench.disk(1, false);
    bench.answer_refund(1, nothing_yet());
    assert_eq!(bench.refund_kinds(), [LOOK]);
    assert_eq!(bench.refund_statuses().last(), Some(&(RefundStatus::Sent, false)));
}

#[test]
fn what_is_in_memory_counts_against_what_is_left_whatever_was_read_before() {
    let mut bench = EngineBench::new();
    let number = bench.refund(Some(1000), Vec::new()).unwrap();
    let unclear = Err(RefundRefusal::Unclear(number.clone().try_into().unwrap()));
    assert_eq!(bench.refund(Some(234), Vec::new()), unclear, "it is not even on disk yet");
    for answer in [nothing_yet(), accepted()] {
        bench.refund_disk(1, true);
        bench.now += 200;
        assert_eq!(bench.refund(Some(234), Vec::new()), unclear);
        bench.answer_refund(1, answer);
    }
    bench.refund_disk(1, true);
    let later = bench.refund(Some(234), Vec::new());
    assert!(matches!(later, Err(RefundRefusal::TooSoon(_))), "{later:?}");
    bench.now += 60_000;
    let more = Err(RefundRefusal::MoreThanLeft(Money::from_minor(234)));
    assert_eq!(bench.refund(Some(235), Vec::new()), more);
    let second = bench.refund(None, Vec::new()).unwrap();
    assert_eq!(second, "T01261122113000000107R020007");
    assert_eq!(bench.last_entry().begin.as_ref().unwrap().refund.amount.minor(), 234);
}

#[test]
fn a_restart_goes_on_with_the_same_number_at_every_step() {
    // 0: looking; 1: sent; 2: the answer lost; 3: accepted.
    for step in 0..4 {
        let mut bench = EngineBench::new();
        let number = bench.refund(None, Vec::new()).unwrap();
        bench.refund_disk(1, true);
        let lost = Inconclusive::Unknown(TillCause::NoAnswer.into());
        let lost = RefundAnswer::Said(RefundSaid::Inconclusive(lost));
        let answers = [nothing_yet(), if step == 2 { lost } else { accepted() }];
        for answer in answers.into_iter().take(step.min(2)) {
            bench.now += 200;
            bench.answer_refund(1, answer);
            bench.refund_disk(1, true);
        }
        let stored = bench.stored_refund();
        let past = Recovered { last_refund: 1, refunds: vec![stored], ..Recovered::default() };
        let mut bench = EngineBench::with(past);
        assert!(bench.refund_calls.is_empty(), "the restart is written first");
        bench.refund_disk(1, true);
        let first = if step == 0 { LOOK } else { RefundCallKind::Query };
        assert_eq!(bench.refund_kinds(), [first], "{step}");
        let not_found = RefundAnswer::Queried(Queried::NotFound);
        bench.answer_refund(1, if step == 0 { nothing_yet() } else { not_found.clone() });
        bench.refund_disk(1, true);
        while bench.refund_kinds().last() != Some(&RefundCallKind::Refund) {
            bench.wake();
            if bench.refund_kinds().last() == Some(&RefundCallKind::Query)
                && bench.engine.refunds[&1].awaits()
            {
                bench.answer_refund(1, not_found.clone());
                bench.refund_disk(1, true);
            }
        }
        assert!(bench.refund_calls.iter().all(|(_, _, sent)| *sent == number));
        assert_eq!(bench.refund(None, Vec::new()).map_err(|why| why.word()), Err("unclear"));
    }
}

#[test]
fn refunds_of_the_past_are_asked_about_one_at_a_time_and_another_merchants_not_at_all() {
    let mut bench = EngineBench::new();
    bench.refund(None, Vec::new()).unwrap();
    bench.refund_disk(1, true);
    bench.answer_refund(1, nothing_yet());
    bench.now += 200;
    bench.refund_disk(1, true);
    let one = bench.stored_refund();
    let mut refunds: Vec<StoredRefund> =
        (1..=4).map(|id| StoredRefund { id, attempt: id, ..one.clone() }).collect();
    refunds[3].refund.order.merchant.mch_id = "1900000999".into();
    let mut bench =
        EngineBench::with(Recovered { last_refund: 4, refunds, ..Recovered::default() });
    for id in 1..=4 {
        bench.refund_disk(id, true);
    }
    assert_eq!(bench.refund_calls.len(), 1);
    for asked in [2, 3] {
        let before = bench.now;
        bench.wake();
        assert_eq!((bench.refund_calls.len(), bench.now - before), (asked, 200));
    }
    assert!(bench.refund_calls.iter().all(|(id, ..)| *id != 4));
    let foreign = bench.refunds_reported.iter().find(|report| report.refund.attempt == 4);
    assert_eq!(foreign.unwrap().refund.state.status(), RefundStatus::Attention);
    assert!(bench.engine.is_refund_unclear());
    // At its next start the same is told again, though nothing has changed.
    let mut stored = StoredRefund { id: 4, ..one };
    stored.refund.order.merchant.mch_id = "1900000999".into();
    stored.state = foreign.unwrap().refund.state.clone();
    let past = Recovered { last_refund: 4, refunds: vec![stored], ..Recovered::default() };
    let bench = EngineBench::with(past);
    assert_eq!(bench.refund_statuses(), [(RefundStatus::Attention, true)]);
}

#[test]
fn numbers_go_on_where_the_journal_ended() {
    let mut bench = EngineBench::with(Recovered { last_refund: 41, ..Recovered::default() });
    bench.refund(None, Vec::new()).unwrap();
    assert_eq!(bench.last_entry().refund, 42);
}
