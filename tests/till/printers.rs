//! Printers that answer, run out of paper, are unplugged and stop reading, as the cashier sees
//! them: the real binary in a pseudo-terminal, with a printer on another.

use crate::fixture::fake_printer::{COVER_OPEN, FakePrinter, PAPER_LOW, PAPER_OUT, Skills, WELL};
use crate::fixture::tui_session::{CTRL_L, CTRL_Q, Device, F6, F9, Socket, TuiSession};
use crate::fixture::{DEVICES, PACE, SERIAL_SCANNER, TestShop, code};
use crate::paper::Printout;
use paytill::clock::Millis;
use paytill_host::clock::Clock;

const IS_PRINTED: &str = "The receipt was printed.";
/// How much a stuck printer may add to the time between a key and what it draws, and to the exit.
const PROMPT: Millis = Millis(100);
const PROMPT_END: Millis = Millis::seconds(2);

struct Till {
    shop: TestShop,
    session: TuiSession,
    scanner: Device,
    customers: u64,
}

impl Till {
    /// A till that has found its devices, whatever printer is plugged in.
    fn open(shop: TestShop) -> Self {
        let scanner = Socket::new(&shop, "scanner").plug();
        let mut session = TuiSession::open(&shop);
        session.see(&["Enter the amount.", "WeChat Pay ready", "Scanner ready"]);
        Self { shop, session, scanner, customers: 0 }
    }

    /// One sale, from the amount to the payment.
    fn sell(&mut self) {
        self.customers += 1;
        self.session.press("12.34\r");
        self.session.see(&["READY", "Scan the customer's payment code."]);
        // Each customer's code differs visibly from the one before.
        let customer = format!("password-{}", self.customers);
        self.scanner.scan(&code(&customer, 1));
        self.session.see(&["PAID", "Payment received."]);
    }

    fn next(&mut self) {
        self.session.press("\r");
        self.session.see(&["Enter the amount."]);
    }

    fn printer_is(&mut self, words: &str) {
        self.session.see(&[words]);
    }

    /// Quits, and compares the books.
    fn close(mut self) {
        self.session.press(CTRL_Q);
        assert_eq!(self.session.wait_for_end().exit_code(), 0);
        assert!(self.session.is_given_back());
        assert_eq!(self.shop.recover().exit, 0);
        self.shop.assert_books_agree(true);
    }
}

fn shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    shop.configure(DEVICES);
    shop
}

/// A shop whose printer answers, with its till.
fn with_printer(skills: Skills) -> (Till, Socket, FakePrinter) {
    let shop = shop();
    let socket = Socket::new(&shop, "printer");
    let printer = socket.plug_printer(skills);
    let mut till = Till::open(shop);
    till.printer_is("Printer ready");
    (till, socket, printer)
}

/// The order numbers of the receipts on this paper.
fn receipts(paper: &[u8]) -> Vec<String> {
    let printout = Printout::read(paper).unwrap();
    printout.barcodes().into_iter().map(str::to_owned).collect()
}

/// What follows the end of a receipt that was cut off: the rest of a picture in white, then a line
/// end.
fn after_the_cut_off(paper: &[u8]) -> &[u8] {
    let white = paper.iter().take_while(|byte| **byte == 0).count();
    paper[white..].strip_prefix(b"\n").unwrap()
}

#[test]
fn printed_is_reported_once_the_printer_confirms_it() {
    let (mut till, _socket, printer) = with_printer(Skills::SYNC_POINT);
    till.sell();
    till.session.see(&[IS_PRINTED]);
    let receipt = Printout::read(&printer.paper()).unwrap();
    assert_eq!((receipt.cuts(), receipt.barcodes().len()), (1, 1));
    till.close();
}

#[test]
fn paper_that_ends_in_a_receipt_is_reported_and_the_rest_comes_with_new_paper() {
    let (mut till, _socket, printer) = with_printer(Skills::SYNC_POINT);
    printer.runs_out_after(200);
    till.sell();
    till.printer_is("Printer fault out of paper");
    till.next();
    till.sell();
    assert!(!till.session.tape().contains(IS_PRINTED));
    assert!(printer.paper().len() < 400, "{}", printer.paper().len());
    printer.becomes(WELL);
    till.printer_is("Printer ready");
    till.session.see(&[IS_PRINTED]);
    till.session.watch_until("both receipts", || receipts_so_far(&printer) == 2);
    let receipt = Printout::read(&printer.paper()).unwrap();
    assert_eq!((receipt.cuts(), receipt.barcodes().len()), (2, 2));
    assert_ne!(receipt.barcodes()[0], receipt.barcodes()[1], "none came twice");
    till.close();
}

