//! A customer display on a pseudo-terminal.

use std::sync::mpsc::RecvTimeoutError;

use super::super::display::{Display, DisplaySettings};
use super::*;
use crate::hardware::Parity;

const START: &[u8] = b"<start>";

fn display(socket: &Socket) -> (Display, Reports<Health>) {
    let (sender, reports) = Reports::new();
    let settings = DisplaySettings {
        port: socket.path(),
        baud: 9600,
        parity: Parity::None,
        start: START.to_vec(),
    };
    let display = Display::start(settings, Clock::start(), move |health| {
        sender.send(health).ok();
    });
    (display.unwrap(), reports)
}

#[test]
fn a_display_is_started_once_and_then_sent_each_state() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let (display, reports) = display(&socket);
    assert_eq!(reports.next(), Health::Ready);
    display.show(b"[12.00]".to_vec());
    assert_eq!(read_until(&mut hardware, b"[12.00]"), b"<start>[12.00]");
    display.show(b"[PAID]".to_vec());
    assert_eq!(read_until(&mut hardware, b"[PAID]"), b"[PAID]");
}

#[test]
fn a_display_that_was_away_shows_the_present_and_nothing_of_the_past() {
    let socket = Socket::new();
    let (display, reports) = display(&socket);
    assert_eq!(reports.next(), Health::Searching);
    for state in ["[1]", "[12]", "[12.5]"] {
        display.show(state.into());
    }
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), Health::Ready);
    assert_eq!(read_until(&mut hardware, b"[12.5]"), b"<start>[12.5]");
    drop(hardware);
    assert_eq!(reports.next(), Health::Searching);
    let mut hardware = socket.plug();
    assert_eq!(reports.next(), Health::Ready);
    assert_eq!(read_until(&mut hardware, b"[12.5]"), b"<start>[12.5]");
}

#[test]
fn a_display_that_takes_nothing_is_named_and_gets_the_newest_state_once_it_does() {
    let socket = Socket::new();
    let mut hardware = socket.plug();
    let mut end = till_end(&socket);
    let (display, reports) = display(&socket);
    assert_eq!(reports.next(), Health::Ready);
    jam(&mut end, &hardware);
    display.show(b"[old]".to_vec());
    assert_eq!(reports.next(), Health::Failed(DeviceFault::Blocked));
    display.show(b"[new]".to_vec());
    let all = String::from_utf8(read_until(&mut hardware, b"[new]")).unwrap();
    assert!(all.ends_with("<start>[new]"), "{}", &all[all.len() - 40..]);
    assert_eq!(reports.next(), Health::Ready);
}

#[test]
fn leaving_does_not_wait_for_a_display_that_takes_nothing() {
    let socket = Socket::new();
    let hardware = socket.plug();
    let mut end = till_end(&socket);
    let (display, reports) = display(&socket);
    assert_eq!(reports.next(), Health::Ready);
    jam(&mut end, &hardware);
    display.show(b"[state]".to_vec());
    assert_eq!(reports.next(), Health::Failed(DeviceFault::Blocked));
    drop(display);
    // The thread ends, and with it the sender of its reports.
    assert_eq!(reports.0.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}
