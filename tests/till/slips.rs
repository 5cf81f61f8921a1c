//! Slips that the printer did not take before the paper, the power or the till was gone: each comes
//! out once, and what comes out again is marked as a copy.

use paytill::journal::{JournalReader, SlipStage};
use rustix::process::Signal;

use crate::fixture::fake_printer::{COVER_OPEN, FakePrinter, Skills, WELL};
use crate::fixture::tui_session::{CTRL_Q, Device, F9, Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, PendingPayment, TestShop, code, disk_faults};
use crate::paper::{CUT, Printout};

struct Till {
    shop: TestShop,
    socket: Socket,
    session: TuiSession,
    scanner: Device,
    customers: u64,
}

impl Till {
    fn open() -> (Self, FakePrinter) {
        let shop = TestShop::open(None, PACE);
        shop.configure(DEVICES);
        let socket = Socket::new(&shop, "printer");
        let printer = socket.plug_printer(Skills::SYNC_POINT);
        let (session, scanner) = sit_down(&shop);
        let mut till = Self { shop, socket, session, scanner, customers: 0 };
        till.session.see(&["Printer ready"]);
        (till, printer)
    }

    /// One sale, from the amount to the payment; its order number.
    fn sell(&mut self) -> String {
        self.customers += 1;
        self.session.press("12.34\r");
        self.session.see(&["READY", "Scan the customer's payment code."]);
        self.scanner.scan(&code(&format!("password-{}", self.customers), 1));
        self.session.see(&["PAID", "Payment received."]);
        let newest = self.shop.orders().into_keys().max();
        self.session.press("\r");
        self.session.see(&["Enter the amount."]);
        newest.unwrap()
    }

    /// Waits until the journal knows of these slips.
    fn knows(&mut self, stages: &[SlipStage]) {
        let known = || -> Vec<SlipStage> {
            let reader = JournalReader::open(&self.shop.journal(), None).unwrap().unwrap();
            reader.slips().unwrap().into_iter().map(|slip| slip.stage).collect()
        };
        self.session.watch_until("what the journal knows of the slips", || known() == stages);
    }

    fn waits_for_cuts(&mut self, printer: &FakePrinter, count: usize) {
        let cuts = || printer.paper().windows(CUT.len()).filter(|bytes| *bytes == CUT).count();
        self.session.watch_until("the slips", || cuts() == count);
    }

    fn restart(&mut self) {
        self.session.wait_for_end();
        (self.session, self.scanner) = sit_down(&self.shop);
        self.session.see(&["Printer ready"]);
    }

    fn kill(&mut self) {
        self.session.send(Signal::KILL);
        self.session.wait_for_end();
    }

    fn close(mut self) {
        self.knows(&[]);
        self.session.press(CTRL_Q);
        assert_eq!(self.session.wait_for_end().exit_code(), 0);
        self.shop.assert_books_agree(true);
    }
}

fn sit_down(shop: &TestShop) -> (TuiSession, Device) {
    let scanner = Socket::new(shop, "scanner").plug();
    let mut session = TuiSession::open(shop);
    session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
    (session, scanner)
}

/// The slips on this paper: their order numbers, and how each is marked.
fn slips(paper: &[u8]) -> Vec<(String, Option<String>)> {
    let mut slips = Vec::new();
    let mut rest = paper;
    while let Some(end) = rest.windows(CUT.len()).position(|window| window == CUT) {
        let (slip, after) = rest.split_at(end + CUT.len());
        let slip = Printout::read(slip).unwrap();
        let mark = slip.lines().find(|line| line.starts_with("COPY")).map(str::to_owned);
        slips.push((slip.barcodes()[0].to_owned(), mark));
        rest = after;
    }
    slips
}

fn original(number: &str) -> (String, Option<String>) {
    (number.to_owned(), None)
}

fn copy(number: &str, which: u32) -> (String, Option<String>) {
    (number.to_owned(), Some(format!("COPY {which}")))
}

const OFFER: &str = "1 slip may not have been printed: press F9 to print it, marked as a copy.";

