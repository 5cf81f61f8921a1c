//! Printers on pseudo-terminals: the master side plays the hardware.

mod asking;
mod word;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::RecvTimeoutError;

use serialport::{SerialPort as _, TTYPort};

#[path = "../../../../tests/fixture/fake_printer.rs"]
#[allow(unreachable_pub, reason = "the tests of the binary use it too")]
mod fake_printer;

use super::*;
use crate::device::tests::{DEADLINE, Reports, Socket, till_end};
use crate::hardware::StatusUse;
use fake_printer::{COVER_OPEN, FakePrinter, PAPER_LOW, PAPER_OUT, Skills, WELL};

/// The questions put to a printer that never answers, when it is found.
const QUESTIONS: &[u8] = b"\x10\x04\x01\x10\x04\x02\x10\x04\x04";
const PARTING: &[u8] = b"\n\x1b@\x1dVB\0";

fn printer(kind: PrinterPort, patience: Patience) -> (Printer, Reports<PrinterReport>) {
    printer_with(kind, PrintProof::SyncPoint, patience)
}

fn printer_with(
    kind: PrinterPort,
    proof: PrintProof,
    patience: Patience,
) -> (Printer, Reports<PrinterReport>) {
    let terminator = PARTING.to_vec();
    let settings = PrinterSettings { kind, proof, uses: StatusUse::Auto, terminator, patience };
    start(settings)
}

fn printer_using(
    uses: StatusUse,
    kind: PrinterPort,
    patience: Patience,
) -> (Printer, Reports<PrinterReport>) {
    let (proof, terminator) = (PrintProof::SyncPoint, PARTING.to_vec());
    start(PrinterSettings { kind, proof, uses, terminator, patience })
}

fn start(settings: PrinterSettings) -> (Printer, Reports<PrinterReport>) {
    let (sender, reports) = Reports::new();
    let printer = Printer::start(settings, Clock::start(), move |report| {
        sender.send(report).ok();
    });
    (printer.unwrap(), reports)
}

fn serial(socket: &Socket) -> PrinterPort {
    PrinterPort::Serial { port: socket.path(), baud: 9600, flow: Flow::None }
}

fn job(id: u64, bytes: &[u8]) -> Job {
    Job {
        id,
        page: bytes.to_vec(),
        copies: 1,
        good_for: None,
        regardless: false,
        asks_first: false,
    }
}

/// More than any line buffers.
fn endless_job(id: u64) -> Job {
    Job { page: vec![b'x'; 1_000_000], ..job(id, b"") }
}

/// Reads what the printer is sent up to this ending, skipping questions that stay unanswered.
fn read_until(hardware: &mut TTYPort, end: &[u8]) -> Vec<u8> {
    let mut all = crate::device::tests::read_until(hardware, end);
    while let Some(at) = all.windows(3).position(|bytes| matches!(bytes, [0x10, 4, 1..=4])) {
        all.drain(at..at + 3);
    }
    all
}

const PRINTER_READY: PrinterReport = PrinterReport::Health(Health::Ready);
const PRINTER_SEARCHING: PrinterReport = PrinterReport::Health(Health::Searching);
const PRINTER_STALLED: PrinterReport = PrinterReport::Health(Health::Failed(DeviceFault::Stalled));
const IMPATIENT: Patience =
    Patience { away: Millis(100), stalled: Millis(100), trouble: Millis(100) };

/// What a printer that never answers is found to answer.
fn says_nothing() -> PrinterReport {
    PrinterReport::Answers(Answers::default())
}

/// The printer's next health. Its answers may be from before and after the change.
fn becomes(reports: &Reports<PrinterReport>, health: Health) {
    let half = Health::Failed(DeviceFault::Printer(Trouble::Offline));
    reports.expect(&PrinterReport::Health(health), &[PrinterReport::Health(half)]);
}

/// What was sent arrives a moment later than the system has passed it on.
fn comes_out(hardware: &FakePrinter, page: &[u8]) {
    let (clock, pause) = (Clock::start(), std::time::Duration::from_millis(5));
    let since = clock.uptime();
    while hardware.paper().len() < page.len() {
        assert!(std::time::Duration::from(clock.uptime().since(since)) < DEADLINE, "nothing comes");
        std::thread::sleep(pause);
    }
    assert_eq!(hardware.paper(), page);
}

