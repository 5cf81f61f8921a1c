//! `paytill reconcile`: the gateway's bill of a day against the journal. It reads, also beside a
//! running till. About orders that are open and that the bill knows it asks the gateway, if no till
//! holds the journal: that settles them.

mod export;
pub(super) use export::cell;
mod report;
mod settle;

use super::open::codec;
use super::output::{print_lines, print_message};
use super::{Exit, Failure};
use crate::bill::{Expected, beijing};
use crate::cli::Reconcile;
use crate::config::{Config, GatewayConfig, Loaded};
use crate::journal::JournalReader;
use crate::reconcile::{
    Bill, BillGateway, Reconciled, Trouble, bill_of, download, may_be_asked, open,
};
use crate::text::reconcile::{self as text, ReconcileWords};
use paytill_host::clock::Clock;
use paytill_host::gateway::OpenError;

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let exit = match trouble {
            Trouble::Journal(error) => return error.into(),
            Trouble::Usage(_) => Exit::Usage,
            Trouble::Configuration(_) => Exit::Configuration,
            Trouble::Fault(_) => Exit::Fault,
        };
        Self::new(exit, trouble.text())
    }
}

/// Whom to ask for a bill.
pub(super) async fn bill_gateway(
    gateway: &GatewayConfig,
    clock: &Clock,
) -> Result<BillGateway, Failure> {
    let opened = match gateway {
        GatewayConfig::WechatV2(gateway) => gateway.open()?,
        GatewayConfig::WechatV3(gateway) => gateway.open_once(clock).await?,
        GatewayConfig::Backend(gateway) => {
            let transport = gateway.transport().map_err(OpenError::from)?;
            let transport = Box::new(transport);
            return Ok(BillGateway::Backend { codec: codec(gateway)?, transport });
        }
        GatewayConfig::Simulator | GatewayConfig::Unread => {
            return Err(Failure::new(Exit::Configuration, text::training()));
        }
    };
    Ok(BillGateway::Wechat(Box::new(opened)))
}

/// Holds the bill against the journal.
pub async fn run(reconcile: Reconcile, loaded: &Loaded, clock: &Clock) -> Result<Exit, Failure> {
    let config = &loaded.config;
    let words = ReconcileWords::of(config.till.language);
    let now = clock.wall();
    let day = reconcile.day.from_today(now.day(&beijing()));
    let Some(merchant) = config.gateway.merchant() else {
        return Err(Failure::new(Exit::Configuration, text::training()));
    };
    if reconcile.bill.is_none() {
        may_be_asked(day, now)?;
    }
    // Before anything is downloaded: the name may be taken.
    let csv = reconcile.csv.as_deref().map(export::Csv::create).transpose()?;
    let source = if let Some(file) = &reconcile.bill {
        open(file)?
    } else {
        let gateway = bill_gateway(&config.gateway, clock).await?;
        download(&gateway, day, &config.journal.path, clock).await?
    };
    let bill = bill_of(source, day, now)?;
    if bill.is_none() {
        print_message(&words.no_bill(&day.to_string()));
    }
    let expected = Expected { merchant: merchant.clone(), day };
    let mut reconciled = compare(bill.as_ref(), &expected, config)?;
    let open = settle::open_orders(&reconciled);
    if !open.is_empty() && settle::may_write(config) {
        let asked = open.len();
        let settled = settle::ask(&reconciled, open, loaded, clock).await?;
        reconciled = compare(bill.as_ref(), &expected, config)?;
        (reconciled.asked, reconciled.settled) = (asked, settled);
    }
    let outcome = &reconciled.outcome;
    tracing::info!(
        %day,
        matched = outcome.matched,
        differ = outcome.differ(),
        rows = reconciled.extent.rows,
        "reconciled"
    );
    let lines = if reconcile.json.json {
        export::json(&reconciled, config)
    } else {
        report::lines(&reconciled, config)
    };
    let is_printed = print_lines(&lines);
    if let (Some(csv), Some(file)) = (csv, &reconcile.csv) {
        csv.write(&reconciled, config)?;
        print_message(&words.written(&file.display().to_string()));
    }
    if !is_printed {
        return Ok(Exit::Fault);
    }
    Ok(if outcome.differ() == 0 { Exit::Done } else { Exit::Differ })
}

/// The bill against the journal, which may not be there yet.
fn compare(
    bill: Option<&Bill>,
    expected: &Expected,
    config: &Config,
) -> Result<Reconciled, Failure> {
    let key = config.journal.key_file.as_deref();
    let reader = JournalReader::open(&config.journal.path, key)?;
    if reader.is_none() {
        print_message(&text::without_journal(config.till.language, &config.journal.path));
    }
    let own = (config.till.id.clone(), config.till.currency);
    Ok(crate::reconcile::compare(bill, expected, own, reader.as_ref())?)
}
