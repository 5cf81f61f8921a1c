//! `paytill reconcile`: the simulated gateway's bill, downloaded and as a file, whole and changed,
//! against the journal of the till that sold.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use paytill::bill::beijing;
use paytill::clock::{Date, Timestamp};
use paytill::simulator::Bills;
use paytill_host::clock::Clock;

use crate::fixture::tui_session::{CTRL_Q, ESC, F10, TAB, TuiSession};
use crate::fixture::{PACE, PendingPayment, Ran, TestShop, code};

/// A shop whose gateway sells yesterday at noon, far from any midnight.
pub(crate) struct Shop {
    pub(crate) shop: TestShop,
    pub(crate) day: Date,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let day = Clock::start().wall().day(&beijing()).yesterday().unwrap();
        let noon = format!("{}120000", day.strftime("%Y%m%d"));
        let noon = Timestamp::from_beijing(&noon).unwrap();
        Self { shop: TestShop::open_at(None, PACE, 1, noon), day }
    }

    /// One where three customers have paid.
    fn with_three_sales() -> (Self, Vec<String>) {
        let shop = Self::open();
        let sales = ["12.34", "5.00", "8.00"].into_iter().zip(1..);
        let numbers = sales.map(|(amount, serial)| shop.pay(amount, &code("ok", serial), 0));
        let numbers = numbers.collect();
        (shop, numbers)
    }

    fn pay(&self, amount: &str, code: &str, exit: i32) -> String {
        let paid = self.shop.pay(amount, code);
        assert_eq!(paid.exit, exit, "{paid:?}");
        paid.last()["order_no"].as_str().unwrap().to_owned()
    }

    fn reconcile(&self, more: &[&str]) -> Output {
        let day = self.day.to_string();
        self.shop.run(&[&["reconcile", &day], more].concat())
    }

    pub(crate) fn json(&self, more: &[&str]) -> Ran {
        Ran::of(self.reconcile(&[more, &["--json"]].concat()))
    }

    /// What the gateway's bill says now.
    pub(crate) fn bill(&self) -> String {
        self.any_bill().unwrap()
    }

    fn any_bill(&self) -> Option<String> {
        let now = self.shop.server.now();
        let mut bank = self.shop.server.bank();
        bank.advance(now);
        bank.bill(self.day)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.shop.path().join(name), bytes).unwrap();
    }

    /// The differences of a bill with these rows, and the exit code.
    pub(crate) fn of_rows(&self, rows: &[String]) -> (i32, Vec<[String; 2]>) {
        self.put("changed.csv", whole(&self.bill(), rows));
        let ran = self.json(&["--bill", "changed.csv"]);
        let (last, differences) = ran.lines.split_last().unwrap_or_else(|| panic!("{ran:?}"));
        assert_eq!(last["differ"], differences.len(), "{ran:?}");
        let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
        let named = differences.iter().map(|line| [text(line, "kind"), text(line, "order_no")]);
        (ran.exit, named.collect())
    }

    /// Files that a bill may have left.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.shop.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        names.filter(|name| name.contains("bill")).collect()
    }
}

pub(crate) fn rows(bill: &str) -> Vec<String> {
    let lines = bill.lines().skip(1).take_while(|line| line.starts_with('`'));
    lines.map(str::to_owned).collect()
}

