//! The sections of a configuration: their keys, defaults and what is allowed (interface 4).

mod devices;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tracing::level_filters::LevelFilter;

use super::file::{Document, Known, Section};
use super::nearest::nearest;
use super::secret::{self, Of};
use super::{
    Bell, Config, ConfigError, Environment, Flags, Gateway, Journal, Log, Paper, Payment, Receipt,
    Salvage, Screen, Secrets, Store, Theme, Till, WechatV2, folder_of, variable,
};
use crate::clock::Millis;
use crate::gateway::wechat::fields::SignType;
use crate::language::Language;
use crate::money::{Currency, Entry};
use crate::order::{Merchant, TillId};
use crate::payment::Rules;
use crate::picture::{LARGEST_FILE, Picture};

/// Every section and its keys.
pub(super) const KNOWN: &Known = &[
    ("store", &["name", "id"]),
    ("till", &["id", "language", "currency"]),
    ("gateway", &["kind"]),
    (
        "gateway.wechat-v2",
        &[
            "base_url",
            "backup_url",
            "app_id",
            "mch_id",
            "sub_app_id",
            "sub_mch_id",
            "sign_type",
            "api_key_file",
            "client_cert_file",
            "client_key_file",
            "ca_file",
            "client_ip",
            "proxy",
            "connect_timeout_ms",
            "request_timeout_ms",
        ],
    ),
    (
        "payment",
        &[
            "query_interval_ms",
            "give_up_after_ms",
            "reverse_not_before_ms",
            "attention_after_ms",
            "amount_entry",
            "body",
        ],
    ),
    ("scanner", &["kind", "port", "baud", "suffix", "device", "layout"]),
    (
        "printer",
        &[
            "kind",
            "port",
            "baud",
            "flow",
            "profile",
            "paper_mm",
            "encoding",
            "drawer",
            "auto_print",
        ],
    ),
    ("display", &["kind", "port", "baud", "parity", "lights", "text", "welcome"]),
    ("receipt", &["logo", "header", "footer", "copies"]),
    ("screen", &["theme", "bell", "confirm_above"]),
    ("journal", &["path"]),
    ("log", &["path", "level"]),
];

const NAME_CELLS: usize = 64;
/// Characters the gateway takes as device information, and as an id of its own (protocol 5.2).
const ID_LENGTH: usize = 32;
/// Bytes the gateway takes as the description of the goods (protocol 5.2).
const BODY_BYTES: usize = 127;
/// The gateway in mainland China and its other site (protocol 1.1).
const BASE_URL: &str = "https://api.mch.weixin.qq.com";
const BACKUP_URL: &str = "https://api2.mch.weixin.qq.com";
const URL_CELLS: usize = 255;
const RECEIPT_LINES: usize = 20;
const RECEIPT_CELLS: usize = 96;

/// What a file alone does not say.
pub(super) struct Surroundings<'a> {
    /// Relative paths count from it.
    pub(super) folder: &'a Path,
    pub(super) environment: Environment<'a>,
    pub(super) flags: &'a Flags,
    pub(super) secrets: Secrets,
    /// Where neither flag nor file names one.
    pub(super) language: Language,
}

/// Reads all sections. Secrets are read last: a slip in the file is told first.
pub(super) fn read(
    document: &Document<'_>,
    around: &Surroundings<'_>,
) -> Result<Config, ConfigError> {
    document.check_keys(KNOWN)?;
    let store = store(document.section("store"))?;
    let till = till(document.section("till"), around)?;
    let payment = payment(document.section("payment"), &store, &till)?;
    let scanner = devices::scanner(document.section("scanner"), around)?;
    let printer = devices::printer(document.section("printer"), around)?;
    let display = devices::display(document.section("display"), &store, around)?;
    let receipt = receipt(document.section("receipt"), &store, printer.paper, around)?;
    let screen = screen(document.section("screen"), &till, around)?;
    let is_real = is_real(document)?;
    let journal = journal(document.section("journal"), is_real, around)?;
    let log = log(document.section("log"), &journal, around)?;
    let gateway = gateway(document.section("gateway.wechat-v2"), is_real, around)?;
    Ok(Config {
        store,
        till,
        gateway,
        payment,
        scanner,
        printer,
        display,
        receipt,
        screen,
        journal,
        log,
    })
}

