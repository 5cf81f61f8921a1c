//! The signals that end a till. What is open is resolved at the next start.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use crate::both;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ShutdownRequest {
    /// The person at the keyboard wants to stop.
    Interrupt,
    /// The process must end.
    End,
}

/// While this exists, none of these signals ends the process by itself.
pub(super) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        Self::listen()
            .map_err(|error| Failure::of_system(&both!("signals", "无法接收系统信号"), &error))
    }

    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> ShutdownRequest {
        tokio::select! {
            _ = self.interrupt.recv() => ShutdownRequest::Interrupt,
            _ = self.hangup.recv() => ShutdownRequest::End,
            _ = self.quit.recv() => ShutdownRequest::End,
            _ = self.terminate.recv() => ShutdownRequest::End,
        }
    }
}
