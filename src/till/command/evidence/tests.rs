//! An evidence file made from a real journal, and every way to change it.

use paytill_core::clock::Uptime;
use paytill_core::engine::{Begin, By, Entry, RefundBegin, RefundEntry, SaleEntry};
use paytill_core::order::{Merchant, Order, OutTradeNo};
use paytill_core::refund::{
    Looked, OutRefundNo, Refund, RefundAnswer, RefundEvent, RefundPage, RefundPlan, RefundSaid,
    RefundState,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::check::{Change, Changes, Standing, check};
use super::{FORMAT, document, entries_of, form};
use crate::clock::{Millis, TimeZone, Timestamp};
use crate::journal::{Journal, JournalReader, Seal};
use crate::money::{Currency, Money};
use crate::payment::{Answer, Event, Proof, Reason, Rules, State, Submitted};
use crate::sweep;

const NOW: Timestamp = Timestamp(1_795_318_200_000);
/// A note with letters that a terminal would obey, and marks that it would pile up.
const NOTE: &str = "桌 7 \u{202e}\u{1b}[2J a\u{301}\u{301}\u{301}";

type Alter = fn(&mut Value);

fn begin(attempt: i64) -> Entry {
    let order = Order {
        out_trade_no: OutTradeNo::try_from(format!("T01-{attempt:06}")).unwrap(),
        amount: Money::from_minor(1234),
        currency: Currency::CNY,
        merchant: Merchant {
            app_id: "wx8888888888888888".into(),
            mch_id: "1900000109".into(),
            sub_app_id: String::new(),
            sub_mch_id: String::new(),
        },
        body: "Corner Coffee T01".into(),
        device_info: "S001".into(),
        client_ip: "203.0.113.7".into(),
        mark: "0123456789abcdef".into(),
    };
    Entry {
        attempt,
        at: NOW,
        age: Millis(0),
        sent_at: Uptime(5_000),
        boot: 7,
        event: Event::Begun,
        by: None,
        state: State::begin(&Rules::default(), 0),
        wire: vec![("total_fee".into(), "1234".into())],
        begin: Some(Box::new(Begin {
            sale: SaleEntry {
                id: attempt,
                new: Some(NOTE.into()),
                due: order.amount,
                sold: std::sync::Arc::default(),
            },
            order,
            code_hash: Some([7; 16]),
            day: NOW.day(&TimeZone::UTC),
        })),
    }
}

fn answered(attempt: i64, answer: Submitted) -> Entry {
    let mut state = State::begin(&Rules::default(), 0);
    let event = Event::Answered(0, Answer::Submitted(answer));
    let _ = state.step(&event, Millis(200), &Rules::default());
    let at = Timestamp(NOW.0 + 200);
    let wire = vec![("result_code".into(), "SUCCESS".into())];
    Entry { at, age: Millis(200), event, state, wire, begin: None, ..begin(attempt) }
}

fn paid(attempt: i64) -> Entry {
    let transaction_id = "4200002026112200000000000001".to_owned();
    answered(attempt, Submitted::Paid(Proof { transaction_id, paid_at: NOW, coupon: Some(100) }))
}

/// Three orders, and the evidence of the second.
struct Made {
    _folder: TempDir,
    value: Value,
    seal: Seal,
}

fn made() -> Made {
    made_of(|journal| {
        let declined = answered(3, Submitted::Declined(Reason::gateway("NOTENOUGH", "余额不足")));
        journal.append_all(&[begin(1), begin(2), begin(3), paid(2), declined]).unwrap();
    })
}

/// The evidence of the second order of a journal.
fn made_of(fill: impl FnOnce(&mut Journal)) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.sqlite");
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    fill(&mut journal);
    drop(journal);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let row = reader.order("T01-000002").unwrap().unwrap();
    let proof = reader.proof(row.attempt).unwrap();
    let entries = entries_of(&proof.records);
    let value = document(
        json!({ "format": FORMAT, "made_at": NOW.to_rfc3339() }),
        &row,
        &entries.unwrap(),
        &proof,
        &reader.seal(),
    );
    Made { _folder: folder, value, seal: reader.seal() }
}