/// Reads what can be read: a section with a fault is left out, and the rest read again.
pub(super) fn salvage(mut document: Document<'_>, around: &Surroundings<'_>) -> Salvage {
    let mut faults = Vec::new();
    let mut is_real = false;
    loop {
        match read(&document, around) {
            Ok(mut config) => {
                if is_real {
                    config.gateway = Gateway::Unread;
                    if let Ok(journal) = journal(document.section("journal"), true, around) {
                        config.journal = journal;
                    }
                }
                return Salvage { config: Some(config), faults };
            }
            Err(fault) => {
                let section = fault.section.clone();
                faults.push(fault);
                // Who writes of a gateway means a real one.
                is_real |= section.as_deref() == Some("gateway");
                if !section.is_some_and(|section| document.leave_out(&section)) {
                    return Salvage { config: None, faults };
                }
            }
        }
    }
}

fn store(section: Section<'_>) -> Result<Store, ConfigError> {
    let name = section.text("name", NAME_CELLS)?.unwrap_or_else(|| "Corner Coffee".to_owned());
    if name.is_empty() {
        return Err(section.wrong("name", "is empty; it is what receipts begin with"));
    }
    let id = section.text("id", 2 * ID_LENGTH)?.unwrap_or_else(|| "S001".to_owned());
    if id.chars().count() > ID_LENGTH {
        let length = id.chars().count();
        let sentence = format!("has {length} characters; at most {ID_LENGTH} are allowed");
        return Err(section.wrong("id", sentence));
    }
    Ok(Store { name, id })
}

fn till(section: Section<'_>, around: &Surroundings<'_>) -> Result<Till, ConfigError> {
    let id = section.text("id", NAME_CELLS)?.unwrap_or_else(|| "T01".to_owned());
    let id = TillId::new(&id).ok_or_else(|| {
        section.wrong("id", "must be 1 to 8 letters, digits, _ or - of ASCII, such as T01")
    })?;
    let languages = [("zh-CN", Language::Chinese), ("en", Language::English)];
    let language = section.word("language", &languages, around.language)?;
    let code = section.text("currency", NAME_CELLS)?.unwrap_or_else(|| "CNY".to_owned());
    let currency = Currency::from_code(&code).ok_or_else(|| {
        let sentence = format!("is \"{code}\"; allowed is a code of ISO 4217 such as CNY");
        section.wrong("currency", sentence)
    })?;
    Ok(Till { id, language: around.flags.lang.unwrap_or(language), currency })
}

fn payment(section: Section<'_>, store: &Store, till: &Till) -> Result<Payment, ConfigError> {
    let rules = Rules::default();
    let time = |key, allowed, default: Millis| section.whole(key, allowed, default.0).map(Millis);
    let rules = Rules {
        query_interval: time("query_interval_ms", 100..=60_000, rules.query_interval)?,
        give_up_after: time("give_up_after_ms", 500..=120_000, rules.give_up_after)?,
        reverse_not_before: time("reverse_not_before_ms", 0..=60_000, rules.reverse_not_before)?,
        attention_after: time("attention_after_ms", 1000..=600_000, rules.attention_after)?,
    };
    let entries = [("major", Entry::Major), ("minor", Entry::Minor)];
    let entry = section.word("amount_entry", &entries, Entry::default())?;
    let template = section.text("body", 2 * BODY_BYTES)?;
    let body = fill(template.as_deref().unwrap_or("{store} {till}"), store, till)
        .map_err(|sentence| section.wrong("body", sentence))?;
    Ok(Payment { rules, entry, body })
}

