//! Two instances on one PostgreSQL, and what may befall one of them in the middle of a payment.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::database::postgres;
use crate::gateway::Gateway;
use crate::pair::{Asking, LATE, Pair, SOON, code, serial};
use crate::sweep;
use crate::till::{Till, charge, number};

/// How many pairs of instances run at once: they mostly wait for a lease to end.
const LANES: usize = 6;
/// A share of the boundaries each day.
const ONE_IN: usize = 16;
/// The lease of a call, as these instances have it: its time-out and 5 s.
const LEASE: i64 = 6_000;

/// What a till asks for.
#[derive(Clone, Copy, Debug)]
enum Case {
    Paid,
    Password,
    Reversed,
    Refund,
}

impl Case {
    const ALL: [Self; 4] = [Self::Paid, Self::Password, Self::Reversed, Self::Refund];

    /// What the customer does, by the end of their code.
    const fn customer(self) -> &'static str {
        match self {
            Self::Paid | Self::Refund => "0000",
            Self::Password => "0110",
            Self::Reversed => "0200",
        }
    }
}

/// What came of a payment of whose instance one was killed, or none.
struct Told {
    passed: usize,
    /// The boundary behind the first COMMIT.
    written: usize,
    /// It came so far.
    is_hit: bool,
    /// How long nothing happened to it, in milliseconds.
    silence: Option<i64>,
}

