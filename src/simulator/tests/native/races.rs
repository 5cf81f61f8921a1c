//! A payment at each millisecond of a closing: over the real codec, in both versions of the API, and
//! on the gateway's own books.

use super::*;

/// How long everything takes to the gateway, and back.
const WAY: Millis = Millis(15);
/// When the cashier gives up, or the code expires.
const ENDS_AT: Millis = Millis(2_000);
/// How long a till that is killed stays away.
const AWAY: Millis = Millis(200);
/// When the last closing of the race has arrived, and nobody can pay any more.
const LATEST: u64 = ENDS_AT.0 + 6 * WAY.0;

/// Why the order is closed, and what goes wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Closing {
    Cancelled,
    Expired,
    /// The answer to the first closing is lost.
    AnswerLost,
    /// The till is killed, at so many milliseconds after it was cancelled, and started again.
    Killed(u64),
}

impl Till {
    /// Lets the order come to its end, with a customer who scans its code at that moment.
    fn race(&mut self, closing: Closing, pays_at: Millis) -> Status {
        let is_cancelled = closing != Closing::Expired;
        let lasts = if is_cancelled { Millis::seconds(600) } else { ENDS_AT };
        self.state = State::begin_qr(lasts, 0);
        let killed = match closing {
            Closing::Killed(after) => Some(ENDS_AT.plus(Millis(after))),
            _ => None,
        };
        let (mut pays, mut cancels) = (Some(pays_at), is_cancelled.then_some(ENDS_AT));
        let (mut kills, mut starts) = (killed, killed.map(|at| at.plus(AWAY)));
        let mut arrivals = vec![(WAY, QrState::FIRST)];
        let mut answers: Vec<(Millis, Event)> = Vec::new();
        let mut closings = 0;
        while self.state.is_open() {
            let is_up = kills.is_some() || starts.is_none();
            let wake = self.state.wake_at(&RULES).filter(|_| is_up);
            let due = [pays, cancels, kills, starts, wake].into_iter().flatten();
            let due = due.chain(arrivals.iter().map(|(at, _)| *at));
            let due = due.chain(answers.iter().map(|(at, _)| *at));
            self.now = due.min().unwrap().max(self.now);
            assert!(self.now < Millis::seconds(3_600), "it never ends: {:?}", self.state);
            let now = self.now;
            let is_due = |at: &mut Millis| *at <= now;
            if pays.take_if(is_due).is_some() {
                self.bank.scan(NUMBER, now);
            } else if let Some(place) = arrivals.iter().position(|(at, _)| *at <= now) {
                let (_, call) = arrivals.remove(place);
                let (at, mut event) = self.call(call);
                let mut at = at.plus(WAY);
                closings += u32::from(call.kind == CallKind::Close);
                if closing == Closing::AnswerLost && call.kind == CallKind::Close && closings == 1 {
                    let lost = Inconclusive::Unknown(TillCause::NoAnswer.into());
                    event = Event::Answered(call.number, Answer::inconclusive(call.kind, lost));
                    at = now.plus(TIMEOUT);
                }
                answers.push((at, event));
            } else if kills.take_if(is_due).is_some() {
                answers.clear();
            } else {
                let event = if let Some(at) = answers.iter().position(|(at, _)| *at <= now) {
                    let (_, event) = answers.remove(at);
                    Some(event).filter(|_| is_up)
                } else if cancels.take_if(is_due).is_some() {
                    Some(Event::Cancel)
                } else if starts.take_if(is_due).is_some() {
                    Some(Event::Restarted { oldest: now })
                } else {
                    Some(Event::Tick)
                };
                let call = event.and_then(|event| self.state.step(&event, now, &RULES));
                arrivals.extend(call.map(|call| (now.plus(WAY), call)));
            }
        }
        self.state.status()
    }
}

#[test]
fn a_payment_at_any_millisecond_of_a_closing_is_taken_or_never_made() {
    for api in [Api::V2, Api::V3] {
        for closing in [
            Closing::Cancelled,
            Closing::Expired,
            Closing::AnswerLost,
            Closing::Killed(20),
            Closing::Killed(50),
        ] {
            let mut ends = std::collections::BTreeSet::new();
            let latest = match closing {
                Closing::Killed(after) => LATEST + after + AWAY.0,
                _ => LATEST,
            };
            for pays_at in ENDS_AT.0 - 10..latest {
                let mut till = Till::new(api, Scenario::Pays);
                till.bank.script.scans_by_word = true;
                let status = till.race(closing, Millis(pays_at));
                let story = format!("{api:?} {closing:?}, scanned at {pays_at}: {:?}", till.state);
                let entry = till.bank.entry(NUMBER).unwrap();
                match status {
                    Status::Paid => assert_eq!(entry.net(), till.order.amount, "{story}"),
                    Status::Closed => {
                        assert_eq!(entry.charged, Money::default(), "{story}");
                        assert_eq!(entry.status, OrderStatus::Closed, "{story}");
                    }
                    _ => panic!("{story}"),
                }
                ends.insert(status.word());
            }
            assert_eq!(ends.len(), 2, "{api:?} {closing:?}: both are seen: {ends:?}");
        }
    }
}
