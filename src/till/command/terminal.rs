//! The terminal: taken over at the start, and restored on every way out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use zeroize::Zeroize as _;

use crate::config::Glyphs;
use crate::screen::{self, KeyReader, Pressed};
use paytill_host::clock::Clock;

/// How many keys wait for the loop; a flood waits in the terminal itself.
const WAITING: usize = 1024;
/// How many bytes are read at once.
const READ: usize = 1024;
/// How long the till, on its way out, waits for the terminal to accept its last bytes.
const PATIENCE: Duration = Duration::from_millis(500);
/// Whoever had the terminal before may have left keypad and arrows in application mode.
const PLAIN_KEYS: &[u8] = b"\x1b[?1l\x1b>";
/// A line of one cell, where the cursor is now, and the line is gone again. Some terminals draw it in
/// two cells; one that does not answer is taken for one that does not.
const HOW_WIDE: &str = "\x1b[2;1H─\x1b[6n\x1b[2;1H  ";
/// The column behind a line that takes two cells.
const DOUBLE: u16 = 3;

/// Input from the terminal.
#[derive(Clone, Copy)]
pub(super) enum TerminalInput {
    /// A key, and when it was read.
    Pressed(Pressed),
    /// The window was resized.
    Redraw,
    /// It was closed.
    Gone,
}

/// The terminal, with one thread reading keys and another writing frames. The loop waits for
/// neither, so a terminal that hangs holds up no payment.
pub(super) struct Terminal {
    inbox: mpsc::Receiver<TerminalInput>,
    resized: Signal,
    slot: Arc<FrameSlot>,
    written: std::sync::mpsc::Receiver<()>,
    is_asking_width: bool,
    is_ascii: bool,
}

/// The next frame to write. A newer frame replaces one that is still waiting.
#[derive(Default)]
struct FrameSlot {
    pending: Mutex<PendingFrame>,
    changed: Condvar,
}

#[derive(Default)]
struct PendingFrame {
    frame: Option<Buffer>,
    rings: bool,
    is_last: bool,
}

impl Terminal {
    pub(super) fn open(clock: &Clock, glyphs: Glyphs) -> io::Result<Self> {
        // Includes a hook that restores the terminal on a panic.
        let terminal = ratatui::try_init()?;
        Self::share(clock, terminal, glyphs).inspect_err(|_| ratatui::restore())
    }

    /// Whether blocks are drawn as they are, as far as is known.
    pub(super) const fn draws_blocks(&self) -> bool {
        !self.is_ascii
    }

    fn share(clock: &Clock, terminal: DefaultTerminal, glyphs: Glyphs) -> io::Result<Self> {
        let is_asking_width = glyphs == Glyphs::Auto;
        let mut out = io::stdout();
        out.write_all(PLAIN_KEYS)?;
        if is_asking_width {
            out.write_all(HOW_WIDE.as_bytes())?;
        }
        out.flush()?;
        let keys = keys()?;
        let resized = signal(SignalKind::window_change())?;
        let (post, inbox) = mpsc::channel(WAITING);
        let (clock, gone) = (clock.clone(), post.clone());
        std::thread::Builder::new().name("keys".into()).spawn(move || read(keys, &clock, &post))?;
        let slot = Arc::new(FrameSlot::default());
        let (finished, written) = std::sync::mpsc::channel();
        let writing = Arc::clone(&slot);
        std::thread::Builder::new().name("screen".into()).spawn(move || {
            if writing.write(terminal).is_err() {
                let _ = gone.try_send(TerminalInput::Gone);
            }
            ratatui::restore();
            let _ = finished.send(());
        })?;
        Ok(Self {
            inbox,
            resized,
            slot,
            written,
            is_asking_width,
            is_ascii: glyphs == Glyphs::Ascii,
        })
    }

    /// The next input. Cancel safe.
    pub(super) async fn next(&mut self) -> TerminalInput {
        let input = tokio::select! {
            input = self.inbox.recv() => input.unwrap_or(TerminalInput::Gone),
            _ = self.resized.recv() => TerminalInput::Redraw,
        };
        self.measured(input)
    }

