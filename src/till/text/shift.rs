//! What a shift came to, in lines: the same on the screen, on paper and on the command line.

use crate::clock::TimeZone;
use crate::language::Language;
use crate::money::{Currency, Money};
use crate::shift::{CASH, Report, Sum};
use crate::{catalogue, say};

catalogue! {
    /// The words of X and Z reports.
    pub struct ShiftWords;

    x_report => "X REPORT", "X 报表（当班至今）";
    z_report(number: u32) => "Z REPORT {number}", "Z 报表 第 {number} 号";
    day => "Business day", "营业日";
    opened => "Opened", "开班时间";
    began => "First entry", "首笔时间";
    closed => "Closed", "交班时间";
    until => "As of", "截至";
    opened_by => "Opened by", "开班人";
    closed_by => "Closed by", "交班人";
    sales => "Sales", "销售";
    refunds => "Refunds", "退款";
    reversals => "Reversals", "撤销";
    net => "Net", "净额";
    by_tender => "By payment", "按支付方式";
    cash => "Cash", "现金";
    wechat_pay => "WeChat Pay", "微信支付";
    by_operator => "By operator", "按收银员";
    discounts => "Discounts", "折扣";
    by_rate => "By tax rate (refunds taken off)", "按税率（已扣除退款）";
    sold_at(rate: &str) => "Sold at {rate}", "税率 {rate} 销售额";
    tax_at(rate: &str) => "Tax at {rate}", "税率 {rate} 税额";
    /// What was sold, or went back, of which no rate is known.
    no_rate => "No rate known", "未区分税率";
    drawer => "Cash drawer", "钱箱";
    float => "Float", "备用金";
    cash_sales => "Cash sales", "现金销售";
    cash_refunds => "Cash given back", "现金退款";
    cash_in => "Cash in", "存入";
    cash_out => "Cash out", "取出";
    expected => "Expected", "应有现金";
    counted => "Counted", "实点现金";
    difference => "Difference", "长短款";
    no_sales => "No-sale openings", "非销售开钱箱";
    movements => "Cash in and out", "存取明细";
    unresolved => "Not settled", "未完成订单";
    carried(manager: &str) => "carried over, agreed by {manager}", "结转下一班，同意人：{manager}";
    carried_by_nobody => "carried over", "结转下一班";
    times(count: u64) => "{count}", "{count} 次";
    none => "none", "无";
}

/// A line of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ShiftLine {
    /// Above what follows.
    Title(String),
    /// What, and how much.
    Pair(String, String),
}

/// How a shift's figures are written.
pub struct Writing<'a> {
    pub currency: Currency,
    pub zone: &'a TimeZone,
    pub language: Language,
    /// Whether what must be in the drawer is told: not before it was counted by whoever is to count it.
    pub tells_expected: bool,
}

