//! `paytill refund`: gives money of a paid order back, without the screen.
//!
//! It prints every change of status, and ends once the gateway has accepted the refund or it is
//! certain that nothing was given back. What is not known by then stays open in the journal, under
//! the same number: `recover`, the screen and the next start go on with it.

use std::time::Duration;

use serde_json::{Value, json};

use super::open::{announce_training, open};
use super::orders::{no_such, one};
use super::output::{masked, print_line, print_message};
use super::refund_line::RefundLine;
use super::signals::Signals;
use super::{Exit, Failure, paper, pin};
use crate::clean::clean;
use crate::cli::{Json, Refund};
use crate::clock::Timestamp;
use crate::config::{Config, Loaded};
use crate::engine::{RefundRecord, RefundReport};
use crate::journal::{JournalReader, OrderRow, RefundRow, given_back};
use crate::language::{Language, Text};
use crate::money::{AmountEntry, Money};
use crate::refund::{OutRefundNo, RefundRefusal, RefundStatus};
use crate::text::{amount, journal, refund as text};
use crate::till::{NotRefunded, Notice, Till};
use crate::{both, say};
use paytill_host::clock::Clock;

/// How much of a reason is kept, in cells.
const REASON_CELLS: usize = 80;
/// How often the deadline is checked if nothing else happens.
const BEAT: Duration = Duration::from_secs(1);