/// Waits until a printer that never answers is found, and consumes its questions.
fn is_found(hardware: &mut TTYPort, reports: &Reports<PrinterReport>) {
    assert_eq!(reports.next(), says_nothing());
    assert_eq!(reports.next(), PRINTER_READY);
    let mut asked = [0; QUESTIONS.len()];
    hardware.read_exact(&mut asked).unwrap();
    assert_eq!(asked, QUESTIONS);
}

#[test]
fn a_printer_gets_every_byte_in_order() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    let all: Vec<u8> = (0..=255).cycle().take(3000).collect();
    printer.print(job(1, &all)).unwrap();
    printer.print(job(2, b"end")).unwrap();
    let expected = [&all[..], b"end"].concat();
    assert_eq!(read_until(&mut hardware, b"end"), expected);
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

#[test]
fn a_printer_that_takes_nothing_holds_nobody_up() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let patience = Patience { stalled: Millis(100), ..Patience::default() };
    let (printer, reports) = printer(serial(&socket), patience);
    is_found(&mut hardware, &reports);
    printer.print(endless_job(1)).unwrap();
    printer.print(job(2, b"the next receipt")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Failed(1, JobFault::Stalled));
    let all = read_until(&mut hardware, b"the next receipt");
    assert!(all.ends_with(&[PARTING, b"the next receipt"].concat()), "cut off the half before");
    assert!(all.len() < 1_000_000, "and the rest of that half never comes");
    reports.expect(&PrinterReport::Sent(2), &[PRINTER_STALLED, PRINTER_READY]);
}

#[test]
fn leaving_does_not_wait_for_a_stalled_printer() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    printer.print(endless_job(1)).unwrap();
    assert!(hardware.read(&mut [0; 16]).unwrap() > 0, "it has begun");
    assert_eq!(reports.next(), PRINTER_STALLED);
    drop(printer);
    // The thread ends, and with it the sender of its reports; no report of the job comes.
    assert_eq!(reports.0.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn an_interrupted_receipt_is_not_printed_again() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    printer.print(endless_job(1)).unwrap();
    assert!(hardware.read(&mut [0; 16]).unwrap() > 0, "it has begun");
    drop(hardware);
    reports.expect(
        &PrinterReport::Failed(1, JobFault::Unplugged),
        &[PRINTER_SEARCHING, PRINTER_STALLED],
    );
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), says_nothing());
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(job(2, b"another")).unwrap();
    let expected = [PARTING, b"another"].concat();
    assert_eq!(read_until(&mut hardware, b"another"), expected);
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

#[test]
fn a_receipt_waits_for_a_printer_that_is_away() {
    let socket = Socket::new();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    printer.print(job(1, b"late")).unwrap();
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    let mut hardware = socket.plug();
    is_found(&mut hardware, &reports);
    assert_eq!(read_until(&mut hardware, b"late"), b"late");
    assert_eq!(reports.next(), PrinterReport::Sent(1));
}

#[test]
fn receipts_do_not_wait_for_ever() {
    let socket = Socket::new();
    let (printer, reports) = printer(serial(&socket), IMPATIENT);
    for id in 0..3 {
        printer.print(job(id, b"x")).unwrap();
    }
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    for id in 0..3 {
        assert_eq!(reports.next(), PrinterReport::Failed(id, JobFault::Away));
    }
    assert_eq!(printer.print(job(3, b"x")), Ok(()));
}

#[test]
fn receipts_do_not_wait_in_any_number() {
    let socket = Socket::new();
    let (printer, _reports) = printer(serial(&socket), Patience::default());
    let taken = (0..100).take_while(|id| printer.print(job(*id, b"x")).is_ok()).count();
    assert!((1..100).contains(&taken), "{taken} wait");
    assert_eq!(QueueFull.to_string(), "too many receipts wait for the printer");
}

#[test]
fn an_idle_printer_is_missed_and_found_again() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    hardware.write_all(b"garbage\xff").unwrap();
    drop(hardware);
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    let mut hardware = socket.plug();
    is_found(&mut hardware, &reports);
}