#[test]
fn paper_that_ends_in_the_second_of_three_slips_leaves_one_of_each() {
    let (mut till, printer) = Till::open();
    let first = till.sell();
    till.waits_for_cuts(&printer, 1);
    printer.runs_out_after(200);
    let second = till.sell();
    till.session.see(&["Printer fault out of paper"]);
    let third = till.sell();
    till.knows(&[SlipStage::Begun, SlipStage::Waiting]);
    printer.becomes(WELL);
    till.waits_for_cuts(&printer, 3);
    assert_eq!(slips(&printer.paper()), [&first, &second, &third].map(|slip| original(slip)));
    till.close();
}

#[test]
fn killed_while_the_second_of_three_slips_lacks_paper_it_offers_that_one_and_prints_the_third() {
    let (mut till, printer) = Till::open();
    till.sell();
    till.waits_for_cuts(&printer, 1);
    printer.runs_out_after(200);
    let second = till.sell();
    till.session.see(&["Printer fault out of paper"]);
    let third = till.sell();
    till.knows(&[SlipStage::Begun, SlipStage::Waiting]);
    till.kill();
    // The printer is switched off as well, and has new paper when the power is back.
    till.socket.unplug(printer);
    let printer = till.socket.plug_printer(Skills::SYNC_POINT);
    till.restart();
    till.waits_for_cuts(&printer, 1);
    till.session.see(&[OFFER]);
    till.knows(&[SlipStage::Begun]);
    till.session.press(F9);
    till.waits_for_cuts(&printer, 2);
    till.session.see(&["was printed."]);
    till.knows(&[]);
    assert_eq!(slips(&printer.paper()), [original(&third), copy(&second, 1)]);
    // The count goes on after a restart.
    till.session.press(CTRL_Q);
    till.restart();
    assert!(!till.session.screen().contains("may not have been printed"));
    till.session.press(F9);
    till.waits_for_cuts(&printer, 3);
    till.knows(&[]);
    till.session.press(CTRL_Q);
    till.restart();
    till.session.press(F9);
    till.waits_for_cuts(&printer, 4);
    assert_eq!(slips(&printer.paper())[2..], [copy(&third, 1), copy(&third, 2)]);
    till.close();
}

#[test]
fn killed_with_two_slips_waiting_it_prints_each_once() {
    let (mut till, printer) = Till::open();
    printer.becomes(COVER_OPEN);
    till.session.see(&["Printer fault cover open"]);
    let both = [till.sell(), till.sell()];
    till.knows(&[SlipStage::Waiting, SlipStage::Waiting]);
    assert!(printer.paper().is_empty() && !printer.holds_back());
    till.kill();
    printer.becomes(WELL);
    till.restart();
    till.waits_for_cuts(&printer, 2);
    till.knows(&[]);
    assert!(!till.session.tape().contains("may not have been printed"));
    till.session.press(CTRL_Q);
    till.restart();
    // Nothing comes again; what is asked for does, as a copy.
    till.session.press(F9);
    till.waits_for_cuts(&printer, 3);
    let [first, second] = &both;
    assert_eq!(slips(&printer.paper()), [original(first), original(second), copy(second, 1)]);
    till.close();
}

/// A shop that prints into a file.
fn filing_shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    shop.configure("[printer]\nkind = \"escpos-file\"\nport = \"receipts.bin\"\n");
    shop
}

fn filed(shop: &TestShop) -> Vec<(String, Option<String>)> {
    slips(&std::fs::read(shop.path().join("receipts.bin")).unwrap_or_default())
}

/// How far the slips came that are left.
fn left(shop: &TestShop) -> Vec<SlipStage> {
    let reader = JournalReader::open(&shop.journal(), None).unwrap().unwrap();
    reader.slips().unwrap().into_iter().map(|slip| slip.stage).collect()
}

#[test]
fn what_recover_ends_has_its_slip_and_only_once() {
    let shop = filing_shop();
    assert_eq!(shop.pay("3.00", &code("ok", 1)).exit, 0);
    assert_eq!(filed(&shop).len(), 1);
    // One walks away, one pays while the till is down.
    drop(PendingPayment::start(&shop, "5.00", &code("walks-away", 2)));
    let open: Vec<String> = shop.orders().into_keys().collect();
    let ran = shop.recover();
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{ran:?}");
    assert_eq!(ran.last()["state"], "reversed");
    let printed = filed(&shop);
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(open.contains(&printed[1].0) && printed[1].1.is_none(), "{printed:?}");
    assert_eq!(left(&shop), []);
    assert_eq!(shop.recover().exit, 0);
    assert_eq!(filed(&shop), printed, "not twice");
}

