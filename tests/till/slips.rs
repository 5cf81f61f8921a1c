//! Slips that the printer did not take before the paper, the power or the till was gone: each comes
//! out once, and what comes out again is marked as a copy.

use paytill::journal::{JournalReader, SlipStage};
use rustix::process::Signal;

use crate::fixture::fake_printer::{COVER_OPEN, FakePrinter, Skills, WELL};
use crate::fixture::tui_session::{CTRL_Q, Device, F9, Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, TestShop, code};
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
