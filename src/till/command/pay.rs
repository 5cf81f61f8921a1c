//! `paytill pay`: one payment without the screen.
//!
//! It prints every change of status and ends as soon as the outcome is final for the cashier. The
//! payment code is accepted from standard input as well, is wiped from memory after use, and is
//! printed only masked. Ctrl-C cancels as on the screen; a second one leaves the payment open for
//! the next start.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::open::{announce_training, open};
use super::output::{masked, print_line, print_message};
use super::report::OrderReport;
use super::signals::{ShutdownRequest, Signals};
use super::{Exit, Failure, paper};
use crate::clean::clean;
use crate::cli::Pay;
use crate::config::{Config, Loaded};
use crate::engine::{Attempt, Refusal, Report, SaleRef};
use crate::journal::Slip;
use crate::language::{Language, Text};
use crate::money::{AmountEntry, Money};
use crate::order::{AuthCode, OutTradeNo, TillId};
use crate::payment::{Event, Status};
use crate::scan::Scan;
use crate::simulator::Scenario;
use crate::text::training::PractiseWords;
use crate::till::{Notice, Till};
use crate::{both, say, text};
use paytill_host::clock::Clock;

/// The most bytes read from standard input for a code.
const LARGEST_INPUT: usize = 256;
/// How many cells of a note are kept.
pub(super) const NOTE_CELLS: usize = 200;

/// Takes the payment and reports every change of its status. Ends when the outcome is final for the
/// cashier; work in the background is left to the next start.
pub async fn run(pay: Pay, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let amount = amount(&pay.amount, config)?;
    let code = code(pay.code, &config.till.id)?;
    let mut opened = open(loaded, clock).await?;
    announce_training(config);
    if opened.is_training() && !Scenario::is_practice(code.expose()) {
        print_message(PractiseWords::of(config.till.language).real_code());
    }
    let till = &mut opened.till;
    till.find_local_address().await;
    // Before the payment begins: from now on a signal leaves it open, and says so.
    let mut signals = Signals::new()?;
    // Something scanned in the wrong place may be another code.
    let note = masked(&clean(&pay.note, NOTE_CELLS));
    let out_trade_no =
        till.begin(SaleRef::New(amount), note, Arc::default(), code, None).map_err(refused)?;
    let mut reporter = Reporter { json: pay.json.json, language: config.till.language };
    Ok(see_through(till, &out_trade_no, &mut reporter, &mut signals, config, clock).await)
}

/// The amount that was typed.
pub(super) fn amount(typed: &str, config: &Config) -> Result<Money, Failure> {
    let currency = config.till.currency;
    // `$(cat FILE)` and a pasted cell of a table bring their line end along.
    let typed = typed.trim();
    currency.read(typed, AmountEntry::Major).map_err(|why| {
        if AuthCode::new(typed).is_some() {
            return usage(both!(
                "this is a payment code and not an amount; nothing was sent",
                "这是付款码，不是金额；未扣款"
            ));
        }
        let what = both!("this is not an amount", "这不是金额");
        usage(what.because(&Text::each(|language| text::amount::fault(why, currency, language))))
    })
}

/// Follows a payment to its end for the cashier, and prints its slip.
pub(super) async fn see_through(
    till: &mut Till,
    out_trade_no: &OutTradeNo,
    reporter: &mut impl Follow,
    signals: &mut Signals,
    config: &Config,
    clock: &Clock,
) -> Exit {
    let language = reporter.language();
    let (mut exit, ended) = follow(till, out_trade_no, reporter, signals).await;
    let mut due = paper::Due::default();
    let mut last_status = None;
    if let Some((attempt, slip)) = ended {
        last_status = Some(attempt.state.status());
        due.moved(&attempt);
        if let Some(slip) = slip {
            due.queued(slip);
        }
    }
    let has_ended = last_status.is_some();
    let moved = |attempt: &Attempt| {
        let status = attempt.state.status();
        if attempt.out_trade_no == *out_trade_no && last_status.replace(status) != Some(status) {
            reporter.report(attempt, status);
            exit = end(attempt).unwrap_or(Exit::Attention);
        }
    };
    if has_ended
        && let Err(paper::NotPrinted { why, .. }) =
            paper::print_all(due, moved, config, till, clock).await
    {
        print_message(&say!(
            language,
            "the receipt was not printed: {why}; F9 on the screen prints it",
            "小票未打印：{why}；可在收银界面按 F9 键补打"
        ));
    }
    till.part().await;
    if exit == Exit::Attention {
        print_message(language.pick(
            "keep the goods; `paytill recover` or the next start continues with it",
            "请先不要交付商品；运行 paytill recover 或下次启动时会继续处理",
        ));
    }
    if exit == Exit::Declined && till.is_open() {
        print_message(language.pick(
            "`paytill recover` or the next start closes its order number",
            "该订单号将在下次启动或运行 paytill recover 时关闭",
        ));
    }
    exit
}

/// Tells of a payment while it is followed.
pub(super) trait Follow {
    fn report(&mut self, attempt: &Attempt, status: Status);
    /// What is said when the cashier cancels.
    fn cancelling(&self) -> &'static str;
    fn language(&self) -> Language;
}

struct Reporter {
    json: bool,
    language: Language,
}

impl Follow for Reporter {
    fn report(&mut self, attempt: &Attempt, status: Status) {
        let report = OrderReport { status, ..OrderReport::of_attempt(attempt) };
        if self.json {
            print_line(&report.json(self.language).to_string());
        } else if status.is_final_for_cashier() {
            print_line(&report.line(self.language));
        } else {
            print_message(&report.line(self.language));
        }
    }

