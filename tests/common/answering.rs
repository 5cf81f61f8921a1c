//! A receipt printer that answers, by devices 2.5 and 2.6 and nothing of the code that asks: its
//! paper, its cover, its power switch, and what it does when one of them fails.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serialport::{SerialPort as _, TTYPort};

/// How long the printer's own loop waits for bytes.
const BEAT: Duration = Duration::from_millis(5);
/// What it answers to `DLE EOT` when all is well.
pub const WELL: [u8; 4] = [0x12; 4];
pub const PAPER_OUT: [u8; 4] = [0x1a, 0x32, 0x12, 0x7e];
pub const PAPER_LOW: [u8; 4] = [0x12, 0x12, 0x12, 0x1e];
pub const COVER_OPEN: [u8; 4] = [0x1a, 0x16, 0x12, 0x12];

/// What a model can answer.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "models have any of them")]
pub struct Skills {
    /// `DLE EOT`.
    pub status: bool,
    /// `GS a`.
    pub changes: bool,
    /// `GS r`.
    pub fence: bool,
    /// `GS ( H`.
    pub print_end: bool,
}

impl Skills {
    pub const NONE: Self = Self { status: false, changes: false, fence: false, print_end: false };
    pub const STATUS: Self = Self { status: true, ..Self::NONE };
    /// Most printers.
    pub const FENCE: Self = Self { changes: true, fence: true, ..Self::STATUS };
    pub const ALL: Self = Self { print_end: true, ..Self::FENCE };
}

struct State {
    skills: Skills,
    status: [u8; 4],
    is_on: bool,
    tells_changes: bool,
    /// Taken, and not printed yet.
    buffer: Vec<u8>,
    /// Everything it ever printed, commands included, questions not.
    paper: Vec<u8>,
    /// The roll ends when the paper has so many bytes.
    roll_ends_at: Option<usize>,
    answers: Vec<u8>,
}

/// The printer. It is unplugged when it is dropped.
pub struct Answering {
    state: Arc<Mutex<State>>,
    is_plugged: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Answering {
    /// At the device's end of a line.
    pub fn start(mut line: TTYPort, skills: Skills) -> Self {
        let state = State {
            skills,
            status: WELL,
            is_on: true,
            tells_changes: false,
            buffer: Vec::new(),
            paper: Vec::new(),
            roll_ends_at: None,
            answers: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let is_plugged = Arc::new(AtomicBool::new(true));
        let (own, plugged) = (Arc::clone(&state), Arc::clone(&is_plugged));
        line.set_timeout(BEAT).unwrap();
        let thread = std::thread::spawn(move || {
            let mut bytes = [0; 256];
            while plugged.load(Ordering::Relaxed) {
                let count = match line.read(&mut bytes) {
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::TimedOut => 0,
                    // Nobody has the other end open now.
                    Err(_) => {
                        std::thread::sleep(BEAT);
                        0
                    }
                };
                let mut state = own.lock().unwrap();
                state.take(&bytes[..count]);
                state.work();
                let answers = std::mem::take(&mut state.answers);
                drop(state);
                line.write_all(&answers).ok();
            }
        });
        Self { state, is_plugged, thread: Some(thread) }
    }

    /// Something happens to it: what it answers from now on.
    pub fn becomes(&self, status: [u8; 4]) {
        let mut state = self.state();
        state.status = status;
        if status == WELL {
            state.roll_ends_at = None;
        }
        state.tell_change();
    }

    /// The paper ends after so many more bytes.
    pub fn runs_out_after(&self, bytes: usize) {
        let mut state = self.state();
        state.roll_ends_at = Some(state.paper.len() + bytes);
    }

    /// Switched off it loses what it has not printed.
    pub fn switch(&self, is_on: bool) {
        let mut state = self.state();
        (state.is_on, state.tells_changes) = (is_on, false);
        state.buffer.clear();
    }

    /// What it has printed.
    pub fn paper(&self) -> Vec<u8> {
        self.state().paper.clone()
    }

    /// Whether it holds something that it cannot print.
    pub fn holds_back(&self) -> bool {
        !self.state().buffer.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.is_plugged.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl State {
    /// Questions about its state are answered where they come; all else waits its turn.
    fn take(&mut self, bytes: &[u8]) {
        if !self.is_on {
            return;
        }
        for byte in bytes {
            self.buffer.push(*byte);
            if let [.., 0x10, 4, question @ 1..=4] = self.buffer[..] {
                self.buffer.truncate(self.buffer.len() - 3);
                if self.skills.status {
                    self.answers.push(self.status[usize::from(question) - 1]);
                }
            }
        }
    }

    fn stands_still(&self) -> bool {
        self.status[0] & 8 != 0
    }

    fn work(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while !rest.is_empty() && !self.stands_still() {
            let Some(length) = self.step(rest) else { break };
            rest = &rest[length..];
            if self.roll_ends_at.is_some_and(|end| self.paper.len() >= end) {
                self.status = PAPER_OUT;
                self.tell_change();
            }
        }
        self.buffer = rest.to_vec();
    }

    /// Carries out what comes next: how many bytes it was, if all of it is there.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        let length = match *bytes {
            [0x1b, b'@', ..] => {
                self.tells_changes = false;
                self.paper.extend(b"\x1b@");
                return Some(2);
            }
            [0x1d, b'r', _, ..] => {
                if self.skills.fence {
                    self.answers.push(0);
                }
                3
            }
            [0x1d, b'a', which, ..] => {
                self.tells_changes = which != 0 && self.skills.changes;
                self.tell_change();
                3
            }
            [0x1d, b'I', _, ..] => {
                if self.skills.fence {
                    self.answers.extend(b"_MODEL 1\0");
                }
                3
            }
            [0x1d, b'(', b'H', 6, 0, b'0', b'0', a, b, c, d, ..] => {
                if self.skills.print_end {
                    self.answers.extend([0x37, 0x22, a, b, c, d, 0]);
                }
                11
            }
            // The rest of it has not come yet.
            [0x10 | 0x1b | 0x1d]
            | [0x10, 4]
            | [0x1d, b'r' | b'a' | b'I' | b'(']
            | [0x1d, b'(', b'H', ..] => return None,
            [first, ..] => {
                self.paper.push(first);
                1
            }
            [] => 0,
        };
        Some(length)
    }

    fn tell_change(&mut self) {
        if self.tells_changes {
            let [printer, cause, _, paper] = self.status;
            let cover = if cause & 4 == 0 { 0 } else { 0x20 };
            let low = if paper & 0x0c == 0 { 0 } else { 3 };
            let out = if paper & 0x60 == 0 { 0 } else { 0x0c };
            self.answers.extend([0x10 | (printer & 0x0c) | cover, 0, low | out, 0]);
        }
    }
}
