//! What this process hides from others on the same machine.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use paytill_core::language::Language;
use paytill_core::say;

/// Keeps secrets inside the process: no core dumps, no access by other processes of this user, no
/// data in panic messages, and new files only for their owner (interface 6.2). Panics are reported
/// in `language`.
pub fn harden(language: Language) -> std::io::Result<()> {
    std::panic::set_hook(Box::new(move |panic| panicked(panic, language)));
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Reports where it happened and not what: a panic's message may hold what was scanned or typed.
fn panicked(panic: &PanicHookInfo<'_>, language: Language) {
    let mut out = std::io::stderr().lock();
    let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
    let sentence = say!(
        language,
        "an unexpected fault{place}; what was begun is in the journal, and `paytill recover` or \
         the next start goes on with it",
        "意外故障{place}；已开始的支付都有记录，运行 paytill recover 或下次启动时会继续处理",
        place = place.unwrap_or_default()
    );
    let _ = writeln!(out, "paytill: {sentence}");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(out, "{backtrace}");
    }
}
