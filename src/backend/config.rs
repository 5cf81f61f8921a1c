//! The backend's configuration (`config/backend.toml` names every key): read by hand, so that every
//! error is one sentence with its line and what is allowed.

mod web;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use paytill_core::both;
use paytill_core::clock::{Millis, TimeZone};
use paytill_core::money::Currency;
use paytill_core::payment::Rules;
use paytill_host::config::file::{self, Document, Known, Section};
use paytill_host::config::{ConfigError, Environment, folder_of, secret, variable};
use paytill_host::gateway::{self, Choice, Secrets, Surroundings, Version, Wechat};
use paytill_host::times::{self, Times};

#[cfg(test)]
mod tests;

pub use web::{Web, WebTls, WebhookConfig};

/// Every section and its keys.
pub const KNOWN: &Known = &[
    ("listen", &["tills", "metrics", "public_url", "cert_file", "key_file", "web", "tls"]),
    ("database", &["url", "password_file", "ca_file", "connections"]),
    ("state", &["folder"]),
    ("store", &["currency", "time_zone"]),
    ("gateway", &["kind"]),
    (Version::V2.section(), Version::V2.keys()),
    (Version::V3.section(), Version::V3.keys()),
    ("payment", &times::KEYS),
    ("limits", &["new_payments_per_minute", "unsigned_per_minute"]),
    ("webhook", &["url", "secret_file", "ca_file"]),
    ("log", &["path", "level"]),
];

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    pub tills: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub web: Web,
    /// Who is told of what happens, if anybody is.
    pub webhook: Option<WebhookConfig>,
    /// What tills and customers reach: `https://host[:port]`.
    pub public_url: Option<String>,
    /// A certificate and its key; one of our own making otherwise.
    pub certificate: Option<(PathBuf, PathBuf)>,
    pub database: Database,
    pub folder: PathBuf,
    pub currency: Currency,
    /// The zone in which days are told.
    pub time_zone: TimeZone,
    /// The account at the gateway; `None`: the simulated one inside this program.
    pub gateway: Option<Wechat>,
    pub rules: Rules,
    /// How long a code of ours may be scanned at most.
    pub qr_lasts: Millis,
    pub limits: Limits,
    pub log: Option<PathBuf>,
    pub level: tracing::level_filters::LevelFilter,
    /// Nothing was configured: this is the demonstration.
    pub is_demo: bool,
}

/// How often somebody may ask in a minute; 0: as often as they like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// A till, for a new payment.
    pub new_payments: u32,
    /// An address, without a till's signature.
    pub unsigned: u32,
}

/// Where the books are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres {
        url: String,
        password_file: Option<PathBuf>,
        /// Whom the server's certificate must come from; the system's roots otherwise.
        ca_file: Option<PathBuf>,
        connections: usize,
    },
}

/// Reads the configuration named, or the first one found, or none: then it is the demonstration.
pub fn load(
    named: Option<&Path>,
    environment: Environment<'_>,
    folder: &Path,
) -> Result<Config, ConfigError> {
    let named = named.map(Path::to_owned).map(|path| (path, "--config")).or_else(|| {
        variable(environment, "PAYTILL_BACKEND_CONFIG")
            .map(|path| (path.into(), "$PAYTILL_BACKEND_CONFIG"))
    });
    if let Some((path, by)) = named {
        let path = folder.join(path);
        let name = secret::shown(&path);
        let Some(text) = file::read(&path, &name)? else {
            return Err(ConfigError::new(both!(
                "{name}: there is no such file; {by} names it",
                "{name}: 没有这个文件；{by} 指定了它"
            )));
        };
        return of_file(&path, &name, &text, environment);
    }
    let home = folder_of(environment, "XDG_CONFIG_HOME", ".config");
    let places = [
        Some(folder.join("backend.toml")),
        home.map(|home| home.join("paytill/backend.toml")),
        Some(PathBuf::from("/etc/paytill/backend.toml")),
    ];
    for path in places.into_iter().flatten() {
        let name = secret::shown(&path);
        if let Some(text) = file::read(&path, &name)? {
            return of_file(&path, &name, &text, environment);
        }
    }
    let demo = read(&Document::default(), (Path::new("/"), None), environment)?;
    Ok(Config { is_demo: true, ..demo })
}

fn of_file(
    path: &Path,
    name: &str,
    text: &str,
    environment: Environment<'_>,
) -> Result<Config, ConfigError> {
    let document = Document::parse(name, text)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    read(&document, (folder, Some(path)), environment)
}

