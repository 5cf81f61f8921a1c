//! A till and a backend that is only its signatures: how they come to know each other, and what is
//! believed afterwards.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use paytill::clock::{Millis, Timestamp, Uptime};
use paytill::gateway::Outgoing;
use paytill::gateway::backend::bills::{BillPage, BillRow};
use paytill::gateway::backend::enrolment::{Code, comparison};
use paytill::gateway::backend::message::{
    Channel, Enrolment, EnrolmentRequest, Hello, Payment, PaymentRequest, Refund, RefundList,
    RefundRequest, Refusal, Refused, Rights, Rules,
};
use paytill::gateway::backend::signed::{Credentials, PublicKey, SigningKey};
use paytill::payment::TillCause;
use paytill::simulator::Identity;
use paytill_host::clock::Clock;
use paytill_host::transport::{Route, Transport};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::fixture::PAYTILL;
use crate::server::{Act, Request, Wire};

const CODE: &str = "1234-5678-9012-3456-7890-1234-5678-9012";
const OTHER_CODE: &str = "1234-5678-9012-3456-7890-1234-5678-9013";
const AUTH_CODE: &str = "130000000000000000";
const OTHER_AUTH_CODE: &str = "130000000000000001";
const TRANSACTION: &str = "4200001234202611220123456789";

/// What it knows of its tills.
#[derive(Default)]
struct Office {
    till: Option<PublicKey>,
    revoked: bool,
    paid: Vec<(String, PaymentRequest)>,
    refunds: Vec<Refund>,
    /// Targets of what was asked.
    asked: Vec<String>,
}

/// A backend that takes every payment for paid at once.
struct FakeBackend {
    key: SigningKey,
    authority_pem: String,
    office: Arc<Mutex<Office>>,
}

impl FakeBackend {
    fn start() -> (Wire, Arc<Mutex<Office>>) {
        let keys = Identity::generate().unwrap();
        let office = Arc::new(Mutex::new(Office::default()));
        let backend = Self {
            key: SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap(),
            authority_pem: keys.authority_pem().to_owned(),
            office: Arc::clone(&office),
        };
        (Wire::start(&keys, move |request| Act::Answer(backend.answer(request))), office)
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        // The server asks what to do before it has read the next request.
        if request.head.is_empty() {
            return Vec::new();
        }
        let mut lines = request.head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let body = request.body.as_bytes();
        match (method, target) {
            ("POST", "/v1/enrolment") => self.enrol(body),
            (_, target) if !target.starts_with("/v1/") => plain(StatusCode::NOT_FOUND, b"{}", None),
            _ => self.signed((method, target, body), &headers),
        }
    }

    fn enrol(&self, body: &[u8]) -> Vec<u8> {
        let request: EnrolmentRequest = serde_json::from_slice(body).unwrap();
        let kept = Code::read(CODE).unwrap().kept();
        if !request.is_proved(&kept) {
            let refusal = Refusal { code: "unauthorized".to_owned(), text: "no".to_owned() };
            let body = serde_json::to_vec(&refusal).unwrap();
            return plain(StatusCode::UNAUTHORIZED, &body, None);
        }
        self.office.lock().unwrap().till = PublicKey::from_base64(&request.public_key);
        let mut answer = Enrolment {
            merchant: "corner".to_owned(),
            store: "S001".to_owned(),
            till: "T07".to_owned(),
            currency: "CNY".to_owned(),
            public_key: self.key.public().to_base64(),
            ca_pem: Some(self.authority_pem.clone()),
            proof: String::new(),
        };
        answer.prove(&kept, &request);
        plain(StatusCode::OK, &serde_json::to_vec(&answer).unwrap(), None)
    }

