//! An open line that bytes are written to, in small pieces and without ever waiting: what the
//! printer and the customer's display share.

use std::fs::File;
use std::io::{self, Write as _};

use serialport::{ClearBuffer, SerialPort as _};

use super::OpenPort;

/// Small enough for any driver to take or leave (devices 1.5).
const CHUNK: usize = 256;

/// The line is gone: unplugged, or its other end closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PortGone;

impl OpenPort<File> {
    /// Hands the line as much of `bytes` as it takes at once. Returns how many those were; zero
    /// means not now.
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

    /// Bytes that the system still holds back. Drivers count as they like; only zero is sure.
    pub(super) fn held(&self) -> Result<u32, PortGone> {
        self.port.bytes_to_write().map_err(|_| PortGone)
    }

    /// Throws away what the system still holds, so that it does not come out by itself later.
    pub(super) fn discard_unsent(&self) {
        // A line that cannot forget keeps it; nothing else can be done about it here.
        self.port.clear(ClearBuffer::Output).ok();
    }
}