/// The number of cuts made so far.
fn receipts_so_far(printer: &FakePrinter) -> usize {
    let paper = printer.paper();
    paper.windows(4).filter(|bytes| bytes == b"\x1dVB\0").count()
}

#[test]
fn a_printer_says_what_it_needs_in_both_languages_before_anything_is_sent() {
    let (mut till, _socket, printer) = with_printer(Skills::SYNC_POINT);
    printer.becomes(PAPER_LOW);
    till.printer_is("Printer ready paper low");
    printer.becomes(COVER_OPEN);
    till.printer_is("Printer fault cover open");
    printer.becomes(PAPER_OUT);
    till.printer_is("Printer fault out of paper");
    till.session.press(CTRL_L);
    till.session.see(&["打印机 故障 缺纸"]);
    till.session.press(CTRL_L);
    till.sell();
    assert!(printer.paper().is_empty() && !printer.holds_back());
    printer.becomes(PAPER_LOW);
    till.printer_is("Printer ready paper low");
    till.session.see(&[IS_PRINTED]);
    assert_eq!(receipts(&printer.paper()).len(), 1);
    till.close();
}

#[test]
fn a_receipt_that_was_not_begun_comes_once_from_the_printer_that_comes_back() {
    let (mut till, socket, printer) = with_printer(Skills::SYNC_POINT);
    printer.becomes(COVER_OPEN);
    till.printer_is("Printer fault cover open");
    till.sell();
    socket.unplug(printer);
    till.printer_is("Printer searching");
    till.next();
    till.sell();
    let printer = socket.plug_printer(Skills::SYNC_POINT);
    till.printer_is("Printer ready");
    till.session.watch_until("both receipts", || receipts_so_far(&printer) == 2);
    let barcodes = receipts(&printer.paper());
    assert_eq!(barcodes.len(), 2);
    assert_ne!(barcodes[0], barcodes[1]);
    till.close();
}

#[test]
fn a_receipt_that_was_cut_off_is_reported_and_never_begun_again() {
    let (mut till, socket, printer) = with_printer(Skills::SYNC_POINT);
    printer.runs_out_after(200);
    till.sell();
    till.printer_is("Printer fault out of paper");
    socket.unplug(printer);
    till.session.see(&[
        "The receipt for order",
        "was not printed: the printer was unplugged. Press F9 to reprint it.",
    ]);
    let printer = socket.plug_printer(Skills::SYNC_POINT);
    till.printer_is("Printer ready");
    till.next();
    till.sell();
    till.session.see(&[IS_PRINTED]);
    let number = receipts(after_the_cut_off(&printer.paper()));
    let orders = till.shop.orders();
    assert_eq!((orders.len(), number.len()), (2, 1));
    let last = orders.keys().max().unwrap();
    assert_eq!(number[0], *last);
    till.close();
}

#[test]
fn a_printer_that_stops_reading_holds_up_neither_keys_nor_sales_nor_the_exit() {
    let shop = shop();
    let long = format!("[receipt]\nheader = {:?}\ncopies = 3\n", vec!["long ".repeat(19); 20]);
    shop.configure(&[DEVICES, &long].concat());
    let mut printer = Socket::new(&shop, "printer").plug_to_jam();
    let mut till = Till::open(shop);
    till.printer_is("Printer ready");
    printer.jam();
    till.sell();
    till.printer_is("Printer fault");
    // A machine that is busy with something else is not this printer's fault: a till without a
    // printer is just as slow.
    let free_shop = TestShop::open(None, PACE);
    free_shop.configure(SERIAL_SCANNER);
    let mut free = Till::open(free_shop);
    let (mut stuck_answers, mut free_answers) = (Vec::new(), Vec::new());
    for (key, words) in [(CTRL_L, "收银机 T01"), (CTRL_L, "till T01")].repeat(10) {
        stuck_answers.push(answer(&mut till.session, key, words));
        free_answers.push(answer(&mut free.session, key, words));
    }
    let (usual, beside) = (median(&mut stuck_answers), median(&mut free_answers));
    assert!(usual < beside.times(2).plus(PROMPT), "{stuck_answers:?} {free_answers:?}");
    till.next();
    till.sell();
    let (exit, exit_beside) = (leave(&mut till.session), leave(&mut free.session));
    assert!(exit < exit_beside.times(2).plus(PROMPT_END), "{exit:?} {exit_beside:?}");
    println!("a key {usual:?}, without a printer {beside:?}; the exit {exit:?}, {exit_beside:?}");
    assert_eq!(till.shop.recover().exit, 0);
    till.shop.assert_books_agree(true);
}

