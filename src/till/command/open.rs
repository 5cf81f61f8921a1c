//! Opens a till from its configuration: locks and recovers the journal, prepares the connection to
//! the gateway, and continues what is open.
//!
//! Training takes the same path to a simulated gateway in the same process.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Exit, Failure, output};
use crate::clock::Millis;
use crate::config::{BackendConfig, Config, GatewayConfig, Loaded, PrinterKind, WechatV2Config};
use crate::engine::{OrderTemplate, Recovered};
use crate::gateway::backend::Backend;
use crate::journal::{Journal, JournalError};
use crate::order::Merchant;
use crate::simulator::{Embedded, Script, Server};
use crate::till::{Till, TillParts};
use crate::{both, say, text};
use paytill_host::clock::Clock;
use paytill_host::gateway::{OpenError, Opened, Renewal};

/// How long a training customer takes to scan a code of ours: it is to be seen.
const SCANS_AFTER: Millis = Millis::seconds(6);

/// The folder that relative paths start from.
pub fn working_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::of_system(&both!("the working directory", "无法取得当前目录"), &error)
    })
}

/// An open till, and what must live as long as it does.
pub struct OpenTill {
    pub till: Till,
    /// The host that requests go to, or `simulator`.
    pub gateway_host: String,
    /// The simulated gateway of a till in training.
    pub(super) training: Option<Server>,
    /// Keeps API v3's platform certificates fresh.
    _renewal: Option<Renewal>,
}

impl OpenTill {
    /// Whether its gateway is the one inside this program.
    pub fn is_training(&self) -> bool {
        self.training.is_some()
    }
}

/// Takes hold of the journal. One of an older format is brought to this version's, and that is said:
/// before it, too, since nobody can do anything meanwhile.
pub(super) fn hold(config: &Config) -> Result<(Journal, Recovered), JournalError> {
    let language = config.till.language;
    let key = config.journal.key_file.as_deref();
    let (journal, recovered) = Journal::open_or_migrate(&config.journal.path, key, |migrated| {
        output::print_message(&text::journal::migrates(migrated, language));
    })?;
    if let Some(migrated) = journal.migrated() {
        tracing::warn!(?migrated, "the journal was brought to a newer format");
        output::print_message(&text::journal::migrated(migrated, language));
    }
    Ok((journal, recovered))
}

/// Locks the journal and prepares the connection to the gateway. Every open payment is resumed.
pub async fn open(loaded: &Loaded, clock: &Clock) -> Result<OpenTill, Failure> {
    let config = &loaded.config;
    // First of all: without the lock on the journal, this till must not sell.
    let (mut journal, recovered) = hold(config)?;
    // Before anything can end: whoever prints finds the slip of each end in the journal.
    if config.printer.auto_print && config.printer.kind != PrinterKind::None {
        journal.queue_slips();
    }
    match &config.gateway {
        GatewayConfig::WechatV2(gateway) => open_v2(config, gateway, clock, journal, recovered),
        GatewayConfig::WechatV3(gateway) => {
            open_line(config, gateway.open(clock).await?, clock, journal, recovered)
        }
        GatewayConfig::Backend(gateway) => open_backend(config, gateway, clock, journal, recovered),
        GatewayConfig::Simulator => open_training(config, clock, journal, recovered).await,
        GatewayConfig::Unread => {
            let sentence = both!("the gateway's secrets were not read", "没有读取商户密钥");
            Err(Failure::new(Exit::Fault, sentence))
        }
    }
}

/// Says so if no real money moves, in case the configuration's author meant otherwise.
pub(super) fn announce_training(config: &Config) {
    if matches!(config.gateway, GatewayConfig::Simulator) {
        output::print_message(config.till.language.pick(
            "training: the gateway is simulated and no money moves",
            "练习模式：使用模拟网关，不会真实扣款",
        ));
    }
}

fn open_v2(
    config: &Config,
    gateway: &WechatV2Config,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    if let Some((holder, merchant)) = gateway.foreign_certificate() {
        tracing::warn!(holder, merchant, "the certificate is another merchant's");
        output::print_message(&say!(
            config.till.language,
            "client_cert_file was issued to merchant {holder}, not to {merchant}: payments cannot \
             be reversed; see `paytill doctor`",
            "client_cert_file 属于商户 {holder}，不是 {merchant}：无法撤销支付；请运行 paytill doctor"
        ));
    }
    open_line(config, gateway.open()?, clock, journal, recovered)
}

/// A till on a line to its merchant's backend.
fn open_backend(
    config: &Config,
    gateway: &BackendConfig,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    let parts = TillParts {
        template: template(config, gateway.merchant.clone()),
        rules: config.payment.rules,
        gateway: codec(gateway)?,
        transport: gateway.transport().map_err(OpenError::from)?,
        hash_key: gateway.key_pem.clone(),
        client_ip: None,
        clock: clock.clone(),
    };
    let till = start(parts, journal, recovered)?;
    let gateway_host = gateway.url.trim_start_matches("https://").to_owned();
    Ok(OpenTill { till, gateway_host, training: None, _renewal: None })
}

/// What speaks to the merchant's backend.
pub(super) fn codec(gateway: &BackendConfig) -> Result<Arc<Backend>, Failure> {
    gateway.codec().ok_or_else(|| OpenError::Key.into())
}

/// A till on a line to the real gateway.
fn open_line(
    config: &Config,
    line: Opened,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    let parts = TillParts {
        template: template(config, line.merchant),
        rules: config.payment.rules,
        gateway: line.codec.gateway(),
        transport: line.transport,
        hash_key: line.key,
        client_ip: line.client_ip,
        clock: clock.clone(),
    };
    let till = start(parts, journal, recovered)?;
    Ok(OpenTill { till, gateway_host: line.host, training: None, _renewal: line.renewal })
}

/// Training uses the same HTTPS client, to a gateway inside this process.
async fn open_training(
    config: &Config,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    let script = Script {
        currency: config.till.currency,
        practice_alone: true,
        scans_after: SCANS_AFTER,
        ..Script::default()
    };
    let seed = u64::from(std::process::id());
    let Embedded { server, opened } = Embedded::start(script, seed, None, clock).await?;
    let till = open_line(config, opened, clock, journal, recovered)?;
    Ok(OpenTill { training: Some(server), ..till })
}

fn template(config: &Config, merchant: Merchant) -> OrderTemplate {
    OrderTemplate {
        till: config.till.id.clone(),
        merchant,
        currency: config.till.currency,
        body: config.payment.body.clone(),
        device_info: config.store.id.clone(),
        time_zone: config.store.time_zone.clone(),
    }
}

fn start(parts: TillParts, journal: Journal, recovered: Recovered) -> Result<Till, Failure> {
    Till::start(parts, journal, recovered).map_err(|error| {
        let what = both!("the journal's thread cannot be started", "无法启动保存交易记录的线程");
        Failure::of_system(&what, &error)
    })
}
