//! The terminal: taken over at the start, and given back on every way out.

use std::io::{self, Write as _};

use crossterm::event::{self, Event, KeyEvent};
use ratatui::DefaultTerminal;
use ratatui::style::Modifier;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::clock::{Clock, Uptime};
use crate::command::Exit;
use crate::screen::{self, Model};

/// Keys that wait for the loop; a flood waits in the terminal.
const WAITING: usize = 1024;

/// What comes from the terminal.
#[derive(Clone, Copy)]
pub(super) enum Input {
    /// A key, and when it was read.
    Key(KeyEvent, Uptime),
    /// It was resized, or somebody else wrote on it.
    Redraw,
    /// It was closed.
    Gone,
}

/// The terminal, and the thread that reads it.
pub(super) struct Terminal {
    terminal: DefaultTerminal,
    inbox: mpsc::Receiver<Input>,
}

impl Terminal {
    pub(super) fn open(clock: &Clock) -> io::Result<Self> {
        // The hook that comes with it gives the terminal back when the program panics.
        let terminal = ratatui::try_init()?;
        let (post, inbox) = mpsc::channel(WAITING);
        let clock = clock.clone();
        std::thread::Builder::new().name("keys".into()).spawn(move || {
            loop {
                let input = match event::read() {
                    Ok(Event::Key(key)) => Input::Key(key, clock.uptime()),
                    Ok(Event::Resize(..)) => Input::Redraw,
                    Ok(_) => continue,
                    Err(_) => Input::Gone,
                };
                let gone = matches!(input, Input::Gone);
                if post.blocking_send(input).is_err() || gone {
                    return;
                }
            }
        })?;
        Ok(Self { terminal, inbox })
    }

    /// The next input. It may be dropped and called again; nothing is lost.
    pub(super) async fn next(&mut self) -> Input {
        self.inbox.recv().await.unwrap_or(Input::Gone)
    }

    /// An input that has come already.
    pub(super) fn waiting(&mut self) -> Option<Input> {
        self.inbox.try_recv().ok()
    }

    /// Draws what has changed; inverted while the bell is seen.
    pub(super) fn draw(&mut self, model: &Model, inverted: bool) -> io::Result<()> {
        self.terminal.draw(|frame| {
            screen::view(model, frame);
            if inverted {
                let area = frame.area();
                frame.buffer_mut().set_style(area, Modifier::REVERSED);
            }
        })?;
        Ok(())
    }

    /// The terminal's bell.
    pub(super) fn ring() {
        let mut out = io::stdout();
        let _ = out.write_all(b"\x07").and_then(|()| out.flush());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// The signals that end the till. What is open is resolved at the next start.
pub(super) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
            _ = self.terminate.recv() => {}
        }
        Exit::Done
    }
}
