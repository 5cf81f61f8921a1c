//! The owner's page as a browser meets it, without a socket.

mod browser;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use paytill_core::clock::{Millis, TimeZone, Timestamp};
use paytill_core::gateway::Ask;
use paytill_core::money::Money;
use paytill_core::order::OutTradeNo;
use tower::ServiceExt as _;

use super::{Office, RIGHTS, by, code};
use crate::pages::password::Cost;
use crate::pages::{self, Pages, PagesParts};
use crate::store::{
    AdminRow, BillDifference, BillRow, BillSide, Change, Judged, NoticeRow, PaymentKey, PaymentRow,
    RefundBooks, Verdict, Write,
};

const LIGHT: Cost = Cost { memory: 8, passes: 1 };
const PASSWORD: &str = "correct horse";

/// An owner's browser: it keeps cookies and follows nothing.
struct Owner {
    router: Router,
    cookies: Vec<(String, String)>,
    language: &'static str,
}

/// What came back.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Page {
    /// What the forms of the page carry.
    fn csrf(&self) -> String {
        let (_, rest) = self.text.split_once(r#"name="csrf" value=""#).expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }

    fn goes_to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |to| to.to_str().unwrap())
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.text.contains(text), "no {text} in {}", self.text);
    }

    #[track_caller]
    fn is_silent_about(&self, text: &str) {
        assert!(!self.text.contains(text), "{text} in {}", self.text);
    }
}

fn pages_of(office: &Office) -> Router {
    pages::router(Pages::new(PagesParts {
        work: Arc::clone(&office.app.work),
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        key: office.app.key.public(),
        is_simulated: true,
        is_behind_proxy: false,
        cost: LIGHT,
    }))
}

async fn add_admin(office: &Office, name: &str) {
    let work = &office.app.work;
    let row = AdminRow::new(name, PASSWORD, ([7; 16], LIGHT), work.now()).unwrap();
    assert!(work.store().add_admin(work.merchant(), row, by(work.now())).await.unwrap());
}

impl Owner {
    /// At the door.
    async fn of(office: &Office) -> Self {
        add_admin(office, "li").await;
        Self { router: pages_of(office), cookies: Vec::new(), language: "en" }
    }

    /// Logged in.
    async fn inside(office: &Office) -> Self {
        let mut owner = Self::of(office).await;
        let page = owner.log_in("li", PASSWORD).await;
        assert_eq!((page.status, page.goes_to()), (StatusCode::SEE_OTHER, "/admin"));
        owner
    }

    async fn ask(&mut self, request: Request<Body>) -> Page {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, text }
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, cookies.collect::<Vec<_>>().join("; "))
            .header(header::ACCEPT_LANGUAGE, self.language)
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.ask(request).await
    }

    async fn post(&mut self, path: &str, body: String) -> Page {
        let form = "application/x-www-form-urlencoded";
        let request = self.request("POST", path).header(header::CONTENT_TYPE, form);
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    async fn log_in(&mut self, name: &str, password: &str) -> Page {
        let csrf = self.get("/admin/login").await.csrf();
        let password = password.replace(' ', "+");
        self.post("/admin/login", format!("csrf={csrf}&name={name}&password={password}")).await
    }
}

/// Changes a payment's row behind everybody's back.
async fn put(office: &Office, row: PaymentRow) {
    use crate::store::{Change, Write};
    let event = Some((paytill_core::payment::Event::Begun, Vec::new()));
    let decide = move |_: Option<&PaymentRow>| Change {
        write: Some(Write { row: row.clone(), event: event.clone(), outbox: Vec::new() }),
        result: (),
    };
    let key = PaymentKey {
        merchant: "-".to_owned(),
        out_trade_no: OutTradeNo::try_from("NONE-00000000".to_owned()).unwrap(),
    };
    office.app.work.store().change(key, decide).await.unwrap();
}