fn median(times: &mut [Millis]) -> Millis {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How long the exit takes.
fn leave(session: &mut TuiSession) -> Millis {
    let clock = Clock::start();
    let since = clock.uptime();
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
    clock.uptime().since(since)
}

/// How long until the screen shows the effect of a key.
fn answer(session: &mut TuiSession, key: &str, words: &str) -> Millis {
    let clock = Clock::start();
    let since = clock.uptime();
    session.press(key);
    session.see(&[words]);
    clock.uptime().since(since)
}

#[test]
fn the_drawer_opens_by_its_key_and_by_nothing_else() {
    let shop = shop();
    shop.configure(&DEVICES.replace("\"printer\"\n", "\"printer\"\ndrawer = \"pin5\"\n"));
    let printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let mut till = Till::open(shop);
    till.printer_is("Printer ready");
    till.session.see(&["F6 Drawer"]);
    till.sell();
    till.session.see(&[IS_PRINTED]);
    till.session.press(F9);
    till.session.watch_until("the copy", || receipts_so_far(&printer) == 2);
    till.session.see(&[IS_PRINTED]);
    let receipts = printer.paper();
    assert!(!receipts.windows(2).any(|two| two == b"\x1bp"), "a receipt opened it");
    till.session.press(F6);
    till.session.see(&["Open the drawer without a sale"]);
    till.session.answer("\r");
    till.session.see(&["Opening the cash drawer."]);
    assert_eq!(printer.paper()[receipts.len()..], *b"\x1bp\x01\x32\xfa");
    printer.becomes(COVER_OPEN);
    till.printer_is("Printer fault cover open");
    till.session.press(F6);
    till.session.see(&["Open the drawer without a sale"]);
    till.session.answer("\r");
    till.session.see(&["The cash drawer did not open: cover open."]);
    // It must not open later, when nobody expects it any more.
    printer.becomes(WELL);
    till.printer_is("Printer ready");
    assert_eq!(printer.paper().len(), receipts.len() + 5);
    till.close();
}

#[test]
fn a_receipt_without_a_font_is_drawn_and_reported_as_printed() {
    let shop = shop();
    shop.configure(&DEVICES.replace("\"printer\"\n", "\"printer\"\nprofile = \"raster\"\n"));
    let printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let mut till = Till::open(shop);
    till.printer_is("Printer ready");
    till.sell();
    till.session.see(&[IS_PRINTED]);
    let paper = printer.paper();
    assert!(paper.windows(4).filter(|bytes| bytes == b"\x1dv0\0").count() > 10);
    till.close();
}

#[test]
fn a_test_page_says_what_the_printer_answers_and_which_profile_fits() {
    let shop = shop();
    let printer = Socket::new(&shop, "printer").plug_printer(Skills::SYNC_POINT);
    let told = |arguments: &[&str]| {
        let ran = shop.run(arguments);
        let words = [ran.stdout, ran.stderr].concat();
        (ran.status.code(), String::from_utf8(words).unwrap())
    };
    let (exit, words) = told(&["print-test", "--profile", "generic"]);
    assert_eq!(exit, Some(0), "{words}");
    for sentence in
        ["printed: confirmed by the printer", "model: MODEL 1", "\"raster\"     1 is wrong"]
    {
        assert!(words.contains(sentence), "{words}");
    }
    let paper = printer.paper();
    let name = b"profile = \"generic\"";
    assert!(paper.windows(name.len()).any(|bytes| bytes == name));
    assert!(paper.ends_with(b"\x1ba\0\x1dVB\0"));
    let (exit, words) = told(&["--lang", "zh-CN", "print-test"]);
    assert_eq!(exit, Some(0), "{words}");
    assert!(words.contains("已打印：打印机已确认") && words.contains("型号：MODEL 1"), "{words}");
    printer.becomes(COVER_OPEN);
    let (exit, words) = told(&["print-test"]);
    assert_eq!(exit, Some(1), "{words}");
    assert!(words.contains("not printed: cover open"), "{words}");
    let (exit, words) = told(&["print-test", "--profile", "espon"]);
    assert_eq!(exit, Some(2), "{words}");
    assert!(words.contains("auto, epson, generic, no-cutter, gb2312 or raster"), "{words}");
}
