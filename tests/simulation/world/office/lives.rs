//! How instances die, come back under another name, and are stopped for a while.

use super::{Due, OfficeDue, World};
use crate::plan::HEALED;

impl World {
    /// Schedules what the plan has for the backend.
    pub(in super::super) fn draw_the_backend(&mut self) {
        if self.climate.backend == 0 {
            return;
        }
        let mut rng = self.plan.chance("backend", 1);
        let mut moments =
            |count: u64| (0..count).map(|_| rng.u64(1..HEALED - 25_000)).collect::<Vec<_>>();
        let (crashes, pauses, visits) = (
            moments(self.climate.backend_deaths.min(3)),
            moments(self.climate.backend_pauses),
            moments(self.climate.visits),
        );
        for (number, at) in (0..).zip(crashes) {
            self.plan_at(at, Due::Office(OfficeDue::Crash(number)));
        }
        for (number, at) in (0..).zip(pauses) {
            self.plan_at(at, Due::Office(OfficeDue::Pause(number)));
        }
        for (number, at) in (0..).zip(visits) {
            self.plan_at(at, Due::Office(OfficeDue::Visit(number)));
        }
    }

    /// The process of an instance is gone, and all that it had in memory.
    pub(super) fn office_dies(&mut self, who: usize) {
        if self.is_healed() {
            return;
        }
        let name = self.office_name(who);
        self.tell(|| format!("INSTANCE {name} DIES"));
        self.counts.deaths += 1;
        let mut rng = self.office_chance("comes back");
        let Some(office) = &mut self.office else { return };
        let instance = &mut office.instances[who];
        instance.life += 1;
        (instance.is_up, instance.next_sweep, instance.paused_until) = (false, None, 0);
        instance.nonces = super::Nonces::default();
        let life = instance.life;
        office.calls.retain(|_, calling| calling.who != who);
        office.waiters.retain(|id, waiter| {
            let stays = waiter.who != who;
            if !stays {
                self.auditor.waiting.remove(id);
            }
            stays
        });
        let longest = [300, 5_000, 60_000][rng.usize(..3)];
        let at = (self.now + rng.u64(100..=longest)).min(HEALED.max(self.now));
        self.plan_at(at, Due::Office(OfficeDue::Starts { who, life }));
    }

    pub(super) fn office_starts(&mut self, who: usize, life: u32) {
        let Some(office) = &mut self.office else { return };
        let is_alone = office.instances.len() == 1;
        let instance = &mut office.instances[who];
        if instance.life != life || instance.is_up {
            return;
        }
        instance.is_up = true;
        let (payments, refunds) = if is_alone {
            let open = office.payments.iter().filter(|(_, row)| row.wake_at.is_some());
            let payments = open.map(|(number, _)| number.clone()).collect();
            let rows = office.refunds.values().flatten().filter(|row| row.wake_at.is_some());
            (payments, rows.map(|row| row.key.clone()).collect())
        } else {
            (Vec::new(), Vec::new())
        };
        let name = self.office_name(who);
        self.tell(|| format!("instance {name} starts"));
        // Whoever had a call under way is gone.
        self.office_wakes(who, payments, refunds);
        self.plan_sweeps(who);
    }

    pub(super) fn office_crashes(&mut self, number: u64) {
        let mut rng = self.plan.chance("crash", number);
        let Some(office) = &self.office else { return };
        let who = rng.usize(..office.instances.len());
        if office.instances[who].is_up {
            self.office_dies(who);
        }
    }

    /// An instance is stopped, and goes on later as if nothing had been.
    pub(super) fn office_pauses(&mut self, number: u64) {
        let mut rng = self.plan.chance("pause", number);
        let lasts = rng.u64(500..90_000);
        let Some(office) = &self.office else { return };
        let who = rng.usize(..office.instances.len());
        self.office_is_stopped(who, lasts);
    }

    pub(super) fn office_is_stopped(&mut self, who: usize, lasts: u64) {
        let wakes = (self.now + lasts).min(HEALED - 1);
        let Some(office) = &mut self.office else { return };
        let instance = &mut office.instances[who];
        instance.paused_until = wakes.max(instance.paused_until);
        let name = self.office_name(who);
        self.tell(|| format!("instance {name} is stopped until {wakes}"));
    }

    /// Nothing fails any more.
    pub(in super::super) fn heals_the_backend(&mut self) {
        let Some(office) = &self.office else { return };
        for who in 0..office.instances.len() {
            let life = self.office.as_ref().map_or(0, |office| office.instances[who].life);
            self.office_starts(who, life);
        }
    }
}
