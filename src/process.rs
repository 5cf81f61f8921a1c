//! What this process keeps from others on the same machine.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// Secrets in memory stay there: no core dumps, no other process of this user may look in, and
/// files are made for their owner alone (threats T2, T19).
pub fn harden() -> std::io::Result<()> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
