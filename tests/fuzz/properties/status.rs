//! Printer status: any bytes are answers or nothing, and the next complete answer is recognised.

use paytill::device::printer::status::{PrinterAnswer, PrinterStatus, StatusParser};

use super::terminal;

pub fn check(data: &[u8]) {
    let mut parser = StatusParser::default();
    let mut status = PrinterStatus::default();
    let mut bytes = 0;
    // Flow control may occur between any two bytes.
    let said: Vec<u8> = data.iter().copied().filter(|byte| !matches!(byte, 0x11 | 0x13)).collect();
    for byte in data {
        bytes += 1;
        match parser.push(*byte) {
            None => continue,
            Some(PrinterAnswer::RealTime(byte)) => {
                assert_eq!(byte & 0x93, 0x12);
                for question in 0..5 {
                    status.answered(question, byte);
                }
            }
            Some(PrinterAnswer::Automatic(told)) => {
                assert_eq!(told[0] & 0x93, 0x10);
                assert!(bytes >= told.len());
                status.learn_automatic(told);
            }
            Some(PrinterAnswer::Passed(byte)) => assert_eq!(byte & 0x90, 0),
            Some(PrinterAnswer::Printed(id)) => {
                assert!(id.iter().all(|byte| (b' '..=b'~').contains(byte)));
                assert!(said.windows(4).any(|sent| sent == id));
            }
            Some(PrinterAnswer::Name(name)) => {
                assert!(!name.is_empty() && name.len() < data.len());
                terminal::read(name.as_bytes(), terminal::Place::Lines).unwrap();
            }
        }
        bytes = 0;
    }
    if let Some(trouble) = status.trouble() {
        assert!(!trouble.to_string().is_empty());
    }
    // Flow control and one answer end whatever was unfinished.
    for byte in [0x13, 0x11, 0x12] {
        parser.push(byte);
    }
    assert_eq!(parser.push(0x1a), Some(PrinterAnswer::RealTime(0x1a)));
}
