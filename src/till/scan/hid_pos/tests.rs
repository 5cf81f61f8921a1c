//! Scans from HID POS reports: published descriptors, odd ones, and any bytes at all.

use proptest::prelude::*;

use super::*;

/// As sent by Honeywell scanners (scans 2.3).
pub(crate) const HONEYWELL: &str =
    "058C 0902 A101 0912 A102 8502 1500 26FF00 7508 9501 0501 093B 8102
    9503 058C 09FB 09FC 09FD 8102 9538 09FE 820201 0666FF 9502 0904 0900 8102
    058C 2501 7501 9508 09FF 8102 C0
    0914 A102 8504 1500 2501 7501 9508 0900 095F 0960 0900 0900 0985 0986 9186 C0
    0666FF 7508 26FF00 0903 A102 85FE 9501 0903 B28201 C0
    0901 A102 85FD 9501 0921 9102 953E 0922 928201 C0 C0";
/// A keyboard's (scans 2.4).
const KEYBOARD: &str =
    "0501 0906 A101 7501 9508 0507 19E0 29E7 1500 2501 8102 9501 7508 8101 9505 7501
    0508 1901 2905 9102 9501 7503 9101 9506 7508 1500 25FF 0507 1900 29FF 8100 C0";
/// Unnumbered, no byte count, a byte in between, and the flag in a byte of its own.
const SPARSE: &str = "058C 0902 A101 0912 A102 1500 26FF00 7508 9501 0900 8102
    9503 09FB 09FC 09FD 8102 9508 09FE 820201 9501 09FF 8102 C0 C0";
const CODE: &str = "134567890123456789";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn honeywell() -> ReportLayout {
    ReportLayout::parse(&bytes(HONEYWELL)).unwrap()
}

/// A report of 64 bytes, laid out as in the published descriptor.
fn report(data: &str, count: u8, flag: u8) -> Vec<u8> {
    let mut report = vec![0; 64];
    report[..5].copy_from_slice(&[2, count, b']', b'Q', b'1']);
    report[5..5 + data.len()].copy_from_slice(data.as_bytes());
    report[61] = b's';
    report[63] = flag;
    report
}

fn join(joiner: &mut Joiner, report: &[u8], at: u64) -> Option<Joined> {
    joiner.push(&honeywell().read(report).unwrap(), Uptime(at))
}

fn scan(text: &str) -> Joined {
    let data = Zeroizing::new(text.as_bytes().to_vec());
    Joined::Scan(CompleteScan { data, symbology: Symbology::new(*b"]Q1") })
}

#[test]
fn the_published_descriptor_has_its_fields_where_the_reports_have_them() {
    assert_eq!(bytes(HONEYWELL).len(), 144);
    let expected = ReportLayout {
        id: Some(2),
        data: 5,
        capacity: 56,
        count: Some(1),
        symbology: Some(2),
        continued: Some(Bit { byte: 63, mask: 1 }),
        has_redirection: true,
    };
    assert_eq!(honeywell(), expected);
    assert_eq!(honeywell().greeting(), Some([254, 1]));
}

#[test]
fn a_layout_without_numbers_and_counts_is_read_as_well() {
    let layout = ReportLayout::parse(&bytes(SPARSE)).unwrap();
    assert_eq!(layout.greeting(), None);
    let part = layout.read(b"\0]E01234\0\0\0\0\0").unwrap();
    assert_eq!((part.data, part.continued, part.is_full), (&b"1234"[..], false, false));
    assert_eq!(part.symbology.unwrap().name(), "EAN/UPC");
    let part = layout.read(b"\0]E012345678\x01").unwrap();
    assert_eq!((part.data, part.continued, part.is_full), (&b"12345678"[..], true, true));
}

#[test]
fn only_scanners_have_a_layout() {
    assert_eq!(ReportLayout::parse(&bytes(KEYBOARD)), None);
    assert_eq!(ReportLayout::parse(&[]), None);
    // Data that is not in whole bytes cannot be read.
    let halves = HONEYWELL.replace("7508 9501 0501", "7504 9501 0501");
    assert_eq!(ReportLayout::parse(&bytes(&halves)), None);
}

#[test]
fn a_scan_in_one_report_is_complete_at_once() {
    let joined = join(&mut Joiner::new(), &report(CODE, 18, 0), 9);
    assert_eq!(joined, Some(scan(CODE)));
}

#[test]
fn reports_of_other_kinds_hold_no_scan() {
    assert_eq!(honeywell().read(&[4, 0x40]), None);
    assert_eq!(honeywell().read(&[]), None);
    assert_eq!(honeywell().read(&[2, 1]), None);
}

