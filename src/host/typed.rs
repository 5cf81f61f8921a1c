//! A secret from whoever is at the terminal, without an echo, or a line from standard input.

use std::io::{self, IsTerminal as _};

use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// More than any secret that is typed; the rest of a line is not read.
const LINE: usize = 256;

/// Whether a person types it.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// A line as it is typed, or as it comes. On a terminal `prompt` is called first, and nothing that is
/// typed is shown.
pub fn line(prompt: impl FnOnce()) -> io::Result<Zeroizing<String>> {
    let _silence = if is_terminal() {
        prompt();
        Some(Silence::begin()?)
    } else {
        None
    };
    let mut bytes = Zeroizing::new([0_u8; LINE]);
    let mut length = 0;
    while length < LINE {
        // Byte by byte: what follows the line belongs to somebody else.
        match rustix::io::read(stdin(), &mut bytes[length..=length]) {
            Ok(0) => break,
            Ok(_) if bytes[length] == b'\n' => break,
            Ok(_) => length += 1,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = std::str::from_utf8(&bytes[..length]);
    let text = text.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(Zeroizing::new(text.trim_end_matches('\r').to_owned()))
}

/// Nothing that is typed is shown, until it is dropped. Ctrl-C is a character meanwhile: a signal would
/// leave the terminal silent.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self, Errno> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