    fn signed(&self, request: (&str, &str, &[u8]), headers: &HeaderMap) -> Vec<u8> {
        let mut office = self.office.lock().unwrap();
        let credentials = Credentials::read(headers).unwrap();
        assert!(credentials.are_of(&office.till.unwrap(), request), "{request:?}");
        let now = Clock::start().wall();
        assert!(credentials.are_of_now(now));
        office.asked.push(request.1.to_owned());
        let (status, body) = match request {
            (method, target, body) if target.contains("/refunds") => {
                (StatusCode::OK, office.refund(method, target, body, now))
            }
            _ if office.revoked => refused(Refused::Revoked),
            (_, target, _) if target.starts_with("/v1/bills/") => {
                (StatusCode::OK, json(&bill(target)))
            }
            (_, "/v1/hello", _) => (StatusCode::OK, json(&hello(now))),
            ("PUT", target, body) => {
                let number = number_of(target);
                let request: PaymentRequest = serde_json::from_slice(body).unwrap();
                let told = match request.channel {
                    Channel::Micropay => paid(&number, &request, now),
                    Channel::Native => shown(&number, &request, now),
                };
                office.paid.push((number, request));
                (StatusCode::OK, json(&told))
            }
            (_, target, _) => {
                let number = number_of(target);
                match office.paid.iter().find(|(known, _)| *known == number) {
                    Some((_, request)) => (StatusCode::OK, json(&paid(&number, request, now))),
                    None => refused(Refused::NotFound),
                }
            }
        };
        let mut headers = HeaderMap::new();
        self.key.vouch((status, &body), &credentials.nonce, now, &mut headers);
        plain(status, &body, Some(headers))
    }
}

