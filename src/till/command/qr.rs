//! `paytill qr`: the customer scans a code that the terminal shows.
//!
//! It orders the code, draws it, and ends once the order has: paid, or closed at the gateway. Ctrl-C
//! closes it first; a second one leaves it open for the next start.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::open::{announce_training, open};
use super::output::{Stream, draw_blocks, masked, print_line, print_message, put_new};
use super::pay::{self, Follow, NOTE_CELLS};
use super::report::OrderReport;
use super::signals::Signals;
use super::{Exit, Failure};
use crate::both;
use crate::clean::clean;
use crate::cli::Qr;
use crate::clock::{Millis, Timestamp};
use crate::config::Loaded;
use crate::engine::{Attempt, SaleRef};
use crate::language::Language;
use crate::order::CodeUrl;
use crate::payment::Status;
use crate::qr::QrCode;
use crate::text::qr::QrWords;
use crate::text::{evidence, system};
use paytill_host::clock::Clock;

/// The side of a module in a picture, in dots.
const DOTS: usize = 8;

/// Orders a code, shows it, and follows the order to its end.
pub async fn run(qr: Qr, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let amount = pay::amount(&qr.amount, config)?;
    // Before anything is ordered: a code that is nowhere to be seen is of no use.
    if let Some(file) = qr.png.as_deref().filter(|file| file.exists()) {
        return Err(Failure::new(Exit::Usage, evidence::is_there(file)));
    }
    let mut opened = open(loaded, clock).await?;
    announce_training(config);
    let till = &mut opened.till;
    till.find_local_address().await;
    // Before the order begins: from now on a signal leaves it open, and says so.
    let mut signals = Signals::new()?;
    let note = masked(&clean(&qr.note, NOTE_CELLS));
    let lasts = config.payment.qr_lasts;
    let begun = till.begin_qr(SaleRef::New(amount), note, Arc::default(), lasts, None);
    let out_trade_no = begun.map_err(pay::refused)?;
    let mut display = CodeDisplay {
        json: qr.json.json,
        language: config.till.language,
        png: qr.png,
        is_told: false,
        zone: config.store.time_zone.clone(),
    };
    Ok(pay::see_through(till, &out_trade_no, &mut display, &mut signals, config, clock).await)
}

/// Shows the code once, and what becomes of the order.
struct CodeDisplay {
    json: bool,
    language: Language,
    png: Option<PathBuf>,
    /// Whether the first line was printed: it has the code.
    is_told: bool,
    zone: crate::clock::TimeZone,
}

impl Follow for CodeDisplay {
    fn report(&mut self, attempt: &Attempt, status: Status) {
        // The first line is the one with the code, or the end if none came.
        let code = attempt.code_to_show().filter(|_| !self.is_told);
        let is_over = status.is_final_for_cashier() || !attempt.recorded;
        if !self.is_told && code.is_none() && !is_over {
            return;
        }
        self.is_told = true;
        let report = OrderReport { status, ..OrderReport::of_attempt(attempt) };
        let expires_at = code.and_then(|_| expiry(attempt));
        if self.json {
            let mut line = report.json(self.language);
            if let (Some(code), Some(at)) = (code, expires_at) {
                line["code_url"] = json!(code.as_str());
                line["expires_at"] = json!(at.to_rfc3339());
            }
            print_line(&line.to_string());
        } else if status.is_final_for_cashier() {
            print_line(&report.line(self.language));
        } else {
            print_message(&report.line(self.language));
        }
        if let Some(code) = code {
            self.show(code, expires_at);
        }
    }

    fn cancelling(&self) -> &'static str {
        QrWords::of(self.language).cancelling()
    }

    fn language(&self) -> Language {
        self.language
    }
}

impl CodeDisplay {
    fn show(&self, code: &CodeUrl, expires_at: Option<Timestamp>) {
        let words = QrWords::of(self.language);
        let Some(drawn) = QrCode::of(code.as_str()) else {
            print_message(code.as_str());
            return;
        };
        if let Some(file) = &self.png {
            self.write(file, &drawn);
        }
        // Standard output belongs to the program that reads the JSON.
        let stream = if self.json { Stream::Error } else { Stream::Output };
        let is_terminal = match stream {
            Stream::Output => io::stdout().is_terminal(),
            Stream::Error => io::stderr().is_terminal(),
        };
        if is_terminal {
            draw_blocks(&drawn.half_blocks(), std::env::var_os("NO_COLOR").is_none(), stream);
        } else if !self.json {
            print_line(code.as_str());
        }
        if let Some(at) = expires_at {
            print_message(&words.scan_until(&at.local("%H:%M:%S", &self.zone)));
        }
    }

    fn write(&self, file: &Path, code: &QrCode) {
        let png = code.picture(DOTS).to_png().map_err(io::Error::other);
        if let Err(error) = png.and_then(|png| put_new(file, &png)) {
            let name = file.display();
            let what = both!("the code was not written to {name}", "未能把收款码写入 {name}");
            let why = what.because(&system::text(&error));
            print_message(why.in_language(self.language));
        }
    }
}

/// When its code expires, by the wall clock.
fn expiry(attempt: &Attempt) -> Option<Timestamp> {
    let Millis(lasts) = attempt.state.qr()?.expires_at();
    Some(Timestamp(attempt.created_at.0.saturating_add(i64::try_from(lasts).unwrap_or(i64::MAX))))
}
