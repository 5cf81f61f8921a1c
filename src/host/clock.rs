//! The machine's clocks, and their only reader.

use paytill_core::clock::{Timestamp, Uptime};

/// How long before boot [`Uptime`] begins, so that moments before boot have a number too.
const BEFORE_BOOT: u64 = 366 * 24 * 3600 * 1000;

/// The machine's clocks, and the boot they count from.
#[derive(Clone, Debug)]
pub struct Clock {
    boot: i64,
}

impl Clock {
    /// Finds out which boot this is. If that is unknown, every start counts as a new boot, which
    /// only makes recovery more careful.
    pub fn start() -> Self {
        let uuid = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).take(15).collect();
        Self { boot: i64::from_str_radix(&digits, 16).unwrap_or(0) }
    }

    /// Identifies this boot; 0 if unknown.
    pub fn boot(&self) -> i64 {
        self.boot
    }

    /// Time since boot. Setting the wall clock does not move it.
    pub fn uptime(&self) -> Uptime {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
        Uptime(BEFORE_BOOT + seconds * 1000 + millis)
    }

    /// Wall time.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads clocks")]
    pub fn wall(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        let since_epoch = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}
