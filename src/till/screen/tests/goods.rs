//! The sale that is rung up: lines, quantities, discounts, the search, and what is put aside.

use super::*;
use crate::goods::Good;
use crate::operators::Role;
use crate::sale::{Line, Quantity, Sale, Sold};

const COLA: &str = "6901234567892";
const APPLES: &str = "2100123003454";

fn good(code: &str, name: &str, price: i64) -> Good {
    let rate = Rate::from_hundredths(1300).unwrap();
    let price = Money::from_minor(price);
    Good { code: code.into(), name: name.into(), unit: String::new(), price, rate }
}

fn cola() -> Line {
    good(COLA, "可口可乐 330ml", 350).line(Quantity::ONE)
}

impl ScreenBench {
    fn scan_goods(&mut self, code: &str) -> Vec<ScreenCommand> {
        self.now += 700;
        self.send(ScreenMessage::Scanned(Scan::Goods(code.into())))
    }

    fn answer_goods(&mut self, command: &[ScreenCommand], found: Found) {
        let [ScreenCommand::Goods(GoodsCommand::Find { serial, .. })] = command else {
            panic!("{command:?}")
        };
        self.now += 1;
        self.send(ScreenMessage::Goods(GoodsMessage::Found { serial: *serial, found }));
    }

    /// Scans a product that the catalogue has.
    fn ring(&mut self, line: Line) {
        let asked = self.scan_goods(&line.code.clone());
        self.answer_goods(&asked, Found::Line(Box::new(line), false));
    }

    fn entered(&mut self, text: &str) -> Vec<ScreenCommand> {
        self.type_text(text);
        self.key(Key::Enter)
    }

    fn sold(&self) -> Sold {
        self.model.rung_up().unwrap_or_default()
    }

    fn due(&self) -> i64 {
        self.sold().due.minor()
    }

    fn note(&self) -> String {
        self.model
            .note
            .as_ref()
            .map_or_else(String::new, |note| note.text(Language::English, "max"))
    }
}

/// Two of cola, apples by weight, and an amount.
fn rung_up() -> ScreenBench {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Held(Ok(Vec::new()))));
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    bench.ring(cola());
    bench.ring(cola());
    let weight = Quantity::from_thousandths(345).unwrap();
    let apples = Line { unit: "千克".into(), ..good("123", "苹果", 1280).line(weight) };
    let asked = bench.scan_goods(APPLES);
    bench.answer_goods(&asked, Found::Line(Box::new(apples), true));
    bench.entered("2");
    bench
}

#[test]
fn a_scanned_product_is_a_line_and_enter_charges_the_sum() {
    let mut bench = rung_up();
    let sold = bench.sold();
    let lines: Vec<(&str, String, i64)> = sold
        .lines
        .iter()
        .map(|line| (line.name.as_str(), line.quantity.show(), line.net.minor()))
        .collect();
    assert_eq!(
        lines,
        [("可口可乐 330ml", "2".into(), 700), ("苹果", "0.345".into(), 442), ("", "1".into(), 200)]
    );
    bench.key(Key::Enter);
    let sale = SaleRef::New(Money::from_minor(1342));
    assert_eq!(bench.scan(7), [ScreenCommand::Begin { sale, code: code(7) }]);
    assert_eq!(bench.model.sold_for(sale), sold);
    assert_eq!(bench.model.sold_for(SaleRef::New(Money::from_minor(1341))), Sold::default());
    assert_eq!(bench.model.sold_for(SaleRef::Again(1, sold.due)), Sold::default());
    let payment = bench.obey(sale);
    bench.answer(payment, Says::Paid(proof()));
    assert!(bench.model.ring_up.is_empty());
    // The next product begins the next sale.
    bench.ring(cola());
    assert_eq!(bench.due(), 350);
}

#[test]
fn an_amount_alone_is_a_sale_without_lines() {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    let payment = bench.charge("12.5", 1);
    assert!(bench.model.ring_up.is_empty() && bench.model.ring_up.charged.is_none());
    bench.answer(payment, Says::Paid(proof()));
}

