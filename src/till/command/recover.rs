//! `paytill recover`: resolves all open payments, without selling.
//!
//! It does what the till would do in the background: query, reverse, query until there is proof. It
//! ends when nothing is left to do, when all that remains needs a person, or when for as long as the
//! rules give a payment nothing has moved any more; and reports each status once. Then it prints the
//! slips of what has ended, where `pay` would.

use std::collections::BTreeMap;
use std::time::Duration;

use super::open::{announce_training, open};
use super::output::{masked, print_line, print_message};
use super::refund_line::RefundLine;
use super::report::OrderReport;
use super::{Exit, Failure, paper, pin};
use crate::clean::clean;
use crate::cli::{Json, Recover};
use crate::config::{JournalConfig, Loaded};
use crate::engine::{Attempt, By, RefundRecord, Report};
use crate::journal::JournalReader;
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::payment::{Answer, CloseSaid, Event, Reversed, Status};
use crate::refund::{OutRefundNo, RefundEvent, RefundStatus};
use crate::till::{Notice, Till};
use crate::{both, say, text};
use paytill_host::clock::Clock;

/// Failed reversals after which an order that needs attention is left to a person.
const TRIES: u32 = 3;
/// How much of what a person says is kept, in cells.
const HOW_CELLS: usize = 200;
/// How often the deadline is checked if nothing else happens.
const BEAT: Duration = Duration::from_secs(1);

/// Resumes every open payment until there is nothing more this till can do now.
pub async fn run(recover: Recover, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let json = recover.json;
    if let (Some(number), Some(how)) = (recover.settle, recover.reason) {
        return settle(&number, &how, json, loaded, clock).await;
    }
    let language = loaded.config.till.language;
    let config = &loaded.config.journal;
    let rules = loaded.config.payment.rules;
    let mut opened = open(loaded, clock).await?;
    announce_training(&loaded.config);
    let till = &mut opened.till;
    // Enough for every step of one order, and the orders have their turns one after the other: what
    // has not moved for so long needs a person.
    let patience = rules.give_up_after.plus(rules.attention_after).plus(rules.reverse_not_before);
    let mut deadline = clock.uptime().after(patience);
    let mut reported: BTreeMap<OutTradeNo, Status> = BTreeMap::new();
    let mut refunds: BTreeMap<OutRefundNo, RefundStatus> = BTreeMap::new();
    let mut hopeless = Hopeless::default();
    let mut heard_of = Progress::default();
    let mut slips = paper::Due::default();
    while (till.is_busy() && !hopeless.has_all(till.busy())
        || till.is_recheck_due()
        || till.is_refund_busy())
        && clock.uptime() < deadline
    {
        match tokio::time::timeout(BEAT, till.next()).await {
            Ok(Notice::Attempt(report)) => {
                let Report { attempt, event, .. } = *report;
                let status = attempt.state.status();
                slips.moved(&attempt);
                if reported.insert(attempt.out_trade_no.clone(), status) != Some(status) {
                    print(&attempt, json, language);
                }
                hopeless.note(&attempt, &event);
                // Nobody shows its code any more, and it must not stay open.
                if status == Status::Waiting && attempt.state.code_url().is_some() {
                    till.handle_event(&attempt.out_trade_no, Event::Cancel, None);
                }
                if heard_of.is_new(&attempt, &event) {
                    deadline = clock.uptime().after(patience);
                }
            }
            Ok(Notice::Refund(report)) => {
                slips.refund_moved(&report.refund);
                let number = report.refund.out_refund_no.clone();
                let status = report.refund.state.status();
                if refunds.insert(number, status) != Some(status) {
                    print_refund(&report.refund, json, language, config);
                    deadline = clock.uptime().after(patience);
                }
            }
            Ok(Notice::Stopped(error)) => {
                return Err(Failure::new(Exit::Journal, text::journal::text(&error)));
            }
            Ok(Notice::SlipDue(slip)) => slips.queued(slip),
            Ok(Notice::RefundSlip(slip, paper)) => slips.refund_queued(slip, *paper),
            Ok(
                Notice::Gateway(_)
                | Notice::Enquired { .. }
                | Notice::SlipQueued(..)
                | Notice::SlipBegun { .. }
                | Notice::DrawerNoted { .. }
                | Notice::CashMoved { .. }
                | Notice::CashReturned { .. }
                | Notice::Shift(_),
            )
            | Err(_) => {}
        }
    }
    if reported.is_empty() && refunds.is_empty() && !json.json {
        print_message(language.pick("nothing is open", "没有未完成的支付"));
    }
    // Not before: no payment waits for a printer.
    let moved = |attempt: &Attempt| {
        let status = attempt.state.status();
        if reported.insert(attempt.out_trade_no.clone(), status) != Some(status) {
            print(attempt, json, language);
        }
    };
    if let Err(paper::NotPrinted { left, why }) =
        paper::print_all(slips, moved, &loaded.config, till, clock).await
    {
        print_message(&say!(
            language,
            "slips not printed: {left} ({why}); the screen prints or offers them when it is \
             next started",
            "有 {left} 张小票未打印（{why}）；下次打开收银界面时会打印或提示补打"
        ));
    }
    till.part().await;
    Ok(what_is_left(till, language))
}

