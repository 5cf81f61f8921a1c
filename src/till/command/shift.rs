//! `paytill shift` and `paytill cash`: the drawer and the shifts, without the screen.
//!
//! What only reads works beside a till that sells; what writes takes hold of the journal first, as
//! every other command that writes.

mod export;
mod paper;

use std::io::{BufRead as _, IsTerminal as _};

use serde_json::{Value, json};

use super::output::{print_line, print_lines, print_message, print_prompt};
use super::{Exit, Failure, open, pin};
use crate::both;
use crate::clean::clean;
use crate::cli::{CashCommand, Shift, ShiftCommand};
use crate::config::Config;
use crate::engine::{Act, ActKind, By};
use crate::journal::{JournalReader, ShiftDone, ShiftWork};
use crate::language::Text;
use crate::money::{AmountEntry, Money, NotAnAmount};
use crate::operators::{self, Operators, Role};
use crate::shift::{Carry, Closing, NotNow, Report, Sum};
use crate::text::amount;
use crate::text::screen::ShiftPageWords;
use crate::text::shift::{ShiftLine, Writing};
use paytill_host::clock::Clock;
use unicode_width::UnicodeWidthStr as _;

/// Cells of a reason or a name.
const WORDS: usize = 60;

/// `paytill shift`
pub fn run(shift: Shift, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let json = shift.json.json;
    match shift.what {
        None => so_far(json, config, clock),
        Some(ShiftCommand::Open { float, operator, json }) => {
            let float = float.map(|typed| sum(&typed, config)).transpose()?.unwrap_or_default();
            let by = who(config, operator)?;
            let work = ShiftWork::Open { at: clock.wall(), float, by };
            end(write(work, config)?, json.json, config)
        }
        Some(ShiftCommand::Close { counted, operator, carry, json }) => {
            close(counted.as_deref(), operator, carry, json.json, config, clock)
        }
        Some(ShiftCommand::Z { number, print, json }) => {
            let report = z(number, config)?;
            if print {
                paper::print(&report, config, clock)?;
            }
            Ok(told(&[report], json.json, config))
        }
        Some(ShiftCommand::Report { day, csv, json }) => {
            let day = day.from_today(clock.wall().day(&config.store.time_zone)).to_string();
            let mut reports = closed(config, |report| report.day == day)?;
            if let Some(reader) = reader(config)? {
                let x = reader.shift(clock.wall(), &config.store.time_zone)?;
                reports.extend(Some(x).filter(|x| x.day == day && x.began_at.is_some()));
            }
            if let Some(file) = &csv {
                export::write(file, &reports, config)?;
            }
            Ok(told(&reports, json.json, config))
        }
    }
}

/// `paytill cash`
pub fn cash(what: CashCommand, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let (is_out, amount, reason) = match what {
        CashCommand::In { amount, reason } => (false, amount, reason),
        CashCommand::Out { amount, reason } => (true, amount, reason),
    };
    let read = config.till.currency.read(&amount, AmountEntry::Major);
    let amount = read.map_err(|why| not_an_amount(why, config))?;
    let reason = clean(reason.trim(), WORDS);
    if reason.is_empty() {
        let sentence = both!("--reason must say what for", "--reason 须说明原因");
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let needs_a_manager = is_out && config.till.drawer_by_manager;
    let by = if needs_a_manager { pin::manager(config)? } else { who(config, None)? };
    let kind = if is_out {
        ActKind::CashOut { amount, reason }
    } else {
        ActKind::CashIn { amount, reason }
    };
    let (mut journal, _) = open::hold(config)?;
    journal.append_act(&Act { at: clock.wall(), kind, by })?;
    let words = crate::text::screen::CashWords::of(config.till.language);
    print_line(words.noted());
    Ok(Exit::Done)
}

fn so_far(json: bool, config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    let zone = &config.store.time_zone;
    let report = if let Some(reader) = reader(config)? {
        reader.shift(clock.wall(), zone)?
    } else {
        let day = clock.wall().day(zone).to_string();
        Report { at: clock.wall(), day, ..Report::default() }
    };
    Ok(told(&[report], json, config))
}

fn close(
    counted: Option<&str>,
    operator: Option<String>,
    carry: bool,
    json: bool,
    config: &Config,
    clock: &Clock,
) -> Result<Exit, Failure> {
    // Whoever counts does not know what it must be.
    let counted = match counted {
        Some(typed) => sum(typed, config)?,
        None => sum(&ask_for_count(config)?, config)?,
    };
    let by = if carry { pin::manager(config)? } else { who(config, operator)? };
    let manager = by.as_ref().map(|by| by.operator.clone());
    let closing = Closing {
        at: clock.wall(),
        counted: Some(counted),
        operator: manager.clone(),
        carry: if carry { Carry::Yes(manager) } else { Carry::No },
    };
    end(write(ShiftWork::Close { closing, by }, config)?, json, config)
}

fn ask_for_count(config: &Config) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let sentence = both!(
            "--counted is missing: what is in the drawer",
            "缺少 --counted：钱箱里实点的现金总额"
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let gap = config.till.language.pick(": ", "：");
    print_prompt(&format!("{}{gap}", config.till.language.pick("Counted", "实点现金")));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| {
        Failure::of_system(&both!("the count cannot be read", "无法读取实点金额"), &error)
    })?;
    Ok(line.trim().to_owned())
}