#[test]
fn without_a_catalogue_a_product_is_refused_as_before() {
    let mut bench = ScreenBench::new(settings());
    let asked = bench.scan_goods(COLA);
    bench.answer_goods(&asked, Found::NoCatalogue(COLA.into()));
    assert!(bench.note().contains("product barcode (6901234567892). Nothing was sent."));
    assert!(bench.model.ring_up.is_empty());
}

#[test]
fn an_unknown_code_says_so_and_rings() {
    let mut bench = rung_up();
    let (due, rings) = (bench.due(), bench.model.rings());
    let asked = bench.scan_goods("96385074");
    bench.answer_goods(&asked, Found::Nothing("96385074".into()));
    assert_eq!((bench.due(), bench.model.rings()), (due, rings + 1));
    assert!(bench.note().contains("has the code 96385074"));
    let asked = bench.scan_goods(COLA);
    bench.answer_goods(&asked, Found::Failed(crate::both!("gone", "无")));
    assert!(bench.note().contains("gone") && bench.due() == due);
}

#[test]
fn a_sale_is_not_charged_while_a_product_is_looked_up() {
    let mut bench = rung_up();
    let asked = bench.scan_goods(COLA);
    bench.key(Key::Enter);
    assert!(bench.note().contains("still being looked up"));
    bench.answer_goods(&asked, Found::Line(Box::new(cola()), false));
    bench.key(Key::Enter);
    let sale = SaleRef::New(Money::from_minor(1692));
    assert_eq!(bench.scan(7), [ScreenCommand::Begin { sale, code: code(7) }]);
}

#[test]
fn what_is_never_answered_holds_nothing_up() {
    let mut bench = ScreenBench::new(settings());
    bench.scan_goods(COLA);
    bench.entered("12.5");
    assert_eq!(bench.model.takes_codes(), Some(SaleRef::New(Money::from_minor(1250))));
    let mut bench = rung_up();
    let asked = bench.scan_goods(COLA);
    bench.wait(6000);
    bench.key(Key::Enter);
    assert!(bench.note().contains("scan it again") && bench.model.takes_codes().is_none());
    // Nobody adds to a sale behind the cashier's back.
    bench.answer_goods(&asked, Found::Line(Box::new(cola()), false));
    assert_eq!(bench.due(), 1342);
    bench.key(Key::Enter);
    assert!(bench.model.takes_codes().is_some());
}

#[test]
fn a_payment_code_is_no_product_and_a_product_is_no_payment() {
    let mut bench = rung_up();
    assert!(bench.scan(7).is_empty());
    assert!(bench.note().contains("WeChat payment code") && bench.due() == 1342);
    bench.key(Key::Enter);
    assert!(bench.scan_goods(COLA).is_empty(), "while the payment code is asked for");
    assert!(bench.note().contains("product barcode"));
    // Back at the lines, nothing is lost.
    bench.key(Key::Esc);
    assert_eq!(bench.due(), 1342);
}

#[test]
fn a_number_and_a_star_are_a_quantity() {
    let mut bench = ScreenBench::new(settings());
    bench.type_text("3*");
    bench.ring(cola());
    assert_eq!((bench.due(), bench.sold().lines.len()), (1050, 1));
    for (typed, due) in [("5*", 1750), ("2*", 700), ("1*0.5", 750), ("3＊2", 1350)] {
        bench.entered(typed);
        assert_eq!(bench.due(), due, "{typed}");
    }
    // The marked line, and not always the last.
    bench.key(Key::Up);
    bench.key(Key::Up);
    bench.entered("0*");
    assert_eq!((bench.due(), bench.sold().lines.len()), (650, 2));
    for typed in ["0.0001*", "*", "3*x", "999999*"] {
        bench.entered(typed);
        assert_eq!(bench.due(), 650, "{typed}");
        bench.key(Key::Esc);
    }
    bench.entered("0*");
    bench.entered("0*");
    assert!(bench.model.ring_up.is_empty());
    // A quantity of an amount, without any catalogue.
    bench.entered("3*12.5");
    assert_eq!(bench.due(), 3750);
}

