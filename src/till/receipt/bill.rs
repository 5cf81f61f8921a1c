//! A bill: a code of ours on paper, printed before it is paid. It is no receipt, and says so.

use super::{Form, Goods, Paper, ReceiptBuilder, ReceiptPart, as_text, escpos, price};
use crate::clock::{Millis, Timestamp};
use crate::config::{Config, GatewayConfig};
use crate::engine::Attempt;
use crate::language::Language;
use crate::money::Money;
use crate::order::{CodeUrl, OutTradeNo};
use crate::text::receipt::ReceiptWords;

/// What is printed of an order whose code can be scanned. Its texts may hold anything, as those of
/// [`super::Slip`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bill {
    /// Lines at the top.
    pub header: Vec<String>,
    pub till: String,
    pub out_trade_no: OutTradeNo,
    /// As formatted by [`crate::money::Currency::group`].
    pub amount: String,
    /// As given by [`crate::money::Currency::symbol`].
    pub symbol: String,
    /// As given by [`crate::money::Currency::code`], where the sign cannot be printed.
    pub currency: String,
    pub code: CodeUrl,
    /// When the code expires, in the shop's time zone.
    pub expires: String,
    /// What is sold, where that is known.
    pub goods: Goods,
    /// What was paid of them before, as formatted like the amount; empty if nothing was.
    pub paid_before: String,
    pub is_training: bool,
}

impl Bill {
    /// The bill of an order; `None` unless its code can be scanned.
    pub fn of(attempt: &Attempt, config: &Config) -> Option<Self> {
        let code = attempt.code_to_show()?.clone();
        let Millis(lasts) = attempt.state.qr()?.expires_at();
        let lasts = i64::try_from(lasts).unwrap_or(i64::MAX);
        let expires = Timestamp(attempt.created_at.0.saturating_add(lasts));
        // By default the header is the store's name.
        let is_named = config.receipt.header.contains(&config.store.name);
        let store = Some(config.store.name.clone()).filter(|_| !is_named);
        // The rest of a sale of which a part was taken in cash.
        let before = attempt.sold.due.minor().saturating_sub(attempt.amount.minor());
        let has_lines = !attempt.sold.lines.is_empty();
        let before =
            Some(Money::from_minor(before)).filter(|sum| has_lines && *sum > Money::default());
        Some(Self {
            header: store.into_iter().chain(config.receipt.header.clone()).collect(),
            till: config.till.id.as_str().to_owned(),
            out_trade_no: attempt.out_trade_no.clone(),
            amount: attempt.currency.group(attempt.amount),
            symbol: attempt.currency.symbol().to_owned(),
            currency: attempt.currency.code().to_owned(),
            code,
            expires: expires.local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
            goods: Goods::of(&attempt.sold, attempt.currency),
            paid_before: before.map(|sum| attempt.currency.group(sum)).unwrap_or_default(),
            is_training: matches!(config.gateway, GatewayConfig::Simulator),
        })
    }

    fn is_plain_but_for_the_sign(&self) -> bool {
        let names = self.goods.lines.iter().flat_map(|line| [&line.name, &line.count]);
        self.header.iter().chain(names).all(|text| text.is_ascii())
    }

    fn lay_out(&self, symbol: &str, paper: Paper, language: Language) -> Vec<ReceiptPart> {
        let words = ReceiptWords::of(language);
        let mut builder = ReceiptBuilder { width: paper.columns(), parts: Vec::new() };
        for line in &self.header {
            builder.centred(line);
        }
        builder.marks(self.is_training, 0, language);
        builder.large(words.scan_to_pay());
        builder.rule();
        self.goods.lay_out(&mut builder, language);
        if !self.paid_before.is_empty() {
            builder.pair(words.paid_before(), &price(symbol, &self.paid_before));
        }
        builder.large(&price(symbol, &self.amount));
        builder.code(&self.code);
        builder.centred(words.scan_with_wechat());
        builder.rule();
        builder.pair(words.valid_until(), &self.expires);
        builder.pair(words.till(), &self.till);
        builder.pair(words.order_number(), self.out_trade_no.as_str());
        builder.rule();
        builder.large(words.no_receipt());
        builder.left(words.receipt_follows());
        builder.marks(self.is_training, 0, language);
        builder.parts
    }

    /// As text, a line for each on paper. The code is shown in brackets.
    pub fn text(&self, paper: Paper, language: Language) -> String {
        as_text(self.lay_out(&self.symbol, paper, language), paper)
    }

    /// As bytes, from the printer's reset to the cut.
    pub fn print(&self, form: &Form, language: Language) -> Vec<u8> {
        let is_plain = self.is_plain_but_for_the_sign();
        let by_code = escpos::names_the_currency(form, language, is_plain);
        let symbol = if by_code { &self.currency } else { &self.symbol };
        escpos::print_page(self.lay_out(symbol, form.paper, language), form)
    }
}