#[test]
fn a_file_collects_receipts_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts");
    let (printer, reports) = printer(PrinterPort::File { path: path.clone() }, Patience::default());
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(job(1, b"one")).unwrap();
    printer.print(job(2, b"two")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    assert_eq!(reports.next(), PrinterReport::Sent(2));
    assert_eq!(std::fs::read(&path).unwrap(), b"onetwo");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_written_fails_its_receipts_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/receipts");
    let (printer, reports) = printer(PrinterPort::File { path: path.clone() }, Patience::default());
    assert!(matches!(reports.next(), PrinterReport::Health(Health::Failed(_))));
    printer.print(job(1, b"one")).unwrap();
    assert!(matches!(reports.next(), PrinterReport::Failed(1, JobFault::NotWritten(_))));
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    printer.print(job(2, b"two")).unwrap();
    assert_eq!(reports.next(), PRINTER_READY);
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

/// A printer that answers and has been found.
struct PrinterBench {
    socket: Socket,
    hardware: FakePrinter,
    printer: Printer,
    reports: Reports<PrinterReport>,
}

impl PrinterBench {
    fn new(skills: Skills, proof: PrintProof) -> Self {
        Self::with(skills, proof, Patience::default())
    }

    fn with(skills: Skills, proof: PrintProof, patience: Patience) -> Self {
        let socket = Socket::new();
        let hardware = FakePrinter::start(socket.plug(), skills);
        let (printer, reports) = printer_with(serial(&socket), proof, patience);
        let bench = Self { socket, hardware, printer, reports };
        let found = bench.reports.next();
        assert_eq!(found, PrinterReport::Answers(answers_of(skills)));
        bench.health(Health::Ready);
        bench
    }

    fn print(&self, id: u64, bytes: &[u8]) {
        self.printer.print(job(id, bytes)).unwrap();
    }

    fn health(&self, health: Health) {
        becomes(&self.reports, health);
    }

    fn trouble(&self, trouble: Trouble) {
        self.health(Health::Failed(DeviceFault::Printer(trouble)));
    }

    /// Waits for something the printer does by itself.
    fn until(&self, what: &str, is_so: impl Fn(&FakePrinter) -> bool) {
        let (clock, pause) = (Clock::start(), std::time::Duration::from_millis(5));
        let since = clock.uptime();
        while !is_so(&self.hardware) {
            assert!(std::time::Duration::from(clock.uptime().since(since)) < DEADLINE, "{what}");
            std::thread::sleep(pause);
        }
    }
}

fn answers_of(skills: Skills) -> Answers {
    Answers {
        status: true,
        changes: skills.changes,
        sync_point: Some(skills.sync_point),
        model: skills.sync_point.then(|| "MODEL 1".to_owned()),
    }
}

#[test]
fn printed_is_reported_once_the_printer_confirms_it() {
    for (skills, proof) in [
        (Skills::SYNC_POINT, PrintProof::SyncPoint),
        (Skills::ALL, PrintProof::PrintEnd),
        (Skills::ALL, PrintProof::SyncPoint),
    ] {
        let bench = PrinterBench::new(skills, proof);
        bench.print(1, b"\x1b@one\n");
        bench.print(2, b"\x1b@two\n");
        assert_eq!(bench.reports.next(), PrinterReport::Printed(1), "{skills:?} {proof:?}");
        assert_eq!(bench.reports.next(), PrinterReport::Printed(2), "{skills:?} {proof:?}");
        assert_eq!(bench.hardware.paper(), b"\x1b@one\n\x1b@two\n");
    }
}

#[test]
fn a_printer_that_gives_no_proof_is_only_sent_to() {
    let bench = PrinterBench::new(Skills::STATUS, PrintProof::SyncPoint);
    bench.print(1, b"one");
    assert_eq!(bench.reports.next(), PrinterReport::Sent(1));
    comes_out(&bench.hardware, b"one");
}

#[test]
fn nothing_is_sent_to_a_printer_that_would_not_print() {
    for (status, trouble) in [(PAPER_OUT, Trouble::PaperOut), (COVER_OPEN, Trouble::CoverOpen)] {
        let bench = PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
        bench.hardware.becomes(status);
        bench.print(1, b"one");
        bench.trouble(trouble);
        assert!(!bench.hardware.holds_back() && bench.hardware.paper().is_empty());
        bench.hardware.becomes(WELL);
        bench.health(Health::Ready);
        assert_eq!(bench.reports.next(), PrinterReport::Printed(1));
        assert_eq!(bench.hardware.paper(), b"one");
    }
}

#[test]
fn what_a_printer_would_not_print_for_too_long_fails_by_its_cause() {
    let patience = Patience { away: Millis(100), ..Patience::default() };
    let bench = PrinterBench::with(Skills::SYNC_POINT, PrintProof::SyncPoint, patience);
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    bench.print(1, b"one");
    let fault = JobFault::Trouble(Trouble::CoverOpen);
    assert_eq!(bench.reports.next(), PrinterReport::Failed(1, fault));
}

#[test]
fn paper_that_ends_in_a_receipt_is_waited_for_and_nothing_comes_twice() {
    for (skills, proof) in
        [(Skills::SYNC_POINT, PrintProof::SyncPoint), (Skills::ALL, PrintProof::PrintEnd)]
    {
        let bench = PrinterBench::new(skills, proof);
        bench.hardware.runs_out_after(600);
        let page = [b"\x1b@".to_vec(), vec![b'x'; 2000]].concat();
        bench.print(1, &page);
        bench.print(2, b"\x1b@next");
        bench.trouble(Trouble::PaperOut);
        bench.hardware.becomes(WELL);
        bench.health(Health::Ready);
        assert_eq!(bench.reports.next(), PrinterReport::Printed(1), "{proof:?}");
        assert_eq!(bench.reports.next(), PrinterReport::Printed(2), "{proof:?}");
        assert_eq!(bench.hardware.paper(), [&page[..], b"\x1b@next"].concat());
    }
}

#[test]
fn a_printer_that_reports_no_changes_is_asked_why_it_does_not_finish() {
    let skills = Skills { changes: false, ..Skills::SYNC_POINT };
    let bench = PrinterBench::new(skills, PrintProof::SyncPoint);
    bench.hardware.runs_out_after(600);
    bench.print(1, &[b'x'; 2000]);
    bench.trouble(Trouble::PaperOut);
    bench.hardware.becomes(WELL);
    bench.health(Health::Ready);
    assert_eq!(bench.reports.next(), PrinterReport::Printed(1));
    assert_eq!(bench.hardware.paper(), [b'x'; 2000]);
}

#[test]
fn a_printer_switched_off_and_on_in_a_receipt_does_not_confirm_it() {
    let patience = Patience { stalled: Millis::seconds(2), ..Patience::default() };
    let bench = PrinterBench::with(Skills::SYNC_POINT, PrintProof::SyncPoint, patience);
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    bench.hardware.becomes(WELL);
    bench.health(Health::Ready);
    bench.hardware.runs_out_after(0);
    bench.print(1, b"lost");
    bench.until("the printer holds it", FakePrinter::holds_back);
    bench.hardware.switch(false);
    bench.hardware.becomes(WELL);
    let PrinterReport::Failed(1, _) = next_but_health(&bench.reports) else { panic!("no failure") };
    bench.hardware.switch(true);
    bench.print(2, b"next");
    assert_eq!(
        next_but_health(&bench.reports),
        PrinterReport::Answers(answers_of(Skills::SYNC_POINT))
    );
    assert_eq!(next_but_health(&bench.reports), PrinterReport::Printed(2));
    assert!(bench.hardware.paper().ends_with(&[PARTING, b"next"].concat()));
}

fn next_but_health(reports: &Reports<PrinterReport>) -> PrinterReport {
    loop {
        let report = reports.next();
        if !matches!(report, PrinterReport::Health(_)) {
            return report;
        }
    }
}

#[test]
fn paper_that_ends_soon_stops_nothing() {
    let bench = PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
    bench.hardware.becomes(PAPER_LOW);
    bench.health(Health::PaperLow);
    bench.print(1, b"one");
    assert_eq!(bench.reports.next(), PrinterReport::Printed(1));
}

#[test]
fn an_idle_printer_that_is_switched_off_is_missed() {
    let bench = PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
    bench.hardware.switch(false);
    bench.health(Health::Failed(DeviceFault::Silent));
    bench.hardware.switch(true);
    assert_eq!(bench.reports.next(), PrinterReport::Answers(answers_of(Skills::SYNC_POINT)));
    bench.health(Health::Ready);
}

#[test]
fn a_job_that_was_not_begun_survives_the_plug_and_comes_once() {
    let PrinterBench { socket, hardware, printer, reports } =
        PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
    hardware.becomes(COVER_OPEN);
    assert_eq!(
        reports.next(),
        PrinterReport::Health(Health::Failed(DeviceFault::Printer(Trouble::CoverOpen)))
    );
    printer.print(job(1, b"one")).unwrap();
    drop(hardware);
    assert_eq!(reports.next(), PRINTER_SEARCHING);
    let hardware = FakePrinter::start(socket.plug(), Skills::SYNC_POINT);
    assert_eq!(reports.next(), PrinterReport::Answers(answers_of(Skills::SYNC_POINT)));
    assert_eq!(reports.next(), PRINTER_READY);
    assert_eq!(reports.next(), PrinterReport::Printed(1));
    assert_eq!(hardware.paper(), b"one");
}

#[test]
fn a_job_that_is_good_for_a_moment_does_not_wait() {
    let bench = PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    let pulse = Job { good_for: Some(Millis(1)), ..job(1, b"\x1bp\0\x32\xfa") };
    bench.printer.print(pulse).unwrap();
    let fault = JobFault::Trouble(Trouble::CoverOpen);
    assert_eq!(bench.reports.next(), PrinterReport::Failed(1, fault));
    assert!(bench.hardware.paper().is_empty());
}

#[test]
fn a_job_that_is_good_for_a_moment_does_not_wait_in_the_line_either() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    printer.print(Job { good_for: Some(Millis(100)), ..endless_job(1) }).unwrap();
    // Long before the printer would count as stalled.
    reports.expect(&PrinterReport::Failed(1, JobFault::Stalled), &[PRINTER_STALLED]);
}