/// As somebody without the key would: all digests that can be made anew fit again.
fn forged(mut value: Value) -> Value {
    let parts = form::parts(&value).into_iter().map(|(part, digest)| (part, digest.into()));
    value[form::PARTS] = parts.collect::<serde_json::Map<_, Value>>().into();
    value = form::without(&value, &[form::DIGEST]);
    value[form::DIGEST] = form::digest(&form::written(&value)).into();
    value
}

fn changes(value: &Value, seal: Option<&Seal>) -> Vec<Change> {
    match check(form::written(value).as_bytes(), seal) {
        Err(Changes::Found(changes)) => changes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_was_not_changed_is_proved_by_the_key_and_consistent_without_it() {
    let Made { value, seal, .. } = made();
    let text = form::written(&value);
    let found = check(text.as_bytes(), Some(&seal)).unwrap();
    assert_eq!(found.standing, Standing::Proved);
    assert_eq!((found.order_no.as_str(), found.entries, found.last), ("T01-000002", 2, 5));
    assert_eq!((found.state.word(), found.amount.as_str()), ("paid", "CNY 12.34"));
    assert_eq!(value["chain"]["first"], 2);
    assert_eq!(value["chain"]["digests"].as_array().unwrap().len(), 4);
    assert_eq!(check(text.as_bytes(), None).unwrap().standing, Standing::NoKey);
    let other = made().seal;
    assert_eq!(check(text.as_bytes(), Some(&other)).unwrap().standing, Standing::AnotherKey);
}

#[test]
fn who_did_what_is_proved_with_the_rest() {
    let by = |name: &str| Some(By { operator: name.into(), consent: None });
    let Made { value, seal, .. } = made_of(|journal| {
        let second = [Entry { by: by("Anna"), ..begin(2) }, paid(2)];
        journal.append_all(&[begin(1)]).unwrap();
        journal.append_all(&second).unwrap();
        let number = OutTradeNo::try_from("T01-000002".to_owned()).unwrap();
        let later = Timestamp(NOW.0 + 900);
        journal.queue_copy(&number, later, by("Ben").as_ref()).unwrap().unwrap();
        journal.append(&begin(3)).unwrap();
    });
    let found = check(form::written(&value).as_bytes(), Some(&seal)).unwrap();
    assert_eq!((found.standing, found.entries, found.last), (Standing::Proved, 3, 5));
    assert_eq!(found.state.word(), "paid");
    assert_eq!(value["order"]["operator"], "Anna");
    let told: Vec<_> = value["events"].as_array().unwrap().iter().collect();
    assert_eq!((&told[0]["operator"], &told[1]["operator"]), (&"Anna".into(), &Value::Null));
    assert_eq!((&told[2]["operator"], &told[2]["state"]), (&"Ben".into(), &"paid".into()));
    assert_eq!(told[2]["event"], "reprinted as copy 1");
    let cases: [(Alter, &str); 3] = [
        (|value| value["order"]["operator"] = "Eve".into(), "order.operator"),
        (|value| value["events"][0]["operator"] = Value::Null, "events[0].operator"),
        (|value| value["events"][2]["operator"] = "Eve".into(), "events[2].operator"),
    ];
    for (alter, path) in cases {
        let mut changed = value.clone();
        alter(&mut changed);
        let expected = vec![Change::Contradiction(path.to_owned())];
        assert_eq!(changes(&forged(changed), None), expected);
    }
    let mut changed = value;
    let record = &mut changed["events"][2]["record"]["event"];
    *record = record.as_str().unwrap().replace("Ben", "Eve").into();
    changed["events"][2]["operator"] = "Eve".into();
    assert_eq!(changes(&forged(changed), Some(&seal)), [Change::Entry(4)]);
}

#[test]
fn nothing_in_it_commands_a_terminal_and_it_is_json_all_the_same() {
    let Made { value, .. } = made();
    let text = form::written(&value);
    assert!(text.contains("桌 7") && !text.contains(['\u{202e}', '\u{1b}', '\u{301}']));
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["note"], Value::Null);
    assert_eq!(read["order"]["note"], NOTE);
}

#[test]
fn a_file_with_any_byte_changed_is_refused_without_the_key_too() {
    let text = form::written(&made().value).into_bytes();
    let refused = |changed: &[u8], what: &str, at: usize| {
        assert!(check(changed, None).is_err(), "{what} byte {at}: {}", char::from(text[at]));
    };
    for at in sweep::share(0..text.len(), 4) {
        // Another digit, the other case, a blank, a line, a quotation mark, no text at all. Blanks
        // between the members are bytes of the form like all others.
        let byte = text[at];
        for other in [byte ^ 0x01, byte ^ 0x20, byte ^ 0x80, b' ', b'\n', b'"', b'0'] {
            if other != byte {
                let mut changed = text.clone();
                changed[at] = other;
                refused(&changed, "another", at);
            }
        }
        refused(&[&text[..at], &text[at + 1..]].concat(), "without", at);
        refused(&[&text[..at], b" ", &text[at..]].concat(), "a blank before", at);
        refused(&[&text[..=at], &text[at..]].concat(), "twice", at);
        if at + 1 < text.len() && text[at] != text[at + 1] {
            let mut changed = text.clone();
            changed.swap(at, at + 1);
            refused(&changed, "swapped", at);
        }
    }
    for end in (0..text.len()).step_by(97) {
        assert!(check(&text[..end], None).is_err(), "cut to {end}");
    }
    for longer in [[&text[..], b"\n"].concat(), [b" ", &text[..]].concat()] {
        assert!(check(&longer, None).is_err());
    }
}

#[test]
fn what_was_changed_is_named() {
    let Made { value, seal, .. } = made();
    let part = |part: &str| vec![Change::Part(part.to_owned())];
    let cases: [(Alter, Vec<Change>); 12] = [
        (|value| value["order"]["amount"] = 1.into(), part("order.amount")),
        (|value| value["order"]["state"] = "declined".into(), part("order.state")),
        (|value| value["events"][1]["at"] = "yesterday".into(), part("events[1].at")),
        (|value| value["events"][1]["wire"]["result_code"] = "F".into(), part("events[1].wire")),
        (|value| value["events"][0]["record"]["boot"] = 8.into(), part("events[0].record")),
        (|value| value["chain"]["digests"][3] = "0".into(), part("chain")),
        (|value| value["key"] = "0".into(), part("key")),
        (|value| value["seal"] = "0".into(), vec![Change::Digest]),
        (|value| value["digest"] = "0".into(), vec![Change::Digest]),
        (|value| value["order"]["tip"] = 1.into(), vec![Change::Added("order.tip".to_owned())]),
        (
            |value| drop(value["order"].as_object_mut().unwrap().shift_remove("note")),
            vec![Change::Missing("order.note".to_owned())],
        ),
        (|value| value["format"] = "paytill evidence 7".into(), part("format")),
    ];
    for (alter, expected) in cases {
        let mut changed = value.clone();
        alter(&mut changed);
        for seal in [None, Some(&seal)] {
            assert_eq!(changes(&changed, seal), expected);
        }
    }
    let text = form::written(&value);
    let respaced = text.replacen("  \"order\"", "   \"order\"", 1);
    let line = text.lines().position(|line| line.contains("\"order\"")).unwrap() + 1;
    let found = check(respaced.as_bytes(), None).unwrap_err();
    assert_eq!(found, Changes::Found(vec![Change::Line(line)]));
    let twice = text.replacen("\"order\": {", "\"order\": 1, \"order\": {", 1);
    assert!(check(twice.as_bytes(), None).is_err(), "a member that is there twice");
}

#[test]
fn a_forger_who_makes_the_digests_anew_is_refused_where_the_entries_say_otherwise() {
    let value = made().value;
    let cases: [(Alter, &str); 9] = [
        (|value| value["order"]["amount"] = 1.into(), "order.amount"),
        (|value| value["order"]["order_no"] = "T01-000009".into(), "order.order_no"),
        (|value| value["order"]["state"] = "declined".into(), "order.state"),
        (|value| value["order"]["transaction_id"] = "1".into(), "order.transaction_id"),
        (|value| value["order"]["note"] = "free".into(), "order.note"),
        (|value| value["events"][1]["state"] = "declined".into(), "events[1].state"),
        (|value| value["events"][0]["wire"]["total_fee"] = "1".into(), "events[0].wire"),
        (|value| value["events"][1]["digest"] = "0".into(), "chain.digests"),
        (|value| value["chain"]["last"] = 6.into(), "chain.last"),
    ];
    for (alter, path) in cases {
        let mut changed = value.clone();
        alter(&mut changed);
        let named = changes(&forged(changed), None);
        assert!(named.contains(&Change::Contradiction(path.to_owned())), "{path}: {named:?}");
    }
}

#[test]
fn a_forger_of_a_whole_story_is_refused_by_the_key_alone_which_names_the_entry() {
    let Made { value, seal, .. } = made();
    // Cheaper, everywhere at once.
    let text = form::written(&value).replace("1234", "1200").replace("12.34", "12.00");
    let cheaper = forged(serde_json::from_str(&text).unwrap());
    let text = form::written(&cheaper);
    assert_eq!(check(text.as_bytes(), None).unwrap().standing, Standing::NoKey);
    assert_eq!(changes(&cheaper, Some(&seal)), [Change::Entry(2)]);
    // What no entry has in it: the seal is on the whole.
    let mut later = value.clone();
    later["made_at"] = "2030-01-01T00:00:00.000+00:00".into();
    assert_eq!(changes(&forged(later), Some(&seal)), [Change::Seal]);
    // Another order's entry, which is there as a digest alone.
    let mut other = value.clone();
    other["chain"]["digests"][3] = "00".repeat(16).into();
    assert_eq!(changes(&forged(other), Some(&seal)), [Change::Seal]);
    // The end of the story left out.
    let mut shorter = value;
    shorter["events"].as_array_mut().unwrap().pop();
    for (name, of_entry) in [("state", "state"), ("at", "at"), ("updated_at", "at")] {
        shorter["order"][name] = shorter["events"][0][of_entry].clone();
    }
    shorter["order"]["open"] = true.into();
    for name in ["transaction_id", "paid_at", "coupon"] {
        shorter["order"][name] = Value::Null;
    }
    let shorter = forged(shorter);
    assert_eq!(
        check(form::written(&shorter).as_bytes(), None).map(|_| ()),
        Ok(()),
        "nobody can tell"
    );
    assert_eq!(changes(&shorter, Some(&seal)), [Change::Seal]);
}

#[test]
fn what_is_no_evidence_is_called_that_and_a_newer_file_is_not_called_changed() {
    for foreign in
        ["", "x", "{}", "[1]", "\u{0}\u{1}", "{\"order_no\": \"T01\", \"state\": \"paid\"}"]
    {
        assert_eq!(check(foreign.as_bytes(), None), Err(Changes::Foreign), "{foreign}");
    }
    assert_eq!(check(&[0xff, 0xfe], None), Err(Changes::Foreign));
    let mut newer = made().value;
    newer["format"] = "paytill evidence 2".into();
    let newer = forged(newer);
    let found = check(form::written(&newer).as_bytes(), None);
    assert_eq!(found, Err(Changes::Newer("paytill evidence 2".to_owned())));
}

/// An order with a refund of 2.00 that was accepted.
fn refunded() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.sqlite");
    let (mut journal, _) = Journal::open(&path, None).unwrap();
    journal.append_all(&[begin(1), begin(2), paid(2)]).unwrap();
    let order = begin(2).begin.unwrap().order;
    let amount = Money::from_minor(200);
    let plan = RefundPlan { amount, paid: order.amount, earlier: Vec::new() };
    let mut state = RefundState::begin(plan, 0);
    let number = OutRefundNo::new(&order.out_trade_no, 1, 7);
    let refund = Refund {
        out_refund_no: number,
        order,
        amount,
        reason: "cold".into(),
        approved_by: String::new(),
    };
    let mut entry = RefundEntry {
        refund: 1,
        attempt: 2,
        at: NOW,
        age: Millis(0),
        begun_at: Uptime(5_000),
        boot: 7,
        event: RefundEvent::Begun,
        by: Some(By { operator: "Anna".into(), consent: Some("Ben".into()) }),
        state: state.clone(),
        wire: Vec::new(),
        begin: Some(Box::new(RefundBegin { refund, day: NOW.day(&TimeZone::UTC) })),
    };
    journal.append_refund(&entry).unwrap();
    let nothing = RefundAnswer::Looked(Looked::Page(RefundPage::default()));
    for answer in [nothing, RefundAnswer::Said(RefundSaid::Accepted)] {
        entry.event = RefundEvent::Answered(state.awaited().unwrap().number, answer);
        let _ = state.step(&entry.event, Millis(1), &Rules::default());
        (entry.state, entry.begin, entry.by) = (state.clone(), None, None);
        journal.append_refund(&entry).unwrap();
    }
    drop(journal);
    let reader = JournalReader::open(&path, None).unwrap().unwrap();
    let row = reader.order("T01-000002").unwrap().unwrap();
    let proof = reader.proof(row.attempt).unwrap();
    let entries = entries_of(&proof.records).unwrap();
    let about = json!({ "format": FORMAT, "made_at": NOW.to_rfc3339() });
    let value = document(about, &row, &entries, &proof, &reader.seal());
    Made { _folder: folder, value, seal: reader.seal() }
}

