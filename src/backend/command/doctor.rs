//! `paytill-backend doctor`: checks everything that this backend needs, a line each, with what to do.
//!
//! It moves no money and works beside one that serves. All that it leaves behind is the time of its
//! visit in the database, to see that one can be written there.

mod address;

use std::path::{Path, PathBuf};

use serde_json::json;

use paytill_core::both;
use paytill_core::clock::Timestamp;
use paytill_core::language::{Language, Text};
use paytill_core::text::reason;
use paytill_host::certificate::Validity;
use paytill_host::config::ConfigError;

use super::audit::broken;
use super::open::Books;
use super::print_line;
use crate::config::Database;
use crate::exit::Exit;
use crate::files;
use crate::store::{Store, StoreError, TillRow, VERSION, Verified};

const DAY: i64 = 24 * 3600 * 1000;
/// A new certificate takes days to obtain.
const ENDS_SOON: i64 = 30 * DAY;
/// The gateway reports whole seconds, and the network adds its delay.
const CLOCK_MAY_BE_OFF: i64 = 60_000;
/// Beyond this, tills are refused and certificates fail.
const CLOCK_IS_WRONG: i64 = 1_800_000;
/// A till that sells is heard every day.
const SILENT: i64 = 7 * DAY;

/// What a line is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Check {
    Configuration,
    Database,
    Key,
    Certificate,
    Gateway,
    Clock,
    Address,
    Tills,
    Audit,
}

impl Check {
    const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Database => "database",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Gateway => "gateway",
            Self::Clock => "clock",
            Self::Address => "address",
            Self::Tills => "tills",
            Self::Audit => "audit",
        }
    }

    const fn name(self, language: Language) -> &'static str {
        let chinese = match self {
            Self::Configuration => "配置",
            Self::Database => "数据库",
            Self::Key => "密钥",
            Self::Certificate => "证书",
            Self::Gateway => "微信支付",
            Self::Clock => "时钟",
            Self::Address => "地址",
            Self::Tills => "收银台",
            Self::Audit => "操作记录",
        };
        language.pick(self.word(), chinese)
    }

    /// What it ends with if this is wrong.
    const fn exit(self) -> Exit {
        match self {
            Self::Configuration | Self::Key | Self::Certificate => Exit::Configuration,
            Self::Database | Self::Audit => Exit::Database,
            Self::Gateway | Self::Clock | Self::Address | Self::Tills => Exit::Fault,
        }
    }
}

/// How a check went.
enum Finding {
    Well(Text),
    /// It can serve, but this needs attention.
    Warning(Text, Text),
    /// What is wrong, and what to do; the latter may be in the former.
    Fault(Text, Option<Text>),
}

use Finding::{Fault, Warning, Well};

/// Prints findings, and remembers the worst.
struct Reporter {
    json: bool,
    language: Language,
    exit: Exit,
}

impl Reporter {
    fn report(&mut self, check: Check, finding: &Finding) {
        let (result, name, text, advice) = match finding {
            Well(text) => ("ok", ("ok", "正常"), text, None),
            Warning(text, advice) => ("warning", ("warning", "注意"), text, Some(advice)),
            Fault(text, advice) => ("fault", ("FAULT", "故障"), text, advice.as_ref()),
        };
        if let Fault(..) = finding {
            let worst = [Exit::Configuration, Exit::Database];
            if !worst.contains(&self.exit) || check.exit() == Exit::Configuration {
                self.exit = check.exit();
            }
        }
        let text = text.in_language(self.language);
        let advice = advice.map(|advice| advice.in_language(self.language));
        if self.json {
            let line = json!({
                "check": check.word(), "result": result, "text": text, "advice": advice,
            });
            return print_line(&line.to_string());
        }
        // Chinese characters take two cells; these are two each, and four in the second column.
        let name = self.language.pick(name.0, name.1);
        let check = check.name(self.language);
        let (first, second) = match self.language {
            Language::English => (9, 15),
            Language::Chinese => (7, 15 - check.chars().count()),
        };
        print_line(&format!("{name:first$}{check:second$}{text}"));
        if let Some(advice) = advice {
            print_line(&format!("{:24}{advice}", ""));
        }
    }
}

/// The configuration cannot be read, so nothing else can be looked at.
pub(super) fn misconfigured(wrong: &ConfigError, json: bool, language: Language) -> Exit {
    let mut reporter = Reporter { json, language, exit: Exit::Done };
    for sentence in wrong.each() {
        reporter.report(Check::Configuration, &Fault(sentence.clone(), None));
    }
    reporter.exit
}

