//! Starts a program of the shop's choice for each sound, such as one that speaks.
//!
//! It runs in a thread of its own: a program that hangs is ended, and the screen never waits. It
//! gets no shell, no input, and none of the till's secrets.

use std::collections::VecDeque;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::clock::{Millis, Uptime};
use paytill_host::clock::Clock;

/// How long one may run, and how often it is looked at.
const PATIENCE: Millis = Millis::seconds(10);
/// A sentence that is older is about a customer who has left.
const FRESH_FOR: Millis = Millis::seconds(5);
const POLL: Duration = Duration::from_millis(20);
/// Sentences that wait; what comes on top of them is old when its turn comes.
const WAITING: usize = 8;
/// Where secrets may be in the environment.
const OURS: &str = "PAYTILL_";

/// The thread. It ends with the process, and what it has started ends with this.
pub(super) struct Voice {
    lines: Arc<Lines>,
    clock: Clock,
}

#[derive(Default)]
struct Lines {
    waiting: Mutex<VecDeque<(Uptime, Vec<String>)>>,
    added: Condvar,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// The program that runs now.
    child: Option<Child>,
    /// The till leaves: nothing is started any more.
    is_over: bool,
}

impl Drop for Voice {
    fn drop(&mut self) {
        let mut running = self.lines.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_over = true;
        if let Some(child) = running.child.as_mut() {
            let _ = end(child);
        }
    }
}

impl Voice {
    /// Fails only if the system cannot provide a thread.
    pub(super) fn start(clock: Clock) -> io::Result<Self> {
        let lines = Arc::new(Lines::default());
        let (spoken, uptime) = (Arc::clone(&lines), clock.clone());
        std::thread::Builder::new().name("voice".into()).spawn(move || {
            loop {
                let (since, line) = spoken.next();
                if uptime.uptime().since(since) > FRESH_FOR {
                    continue;
                }
                if let Err(error) = spoken.run(&line, &uptime) {
                    tracing::warn!(%error, "screen.voice");
                }
            }
        })?;
        Ok(Self { lines, clock })
    }

    /// A program and its arguments, after those before it. Never blocks.
    pub(super) fn say(&self, line: Vec<String>) {
        let mut waiting = self.lines.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.push_back((self.clock.uptime(), line));
            self.lines.added.notify_one();
        }
    }
}

impl Lines {
    fn next(&self) -> (Uptime, Vec<String>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match waiting.pop_front() {
                Some(line) => return line,
                None => {
                    waiting = self.added.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Until it has ended.
    fn run(&self, line: &[String], clock: &Clock) -> io::Result<()> {
        let running = || self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((program, arguments)) = line.split_first() else { return Ok(()) };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with(OURS)) {
            command.env_remove(name);
        }
        // A Ctrl-C in this terminal is not meant for it.
        let mut now = running();
        if now.is_over {
            return Ok(());
        }
        now.child = Some(command.process_group(0).spawn()?);
        drop(now);
        let began = clock.uptime();
        loop {
            std::thread::sleep(POLL);
            let mut running = running();
            let Some(child) = running.child.as_mut() else { return Ok(()) };
            let is_late = clock.uptime().since(began) > PATIENCE;
            if is_late {
                end(child)?;
            }
            if child.try_wait()?.is_some() {
                running.child = None;
                return if is_late { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) };
            }
        }
    }
}

/// With all that it has started.
fn end(child: &Child) -> io::Result<()> {
    Ok(kill_process_group(Pid::from_child(child), Signal::KILL)?)
}