/// Says what is still open.
fn what_is_left(till: &Till, language: Language) -> Exit {
    if till.is_open() {
        print_message(language.pick(
            "some payments are still open; `paytill orders --state attention` lists those that \
             need a person",
            "还有未完成的支付；需人工处理的可用 paytill orders --state attention 列出",
        ));
        return Exit::Attention;
    }
    if till.is_refund_unclear() {
        print_message(language.pick(
            "what becomes of some refunds is not known yet, or needs a person; `paytill show` with the \
             order's number says more",
            "有退款的结果尚不明确或需人工处理；可用 paytill show 加订单号查看",
        ));
        return Exit::Attention;
    }
    Exit::Done
}

fn print_refund(refund: &RefundRecord, json: Json, language: Language, config: &JournalConfig) {
    let reader = JournalReader::of_held(&config.path, config.key_file.as_deref());
    let refunds = reader.and_then(|reader| reader.refunds(refund.attempt)).unwrap_or_default();
    let line = RefundLine::of_record(refund, &refunds);
    print_line(&if json.json { line.json(language).to_string() } else { line.line(language) });
}

/// A person has settled an order outside the till: it is closed as such. Nothing is sent, and its
/// state stays what the till knows of the money.
async fn settle(
    number: &str,
    how: &str,
    json: Json,
    loaded: &Loaded,
    clock: &Clock,
) -> Result<Exit, Failure> {
    let language = loaded.config.till.language;
    let how = masked(&clean(how, HOW_CELLS));
    if how.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            both!("--reason must say how it was settled", "--reason 须说明处理情况"),
        ));
    }
    let by = pin::manager(&loaded.config)?;
    let mut opened = open(loaded, clock).await?;
    let till = &mut opened.till;
    let found: Vec<OutTradeNo> = till
        .needing_a_person()
        .filter(|open| open.as_str().ends_with(number) && !number.is_empty())
        .cloned()
        .collect();
    let refunds: Vec<OutRefundNo> = till
        .open_refunds()
        .filter(|refund| refund.state.status() == RefundStatus::Attention)
        .filter(|refund| {
            let numbers = [refund.out_refund_no.as_str(), refund.out_trade_no.as_str()];
            !number.is_empty() && numbers.iter().any(|known| known.ends_with(number))
        })
        .map(|refund| refund.out_refund_no)
        .collect();
    if let ([], [refund]) = (&found[..], &refunds[..]) {
        return settle_refund(till, refund, (how, by), json, loaded).await;
    }
    let [number] = &found[..] else {
        return Err(Failure::new(
            Exit::Usage,
            both!(
                "this is no open order that needs attention; `paytill orders --state attention` \
                 lists them, and more digits tell them apart",
                "没有这样一笔需人工处理的未完成订单；请用 paytill orders --state attention 查看，\
                 位数不够时请多输几位"
            ),
        ));
    };
    till.handle_event(number, Event::Settled(how), by);
    loop {
        match till.next().await {
            Notice::Attempt(report)
                if report.attempt.out_trade_no == *number
                    && matches!(report.event, Event::Settled(_)) =>
            {
                print(&report.attempt, json, language);
                return Ok(Exit::Done);
            }
            Notice::Stopped(error) => {
                return Err(Failure::new(Exit::Journal, text::journal::text(&error)));
            }
            Notice::Attempt(_)
            | Notice::Gateway(_)
            | Notice::Enquired { .. }
            | Notice::SlipDue(_)
            | Notice::SlipQueued(..)
            | Notice::RefundSlip(..)
            | Notice::SlipBegun { .. }
            | Notice::DrawerNoted { .. }
            | Notice::Refund(_)
            | Notice::CashMoved { .. }
            | Notice::CashReturned { .. }
            | Notice::Shift(_) => {}
        }
    }
}

