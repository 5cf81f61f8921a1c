//! `paytill customer-view`: what the customer may see, on a second terminal or monitor.
//!
//! It reads what the till of the same journal tells it, through a socket beside that journal, and
//! says nothing itself. It may be started before the till and outlives it.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::signals::Signals;
use super::terminal::{Terminal, TerminalInput, draws_chinese};
use super::{Exit, Failure};
use crate::both;
use crate::config::Config;
use crate::display::{LONGEST_LINE, Told};
use crate::screen::{self, CustomerViewSettings, Key, Pressed};
use paytill_host::clock::Clock;

/// Between attempts to reach the till.
const PAUSE: Duration = Duration::from_secs(1);
/// A socket's path must be shorter on every system.
const LONGEST_PATH: usize = 100;

/// Shows what the till tells, until Ctrl-Q or Ctrl-C.
pub async fn run(config: &Config, clock: &Clock) -> Result<Exit, Failure> {
    if !io::stdout().is_terminal() {
        let sentence = both!(
            "the customer's screen needs a terminal of its own",
            "顾客屏幕需要一个单独的终端"
        );
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let mut signals = Signals::new()?;
    let mut terminal = Terminal::open(clock, config.screen.glyphs).map_err(|error| {
        Failure::of_system(&both!("the terminal cannot be used", "无法使用终端"), &error)
    })?;
    let mut settings = CustomerViewSettings {
        store: config.store.name.clone(),
        currency: config.till.currency,
        language: config.till.language,
        theme: config.screen.theme,
        draws_chinese: draws_chinese(),
        draws_blocks: true,
    };
    let (heard, mut told) = watch::channel(None);
    tokio::spawn(listen(place(&config.journal.path), heard));
    loop {
        let now = told.borrow_and_update().clone();
        settings.draws_blocks = terminal.draws_blocks();
        let paint = |frame: &mut _| screen::customer_view(&settings, now.as_ref(), frame);
        terminal.draw(paint, false).map_err(|error| {
            Failure::of_system(&both!("the terminal is gone", "终端已断开"), &error)
        })?;
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return Ok(Exit::Fault) },
            input = terminal.next() => match input {
                TerminalInput::Pressed(Pressed::Key(Key::Ctrl('q' | 'c'), _)) => {
                    return Ok(Exit::Done);
                }
                TerminalInput::Gone => return Ok(Exit::Fault),
                TerminalInput::Pressed(_) | TerminalInput::Redraw => {}
            },
            _ = signals.next() => return Ok(Exit::Done),
        }
    }
}

/// Where the till of a journal tells what the customer may see.
pub(super) fn place(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".view");
    name.into()
}

/// The same place by a path that is short enough for a socket, as long as the folder stays open.
pub(super) fn reachable(place: &Path) -> io::Result<(Option<File>, PathBuf)> {
    if place.as_os_str().len() < LONGEST_PATH {
        return Ok((None, place.to_owned()));
    }
    let folder = File::open(place.parent().unwrap_or_else(|| Path::new(".")))?;
    let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    let path = path.join(place.file_name().unwrap_or_default());
    Ok((Some(folder), path))
}

/// Follows the till, and finds it again after a restart.
async fn listen(place: PathBuf, heard: watch::Sender<Option<Told>>) {
    while !heard.is_closed() {
        let _ = follow(&place, &heard).await;
        // What was last told may be another customer's by now.
        heard.send_if_modified(|told| told.take().is_some());
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow(place: &Path, heard: &watch::Sender<Option<Told>>) -> io::Result<()> {
    let stream = {
        let (_folder, path) = reachable(place)?;
        UnixStream::connect(path).await?
    };
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        (&mut lines).take(LONGEST_LINE as u64).read_line(&mut line).await?;
        if !line.ends_with('\n') {
            return Ok(());
        }
        // What this version does not understand it cannot show.
        let _ = heard.send(Told::from_line(&line));
    }
}