impl Writing<'_> {
    /// The title of the report.
    pub fn title(&self, report: &Report) -> String {
        let words = ShiftWords::of(self.language);
        report.z.map_or_else(|| words.x_report().to_owned(), |number| words.z_report(number))
    }

    fn money(&self, amount: Money) -> String {
        self.currency.group(amount)
    }

    fn sum(&self, sum: Sum) -> String {
        let (count, amount) = (sum.count, self.money(sum.amount));
        say!(self.language, "{count} x  {amount}", "{count} 笔  {amount}")
    }

    /// The report without its title.
    pub fn lines(&self, report: &Report) -> Vec<ShiftLine> {
        let words = ShiftWords::of(self.language);
        let mut lines = Vec::new();
        let time = |at: crate::clock::Timestamp| at.local("%Y-%m-%d %H:%M:%S", self.zone);
        let mut pair = |name: &str, value: String| {
            lines.push(ShiftLine::Pair(name.to_owned(), value));
        };
        pair(words.day(), report.day.clone());
        if let Some(at) = report.opened_at {
            pair(words.opened(), time(at));
        } else if let Some(at) = report.began_at {
            pair(words.began(), time(at));
        }
        pair(if report.z.is_some() { words.closed() } else { words.until() }, time(report.at));
        for (name, who) in
            [(words.opened_by(), &report.opened_by), (words.closed_by(), &report.closed_by)]
        {
            if let Some(who) = who {
                pair(name, who.clone());
            }
        }
        pair(words.sales(), self.sum(report.sales));
        pair(words.refunds(), self.sum(report.refunds));
        pair(words.reversals(), self.sum(report.reversals));
        let net = report.sales.amount.minor().saturating_sub(report.refunds.amount.minor());
        pair(words.net(), self.money(Money::from_minor(net)));
        if report.discounts.count > 0 {
            pair(words.discounts(), self.sum(report.discounts));
        }
        self.sums(words.by_tender(), &report.by_tender, &mut lines, |tender| match tender {
            CASH => words.cash().to_owned(),
            "micropay" => words.wechat_pay().to_owned(),
            other => other.to_owned(),
        });
        self.sums(words.by_operator(), &report.by_operator, &mut lines, str::to_owned);
        self.rates(report, &mut lines);
        self.drawer(report, &mut lines);
        if !report.movements.is_empty() {
            lines.push(ShiftLine::Title(words.movements().to_owned()));
        }
        for movement in &report.movements {
            let at = movement.at.local("%H:%M", self.zone);
            let name = format!("{at} {}", movement.reason);
            lines.push(ShiftLine::Pair(name, self.money(movement.amount)));
        }
        if !report.unresolved.is_empty() {
            let how = match (&report.z, &report.carried_by) {
                (None, _) => String::new(),
                (Some(_), Some(manager)) => words.carried(manager),
                (Some(_), None) => words.carried_by_nobody().to_owned(),
            };
            lines.push(ShiftLine::Title(words.unresolved().to_owned()));
            for number in &report.unresolved {
                lines.push(ShiftLine::Pair(number.clone(), how.clone()));
            }
        }
        lines
    }

    fn sums(
        &self,
        title: &str,
        sums: &std::collections::BTreeMap<String, Sum>,
        lines: &mut Vec<ShiftLine>,
        name: impl Fn(&str) -> String,
    ) {
        if !sums.is_empty() {
            lines.push(ShiftLine::Title(title.to_owned()));
        }
        for (of, sum) in sums {
            lines.push(ShiftLine::Pair(name(of), self.sum(*sum)));
        }
    }

    /// Nothing where no sale has lines.
    fn rates(&self, report: &Report, lines: &mut Vec<ShiftLine>) {
        if report.by_rate.is_empty() {
            return;
        }
        let words = ShiftWords::of(self.language);
        lines.push(ShiftLine::Title(words.by_rate().to_owned()));
        for (rate, taxed) in &report.by_rate {
            let rate = rate.show();
            lines.push(ShiftLine::Pair(words.sold_at(&rate), self.money(taxed.sold)));
            lines.push(ShiftLine::Pair(words.tax_at(&rate), self.money(taxed.tax)));
        }
        if report.no_rate != Money::default() {
            lines.push(ShiftLine::Pair(words.no_rate().to_owned(), self.money(report.no_rate)));
        }
    }

    fn drawer(&self, report: &Report, lines: &mut Vec<ShiftLine>) {
        let words = ShiftWords::of(self.language);
        let drawer = &report.drawer;
        lines.push(ShiftLine::Title(words.drawer().to_owned()));
        let mut pair = |name: &str, value: String| {
            lines.push(ShiftLine::Pair(name.to_owned(), value));
        };
        pair(words.no_sales(), words.times(report.no_sales));
        pair(words.float(), self.money(drawer.float));
        pair(words.cash_in(), self.money(drawer.cash_in));
        pair(words.cash_out(), self.money(drawer.cash_out));
        if !self.tells_expected {
            return;
        }
        pair(words.cash_sales(), self.money(drawer.sales));
        pair(words.cash_refunds(), self.money(drawer.refunds));
        pair(words.expected(), self.money(drawer.expected()));
        if let (Some(counted), Some(difference)) = (drawer.counted, drawer.difference()) {
            pair(words.counted(), self.money(counted));
            let sign = if difference > Money::default() { "+" } else { "" };
            pair(words.difference(), format!("{sign}{}", self.money(difference)));
        }
    }
}
