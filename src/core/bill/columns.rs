//! The columns of a bill, found by their names: order and number differ by the kind of bill, by the
//! merchant and by year (protocol 7.3).

use super::fault::Fault;

/// A column that is read. All others are passed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    Time,
    Merchant,
    SubMerchant,
    Transaction,
    Order,
    State,
    Currency,
    /// What the gateway settles: the order's amount without coupons that nobody has paid for.
    Settled,
    /// The order's whole amount; older bills have no column of its own for it.
    Whole,
    RefundAsked,
    RefundDone,
    RefundId,
    RefundNo,
    RefundSettled,
    RefundWhole,
    CouponRefund,
    RefundState,
    Fee,
}

/// Each with its names, the current one first.
const NAMES: [(Column, &[&str]); 18] = [
    (Column::Time, &["交易时间"]),
    (Column::Merchant, &["商户号"]),
    (Column::SubMerchant, &["特约商户号", "子商户号"]),
    (Column::Transaction, &["微信订单号", "微信支付订单号"]),
    (Column::Order, &["商户订单号"]),
    (Column::State, &["交易状态"]),
    (Column::Currency, &["货币种类"]),
    (Column::Settled, &["应结订单金额", "总金额"]),
    (Column::Whole, &["订单金额"]),
    (Column::RefundAsked, &["退款申请时间"]),
    (Column::RefundDone, &["退款成功时间"]),
    (Column::RefundId, &["微信退款单号"]),
    (Column::RefundNo, &["商户退款单号"]),
    (Column::RefundSettled, &["退款金额"]),
    (Column::RefundWhole, &["申请退款金额"]),
    (Column::CouponRefund, &["充值券退款金额", "代金券或立减优惠退款金额", "企业红包退款金额"]),
    (Column::RefundState, &["退款状态"]),
    (Column::Fee, &["手续费"]),
];

/// Without these a text is no bill.
const NEEDED: [Column; 6] = [
    Column::Time,
    Column::Merchant,
    Column::Order,
    Column::Transaction,
    Column::State,
    Column::Settled,
];

/// Free texts of the merchant, side by side: only they may hold what separates the columns.
const FREE: [&str; 2] = ["商品名称", "商户数据包"];

/// The most columns that are looked at. Real bills have 29.
const MOST_COLUMNS: usize = 100;

impl Column {
    /// Its current name, for people.
    pub(super) fn name(self) -> &'static str {
        let names = NAMES.iter().find(|(column, _)| *column == self);
        names.and_then(|(_, names)| names.first()).copied().unwrap_or_default()
    }
}

/// Where each column is.
#[derive(Clone, Debug)]
pub(super) struct Header {
    places: [Option<usize>; NAMES.len()],
    width: usize,
    /// The place behind the last free text, if there is one.
    free_until: Option<usize>,
}

/// The names in a line of names. Old samples have full-width commas among them.
pub(super) fn names(line: &str) -> impl Iterator<Item = &str> {
    let trimmed = |mark: char| mark.is_whitespace() || "`\"\u{feff}".contains(mark);
    line.split([',', '，']).map(move |name| name.trim_matches(trimmed))
}

impl Header {
    /// Reads the line with the columns' names.
    pub(super) fn read(line: &str) -> Result<Self, Fault> {
        let names: Vec<&str> = names(line).take(MOST_COLUMNS + 1).collect();
        if names.len() > MOST_COLUMNS {
            return Err(Fault::NotABill(String::new()));
        }
        let place = |known: &str| names.iter().position(|name| *name == known);
        let places = NAMES.map(|(_, known)| known.iter().find_map(|name| place(name)));
        let free_until = FREE.iter().filter_map(|name| place(name)).max().map(|last| last + 1);
        let header = Self { places, width: names.len(), free_until };
        match NEEDED.into_iter().find(|column| !header.has(*column)) {
            Some(missing) => Err(Fault::MissingColumn(missing.name())),
            None => Ok(header),
        }
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.places[column as usize].is_some()
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// A row's value, trimmed; empty if there is no such column. A row has as many values as there
    /// are columns, or more: the free texts held a separator, and what stands behind them is counted
    /// from the end.
    pub(super) fn value<'a>(&self, values: &[&'a str], column: Column) -> &'a str {
        let Some(mut place) = self.places[column as usize] else { return "" };
        if self.free_until.is_some_and(|until| place >= until) {
            place += values.len().saturating_sub(self.width);
        }
        values.get(place).map_or("", |value| value.trim())
    }

    /// Whether a row may have this many values.
    pub(super) const fn takes(&self, values: usize) -> bool {
        values == self.width || values > self.width && self.free_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_at_its_place_in_the_list() {
        for (place, (column, names)) in NAMES.iter().enumerate() {
            assert_eq!(*column as usize, place, "{names:?}");
            assert_eq!(column.name(), names[0]);
        }
    }

    #[test]
    fn what_stands_behind_a_free_text_is_counted_from_the_end() {
        let header = "交易时间,商户号,微信订单号,商户订单号,交易状态,应结订单金额,商品名称,商户数据包,手续费,费率";
        let header = Header::read(header).unwrap();
        let values = ["t", "m", "w", "o", "s", "1.00", "tea", "milk", "x", "0.01", "0.60%"];
        assert!(header.takes(10) && header.takes(11) && !header.takes(9));
        assert_eq!(header.value(&values, Column::Settled), "1.00");
        assert_eq!(header.value(&values, Column::Fee), "0.01");
        assert_eq!(header.value(&values, Column::RefundNo), "");
    }

    #[test]
    fn a_missing_column_is_named() {
        let missing = Header::read("交易时间,商户号,微信订单号,商户订单号,交易状态,手续费").err();
        assert_eq!(missing, Some(Fault::MissingColumn("应结订单金额")));
    }
}
