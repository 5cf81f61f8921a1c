//! The database: what is decided on a locked row is there for all instances at once, or not at all; who
//! has asked for it may not be told.

use paytill::clock::Timestamp;
use paytill::gateway::backend::message::Refused;
use paytill::money::Money;
use paytill_backend::store::{Change, PaymentRow, RefundBooks, RefundChange, StoreError};
use paytill_backend::work::decide::{self, Deciding};

use super::super::STARTED;
use super::{News, Office, REQUEST_TIMEOUT, Step, World};

/// Another instance's news are looked for this often.
const LOOK: u64 = 250;
/// How late a sweep may be for what another instance has left.
const LATE: u64 = 500;

/// Why a transaction was not done, as far as whoever wanted it knows.
pub(super) enum Failure {
    Store(StoreError),
    /// It knows nothing any more.
    Died,
}

impl Failure {
    /// What a till is told of it, if anything, whose request was to be written down.
    pub(super) fn unwritten(&self) -> Option<Refused> {
        match self {
            Self::Store(error) => Some(decide::unwritten(error)),
            Self::Died => None,
        }
    }

    /// As above, of any other request.
    pub(super) fn refused(&self) -> Option<Refused> {
        match self {
            Self::Store(_) => Some(Refused::Failed),
            Self::Died => None,
        }
    }
}

/// What goes wrong with a transaction.
enum Luck {
    Good,
    Refuses(StoreError),
    /// It is done, and nobody is told.
    Loses,
}

impl World {
    fn books_luck(&mut self) -> (Luck, bool) {
        let mut rng = self.office_chance("books");
        let fails = self.roll(&mut rng, self.climate.failing_books);
        let dies = self.roll(&mut rng, self.climate.backend_deaths);
        let unreachable = || StoreError::Unreachable("gone".to_owned());
        let luck = match rng.u8(..6) {
            _ if !fails => Luck::Good,
            0 => Luck::Refuses(StoreError::Full),
            1 => Luck::Refuses(StoreError::Busy),
            2 => Luck::Refuses(unreachable()),
            _ => Luck::Loses,
        };
        self.counts.faults += u64::from(fails);
        (luck, dies)
    }

    /// Reads a row.
    pub(super) fn books_read<T>(&mut self, read: impl FnOnce(&Office) -> T) -> Result<T, Failure> {
        let (luck, _) = self.books_luck();
        match (luck, &self.office) {
            (Luck::Good, Some(office)) => Ok(read(office)),
            _ => Err(Failure::Store(StoreError::Unreachable("gone".to_owned()))),
        }
    }

