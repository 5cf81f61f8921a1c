//! A day's bill, downloaded and held against the journal on a thread of its own, with a connection of
//! its own: it may be long, and no payment and no key waits for it.

use std::path::PathBuf;

use super::Cashier;
use crate::bill::Expected;
use crate::both;
use crate::clock::Date;
use crate::command::reconcile::bill_gateway;
use crate::command::{Exit, Failure};
use crate::config::GatewayConfig;
use crate::journal::JournalReader;
use crate::money::Currency;
use crate::order::{Merchant, TillId};
use crate::reconcile::{Reconciled, bill_of, compare, download};
use crate::screen::{MoneyNews, ScreenMessage};
use crate::text::{reconcile as text, system};
use paytill_host::clock::Clock;

/// What is compared with what.
struct Asked {
    gateway: GatewayConfig,
    merchant: Merchant,
    day: Date,
    journal: PathBuf,
    key: Option<PathBuf>,
    own: (TillId, Currency),
    clock: Clock,
}

impl Cashier<'_> {
    /// Begins to compare them, and reports what came of it.
    pub(super) fn read_bill(&mut self, day: Date) {
        let config = self.config;
        let Some(merchant) = config.gateway.merchant() else {
            let why = Err(text::training());
            return self.post(ScreenMessage::Money(MoneyNews::BillRead(why)));
        };
        let asked = Asked {
            gateway: config.gateway.clone(),
            merchant: merchant.clone(),
            day,
            journal: config.journal.path.clone(),
            key: config.journal.key_file.clone(),
            own: (config.till.id.clone(), config.till.currency),
            clock: self.clock.clone(),
        };
        let report = self.archive.reports();
        let work = move || {
            let result = reconciled(asked).map_err(|failure| {
                tracing::warn!(?failure, "no bill was compared");
                failure.text
            });
            let _ = report.send(ScreenMessage::Money(MoneyNews::BillRead(result)));
        };
        if let Err(error) = std::thread::Builder::new().name("bill".into()).spawn(work) {
            let why = Err(a_thread(&error));
            self.post(ScreenMessage::Money(MoneyNews::BillRead(why)));
        }
    }
}

fn a_thread(error: &std::io::Error) -> crate::language::Text {
    both!("a thread", "线程").because(&system::text(error))
}

fn reconciled(asked: Asked) -> Result<Box<Reconciled>, Failure> {
    let Asked { gateway, merchant, day, journal, key, own, clock } = asked;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Fault, a_thread(&error)))?;
    let source = runtime.block_on(async {
        let gateway = bill_gateway(&gateway, &clock).await?;
        Ok::<_, Failure>(download(&gateway, day, &journal, &clock).await?)
    })?;
    let bill = bill_of(source, day, clock.wall())?;
    let expected = Expected { merchant, day };
    let reader = JournalReader::of_held(&journal, key.as_deref())?;
    let reconciled = compare(bill.as_ref(), &expected, own, Some(&reader))?;
    tracing::info!(%day, differ = reconciled.outcome.differ(), "a bill was compared");
    Ok(Box::new(reconciled))
}
