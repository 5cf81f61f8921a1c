//! What befalls the till's machine: its wall clock jumps, and it is suspended.

use std::cmp::Reverse as Earliest;

use super::{Due, STARTED, World};
use crate::plan::HEALED;

impl World {
    pub(super) fn clock_jump(&mut self, number: u64) {
        let jumps = [-3_600_000, 3_600_000, 86_400_000, -STARTED, 4_070_908_800_000 - STARTED, 0];
        let mut rng = self.plan.chance("clock", number);
        self.wall_error = jumps[rng.usize(..jumps.len())];
        let wall = self.wall();
        self.tell(|| format!("the wall clock jumps: {}", wall.to_rfc3339()));
    }

    pub(super) fn suspension(&mut self, number: u64) {
        let mut rng = self.plan.chance("suspension", number);
        let wakes = (self.now + rng.u64(1_000..120_000)).min(HEALED - 1);
        self.tell(|| format!("the machine sleeps until {wakes}"));
        self.suspended_until = wakes;
        self.auditor.sleeps(wakes);
        // No connection survives a suspension.
        let (process, now) = (self.process, self.now);
        let calls: Vec<(i64, u32)> = self.awaited.keys().copied().collect();
        let agenda = std::mem::take(&mut self.agenda);
        let is_kept = |due: &Due| {
            !matches!(
                due,
                Due::Answered { reply: Some(_), .. } | Due::RefundAnswered { reply: Some(_), .. }
            )
        };
        self.agenda = agenda.into_iter().filter(|Earliest((_, _, due))| is_kept(due)).collect();
        for call in calls {
            self.plan_at(now, Due::Answered { process, call, reply: None });
        }
    }
}