fn write(work: ShiftWork, config: &Config) -> Result<ShiftDone, Failure> {
    let (mut journal, _) = open::hold(config)?;
    Ok(journal.do_shift(work, &config.store.time_zone)?)
}

fn end(done: ShiftDone, json: bool, config: &Config) -> Result<Exit, Failure> {
    match done {
        ShiftDone::Opened(report) | ShiftDone::Closed(report) => Ok(told(&[*report], json, config)),
        ShiftDone::Not(NotNow::IsOpen(since)) => {
            let since = since.local("%Y-%m-%d %H:%M", &config.store.time_zone);
            let sentence = Text::each(|language| ShiftPageWords::of(language).is_open(&since));
            Err(Failure::new(Exit::Usage, sentence))
        }
        ShiftDone::Not(NotNow::Unresolved(numbers)) => {
            let numbers = numbers.join(", ");
            let sentence = both!(
                "not closed: {numbers} is not settled; wait, run `paytill recover`, or carry it over \
                 with --carry",
                "未交班：{numbers} 尚未完成；请等待、运行 paytill recover，或用 --carry 结转到下一班"
            );
            Err(Failure::new(Exit::Attention, sentence))
        }
    }
}

/// Who does it, by their PIN where people sign in; else whoever is named.
fn who(config: &Config, named: Option<String>) -> Result<Option<By>, Failure> {
    let named = named.map(|name| clean(name.trim(), operators::NAME_CELLS));
    if Operators::read(&operators::path(&config.journal.path))?.is_empty() {
        let named = named.filter(|name| !name.is_empty());
        return Ok(named.map(|operator| By { operator, consent: None }));
    }
    let operator = pin::operator(config)?;
    match named {
        Some(name) if name != operator.name && operator.role != Role::Manager => {
            let sentence = both!("that is not the PIN of {name}", "不是 {name} 的密码");
            Err(Failure::new(Exit::Usage, sentence))
        }
        // A manager may do it in another's place, and says so.
        Some(name) if name != operator.name => {
            Ok(Some(By { operator: name, consent: Some(operator.name) }))
        }
        Some(_) | None => Ok(Some(By { operator: operator.name, consent: None })),
    }
}

/// A sum in the drawer, which may be nothing.
fn sum(typed: &str, config: &Config) -> Result<Money, Failure> {
    match config.till.currency.read(typed, AmountEntry::Major) {
        Err(NotAnAmount::Zero) => Ok(Money::default()),
        read => read.map_err(|why| not_an_amount(why, config)),
    }
}

fn not_an_amount(why: NotAnAmount, config: &Config) -> Failure {
    let currency = config.till.currency;
    Failure::new(Exit::Usage, Text::each(|language| amount::fault(why, currency, language)))
}

fn reader(config: &Config) -> Result<Option<JournalReader>, Failure> {
    Ok(JournalReader::open(&config.journal.path, config.journal.key_file.as_deref())?)
}

