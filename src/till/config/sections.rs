//! The sections of a configuration: their keys, their defaults, and what is allowed (interface 4).

mod devices;
mod gateway;
mod goods;
mod receipt;

use std::path::Path;

use tracing::level_filters::LevelFilter;

use super::{
    Bell, Config, ConfigError, Environment, Flags, GatewayConfig, Glyphs, JournalConfig, LogConfig,
    PaymentConfig, RefundConfig, Salvage, ScreenConfig, ShiftConfig, StoreConfig, Theme,
    TillConfig, VOICE_PLACEHOLDERS,
};
use crate::clock::Millis;
use crate::language::{Language, Text};
use crate::money::{AmountEntry, Currency, Money};
use crate::order::TillId;
use crate::{both, say, text};
use paytill_host::config::file::{Document, Known, Section, did_you_mean};
use paytill_host::config::nearest::nearest;
use paytill_host::config::{folder_of, variable};
use paytill_host::gateway::{self as wechat, Secrets, Version};
use paytill_host::times::{self, Times};

/// The times that a payment keeps, and what only a till has.
const PAYMENT: [&str; 7] = {
    let [query, give_up, reverse, attention, qr] = times::KEYS;
    [query, give_up, reverse, attention, qr, "amount_entry", "body"]
};

/// Every section and its keys.
pub(super) const KNOWN: &Known = &[
    ("store", &["name", "id", "time_zone"]),
    ("till", &["id", "language", "currency", "lock_after_minutes", "drawer_by_manager"]),
    ("shift", &["required"]),
    ("gateway", &["kind"]),
    (Version::V2.section(), Version::V2.keys()),
    (Version::V3.section(), Version::V3.keys()),
    (gateway::backend::SECTION, gateway::backend::KEYS),
    ("payment", &PAYMENT),
    ("refund", &["consent_above"]),
    ("scanner", &["kind", "port", "baud", "suffix", "device", "layout"]),
    (
        "printer",
        &[
            "kind",
            "port",
            "baud",
            "flow",
            "status",
            "profile",
            "paper_mm",
            "encoding",
            "drawer",
            "auto_print",
        ],
    ),
    ("display", &["kind", "port", "baud", "parity", "lights", "text", "welcome"]),
    ("receipt", &["logo", "header", "footer", "copies"]),
    ("goods", &["in_store", "discount_limit"]),
    ("screen", &["theme", "bell", "voice", "glyphs", "confirm_above"]),
    ("journal", &["path", "key_file"]),
    ("log", &["path", "level"]),
];

const LANGUAGES: [(&str, Language); 2] = [("zh-CN", Language::Chinese), ("en", Language::English)];
const NAME_CELLS: usize = 64;
/// The most characters the gateway accepts as device information (protocol 3.2).
const ID_LENGTH: usize = 32;
/// The most bytes the gateway accepts as the description of the goods (protocol 3.2).
const BODY_BYTES: usize = 127;
/// The program that speaks, and its arguments.
const VOICE_ARGUMENTS: usize = 16;
const VOICE_CELLS: usize = 256;

/// What is needed besides the file.
pub(super) struct Surroundings<'a> {
    /// Relative paths start from here.
    pub(super) folder: &'a Path,
    /// The file itself, if there is one.
    pub(super) file: Option<&'a Path>,
    pub(super) environment: Environment<'a>,
    pub(super) flags: &'a Flags,
    pub(super) secrets: Secrets,
    /// Used if neither flag nor file names one.
    pub(super) language: Language,
}

impl<'a> Surroundings<'a> {
    /// As much of it as the sections of the gateway need.
    fn of_gateway(&self) -> wechat::Surroundings<'a> {
        let Self { folder, file, environment, secrets, .. } = *self;
        wechat::Surroundings { folder, file, environment, secrets }
    }
}

/// Reads all sections. Secrets come last, so that a slip in the file is reported first.
pub(super) fn read(
    document: &Document<'_>,
    around: &Surroundings<'_>,
) -> Result<Config, ConfigError> {
    document.check_keys(KNOWN)?;
    let store = store(document.section("store"))?;
    let till = till(document.section("till"), around)?;
    let mut payment = payment(document.section("payment"), &store, &till)?;
    let refund = refund(document.section("refund"), till.currency)?;
    let scanner = devices::scanner(document.section("scanner"), around)?;
    let printer = devices::printer(document.section("printer"), around)?;
    let display = devices::display(document.section("display"), &store, around)?;
    devices::check_ports(document, &scanner, &printer, &display)?;
    let receipt = receipt::read(document.section("receipt"), &store, printer.paper, around)?;
    let goods = goods::read(document.section("goods"))?;
    let shift = ShiftConfig { required: document.section("shift").flag("required", false)? };
    let screen = screen(document.section("screen"), &till, around)?;
    let kind = gateway::kind(document)?;
    let is_real = kind != gateway::Kind::Simulator;
    let journal = journal(document.section("journal"), is_real, around)?;
    let log = log(document.section("log"), &journal, around)?;
    if kind == gateway::Kind::Backend {
        payment.rules = payment.rules.behind_a_backend();
    }
    let backend_files = gateway::backend::files(document, kind == gateway::Kind::Backend, around)?;
    let gateway = gateway::read(document, kind, &backend_files, (&till.id, &payment), around)?;
    Ok(Config {
        store,
        till,
        gateway,
        backend_files,
        payment,
        refund,
        scanner,
        printer,
        display,
        receipt,
        goods,
        shift,
        screen,
        journal,
        log,
    })
}