/// The same of a refund that needs a person.
async fn settle_refund(
    till: &mut Till,
    number: &OutRefundNo,
    (how, by): (String, Option<By>),
    json: Json,
    loaded: &Loaded,
) -> Result<Exit, Failure> {
    let config = &loaded.config;
    till.settle_refund(number, how, by);
    loop {
        match till.next().await {
            Notice::Refund(report)
                if report.refund.out_refund_no == *number
                    && matches!(report.event, RefundEvent::Settled(_)) =>
            {
                print_refund(&report.refund, json, config.till.language, &config.journal);
                return Ok(Exit::Done);
            }
            Notice::Stopped(error) => {
                return Err(Failure::new(Exit::Journal, text::journal::text(&error)));
            }
            _ => {}
        }
    }
}

fn print(attempt: &Attempt, json: Json, language: Language) {
    let order = OrderReport::of_attempt(attempt);
    print_line(&if json.json { order.json(language).to_string() } else { order.line(language) });
}

/// What each order has come to.
#[derive(Default)]
struct Progress(BTreeMap<OutTradeNo, (Status, bool)>);

impl Progress {
    /// Whether it has moved, or was heard of for the first time.
    fn is_new(&mut self, attempt: &Attempt, event: &Event) -> bool {
        let number = &attempt.out_trade_no;
        let was_answered = self.0.get(number).is_some_and(|(_, answered)| *answered);
        let answered = was_answered || matches!(event, Event::Answered(..));
        let now = (attempt.state.status(), answered);
        self.0.insert(number.clone(), now) != Some(now)
    }
}

/// Orders that need a person because retrying did not help.
#[derive(Default)]
struct Hopeless {
    failures: BTreeMap<OutTradeNo, u32>,
    orders: BTreeMap<OutTradeNo, bool>,
}

impl Hopeless {
    fn note(&mut self, attempt: &Attempt, event: &Event) {
        let number = &attempt.out_trade_no;
        let failed = match event {
            Event::Answered(_, Answer::Reversed(answer)) => *answer != Reversed::Accepted,
            Event::Answered(_, Answer::Closed(answer)) => {
                !matches!(answer, CloseSaid::Accepted | CloseSaid::Paid(_))
            }
            _ => false,
        };
        let failures = self.failures.entry(number.clone()).or_default();
        *failures += u32::from(failed);
        let asked = matches!(event, Event::Answered(..));
        let is_refused = attempt.state.is_reversal_refused() && asked;
        let hopeless =
            attempt.state.status() == Status::Attention && (is_refused || *failures >= TRIES);
        self.orders.insert(number.clone(), hopeless);
    }

