//! `paytill recover`: everything that is unresolved, driven to its end.

use std::collections::BTreeMap;

use super::report::{Report, say, tell};
use super::{Exit, Failure, open};
use crate::cli::Json;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::engine::Attempt;
use crate::order::OutTradeNo;
use crate::payment::{Answer, CallKind, Event, Status};
use crate::till::Notice;

/// Goes on with every open payment until none is left that this till can do more about now.
pub async fn run(json: Json, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let (language, currency) = (loaded.config.till.language, loaded.config.till.currency);
    let rules = loaded.config.payment.rules;
    let mut till = open(loaded, clock).await?.till;
    // Time for every step there is; what has not ended by then, needs a person.
    let patience = rules.give_up_after.plus(rules.attention_after).plus(rules.reverse_not_before);
    let deadline = clock.uptime().after(patience);
    let mut open: BTreeMap<OutTradeNo, (Box<Attempt>, bool)> = BTreeMap::new();
    let mut told: BTreeMap<OutTradeNo, Status> = BTreeMap::new();
    while till.is_busy() && clock.uptime() < deadline {
        if !open.is_empty() && open.values().all(|(attempt, tried)| is_stuck(attempt, *tried)) {
            break;
        }
        let notice = tokio::time::timeout(std::time::Duration::from_secs(1), till.next()).await;
        match notice {
            Ok(Notice::Attempt { attempt, event, .. }) => {
                let (number, status) = (attempt.out_trade_no.clone(), attempt.state.status());
                if told.insert(number.clone(), status) != Some(status) {
                    let report = Report::of_attempt(&attempt, currency);
                    if json.json {
                        say(&report.json(language).to_string());
                    } else {
                        say(&report.line(language));
                    }
                }
                if attempt.state.is_open() {
                    let tried = open.get(&number).is_some_and(|(_, tried)| *tried);
                    open.insert(number, (attempt, tried || is_failed_reversal(&event)));
                } else {
                    open.remove(&number);
                }
            }
            Ok(Notice::Stopped(why)) => return Err(Failure::new(Exit::Journal, why)),
            Ok(Notice::Gateway(_)) | Err(_) => {}
        }
    }
    if told.is_empty() && !json.json {
        tell("nothing is open");
    }
    if till.is_open() {
        tell(
            "not everything could be resolved; `paytill orders --state attention` lists what is left",
        );
        return Ok(Exit::Attention);
    }
    Ok(Exit::Done)
}

/// It needs a person, and trying once more did not help.
fn is_stuck(attempt: &Attempt, tried: bool) -> bool {
    tried && attempt.state.status() == Status::Attention
}

fn is_failed_reversal(event: &Event) -> bool {
    matches!(event, Event::Answered(call, answer)
        if call.kind == CallKind::Reverse && *answer != Answer::Withdrawn)
}
