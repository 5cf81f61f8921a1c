//! Bills: bytes have one reading however they arrive, what is read is plain, and a bill that is
//! taken adds up, by a second count.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Read;

use paytill::bill::compare::OwnOrder;
use paytill::bill::{Comparison, Expected, Failure, Fault, Row, RowFault, RowKind, read};
use paytill::money::{Currency, Money};
use paytill::order::{Merchant, TillId};

use super::draw::Draw;
use super::plain::assert_plain;

const HEAD: &str = "交易时间,商户号,特约商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,\
                    商户退款单号,退款金额,退款状态,商品名称,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str = "总交易单数,应结订单总金额,退款总金额,手续费总金额,订单总金额,申请退款总金额";
const MERCHANT: &str = "1900000109";

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

/// What was read, in words; a fault in its own.
fn read_in(bytes: &[u8], piece: usize) -> Result<(u64, Vec<String>, i64), String> {
    let merchant = Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: MERCHANT.into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    };
    let day = "2026-11-22".parse().unwrap();
    let till = TillId::new("T01").unwrap();
    let mut against = Comparison::new(day, vec![till], Currency::CNY);
    let (mut rows, mut paid) = (Vec::new(), 0_i64);
    let each = |row: &Row<'_>| {
        for text in [&row.order_no, &row.transaction_id, &row.refund_no, &row.sub_merchant] {
            assert_plain(text, "a bill");
        }
        if row.kind == RowKind::Paid && row.currency == Currency::CNY {
            paid = paid.saturating_add(row.amount.minor());
        }
        rows.push(format!("{row:?}"));
        against.row(row, |_| Ok::<Option<OwnOrder>, Infallible>(None))
    };
    let extent = read(Pieces(bytes, piece), &Expected { merchant, day }, each);
    let extent = match extent {
        Ok(extent) => extent,
        Err(Failure::Fault(fault)) => {
            said(&fault);
            return Err(format!("{fault:?}"));
        }
        Err(Failure::Io(error)) => panic!("{error}"),
        Err(Failure::Stopped(never)) => match never {},
    };
    assert_eq!(extent.rows, rows.len() as u64 + extent.of_others);
    let outcome = against.finish();
    let sums = std::iter::once(&outcome.sums.own).chain(outcome.sums.others.values());
    let counted = sums.map(|sums| sums.paid.rounded(Currency::CNY).minor());
    assert_eq!(counted.fold(0, i64::saturating_add), paid);
    for found in &outcome.differences {
        assert!(found.here.is_none(), "nothing is known here");
        assert_plain(&found.order_no, "a bill");
    }
    Ok((extent.rows, rows, paid))
}

fn said(fault: &Fault) {
    match fault {
        Fault::Page(words) | Fault::NotABill(words) => assert_plain(words, "a bill"),
        Fault::Row { what: RowFault::Value { value, .. }, .. } => assert_plain(value, "a bill"),
        Fault::OtherMerchant { found, .. } | Fault::OtherDay { found, .. } => {
            assert_plain(found, "a bill");
        }
        Fault::Totals { name, said, summed } => {
            for text in [name, said, summed] {
                assert_plain(text, "a bill");
            }
        }
        _ => {}
    }
}

/// Any bytes; and a bill made from them, with names that may hold anything, which must be taken.
pub fn check(data: &[u8]) {
    let whole = read_in(data, usize::MAX);
    assert_eq!(read_in(data, 3), whole);

    let mut draw = Draw(data);
    let (mut text, mut amounts) = (format!("{HEAD}\n"), Vec::new());
    while !draw.is_over() && amounts.len() < 20 {
        let amount = i64::from(draw.short());
        let name = draw.text().replace(['\n', '\r'], " ");
        let _ = writeln!(
            text,
            "`2026-11-22 12:03:01,`{MERCHANT},`0,`42{at},`T01{at:018},`SUCCESS,`CNY,`{yuan},`0,`0.00,\
             `,`{name},`0.01000,`0.60%,`{yuan},`0.00,`",
            at = amounts.len(),
            yuan = Currency::CNY.show(Money::from_minor(amount)),
        );
        amounts.push(amount);
    }
    let count = amounts.len();
    let sum: i64 = amounts.iter().sum();
    let yuan = Currency::CNY.show(Money::from_minor(sum));
    let fees = format!("{}.{:02}", count / 100, count % 100);
    let _ = writeln!(text, "{TOTALS}\n`{count},`{yuan},`0.00,`{fees},`{yuan},`0.00");
    // A row is bounded, and so is a name.
    if text.lines().all(|line| line.len() < 64 * 1024) {
        let (rows, _, paid) = read_in(text.as_bytes(), 1000).unwrap();
        assert_eq!((rows, paid), (count as u64, sum));
    }
}
