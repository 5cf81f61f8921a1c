//! The lines of a bill: text out of bytes that may be compressed, a bounded piece at a time.

use std::io::{self, BufRead as _, BufReader, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::fault::{Failure, Fault};

/// The longest line. Real ones stay under 2 KiB.
const LONGEST: usize = 64 * 1024;
/// The largest bill, inflated: some ten million rows.
const LARGEST: u64 = 256 << 20;
const CHUNK: usize = 64 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZIP: [u8; 2] = *b"PK";

/// What is compressed by gzip in a bill, as long as it may be.
pub fn decompressed(input: impl Read) -> impl Read {
    MultiGzDecoder::new(input).take(LARGEST)
}

/// Bytes as lines.
pub(super) struct Lines<'a> {
    input: BufReader<Box<dyn Read + 'a>>,
    line: Vec<u8>,
    number: u64,
    left: u64,
}

impl<'a> Lines<'a> {
    /// Lines of a text, or of one that is compressed by gzip.
    pub(super) fn of<E>(mut input: impl Read + 'a) -> Result<Self, Failure<E>> {
        let mut start = [0; 2];
        let mut length = 0;
        while length < start.len() {
            match input.read(&mut start[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::Io(error)),
            }
        }
        let is_gzip = start == GZIP;
        if start == ZIP {
            return Err(Failure::Fault(Fault::Archive));
        }
        let whole = Cursor::new(start).take(length as u64).chain(input);
        let whole: Box<dyn Read + 'a> =
            if is_gzip { Box::new(Inflated(MultiGzDecoder::new(whole))) } else { Box::new(whole) };
        let input = BufReader::with_capacity(CHUNK, whole);
        Ok(Self { input, line: Vec::new(), number: 0, left: LARGEST })
    }

    /// The number of the line that was read last.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without its end; `None` at the end of the text.
    pub(super) fn next<E>(&mut self) -> Result<Option<&str>, Failure<E>> {
        self.line.clear();
        let bound = LONGEST as u64 + 1;
        let length = (&mut self.input)
            .take(bound)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| Self::failure(error))?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        let line = self.number;
        self.left = self.left.checked_sub(length as u64).ok_or(Failure::Fault(Fault::TooLarge))?;
        if length > LONGEST {
            return Err(Failure::Fault(Fault::TooLong { line }));
        }
        while let [rest @ .., b'\n' | b'\r'] = self.line.as_slice() {
            self.line.truncate(rest.len());
        }
        match std::str::from_utf8(&self.line) {
            Ok(text) if line == 1 => Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(text))),
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Failure::Fault(Fault::NotUtf8 { line })),
        }
    }

    fn failure<E>(error: io::Error) -> Failure<E> {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Broken>()) {
            Some(Broken::Off) => Failure::Fault(Fault::Truncated { rows: 0 }),
            Some(Broken::Wrong) => Failure::Fault(Fault::Damaged),
            None => Failure::Io(error),
        }
    }
}

/// What is wrong with compressed bytes, apart from failures to read them.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the compressed bytes break off")]
    Off,
    #[error("the compressed bytes are damaged")]
    Wrong,
}

/// What inflates, with its own errors told apart from those of its source.
struct Inflated<R>(MultiGzDecoder<R>);

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::other(Broken::Off),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => io::Error::other(Broken::Wrong),
            _ => error,
        })
    }
}
