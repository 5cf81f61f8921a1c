//! The slip of a refund: what was given back of which order, and whether it is there or on its way.

use super::{Form, ReceiptBuilder, ReceiptPart, escpos, price};
use crate::config::{Config, GatewayConfig, Paper};
use crate::engine::By;
use crate::journal::RefundPaper;
use crate::language::Language;
use crate::order::OutTradeNo;
use crate::refund::{OutRefundNo, RefundState, RefundStatus};
use crate::text::receipt::ReceiptWords;

/// What the slip of a refund says of the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundOutcome {
    /// The gateway has accepted it, which is not done.
    OnItsWay,
    Done,
    InCash,
}

impl RefundOutcome {
    /// `None` where no money goes back, or nobody knows.
    pub const fn of(refund: &RefundState) -> Option<Self> {
        match refund.status() {
            RefundStatus::Accepted => Some(Self::OnItsWay),
            RefundStatus::Done if refund.is_cash() => Some(Self::InCash),
            RefundStatus::Done => Some(Self::Done),
            RefundStatus::Sent
            | RefundStatus::Checking
            | RefundStatus::Refused
            | RefundStatus::Attention => None,
        }
    }
}

/// What is printed of one refund. Its texts may hold anything, as those of [`super::Slip`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundSlip {
    /// Lines at the top.
    pub header: Vec<String>,
    pub store: String,
    pub till: String,
    pub outcome: RefundOutcome,
    /// As formatted by [`crate::money::Currency::group`].
    pub amount: String,
    /// As given by [`crate::money::Currency::symbol`].
    pub symbol: String,
    /// As given by [`crate::money::Currency::code`], where the sign cannot be printed.
    pub currency: String,
    pub out_trade_no: OutTradeNo,
    pub out_refund_no: OutRefundNo,
    /// When it came to where it is, in the shop's time zone.
    pub time: String,
    pub reason: String,
    /// Who has given it back, and which manager has agreed.
    pub by: Option<By>,
    /// Lines at the bottom.
    pub footer: Vec<String>,
    /// Which copy it is; 0 for none.
    pub copy: u32,
    pub is_training: bool,
}

impl RefundSlip {
    /// The slip of a refund as it is; `None` where there is nothing to prove.
    pub fn of(paper: &RefundPaper, config: &Config, copy: u32) -> Option<Self> {
        let RefundPaper { refund, by } = paper;
        // By default the header already begins with the store's name.
        let named = config.receipt.header.first() == Some(&config.store.name);
        let at = refund.state.proof().map_or(refund.updated_at, |proof| proof.done_at);
        Some(Self {
            header: config.receipt.header.clone(),
            store: if named { String::new() } else { config.store.name.clone() },
            till: config.till.id.as_str().to_owned(),
            outcome: RefundOutcome::of(&refund.state)?,
            amount: refund.currency.group(refund.amount),
            symbol: refund.currency.symbol().to_owned(),
            currency: refund.currency.code().to_owned(),
            out_trade_no: refund.out_trade_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            time: at.local("%Y-%m-%d %H:%M:%S", &config.store.time_zone),
            reason: refund.reason.clone(),
            by: by.clone(),
            footer: config.receipt.footer.clone(),
            copy,
            is_training: matches!(config.gateway, GatewayConfig::Simulator),
        })
    }

    /// Whether nothing but the currency's sign needs a font beyond ASCII.
    fn is_plain_but_for_the_sign(&self) -> bool {
        let names = self.by.iter().flat_map(|by| [Some(&by.operator), by.consent.as_ref()]);
        let texts = self.header.iter().chain(&self.footer).chain([&self.store, &self.reason]);
        texts.chain(names.flatten()).all(|text| text.is_ascii())
    }

    pub(super) fn lay_out(
        &self,
        symbol: &str,
        paper: Paper,
        language: Language,
    ) -> Vec<ReceiptPart> {
        let words = ReceiptWords::of(language);
        let mut builder = ReceiptBuilder { width: paper.columns(), parts: Vec::new() };
        for line in &self.header {
            builder.centred(line);
        }
        builder.marks(self.is_training, self.copy, language);
        builder.centred(words.refund_slip());
        builder.rule();
        builder.large(&price(symbol, &self.amount));
        let (word, sentence) = match self.outcome {
            RefundOutcome::OnItsWay => (words.on_its_way(), words.refund_on_its_way()),
            RefundOutcome::Done => (words.refunded(), words.refund_done()),
            RefundOutcome::InCash => (words.refunded(), words.refund_in_cash()),
        };
        builder.large(word);
        builder.left(sentence);
        builder.rule();
        builder.pair(words.store(), &self.store);
        builder.pair(words.till(), &self.till);
        builder.pair(words.refund_reason(), &self.reason);
        if let Some(By { operator, consent }) = &self.by {
            builder.pair(words.refunded_by(), operator);
            builder.pair(words.agreed_by(), consent.as_deref().unwrap_or_default());
        }
        builder.pair(words.time(), &self.time);
        builder.pair(words.order_number(), self.out_trade_no.as_str());
        builder.pair(words.refund_number(), self.out_refund_no.as_str());
        builder.rule();
        // By the order's number it is found again.
        builder.barcode(self.out_trade_no.as_str(), paper);
        for line in &self.footer {
            builder.centred(line);
        }
        builder.marks(self.is_training, self.copy, language);
        builder.parts
    }