/// Gives the money back, and reports every change.
pub async fn run(refund: Refund, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let language = config.till.language;
    let amount = refund.amount.as_deref().map(|typed| read(typed, config)).transpose()?;
    // Something scanned in the wrong place may be a payment code.
    let reason = masked(&clean(&refund.reason, REASON_CELLS));
    if reason.is_empty() {
        let sentence = both!(
            "--reason must say why the money is given back; nothing was sent",
            "--reason 须写明退款原因；未退款"
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let (row, others) = find(&refund.order_no, config)?;
    let sum = amount.unwrap_or(row.amount);
    let needs_consent = config.refund.consent_above.is_some_and(|limit| sum > limit);
    let by = if needs_consent { pin::manager(config)? } else { None };
    let mut opened = open(loaded, clock).await?;
    announce_training(config);
    let till = &mut opened.till;
    let mut signals = Signals::new()?;
    let reporter = Reporter { json: refund.json, language, others, number: None };
    let begun = till.refund(&row.out_trade_no, amount, reason, by);
    let number = match begun {
        Ok(number) => number,
        Err(NotRefunded::Refused(RefundRefusal::Stopped)) => {
            let sentence = both!(
                "the journal cannot be written; nothing was sent",
                "无法保存交易记录；未退款"
            );
            return Err(Failure::new(Exit::Journal, sentence));
        }
        Err(NotRefunded::Refused(why)) => {
            reporter.refused(&row, amount, &why, clock.wall());
            return Ok(Exit::Declined);
        }
        Err(NotRefunded::Journal(error)) => return Err(error.into()),
        Err(NotRefunded::NoSuchOrder) => return Err(no_such(&refund.order_no, config)),
    };
    // By then a person must know.
    let patience = config.payment.rules.attention_after;
    let deadline = clock.uptime().after(patience);
    let reporter = Reporter { number: Some(number), ..reporter };
    let mut due = paper::Due::default();
    let exit = loop {
        let notice = tokio::select! {
            notice = tokio::time::timeout(BEAT, till.next()) => notice,
            _ = signals.next() => break Exit::Attention,
        };
        match notice {
            Ok(Notice::RefundSlip(slip, paper)) => due.refund_queued(slip, *paper),
            Ok(notice) => {
                if let Some(exit) = reporter.take(notice, till)? {
                    break exit;
                }
            }
            Err(_) if clock.uptime() >= deadline => break Exit::Attention,
            Err(_) => {}
        }
    };
    if exit == Exit::Done
        && let Err(paper::NotPrinted { why, .. }) =
            paper::print_all(due, |_| {}, config, till, clock).await
    {
        print_message(&say!(
            language,
            "the slip was not printed: {why}; F9 on the screen prints it",
            "凭证未打印：{why}；可在收银界面按 F9 键补打"
        ));
    }
    if exit == Exit::Attention {
        print_message(language.pick(
            "do not give the money back in another way yet: `paytill recover` or the next start goes \
             on with this refund",
            "请先不要用其他方式退款：运行 paytill recover 或下次启动时会继续处理这笔退款",
        ));
    }
    Ok(exit)
}

fn read(typed: &str, config: &Config) -> Result<Money, Failure> {
    let currency = config.till.currency;
    currency.read(typed.trim(), AmountEntry::Major).map_err(|why| {
        let what = both!("this is not an amount", "这不是金额");
        let why = Text::each(|language| amount::fault(why, currency, language));
        Failure::new(Exit::Usage, what.because(&why))
    })
}

/// The order, and its refunds so far.
fn find(number: &str, config: &Config) -> Result<(OrderRow, Vec<RefundRow>), Failure> {
    let none = || no_such(number, config);
    let reader = JournalReader::open(&config.journal.path, config.journal.key_file.as_deref())?
        .ok_or_else(none)?;
    let row = one(&reader, number, config)?.ok_or_else(none)?;
    let refunds = reader.refunds(row.attempt)?;
    Ok((row, refunds))
}

struct Reporter {
    json: Json,
    language: Language,
    /// The order's refunds before.
    others: Vec<RefundRow>,
    number: Option<OutRefundNo>,
}

impl Reporter {
    /// Reports a notice if it is about this refund; how the command ends, if it does.
    fn take(&self, notice: Notice, till: &Till) -> Result<Option<Exit>, Failure> {
        match notice {
            Notice::Refund(report)
                if Some(&report.refund.out_refund_no) == self.number.as_ref() =>
            {
                let RefundReport { refund, before, .. } = *report;
                let status = refund.state.status();
                if before != Some(status) {
                    self.report(&refund);
                }
                if !refund.recorded {
                    print_message(self.language.pick(
                        "THIS COULD NOT BE WRITTEN TO THE JOURNAL: note it by hand, and give nothing \
                         back in another way until `paytill recover` has shown how it ended",
                        "结果未能保存：请手工记录，并在 paytill recover 给出结果前不要用其他方式退款",
                    ));
                    return Ok(Some(Exit::Attention));
                }
                Ok(match status {
                    RefundStatus::Accepted | RefundStatus::Done => Some(Exit::Done),
                    RefundStatus::Refused => Some(Exit::Declined),
                    RefundStatus::Attention => Some(Exit::Attention),
                    RefundStatus::Sent | RefundStatus::Checking => None,
                })
            }
            Notice::Stopped(error) => {
                let has_begun = till
                    .open_refunds()
                    .any(|refund| Some(&refund.out_refund_no) == self.number.as_ref());
                if !has_begun {
                    return Err(error.into());
                }
                print_message(&journal::sentence(&error, self.language));
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn report(&self, refund: &RefundRecord) {
        let report = RefundLine::of_record(refund, &self.others);
        if self.json.json {
            print_line(&report.json(self.language).to_string());
        } else if refund.state.is_given() || !refund.state.is_open() {
            print_line(&report.line(self.language));
            print_message(text::advice(&refund.state, self.language));
        } else {
            print_message(&report.line(self.language));
        }
    }

    /// Nothing was begun.
    fn refused(&self, row: &OrderRow, amount: Option<Money>, why: &RefundRefusal, at: Timestamp) {
        let sentence = text::refusal(why, row.currency, self.language);
        if !self.json.json {
            let word = text::word(RefundStatus::Refused, self.language);
            print_line(&format!("{word}  {}  {sentence}", row.out_trade_no));
            return;
        }
        let line = json!({
            "order_no": row.out_trade_no.as_str(),
            "refund_no": Value::Null,
            "state": RefundStatus::Refused.word(),
            "amount": amount.map(Money::minor),
            "refunded": given_back(&self.others).minor(),
            "reason": { "code": why.word(), "text": sentence },
            "at": at.to_rfc3339(),
        });
        print_line(&line.to_string());
    }
}
