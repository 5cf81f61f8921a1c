//! The terminal: taken over at the start, and restored on every way out.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crossterm::event::{self, Event, KeyEvent};
use ratatui::DefaultTerminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use tokio::sync::mpsc;

use crate::clock::Uptime;
use crate::screen::{self, Model};
use paytill_host::clock::Clock;

/// How many keys wait for the loop; a flood waits in the terminal itself.
const WAITING: usize = 1024;
/// How long the till, on its way out, waits for the terminal to accept its last bytes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Input from the terminal.
#[derive(Clone, Copy)]
pub(super) enum TerminalInput {
    /// A key, and when it was read.
    Key(KeyEvent, Uptime),
    /// The window was resized.
    Redraw,
    /// It was closed.
    Gone,
}

/// The terminal, with one thread reading keys and another writing frames. The loop waits for
/// neither, so a terminal that hangs holds up no payment.
pub(super) struct Terminal {
    inbox: mpsc::Receiver<TerminalInput>,
    slot: Arc<FrameSlot>,
    written: std::sync::mpsc::Receiver<()>,
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
    pub(super) fn open(clock: &Clock) -> io::Result<Self> {
        // Includes a hook that restores the terminal on a panic.
        let terminal = ratatui::try_init()?;
        Self::share(clock, terminal).inspect_err(|_| ratatui::restore())
    }

    fn share(clock: &Clock, terminal: DefaultTerminal) -> io::Result<Self> {
        let (post, inbox) = mpsc::channel(WAITING);
        let (clock, gone) = (clock.clone(), post.clone());
        std::thread::Builder::new().name("keys".into()).spawn(move || read(&clock, &post))?;
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
        Ok(Self { inbox, slot, written })
    }

    /// The next input. Cancel safe.
    pub(super) async fn next(&mut self) -> TerminalInput {
        self.inbox.recv().await.unwrap_or(TerminalInput::Gone)
    }

    /// An input that has already arrived, if any.
    pub(super) fn waiting(&mut self) -> Option<TerminalInput> {
        self.inbox.try_recv().ok()
    }

    /// Shows the model; inverted during a visual bell.
    pub(super) fn draw(&self, model: &Model, inverted: bool) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        let mut frame = Buffer::empty(Rect::new(0, 0, width, height));
        screen::view(model, &mut frame);
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

fn read(clock: &Clock, post: &mpsc::Sender<TerminalInput>) {
    loop {
        let input = match event::read() {
            Ok(Event::Key(key)) => TerminalInput::Key(key, clock.uptime()),
            Ok(Event::Resize(..)) => TerminalInput::Redraw,
            Ok(_) => continue,
            Err(_) => TerminalInput::Gone,
        };
        let gone = matches!(input, TerminalInput::Gone);
        if post.blocking_send(input).is_err() || gone {
            return;
        }
    }
}
