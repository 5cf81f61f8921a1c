//! What a printer's word counts: clones that say what is not so, and jobs that are printed all the same.

use super::*;

/// A clone that prints whatever it says about itself.
fn clone_that_says(status: [u8; 4], skills: Skills) -> (Socket, FakePrinter) {
    let socket = Socket::new();
    let hardware = FakePrinter::start(socket.plug(), skills);
    hardware.prints_all_the_same();
    hardware.becomes(status);
    (socket, hardware)
}

#[test]
fn a_printer_that_says_it_stands_still_and_passes_the_sync_point_is_printed_on() {
    const OFF_LINE: [u8; 4] = [0x1a, 0x12, 0x12, 0x12];
    for status in [OFF_LINE, COVER_OPEN, [0x1a; 4], [0x16; 4], [0x7e; 4]] {
        let (socket, hardware) = clone_that_says(status, Skills::SYNC_POINT);
        let (printer, reports) = printer(serial(&socket), Patience::default());
        printer.print(job(1, b"\x1b@one")).unwrap();
        assert_eq!(
            next_but_health(&reports),
            PrinterReport::Answers(answers_of(Skills::SYNC_POINT))
        );
        assert_eq!(reports.next(), PRINTER_READY, "{status:x?}");
        assert_eq!(reports.next(), PrinterReport::Printed(1), "{status:x?}");
        assert_eq!(hardware.paper(), b"\x1b@one");
    }
}

#[test]
fn a_byte_that_never_changes_says_nothing_even_without_a_sync_point() {
    for byte in [0x1a, 0x16, 0x32, 0x5a, 0x7e] {
        let (socket, hardware) = clone_that_says([byte; 4], Skills::STATUS);
        let (printer, reports) = printer(serial(&socket), Patience::default());
        printer.print(job(1, b"one")).unwrap();
        assert_eq!(next_but_health(&reports), PrinterReport::Answers(answers_of(Skills::STATUS)));
        assert_eq!(reports.next(), PRINTER_READY, "{byte:x}");
        assert_eq!(reports.next(), PrinterReport::Sent(1), "{byte:x}");
        comes_out(&hardware, b"one");
    }
}

#[test]
fn paper_that_is_out_from_the_start_is_believed() {
    let socket = Socket::new();
    let hardware = FakePrinter::start(socket.plug(), Skills::SYNC_POINT);
    hardware.becomes(PAPER_OUT);
    let (printer, reports) = printer(serial(&socket), Patience::default());
    printer.print(job(1, b"one")).unwrap();
    assert!(matches!(reports.next(), PrinterReport::Answers(_)));
    let out = Health::Failed(DeviceFault::Printer(Trouble::PaperOut));
    assert_eq!(reports.next(), PrinterReport::Health(out));
    assert!(hardware.paper().is_empty());
    hardware.becomes(WELL);
    becomes(&reports, Health::Ready);
    assert_eq!(reports.next(), PrinterReport::Printed(1));
    // Nor is one that answers out of turn, if its answer itself says so.
    let (socket, hardware) = clone_that_says(PAPER_OUT, Skills::SYNC_POINT);
    let patience = Patience { away: Millis(100), ..Patience::default() };
    let (printer, reports) = self::printer(serial(&socket), patience);
    printer.print(job(2, b"two")).unwrap();
    let fault = JobFault::Trouble(Trouble::PaperOut);
    loop {
        match reports.next() {
            PrinterReport::Failed(2, failed) => break assert_eq!(failed, fault),
            report => assert_ne!(report, PRINTER_READY),
        }
    }
    assert!(hardware.paper().is_empty());
}

#[test]
fn the_owner_says_what_of_a_printer_s_words_counts() {
    const OFF_LINE: [u8; 4] = [0x1a, 0x12, 0x12, 0x12];
    for (uses, skills, done) in [
        (StatusUse::Off, Skills::ALL, PrinterReport::Sent(1)),
        (StatusUse::Fence, Skills::SYNC_POINT, PrinterReport::Printed(1)),
        (StatusUse::Fence, Skills { sync_point: true, ..Skills::NONE }, PrinterReport::Printed(1)),
    ] {
        let (socket, hardware) = clone_that_says(OFF_LINE, skills);
        let (printer, reports) = printer_using(uses, serial(&socket), Patience::default());
        printer.print(job(1, b"one")).unwrap();
        let PrinterReport::Answers(answers) = next_but_health(&reports) else { panic!("{uses:?}") };
        assert!(!answers.status, "{uses:?}");
        assert_eq!(reports.next(), PRINTER_READY, "{uses:?}");
        assert_eq!(reports.next(), done, "{uses:?}");
        comes_out(&hardware, b"one");
        assert_eq!(hardware.questions(), 0, "{uses:?}");
    }
}

#[test]
fn a_job_that_is_to_be_printed_all_the_same_is() {
    let bench = PrinterBench::new(Skills::STATUS, PrintProof::SyncPoint);
    bench.hardware.prints_all_the_same();
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    bench.printer.print(Job { regardless: true, ..job(1, b"one") }).unwrap();
    assert_eq!(bench.reports.next(), PrinterReport::Sent(1));
    comes_out(&bench.hardware, b"one");
}

#[test]
fn a_printers_word_is_overruled_for_the_job_that_waits_and_for_no_other() {
    let bench = PrinterBench::new(Skills::STATUS, PrintProof::SyncPoint);
    bench.hardware.prints_all_the_same();
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    bench.printer.print(job(1, b"one")).unwrap();
    bench.printer.overrule(1);
    assert_eq!(bench.reports.next(), PrinterReport::Sent(1));
    let gone = Job { good_for: Some(Millis(0)), ..job(2, b"two") };
    bench.printer.print(gone).unwrap();
    let fault = JobFault::Trouble(Trouble::CoverOpen);
    assert_eq!(bench.reports.next(), PrinterReport::Failed(2, fault));
    comes_out(&bench.hardware, b"one");
}

#[test]
fn the_job_that_somebody_wants_all_the_same_passes_the_one_before_it() {
    let bench = PrinterBench::new(Skills::STATUS, PrintProof::SyncPoint);
    bench.hardware.prints_all_the_same();
    bench.hardware.becomes(COVER_OPEN);
    bench.trouble(Trouble::CoverOpen);
    bench.printer.print(job(1, b"one")).unwrap();
    bench.printer.print(job(2, b"two")).unwrap();
    bench.printer.overrule(2);
    assert_eq!(bench.reports.next(), PrinterReport::Sent(2));
    comes_out(&bench.hardware, b"two");
    bench.hardware.becomes(WELL);
    // Its answers may be from before and after the change.
    let half = Health::Failed(DeviceFault::Printer(Trouble::Offline));
    bench.reports.expect(&PrinterReport::Sent(1), &[PRINTER_READY, PrinterReport::Health(half)]);
    comes_out(&bench.hardware, b"twoone");
}
