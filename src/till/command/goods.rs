//! `paytill goods`: the shop's catalogue.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::output::{print_line, print_lines, print_message};
use super::{Exit, Failure};
use crate::both;
use crate::catalogue::{self, Catalogue, CatalogueFault};
use crate::cli::GoodsCommand;
use crate::config::Config;
use crate::goods::Good;
use crate::goods::table::{self, MOST_BYTES, NotATable};
use crate::text::goods::{self as text, GoodsWords};
use crate::text::system;

/// So many lines are printed at once.
const PIECE: usize = 1000;

/// Imports or lists.
pub fn run(what: GoodsCommand, config: &Config) -> Result<Exit, Failure> {
    match what {
        GoodsCommand::Import { table } => import(&table, config),
        GoodsCommand::List(json) => list(json.json, config),
    }
}

/// Replaces the catalogue by a table, or says all that is wrong with that and changes nothing.
fn import(file: &Path, config: &Config) -> Result<Exit, Failure> {
    let (language, currency) = (config.till.language, config.till.currency);
    let bytes = read(file)?;
    let goods = table::read(&bytes, currency).map_err(|why| {
        if let NotATable::Lines(faults, count) = &why {
            for fault in faults {
                print_message(&text::line(fault, currency, language));
            }
            if *count > faults.len() {
                print_message(&text::more(count - faults.len(), language));
            }
        }
        let nothing = both!("nothing was imported", "未导入任何商品");
        Failure::new(Exit::Usage, nothing.because(&text::not_a_table(&why)))
    })?;
    let path = catalogue::path(&config.journal.path);
    // What cannot be used is replaced as well.
    let before = Catalogue::open(&path, currency).ok().flatten().map_or(0, |before| before.count);
    catalogue::write(&path, &goods, currency)?;
    let (words, count) = (GoodsWords::of(language), goods.len());
    tracing::info!(count, before, "the catalogue was replaced");
    let said = if before == 0 { words.imported(count) } else { words.imported_over(count, before) };
    Ok(if print_line(&said) { Exit::Done } else { Exit::Fault })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| {
        let shown = file.display();
        let what = both!("{shown} cannot be read", "{shown} 无法读取");
        Failure::new(Exit::Usage, what.because(&system::text(&error)))
    })?;
    Ok(bytes)
}

fn list(is_json: bool, config: &Config) -> Result<Exit, Failure> {
    let currency = config.till.currency;
    let words = GoodsWords::of(config.till.language);
    let path = catalogue::path(&config.journal.path);
    let Some(catalogue) = Catalogue::open(&path, currency)? else {
        if !is_json {
            print_message(words.none());
        }
        return Ok(Exit::Done);
    };
    let row = |good: Good| {
        let Good { code, name, unit, price, rate } = good;
        if is_json {
            return json!({
                "code": code,
                "name": name,
                "unit": unit,
                "price": price.minor(),
                "currency": currency.code(),
                "rate": rate.hundredths(),
            })
            .to_string();
        }
        let price = currency.group(price);
        let unit = if unit.is_empty() { unit } else { format!("/{unit}") };
        let tax = if rate.hundredths() == 0 { String::new() } else { words.tax(&rate.show()) };
        format!("{code:<14}  {price:>12}{unit}  {name}  {tax}").trim_end().to_owned()
    };
    let (mut lines, mut is_read) = (Vec::new(), true);
    catalogue.each(|good| {
        lines.push(row(good));
        if lines.len() == PIECE {
            is_read &= print_lines(&lines);
            lines.clear();
        }
    })?;
    is_read &= print_lines(&lines);
    Ok(if is_read { Exit::Done } else { Exit::Fault })
}

impl From<CatalogueFault> for Failure {
    fn from(fault: CatalogueFault) -> Self {
        Self::new(Exit::Fault, text::fault(&fault))
    }
}
