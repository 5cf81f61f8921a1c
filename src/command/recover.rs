//! `paytill recover`: everything that is unresolved, driven to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::{Report, say, tell};
use super::{Exit, Failure, open, tell_training};
use crate::cli::Json;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::engine::Attempt;
use crate::order::OutTradeNo;
use crate::payment::{Answer, CallKind, Event, Status};
use crate::till::Notice;

/// Reversals that fail before an order that needs a person is left to one.
const TRIES: u32 = 3;
/// Between two looks at the clock.
const BEAT: Duration = Duration::from_secs(1);

/// Goes on with every open payment until none is left that this till can do more about now.
pub async fn run(json: Json, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let language = loaded.config.till.language;
    let rules = loaded.config.payment.rules;
    let mut opened = open(loaded, clock).await?;
    tell_training(&loaded.config);
    let till = &mut opened.till;
    // Time for every step there is; what has not ended by then, needs a person.
    let patience = rules.give_up_after.plus(rules.attention_after).plus(rules.reverse_not_before);
    let deadline = clock.uptime().after(patience);
    let mut told: BTreeMap<OutTradeNo, Status> = BTreeMap::new();
    let mut hopeless = Hopeless::default();
    while till.is_busy() && clock.uptime() < deadline && !hopeless.has_all(till.busy()) {
        match tokio::time::timeout(BEAT, till.next()).await {
            Ok(Notice::Attempt { attempt, event, .. }) => {
                let status = attempt.state.status();
                if told.insert(attempt.out_trade_no.clone(), status) != Some(status) {
                    let report = Report::of_attempt(&attempt);
                    say(&if json.json {
                        report.json(language).to_string()
                    } else {
                        report.line(language)
                    });
                }
                hopeless.note(&attempt, &event);
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
            "not everything is resolved; `paytill orders --state attention` lists what needs a person",
        );
        return Ok(Exit::Attention);
    }
    Ok(Exit::Done)
}

/// Orders that need a person, because trying again did not help.
#[derive(Default)]
struct Hopeless {
    failures: BTreeMap<OutTradeNo, u32>,
    orders: BTreeMap<OutTradeNo, bool>,
}

impl Hopeless {
    fn note(&mut self, attempt: &Attempt, event: &Event) {
        let number = &attempt.out_trade_no;
        let failed = matches!(event, Event::Answered(call, answer)
            if call.kind == CallKind::Reverse && *answer != Answer::Withdrawn);
        let failures = self.failures.entry(number.clone()).or_default();
        *failures += u32::from(failed);
        let asked = matches!(event, Event::Answered(..));
        let given_up = attempt.state.is_irreversible() && asked || *failures >= TRIES;
        let hopeless = attempt.state.status() == Status::Attention && given_up;
        self.orders.insert(number.clone(), hopeless);
    }

    fn has_all<'a>(&self, busy: impl Iterator<Item = &'a OutTradeNo>) -> bool {
        let mut busy = busy.peekable();
        busy.peek().is_some() && busy.all(|number| self.orders.get(number) == Some(&true))
    }
}
