//! What was sold, on paper.

use super::*;
use crate::money::Currency;
use crate::sale::{Discount, Line, Quantity, Rate, Sale};

#[test]
fn what_was_sold_is_listed_with_quantities_discounts_and_the_tax_in_it() {
    let rate = |hundredths| Rate::from_hundredths(hundredths).unwrap();
    let line = |name: &str, price, thousandths| Line {
        name: name.into(),
        rate: rate(1300),
        ..Line::of_amount(
            Money::from_minor(price),
            Quantity::from_thousandths(thousandths).unwrap(),
        )
    };
    let mut cola = line("可口可乐330ml", 350, 3000);
    cola.discount = Some(Discount::Part(rate(1000)));
    let apples = Line { unit: "千克".into(), rate: rate(900), ..line("苹果", 1280, 345) };
    let long = line("康师傅红烧牛肉面五连包家庭装特惠", 1590, 1000);
    let lines = vec![cola, apples, long, Line { rate: rate(0), ..line("", 200, 1000) }];
    let discount = Some(Discount::Amount(Money::from_minor(100)));
    let sold = Sale { lines, discount, consent: None }.total().unwrap();
    let currency = Currency::CNY;
    let amount = currency.group(sold.due);
    let slip = Slip { goods: Goods::of(&sold, currency), amount, note: String::new(), ..slip() };
    let said = text(&slip, Paper::Mm58, Language::Chinese);
    insta::assert_snapshot!(said.lines().skip(4).take(12).collect::<Vec<_>>().join("\n"), @r"
    可口可乐330ml
    3 x 3.50                   10.50
    折扣                       -1.05
    苹果
    0.345千克 x 12.80           4.42
    康师傅红烧牛肉面五连包家庭装特惠
                               15.90
    商品                        2.00
    整单折扣                   -1.00
    含税（9%）                  0.35
    含税（13%）                 2.82
    --------------------------------
    ");
    let reversed = ReceiptOutcome::Reversed { money_returned: true };
    let slip = Slip { outcome: reversed, ..slip };
    assert!(!text(&slip, Paper::Mm80, Language::English).contains("Discount"));
}