    /// As text, a line for each on paper. Codes are shown in brackets.
    pub fn text(&self, paper: Paper, language: Language) -> String {
        super::as_text(self.lay_out(&self.symbol, paper, language), paper)
    }

    /// As bytes, from the printer's reset to the cut.
    pub fn print(&self, form: &Form, language: Language) -> Vec<u8> {
        let is_plain = self.is_plain_but_for_the_sign();
        let by_code = escpos::names_the_currency(form, language, is_plain);
        let symbol = if by_code { &self.currency } else { &self.symbol };
        escpos::print_page(self.lay_out(symbol, form.paper, language), form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::tests::paper::Printout;
    use crate::receipt::{Paper, Profile};

    fn slip() -> RefundSlip {
        RefundSlip {
            header: vec!["幸福超市".into(), "示范路1号".into()],
            store: "幸福超市南门店".into(),
            till: "T01".into(),
            outcome: RefundOutcome::OnItsWay,
            amount: "2.30".into(),
            symbol: "￥".into(),
            currency: "CNY".into(),
            out_trade_no: "T01261122113000123456".to_owned().try_into().unwrap(),
            out_refund_no: "T01261122113000123456R010007".to_owned().try_into().unwrap(),
            time: "2026-11-22 11:40:00".into(),
            reason: "顾客退货".into(),
            by: Some(By { operator: "李娜".into(), consent: Some("王芳".into()) }),
            footer: vec!["谢谢惠顾".into()],
            copy: 0,
            is_training: false,
        }
    }

    fn english_slip() -> RefundSlip {
        RefundSlip {
            header: vec!["Corner Coffee".into()],
            store: "Corner Coffee".into(),
            reason: "Goods returned".into(),
            by: Some(By { operator: "Anna".into(), consent: Some("Ben".into()) }),
            footer: vec!["Thank you".into()],
            ..slip()
        }
    }

    const OUTCOMES: [RefundOutcome; 3] =
        [RefundOutcome::OnItsWay, RefundOutcome::Done, RefundOutcome::InCash];

    #[test]
    fn every_slip_of_a_refund_on_every_paper_in_every_language() {
        let mut all = String::new();
        for (language, slip) in [(Language::Chinese, slip()), (Language::English, english_slip())] {
            for paper in [Paper::Mm58, Paper::Mm80] {
                for outcome in OUTCOMES {
                    all += &RefundSlip { outcome, ..slip.clone() }.text(paper, language);
                    all += "\n";
                }
                let copy = RefundSlip { copy: 2, is_training: true, ..slip.clone() };
                all += &copy.text(paper, language);
                all += "\n";
            }
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn no_line_is_wider_than_its_paper_and_accepted_is_not_called_refunded() {
        for (language, slip) in [(Language::Chinese, slip()), (Language::English, english_slip())] {
            for paper in [Paper::Mm58, Paper::Mm80] {
                for outcome in OUTCOMES {
                    let slip = RefundSlip { outcome, ..slip.clone() };
                    let words = ReceiptWords::of(language);
                    let text = slip.text(paper, language);
                    let is_done = text.lines().any(|line| line.trim() == words.refunded());
                    assert_eq!(is_done, outcome != RefundOutcome::OnItsWay, "{text}");
                    for line in text.lines().filter(|line| !line.starts_with('[')) {
                        assert!(crate::encode::columns(line) <= paper.columns(), "{line}");
                    }
                    for profile in Profile::ALL {
                        let form = Form { paper, profile, logo: None };
                        Printout::read(&slip.print(&form, language)).unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn who_gave_it_back_and_who_agreed_is_on_it_where_somebody_was_signed_in() {
        let text = |by| RefundSlip { by, ..slip() }.text(Paper::Mm58, Language::Chinese);
        let alone = text(Some(By { operator: "李娜".into(), consent: None }));
        assert!(alone.contains("李娜") && !alone.contains("王芳"), "{alone}");
        assert!(!text(None).contains("李娜"));
    }
}