/// The language that the file names, if that much of it is valid.
pub(super) fn language(document: &Document<'_>) -> Option<Language> {
    let section = document.section("till");
    section.word("language", &LANGUAGES.map(|(tag, language)| (tag, Some(language))), None).ok()?
}

/// Reads what can be read: a section with a fault is left out, and the rest is read again.
pub(super) fn salvage(mut document: Document<'_>, around: &Surroundings<'_>) -> Salvage {
    let mut faults = Vec::new();
    let mut is_real = false;
    loop {
        match read(&document, around) {
            Ok(mut config) => {
                if is_real {
                    config.gateway = GatewayConfig::Unread;
                    if let Ok(journal) = journal(document.section("journal"), true, around) {
                        config.journal = journal;
                    }
                }
                return Salvage { config: Some(config), faults };
            }
            Err(fault) => {
                let section = fault.section().map(str::to_owned);
                faults.push(fault);
                // A file with a gateway section was meant for a real gateway.
                is_real |= section.as_deref() == Some("gateway");
                if !section.is_some_and(|section| document.leave_out(&section)) {
                    return Salvage { config: None, faults };
                }
            }
        }
    }
}

fn store(section: Section<'_>) -> Result<StoreConfig, ConfigError> {
    let name = section.text("name", NAME_CELLS)?.unwrap_or_else(|| "Corner Coffee".to_owned());
    if name.is_empty() {
        let sentence = both!("is empty; it is what receipts begin with", "为空，小票抬头要印店名");
        return Err(section.wrong("name", &sentence));
    }
    let id = section.text("id", 2 * ID_LENGTH)?.unwrap_or_else(|| "S001".to_owned());
    if id.chars().count() > ID_LENGTH {
        let length = id.chars().count();
        let sentence = both!(
            "has {length} characters; at most {ID_LENGTH} are allowed",
            "有 {length} 个字符，最多 {ID_LENGTH} 个"
        );
        return Err(section.wrong("id", &sentence));
    }
    Ok(StoreConfig { name, id, time_zone: times::zone(section)? })
}

/// A manager's consent from what sum on: none, always (`0`), or above an amount.
fn refund(section: Section<'_>, currency: Currency) -> Result<RefundConfig, ConfigError> {
    let typed = section.text("consent_above", NAME_CELLS)?.unwrap_or_default();
    let consent_above = match typed.as_str() {
        "" => None,
        "0" => Some(Money::default()),
        amount => Some(currency.read(amount, AmountEntry::Major).map_err(|fault| {
            let what = both!(
                "is \"{amount}\"; allowed is an amount such as \"100\", \"0\" for always, or \"\" for never",
                "为 \"{amount}\"，只能是金额（如 \"100\"）、\"0\"（总是需要）或 \"\"（从不需要）"
            );
            let why = Text::each(|language| text::amount::fault(fault, currency, language));
            section.wrong("consent_above", &what.because(&why))
        })?),
    };
    Ok(RefundConfig { consent_above })
}

fn till(section: Section<'_>, around: &Surroundings<'_>) -> Result<TillConfig, ConfigError> {
    let id = section.text("id", NAME_CELLS)?.unwrap_or_else(|| "T01".to_owned());
    let id = TillId::new(&id).ok_or_else(|| {
        let sentence = both!(
            "must be 1 to 8 letters, digits, _ or - of ASCII, such as T01",
            "必须是 1 至 8 个英文字母、数字、_ 或 -，如 T01"
        );
        section.wrong("id", &sentence)
    })?;
    let language = section.word("language", &LANGUAGES, around.language)?;
    let code = section.text("currency", NAME_CELLS)?.unwrap_or_else(|| "CNY".to_owned());
    let currency = Currency::from_code(&code).ok_or_else(|| {
        let sentence = both!(
            "is \"{code}\"; allowed is a code of ISO 4217 such as CNY",
            "为 \"{code}\"，只能是 ISO 4217 的货币代码，如 CNY"
        );
        section.wrong("currency", &sentence)
    })?;
    let minutes = section.whole("lock_after_minutes", 0..=480, 0)?;
    let lock_after = (minutes > 0).then(|| Millis::seconds(60 * minutes));
    let language = around.flags.lang.unwrap_or(language);
    let drawer_by_manager = section.flag("drawer_by_manager", false)?;
    Ok(TillConfig { id, language, currency, lock_after, drawer_by_manager })
}

