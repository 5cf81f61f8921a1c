//! The times that a payment keeps, as the section `[payment]` sets them for every program that drives
//! payments, and the zone in which days are told.

use paytill_core::both;
use paytill_core::clock::{Millis, TimeZone};
use paytill_core::payment::Rules;

use crate::config::ConfigError;
use crate::config::file::Section;

/// The keys of these times; a program may have more in the same section.
pub const KEYS: [&str; 5] = [
    "query_interval_ms",
    "give_up_after_ms",
    "reverse_not_before_ms",
    "attention_after_ms",
    "qr_lasts_ms",
];

/// The longest name of a zone, in cells.
const ZONE_CELLS: usize = 64;

/// How long to wait, and for what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Times {
    pub rules: Rules,
    /// How long the code of an order may be shown to its customer.
    pub qr_lasts: Millis,
}

impl Times {
    /// What the section says, or the defaults.
    pub fn read(section: Section<'_>) -> Result<Self, ConfigError> {
        let time =
            |key, allowed, default: Millis| section.whole(key, allowed, default.0).map(Millis);
        let [query, give_up, reverse, attention, qr] = KEYS;
        let rules = Rules::default();
        let rules = Rules {
            query_interval: time(query, 100..=60_000, rules.query_interval)?,
            give_up_after: time(give_up, 500..=120_000, rules.give_up_after)?,
            reverse_not_before: time(reverse, 0..=60_000, rules.reverse_not_before)?,
            attention_after: time(attention, 1000..=600_000, rules.attention_after)?,
        };
        let qr_lasts = time(qr, 1000..=7_200_000, Millis::seconds(7_200))?;
        Ok(Self { rules, qr_lasts })
    }
}

/// The zone of the clock and the calendar, by its key `time_zone`; by default the machine's own.
pub fn zone(section: Section<'_>) -> Result<TimeZone, ConfigError> {
    match section.text("time_zone", ZONE_CELLS)?.as_deref() {
        None | Some("") => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).map_err(|_| {
            let sentence = both!(
                "is \"{name}\", which is no time zone; write one such as Asia/Shanghai, or \"\" for \
                 the machine's own",
                "为“{name}”，不是时区名；请写如 Asia/Shanghai，或写 \"\" 使用本机时区"
            );
            section.wrong("time_zone", &sentence)
        }),
    }
}
