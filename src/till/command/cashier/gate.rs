//! Whose PIN it is, found out on a thread of its own: a hash takes its time, and the screen never
//! waits for it. So is who is left, now and then: whoever was removed is locked out.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use crate::both;
use crate::config::Config;
use crate::operators::{self, Operators, Pin};
use crate::screen::{ScreenMessage, SignedIn};
use crate::text::operators::failure;
use crate::text::system;

/// The list of operators, which is read anew for every PIN: whoever was removed cannot sign in.
pub(super) struct Gate {
    path: PathBuf,
    report: UnboundedSender<ScreenMessage>,
}

impl Gate {
    pub(super) fn new(config: &Config, report: UnboundedSender<ScreenMessage>) -> Self {
        Self { path: operators::path(&config.journal.path), report }
    }

    /// Begins to find it out, and reports it.
    pub(super) fn ask(&self, serial: u64, pin: Pin) {
        let (path, report) = (self.path.clone(), self.report.clone());
        let ask = move || {
            let found = whose(&path, &pin);
            // Gone before anybody acts upon the answer.
            drop(pin);
            match &found {
                Ok(Some(operator)) => tracing::info!(name = operator.name, "a PIN of an operator"),
                Ok(None) => tracing::warn!("a wrong PIN"),
                Err(why) => tracing::error!(%why, "nobody can sign in"),
            }
            let _ = report.send(ScreenMessage::SignedIn { serial, found });
        };
        if let Err(error) = std::thread::Builder::new().name("pin".into()).spawn(ask) {
            let why = both!("a thread", "线程").because(&system::text(&error));
            let _ = self.report.send(ScreenMessage::SignedIn { serial, found: Err(why) });
        }
    }

    /// Begins to read who is left, and reports it. What cannot be read removes nobody.
    pub(super) fn read(&self) {
        let (path, report) = (self.path.clone(), self.report.clone());
        let read = move || match Operators::read(&path) {
            Ok(all) => {
                let _ = report.send(ScreenMessage::Operators(all.iter().cloned().collect()));
            }
            Err(why) => tracing::warn!(?why, "the list of operators cannot be read"),
        };
        if let Err(error) = std::thread::Builder::new().name("operators".into()).spawn(read) {
            tracing::warn!(%error, "the list of operators is not read");
        }
    }
}

fn whose(path: &std::path::Path, pin: &Pin) -> SignedIn {
    let all = Operators::read(path).map_err(|error| failure(&error))?;
    if all.is_empty() {
        return Err(both!(
            "there are no operators any more; end the till with SIGTERM and start it again",
            "操作员名单已为空；请用 SIGTERM 结束收银机并重新启动"
        ));
    }
    Ok(all.who(pin).cloned())
}
