//! The gateway's bill through the backend: to tills, each its own rows, and against the books.

use paytill_core::bill::compare::Cause;
use paytill_core::bill::{Row, RowKind, beijing};
use paytill_core::clock::Date;
use paytill_core::gateway::Ask;
use paytill_core::gateway::backend::bills::{BillPage, BillState, ROWS};
use paytill_core::gateway::{Gateway as _, RefundAsk};
use paytill_core::money::Money;
use paytill_core::order::AuthCode;
use paytill_core::payment::{Found, Inconclusive};
use paytill_core::refund::{OutRefundNo, Refund, RefundCallKind};
use paytill_host::gateway::Version;
use paytill_simulator::{Bills, Scenario, Script};

use super::{Office, RIGHTS, Till, by};

async fn page(
    office: &Office,
    till: &Till,
    day: Date,
    after: Option<&str>,
) -> Result<BillPage, Inconclusive> {
    loop {
        let stamp = office.stamp();
        let outgoing = till.codec.encode_bill(day, after, &stamp);
        let reply = office.carried(till, outgoing, &stamp).await;
        let page = till.codec.decode_bill(&reply)?;
        if page.state != BillState::Fetching.word() {
            return Ok(page);
        }
    }
}

/// A customer's code, which can be used once.
fn code(serial: u32) -> AuthCode {
    AuthCode::new(&format!("13{serial:016}")).unwrap()
}

async fn paid(office: &Office, till: &Till, serial: u32) -> String {
    let order = till.order(serial);
    office.ask(till, Ask::Submit(&order, &code(serial))).await;
    assert!(matches!(office.end(till, &order).await, Found::Paid(_)));
    order.out_trade_no.to_string()
}

fn today(office: &Office) -> Date {
    office.app.work.now().day(&beijing())
}

fn ok() -> Script {
    Script { scenario: Scenario::from_name("ok"), ..Script::default() }
}

#[tokio::test]
async fn a_till_gets_its_own_rows_and_no_others() {
    for version in [Version::V2, Version::V3] {
        let office = Office::with(version, ok()).await;
        let day = today(&office);
        let one = office.till("S001", "T01", RIGHTS).await;
        let other = office.till("S001", "T02", RIGHTS).await;
        let numbers = [paid(&office, &one, 1).await, paid(&office, &one, 2).await];
        paid(&office, &other, 3).await;
        let got = page(&office, &one, day, None).await.unwrap();
        assert_eq!((got.state.as_str(), got.total, got.next), ("ready", 2, None), "{version:?}");
        let rows: Vec<_> = got.rows.iter().map(|told| Row::of_told(told, 1).unwrap()).collect();
        let mut told: Vec<_> = rows.iter().map(|row| row.order_no.to_string()).collect();
        told.sort();
        assert_eq!(told, numbers);
        assert!(rows.iter().all(|row| row.kind == RowKind::Paid && row.amount.minor() == 1234));
        // Once more, with what was paid meanwhile: what is kept of today is not the last word.
        paid(&office, &one, 4).await;
        assert_eq!(page(&office, &one, day, None).await.unwrap().total, 3);
        assert_eq!(page(&office, &other, day, None).await.unwrap().total, 1);
        let yesterday = page(&office, &one, day.yesterday().unwrap(), None).await.unwrap();
        assert!(["none", "creating"].contains(&yesterday.state.as_str()), "{yesterday:?}");
        let old = day.checked_sub(jiff::Span::new().months(4)).unwrap();
        assert_eq!(page(&office, &one, old, None).await.unwrap().state, "refused");
        let refused = page(&office, &one, day.tomorrow().unwrap(), None).await.unwrap_err();
        assert_eq!(refused.reason().code(), "bad_request");
        office
            .app
            .work
            .store()
            .revoke(office.app.work.merchant(), "T01", by(office.app.work.now()))
            .await
            .unwrap();
        assert!(page(&office, &one, day, None).await.is_err());
    }
}