    /// Has a change decided on a locked row, and makes it.
    pub(super) fn books_change<T>(
        &mut self,
        who: usize,
        number: &str,
        decide: impl FnOnce(Option<&PaymentRow>, Deciding<'_>, &Office) -> Change<T>,
    ) -> Result<T, Failure> {
        let (luck, dies) = self.books_luck();
        if let Luck::Refuses(error) = luck {
            return Err(Failure::Store(error));
        }
        let (at, name) = (self.office_clock(who), self.office_name(who));
        let Some(office) = &mut self.office else { return Err(Failure::Died) };
        let Change { write, result } =
            decide(office.payments.get(number), office.deciding(&name, at), office);
        let is_written = write.is_some();
        if let Some(write) = write {
            let before = office.payments.insert(number.to_owned(), write.row.clone());
            self.auditor.booked(before.as_ref(), &write.row);
            self.tell(|| {
                let (status, version) = (write.row.state.status(), write.row.version);
                format!(
                    "  {name} writes {number} v{version}: {status:?} {:?}",
                    write.event.map(|event| event.0)
                )
            });
        }
        self.committed(who, number, is_written, (luck, dies))?;
        Ok(result)
    }

    /// Has a change of a refund decided while its payment is locked, and makes it.
    pub(super) fn books_change_refund<T>(
        &mut self,
        who: usize,
        order: &str,
        decide: impl FnOnce(&RefundBooks, Deciding<'_>, &Office) -> RefundChange<T>,
    ) -> Result<T, Failure> {
        let (luck, dies) = self.books_luck();
        if let Luck::Refuses(error) = luck {
            return Err(Failure::Store(error));
        }
        let (at, name) = (self.office_clock(who), self.office_name(who));
        let Some(office) = &mut self.office else { return Err(Failure::Died) };
        let books = RefundBooks {
            payment: office.payments.get(order).cloned(),
            refunds: office.refunds.get(order).cloned().unwrap_or_default(),
            given: Money::default(),
        };
        let RefundChange { write, result } = decide(&books, office.deciding(&name, at), office);
        let is_written = write.is_some();
        if let Some(write) = write {
            let rows = office.refunds.entry(order.to_owned()).or_default();
            match rows.iter_mut().find(|row| row.key == write.row.key) {
                Some(row) => *row = write.row.clone(),
                None => rows.push(write.row.clone()),
            }
            self.tell(|| {
                let (row, event) = (&write.row, write.event.as_ref().map(|event| &event.0));
                let number = &row.key.out_refund_no;
                format!(
                    "  {name} writes {number} v{}: {:?} {event:?}",
                    row.version,
                    row.state.status()
                )
            });
        }
        self.committed(who, order, is_written, (luck, dies))?;
        Ok(result)
    }

    fn committed(
        &mut self,
        who: usize,
        number: &str,
        is_written: bool,
        (luck, dies): (Luck, bool),
    ) -> Result<(), Failure> {
        if is_written {
            self.books_ring(who, number);
            self.plan_sweeps(who);
        }
        if dies {
            self.office_dies(who);
            return Err(Failure::Died);
        }
        match luck {
            Luck::Good => Ok(()),
            Luck::Loses | Luck::Refuses(_) => {
                Err(Failure::Store(StoreError::Unsure("gone".to_owned())))
            }
        }
    }

    /// Whoever waits for news of this number looks, at this instance at once.
    fn books_ring(&mut self, who: usize, number: &str) {
        let Some(office) = &self.office else { return };
        let waiting = office.waiters.iter().filter(|(_, waiter)| waiter.number == number);
        let waiting: Vec<(u64, usize)> = waiting.map(|(id, waiter)| (*id, waiter.who)).collect();
        for (id, at) in waiting {
            let after = if at == who { 0 } else { LOOK };
            self.plan_step(self.now + after, at, Step::Looks(id));
        }
    }

    /// Every instance looks when the next thing is due.
    pub(super) fn plan_sweeps(&mut self, who: usize) {
        let Some(office) = &mut self.office else { return };
        let of_payments = office.payments.values().filter_map(|row| row.wake_at);
        let of_refunds = office.refunds.values().flatten().filter_map(|row| row.wake_at);
        let Some(next) = of_payments.chain(of_refunds).min() else { return };
        let mut plans = Vec::new();
        for (index, instance) in office.instances.iter_mut().enumerate() {
            let now = STARTED + i64::try_from(self.now).unwrap_or(0) + instance.skew;
            let wait = u64::try_from(next.0.saturating_sub(now)).unwrap_or(0);
            let late = if index == who { 0 } else { LATE };
            let at = self.now + wait.max(late).max(1);
            if instance.is_up && instance.next_sweep.is_none_or(|planned| at < planned) {
                instance.next_sweep = Some(at);
                plans.push((at, index));
            }
        }
        for (at, index) in plans {
            self.plan_step(at, index, Step::Sweeps);
        }
    }

    pub(super) fn office_name(&self, who: usize) -> String {
        let life = self.office.as_ref().map_or(0, |office| office.instances[who].life);
        format!("i{who}.{life}")
    }
}

impl Office {
    fn deciding<'a>(&'a self, instance: &'a str, at: Timestamp) -> Deciding<'a> {
        Deciding {
            at,
            rules: &self.desk.rules,
            instance,
            lease: decide::lease_for(REQUEST_TIMEOUT),
            is_alone: self.instances.len() == 1,
        }
    }

    /// Whether there is what somebody waits for.
    pub(super) fn has_news(&self, number: &str, news: &News) -> bool {
        match news {
            News::Payment(known) => {
                self.payments.get(number).is_none_or(|row| row.version > *known)
            }
            News::Refund(refund) => {
                self.refund(number, refund).is_none_or(|row| !row.state.is_unclear())
            }
        }
    }

    pub(super) fn refund(
        &self,
        order: &str,
        number: &str,
    ) -> Option<&paytill_backend::store::RefundRow> {
        let rows = self.refunds.get(order)?;
        rows.iter().find(|row| row.key.out_refund_no.as_str() == number)
    }

    pub(super) fn is_awake(&self, who: usize, now: u64) -> bool {
        let instance = &self.instances[who];
        instance.is_up && now >= instance.paused_until
    }
}