#[test]
fn a_printer_reports_changes_after_every_copy() {
    let bench = PrinterBench::new(Skills::SYNC_POINT, PrintProof::SyncPoint);
    bench.printer.print(Job { copies: 2, ..job(1, b"\x1b@one\n") }).unwrap();
    assert_eq!(bench.reports.next(), PrinterReport::Printed(1));
    assert_eq!(bench.hardware.paper(), b"\x1b@one\n\x1b@one\n");
    bench.hardware.becomes(PAPER_LOW);
    bench.health(Health::PaperLow);
}

#[test]
fn a_printer_that_was_off_when_it_was_found_is_asked_again() {
    let socket = Socket::new();
    let hardware = FakePrinter::start(socket.plug(), Skills::SYNC_POINT);
    hardware.switch(false);
    let (printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), says_nothing());
    assert_eq!(reports.next(), PRINTER_READY);
    hardware.switch(true);
    assert_eq!(reports.next(), PrinterReport::Answers(answers_of(Skills::SYNC_POINT)));
    printer.print(job(1, b"one")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Printed(1));
}

#[test]
fn nothing_is_sent_to_a_printer_that_answered_before_and_is_off() {
    let patience = Patience { stalled: Millis::seconds(1), ..Patience::default() };
    let bench = PrinterBench::with(Skills::SYNC_POINT, PrintProof::SyncPoint, patience);
    bench.hardware.runs_out_after(0);
    bench.print(1, b"lost");
    bench.until("the printer holds it", FakePrinter::holds_back);
    bench.hardware.switch(false);
    bench.hardware.becomes(WELL);
    let PrinterReport::Failed(1, _) = next_but_health(&bench.reports) else { panic!("no failure") };
    bench.print(2, b"kept");
    bench.reports.expect(
        &PrinterReport::Health(Health::Failed(DeviceFault::Silent)),
        &[
            PRINTER_READY,
            PrinterReport::Health(Health::Failed(DeviceFault::Printer(Trouble::PaperOut))),
        ],
    );
    bench.hardware.switch(true);
    assert_eq!(
        next_but_health(&bench.reports),
        PrinterReport::Answers(answers_of(Skills::SYNC_POINT))
    );
    assert_eq!(next_but_health(&bench.reports), PrinterReport::Printed(2));
}

#[test]
fn a_scanner_in_the_printers_place_is_named() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (_printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    hardware.write_all(b"138492017563840200\r").unwrap();
    let swapped = PrinterReport::Health(Health::Failed(DeviceFault::Swapped));
    reports.expect(&swapped, &[PRINTER_READY]);
}