impl Office {
    /// Every refund is done at once.
    fn refund(&mut self, method: &str, target: &str, body: &[u8], now: Timestamp) -> Vec<u8> {
        let path = target.strip_prefix("/v1/payments/").unwrap();
        let (number, refund) = path.split_once("/refunds").unwrap();
        let Some(refund) = refund.strip_prefix('/') else {
            return json(&RefundList { refunds: self.refunds.clone() });
        };
        if method == "PUT" {
            let request: RefundRequest = serde_json::from_slice(body).unwrap();
            let total = self.paid.iter().find(|(known, _)| known == number).unwrap().1.amount;
            self.refunds.push(Refund {
                out_trade_no: number.to_owned(),
                out_refund_no: refund.to_owned(),
                version: 1,
                state: "done".to_owned(),
                counts: true,
                amount: request.amount,
                total,
                currency: "CNY".to_owned(),
                refund_id: Some("50000707812018082106030155182".to_owned()),
                done_at: Some(now.0),
                reason: None,
                now: now.0,
            });
        }
        json(self.refunds.iter().find(|known| known.out_refund_no == refund).unwrap())
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

fn refused(refused: Refused) -> (StatusCode, Vec<u8>) {
    let refusal = Refusal { code: refused.word().to_owned(), text: String::new() };
    (refused.status(), json(&refusal))
}

fn hello(now: Timestamp) -> Hello {
    Hello {
        now: now.0,
        version: "1.2.3".to_owned(),
        merchant: "corner".to_owned(),
        store: "S001".to_owned(),
        till: "T07".to_owned(),
        currency: "CNY".to_owned(),
        rules: Rules::from(&paytill::payment::Rules::default()),
        rights: Rights { charge: true, qr: true, refund_up_to: 10_000, refund_per_day: 100_000 },
    }
}

/// `/v1/payments/NUMBER?...`
fn number_of(target: &str) -> String {
    let path = target.split('?').next().unwrap();
    let number = path.strip_prefix("/v1/payments/").unwrap();
    number.split('/').next().unwrap().to_owned()
}

/// A bill of two pages, with a payment each that the till knows nothing of.
fn bill(target: &str) -> BillPage {
    let asked = target.strip_prefix("/v1/bills/").unwrap();
    let after = asked.split_once('?').map(|(_, after)| after);
    let date = asked.split('?').next().unwrap().to_owned();
    let noon = Timestamp::from_beijing(&format!("{}120000", date.replace('-', ""))).unwrap();
    let row = BillRow {
        kind: "paid".to_owned(),
        at: noon.0,
        out_trade_no: format!("T07{:018}", after.map_or(1, |_| 2)),
        transaction_id: TRANSACTION.to_owned(),
        currency: "CNY".to_owned(),
        amount: 1234,
        ..BillRow::default()
    };
    BillPage {
        date,
        state: "ready".to_owned(),
        rows: vec![row],
        total: 2,
        next: after.is_none().then(|| "1".to_owned()),
        ..BillPage::default()
    }
}

fn paid(number: &str, request: &PaymentRequest, now: Timestamp) -> Payment {
    Payment {
        out_trade_no: number.to_owned(),
        version: 2,
        state: "paid".to_owned(),
        closed: true,
        amount: request.amount,
        currency: request.currency.clone(),
        mark: request.mark.clone(),
        transaction_id: Some(TRANSACTION.to_owned()),
        paid_at: Some(now.0),
        coupon: None,
        money_held: false,
        money_returned: false,
        reason: None,
        code_url: None,
        expires_at: None,
        as_of: Some(now.0),
        now: now.0,
    }
}

/// A code that nobody has scanned yet.
fn shown(number: &str, request: &PaymentRequest, now: Timestamp) -> Payment {
    Payment {
        state: "waiting".to_owned(),
        closed: false,
        transaction_id: None,
        paid_at: None,
        code_url: Some("weixin://wxpay/bizpayurl?pr=1".to_owned()),
        ..paid(number, request, now)
    }
}

fn plain(status: StatusCode, body: &[u8], headers: Option<HeaderMap>) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers.unwrap_or_default() {
        let name = name.unwrap();
        write!(answer, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    answer.push_str("\r\n");
    [answer.as_bytes(), body].concat()
}

/// A till in a folder of its own.
struct Till {
    folder: TempDir,
}

impl Till {
    fn new() -> Self {
        let till = Self { folder: tempfile::tempdir().unwrap() };
        till.configure("");
        till
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "[till]\nid = \"T07\"\nlanguage = \"en\"\n[journal]\npath = \"journal.sqlite\"\n\
             [log]\nlevel = \"trace\"\n{more}"
        );
        std::fs::write(self.path().join("paytill.toml"), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PAYTILL);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .current_dir(self.path())
            .stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// The last line, as JSON, and the exit code.
    async fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(arguments).await;
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        let line = text.lines().last().unwrap_or_else(|| panic!("{output:?}"));
        (serde_json::from_str(line).unwrap(), output.status.code().unwrap())
    }

    async fn findings(&self) -> Vec<(String, String, String)> {
        let output = self.run(&["doctor", "--json"]).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .map(|line: Value| (word(&line, "check"), word(&line, "result"), word(&line, "text")))
            .collect()
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn a_till_registers_itself_and_is_paid_through_its_backend() {
    let (wire, office) = FakeBackend::start();
    let till = Till::new();
    let url = wire.url();

    // Whoever does not know the code learns nothing, and leaves nothing behind.
    let refused = till.run(&["enroll", &url, OTHER_CODE]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(errors(&refused).contains("the till was not registered"), "{refused:?}");
    assert!(!till.path().join("secrets").exists());
    assert_eq!(till.run(&["enroll", &url, "1234"]).await.status.code(), Some(2));
    assert_eq!(till.run(&["enroll", "http://x", CODE]).await.status.code(), Some(2));

    let (enrolled, exit) = till.json(&["enroll", &url, CODE, "--json"]).await;
    assert_eq!(exit, 0, "{enrolled}");
    assert_eq!(
        (enrolled["till"].as_str(), enrolled["merchant"].as_str()),
        (Some("T07"), Some("corner"))
    );
    let known = std::fs::read_to_string(till.path().join("secrets/backend.pub")).unwrap();
    let theirs = PublicKey::from_base64(known.split(' ').nth(1).unwrap()).unwrap();
    let ours = office.lock().unwrap().till.unwrap();
    assert_eq!(enrolled["comparison"], comparison(&ours, &theirs));
    assert!(till.path().join("secrets/backend-ca.pem").exists());

    // A living key is never replaced, and the backend is not even asked.
    let requests = wire.heads().len();
    let again = till.run(&["enroll", &url, CODE]).await;
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(wire.heads().len(), requests);

    till.configure(&format!(
        "[gateway]\nkind = \"backend\"\n[gateway.backend]\nurl = \"{url}\"\n\
         ca_file = \"secrets/backend-ca.pem\"\n"
    ));
    let found = till.findings().await;
    let of = |check: &str| found.iter().filter(|(of, ..)| of == check).collect::<Vec<_>>();
    for check in ["secrets", "gateway", "account", "clock"] {
        assert!(!of(check).is_empty(), "{check}");
        assert!(of(check).iter().all(|(_, result, _)| result == "ok"), "{:?}", of(check));
    }
    assert!(of("account")[0].2.contains("T07 of store S001, merchant corner"), "{found:?}");

    let (paid, exit) = till.json(&["pay", "12.34", "--code", AUTH_CODE, "--json"]).await;
    assert_eq!((paid["state"].as_str(), exit), (Some("paid"), 0), "{paid}");
    assert_eq!(paid["transaction_id"], TRANSACTION);
    let number = paid["order_no"].as_str().unwrap();
    {
        let office = office.lock().unwrap();
        let [(known, request)] = office.paid.as_slice() else { panic!("one payment") };
        assert_eq!((known.as_str(), request.amount), (number, 1234));
        // It has that on record, and says so before it ends.
        assert!(request.acknowledges);
        assert!(
            office.asked.contains(&format!("/v1/payments/{number}/seen")),
            "{:?}",
            office.asked
        );
    }
    let (asked, _) = till.json(&["find", number, "--ask", "--json"]).await;
    assert_eq!(asked["verdict"], "paid", "{asked}");
    let (shown, _) = till.json(&["show", number, "--json"]).await;
    assert!(!shown.to_string().contains(AUTH_CODE), "{shown}");

    let (bill, exit) = till.json(&["reconcile", "yesterday", "--json"]).await;
    assert_eq!(exit, 13, "{bill}");
    assert_eq!((&bill["bill_rows"], &bill["differ"]), (&2.into(), &2.into()), "{bill}");

    office.lock().unwrap().revoked = true;
    let found = till.findings().await;
    let locked = |(_, result, text): &(String, String, String)| {
        result == "fault" && text.contains("locked at the office")
    };
    assert!(found.iter().any(locked), "{found:?}");
    let (refused, exit) = till.json(&["pay", "1.00", "--code", OTHER_AUTH_CODE, "--json"]).await;
    assert_eq!((refused["state"].as_str(), exit), (Some("declined"), 10), "{refused}");
    assert_eq!(refused["reason"]["code"], "revoked");

    // Nothing secret is in any file but the till's own key.
    let key = std::fs::read_to_string(till.path().join("secrets/till.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for entry in std::fs::read_dir(till.path()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        for word in [AUTH_CODE, OTHER_AUTH_CODE, secret, "9012-3456"] {
            assert!(!text.contains(word), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn codes_of_ours_and_refunds_go_through_the_backend_as_well() {
    let (wire, office) = FakeBackend::start();
    let till = Till::new();
    let (enrolled, _) = till.json(&["enroll", &wire.url(), CODE, "--json"]).await;
    till.configure(&format!(
        "[gateway]\nkind = \"backend\"\n[gateway.backend]\nurl = \"{}\"\nca_file = {}\n\
         [payment]\nquery_interval_ms = 500\nqr_lasts_ms = 60000\n",
        wire.url(),
        enrolled["ca_file"]
    ));
    let (paid, exit) = till.json(&["qr", "5.00", "--json"]).await;
    assert_eq!((paid["state"].as_str(), exit), (Some("paid"), 0), "{paid}");
    let number = paid["order_no"].as_str().unwrap();
    {
        let office = office.lock().unwrap();
        let [(_, request)] = office.paid.as_slice() else { panic!("one payment") };
        assert_eq!((request.channel, request.lasts_ms), (Channel::Native, Some(60_000)));
        assert!(request.auth_code.is_none());
        let held = |target: &String| target.ends_with("?wait_ms=500");
        assert!(office.asked.iter().any(held), "{:?}", office.asked);
    }
    let back = ["refund", number, "2.00", "--reason", "cold", "--json"];
    let (refund, exit) = till.json(&back).await;
    assert_eq!((refund["state"].as_str(), exit), (Some("accepted"), 0), "{refund}");
    assert_eq!(refund["refunded"], 200, "{refund}");
    let office = office.lock().unwrap();
    assert_eq!(office.refunds.len(), 1);
    assert_eq!(office.refunds[0].amount, 200);
}

#[tokio::test]
async fn only_the_one_call_for_it_goes_to_anybody() {
    let (wire, _) = FakeBackend::start();
    let hello = || Outgoing {
        request: http::Request::get("/").body(Zeroizing::default()).unwrap(),
        certificate: false,
    };
    let anybody = Transport::to_anybody(&wire.url(), Millis(3_000)).unwrap();
    let reply = anybody.carry(&hello(), Uptime(1), || {}).await.unwrap();
    assert_eq!(reply.status(), StatusCode::NOT_FOUND);
    let stranger = Identity::generate().unwrap();
    let route = Route {
        hosts: vec![wire.url()],
        identity_pem: Zeroizing::default(),
        ca_pem: Some(stranger.authority_pem().as_bytes().to_vec()),
        proxy: None,
        proxy_login: None,
        connect_timeout: Millis(3_000),
        request_timeout: Millis(3_000),
    };
    let failure = Transport::new(&route).unwrap().carry(&hello(), Uptime(1), || {}).await;
    assert!(failure.unwrap_err().reason().is(TillCause::UnknownRoot));
}