#[test]
fn a_refund_is_proved_by_its_entries_as_the_order_is() {
    let Made { value, seal, .. } = refunded();
    let found = check(form::written(&value).as_bytes(), Some(&seal)).unwrap();
    assert_eq!((found.standing, found.entries), (Standing::Proved, 5));
    let [(number, status, amount)] = &found.refunds[..] else { panic!("{:?}", found.refunds) };
    assert_eq!((number.as_str(), status.word()), ("T01-000002R010007", "accepted"));
    assert_eq!(amount, "CNY 2.00");
    assert_eq!(value["order"]["refunded"], 200);
    assert_eq!(
        (&value["events"][2]["operator"], &value["events"][2]["consent"]),
        (&"Anna".into(), &"Ben".into())
    );
    let all: [fn(&mut Value); 8] = [
        |value| value["refunds"][0]["state"] = "done".into(),
        |value| value["refunds"][0]["amount"] = 100.into(),
        |value| value["refunds"][0]["refund_no"] = "T01-000002R010008".into(),
        |value| value["refunds"] = json!([]),
        |value| value["refunds"] = 5.into(),
        |value| value["events"][3]["refund"]["state"] = "done".into(),
        |value| value["order"]["refunded"] = 0.into(),
        |value| {
            let events = value["events"].as_array_mut().unwrap();
            events.swap(2, 3);
        },
    ];
    for change in all {
        let mut changed = value.clone();
        change(&mut changed);
        assert!(check(form::written(&changed).as_bytes(), None).is_err(), "with its digests");
        // With all digests made anew that need no key, it is the entries that contradict it, or the
        // seal.
        assert!(check(form::written(&forged(changed.clone())).as_bytes(), Some(&seal)).is_err());
    }
    // A file from before there were refunds.
    let made = made();
    assert!(made.value.get("refunds").is_none());
}