/// A bill with other rows, and the totals that they add up to.
fn whole(bill: &str, rows: &[String]) -> String {
    let lines: Vec<&str> = bill.lines().collect();
    let sum = |column: usize, decimals: u32| {
        let of_row = |row: &String| -> i64 {
            let value = row.split(",`").nth(column).unwrap();
            value.replace('.', "").parse().unwrap()
        };
        let (sum, unit) = (rows.iter().map(of_row).sum::<i64>(), 10_i64.pow(decimals));
        let sign = if sum < 0 { "-" } else { "" };
        format!(
            "{sign}{}.{:0width$}",
            sum.abs() / unit,
            sum.abs() % unit,
            width = decimals as usize
        )
    };
    let (settled, back, fee) = (sum(12, 2), sum(16, 2), sum(22, 5));
    let totals = format!("`{},`{settled},`{back},`0.00,`{fee},`{settled},`{back}", rows.len());
    let names = lines[lines.len() - 2];
    format!("{}\r\n{}\r\n{names}\r\n{totals}\r\n", lines[0], rows.join("\r\n"))
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

#[test]
fn a_days_bill_is_downloaded_and_agrees_with_the_journal() {
    let (shop, _) = Shop::with_three_sales();
    shop.pay("3.00", &code("notenough", 4), 10);
    shop.pay("4.00", &code("walks-away", 5), 11);
    // Paid while it was being reversed: the money came and went.
    shop.pay("6.00", &code("pays-during-reversal", 6), 11);
    let ran = shop.json(&[]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let [last] = &ran.lines[..] else { panic!("{ran:?}") };
    for (name, value) in [
        ("differ", 0),
        ("matched", 4),
        ("journal_rows", 4),
        ("bill_rows", 5),
        ("payments", 4),
        ("paid", 3134),
        ("refunds", 1),
        ("refunded", 600),
        // 7, 3, 5, and 4 that came and went.
        ("fees", 15),
        ("net", 2519),
    ] {
        assert_eq!(last[name], value, "{name}: {last}");
    }
    assert_eq!(last["day"], shop.day.to_string());
    assert_eq!(shop.left(), [] as [&str; 0], "nothing of the bill stays");
    for (language, words) in
        [("en", "Bill and journal agree. Orders: 4."), ("zh-CN", "账单与交易记录一致，共 4 笔。")]
    {
        let people = shop.reconcile(&["--lang", language]);
        assert_eq!(people.status.code(), Some(0));
        let text = said(&people);
        assert!(text.contains(words) && text.contains("CNY 25.19"), "{text}");
    }
}

#[test]
fn a_refund_is_held_against_the_bill_by_its_number() {
    let (shop, numbers) = Shop::with_three_sales();
    let given = shop.shop.run(&["refund", &numbers[0], "1", "--reason", "cold", "--json"]);
    assert_eq!(given.status.code(), Some(0), "{given:?}");
    let ran = shop.json(&[]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!((&ran.lines[0]["refunds"], &ran.lines[0]["refunded"]), (&1.into(), &100.into()));
    let good = rows(&shop.bill());
    let row = good.iter().find(|row| row.contains("R01")).unwrap();
    let named = vec![["refund".to_owned(), numbers[0].clone()]];
    let another = [&good[..], &[row.replace("R01", "R02")]].concat();
    assert_eq!(shop.of_rows(&another), (13, named.clone()), "only there");
    let more: Vec<String> = good.iter().map(|row| row.replace("`1.00", "`1.01")).collect();
    assert_eq!(shop.of_rows(&more), (13, named), "another amount");
}

#[test]
fn the_same_bill_from_a_file_plain_or_compressed_agrees_too() {
    let (shop, _) = Shop::with_three_sales();
    let bill = shop.bill();
    shop.put("bill.csv", &bill);
    shop.put("bom.csv", format!("\u{feff}{}", bill.replace("\r\n", "\n\n")));
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped.write_all(bill.as_bytes()).unwrap();
    shop.put("bill.gz", zipped.finish().unwrap());
    for file in ["bill.csv", "bom.csv", "bill.gz"] {
        let ran = shop.json(&["--bill", file]);
        assert_eq!((ran.exit, ran.lines.len()), (0, 1), "{file}: {ran:?}");
        assert_eq!(ran.lines[0]["matched"], 3);
    }
}

#[test]
fn a_line_of_another_state_or_with_a_refund_is_named_and_what_to_do() {
    let (shop, numbers) = Shop::with_three_sales();
    let good = rows(&shop.bill());
    let named = |kind: &str, number: &str| vec![[kind.to_owned(), number.to_owned()]];

    let reversed = good[1].replace("`SUCCESS", "`REVOKED");
    let reversed = [&good[..], &[reversed]].concat();
    assert_eq!(shop.of_rows(&reversed), (13, named("state", &numbers[1])));

    let refunded = good[1].replace("`SUCCESS", "`REFUND").replace("`0,`0,`0.00", "`50,`R1,`1.00");
    let refunded = refunded.replace("`5.00", "`0.00").replace(",`0.00,`0.00,`", ",`0.00,`1.00,`");
    let refunded = [&good[..], &[refunded]].concat();
    assert_eq!(shop.of_rows(&refunded), (13, named("refund", &numbers[1])));

    // Each says what to do, in both languages.
    let missing = [good[0].clone(), good[2].clone()];
    shop.put("changed.csv", whole(&shop.bill(), &missing));
    for (language, words) in [("en", "paytill find"), ("zh-CN", "我方已收款，账单中没有")]
    {
        let people = shop.reconcile(&["--bill", "changed.csv", "--lang", language]);
        assert_eq!(people.status.code(), Some(13));
        let text = said(&people);
        assert!(text.contains(words) && text.contains(&numbers[1]), "{text}");
    }
}

#[test]
fn totals_that_do_not_fit_are_refused_and_nothing_is_compared() {
    let (shop, _) = Shop::with_three_sales();
    let bill = shop.bill();
    let good = rows(&bill);
    for changed in [
        bill.replacen("`5.00", "`5.01", 1),
        bill.replacen(&format!("{}\r\n", good[1]), "", 1),
        bill.replacen(&good[1], &format!("{0}\r\n{0}", good[1]), 1),
    ] {
        shop.put("changed.csv", changed);
        let ran = shop.json(&["--bill", "changed.csv"]);
        assert_eq!((ran.exit, ran.lines.len()), (1, 0), "{ran:?}");
        assert!(ran.errors.contains("do not fit its rows"), "{ran:?}");
    }
}

#[test]
fn what_is_not_the_bill_that_was_asked_for_is_named() {
    let (shop, _) = Shop::with_three_sales();
    let merchant = "this is the bill of merchant 1900009999, not of 1900000109";
    let before = format!("this is the bill of {}", shop.day.yesterday().unwrap());
    for (bills, words) in [
        (Bills::Creating, "is not ready: try again after 10:00"),
        (Bills::OtherMerchant, merchant),
        (Bills::OtherDay, &before),
        (Bills::Truncated, "breaks off after"),
        (Bills::Page, "web page and no bill (Free Wi-Fi"),
    ] {
        shop.shop.server.bank().set_bills(bills);
        for (language, words) in [("en", words), ("zh-CN", "账单")] {
            let refused = shop.reconcile(&["--json", "--lang", language]);
            assert_eq!(refused.status.code(), Some(1), "{refused:?}");
            assert!(refused.stdout.is_empty(), "{refused:?}");
            assert!(said(&refused).contains(words), "{words}: {refused:?}");
        }
    }
    assert_eq!(shop.left(), [] as [&str; 0]);
    let creating =
        "<xml><return_code>FAIL</return_code><return_msg>Bill Creating</return_msg></xml>";
    for (bytes, words) in [
        ("", "is empty"),
        ("<html><body>502 Bad Gateway</body></html>", "502 Bad Gateway"),
        ("a,b,c\n1,2,3\n", "no bill of WeChat Pay"),
        (creating, "is not ready"),
        ("PK\u{3}\u{4}", "ZIP or Excel"),
    ] {
        shop.put("file", bytes);
        let refused = shop.reconcile(&["--bill", "file"]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(said(&refused).contains(words), "{refused:?}");
    }
    for name in ["nothing-there", "."] {
        let refused = shop.reconcile(&["--bill", name]);
        assert!(matches!(refused.status.code(), Some(1 | 2)), "{refused:?}");
    }
}

#[test]
fn a_day_without_a_bill_is_a_day_without_payments_once_it_is_over() {
    let shop = Shop::open();
    shop.shop.server.bank().set_bills(Bills::Missing);
    let today = Clock::start().wall().day(&beijing());
    let past = today.checked_sub(jiff::Span::new().days(9)).unwrap().to_string();
    let none = shop.shop.run(&["reconcile", &past]);
    assert_eq!(none.status.code(), Some(0), "{none:?}");
    assert!(said(&none).contains("has no bill") && said(&none).contains("Orders: 0."), "{none:?}");
    let early = shop.shop.run(&["reconcile", "today"]);
    assert_eq!(early.status.code(), Some(1), "{early:?}");
    assert!(said(&early).contains("is not ready"), "{early:?}");
    let future = today.checked_add(jiff::Span::new().days(2)).unwrap().to_string();
    let future = shop.shop.run(&["reconcile", &future]);
    assert_eq!(future.status.code(), Some(2), "{future:?}");
}

#[test]
fn without_a_gateway_or_a_merchant_it_says_so() {
    let (mut shop, _) = Shop::with_three_sales();
    shop.put("bill.csv", shop.bill());
    shop.shop.close_gateway();
    let silent = shop.reconcile(&[]);
    assert_eq!(silent.status.code(), Some(1), "{silent:?}");
    assert!(said(&silent).contains("was not downloaded"), "{silent:?}");
    assert_eq!(shop.left().len(), 1, "only the file that was put there");
    // The file needs nobody.
    assert_eq!(shop.json(&["--bill", "bill.csv"]).exit, 0);
    shop.shop.reconfigure("kind = \"wechat-v2\"", "kind = \"simulator\"");
    let training = shop.reconcile(&["--bill", "bill.csv"]);
    assert_eq!(training.status.code(), Some(3), "{training:?}");
    assert!(said(&training).contains("training"), "{training:?}");
}

#[test]
fn behind_a_backend_the_tills_own_rows_are_held_against_the_journal() {
    let shop = TestShop::open_behind_a_backend(None, PACE);
    let day = Clock::start().wall().day(&beijing()).to_string();
    let paid = shop.pay("12.34", &code("ok", 1));
    assert_eq!(paid.exit, 0, "{paid:?}");
    let ran = Ran::of(shop.run(&["reconcile", &day, "--json"]));
    let last = ran.last();
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!((&last["matched"], &last["bill_rows"]), (&1.into(), &1.into()), "{ran:?}");
    // The same rows, and a journal that has none of them.
    shop.reconfigure("path = \"journal.sqlite\"", "path = \"none.sqlite\"");
    let ran = Ran::of(shop.run(&["reconcile", &day, "--json"]));
    assert_eq!(ran.exit, 13, "{ran:?}");
    assert_eq!(ran.lines[0]["kind"], "only_in_bill");
    shop.server.bank().set_bills(Bills::Creating);
    let ran = shop.run(&["reconcile", &day]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(said(&ran).contains("is not ready"), "{ran:?}");
}

#[test]
fn other_tills_of_the_merchant_are_counted_apart() {
    let (shop, numbers) = Shop::with_three_sales();
    shop.shop.reconfigure("id = \"T01\"", "id = \"T02\"");
    shop.shop.reconfigure("path = \"journal.sqlite\"", "path = \"second.sqlite\"");
    shop.pay("30.00", &code("ok", 9), 0);
    let second = shop.json(&[]);
    assert_eq!(second.exit, 0, "{second:?}");
    assert_eq!((&second.lines[0]["matched"], &second.lines[0]["paid"]), (&1.into(), &3000.into()));
    shop.shop.reconfigure("id = \"T02\"", "id = \"T01\"");
    // The journal of the second till under the first one's id: its numbers are unknown there.
    let wrong = shop.json(&[]);
    assert_eq!((wrong.exit, wrong.lines.len()), (13, 4), "{wrong:?}");
    assert!(wrong.lines[..3].iter().all(|line| line["kind"] == "only_in_bill"), "{wrong:?}");
    shop.shop.reconfigure("path = \"second.sqlite\"", "path = \"journal.sqlite\"");
    let first = shop.json(&[]);
    assert_eq!((first.exit, first.lines.len()), (0, 1), "{first:?}");
    let others = first.lines[0]["others"].as_array().unwrap();
    assert_eq!(
        (others.len(), &others[0]["till"], &others[0]["paid"]),
        (1, &"T02".into(), &3000.into())
    );
    assert!(said(&shop.reconcile(&[])).contains("till T02"));
    assert_eq!(numbers.len(), 3);
}

#[test]
fn what_is_open_here_and_paid_there_is_asked_about_and_settled_by_the_answer() {
    let shop = Shop::open();
    let pending = PendingPayment::start(&shop.shop, "9.00", &code("password-20", 7));
    // Killed while the customer types the password, which takes another second here.
    drop(pending);
    let paid = |bank: &str| rows(bank).iter().any(|row| row.contains("`9.00"));
    while !shop.any_bill().is_some_and(|bill| paid(&bill)) {
        std::thread::yield_now();
    }
    let ran = shop.json(&[]);
    assert_eq!((ran.exit, ran.lines.len()), (0, 1), "{ran:?}");
    let last = ran.last();
    assert_eq!(
        (&last["asked"], &last["settled"], &last["matched"]),
        (&1.into(), &1.into(), &1.into())
    );
    let orders = shop.shop.run(&["orders", "--json"]);
    let order = Ran::of(orders);
    let number = order.last()["order_no"].as_str().unwrap();
    assert_eq!(order.last()["state"], "paid");
    let words = format!("in the bill of {}", shop.day);
    assert!(said(&shop.shop.run(&["show", number])).contains(&words));
    // Nothing is left to ask about.
    assert_eq!(shop.json(&[]).last()["asked"], 0);
}

#[test]
fn what_stays_open_although_the_bill_has_it_is_left_to_a_person() {
    let shop = Shop::open();
    let number = shop.pay("7.00", &code("reverse-refused", 1), 12);
    let ran = shop.json(&[]);
    assert_eq!((ran.exit, ran.lines.len()), (13, 2), "{ran:?}");
    let line = &ran.lines[0];
    assert_eq!((&line["order_no"], &line["kind"]), (&number.into(), &"state".into()));
    assert_eq!(line["cause"], "open_but_paid");
    assert!(line["advice"].as_str().unwrap().contains("paytill recover"), "{line}");
    assert_eq!((&ran.last()["asked"], &ran.last()["settled"]), (&1.into(), &0.into()));
}

#[test]
fn it_reads_beside_a_till_that_sells() {
    let (shop, _) = Shop::with_three_sales();
    let mut pending = PendingPayment::start(&shop.shop, "9.00", &code("walks-away", 7));
    let ran = shop.json(&[]);
    // The one that waits is open, and in no bill yet.
    assert!(matches!(ran.exit, 0 | 13), "{ran:?}");
    assert_eq!(ran.last()["matched"], 3);
    assert!(pending.is_running(), "the till was not disturbed");
}

#[test]
fn the_differences_go_into_a_new_file_that_no_spreadsheet_runs() {
    let (shop, numbers) = Shop::with_three_sales();
    let bill = shop.bill();
    let good = rows(&bill);
    shop.put("changed.csv", whole(&bill, &good[..2]));
    let ran = shop.json(&["--bill", "changed.csv", "--csv", "out.csv"]);
    assert_eq!(ran.exit, 13, "{ran:?}");
    let out = shop.shop.path().join("out.csv");
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("\u{feff}kind,cause,order_no,"), "{text}");
    let line = text.lines().nth(1).unwrap();
    assert!(line.starts_with(&format!("only_here,not_in_bill,{}", numbers[2])), "{line}");
    assert!(line.contains(",8.00,"), "{line}");
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = shop.reconcile(&["--bill", "changed.csv", "--csv", "out.csv"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(fs::read_to_string(&out).unwrap(), text);
}

#[test]
fn without_a_journal_everything_of_this_till_is_unknown() {
    let (shop, _) = Shop::with_three_sales();
    shop.shop.reconfigure("path = \"journal.sqlite\"", "path = \"none.sqlite\"");
    let ran = shop.json(&[]);
    assert_eq!((ran.exit, ran.lines.len()), (13, 4), "{ran:?}");
    assert!(ran.errors.contains("no journal yet"), "{ran:?}");
}

#[test]
fn a_day_that_the_gateway_has_forgotten_is_not_taken_for_one_without_payments() {
    let (mut shop, _) = Shop::with_three_sales();
    let bill = shop.bill();
    let kept = shop.day;
    for _ in 0..95 {
        shop.day = shop.day.yesterday().unwrap();
    }
    for (language, words) in [("en", "more than three months ago"), ("zh-CN", "已超过三个月")]
    {
        let output = shop.reconcile(&["--lang", language]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(said(&output).contains(words), "{output:?}");
    }
    // A file is read all the same: that it is of another day is another matter.
    shop.put("old.csv", &bill);
    let output = shop.reconcile(&["--bill", "old.csv", "--lang", "en"]);
    let words = format!("this is the bill of {kept}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains(&words), "{output:?}");
}

#[test]
fn a_name_that_is_taken_is_noticed_first_and_a_file_that_cannot_be_written_costs_no_report() {
    let (shop, _) = Shop::with_three_sales();
    shop.put("taken.csv", "mine");
    let output = shop.reconcile(&["--csv", "taken.csv"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(fs::read(shop.shop.path().join("taken.csv")).unwrap(), b"mine");
    // What comes to nothing leaves no file.
    let broken = shop.reconcile(&["--bill", "taken.csv", "--csv", "new.csv"]);
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert!(!shop.shop.path().join("new.csv").exists());
}

#[test]
fn at_the_screen_f10_leads_to_the_bill_of_yesterday_while_sales_go_on() {
    let shop = Shop::open();
    let number = shop.pay("12.34", &code("ok", 1), 0);
    // A new journal knows nothing of it.
    for file in fs::read_dir(shop.shop.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.file_name().unwrap().to_str().unwrap().starts_with("journal.sqlite") {
            fs::remove_file(file).unwrap();
        }
    }
    shop.pay("5.00", &code("ok", 2), 0);
    let mut session = TuiSession::open(&shop.shop);
    let compare = format!("> Compare with the bill of {}", shop.day);
    let ask = |session: &mut TuiSession| {
        session.press(F10);
        session.see(&["X REPORT", "> Open the shift"]);
        // Behind the opening and the close.
        session.press(TAB);
        session.see(&["> Close the shift"]);
        session.press(TAB);
        session.see(&[&compare]);
        session.press("\r");
    };
    session.see(&["Enter the amount.", "WeChat Pay ready"]);
    ask(&mut session);
    session.see(&["Differences: 1.", &number, "In the bill, unknown here"]);
    session.press(ESC);
    session.see(&["X REPORT"]);
    session.press(ESC);
    session.see(&["Enter the amount."]);
    shop.shop.server.bank().set_bills(Bills::OtherMerchant);
    ask(&mut session);
    session.see(&["this is the bill of merchant 1900009999, not of 1900000109"]);
    // It is tried again, and whoever wants to sell waits for nothing.
    shop.shop.server.bank().set_bills(Bills::Creating);
    session.press("\r");
    session.press(ESC);
    session.see(&["X REPORT"]);
    session.press(ESC);
    session.see(&["Enter the amount."]);
    session.press("7");
    session.see(&["Press Enter to charge."]);
    session.press("\r");
    session.see(&["Scan the customer's payment code"]);
    session.type_scan(&code("ok", 3));
    session.see(&["PAID", "Hand over the goods."]);
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    assert_eq!(shop.left(), [] as [&str; 0], "nothing of the bill stays");
}