/// The template with its placeholders filled in, or what is wrong with it.
fn fill(template: &str, store: &Store, till: &Till) -> Result<String, String> {
    let placeholders = [("store", store.name.as_str()), ("till", till.id.as_str())];
    let mut body = String::new();
    let mut parts = template.split('{');
    body.push_str(parts.next().unwrap_or_default());
    let mut stray = body.contains('}');
    for part in parts {
        let Some((name, text)) = part.split_once('}') else {
            return Err("has a { without its }".to_owned());
        };
        let Some((_, value)) = placeholders.iter().find(|(known, _)| *known == name) else {
            let near = nearest(name, placeholders.map(|(known, _)| known));
            let near = near.map(|near| format!("; did you mean {{{near}}}?")).unwrap_or_default();
            return Err(format!("has {{{name}}}; allowed are {{store}} and {{till}}{near}"));
        };
        stray |= text.contains('}');
        body.push_str(value);
        body.push_str(text);
    }
    let body = body.trim();
    match body.len() {
        _ if stray => Err("has a } without its {".to_owned()),
        0 => Err("comes to nothing; the customer's phone shows it as the goods".to_owned()),
        1..=BODY_BYTES => Ok(body.to_owned()),
        length => Err(format!("comes to {length} bytes; at most {BODY_BYTES} are allowed")),
    }
}

fn receipt(
    section: Section<'_>,
    store: &Store,
    paper: Paper,
    around: &Surroundings<'_>,
) -> Result<Receipt, ConfigError> {
    let lines = |key| section.lines(key, RECEIPT_LINES, RECEIPT_CELLS);
    let header = lines("header")?.unwrap_or_else(|| vec![store.name.clone()]);
    let footer = lines("footer")?.unwrap_or_default();
    let copies = u8::try_from(section.whole("copies", 1..=3, 1)?).unwrap_or(1);
    let logo = match section.path("logo", around.folder)? {
        Some(path) => Some(logo(&path, paper).map_err(|fault| section.wrong("logo", fault))?),
        None => None,
    };
    Ok(Receipt { logo, header, footer, copies })
}

/// The picture in this file, or what is wrong with it.
fn logo(path: &Path, paper: Paper) -> Result<Picture, String> {
    let shown = secret::shown(path);
    let mut file = Vec::new();
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX);
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(format!("{shown} is not a file"));
    }
    File::open(path)
        .and_then(|opened| opened.take(most).read_to_end(&mut file))
        .map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let picture = Picture::from_pbm(&file).map_err(|fault| format!("{shown} {fault}"))?;
    if picture.width() > paper.dots() {
        let (width, dots) = (picture.width(), paper.dots());
        return Err(format!("{shown} is {width} dots wide; this paper has {dots}"));
    }
    Ok(picture)
}

fn screen(
    section: Section<'_>,
    till: &Till,
    around: &Surroundings<'_>,
) -> Result<Screen, ConfigError> {
    let themes = [
        ("dark", Theme::Dark),
        ("light", Theme::Light),
        ("contrast", Theme::Contrast),
        ("mono", Theme::Mono),
    ];
    let theme = section.word("theme", &themes, Theme::Dark)?;
    let theme =
        if variable(around.environment, "NO_COLOR").is_some() { Theme::Mono } else { theme };
    let bells = [("bell", Bell::Bell), ("visual", Bell::Visual), ("off", Bell::Off)];
    let bell = section.word("bell", &bells, Bell::Bell)?;
    let typed = section.text("confirm_above", NAME_CELLS)?.unwrap_or_else(|| "1000".to_owned());
    let confirm_above = match typed.as_str() {
        "" => None,
        amount => Some(till.currency.read(amount, Entry::Major).map_err(|fault| {
            let sentence = format!(
                "is \"{amount}\"; allowed is an amount such as \"1000\", or \"\" for never: {fault}"
            );
            section.wrong("confirm_above", sentence)
        })?),
    };
    Ok(Screen { theme, bell, confirm_above })
}

