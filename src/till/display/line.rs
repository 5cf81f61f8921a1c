//! A view as a line of JSON, from the till to `paytill customer-view`.

use serde::{Deserialize, Serialize};

use super::{SaleStage, View};
use crate::money::Money;
use crate::order::CodeUrl;
use crate::payment::Status;

/// The longest line; a longer one is not the till's.
pub const LONGEST_LINE: usize = 512;

const WELCOME: &str = "welcome";
const TYPING: &str = "typing";
const CODE: &str = "code";
const SCAN: &str = "scan";
const CHANGE: &str = "change";

/// What the customer's screen is told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Told {
    pub view: View,
    /// Whether no money moves.
    pub is_training: bool,
    /// What the customer is to scan, where the stage is to scan.
    pub code: Option<CodeUrl>,
}

#[derive(Deserialize, Serialize)]
struct Line<'a> {
    /// A status is called as in section 2 of the interface.
    stage: &'a str,
    /// In the minor unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    /// What the customer gave, and gets back, where the stage is `change`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<i64>,
    #[serde(default)]
    training: bool,
    /// The text of the code, where the stage is `scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<CodeUrl>,
}

impl Told {
    /// With its line end.
    pub fn to_line(&self) -> String {
        let (mut given_back, mut tendered) = (None, None);
        let (stage, amount) = match self.view {
            View::Welcome => (WELCOME, None),
            View::Sale { amount, stage } => {
                let word = match stage {
                    SaleStage::Typing => TYPING,
                    SaleStage::Code => CODE,
                    SaleStage::Scan => SCAN,
                    SaleStage::Payment(status) => status.word(),
                    SaleStage::Change { given, change } => {
                        (tendered, given_back) = (Some(given.minor()), Some(change.minor()));
                        CHANGE
                    }
                };
                (word, Some(amount.minor()))
            }
        };
        let (given, change) = (tendered, given_back);
        let url = self.code.clone();
        let line = Line { stage, amount, given, change, training: self.is_training, url };
        // A few words and numbers cannot fail.
        serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
    }

    /// `None` if it says nothing that this version understands.
    pub fn from_line(line: &str) -> Option<Self> {
        let line = serde_json::from_str(line).ok()?;
        let Line { stage, amount, given, change, training, url } = line;
        let stage = match stage {
            WELCOME => {
                return Some(Self { view: View::Welcome, is_training: training, code: None });
            }
            TYPING => SaleStage::Typing,
            CODE => SaleStage::Code,
            SCAN => SaleStage::Scan,
            CHANGE => SaleStage::Change { given: money(given)?, change: money(change)? },
            word => SaleStage::Payment(Status::from_word(word)?),
        };
        let amount = money(amount)?;
        let code = url.filter(|_| stage == SaleStage::Scan);
        Some(Self { view: View::Sale { amount, stage }, is_training: training, code })
    }
}

fn money(minor: Option<i64>) -> Option<Money> {
    minor.filter(|minor| *minor >= 0).map(Money::from_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_put_into_it() {
        let (given, change) = (Money::from_minor(10_000), Money::from_minor(2000));
        let change = SaleStage::Change { given, change };
        let stages = [SaleStage::Typing, SaleStage::Code, SaleStage::Scan, change]
            .into_iter()
            .chain(Status::ALL.map(SaleStage::Payment));
        let amount = Money::from_minor(999_999_999);
        let sales = stages.map(|stage| View::Sale { amount, stage });
        for view in sales.chain([View::Welcome]) {
            for is_training in [true, false] {
                // The worst that a code can do to a line.
                let url = format!("weixin://{}", "\"".repeat(CodeUrl::LONGEST - 9));
                let is_scan = matches!(view, View::Sale { stage: SaleStage::Scan, .. });
                let code = is_scan.then(|| CodeUrl::try_from(url).unwrap());
                let told = Told { view, is_training, code };
                let line = told.to_line();
                assert!(line.len() <= LONGEST_LINE && line.ends_with('\n'), "{line}");
                assert_eq!(Told::from_line(&line), Some(told), "{line}");
            }
        }
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for line in [
            "",
            "{}",
            r#"{"stage":"paid"}"#,
            r#"{"stage":"paid","amount":-1}"#,
            r#"{"stage":"paid","amount":1.5}"#,
            r#"{"stage":"rich","amount":1}"#,
            r#"{"stage":"change","amount":1,"given":2}"#,
        ] {
            assert_eq!(Told::from_line(line), None, "{line}");
        }
    }
}