async fn paid(office: &Office) -> PaymentRow {
    let till = office.till("S001", "T01", RIGHTS).await;
    let order = till.order(1);
    office.ask(&till, Ask::Submit(&order, &code())).await;
    let key = office.app.work.key(&order.out_trade_no);
    office.app.work.store().payment(key).await.unwrap().unwrap()
}

const ALL: [&str; 10] = [
    "/admin",
    "/admin/payments",
    "/admin/payments/T01-00000001",
    "/admin/refunds",
    "/admin/bills",
    "/admin/exceptions",
    "/admin/tills",
    "/admin/tills/T01/lock",
    "/admin/messages",
    "/admin/audit",
];

#[tokio::test]
async fn nobody_sees_anything_without_a_password() {
    let office = Office::open("ok").await;
    let mut owner = Owner::of(&office).await;
    for path in ALL {
        let page = owner.get(path).await;
        assert_eq!(
            (page.status, page.goes_to()),
            (StatusCode::SEE_OTHER, "/admin/login"),
            "{path}"
        );
        assert!(page.text.is_empty());
    }
    for path in ["/admin/tills/T01/lock", "/admin/messages/resend", "/admin/logout"] {
        let page = owner.post(path, String::new()).await;
        assert_eq!(page.goes_to(), "/admin/login", "{path}");
    }
    let mut guess = vec![("__Secure-paytill".to_owned(), "x".repeat(43))];
    owner.cookies.append(&mut guess);
    assert_eq!(owner.get("/admin").await.goes_to(), "/admin/login");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let office = Office::open("ok").await;
    let mut owner = Owner::of(&office).await;
    let wrong = owner.log_in("li", "correct+horsf").await;
    let nobody = owner.log_in("wu", PASSWORD).await;
    for page in [&wrong, &nobody] {
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        page.says("Wrong name or password.");
        page.is_silent_about("horse");
    }
    assert_eq!(wrong.text.replace("\"li\"", "\"wu\""), nobody.text);
    assert_eq!(owner.log_in("li", PASSWORD).await.goes_to(), "/admin");
}