#[test]
fn a_label_from_the_scales_stands_for_one_package() {
    let mut bench = ScreenBench::new(settings());
    let mut labelled = good("123", "苹果", 1280).line(Quantity::from_thousandths(345).unwrap());
    labelled.label = Some(Money::from_minor(442));
    for _ in 0..2 {
        let asked = bench.scan_goods(APPLES);
        bench.answer_goods(&asked, Found::Line(Box::new(labelled.clone()), true));
    }
    assert_eq!((bench.sold().lines.len(), bench.due()), (2, 884));
    bench.type_text("3*");
    let asked = bench.scan_goods(APPLES);
    bench.answer_goods(&asked, Found::Line(Box::new(labelled), true));
    assert!(bench.note().contains("scan each") && bench.due() == 884);
    bench.key(Key::Enter);
    assert!(bench.note().contains("scan each") && bench.due() == 884);
}

#[test]
fn a_discount_is_on_the_marked_line_or_below_on_the_whole_sale() {
    let mut bench = ScreenBench::new(settings());
    bench.ring(cola());
    bench.entered("10");
    bench.entered("10%");
    assert_eq!(bench.due(), 1250);
    bench.key(Key::Down);
    bench.entered("-2.5");
    assert_eq!((bench.due(), bench.sold().discount.minor()), (1000, 250));
    bench.entered("-20");
    assert!(bench.note().contains("cannot be more") && bench.due() == 1000);
    bench.key(Key::Esc);
    bench.entered("0%");
    assert_eq!(bench.due(), 1250);
    bench.entered("100%");
    assert_eq!(bench.due(), 0);
    bench.key(Key::Enter);
    assert!(bench.note().contains("nothing to pay"));
    // Without lines these are no signs of anything.
    let mut bench = ScreenBench::new(settings());
    bench.type_text("-1");
    assert!(bench.note().contains("cannot contain"), "{}", bench.note());
}

#[test]
fn more_than_the_limit_is_taken_off_only_with_a_manager() {
    let limit = Rate::from_hundredths(1000).unwrap();
    let mut bench = ScreenBench::new(Settings { discount_limit: limit, ..settings() });
    bench.entered("1*100");
    bench.entered("10%");
    assert_eq!(bench.due(), 9000);
    bench.entered("10.01%");
    assert!(bench.note().contains("limit for discounts is 10%") && bench.due() == 9000);
    bench.key(Key::Esc);
    bench.key(Key::Down);
    // Both together count.
    bench.entered("1%");
    assert_eq!(bench.due(), 9000);

    let staffed = Settings { discount_limit: limit, operators: true, ..settings() };
    let mut bench = ScreenBench::new(staffed);
    sign_in(&mut bench, "Bob", Role::Cashier);
    bench.entered("1*100");
    assert!(bench.entered("50%").is_empty());
    assert!(bench.model.is_locked() && bench.due() == 10_000);
    let act = sign_in(&mut bench, "Anna", Role::Manager);
    let [ScreenCommand::Goods(GoodsCommand::Change(sale))] = &act[..] else { panic!("{act:?}") };
    assert_eq!(bench.model.by().unwrap().consent.as_deref(), Some("Anna"));
    let agreed = Sale { consent: Some("Anna".into()), ..(**sale).clone() };
    bench.send(ScreenMessage::Goods(GoodsMessage::Changed(Box::new(agreed))));
    assert_eq!((bench.due(), bench.sold().consent.as_deref()), (5000, Some("Anna")));
    // What takes no more off needs nobody.
    bench.entered("40%");
    assert_eq!(bench.due(), 6000);
}

/// Types a PIN, whose it is.
fn sign_in(bench: &mut ScreenBench, name: &str, role: Role) -> Vec<ScreenCommand> {
    bench.type_text("2580");
    let asked = bench.key(Key::Enter);
    let [ScreenCommand::SignIn { serial, .. }] = asked[..] else { panic!("{asked:?}") };
    let operator = Operator { name: name.into(), role };
    bench.now += 2000;
    bench.send(ScreenMessage::SignedIn { serial, found: Ok(Some(operator)) })
}