/// Books of training and real ones never share a file by default.
fn journal(
    section: Section<'_>,
    is_real: bool,
    around: &Surroundings<'_>,
) -> Result<Journal, ConfigError> {
    if let Some(path) = section.path("path", around.folder)? {
        return Ok(Journal { path });
    }
    let name = if is_real { "paytill/journal.sqlite" } else { "paytill/training.sqlite" };
    match folder_of(around.environment, "XDG_STATE_HOME", ".local/state") {
        Some(state) => Ok(Journal { path: state.join(name) }),
        None => Err(section.wrong("path", "is missing, and neither is $HOME set; name the file")),
    }
}

fn log(
    section: Section<'_>,
    journal: &Journal,
    around: &Surroundings<'_>,
) -> Result<Log, ConfigError> {
    let path = match section.path("path", around.folder)? {
        Some(folder) if folder.is_dir() => folder.join("paytill.log"),
        Some(path) => path,
        None => journal.path.with_extension("log"),
    };
    let levels = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    let level = section.word("level", &levels, LevelFilter::INFO)?;
    Ok(Log { path, level: around.flags.log_level.unwrap_or(level) })
}

/// Whether money moves.
fn is_real(document: &Document<'_>) -> Result<bool, ConfigError> {
    let section = document.section("gateway");
    let kinds = [
        ("simulator", Some(false)),
        ("wechat-v2", Some(true)),
        ("wechat-v3", None),
        ("backend", None),
    ];
    let has_wechat = document.section("gateway.wechat-v2").is_there();
    if has_wechat && !section.has("kind") {
        let sentence = "is missing; write kind = \"wechat-v2\", or \"simulator\" for training";
        return Err(section.wrong("kind", sentence));
    }
    match section.word("kind", &kinds, Some(false))? {
        Some(true) if !has_wechat => {
            Err(section.wrong("kind", "is \"wechat-v2\", but there is no [gateway.wechat-v2]"))
        }
        Some(is_real) => Ok(is_real),
        None => Err(section.wrong("kind", "is not built yet; simulator and wechat-v2 are")),
    }
}

/// Reads and checks what is in the file also in training, but the secrets only when they are used.
fn gateway(
    section: Section<'_>,
    is_real: bool,
    around: &Surroundings<'_>,
) -> Result<Gateway, ConfigError> {
    let base_url = url(section, "base_url", "https", BASE_URL)?;
    // Nobody who names another gateway wants its calls sent to the real one.
    let backup = if base_url.as_deref() == Some(BASE_URL) { BACKUP_URL } else { "" };
    let backup_url = url(section, "backup_url", "https", backup)?;
    let merchant = merchant(section)?;
    let sign_types = [SignType::HmacSha256, SignType::Md5].map(|kind| (kind.word(), kind));
    let sign_type = section.word("sign_type", &sign_types, SignType::default())?;
    let api_key_file = section.path("api_key_file", around.folder)?;
    let certificate_file = section.path("client_cert_file", around.folder)?;
    let key_file = section.path("client_key_file", around.folder)?;
    let ca_file = section.path("ca_file", around.folder)?;
    let client_ip = match section.text("client_ip", NAME_CELLS)?.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| {
            section.wrong("client_ip", "must be an address such as 203.0.113.7, or \"\"")
        })?),
    };
    let proxy = url(section, "proxy", "http", "")?;
    let timeout = |key, default| section.whole(key, 100..=60_000, default).map(Millis);
    let connect_timeout = timeout("connect_timeout_ms", 3000)?;
    let request_timeout = timeout("request_timeout_ms", 10_000)?;
    if !is_real {
        return Ok(Gateway::Simulator);
    }

    let missing = |key| section.wrong(key, "is missing; WeChat Pay gave it to the merchant");
    if merchant.app_id.is_empty() {
        return Err(missing("app_id"));
    }
    if merchant.mch_id.is_empty() {
        return Err(missing("mch_id"));
    }
    let base_url = base_url.ok_or_else(|| section.wrong("base_url", "is empty"))?;
    if around.secrets == Secrets::Leave {
        return Ok(Gateway::Unread);
    }
    let api_key = api_key(section, api_key_file, around)?;
    let client_identity_pem = identity(section, certificate_file, key_file)?;
    let ca_pem = ca_file.map(|path| secret::roots(&path)).transpose();
    let ca_pem = ca_pem.map_err(|fault| section.wrong("ca_file", fault))?;
    Ok(Gateway::WechatV2(WechatV2 {
        base_url,
        backup_url,
        merchant,
        sign_type,
        api_key,
        client_identity_pem,
        ca_pem,
        client_ip,
        proxy,
        connect_timeout,
        request_timeout,
    }))
}