/// Runs every check, whatever the others found.
pub(super) async fn run(books: &Books<'_>, json: bool, language: Language) -> Exit {
    let mut reporter = Reporter { json, language, exit: Exit::Done };
    let config = books.config;
    reporter.report(
        Check::Configuration,
        &Well(if config.is_demo {
            both!("there is no file: this is the demonstration", "没有配置文件：演示模式")
        } else {
            both!("read, with all secrets that it names", "已读取，所列密钥文件均可用")
        }),
    );
    let (finding, store) = database(books).await;
    reporter.report(Check::Database, &finding);
    reporter.report(Check::Key, &key(&config.folder));
    let (certificate, ca) = certificate(books);
    reporter.report(Check::Certificate, &certificate);
    gateway(books, &mut reporter).await;
    if let Some(finding) = address::check(config, ca.as_deref()).await {
        reporter.report(Check::Address, &finding);
    }
    if let Some(store) = store {
        match store.tills(&books.merchant()).await {
            Ok(tills) => reporter.report(Check::Tills, &heard(&tills, books.clock.wall())),
            Err(error) => reporter.report(Check::Tills, &Fault(error.sentence(), None)),
        }
        reporter.report(Check::Audit, &audited(books, &store).await);
    }
    reporter.exit
}

/// Whether what people did is still as it was written.
async fn audited(books: &Books<'_>, store: &Store) -> Finding {
    match store.verify_audit(&books.merchant(), |_| {}).await {
        Ok(Verified::Whole(head)) => {
            let (count, digest) = (head.position, head.hex());
            let text = both!(
                "{count} entries, all as they were written, up to {digest}",
                "共 {count} 条，均未被改动，末条摘要 {digest}"
            );
            Well(text)
        }
        Ok(Verified::Broken(position)) => Fault(broken(position), None),
        Err(error) => Fault(error.sentence(), None),
    }
}

/// Whether the books can be read and written; they themselves, if so.
async fn database(books: &Books<'_>) -> (Finding, Option<Store>) {
    let place = match &books.config.database {
        Database::Sqlite(path) if !path.exists() => {
            let path = path.display();
            let text = both!(
                "{path} is not there yet; it is made at the first start",
                "{path} 尚不存在，首次启动时创建"
            );
            return (Well(text), None);
        }
        Database::Sqlite(path) => path.display().to_string(),
        Database::Postgres { .. } => "PostgreSQL".to_owned(),
    };
    let store = match books.open() {
        Ok(store) => store,
        Err(failure) => return (Fault(failure.text, None), None),
    };
    let checked = async {
        store.check().await?;
        store.touch(&books.merchant(), books.clock.wall()).await
    };
    match checked.await {
        Ok(()) => {
            let text = both!(
                "{place} can be read and written, schema {VERSION}",
                "{place} 可读写，结构版本 {VERSION}"
            );
            (Well(text), Some(store))
        }
        Err(StoreError::Schema { found: 0, .. }) if books.is_alone() => {
            let text = both!(
                "{place} is empty; its tables are made at the first start",
                "{place} 为空，首次启动时建表"
            );
            (Well(text), None)
        }
        Err(error) => (Fault(error.sentence(), None), None),
    }
}

fn key(folder: &Path) -> Finding {
    let path = files::key_path(folder);
    if !path.exists() {
        let path = path.display();
        return Well(both!(
            "{path} is not there yet; it is made at the first start",
            "{path} 尚不存在，首次启动时创建"
        ));
    }
    match files::signing_key(folder) {
        Ok((key, _)) => {
            let id = key.public().id();
            Well(both!(
                "answers are signed with the key {id}; keep a copy of it",
                "应答使用密钥 {id} 签名，请保留备份"
            ))
        }
        Err(error) => Fault(error.0, None),
    }
}