#[test]
fn a_scan_in_three_reports_is_one_scan() {
    let text = "0123456789".repeat(15);
    let mut joiner = Joiner::new();
    assert_eq!(join(&mut joiner, &report(&text[..56], 56, 1), 0), None);
    assert_eq!(join(&mut joiner, &report(&text[56..112], 56, 1), 100), None);
    assert_eq!(join(&mut joiner, &report(&text[112..], 38, 0), 200), Some(scan(&text)));
}

#[test]
fn the_published_reading_of_a_boarding_pass_comes_out_complete() {
    let (first, second) = ("M1".to_owned() + &" ".repeat(54), "052Y");
    let mut joiner = Joiner::new();
    assert_eq!(join(&mut joiner, &report(&first, 0x38, 1), 0), None);
    assert_eq!(join(&mut joiner, &report(second, 4, 0), 9), Some(scan(&(first + second))));
}

#[test]
fn a_full_report_that_promises_more_than_comes_ends_by_silence() {
    let text = "7".repeat(56);
    let mut joiner = Joiner::new();
    assert_eq!(join(&mut joiner, &report(&text, 56, 1), 1000), None);
    assert_eq!(joiner.ends_at(), Some(Uptime(1150)));
    assert_eq!(joiner.tick(Uptime(1149)), None);
    assert_eq!(joiner.tick(Uptime(1150)), Some(scan(&text)));
    assert_eq!(joiner.ends_at(), None);
}

#[test]
fn a_partial_scan_is_never_taken_for_one_nor_joined_to_the_next() {
    let mut joiner = Joiner::new();
    assert_eq!(join(&mut joiner, &report("1345", 4, 1), 0), None);
    assert_eq!(joiner.tick(Uptime(150)), Some(Joined::Partial));
    assert_eq!(join(&mut joiner, &report(CODE, 18, 0), 151), Some(scan(CODE)));
}

#[test]
fn a_part_that_waited_to_be_read_belongs_to_the_one_before() {
    let text = "7".repeat(56) + "8";
    let mut joiner = Joiner::new();
    assert_eq!(join(&mut joiner, &report(&text[..56], 56, 1), 0), None);
    // The till was busy; the rest had been waiting to be read all along.
    assert_eq!(join(&mut joiner, &report("8", 1, 0), 9000), Some(scan(&text)));
}

#[test]
fn a_scan_without_end_is_bounded() {
    let mut joiner = Joiner::new();
    for at in 0..1000 {
        assert_eq!(join(&mut joiner, &report(&"7".repeat(56), 56, 1), at), None);
    }
    assert_eq!(join(&mut joiner, &report("7", 1, 0), 1000), Some(Joined::Partial));
    assert!(joiner.pending.capacity() <= LONGEST);
    assert_eq!(join(&mut joiner, &report(CODE, 18, 0), 1001), Some(scan(CODE)));
}

#[test]
fn a_count_beyond_the_report_is_cut() {
    let long = report(&"7".repeat(56), 255, 0);
    assert_eq!(honeywell().read(&long).unwrap().data.len(), 56);
    let short = honeywell().read(&[2, 9, b']', b'E', b'0', b'1', b'2']).unwrap();
    assert_eq!(short.data, b"12");
}

#[test]
fn debug_shows_nothing_that_was_scanned() {
    let report = report(CODE, 18, 0);
    let part = honeywell().read(&report).unwrap();
    let joined = Joiner::new().push(&part, Uptime(0));
    assert!(!format!("{part:?} {joined:?}").contains("49, 51"));
}

proptest! {
    #[test]
    fn any_descriptor_and_any_report_are_taken(
        descriptor: Vec<u8>,
        reports in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..70), 0_u64..300), 0..20),
    ) {
        for layout in [ReportLayout::parse(&descriptor), Some(honeywell())].into_iter().flatten() {
            let (mut joiner, mut now) = (Joiner::new(), Uptime(0));
            for (report, pause) in &reports {
                now = now.after(Millis(*pause));
                if let Some(part) = layout.read(report) {
                    joiner.push(&part, now);
                }
            }
            joiner.tick(now.after(NEXT_PART));
            prop_assert!(joiner.pending.is_empty());
        }
    }

    #[test]
    fn a_descriptor_that_was_damaged_is_taken(at in 0_usize..144, byte: u8, cut in 0_usize..145) {
        let mut descriptor = bytes(HONEYWELL);
        descriptor[at] = byte;
        descriptor.truncate(cut);
        if let Some(layout) = ReportLayout::parse(&descriptor) {
            layout.read(&report(CODE, 18, 0));
        }
    }

    #[test]
    fn items_beyond_all_measure_are_taken(items in prop::collection::vec((any::<u8>(), any::<u32>()), 0..60)) {
        let mut descriptor = bytes("058C 0902 A101");
        for (prefix, value) in items {
            descriptor.push(prefix | 3);
            descriptor.extend(value.to_le_bytes());
        }
        descriptor.extend(bytes("09FE 7508 9501 8102"));
        ReportLayout::parse(&descriptor);
    }
}