#[test]
fn esc_asks_before_the_lines_are_discarded() {
    let mut bench = rung_up();
    bench.type_text("5");
    bench.key(Key::Esc);
    assert_eq!((bench.due(), bench.model.is_asking()), (1342, false), "only what was typed");
    bench.key(Key::Esc);
    assert!(bench.model.is_asking());
    bench.key(Key::Esc);
    assert_eq!(bench.due(), 1342);
    bench.key(Key::Esc);
    bench.wait(1000);
    bench.key(Key::Enter);
    assert!(bench.model.ring_up.is_empty());
}

#[test]
fn a_sale_is_put_aside_and_comes_back() {
    let mut bench = rung_up();
    let before = bench.model.ring_up.sale.clone();
    let kept = bench.key(Key::F(3));
    let [ScreenCommand::Goods(GoodsCommand::Keep(held))] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((held.len(), &held[0].sale), (1, &before));
    assert!(bench.model.ring_up.is_empty() && bench.note().is_empty(), "it is not on disk yet");
    bench.send(ScreenMessage::Goods(GoodsMessage::Kept));
    assert!(bench.note().contains("on hold"));
    let payment = bench.charge("5", 1);
    bench.answer(payment, Says::Paid(proof()));
    bench.key(Key::F(3));
    let drawn = bench.drawn(80, 24);
    assert!(drawn.contains("￥13.42") && drawn.contains("lines: 3"), "{drawn}");
    let kept = bench.key(Key::Enter);
    assert_eq!(kept, [ScreenCommand::Goods(GoodsCommand::Keep(Vec::new()))]);
    assert_eq!(bench.model.ring_up.sale, before);
    // What an earlier run has left.
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    bench.send(ScreenMessage::Goods(GoodsMessage::Held(Ok(Vec::new()))));
    bench.key(Key::F(3));
    assert!(bench.note().contains("No sale is on hold"));
    let held = vec![crate::sale::Held { at: Timestamp(NOON), sale: before.clone() }];
    bench.send(ScreenMessage::Goods(GoodsMessage::Held(Ok(held))));
    bench.key(Key::F(3));
    bench.key(Key::Enter);
    assert_eq!(bench.model.ring_up.sale, before);
}

#[test]
fn the_lines_of_a_payment_that_was_not_made_come_back_and_of_others_not() {
    let mut bench = rung_up();
    let before = bench.model.ring_up.sale.clone();
    bench.key(Key::Enter);
    let payment = bench.begin(1);
    bench.key(Key::F(3));
    assert!(bench.model.ring_up.is_empty(), "while it goes on");
    bench.answer(payment, Says::Declined(reason("NOTENOUGH")));
    bench.key(Key::F(3));
    assert_eq!(bench.model.ring_up.sale, before);
    assert!(matches!(bench.model.task, pages::checkout::CashierTask::Amount { .. }));
    bench.key(Key::Enter);
    let payment = bench.begin(2);
    bench.answer(payment, Says::Paid(proof()));
    bench.key(Key::F(3));
    assert!(bench.model.ring_up.is_empty());
}

#[test]
fn a_product_is_searched_for_and_added() {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    bench.type_text("2*");
    bench.key(Key::F(2));
    for letter in "kkkl".chars() {
        bench.key(Key::Char(letter));
    }
    let searches: Vec<_> = bench
        .commands
        .iter()
        .filter_map(|command| match command {
            ScreenCommand::Goods(GoodsCommand::Search { serial, typed }) => {
                Some((*serial, typed.as_str()))
            }
            _ => None,
        })
        .collect();
    let (last, typed) = *searches.last().unwrap();
    assert_eq!((searches.len(), typed), (5, "kkkl"));
    let found = |serial, name: &str| {
        let listed = Ok((vec![good("1", "other", 100), good(COLA, name, 350)], 2));
        ScreenMessage::Goods(GoodsMessage::Listed { serial, listed })
    };
    bench.send(found(last - 1, "of an earlier search"));
    assert!(!bench.drawn(80, 24).contains("earlier"));
    bench.send(found(last, "可口可乐 330ml"));
    assert!(bench.drawn(80, 24).contains("可口可乐 330ml"));
    bench.key(Key::Down);
    bench.key(Key::Enter);
    assert_eq!((bench.due(), bench.model.dialog.is_none()), (700, true));
}