#[tokio::test]
async fn a_long_bill_comes_page_by_page() {
    let office = Office::with(Version::V2, ok()).await;
    let day = today(&office);
    let till = office.till("S001", "T01", RIGHTS).await;
    let count = u32::try_from(ROWS).unwrap() + 1;
    for serial in 0..count {
        paid(&office, &till, serial).await;
    }
    let first = page(&office, &till, day, None).await.unwrap();
    assert_eq!((first.rows.len(), first.total), (ROWS, u64::from(count)));
    assert!(serde_json::to_vec(&first).unwrap().len() < 48 * 1024, "it fits into an answer");
    let last = page(&office, &till, day, first.next.as_deref()).await.unwrap();
    assert_eq!((last.rows.len(), last.total, last.next), (1, u64::from(count), None));
    assert!(!first.rows.contains(&last.rows[0]));
}

#[tokio::test]
async fn a_bill_that_cannot_be_believed_is_told_to_nobody_and_kept_by_nobody() {
    for (bills, state) in [
        (Bills::OtherMerchant, "busy"),
        (Bills::Truncated, "busy"),
        (Bills::OtherDay, "busy"),
        (Bills::Page, "busy"),
        (Bills::Creating, "creating"),
    ] {
        let office = Office::with(Version::V2, Script { bills, ..ok() }).await;
        let day = today(&office);
        let till = office.till("S001", "T01", RIGHTS).await;
        paid(&office, &till, 1).await;
        let got = page(&office, &till, day, None).await.unwrap();
        assert_eq!((got.state.as_str(), got.rows.len()), (state, 0), "{bills:?}: {got:?}");
        let why = office.app.bills.compare(day).await.unwrap_err().text();
        assert!(!why.in_language(paytill_core::language::Language::Chinese).is_empty());
        let written = office.app.work.store().bills(office.app.work.merchant(), day, 9).await;
        assert_eq!(written, Ok(Vec::new()), "{bills:?}");
        // It is well again, and nothing is left of what was wrong.
        office.bank.bank().set_bills(Bills::AtOnce);
        assert_eq!(page(&office, &till, day, None).await.unwrap().state, "ready");
    }
}

#[tokio::test]
async fn the_books_of_all_stores_are_held_against_the_bill() {
    let office = Office::with(Version::V3, ok()).await;
    let day = today(&office);
    let one = office.till("S001", "T01", RIGHTS).await;
    let other = office.till("S002", "T02", RIGHTS).await;
    paid(&office, &one, 1).await;
    let number = paid(&office, &other, 2).await;
    let order = other.order(2);
    let refund = Refund {
        out_refund_no: OutRefundNo::try_from(format!("{number}R1")).unwrap(),
        order: order.clone(),
        amount: Money::from_minor(200),
        reason: "too cold".to_owned(),
        approved_by: "Wang".to_owned(),
    };
    let stamp = office.stamp();
    let ask = RefundAsk { kind: RefundCallKind::Refund, refund: &refund };
    office.carried(&other, other.codec.encode_refund(ask, &stamp), &stamp).await;
    let compared = office.app.bills.compare(day).await.unwrap();
    assert_eq!((compared.row.matched, compared.row.differ), (2, 0), "{:?}", compared.outcome);
    assert_eq!(compared.row.bill_rows, 3);
    // A payment that the books do not have, under a number of a till of ours.
    let strange = one.order(9);
    let stranger = paytill_core::order::Order {
        merchant: office.app.work.parts.desk.merchant.clone(),
        ..strange.clone()
    };
    let stamp = office.stamp();
    let parts = &office.app.work.parts;
    let outgoing = parts.gateway.encode(Ask::Submit(&stranger, &code(9)), &stamp);
    parts.transport.carry(&outgoing, parts.clock.uptime(), || {}).await.unwrap();
    let compared = office.app.bills.compare(day).await.unwrap();
    let [found] = &compared.row.differences[..] else { panic!("{compared:?}") };
    assert_eq!(
        (found.cause, found.order_no.as_str()),
        (Cause::NotInJournal, strange.out_trade_no.as_str())
    );
    let written = office.app.work.store().bills(office.app.work.merchant(), day, 9).await.unwrap();
    assert_eq!(written, [compared.row]);
}