fn read(
    document: &Document<'_>,
    (folder, file): (&Path, Option<&Path>),
    environment: Environment<'_>,
) -> Result<Config, ConfigError> {
    document.check_keys(KNOWN)?;
    let state = match document.section("state").path("folder", folder)? {
        Some(state) => state,
        None => folder_of(environment, "XDG_STATE_HOME", ".local/state")
            .ok_or_else(|| {
                ConfigError::new(both!(
                    "there is no home folder; set [state] folder",
                    "没有主目录，请设置 [state] folder"
                ))
            })?
            .join("paytill-backend"),
    };
    let listen = document.section("listen");
    let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8444);
    let tills = address(&listen, "tills")?.unwrap_or(default);
    let log = document.section("log");
    let level = tracing::level_filters::LevelFilter::INFO;
    let levels = [
        ("error", tracing::level_filters::LevelFilter::ERROR),
        ("warn", tracing::level_filters::LevelFilter::WARN),
        ("info", level),
        ("debug", tracing::level_filters::LevelFilter::DEBUG),
        ("trace", tracing::level_filters::LevelFilter::TRACE),
        ("off", tracing::level_filters::LevelFilter::OFF),
    ];
    let wechat = |version: Version| version.choice(Some(version));
    let simulator = Choice { word: "simulator", section: None, kind: None };
    let choices = [simulator, wechat(Version::V2), wechat(Version::V3)];
    let used = gateway::kind(document, &choices, None)?;
    let around = Surroundings { folder, file, environment, secrets: Secrets::Read };
    let gateway = gateway::read(document, used, &around)?;
    let times = Times::read(document.section("payment"))?;
    Ok(Config {
        tills,
        web: web::web(&listen, tills)?,
        webhook: web::webhook(&document.section("webhook"), folder)?,
        metrics: address(&listen, "metrics")?,
        public_url: public_url(&listen)?,
        certificate: certificate(&listen, folder)?,
        database: database(&document.section("database"), folder, &state)?,
        currency: currency(&document.section("store"))?,
        time_zone: times::zone(document.section("store"))?,
        gateway,
        rules: times.rules,
        qr_lasts: times.qr_lasts,
        limits: limits(&document.section("limits"))?,
        // Of a folder the log gets a file in it.
        log: log
            .path("path", folder)?
            .map(|path| if path.is_dir() { path.join("backend.log") } else { path }),
        level: log.word("level", &levels, level)?,
        folder: state,
        is_demo: false,
    })
}

fn address(section: &Section<'_>, key: &str) -> Result<Option<SocketAddr>, ConfigError> {
    let Some(text) = section.text(key, 60)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let sentence = both!(
            "is not an address and a port, such as \"127.0.0.1:8444\"",
            "不是地址加端口，例如 \"127.0.0.1:8444\""
        );
        section.wrong(key, &sentence)
    })
}

fn public_url(section: &Section<'_>) -> Result<Option<String>, ConfigError> {
    let Some(text) = section.text("public_url", 200)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let host = text.strip_prefix("https://").filter(|host| !host.is_empty());
    if host.is_some_and(|host| !host.contains(['/', '?', '#', ' '])) {
        return Ok(Some(text));
    }
    let sentence =
        both!("is not like \"https://pay.example.com\"", "应类似 \"https://pay.example.com\"");
    Err(section.wrong("public_url", &sentence))
}

fn certificate(
    section: &Section<'_>,
    folder: &Path,
) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    match (section.path("cert_file", folder)?, section.path("key_file", folder)?) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            let sentence = both!(
                "and key_file belong together: name both or neither",
                "与 key_file 必须同时设置或同时不设置"
            );
            Err(section.wrong("cert_file", &sentence))
        }
    }
}

fn database(section: &Section<'_>, folder: &Path, state: &Path) -> Result<Database, ConfigError> {
    let password_file = section.path("password_file", folder)?;
    let ca_file = section.path("ca_file", folder)?;
    let connections = section.whole("connections", 1..=200, 8)?;
    let Some(url) = section.text("url", 500)?.filter(|url| !url.is_empty()) else {
        return Ok(Database::Sqlite(state.join("backend.sqlite")));
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        // Whatever stands in front of the last @, since a password may hold anything.
        let user = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        let has_password =
            user.is_some_and(|(user, _)| user.contains(':')) || url.contains("password=");
        if has_password {
            let sentence = both!(
                "holds a password; put it into password_file or into PAYTILL_DATABASE_PASSWORD",
                "含有密码；请放入 password_file 或 PAYTILL_DATABASE_PASSWORD"
            );
            return Err(section.wrong("url", &sentence));
        }
        let connections = usize::try_from(connections).unwrap_or(8);
        return Ok(Database::Postgres { url, password_file, ca_file, connections });
    }
    crate::store::sqlite::file_of(&url, folder).map(Database::Sqlite).ok_or_else(|| {
        let sentence = both!(
            "is neither sqlite:FILE nor postgres://user@host/name",
            "应为 sqlite:文件 或 postgres://用户@主机/库名"
        );
        section.wrong("url", &sentence)
    })
}

fn limits(section: &Section<'_>) -> Result<Limits, ConfigError> {
    let read = |key, default| {
        let limit = section.whole(key, 0..=1_000_000, default)?;
        Ok::<_, ConfigError>(u32::try_from(limit).unwrap_or(u32::MAX))
    };
    Ok(Limits {
        new_payments: read("new_payments_per_minute", 600)?,
        unsigned: read("unsigned_per_minute", 300)?,
    })
}

fn currency(section: &Section<'_>) -> Result<Currency, ConfigError> {
    let code = section.text("currency", 10)?.unwrap_or_else(|| "CNY".to_owned());
    Currency::from_code(&code).ok_or_else(|| {
        let sentence = both!("is not a currency of ISO 4217", "不是 ISO 4217 货币代码");
        section.wrong("currency", &sentence)
    })
}
