//! Opens a till from its configuration: locks and recovers the journal, prepares the connection to
//! the gateway, and continues what is open.
//!
//! Training takes the same path to a simulated gateway in the same process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::api_v3::{self, Renewal};
use super::{Exit, Failure, output};
use crate::clock::Millis;
use crate::config::{Config, GatewayConfig, Loaded, PrinterKind, WechatV2Config, WechatV3Config};
use crate::engine::{OrderTemplate, Recovered};
use crate::gateway::wechat::fields::SignType;
use crate::gateway::wechat::{WechatV2, WechatV3};
use crate::journal::{Journal, JournalError};
use crate::language::Text;
use crate::order::Merchant;
use crate::simulator::{self as simulated, Bank, Script, Server};
use crate::till::{Till, TillParts};
use crate::{both, say, text};
use paytill_host::certificate::Names;
use paytill_host::clock::Clock;
use paytill_host::transport::{Route, Transport};

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
        GatewayConfig::WechatV2(gateway) => {
            open_gateway(config, gateway, clock, journal, recovered)
        }
        GatewayConfig::WechatV3(gateway) => {
            open_v3(config, gateway, clock, journal, recovered).await
        }
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

fn open_gateway(
    config: &Config,
    gateway: &WechatV2Config,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    if let Some((holder, merchant)) = another_merchants(gateway) {
        tracing::warn!(holder, merchant, "the certificate is another merchant's");
        output::print_message(&say!(
            config.till.language,
            "client_cert_file was issued to merchant {holder}, not to {merchant}: payments cannot \
             be reversed; see `paytill doctor`",
            "client_cert_file 属于商户 {holder}，不是 {merchant}：无法撤销支付；请运行 paytill doctor"
        ));
    }
    let route = route(gateway);
    let codec = codec(gateway);
    let parts = TillParts {
        template: template(config, gateway.merchant.clone()),
        rules: config.payment.rules,
        gateway: Arc::new(codec),
        transport: transport(&route)?,
        hash_key: gateway.api_key.clone(),
        client_ip: gateway.client_ip,
        clock: clock.clone(),
    };
    let gateway_host = gateway.base_url.trim_start_matches("https://").to_owned();
    let till = start(parts, journal, recovered)?;
    Ok(OpenTill { till, gateway_host, training: None, _renewal: None })
}

async fn open_v3(
    config: &Config,
    gateway: &WechatV3Config,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    let codec = Arc::new(api_v3::codec(gateway)?);
    let route = api_v3::route(gateway);
    let renewal = match &gateway.public_key {
        Some(_) => None,
        None => Some(Renewal::start(&codec, gateway, transport(&route)?, clock).await),
    };
    let parts = TillParts {
        template: template(config, gateway.merchant.clone()),
        rules: config.payment.rules,
        gateway: codec,
        transport: transport(&route)?,
        hash_key: gateway.api_v3_key.clone(),
        client_ip: gateway.line.client_ip,
        clock: clock.clone(),
    };
    let gateway_host = gateway.line.base_url.trim_start_matches("https://").to_owned();
    let till = start(parts, journal, recovered)?;
    Ok(OpenTill { till, gateway_host, training: None, _renewal: renewal })
}

/// The merchant number in the certificate and ours, if they differ.
pub(super) fn another_merchants(gateway: &WechatV2Config) -> Option<(String, &str)> {
    let holder = Names::of_pem(gateway.client_identity_pem.expose_secret().as_bytes()).subject?;
    let ours = gateway.merchant.mch_id.as_str();
    let is_number = holder.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && holder != ours).then_some((holder, ours))
}

/// What speaks to the configured gateway.
pub(super) fn codec(gateway: &WechatV2Config) -> WechatV2 {
    let codec = WechatV2::new(gateway.sign_type, gateway.api_key.clone());
    codec.notifying(gateway.notify_url.clone().unwrap_or_default())
}

/// The route to the configured gateway.
pub(super) fn route(gateway: &WechatV2Config) -> Route {
    let hosts = [Some(gateway.base_url.clone()), gateway.backup_url.clone()];
    Route {
        hosts: hosts.into_iter().flatten().collect(),
        identity_pem: gateway.client_identity_pem.expose_secret().as_bytes().to_vec().into(),
        ca_pem: gateway.ca_pem.clone(),
        proxy: gateway.proxy.clone(),
        proxy_login: gateway.proxy_login.clone(),
        connect_timeout: gateway.connect_timeout,
        request_timeout: gateway.request_timeout,
    }
}

/// Training uses the same HTTPS client, to a gateway inside this process.
async fn open_training(
    config: &Config,
    clock: &Clock,
    journal: Journal,
    recovered: Recovered,
) -> Result<OpenTill, Failure> {
    let fault = |why: &Text| {
        let what = both!("the simulated gateway cannot be started", "无法启动模拟网关");
        Failure::new(Exit::Fault, what.because(why))
    };
    let keys =
        simulated::Identity::generate().map_err(|error| fault(&text::failure::identity(&error)))?;
    let account = keys.account();
    let script = Script {
        currency: config.till.currency,
        practice_alone: true,
        scans_after: SCANS_AFTER,
        ..Script::default()
    };
    let bank = Bank::new(account.clone(), script, u64::from(std::process::id()), clock.wall());
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start(loopback, &keys, bank, None, 1)
        .await
        .map_err(|error| fault(&text::failure::server(&error)))?;
    let identity_pem = format!("{}{}", keys.client_certificate_pem(), keys.client_key_pem());
    let defaults = Route {
        hosts: vec![format!("https://{}", server.local_addr())],
        identity_pem: identity_pem.into_bytes().into(),
        ca_pem: Some(keys.authority_pem().as_bytes().to_vec()),
        proxy: None,
        proxy_login: None,
        connect_timeout: Millis::seconds(3),
        request_timeout: Millis::seconds(10),
    };
    let codec = WechatV2::new(SignType::HmacSha256, account.api_key.clone().into());
    let parts = TillParts {
        template: template(config, account.merchant),
        rules: config.payment.rules,
        gateway: Arc::new(codec),
        transport: transport(&defaults)?,
        hash_key: account.api_key.into(),
        client_ip: None,
        clock: clock.clone(),
    };
    let till = start(parts, journal, recovered)?;
    let gateway_host = "simulator".to_owned();
    Ok(OpenTill { till, gateway_host, training: Some(server), _renewal: None })
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

pub(super) fn transport(route: &Route) -> Result<Transport, Failure> {
    Transport::new(route)
        .map_err(|error| Failure::new(Exit::Configuration, text::failure::route(&error)))
}

/// What speaks to the configured gateway and what carries it, for one question. Without certificates no
/// answer is believed.
pub(super) async fn v3_line(
    gateway: &WechatV3Config,
    clock: &Clock,
) -> Result<(WechatV3, Transport), Failure> {
    let (codec, transport) = (api_v3::codec(gateway)?, transport(&api_v3::route(gateway))?);
    if gateway.public_key.is_none()
        && let Err(why) = api_v3::fetch(&codec, gateway, &transport, clock).await
    {
        tracing::warn!(?why, "no platform certificates");
    }
    Ok((codec, transport))
}

fn start(parts: TillParts, journal: Journal, recovered: Recovered) -> Result<Till, Failure> {
    Till::start(parts, journal, recovered).map_err(|error| {
        let what = both!("the journal's thread cannot be started", "无法启动保存交易记录的线程");
        Failure::of_system(&what, &error)
    })
}