#[test]
fn what_recover_cannot_print_is_left_for_the_screen_and_changes_no_exit_code() {
    let shop = TestShop::open(None, PACE);
    shop.configure("[printer]\nkind = \"escpos-file\"\nport = \"nowhere/receipts.bin\"\n");
    for serial in 1..=2 {
        drop(PendingPayment::start(&shop, "5.00", &code("walks-away", serial)));
    }
    let ran = shop.recover();
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.errors.contains("slips not printed: 2 ("), "{ran:?}");
    assert_eq!(left(&shop), [SlipStage::Missing, SlipStage::Waiting]);
    // Where none comes by itself, none is queued.
    shop.reconfigure(
        "port = \"nowhere/receipts.bin\"",
        "port = \"receipts.bin\"\nauto_print = false",
    );
    drop(PendingPayment::start(&shop, "5.00", &code("walks-away", 3)));
    let ran = shop.recover();
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{ran:?}");
    assert_eq!((filed(&shop).len(), left(&shop).len()), (0, 2));
}

#[test]
fn a_disk_that_hangs_at_a_slip_holds_up_no_exit_code() {
    let shop = filing_shop();
    assert_eq!(shop.pay("3.00", &code("ok", 1)).exit, 0);
    let pay = ["pay", "5.00", "--code", &code("ok", 2), "--json"];
    // It ends by itself, long before somebody ends it.
    let mut hangs = shop.by_shell("timeout 120 \"$@\"", &pay);
    hangs.env("LD_PRELOAD", disk_faults()).env("PAYTILL_FAULT", "hang:begun");
    let ran = crate::fixture::Ran::of(hangs.output().unwrap());
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(ran.last()["state"], "paid", "{ran:?}");
    assert!(ran.errors.contains("the disk does not answer"), "{ran:?}");
    assert_eq!(filed(&shop).len(), 1, "what is not noted is not printed");
    assert_eq!(left(&shop), [SlipStage::Waiting]);
    assert_eq!(shop.orders().len(), 2);
}

#[test]
fn a_slip_that_waits_while_money_is_found_says_that_it_goes_back_and_comes_once() {
    let (mut till, printer) = Till::open();
    printer.becomes(COVER_OPEN);
    till.session.see(&["Printer fault cover open"]);
    till.session.press("12.34\r");
    till.session.see(&["READY", "Scan the customer's payment code."]);
    till.scanner.scan(&code("delivered-late", 1));
    till.session.see(&["REVERSED", "The customer was not charged."]);
    till.knows(&[SlipStage::Waiting]);
    // The request arrives after all, is paid, and the money goes back.
    till.session.see(&["REVERSED", "the money is being returned"]);
    till.knows(&[SlipStage::Waiting]);
    printer.becomes(WELL);
    till.waits_for_cuts(&printer, 1);
    till.knows(&[]);
    let paper = printer.paper();
    let number = till.shop.orders().into_keys().next().unwrap();
    assert_eq!(slips(&paper), [original(&number)]);
    let text: Vec<String> = Printout::read(&paper).unwrap().lines().map(str::to_owned).collect();
    let text = text.join(" ");
    assert!(text.contains("being returned") && !text.contains("not charged"), "{text}");
    till.session.press("\r");
    till.close();
}

#[test]
fn a_slip_that_the_journal_does_not_mark_as_begun_is_not_printed_and_holds_up_no_other() {
    let (mut till, printer) = Till::open();
    printer.becomes(COVER_OPEN);
    till.session.see(&["Printer fault cover open"]);
    till.sell();
    till.knows(&[SlipStage::Waiting]);
    let db = rusqlite::Connection::open(till.shop.journal()).unwrap();
    db.execute("UPDATE slip SET seal = zeroblob(16)", []).unwrap();
    drop(db);
    let second = till.sell();
    printer.becomes(WELL);
    till.waits_for_cuts(&printer, 1);
    assert_eq!(slips(&printer.paper()), [original(&second)]);
    till.kill();
}