fn closed(config: &Config, fits: impl Fn(&Report) -> bool) -> Result<Vec<Report>, Failure> {
    match reader(config)? {
        Some(reader) => Ok(reader.closed_shifts(fits)?),
        None => Ok(Vec::new()),
    }
}

fn z(number: u32, config: &Config) -> Result<Report, Failure> {
    let found = closed(config, |report| report.z == Some(number))?.pop();
    found.ok_or_else(|| {
        let sentence = both!("there is no Z report {number}", "没有第 {number} 号 Z 报表");
        Failure::new(Exit::Usage, sentence)
    })
}

fn told(reports: &[Report], json: bool, config: &Config) -> Exit {
    let language = config.till.language;
    if reports.is_empty() && !json {
        print_message(language.pick("no shift on that day", "当天没有班次"));
    }
    let lines: Vec<String> = if json {
        reports.iter().map(|report| report_json(report).to_string()).collect()
    } else {
        reports.iter().flat_map(|report| lines(report, config)).collect()
    };
    if print_lines(&lines) { Exit::Done } else { Exit::Fault }
}

fn lines(report: &Report, config: &Config) -> Vec<String> {
    let writing = Writing {
        currency: config.till.currency,
        zone: &config.store.time_zone,
        language: config.till.language,
        tells_expected: true,
    };
    let all = writing.lines(report);
    let pairs = all.iter().filter_map(|line| match line {
        ShiftLine::Pair(name, value) => Some((name.width(), value.width())),
        ShiftLine::Title(_) => None,
    });
    let (names, values): (Vec<usize>, Vec<usize>) = pairs.unzip();
    let [names, values] = [names, values].map(|all| all.into_iter().max().unwrap_or(0));
    let line = |line: ShiftLine| match line {
        ShiftLine::Title(title) => title,
        ShiftLine::Pair(name, value) => {
            let blanks = names + values + 2 - name.width() - value.width();
            format!("  {name}{}{value}", " ".repeat(blanks)).trim_end().to_owned()
        }
    };
    std::iter::once(writing.title(report)).chain(all.into_iter().map(line)).collect()
}

/// For programs (interface 3); amounts in minor units.
fn report_json(report: &Report) -> Value {
    let sum = |sum: Sum| json!({ "count": sum.count, "amount": sum.amount.minor() });
    let sums = |sums: &std::collections::BTreeMap<String, Sum>| -> Value {
        sums.iter()
            .map(|(name, of)| (name.clone(), sum(*of)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let rates: serde_json::Map<String, Value> = report
        .by_rate
        .iter()
        .map(|(rate, taxed)| {
            (rate.show(), json!({ "sold": taxed.sold.minor(), "tax": taxed.tax.minor() }))
        })
        .collect();
    let drawer = &report.drawer;
    let movements: Vec<Value> = report
        .movements
        .iter()
        .map(|movement| {
            json!({
                "at": movement.at.to_rfc3339(),
                "amount": movement.amount.minor(),
                "reason": movement.reason,
                "operator": movement.operator,
            })
        })
        .collect();
    json!({
        "z": report.z,
        "day": report.day,
        "opened_at": report.opened_at.map(crate::clock::Timestamp::to_rfc3339),
        "closed_at": report.z.map(|_| report.at.to_rfc3339()),
        "at": report.at.to_rfc3339(),
        "operator": report.closed_by.as_ref().or(report.opened_by.as_ref()),
        "opened_by": report.opened_by,
        "carried_by": report.carried_by,
        "sales": sum(report.sales),
        "refunds": sum(report.refunds),
        "reversals": sum(report.reversals),
        "by_tender": sums(&report.by_tender),
        "by_operator": sums(&report.by_operator),
        "discounts": sum(report.discounts),
        "by_rate": rates,
        "no_rate": report.no_rate.minor(),
        "no_sales": report.no_sales,
        "cash": {
            "float": drawer.float.minor(),
            "sales": drawer.sales.minor(),
            "refunds": drawer.refunds.minor(),
            "in": drawer.cash_in.minor(),
            "out": drawer.cash_out.minor(),
            "expected": drawer.expected().minor(),
            "counted": drawer.counted.map(Money::minor),
            "difference": drawer.difference().map(Money::minor),
        },
        "movements": movements,
        "unresolved": report.unresolved,
    })
}
