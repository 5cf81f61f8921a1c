//! Non-blocking output to an open line in small pieces, shared by the printer and the customer
//! display.

use std::fs::File;
use std::io::{self, Write as _};

use rustix::termios::{InputModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use serialport::{ClearBuffer, SerialPort as _};

use super::OpenPort;

/// Small enough for any driver to accept or refuse as a unit (devices 1.5).
const CHUNK: usize = 256;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// The line is gone: unplugged, or closed at the other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PortGone;

impl OpenPort<File> {
    /// Writes as much of `bytes` as the line accepts at once, at most one chunk, and returns how
    /// many bytes that was; zero means not now.
    pub(super) fn offer(&mut self, bytes: &[u8]) -> Result<usize, PortGone> {
        loop {
            return match self.extra.write(&bytes[..bytes.len().min(CHUNK)]) {
                Ok(count) => Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => Err(PortGone),
            };
        }
    }

    /// Bytes the system has not sent yet. Drivers count differently; only zero is reliable.
    pub(super) fn held(&self) -> Result<u32, PortGone> {
        self.port.bytes_to_write().map_err(|_| PortGone)
    }

    /// Lets the kernel hold the line while the printer says XOFF. Its other answers have neither
    /// byte (devices 2.5). A line that is no terminal goes on as it was.
    pub(super) fn obey_xoff(&self) {
        let _ = self.set_xoff(true);
    }

    /// Lets the line go on after an XOFF that no XON follows.
    pub(super) fn forget_xoff(&self) {
        let _ = self.set_xoff(false).and_then(|()| self.set_xoff(true));
    }

    fn set_xoff(&self, obeys: bool) -> rustix::io::Result<()> {
        let mut modes = tcgetattr(&self.extra)?;
        modes.input_modes.set(InputModes::IXON, obeys);
        modes.input_modes.remove(InputModes::IXANY);
        modes.special_codes[SpecialCodeIndex::VSTART] = XON;
        modes.special_codes[SpecialCodeIndex::VSTOP] = XOFF;
        tcsetattr(&self.extra, OptionalActions::Now, &modes)
    }

    /// Discards what the system has not sent yet, so that it cannot come out later on its own.
    pub(super) fn discard_unsent(&self) {
        // A driver that cannot discard keeps the data; nothing more can be done about it here.
        self.port.clear(ClearBuffer::Output).ok();
    }
}
