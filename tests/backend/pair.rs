//! Two instances that share a database, and a till that asks whichever answers.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cutter::Cutter;
use crate::database::Schema;
use crate::gateway::Gateway;
use crate::program::{Answer, Place, Served};
use crate::till::Till;

/// How long a till waits for the answer of an instance that may be stopped.
const PATIENCE: Duration = Duration::from_secs(3);
/// When a payment is given up, at the gateway's pace.
pub(crate) const SOON: u64 = 1_500;
/// The same where whoever is stopped with a submission must not be overtaken before it is too late for
/// that one.
pub(crate) const LATE: u64 = 10_100;

/// Two instances that share a database, a gateway and a till.
pub(crate) struct Pair {
    pub(crate) schema: Schema,
    pub(crate) cutter: Cutter,
    pub(crate) first: Place,
    pub(crate) second: Place,
}

impl Pair {
    pub(crate) fn open(base: &str, gateway: &Gateway, give_up_ms: u64) -> Self {
        let schema = Schema::new(base);
        let cutter = Cutter::to(&schema.url);
        let place = |url: &str| {
            let database = format!("[database]\nurl = \"{url}\"\nconnections = 4\n");
            Place::listening(
                "tls = \"proxy\"\n",
                &format!("{database}{}", gateway.settings(give_up_ms)),
            )
        };
        let pair = Self { first: place(cutter.url()), second: place(&schema.url), schema, cutter };
        assert_eq!(pair.first.run(&["migrate"]).status.code(), Some(0));
        pair
    }

    /// Both serve.
    pub(crate) fn serve(&self) -> (Served<'_>, Served<'_>) {
        let first = self.first.serve();
        self.second.share_key_of(&self.first);
        (first, self.second.serve())
    }
}

pub(crate) fn serial() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn code(customer: &str, serial: u32) -> String {
    format!("130000{serial:08}{customer}")
}

pub(crate) fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or(Value::Null)
}

/// A till that asks the first instance and, where nothing comes of that, the second: until what it asks
/// for has ended.
pub(crate) struct Asking<'a> {
    till: &'a Till,
    first: &'a Served<'a>,
    second: &'a Served<'a>,
    is_given_up: AtomicBool,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(till: &'a Till, first: &'a Served<'a>, second: &'a Served<'a>) -> Self {
        Self { till, first, second, is_given_up: AtomicBool::new(false) }
    }

    pub(crate) fn ask(&self, request: (&str, &str, &str)) -> Answer {
        let (method, target, body) = request;
        let bytes = || self.till.request(method, target, body);
        let answer = self.first(&bytes());
        if answer.status == 0 { self.second.exchange(&bytes()) } else { answer }
    }

    /// Asks the first one, as long as it answers.
    pub(crate) fn first(&self, request: &[u8]) -> Answer {
        if self.is_given_up.load(Ordering::Relaxed) {
            return Answer::none();
        }
        let answer = self.first.try_exchange(request, PATIENCE);
        self.is_given_up.store(answer.status == 0, Ordering::Relaxed);
        answer
    }

    /// A payment is asked for once, by one instance; all else by whoever answers.
    pub(crate) fn pay(&self, number: &str, body: &str) -> Value {
        let target = format!("/v1/payments/{number}");
        let _ = self.first(&self.till.request("PUT", &target, body));
        self.end(number)
    }

    /// What became of it.
    pub(crate) fn end(&self, number: &str) -> Value {
        let target = format!("/v1/payments/{number}");
        let mut known = 0;
        loop {
            let target = format!("{target}?known={known}&wait_ms=2000");
            let answer = self.ask(("GET", &target, ""));
            if answer.status == 404 {
                self.ask(("POST", &format!("/v1/payments/{number}/reversal"), ""));
                continue;
            }
            let told = read(&answer);
            if told["closed"] == true {
                return told;
            }
            known = told["version"].as_i64().unwrap_or(known);
        }
    }

    pub(crate) fn refund(&self, number: &str, refund: &str) -> Value {
        let target = format!("/v1/payments/{number}/refunds/{refund}");
        let body = json!({ "amount": 500, "reason": "cold", "approved_by": "LI" }).to_string();
        let mut answer = self.first(&self.till.request("PUT", &target, &body));
        loop {
            let told = read(&answer);
            if ["done", "refused", "attention"].iter().any(|state| told["state"] == *state) {
                return told;
            }
            let is_there = !matches!(answer.status, 0 | 404);
            let request = if is_there { ("GET", &*target, "") } else { ("PUT", &*target, &*body) };
            answer = self.ask(request);
        }
    }
}