fn merchant(section: Section<'_>) -> Result<Merchant, ConfigError> {
    let id = |key| {
        let id = section.text(key, NAME_CELLS)?.unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.len() <= ID_LENGTH && id.bytes().all(allowed) {
            return Ok(id);
        }
        Err(section.wrong(key, format!("must be at most {ID_LENGTH} letters and digits of ASCII")))
    };
    let merchant = Merchant {
        app_id: id("app_id")?,
        mch_id: id("mch_id")?,
        sub_app_id: id("sub_app_id")?,
        sub_mch_id: id("sub_mch_id")?,
    };
    if merchant.sub_mch_id.is_empty() && !merchant.sub_app_id.is_empty() {
        return Err(section.wrong("sub_app_id", "is of use only together with sub_mch_id"));
    }
    Ok(merchant)
}

/// `scheme://host` with or without a port and nothing else; `None` where it is empty. A wrong one
/// is not repeated: there may be a password in it.
fn url(
    section: Section<'_>,
    key: &str,
    scheme: &str,
    default: &str,
) -> Result<Option<String>, ConfigError> {
    let text = section.text(key, URL_CELLS)?.unwrap_or_else(|| default.to_owned());
    if text.is_empty() {
        return Ok(None);
    }
    let example = format!("{scheme}://host or {scheme}://host:port");
    let url = url::Url::parse(&text)
        .ok()
        .filter(|_| text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://")));
    let Some(url) = url else { return Err(section.wrong(key, format!("must be {example}"))) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(section.wrong(key, format!("must be {example}, without user and password")));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(section.wrong(key, format!("must be {example}, and nothing behind it")));
    }
    Ok(Some(url.origin().ascii_serialization()))
}

fn api_key(
    section: Section<'_>,
    file: Option<PathBuf>,
    around: &Surroundings<'_>,
) -> Result<SecretString, ConfigError> {
    const VARIABLE: &str = "PAYTILL_API_KEY";
    if let Some(key) = variable(around.environment, VARIABLE) {
        return secret::api_key(key.as_encoded_bytes())
            .map_err(|fault| ConfigError::new(format!("${VARIABLE} {fault}")));
    }
    let sentence = "is missing; name the file with the merchant's APIv2 key, or set";
    let file =
        file.ok_or_else(|| section.wrong("api_key_file", format!("{sentence} ${VARIABLE}")))?;
    secret::api_key_file(&file).map_err(|fault| section.wrong("api_key_file", fault))
}

fn identity(
    section: Section<'_>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<SecretString, ConfigError> {
    const WHY: &str = "reversal and refund need the merchant's certificate";
    let missing = |name| section.wrong(name, format!("is missing; {WHY}"));
    let certificate = certificate.ok_or_else(|| missing("client_cert_file"))?;
    let key = key.ok_or_else(|| missing("client_key_file"))?;
    secret::identity(&certificate, &key).map_err(|(of, fault)| {
        let name = match of {
            Of::Certificate => "client_cert_file",
            Of::Key => "client_key_file",
        };
        match fault {
            secret::Fault::Missing(_) => section.wrong(name, format!("{fault}; {WHY}")),
            fault => section.wrong(name, fault),
        }
    })
}