    fn has_all<'a>(&self, busy: impl Iterator<Item = &'a OutTradeNo>) -> bool {
        let mut busy = busy.peekable();
        busy.peek().is_some() && busy.all(|number| self.orders.get(number) == Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Millis, Timestamp, Uptime};
    use crate::money::{Currency, Money};
    use crate::payment::{Call, CallKind, Reason, Rules, State};
    use crate::says::Says;

    const QUERY: Call = Call { kind: CallKind::Query, number: 1 };
    const REVERSE: Call = Call { kind: CallKind::Reverse, number: 2 };

    fn number(of: u32) -> OutTradeNo {
        OutTradeNo::try_from(format!("T01-{of:06}")).unwrap()
    }

    fn why() -> Reason {
        Reason::gateway("TRADE_ERROR", "")
    }

    /// An attempt whose reversal got this answer, 30 s after it was sent or later.
    fn reversal(of: u32, answer: Says, at: Millis) -> (Attempt, Event) {
        let rules = Rules::default();
        let mut state = State::begin(&rules, 0);
        let answered = answer.in_answer_to(REVERSE);
        for (event, at) in [
            (Event::Tick, rules.give_up_after),
            (Says::NotPaid.in_answer_to(QUERY), rules.give_up_after),
            (answered.clone(), rules.give_up_after),
            (Event::Tick, at),
        ] {
            let _ = state.step(&event, at, &rules);
        }
        let attempt = Attempt {
            out_trade_no: number(of),
            sale: 1,
            amount: Money::from_minor(1234),
            currency: Currency::CNY,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            sent_at: Uptime(0),
            state,
            sold: std::sync::Arc::default(),
            recorded: true,
        };
        (attempt, answered)
    }

    fn is_left(hopeless: &Hopeless, orders: &[u32]) -> bool {
        let numbers: Vec<OutTradeNo> = orders.iter().map(|of| number(*of)).collect();
        hopeless.has_all(numbers.iter())
    }

    #[test]
    fn a_reversal_that_is_refused_for_good_is_left_to_a_person_at_once() {
        let mut hopeless = Hopeless::default();
        let (attempt, answered) = reversal(1, Says::ReversalRefused(why()), Millis::seconds(30));
        assert_eq!(attempt.state.status(), Status::Attention);
        hopeless.note(&attempt, &Event::Restarted { oldest: Millis(0) });
        assert!(!is_left(&hopeless, &[1]), "that was said to an earlier process: asked once more");
        hopeless.note(&attempt, &answered);
        assert!(is_left(&hopeless, &[1]));
    }

    #[test]
    fn a_reversal_that_fails_is_tried_three_times_and_until_a_person_must_look() {
        let mut hopeless = Hopeless::default();
        let (early, failed) = reversal(1, Says::Repeat(why()), Millis::seconds(31));
        assert_eq!(early.state.status(), Status::Reversing);
        for _ in 0..5 {
            hopeless.note(&early, &failed);
            assert!(!is_left(&hopeless, &[1]), "there is time yet");
        }
        let mut hopeless = Hopeless::default();
        let (late, failed) = reversal(1, Says::Repeat(why()), Millis::seconds(300));
        assert_eq!(late.state.status(), Status::Attention);
        // Queries and accepted reversals are not failures.
        for harmless in [
            Says::Unknown(why()).in_answer_to(QUERY),
            Says::Accepted.in_answer_to(REVERSE),
            Event::Tick,
        ] {
            for _ in 0..5 {
                hopeless.note(&late, &harmless);
            }
        }
        for left in [false, false, true] {
            hopeless.note(&late, &failed);
            assert_eq!(is_left(&hopeless, &[1]), left);
        }
    }

    #[test]
    fn an_order_moves_when_it_is_first_answered_and_when_its_status_changes() {
        let mut progress = Progress::default();
        let rules = Rules::default();
        let (mut attempt, failed) = reversal(1, Says::Repeat(why()), Millis::seconds(31));
        assert!(progress.is_new(&attempt, &Event::Restarted { oldest: Millis(0) }));
        assert!(!progress.is_new(&attempt, &Event::Tick));
        assert!(progress.is_new(&attempt, &failed));
        assert!(!progress.is_new(&attempt, &failed), "the same again is no progress");
        let _ = attempt.state.step(&Event::Tick, Millis::seconds(300), &rules);
        assert_eq!(attempt.state.status(), Status::Attention);
        assert!(progress.is_new(&attempt, &Event::Tick));
        assert!(!progress.is_new(&attempt, &failed));
    }

    #[test]
    fn one_hopeless_order_does_not_end_the_work_on_the_others() {
        let mut hopeless = Hopeless::default();
        assert!(!is_left(&hopeless, &[]), "nothing is busy, nothing is hopeless");
        let (first, answered) = reversal(1, Says::ReversalRefused(why()), Millis::seconds(30));
        hopeless.note(&first, &answered);
        assert!(!is_left(&hopeless, &[1, 2]), "nothing is known of the second");
        let (second, failed) = reversal(2, Says::Repeat(why()), Millis::seconds(300));
        hopeless.note(&second, &failed);
        assert!(!is_left(&hopeless, &[2, 1]));
        let (second, answered) = reversal(2, Says::ReversalRefused(why()), Millis::seconds(30));
        hopeless.note(&second, &answered);
        assert!(is_left(&hopeless, &[1, 2]));
    }
}