#[tokio::test]
async fn after_five_wrong_passwords_even_the_right_one_waits() {
    let office = Office::open("ok").await;
    let mut owner = Owner::of(&office).await;
    for _ in 0..5 {
        assert_eq!(owner.log_in("li", "wrong password").await.status, StatusCode::UNAUTHORIZED);
    }
    let page = owner.log_in("li", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.says("Too many attempts. Try again in 15 min.");
    assert_eq!(owner.get("/admin").await.goes_to(), "/admin/login");
}

#[tokio::test]
async fn what_people_did_is_listed_and_a_failed_login_is() {
    let office = Office::open("ok").await;
    office.till("S001", "T01", RIGHTS).await;
    let mut owner = Owner::of(&office).await;
    owner.log_in("li", "wrong%3Cb%3Epassword").await;
    owner.log_in("%3Cb%3Ewu", "wrong password").await;
    owner.log_in("li", PASSWORD).await;
    let csrf = owner.get("/admin/tills/T01/lock").await.csrf();
    owner.post("/admin/tills/T01/lock", format!("csrf={csrf}")).await;
    let page = owner.get("/admin/audit").await;
    for text in ["Till locked", "Logged in", "Failed login", "Till enrolled", "till T01", "li"] {
        page.says(text);
    }
    page.is_silent_about("<b>wu");
    page.is_silent_about("password");
}

#[tokio::test]
async fn another_instance_counts_the_same_wrong_passwords() {
    let office = Office::open("ok").await;
    let mut owner = Owner::of(&office).await;
    for _ in 0..5 {
        assert_eq!(owner.log_in("li", "wrong password").await.status, StatusCode::UNAUTHORIZED);
    }
    owner.router = pages_of(&office);
    assert_eq!(owner.log_in("li", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_session_s_cookie_is_the_browser_s_alone_and_the_books_have_no_token() {
    let office = Office::open("ok").await;
    let mut owner = Owner::of(&office).await;
    let page = owner.log_in("li", PASSWORD).await;
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap();
    for attribute in ["Path=/admin", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let (_, token) = owner.cookies.iter().find(|(name, _)| name == "__Secure-paytill").unwrap();
    let written = office.written();
    let is_in = |text: &[u8]| written.windows(text.len()).any(|window| window == text);
    assert!(!is_in(token.as_bytes()) && !is_in(PASSWORD.as_bytes()));
}

#[tokio::test]
async fn a_form_that_is_not_ours_does_nothing() {
    let office = Office::open("ok").await;
    office.till("S001", "T01", RIGHTS).await;
    let mut owner = Owner::inside(&office).await;
    let csrf = owner.get("/admin/tills/T01/lock").await.csrf();
    let lock = "/admin/tills/T01/lock";
    for body in ["", "csrf=", "csrf=x", &format!("csrf={csrf}x")] {
        assert_eq!(owner.post(lock, body.to_owned()).await.status, StatusCode::FORBIDDEN, "{body}");
    }
    let from_elsewhere = owner
        .request("POST", lock)
        .header("sec-fetch-site", "same-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("csrf={csrf}")))
        .unwrap();
    assert_eq!(owner.ask(from_elsewhere).await.status, StatusCode::FORBIDDEN);
    let work = &office.app.work;
    let till = || async { work.store().till(work.merchant(), "T01").await.unwrap().unwrap() };
    assert_eq!(till().await.revoked_at, None);
    // A form of another session's is not ours either, nor is that at the door.
    let mut other = Owner { cookies: Vec::new(), router: owner.router.clone(), language: "en" };
    let foreign = other.get("/admin/login").await.csrf();
    assert_eq!(owner.post(lock, format!("csrf={foreign}")).await.status, StatusCode::FORBIDDEN);
    let login = format!("csrf={csrf}&name=li&password=correct+horse");
    assert_eq!(other.post("/admin/login", login).await.status, StatusCode::FORBIDDEN);
    let page = owner.post(lock, format!("csrf={csrf}")).await;
    assert_eq!(page.goes_to(), "/admin/tills");
    assert!(till().await.revoked_at.is_some());
    owner.get("/admin/tills").await.says("Locked");
}

#[tokio::test]
async fn a_session_ends_by_logging_out_by_idleness_and_with_its_owner() {
    let office = Office::open("ok").await;
    let mut owner = Owner::inside(&office).await;
    let kept = owner.cookies.clone();
    let csrf = owner.get("/admin").await.csrf();
    assert_eq!(owner.post("/admin/logout", format!("csrf={csrf}")).await.goes_to(), "/admin/login");
    owner.cookies = kept;
    assert_eq!(owner.get("/admin").await.goes_to(), "/admin/login", "the token is worth nothing");

    owner.log_in("li", PASSWORD).await;
    assert_eq!(owner.get("/admin").await.status, StatusCode::OK);
    let (work, store) = (&office.app.work, office.app.work.store());
    assert!(store.remove_admin(work.merchant(), "li", by(work.now())).await.unwrap());
    assert_eq!(owner.get("/admin").await.goes_to(), "/admin/login");
}

#[tokio::test]
async fn another_merchant_s_payments_are_never_shown() {
    let office = Office::open("ok").await;
    let row = paid(&office).await;
    let mut owner = Owner::inside(&office).await;
    let number = OutTradeNo::try_from("OTHER-00000001".to_owned()).unwrap();
    let mut other = row.clone();
    other.key = PaymentKey { merchant: "another".to_owned(), out_trade_no: number };
    other.till = "OTHER".to_owned();
    other.order.amount = Money::from_minor(777_777);
    other.wake_at = Some(Timestamp(i64::MAX));
    put(&office, other.clone()).await;
    let transaction = &row.state.proof().unwrap().transaction_id;
    for path in ["/admin", "/admin/payments", "/admin/payments?till=OTHER", "/admin/refunds"] {
        let page = owner.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        page.is_silent_about("OTHER-0");
        page.is_silent_about("7,777");
    }
    let page = owner.get("/admin/payments/OTHER-00000001").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let found = owner.get(&format!("/admin/payments?q={transaction}")).await;
    assert_eq!(found.goes_to(), format!("/admin/payments/{}", row.key.out_trade_no), "ours");
    owner.get("/admin/payments?q=OTHER-00000001").await.says("No payment has the number");
}

#[tokio::test]
async fn texts_from_outside_are_shown_as_they_are_and_do_nothing() {
    let office = Office::open("ok").await;
    let hostile = "<script>alert(1)</script>\"'&amp;<b>";
    let mut row = paid(&office).await;
    row.key.out_trade_no = OutTradeNo::try_from("T01-00000099".to_owned()).unwrap();
    row.order.body = hostile.to_owned();
    row.store = hostile.to_owned();
    row.till = "<i>".to_owned();
    put(&office, row).await;
    let mut owner = Owner::inside(&office).await;
    for path in [
        "/admin",
        "/admin/payments",
        "/admin/payments/T01-00000099",
        "/admin/payments?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/payments?day=%22%3E%3Cscript%3E&till=%22%3E%3Ci%3E",
    ] {
        let page = owner.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for bad in ["<script", "<b>\"", "<i>", "\"'"] {
            page.is_silent_about(bad);
        }
    }
    owner.get("/admin/payments/T01-00000099").await.says("&#60;script&#62;alert(1)");
    // Neither does a name at the door.
    let page = owner.log_in("%22%3E%3Cscript%3E", "whatever it is").await;
    page.is_silent_about("<script");
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need_and_loads_nothing_from_elsewhere() {
    let office = Office::open("ok").await;
    paid(&office).await;
    let mut owner = Owner::inside(&office).await;
    for path in ALL.into_iter().chain(["/admin/login", "/admin/style.css", "/admin/nothing"]) {
        let page = owner.get(path).await;
        let header =
            |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
        if path != "/admin/nothing" {
            assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("referrer-policy"), "no-referrer");
            assert_eq!(header("cache-control"), "no-store");
        }
        for inline in ["<script", " style=", "onclick", "<style", "http://", "https://"] {
            page.is_silent_about(inline);
        }
    }
}

#[tokio::test]
async fn today_and_the_story_are_told_in_both_languages() {
    let office = Office::open("ok").await;
    let row = paid(&office).await;
    let mut owner = Owner::inside(&office).await;
    let page = owner.get("/admin").await;
    page.says("Nothing needs your attention.");
    page.says("￥12.34");
    page.says("Store S001");
    let number = &row.key.out_trade_no;
    let page = owner.get(&format!("/admin/payments/{number}")).await;
    for text in [number.as_str(), "Paid", "customer's payment code".replace('\'', "&#39;").as_str()]
    {
        page.says(text);
    }
    // As its till tells it, and the books below.
    for text in ["Sent to WeChat Pay.", "Paid and verified.", "All entries of the books"] {
        page.says(text);
    }
    page.is_silent_about(code().expose());
    let page = owner.get(&format!("/admin/language/zh-CN?back=/admin/payments/{number}")).await;
    assert_eq!(page.goes_to(), format!("/admin/payments/{number}"));
    owner.get("/admin").await.says("没有需要处理的事项。");
    for back in ["https://example.com", "//example.com", "/admin/../x\\", "/administrator"] {
        let page = owner.get(&format!("/admin/language/en?back={back}")).await;
        let is_ours = page.goes_to() == "/admin" || page.goes_to().starts_with("/admin/");
        assert!(is_ours, "{back}");
    }
}

#[tokio::test]
async fn what_is_paid_and_no_till_knows_is_shown_first() {
    let office = Office::open("ok").await;
    let mut row = paid(&office).await;
    row.key.out_trade_no = OutTradeNo::try_from("T01-00000098".to_owned()).unwrap();
    let earlier = Timestamp(row.created_at.0 - i64::try_from(Millis::seconds(60).0).unwrap());
    (row.seen, row.updated_at, row.created_at) = (0, earlier, earlier);
    put(&office, row).await;
    let mut owner = Owner::inside(&office).await;
    let page = owner.get("/admin").await;
    page.says("Paid, but the till does not know");
    page.says("T01-00000098");
    page.is_silent_about("Nothing needs your attention.");
}

#[tokio::test]
async fn in_what_a_bill_differs_is_seen_at_a_glance_and_in_full() {
    let office = Office::open("ok").await;
    let mut owner = Owner::inside(&office).await;
    owner.get("/admin/bills").await.says("No bill was checked yet.");
    owner.get("/admin").await.says("Nothing needs your attention.");
    let day = office.app.work.now().day(&paytill_core::bill::beijing()).yesterday().unwrap();
    let side = BillSide { state: "paid".to_owned(), amount: 1234, currency: "CNY".to_owned() };
    let row = BillRow {
        day,
        compared_at: office.app.work.now(),
        bill_rows: 7,
        matched: 6,
        differ: 2,
        differences: vec![BillDifference {
            cause: paytill_core::bill::compare::Cause::NotInJournal,
            order_no: "<b>T01".to_owned(),
            refund_no: String::new(),
            transaction_id: "42".to_owned(),
            here: None,
            bill: Some(side),
            at: Some(office.app.work.now()),
        }],
    };
    let work = &office.app.work;
    work.store().write_bill(work.merchant(), &row).await.unwrap();
    let page = owner.get("/admin/bills").await;
    for text in [
        day.to_string().as_str(),
        "Differences: 2.",
        "Orders that agree: 6.",
        "in the bill, unknown here",
        "￥12.34",
        "&#60;b&#62;T01",
        "There are more",
    ] {
        page.says(text);
    }
    owner.get("/admin").await.says("bills and our records: 2");
    owner.language = "zh-CN";
    owner.get("/admin/bills").await.says("账单中有，我方没有记录");
}

#[tokio::test]
async fn what_nobody_expected_is_listed_with_what_was_done() {
    let office = Office::open("ok").await;
    let mut owner = Owner::inside(&office).await;
    owner.get("/admin/exceptions").await.says("Nothing unusual happened.");
    let row = paid(&office).await;
    let store = office.app.work.store();
    for kind in ["payment.paid_late", "payment.mismatch"] {
        let told = move |row: Option<&PaymentRow>| Change {
            write: Some(Write { outbox: vec![kind], ..Write::note(row.unwrap().clone()) }),
            result: (),
        };
        store.change(row.key.clone(), told).await.unwrap();
    }
    let notice = NoticeRow {
        merchant: office.app.work.merchant().to_owned(),
        id: "paid-1".to_owned(),
        received_at: office.app.work.now(),
        headers: Vec::new(),
        body: Vec::new(),
        out_trade_no: Some(OutTradeNo::try_from("WEB-00000001".to_owned()).unwrap()),
    };
    let unknown = |_: &RefundBooks| Judged::<()> { verdict: Verdict::Unknown, step: None };
    store.noticed(notice, unknown).await.unwrap();
    let page = owner.get("/admin/exceptions").await;
    for text in [
        "Paid after it was closed",
        "It is booked as paid.",
        "another amount or state",
        "Nothing was changed by this report.",
        row.key.out_trade_no.as_str(),
        "￥12.34",
        "WEB-00000001",
        "an order that we do not have",
    ] {
        page.says(text);
    }
    owner.language = "zh-CN";
    owner.get("/admin/exceptions").await.says("已入账。");
}