#[test]
fn the_customer_sees_the_sum_while_it_is_rung_up() {
    let bench = rung_up();
    let view = bench.model.for_the_customer();
    let amount = Money::from_minor(1342);
    assert_eq!(
        view,
        crate::display::View::Sale { amount, stage: crate::display::SaleStage::Typing }
    );
}

#[test]
fn no_open_payment_comes_to_the_desk_while_lines_are_there() {
    let mut bench = ScreenBench::new(settings());
    let payment = bench.charge("5", 1);
    bench.answer(payment, Says::Paying);
    bench.key(Key::Ctrl('n'));
    bench.ring(cola());
    bench.key(Key::Tab);
    assert!(bench.note().contains("Finish this sale first") && bench.due() == 350);
    bench.later(payment, 6000);
    bench.answer(payment, Says::Paid(proof()));
    bench.wait(2000);
    bench.key(Key::Enter);
    assert!(bench.model.takes_codes().is_some(), "Enter is for the lines as well");
}

#[test]
fn pictures_of_a_sale_with_lines() {
    let mut bench = rung_up();
    bench.key(Key::Up);
    bench.entered("10%");
    pictures("goods_lines", &mut bench);
    bench.key(Key::Down);
    bench.key(Key::Down);
    bench.entered("-1");
    bench.type_text("3*");
    pictures("goods_quantity", &mut bench);
    bench.key(Key::F(2));
    let serial = bench.model.ring_up.serial;
    let apples = Good { unit: "千克".into(), ..good("123", "苹果", 1280) };
    let listed = Ok((vec![good(COLA, "可口可乐 330ml", 350), apples], 2));
    bench.send(ScreenMessage::Goods(GoodsMessage::Listed { serial, listed }));
    pictures("goods_search", &mut bench);
}

#[test]
fn what_the_lines_come_to_is_paid_in_cash_too() {
    let mut bench = rung_up();
    let sold = bench.sold();
    assert_eq!(bench.key(Key::F(6)), []);
    bench.type_text("20");
    bench.now += 2_000;
    let sale = SaleRef::New(Money::from_minor(1342));
    let tendered = Money::from_minor(2000);
    assert_eq!(bench.key(Key::Enter), [ScreenCommand::TakeCash { sale, tendered }]);
    assert_eq!(bench.model.sold_for(sale), sold, "the journal has the lines");
    bench.cash(sale, 2000);
    assert!(bench.model.ring_up.is_empty(), "the next customer begins with nothing");
}

#[test]
fn the_drawer_is_behind_no_line_that_has_no_price_yet() {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    bench.scan_goods(COLA);
    assert!(!bench.model.can_take_cash(), "what it costs is still being looked up");
}

#[test]
fn nothing_is_put_aside_or_said_not_to_be_before_what_an_earlier_run_has_left_is_read() {
    let mut bench = ScreenBench::new(settings());
    bench.send(ScreenMessage::Goods(GoodsMessage::Catalogue(true)));
    assert_eq!(bench.key(Key::F(3)), []);
    assert_eq!(bench.note(), "The sales on hold are still being read.");
    bench.ring(cola());
    assert_eq!(bench.key(Key::F(3)), [], "it would take the place of those");
    assert_eq!(bench.due(), 350);
    bench.send(ScreenMessage::Goods(GoodsMessage::Held(Ok(Vec::new()))));
    assert!(matches!(bench.key(Key::F(3))[..], [ScreenCommand::Goods(GoodsCommand::Keep(_))]));
}