/// The certificate that tills are shown, and the root that they trust where it is of our own making.
fn certificate(books: &Books<'_>) -> (Finding, Option<PathBuf>) {
    let config = books.config;
    let own = files::own_certificate(&config.folder);
    let (path, root) = match &config.certificate {
        Some((certificate, _)) => (certificate, None),
        None => (&own.certificate, Some(own.root)),
    };
    let shown = path.display();
    if config.certificate.is_none() && !path.exists() {
        let text = both!(
            "of its own making; it is made at the first start",
            "使用自签证书，首次启动时创建"
        );
        return (Well(text), root);
    }
    let Some(validity) = std::fs::read(path).ok().and_then(|pem| Validity::of_pem(&pem)) else {
        let text = both!("{shown} cannot be read as a certificate", "无法读取证书 {shown}");
        return (Fault(text, None), root);
    };
    let now = books.clock.wall();
    let until = validity.until.local("%Y-%m-%d", &config.time_zone);
    let renew = || {
        both!(
            "have it renewed, put it into the same files and send this program a SIGHUP",
            "请续期证书，替换原文件后向本程序发送 SIGHUP"
        )
    };
    let finding = if now > validity.until {
        Fault(both!("{shown} ended on {until}", "{shown} 已于 {until} 过期"), Some(renew()))
    } else if now < validity.from {
        let from = validity.from.local("%Y-%m-%d", &config.time_zone);
        let text = both!("{shown} is valid only from {from} on", "{shown} 自 {from} 起才有效");
        Fault(text, Some(both!("check this machine's clock", "请检查本机时钟")))
    } else if validity.until.0.saturating_sub(now.0) < ENDS_SOON {
        Warning(both!("{shown} ends on {until}", "{shown} 将于 {until} 过期"), renew())
    } else {
        Well(both!("{shown} is valid until {until}", "{shown} 有效期至 {until}"))
    };
    (finding, root)
}

/// Whether the gateway answers, and how far the clocks are apart.
async fn gateway(books: &Books<'_>, reporter: &mut Reporter) {
    let Some(wechat) = &books.config.gateway else {
        let text = both!("simulated: no money moves", "模拟网关，不会真实扣款");
        return reporter.report(Check::Gateway, &Well(text));
    };
    let opened = match wechat.open(books.clock).await {
        Ok(opened) => opened,
        Err(error) => return reporter.report(Check::Gateway, &Fault(error.text(), None)),
    };
    let host = &opened.host;
    let before = books.clock.wall();
    match opened.transport.visit(0, false).await {
        Err(failure) => {
            let why = failure.reason();
            let why = Text::each(|language| reason::cause_sentence(why, language));
            let text = both!("{host} does not answer", "{host} 没有应答").because(&why);
            let advice = both!(
                "check the network and the firewall of this machine",
                "请检查本机网络和防火墙"
            );
            reporter.report(Check::Gateway, &Fault(text, Some(advice)));
        }
        Ok(visit) => {
            let text = both!("{host} answers", "{host} 有应答");
            reporter.report(Check::Gateway, &Well(text));
            if let Some(date) = visit.date {
                reporter.report(Check::Clock, &clock(before, date));
            }
        }
    }
}

fn clock(ours: Timestamp, theirs: Timestamp) -> Finding {
    let off = ours.0.abs_diff(theirs.0);
    let seconds = off / 1000;
    let advice = both!("let this machine keep its time by NTP", "请用 NTP 校准本机时间");
    if off <= CLOCK_MAY_BE_OFF.unsigned_abs() {
        return Well(both!("agrees with the gateway's", "与微信支付一致"));
    }
    let text = both!("{seconds} s apart from the gateway's", "与微信支付相差 {seconds} 秒");
    if off <= CLOCK_IS_WRONG.unsigned_abs() {
        Warning(text, advice)
    } else {
        Fault(text, Some(advice))
    }
}

/// Which tills there are, and when the last of them was heard.
fn heard(tills: &[TillRow], now: Timestamp) -> Finding {
    let living: Vec<_> =
        tills.iter().filter(|till| till.key.is_some() && till.revoked_at.is_none()).collect();
    if living.is_empty() {
        return Warning(
            both!("no till is enrolled", "尚无已登记的收银台"),
            both!(
                "run: paytill-backend till add S001 T01",
                "请运行：paytill-backend till add S001 T01"
            ),
        );
    }
    let is_silent = |till: &&&TillRow| {
        let last = till.last_seen_at.or(till.enrolled_at);
        last.is_none_or(|at| now.0.saturating_sub(at.0) > SILENT)
    };
    let silent: Vec<_> = living.iter().filter(is_silent).map(|till| till.till.as_str()).collect();
    let count = living.len();
    if silent.is_empty() {
        let last = living.iter().filter_map(|till| till.last_seen_at).max();
        let last = last.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339);
        return Well(both!(
            "{count} enrolled, last heard {last}",
            "已登记 {count} 台，最近联系 {last}"
        ));
    }
    let names = silent.join(", ");
    Warning(
        both!(
            "{count} enrolled; not heard for a week: {names}",
            "已登记 {count} 台；一周未联系：{names}"
        ),
        both!(
            "a till that is gone is locked by: paytill-backend till revoke STORE TILL",
            "停用不再使用的收银台：paytill-backend till revoke 门店 收银台"
        ),
    )
}