    /// An input that has already arrived, if any.
    pub(super) fn waiting(&mut self) -> Option<TerminalInput> {
        self.inbox.try_recv().ok().map(|input| self.measured(input))
    }

    /// The answer to [`HOW_WIDE`] changes how everything is drawn.
    fn measured(&mut self, input: TerminalInput) -> TerminalInput {
        let TerminalInput::Pressed(Pressed::Cursor(column)) = input else { return input };
        if std::mem::take(&mut self.is_asking_width) {
            self.is_ascii = column == DOUBLE;
        }
        TerminalInput::Redraw
    }

    /// Shows what is painted; inverted during a visual bell.
    pub(super) fn draw(&self, paint: impl FnOnce(&mut Buffer), inverted: bool) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        let mut frame = Buffer::empty(Rect::new(0, 0, width, height));
        paint(&mut frame);
        if self.is_ascii {
            screen::in_ascii(&mut frame);
        }
        if inverted {
            frame.set_style(frame.area, Modifier::REVERSED);
        }
        self.slot.hand(|pending| pending.frame = Some(frame));
        Ok(())
    }

    /// Rings the terminal's bell.
    pub(super) fn ring(&self) {
        self.slot.hand(|pending| pending.rings = true);
    }
}

impl Drop for Terminal {
    /// Restores the terminal, unless it hangs.
    fn drop(&mut self) {
        self.slot.hand(|pending| pending.is_last = true);
        if self.written.recv_timeout(PATIENCE).is_err() {
            // It accepts no bytes, but at least typing is echoed again.
            let _ = crossterm::terminal::disable_raw_mode();
        }
    }
}

impl FrameSlot {
    fn hand(&self, change: impl FnOnce(&mut PendingFrame)) {
        change(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    /// Writes what is put into the slot, until the last frame.
    fn write(&self, mut terminal: DefaultTerminal) -> io::Result<()> {
        loop {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            while pending.frame.is_none() && !pending.rings && !pending.is_last {
                pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            let PendingFrame { frame, rings, is_last } = std::mem::take(&mut *pending);
            drop(pending);
            if let Some(drawn) = frame {
                terminal.draw(|frame| copy(&drawn, frame.buffer_mut()))?;
            }
            if rings {
                let mut out = io::stdout();
                out.write_all(b"\x07").and_then(|()| out.flush())?;
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

pub(super) fn draws_chinese() -> bool {
    std::env::var_os("TERM").is_none_or(|term| !has_no_chinese(&term))
}

/// The kernel's console has 512 characters. Those that have more are known by another name.
pub(super) fn has_no_chinese(term: &OsStr) -> bool {
    term == "linux"
}

/// Copies the part that fits: the window may have been resized, and a frame of the right size
/// follows.
fn copy(drawn: &Buffer, onto: &mut Buffer) {
    if drawn.area == onto.area {
        onto.clone_from(drawn);
        return;
    }
    for position in drawn.area.intersection(onto.area).positions() {
        onto[position].clone_from(&drawn[position]);
    }
}

/// Where the keys come from: standard input, unless that was redirected.
fn keys() -> io::Result<Box<dyn Read + Send>> {
    let input = io::stdin();
    if input.is_terminal() {
        // Without a buffer that would hide how many bytes came at once.
        // Not for a program that the till starts: it would keep the terminal when the till has left.
        return Ok(Box::new(File::from(rustix::io::fcntl_dupfd_cloexec(input, 0)?)));
    }
    Ok(Box::new(File::open("/dev/tty")?))
}

fn read(mut keys: Box<dyn Read + Send>, clock: &Clock, post: &mpsc::Sender<TerminalInput>) {
    let (mut reader, mut buffer) = (KeyReader::default(), [0; READ]);
    loop {
        let count = match keys.read(&mut buffer) {
            Ok(count @ 1..) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => {
                let _ = post.blocking_send(TerminalInput::Gone);
                return;
            }
        };
        let at = clock.uptime();
        for pressed in reader.read(&buffer[..count], at) {
            if post.blocking_send(TerminalInput::Pressed(pressed)).is_err() {
                return;
            }
        }
        // It may be a payment code.
        buffer[..count].zeroize();
    }
}
