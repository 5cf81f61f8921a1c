//! Bills in the forms in which the gateway writes them.

use crate::clock::Date;
use crate::order::Merchant;

pub(super) const MERCHANT: &str = "1900000109";

pub(super) fn day() -> Date {
    Date::new(2026, 11, 22).unwrap()
}

pub(super) fn merchant() -> Merchant {
    Merchant {
        app_id: "wx8888888888888888".into(),
        mch_id: MERCHANT.into(),
        sub_app_id: String::new(),
        sub_mch_id: String::new(),
    }
}

/// The kinds of bills, now and as they were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    All,
    Success,
    Refund,
    OldAll,
}

#[derive(Clone, Debug)]
pub(super) struct MadeRow {
    pub(super) state: &'static str,
    pub(super) time: String,
    pub(super) sub_merchant: String,
    pub(super) order_no: String,
    pub(super) transaction_id: String,
    pub(super) currency: &'static str,
    /// What was paid, or what goes back.
    pub(super) amount: i64,
    pub(super) refund_no: String,
    pub(super) refund_state: &'static str,
    pub(super) name: String,
}

pub(super) fn paid(order_no: &str, amount: i64) -> MadeRow {
    MadeRow {
        state: "SUCCESS",
        time: "2026-11-22 12:03:01".into(),
        sub_merchant: "0".into(),
        order_no: order_no.into(),
        transaction_id: format!("42{order_no}"),
        currency: "CNY",
        amount,
        refund_no: "0".into(),
        refund_state: "",
        name: "Corner Coffee".into(),
    }
}

pub(super) fn refund(order_no: &str, refund_no: &str, amount: i64) -> MadeRow {
    let paid = paid(order_no, amount);
    MadeRow { state: "REFUND", refund_no: refund_no.into(), refund_state: "SUCCESS", ..paid }
}

pub(super) fn revoked(order_no: &str, amount: i64) -> MadeRow {
    MadeRow { state: "REVOKED", ..refund(order_no, "0", amount) }
}

pub(super) struct Bill {
    pub(super) rows: Vec<MadeRow>,
}

impl MadeRow {
    const fn is_payment(&self) -> bool {
        matches!(self.state.as_bytes(), b"SUCCESS")
    }

    fn text(&self, form: Form) -> String {
        let (amount, back) = if self.is_payment() { (self.amount, 0) } else { (0, self.amount) };
        let refund_id = if self.is_payment() { "0" } else { "50000707812018082106030155182" };
        let kind = if self.is_payment() { "" } else { "ORIGINAL" };
        let mut values: Vec<String> = [
            self.time.as_str(),
            "wx8888888888888888",
            MERCHANT,
            &self.sub_merchant,
            "S001",
            &self.transaction_id,
            &self.order_no,
            "o1gswuOe-4_AZqm1gipKyZGU2iZ8",
            "MICROPAY",
            self.state,
            "OTHERS",
            self.currency,
        ]
        .map(str::to_owned)
        .to_vec();
        values.extend([yuan(amount), "0.00".into()]);
        if form == Form::Refund {
            values[0] = "2026-11-02 12:03:01".into();
            values.extend([self.time.clone(), self.time.clone()]);
        }
        if form != Form::Success {
            let refund = [refund_id, &self.refund_no, &yuan(back), "0.00", kind, self.refund_state];
            values.extend(refund.map(str::to_owned));
        }
        let fee = self.fee();
        values.extend([
            self.name.clone(),
            "0123456789abcdef".into(),
            yuan(fee) + "000",
            "0.60%".into(),
        ]);
        match form {
            Form::All | Form::Refund => {
                values.extend([yuan(amount), yuan(back), String::new()]);
            }
            Form::Success => values.extend([yuan(amount), String::new()]),
            Form::OldAll => {}
        }
        format!("`{}\n", values.join(",`"))
    }

    fn fee(&self) -> i64 {
        let fee = (self.amount * 60 + 5000) / 10_000;
        if self.is_payment() { fee } else { -fee }
    }
}

fn yuan(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

impl Bill {
    /// Row by row a minute later.
    pub(super) fn new(mut rows: Vec<MadeRow>) -> Self {
        for (at, row) in rows.iter_mut().enumerate() {
            row.time = format!("2026-11-22 12:{:02}:01", 3 + at % 50);
        }
        Self { rows }
    }

    pub(super) fn text(&self, form: Form) -> String {
        let head = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,\
                    交易类型,交易状态,付款银行,货币种类,";
        let (middle, tail) = match form {
            Form::All => (
                "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,",
                ",订单金额,申请退款金额,费率备注",
            ),
            Form::Success => ("应结订单金额,代金券金额,", ",订单金额,费率备注"),
            Form::Refund => (
                "应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,\
                 充值券退款金额,退款类型,退款状态,",
                ",订单金额,申请退款金额,费率备注",
            ),
            Form::OldAll => (
                "总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,",
                "",
            ),
        };
        let head = if form == Form::OldAll { head.replace("特约", "子") } else { head.into() };
        let mut text = format!("{head}{middle}商品名称,商户数据包,手续费,费率{tail}\n");
        for row in &self.rows {
            text += &row.text(form);
        }
        text + &self.totals(form)
    }

    fn totals(&self, form: Form) -> String {
        let sum = |of: fn(&MadeRow) -> i64| yuan(self.rows.iter().map(of).sum());
        let amount = sum(|row| if row.is_payment() { row.amount } else { 0 });
        let back = sum(|row| if row.is_payment() { 0 } else { row.amount });
        let (count, fee) = (self.rows.len(), sum(MadeRow::fee) + "000");
        if form == Form::OldAll {
            return format!(
                "总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\n\
                 `{count},`{amount},`{back},`0.00,`{fee}\n"
            );
        }
        format!(
            "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n\
             `{count},`{amount},`{back},`0.00,`{fee},`{amount},`{back}\n"
        )
    }
}