fn once(base: &str, gateway: &Gateway, case: Case, at: Option<(Signal, usize)>) -> Told {
    let is_stopped = at.is_some_and(|(signal, _)| signal == Signal::STOP);
    let pair = Pair::open(base, gateway, if is_stopped { LATE } else { SOON });
    let (first, second) = pair.serve();
    let till = Till::enrol(&pair.first, &first);
    let serial = serial();
    let number = number(serial);
    let body = charge(&code(case.customer(), serial));
    let refund = format!("{number}R010001");
    let victim = first.id();
    let asking = Asking::new(&till, &first, &second);
    let told = if matches!(case, Case::Refund) {
        assert_eq!(asking.pay(&number, &body)["state"], "paid");
        // That its till was told is written down, too.
        while pair.schema.number("SELECT seen_version FROM payment") == Some(0) {}
        pair.cutter.aim(victim, at);
        asking.refund(&number, &refund)
    } else {
        pair.cutter.aim(victim, at);
        asking.pay(&number, &body)
    };
    let (passed, written) = pair.cutter.disarmed();
    let is_hit = at.is_some_and(|(_, at)| passed >= at);
    // Whoever was stopped goes on, and does what it still has to do.
    if at.is_none() || is_stopped {
        first.signal(Signal::CONT);
        first.terminate();
        assert_eq!(first.ended(), Some(0));
    }
    let place = &pair.second;
    let shown = place.run(&["show", &number, "--json"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let entry = gateway.entry(&number);
    let story = || {
        let log = place.log();
        format!("{case:?} at {at:?} of {passed}: {told}\n{shown}\n{entry:#?}\n{log}")
    };
    // The till's view, the backend's books and the gateway's ledger.
    let books: Value = serde_json::from_str(&shown).unwrap();
    let state = told["state"].as_str().unwrap();
    let of_books = if matches!(case, Case::Refund) {
        assert_eq!(books["refunds"].as_array().unwrap().len(), 1, "{}", story());
        &books["refunds"][0]
    } else {
        &books
    };
    assert_eq!(
        (&of_books["state"], &of_books["open"]),
        (&told["state"], &json!(false)),
        "{}",
        story()
    );
    let net = entry.as_ref().map_or(0, |entry| entry.net().minor());
    let due = match (case, state) {
        (Case::Refund, "done") => 1234 - 500,
        // Nothing had left: it may be asked for once more.
        (Case::Refund, "refused") => 1234,
        (_, "paid") => 1234,
        (_, "declined" | "reversed" | "closed") => 0,
        _ => panic!("no end: {}", story()),
    };
    assert_eq!(net, due, "{}", story());
    if let Some(entry) = &entry {
        assert!(entry.submissions() <= 1 && entry.refunds.len() <= 1, "{}", story());
    }
    if !is_hit {
        let expected = match case {
            Case::Paid | Case::Password => "paid",
            Case::Reversed => "reversed",
            Case::Refund => "done",
        };
        assert_eq!(state, expected, "{}", story());
    }
    // One message for each thing that has ended.
    let outbox = pair.schema.ask(
        "SELECT kind, subject FROM outbox WHERE kind <> 'refund.accepted' ORDER BY kind, subject",
    );
    // Of a number that was given up before it came there is nothing to tell.
    let has_come = books["amount"] == 1234;
    let expected = match case {
        Case::Refund => {
            vec![vec!["payment.paid".to_owned(), number], vec![format!("refund.{state}"), refund]]
        }
        _ if has_come => vec![vec![format!("payment.{state}"), number]],
        _ => Vec::new(),
    };
    assert_eq!(outbox, expected, "{}", story());
    let table = if matches!(case, Case::Refund) { "refund_event" } else { "payment_event" };
    if std::env::var_os("STORY").is_some() {
        eprintln!("{}", story());
    }
    let silence = pair.schema.number(&format!(
        "SELECT MAX(after.at - before.at) FROM {table} after JOIN {table} before \
         ON before.version = after.version - 1 AND before.status NOT IN ('paid', 'reversed')"
    ));
    assert!(silence.is_none_or(|ms| ms < LEASE + 20_000), "{silence:?} {}", story());
    Told { passed, written, is_hit, silence }
}

/// All boundaries of all cases, as far as they come where nothing befalls anybody.
fn boundaries(base: &str, gateway: &Gateway) -> Vec<(Case, usize)> {
    let passed = |case| {
        let whole = once(base, gateway, case, None).passed;
        assert!(whole > 8, "{case:?}: {whole}");
        (1..=whole).map(move |at| (case, at))
    };
    Case::ALL.into_iter().flat_map(passed).collect()
}

/// Sends the first instance this at each of them.
fn befall(signal: Signal, base: &str, gateway: &Gateway, points: &[(Case, usize)]) {
    let next = AtomicUsize::new(0);
    let (hit, silences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some((case, at)) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = once(base, gateway, *case, Some((signal, *at)));
                    hit.fetch_add(usize::from(told.is_hit), Ordering::Relaxed);
                    silences.lock().unwrap().extend(told.silence);
                }
            });
        }
    });
    let (hit, silences) = (hit.into_inner(), silences.into_inner().unwrap());
    let (tried, silence) = (points.len(), silences.iter().max());
    println!(
        "{signal:?} at {hit} of {tried} boundaries; nothing happened for {silence:?} ms at most, \
         of which the lease is {LEASE}"
    );
    // How often a payment is looked at is for time to say, and its till may know the end before all of
    // it is written: the last boundaries may not come.
    assert!(hit * 2 >= points.len(), "{hit} of {}", points.len());
}

#[test]
fn an_instance_that_is_killed_at_any_statement_loses_and_doubles_nothing() {
    let Some(base) = postgres() else { return };
    let gateway = Gateway::open();
    let points = sweep::share(boundaries(&base, &gateway), ONE_IN);
    befall(Signal::KILL, &base, &gateway, &points);
}

#[test]
fn an_instance_that_is_stopped_until_its_lease_is_over_doubles_nothing() {
    let Some(base) = postgres() else { return };
    let gateway = Gateway::open();
    // When it is written down and nothing has been sent yet: another one has taken over when this one
    // goes on.
    let points = if sweep::is_complete() {
        boundaries(&base, &gateway)
    } else {
        let written = |case| (case, once(&base, &gateway, case, None).written);
        [Case::Paid, Case::Refund].map(written).to_vec()
    };
    befall(Signal::STOP, &base, &gateway, &points);
}
