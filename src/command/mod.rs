//! The commands: from a configuration to a running till, and what each tells whom.

pub mod cashier;
pub mod devices;
pub mod doctor;
pub mod orders;
pub mod pay;
pub mod print_test;
pub mod recover;
pub mod report;
mod signals;
pub mod simulator;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::clock::Clock;
use crate::config::{Config, Gateway as GatewayConfig, Loaded, WechatV2 as WechatV2Config};
use crate::engine::Identity;
use crate::gateway::fields::SignType;
use crate::gateway::transport::{Route, Transport};
use crate::gateway::wechat_v2::WechatV2;
use crate::journal::{Journal, JournalError, Past};
use crate::language::Text;
use crate::simulator::{self as simulated, Bank, Script, Server};
use crate::till::{Parts, Till};
use crate::{both, text};

/// How a process ends (interface 1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Fault = 1,
    Usage = 2,
    Configuration = 3,
    Held = 4,
    Journal = 5,
    Declined = 10,
    Reversed = 11,
    Attention = 12,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work: one sentence for people, and the exit code for programs.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: Text,
}

impl Failure {
    /// A failure with its code.
    pub const fn new(exit: Exit, text: Text) -> Self {
        Self { exit, text }
    }

    /// What the system does not give: what it was for, and the system's own words.
    pub fn of_system(what: &Text, error: &std::io::Error) -> Self {
        Self::new(Exit::Fault, what.because(&text::system::text(error)))
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let exit = match error {
            JournalError::Held(_) => Exit::Held,
            JournalError::Damaged { .. }
            | JournalError::Foreign(_)
            | JournalError::Linked(_)
            | JournalError::Newer { .. }
            | JournalError::Unusable { .. }
            | JournalError::NoLog(_)
            | JournalError::Write(_)
            | JournalError::Stopped
            | JournalError::Ended
            | JournalError::Encode(_) => Exit::Journal,
        };
        Self::new(exit, text::journal::text(&error))
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::new(Exit::Configuration, error.text().clone())
    }
}

/// Where relative paths count from.
pub fn working_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::of_system(&both!("the working directory", "无法取得当前目录"), &error)
    })
}

/// An opened till, and what must live as long as it.
pub struct Opened {
    pub till: Till,
    /// Where it sends: a host's name, or the simulated gateway.
    pub gateway_host: String,
    /// The simulated gateway inside this program.
    _training: Option<Server>,
}

/// Takes hold of the journal and prepares the way to the gateway. Everything open is gone on with.
pub async fn open(loaded: &Loaded, clock: &Clock) -> Result<Opened, Failure> {
    let config = &loaded.config;
    // First of all: who may not write down may not sell.
    let (journal, past) = Journal::open(&config.journal.path)?;
    match &config.gateway {
        GatewayConfig::WechatV2(gateway) => open_gateway(config, gateway, clock, journal, past),
        GatewayConfig::Simulator => open_training(config, clock, journal, past).await,
        GatewayConfig::Unread => {
            let sentence = both!("the gateway's secrets were not read", "没有读取商户密钥");
            Err(Failure::new(Exit::Fault, sentence))
        }
    }
}

/// Says so where nothing is real, whatever a configuration's author may have meant.
fn tell_training(config: &Config) {
    if matches!(config.gateway, GatewayConfig::Simulator) {
        report::tell(config.till.language.pick(
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
    past: Past,
) -> Result<Opened, Failure> {
    let route = route(gateway);
    let codec = WechatV2::new(gateway.merchant.clone(), gateway.sign_type, gateway.api_key.clone());
    let parts = Parts {
        identity: identity(config, gateway.merchant.clone()),
        rules: config.payment.rules,
        gateway: Arc::new(codec),
        transport: transport(&route)?,
        hash_key: gateway.api_key.clone(),
        client_ip: gateway.client_ip,
        clock: clock.clone(),
    };
    let gateway_host = gateway.base_url.trim_start_matches("https://").to_owned();
    Ok(Opened { till: start(parts, journal, past)?, gateway_host, _training: None })
}

/// The way to the gateway of a configuration.
fn route(gateway: &WechatV2Config) -> Route {
    let hosts = [Some(gateway.base_url.clone()), gateway.backup_url.clone()];
    Route {
        hosts: hosts.into_iter().flatten().collect(),
        identity_pem: gateway.client_identity_pem.expose_secret().as_bytes().to_vec().into(),
        ca_pem: gateway.ca_pem.clone(),
        proxy: gateway.proxy.clone(),
        connect_timeout: gateway.connect_timeout,
        request_timeout: gateway.request_timeout,
    }
}

/// Training goes the same way, over the same HTTPS client, to a gateway inside this program.
async fn open_training(
    config: &Config,
    clock: &Clock,
    journal: Journal,
    past: Past,
) -> Result<Opened, Failure> {
    let fault = |why: &Text| {
        let what = both!("the simulated gateway cannot be started", "无法启动模拟网关");
        Failure::new(Exit::Fault, what.because(why))
    };
    let keys =
        simulated::Identity::generate().map_err(|error| fault(&text::failure::identity(&error)))?;
    let account = keys.account();
    let script = Script { currency: config.till.currency, ..Script::default() };
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
        connect_timeout: crate::clock::Millis::seconds(3),
        request_timeout: crate::clock::Millis::seconds(10),
    };
    let codec = WechatV2::new(
        account.merchant.clone(),
        SignType::HmacSha256,
        account.api_key.clone().into(),
    );
    let parts = Parts {
        identity: identity(config, account.merchant),
        rules: config.payment.rules,
        gateway: Arc::new(codec),
        transport: transport(&defaults)?,
        hash_key: account.api_key.into(),
        client_ip: None,
        clock: clock.clone(),
    };
    let till = start(parts, journal, past)?;
    Ok(Opened { till, gateway_host: "simulator".into(), _training: Some(server) })
}

fn identity(config: &Config, merchant: crate::order::Merchant) -> Identity {
    Identity {
        till: config.till.id.clone(),
        merchant,
        currency: config.till.currency,
        body: config.payment.body.clone(),
        device_info: config.store.id.clone(),
    }
}

fn transport(route: &Route) -> Result<Transport, Failure> {
    Transport::new(route)
        .map_err(|error| Failure::new(Exit::Configuration, text::failure::route(&error)))
}

fn start(parts: Parts, journal: Journal, past: Past) -> Result<Till, Failure> {
    Till::start(parts, journal, past).map_err(|error| {
        let what = both!("the journal's thread cannot be started", "无法启动保存交易记录的线程");
        Failure::of_system(&what, &error)
    })
}
