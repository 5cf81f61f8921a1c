//! Writes a journal of any number of orders: what `scripts/growth` measures a till on.
//!
//!     fill JOURNAL ORDERS               so many paid orders, written as fast as it goes
//!     fill JOURNAL ORDERS day           a day more, until there are so many: each entry by itself,
//!                                       and the power fails before the journal is closed
//!     fill JOURNAL ORDERS open          so many orders that were just begun, and nothing more
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for tests")]

use std::path::Path;
use std::time::SystemTime;

use paytill_core::clock::{Millis, TimeZone, Timestamp, Uptime};
use paytill_core::engine::{Begin, Entry, SaleEntry};
use paytill_core::money::{Currency, Money};
use paytill_core::order::{Merchant, Order, OutTradeNo};
use paytill_core::payment::{Answer, Event, Proof, Rules, State, Submitted};
use paytill_journal::Journal;

/// One order every five minutes.
const APART: i64 = 300_000;
const FIRST: i64 = 1_763_800_000_000;
/// How many orders are written at once.
const AT_ONCE: i64 = 5_000;

fn wire(fields: &[(&str, String)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn begin(id: i64) -> Entry {
    begin_at(id, Timestamp(FIRST + id * APART))
}

fn begin_at(id: i64, at: Timestamp) -> Entry {
    let amount = Money::from_minor(100 + id % 9_000);
    let number = format!("T01{id:012}");
    let merchant = Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    };
    let fields = [
        ("appid", merchant.app_id.clone()),
        ("auth_code", "13**************12".to_owned()),
        ("body", "Corner Coffee T01".to_owned()),
        ("mch_id", merchant.mch_id.clone()),
        ("nonce_str", format!("{id:032x}")),
        ("out_trade_no", number.clone()),
        ("sign_type", "HMAC-SHA256".to_owned()),
        ("spbill_create_ip", "203.0.113.7".to_owned()),
        ("total_fee", amount.minor().to_string()),
    ];
    let order = Order {
        out_trade_no: OutTradeNo::try_from(number).unwrap(),
        amount,
        currency: Currency::CNY,
        merchant,
        body: "Corner Coffee T01".into(),
        device_info: "S001".into(),
        client_ip: "203.0.113.7".into(),
        mark: format!("{id:016x}"),
    };
    let mut code_hash = [0; 16];
    code_hash[8..].copy_from_slice(&id.to_be_bytes());
    Entry {
        attempt: id,
        at,
        age: Millis(0),
        sent_at: Uptime(5_000),
        boot: 7,
        event: Event::Begun,
        by: None,
        state: State::begin(&Rules::default(), 0),
        wire: wire(&fields),
        begin: Some(Box::new(Begin {
            sale: SaleEntry {
                id,
                new: Some(String::new()),
                due: amount,
                sold: std::sync::Arc::default(),
            },
            order,
            code_hash: Some(code_hash),
            day: at.day(&TimeZone::UTC),
        })),
    }
}

fn paid(id: i64) -> Entry {
    let begun = begin(id);
    let at = Timestamp(begun.at.0 + 400);
    let transaction_id = format!("4200002{id:021}");
    let mut state = begun.state.clone();
    let fields = [
        ("bank_type", "OTHERS".to_owned()),
        ("cash_fee", "1234".to_owned()),
        ("openid", "oUpF8uN95-Ptaags6E_roPHg7AG0".to_owned()),
        ("result_code", "SUCCESS".to_owned()),
        ("return_code", "SUCCESS".to_owned()),
        ("time_end", "20261122113000".to_owned()),
        ("trade_type", "MICROPAY".to_owned()),
        ("transaction_id", transaction_id.clone()),
    ];
    let proof = Proof { transaction_id, paid_at: at, coupon: None };
    let event = Event::Answered(0, Answer::Submitted(Submitted::Paid(proof)));
    let _ = state.step(&event, Millis(400), &Rules::default());
    Entry { at, age: Millis(400), event, state, wire: wire(&fields), begin: None, ..begun }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap();
    let orders: i64 = arguments.next().unwrap().parse().unwrap();
    let how = arguments.next().unwrap_or_default();
    let (mut journal, past) = Journal::open(Path::new(&path), None).unwrap();
    let missing = past.last_attempt + 1..=orders;
    match how.as_str() {
        "day" => {
            for id in missing {
                journal.append(&begin(id)).unwrap();
                journal.append(&paid(id)).unwrap();
            }
            std::process::abort();
        }
        "open" => {
            let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
            let now = Timestamp(i64::try_from(since_1970).unwrap());
            let entries: Vec<Entry> = missing.map(|id| begin_at(id, now)).collect();
            journal.append_all(&entries).unwrap();
        }
        _ => {
            for first in missing.clone().step_by(usize::try_from(AT_ONCE).unwrap()) {
                let ids = first..=orders.min(first + AT_ONCE - 1);
                let entries: Vec<Entry> = ids.flat_map(|id| [begin(id), paid(id)]).collect();
                journal.append_all(&entries).unwrap();
                journal.checkpoint().unwrap();
            }
        }
    }
}