fn payment(
    section: Section<'_>,
    store: &StoreConfig,
    till: &TillConfig,
) -> Result<PaymentConfig, ConfigError> {
    let Times { rules, qr_lasts } = Times::read(section)?;
    let entries = [("major", AmountEntry::Major), ("minor", AmountEntry::Minor)];
    let entry = section.word("amount_entry", &entries, AmountEntry::default())?;
    let template = section.text("body", 2 * BODY_BYTES)?;
    let placeholders = [("store", store.name.as_str()), ("till", till.id.as_str())];
    let body = fill(template.as_deref().unwrap_or("{store} {till}"), &placeholders)
        .and_then(|body| described(&body))
        .map_err(|sentence| section.wrong("body", &sentence))?;
    Ok(PaymentConfig { rules, qr_lasts, entry, body })
}

/// The template with its placeholders filled in, or what is wrong with it.
pub(crate) fn fill(template: &str, placeholders: &[(&str, &str)]) -> Result<String, Text> {
    let mut filled = String::new();
    let mut parts = template.split('{');
    filled.push_str(parts.next().unwrap_or_default());
    let mut stray = filled.contains('}');
    for part in parts {
        let Some((name, text)) = part.split_once('}') else {
            return Err(both!("has a {{ without its }}", "有 {{ 却没有对应的 }}"));
        };
        let Some((_, value)) = placeholders.iter().find(|(known, _)| *known == name) else {
            let known = placeholders.iter().map(|(known, _)| *known);
            let near = nearest(name, known.clone());
            let near = near.map_or_else(Text::default, |near| did_you_mean(&format!("{{{near}}}")));
            let known: Vec<String> = known.map(|known| format!("{{{known}}}")).collect();
            return Err(Text::each(|language| {
                let near = near.in_language(language);
                let allowed = known.join(language.pick(" and ", " 和 "));
                say!(
                    language,
                    "has {{{name}}}; allowed are {allowed}{near}",
                    "含有 {{{name}}}，只能用 {allowed}{near}"
                )
            }));
        };
        stray |= text.contains('}');
        filled.push_str(value);
        filled.push_str(text);
    }
    if stray {
        return Err(both!("has a }} without its {{", "有 }} 却没有对应的 {{"));
    }
    Ok(filled)
}

/// A description of the goods, or what is wrong with it.
fn described(body: &str) -> Result<String, Text> {
    let body = body.trim();
    match body.len() {
        0 => Err(both!(
            "comes to nothing; the customer's phone shows it as the goods",
            "结果为空；顾客手机上要显示它作为商品名"
        )),
        1..=BODY_BYTES => Ok(body.to_owned()),
        length => Err(both!(
            "comes to {length} bytes; at most {BODY_BYTES} are allowed",
            "结果有 {length} 字节，最多 {BODY_BYTES} 字节"
        )),
    }
}

fn screen(
    section: Section<'_>,
    till: &TillConfig,
    around: &Surroundings<'_>,
) -> Result<ScreenConfig, ConfigError> {
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
    let voice = section.lines("voice", VOICE_ARGUMENTS, VOICE_CELLS)?.unwrap_or_default();
    for argument in &voice {
        fill(argument, &VOICE_PLACEHOLDERS.map(|name| (name, "")))
            .map_err(|sentence| section.wrong("voice", &sentence))?;
    }
    let glyphs = [("auto", Glyphs::Auto), ("unicode", Glyphs::Unicode), ("ascii", Glyphs::Ascii)];
    let glyphs = section.word("glyphs", &glyphs, Glyphs::Auto)?;
    let typed = section.text("confirm_above", NAME_CELLS)?.unwrap_or_else(|| "1000".to_owned());
    let confirm_above = match typed.as_str() {
        "" => None,
        amount => Some(till.currency.read(amount, AmountEntry::Major).map_err(|fault| {
            let what = both!(
                "is \"{amount}\"; allowed is an amount such as \"1000\", or \"\" for never",
                "为 \"{amount}\"，只能是金额，如 \"1000\"，或 \"\"（从不确认）"
            );
            let why = Text::each(|language| text::amount::fault(fault, till.currency, language));
            section.wrong("confirm_above", &what.because(&why))
        })?),
    };
    Ok(ScreenConfig { theme, bell, voice, glyphs, confirm_above })
}

/// By default, training and real sales never share a journal.
fn journal(
    section: Section<'_>,
    is_real: bool,
    around: &Surroundings<'_>,
) -> Result<JournalConfig, ConfigError> {
    let key_file = section.path("key_file", around.folder)?;
    if let Some(path) = section.path("path", around.folder)? {
        return Ok(JournalConfig { path, key_file });
    }
    let name = if is_real { "paytill/journal.sqlite" } else { "paytill/training.sqlite" };
    match folder_of(around.environment, "XDG_STATE_HOME", ".local/state") {
        Some(state) => Ok(JournalConfig { path: state.join(name), key_file }),
        None => Err(section.wrong(
            "path",
            &both!(
                "is missing, and neither is $HOME set; name the file",
                "没有设置，$HOME 也没有设置；请指定文件"
            ),
        )),
    }
}

fn log(
    section: Section<'_>,
    journal: &JournalConfig,
    around: &Surroundings<'_>,
) -> Result<LogConfig, ConfigError> {
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
    Ok(LogConfig { path, level: around.flags.log_level.unwrap_or(level) })
}
