//! The database: what is decided on a locked row is there for all instances at once, or not at all; who
//! has asked for it may not be told.

use paytill::clock::Timestamp;
use paytill::gateway::backend::message::Refused;
use paytill::money::Money;
use paytill_backend::store::{
    Change, Judged, NoticeKept, NoticeRow, NoticeStep, NoticeWrite, PaymentRow, RefundBooks,
    RefundChange, RefundWrite, StoreError, Write,
};
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
            self.books_put(&name, write);
        }
        self.committed(who, number, is_written, (luck, dies))?;
        Ok(result)
    }

    /// Has a change of a refund decided while its payment is locked, and makes it.
    pub(super) fn books_change_refund<T>(
        &mut self,
        who: usize,
        order: &str,
        by: Option<&str>,
        decide: impl FnOnce(&RefundBooks, Deciding<'_>, &Office) -> RefundChange<T>,
    ) -> Result<T, Failure> {
        let (luck, dies) = self.books_luck();
        if let Luck::Refuses(error) = luck {
            return Err(Failure::Store(error));
        }
        let (at, name) = (self.office_clock(who), self.office_name(who));
        let Some(office) = &mut self.office else { return Err(Failure::Died) };
        let given = by.map(|till| office.given_by(till)).unwrap_or_default();
        let books = RefundBooks { given, ..office.books_of(order) };
        let RefundChange { write, result } = decide(&books, office.deciding(&name, at), office);
        let is_written = write.is_some();
        if let Some(write) = write {
            self.books_put_refund(&name, write);
        }
        self.committed(who, order, is_written, (luck, dies))?;
        Ok(result)
    }

    /// A notification is kept, with what is decided on the payment that it names.
    pub(super) fn books_notice<T>(
        &mut self,
        who: usize,
        row: &NoticeRow,
        decide: impl FnOnce(&RefundBooks, Deciding<'_>) -> Judged<T>,
    ) -> Result<NoticeKept<T>, Failure> {
        let (luck, dies) = self.books_luck();
        if let Luck::Refuses(error) = luck {
            return Err(Failure::Store(error));
        }
        let (at, name) = (self.office_clock(who), self.office_name(who));
        let number = row.out_trade_no.as_ref().map(ToString::to_string).unwrap_or_default();
        let Some(office) = &mut self.office else { return Err(Failure::Died) };
        let books = office.books_of(&number);
        let judged = decide(&books, office.deciding(&name, at));
        let (verdict, id) = (judged.verdict, judged.kept_as(row));
        let times = office.notices.entry(id).or_default();
        *times += 1;
        let is_new = *times == 1;
        let step = judged.to_write(is_new);
        let is_written = step.is_some();
        let done = step.map(|NoticeStep { write, result, .. }| {
            match write {
                NoticeWrite::Payment(write) => self.books_put(&name, *write),
                NoticeWrite::Refund(write) => self.books_put_refund(&name, *write),
            }
            result
        });
        self.committed(who, &number, is_written, (luck, dies))?;
        Ok(NoticeKept { verdict, is_new, done })
    }

    /// A payment as it is from now on, and what others are to be told of it, each once.
    fn books_put(&mut self, name: &str, write: Write) {
        let number = write.row.key.out_trade_no.to_string();
        let Some(office) = &mut self.office else { return };
        let before = office.payments.insert(number.clone(), write.row.clone());
        office.outbox.extend(write.outbox.iter().map(|kind| (*kind, number.clone())));
        self.auditor.booked(before.as_ref(), &write.row, &write.outbox);
        let till = office.tills.get(&write.row.till);
        let is_locked = till.is_none_or(|till| till.revoked_at.is_some());
        self.auditor.may(!is_locked || write.row.fingerprint.is_empty(), &number);
        self.tell(|| {
            let (status, version) = (write.row.state.status(), write.row.version);
            let (event, told) = (write.event.map(|event| event.0), write.outbox);
            format!("  {name} writes {number} v{version}: {status:?} {event:?} {told:?}")
        });
    }

    /// The same of a refund.
    fn books_put_refund(&mut self, name: &str, write: RefundWrite) {
        let order = write.row.key.payment.out_trade_no.to_string();
        let Some(office) = &mut self.office else { return };
        let rows = office.refunds.entry(order.clone()).or_default();
        let known = rows.iter_mut().find(|row| row.key == write.row.key);
        let before = known.map(|row| std::mem::replace(row, write.row.clone()));
        if before.is_none() {
            rows.push(write.row.clone());
        }
        let number = write.row.key.out_refund_no.to_string();
        office.outbox.extend(write.outbox.iter().map(|kind| (*kind, number.clone())));
        let paid = office.payments.get(&order).map_or(0, |row| row.order.amount.minor());
        self.auditor.booked_refund(before.as_ref(), &write.row, &write.outbox, (rows, paid));
        if before.is_none() {
            let given = office.given_by(&write.row.till).minor();
            let rights = office.tills.get(&write.row.till).map(|till| till.rights);
            let may = rights.is_some_and(|rights| {
                write.row.amount.minor() <= rights.refund_up_to && given <= rights.refund_per_day
            });
            self.auditor.may(may, &number);
        }
        self.tell(|| {
            let (version, status) = (write.row.version, write.row.state.status());
            let event = write.event.map(|event| event.0);
            format!("  {name} writes {number} v{version}: {status:?} {event:?}")
        });
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
    /// What a till has given back; a story is shorter than a day.
    fn given_by(&self, till: &str) -> Money {
        let refunds = self.refunds.values().flatten();
        let counted = refunds.filter(|row| row.till == till && row.state.counts());
        Money::from_minor(counted.map(|row| row.amount.minor()).sum())
    }

    /// A payment with its refunds.
    fn books_of(&self, order: &str) -> RefundBooks {
        RefundBooks {
            payment: self.payments.get(order).cloned(),
            refunds: self.refunds.get(order).cloned().unwrap_or_default(),
            given: Money::default(),
        }
    }

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
            News::Payment(known, found) => {
                self.payments.get(number).is_none_or(|row| decide::is_news(row, *known, *found))
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
