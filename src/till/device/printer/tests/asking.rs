//! Jobs that ask first, and lines that are stopped.

use super::*;

#[test]
fn a_job_that_is_withdrawn_before_it_begins_sends_nothing() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    printer.print(Job { asks_first: true, ..job(1, b"one") }).unwrap();
    printer.print(job(2, b"two")).unwrap();
    assert_eq!(reports.next(), PrinterReport::Begins(1));
    printer.withdraw(1);
    assert_eq!(reports.next(), PrinterReport::Failed(1, JobFault::Withdrawn));
    assert_eq!(reports.next(), PrinterReport::Sent(2));
    assert_eq!(read_until(&mut hardware, b"two"), b"two");
}

const XON: u8 = 0x11;

const XOFF: u8 = 0x13;

/// Says stop, and waits until the till's end of the line has heard it: some NULs get through
/// before.
fn stops(hardware: &mut TTYPort, till_end: &mut std::fs::File) {
    hardware.write_all(&[XOFF]).unwrap();
    while till_end.write(&[0]).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn a_printer_that_says_stop_gets_nothing_more_until_it_says_go() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let mut till_end = till_end(&socket);
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    stops(&mut hardware, &mut till_end);
    let mut reader = hardware.try_clone_native().unwrap();
    reader.set_timeout(DEADLINE).unwrap();
    let paper = std::thread::spawn(move || read_until(&mut reader, b"the end"));
    printer.print(job(1, b"from the beginning to the end")).unwrap();
    assert_eq!(reports.next(), PRINTER_STALLED);
    hardware.write_all(&[XON]).unwrap();
    reports.expect(&PrinterReport::Sent(1), &[PRINTER_READY]);
    let paper = paper.join().unwrap();
    let start = paper.iter().position(|byte| *byte != 0).unwrap();
    assert_eq!(&paper[start..], b"from the beginning to the end");
}

#[test]
fn one_that_never_says_go_is_asked_anew_by_the_next_job() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let mut till_end = till_end(&socket);
    let patience = Patience { stalled: Millis(100), away: Millis(100), ..Patience::default() };
    let (printer, reports) = printer(serial(&socket), patience);
    is_found(&mut hardware, &reports);
    stops(&mut hardware, &mut till_end);
    printer.print(job(1, b"one")).unwrap();
    let stopped = |report| matches!(report, PrinterReport::Failed(1, _));
    while !stopped(reports.next()) {}
    printer.print(job(2, b"two")).unwrap();
    reports.expect(&PrinterReport::Sent(2), &[PRINTER_READY, PRINTER_STALLED]);
    assert!(read_until(&mut hardware, b"two").ends_with(b"two"));
}

#[test]
fn a_late_answer_clears_the_fault_that_it_did_not_come() {
    let socket = Socket::new();
    let bench = FakePrinter::start(socket.plug(), Skills::STATUS);
    let (_printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PrinterReport::Answers(answers_of(Skills::STATUS)));
    assert_eq!(reports.next(), PRINTER_READY);
    bench.switch(false);
    assert_eq!(reports.next(), PrinterReport::Health(Health::Failed(DeviceFault::Silent)));
    bench.says(&[0x12]);
    assert_eq!(reports.next(), PRINTER_READY);
}

#[test]
fn a_job_that_asks_first_sends_nothing_until_it_may_begin() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (printer, reports) = printer(serial(&socket), Patience::default());
    is_found(&mut hardware, &reports);
    for id in [1, 2] {
        let page = [b"page ", &[b'0' + u8::try_from(id).unwrap()][..]].concat();
        printer.print(Job { asks_first: true, ..job(id, &page) }).unwrap();
    }
    assert_eq!(reports.next(), PrinterReport::Begins(1));
    printer.begin(1);
    // Nothing has left before: neither of this job nor of the next.
    assert_eq!(read_until(&mut hardware, b"1"), b"page 1");
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    assert_eq!(reports.next(), PrinterReport::Begins(2));
    printer.begin(1);
    printer.begin(2);
    assert_eq!(read_until(&mut hardware, b"2"), b"page 2");
    assert_eq!(reports.next(), PrinterReport::Sent(2));
}

#[test]
fn a_job_that_may_never_begin_is_given_up_and_the_next_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts");
    let socket = Socket::new();
    let ports = [PrinterPort::File { path: path.clone() }, serial(&socket)];
    for port in ports {
        let is_file = matches!(port, PrinterPort::File { .. });
        let mut hardware = (!is_file).then(|| socket.plug());
        let (printer, reports) = printer(port, IMPATIENT);
        match &mut hardware {
            Some(hardware) => is_found(hardware, &reports),
            None => assert_eq!(reports.next(), PRINTER_READY),
        }
        printer.print(Job { asks_first: true, ..job(1, b"one") }).unwrap();
        assert_eq!(reports.next(), PrinterReport::Begins(1));
        assert_eq!(reports.next(), PrinterReport::Failed(1, JobFault::Away));
        printer.print(Job { good_for: Some(Millis::seconds(60)), ..job(2, b"two") }).unwrap();
        assert_eq!(reports.next(), PrinterReport::Sent(2));
        match &mut hardware {
            Some(hardware) => assert_eq!(read_until(hardware, b"two"), b"two"),
            None => assert_eq!(std::fs::read(&path).unwrap(), b"two"),
        }
    }
}

#[test]
fn leave_to_begin_ends_when_the_printer_is_not_ready_any_more() {
    let socket = Socket::new();
    let bench = FakePrinter::start(socket.plug(), Skills::STATUS);
    let (printer, reports) = printer(serial(&socket), Patience::default());
    assert_eq!(reports.next(), PrinterReport::Answers(answers_of(Skills::STATUS)));
    assert_eq!(reports.next(), PRINTER_READY);
    printer.print(Job { asks_first: true, ..job(1, b"one") }).unwrap();
    assert_eq!(reports.next(), PrinterReport::Begins(1));
    bench.becomes(PAPER_OUT);
    becomes(&reports, Health::Failed(DeviceFault::Printer(Trouble::PaperOut)));
    // What was decided then may be out of date when there is paper.
    printer.begin(1);
    bench.becomes(WELL);
    becomes(&reports, Health::Ready);
    assert_eq!(reports.next(), PrinterReport::Begins(1));
    assert_eq!(bench.paper(), b"" as &[u8]);
    printer.begin(1);
    assert_eq!(reports.next(), PrinterReport::Sent(1));
    comes_out(&bench, b"one");
}