    fn cancelling(&self) -> &'static str {
        self.language.pick(
            "cancelling: one last query, then the payment is reversed (Ctrl-C again leaves it open)",
            "正在取消：最后查询一次，然后撤销这笔支付（再按 Ctrl-C 则保留为未完成）",
        )
    }

    fn language(&self) -> Language {
        self.language
    }
}

async fn follow(
    till: &mut Till,
    ours: &OutTradeNo,
    reporter: &mut impl Follow,
    signals: &mut Signals,
) -> (Exit, Option<(Attempt, Option<Slip>)>) {
    let mut cancelled = false;
    let mut due = None;
    let mut last_status = None;
    loop {
        let notice = tokio::select! {
            notice = till.next() => notice,
            // The person at the keyboard is the cashier.
            asked = signals.next() => {
                if cancelled || asked == ShutdownRequest::End {
                    return (Exit::Attention, None);
                }
                cancelled = true;
                print_message(reporter.cancelling());
                till.handle_event(ours, Event::Cancel, None);
                continue;
            }
        };
        match notice {
            Notice::Attempt(report) if report.attempt.out_trade_no == *ours => {
                let Report { attempt, event, .. } = *report;
                let status = attempt.state.status();
                if event == Event::Begun {
                    reporter.report(&attempt, Status::Created);
                }
                if last_status != Some(status) {
                    reporter.report(&attempt, status);
                    last_status = Some(status);
                }
                if !attempt.recorded {
                    print_message(reporter.language().pick(
                        "THIS COULD NOT BE WRITTEN TO THE JOURNAL: note it by hand, and keep the \
                         goods until `paytill recover` has shown how it ended",
                        "结果未能保存：请手工记录，并在 paytill recover 给出结果前不要交付商品",
                    ));
                }
                if let Some(exit) = end(&attempt) {
                    return (exit, Some((attempt, due)));
                }
            }
            Notice::Stopped(error) => {
                print_message(&text::journal::sentence(&error, reporter.language()));
                // Nothing was sent before the first entry was on disk.
                if last_status.is_none() {
                    return (Exit::Journal, None);
                }
            }
            Notice::SlipDue(slip) if slip.out_trade_no == *ours => due = Some(slip),
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

fn end(attempt: &Attempt) -> Option<Exit> {
    match attempt.state.status() {
        // The journal failed: the next start finds out, and may return the money.
        _ if !attempt.recorded => Some(Exit::Attention),
        Status::Paid => Some(Exit::Done),
        Status::Reversed => Some(Exit::Reversed),
        Status::Attention => Some(Exit::Attention),
        // Reported at once, but certain only after the confirming query.
        Status::Closed => Some(Exit::Declined),
        Status::Declined if !attempt.state.is_being_confirmed() => Some(Exit::Declined),
        Status::Declined
        | Status::Created
        | Status::Sent
        | Status::Waiting
        | Status::Checking
        | Status::Reversing => None,
    }
}

/// The payment code from the option or from standard input. Anything else is refused by name.
fn code(given: String, till: &TillId) -> Result<AuthCode, Failure> {
    let given = Zeroizing::new(given);
    let text = if given.as_str() == "-" { first_line()? } else { given };
    let what = match Scan::name(&text, till) {
        Scan::Payment(code) => return Ok(code),
        Scan::OtherWallet(_) => both!("a code of another wallet", "这是其他钱包的付款码"),
        Scan::ReceiveCode => {
            both!("a code to pay somebody, not to pay with", "这是收款码，不是付款码")
        }
        Scan::Goods(_) => both!("a product barcode", "这是商品条码"),
        Scan::OwnReceipt(_) | Scan::Transaction(_) => {
            both!("a number from a receipt", "这是小票上的单号")
        }
        Scan::Odd(_) | Scan::Noise => both!("no payment code", "这不是付款码"),
    };
    Err(usage(what.because(&both!(
        "a payment code of WeChat Pay has 18 digits and begins with 10 to 15; nothing was sent",
        "微信付款码为 18 位数字，以 10 至 15 开头；未扣款"
    ))))
}

/// The first line of standard input, read without a buffer that would keep a copy.
fn first_line() -> Result<Zeroizing<String>, Failure> {
    let unusable = |error: rustix::io::Errno| {
        let why = text::system::text(&error.into());
        usage(both!("nothing was sent; standard input", "未扣款；标准输入").because(&why))
    };
    let mut bytes = Zeroizing::new([0; LARGEST_INPUT]);
    let mut length = 0;
    while length < LARGEST_INPUT && !bytes[..length].contains(&b'\n') {
        match rustix::io::read(rustix::stdio::stdin(), &mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(unusable(error)),
        }
    }
    let line = bytes[..length].split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Zeroizing::new(String::from_utf8_lossy(line).into_owned()))
}

pub(super) fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Stopped => {
            let sentence = both!(
                "the journal cannot be written; nothing was sent",
                "无法保存交易记录；未扣款"
            );
            Failure::new(Exit::Journal, sentence)
        }
        Refusal::CodeUsed(by) => usage(both!(
            "this payment code was already used for order {by}; ask for a new one; nothing was sent",
            "这个付款码已用于订单 {by}；请顾客刷新付款码；未扣款"
        )),
        Refusal::Unsettled(by) => {
            usage(both!("order {by} of this sale is not settled", "本次销售的订单 {by} 尚未完成"))
        }
        Refusal::AlreadyPaid => usage(both!("this sale is paid", "本次销售已付款")),
        Refusal::MoreThanLeft(_) | Refusal::NoSuchCash | Refusal::NothingTaken => {
            usage(both!("so much of this sale is not to be paid", "本次销售的金额不符"))
        }
    }
}

const fn usage(sentence: Text) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
