//! Paths that lead to somebody's terminal: none of its keys is taken, and nothing is written there.

use super::super::display::{Display, DisplaySettings};
use super::super::printer::{
    Patience, PrintProof, Printer, PrinterPort, PrinterReport, PrinterSettings,
};
use super::*;
use crate::hardware::{Flow, Parity, StatusUse};

const REFUSED: Health = Health::Failed(DeviceFault::Terminal);

/// Somebody who works in a terminal: a session of its own.
struct Person {
    _window: Box<dyn MasterPty + Send>,
    shell: Box<dyn Child + Send + Sync>,
}

impl Person {
    fn sits_at(socket: &Socket) -> Self {
        let window = native_pty_system().openpty(PtySize::default()).unwrap();
        // `read` keeps it running for as long as nobody types.
        let mut shell = CommandBuilder::new("sh");
        shell.args(["-c", "read line"]);
        let shell = window.slave.spawn_command(shell).unwrap();
        let name = window.master.tty_name().unwrap();
        std::fs::remove_file(socket.path()).ok();
        symlink(name, socket.path()).unwrap();
        Self { _window: window.master, shell }
    }

    fn leaves(&mut self) {
        self.shell.kill().unwrap();
        self.shell.wait().unwrap();
    }
}

fn printer(kind: PrinterPort) -> (Printer, Reports<PrinterReport>) {
    let (sender, reports) = Reports::new();
    let settings = PrinterSettings {
        kind,
        proof: PrintProof::SyncPoint,
        uses: StatusUse::Auto,
        terminator: Vec::new(),
        patience: Patience::default(),
    };
    let printer = Printer::start(settings, Clock::start(), move |report| {
        sender.send(report).ok();
    });
    (printer.unwrap(), reports)
}

#[test]
fn a_scanner_s_port_that_somebody_works_at_is_refused_until_a_device_is_there() {
    let socket = Socket::new();
    let mut person = Person::sits_at(&socket);
    let (_scanner, reports) = scanner(socket.path(), Suffix::Auto);
    assert_eq!(reports.next(), ScannerReport::Health(REFUSED));
    person.leaves();
    let mut hardware = socket.plug();
    reports.expect(&SCANNER_READY, &[SCANNER_SEARCHING]);
    hardware.write_all(format!("{CODE}\r").as_bytes()).unwrap();
    assert_eq!(reports.next(), scanned(CODE));
    // The link that a device left behind now leads to a person.
    let mut person = Person::sits_at(&socket);
    assert_eq!(reports.next(), SCANNER_SEARCHING);
    assert_eq!(reports.next(), ScannerReport::Health(REFUSED));
    person.leaves();
}

#[test]
fn neither_printer_nor_display_writes_where_somebody_works() {
    let socket = Socket::new();
    let mut person = Person::sits_at(&socket);
    let serial = PrinterPort::Serial { port: socket.path(), baud: 9600, flow: Flow::None };
    for kind in [serial, PrinterPort::File { path: socket.path() }] {
        let (_printer, reports) = printer(kind);
        assert_eq!(reports.next(), PrinterReport::Health(REFUSED));
    }
    let (sender, reports) = Reports::new();
    let (port, baud, parity) = (socket.path(), 9600, Parity::None);
    let settings = DisplaySettings { port, baud, parity, start: Vec::new() };
    let _display = Display::start(settings, Clock::start(), move |health| {
        sender.send(health).ok();
    });
    assert_eq!(reports.next(), REFUSED);
    person.leaves();
}

#[test]
fn the_kernel_s_names_for_terminals_are_refused() {
    for name in ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ptmx", "/dev/pts/ptmx"]
    {
        let port = PathBuf::from(name);
        if port.exists() {
            assert_eq!(crate::device::probe(&port, 9600), REFUSED, "{name}");
            let (_printer, reports) = printer(PrinterPort::File { path: port });
            assert_eq!(reports.next(), PrinterReport::Health(REFUSED), "{name}");
        }
    }
}
