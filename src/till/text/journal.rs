//! Why the journal cannot be used, in words for the owner.

use std::io::Error;

use super::system;
use crate::journal::{DiskFault, JournalError, KeyFault, Migrated};
use crate::language::{Language, Text};
use crate::say;

/// The sentence in every language.
pub fn text(error: &JournalError) -> Text {
    Text::new(error.to_string(), chinese(error))
}

/// The sentence in a language.
pub fn sentence(error: &JournalError, language: Language) -> String {
    text(error).in_language(language).to_owned()
}

/// The disk has not taken in time what had to be written down before a slip is printed.
pub const fn no_answer(language: Language) -> &'static str {
    language.pick(
        "the disk does not answer, and what is not noted is not printed",
        "磁盘没有响应；未能登记的小票不会打印",
    )
}

/// That an older journal is about to be brought to this version's format.
pub fn migrates(what: &Migrated, language: Language) -> String {
    let Migrated { journal, from, to, copy } = what;
    let journal = journal.display();
    match copy.as_ref().map(|copy| copy.display()) {
        Some(copy) => say!(
            language,
            "the journal {journal} is brought from format {from} to format {to}: first a verified \
             copy is kept as {copy}. A large journal takes some minutes; please wait",
            "正在将交易记录 {journal} 从格式 {from} 升级到格式 {to}：先校验并保存副本 {copy}。记录较多时需要几分钟，\
             请稍候"
        ),
        None => say!(
            language,
            "the journal {journal} is brought from format {from} to format {to}; please wait",
            "正在将交易记录 {journal} 从格式 {from} 升级到格式 {to}，请稍候"
        ),
    }
}

/// That an older journal was brought to this version's format.
pub fn migrated(done: &Migrated, language: Language) -> String {
    let Migrated { journal, from, to, copy } = done;
    let journal = journal.display();
    let what = say!(
        language,
        "the journal {journal} was brought from format {from} to format {to}; older versions of \
         paytill cannot read it any more",
        "交易记录 {journal} 已从格式 {from} 升级到格式 {to}，旧版本的 paytill 不能再读取"
    );
    let Some(copy) = copy.as_ref().map(|copy| copy.display()) else { return what };
    let kept = say!(
        language,
        ". A verified copy of it as it was is {copy}; it opens with the same key",
        "；升级前的副本已校验并保存为 {copy}，用同一密钥打开"
    );
    what + &kept
}

fn chinese(error: &JournalError) -> String {
    let disk = || error.disk_fault().map(disk_fault);
    match error {
        JournalError::Held(path) => {
            format!("交易记录 {} 正由另一个 paytill 使用，请先关闭它", path.display())
        }
        JournalError::Damaged { path, what } => format!(
            "交易记录 {} 已损坏（{}）；未扣款，文件也未改动。请将它连同旁边的文件一起移走，\
             留给技术支持，然后重新启动，或恢复备份",
            path.display(),
            what.in_language(Language::Chinese)
        ),
        JournalError::FoundDamaged { path, what } => format!(
            "运行中发现交易记录 {} 已损坏（{}）；不再收款，也不再写入。请关闭 paytill，将记录连同旁边的文件\
             一起移走，留给技术支持，然后重新启动，或恢复备份",
            path.display(),
            what.in_language(Language::Chinese)
        ),
        JournalError::Alone(path) => format!(
            "交易记录 {path} 上次没有正常关闭，旁边又缺少 {path}.head，可能少了最近的收款；没有提交任何请求，\
             文件也未改动。请从上次使用的位置将 {path}、{path}-wal、{path}.head 和 {path}.key 一起复制过来，再重新启动；\
             如已丢失，请将它移走，留给技术支持，然后重新启动",
            path = path.display()
        ),
        JournalError::NoFile(path) => format!(
            "{} 是链接、管道或设备，不是文件；请将其移走或更改 journal.path，然后重新启动",
            path.display()
        ),
        JournalError::Key { path, key, fault } => format!(
            "没有打开交易记录 {}，没有提交任何请求，文件也未改动：其密钥文件 {} {}，然后重新启动",
            path.display(),
            key.display(),
            key_fault(fault)
        ),
        JournalError::Foreign(path) => {
            format!("{} 不是 paytill 的交易记录；请更改 journal.path 或移走该文件", path.display())
        }
        JournalError::Linked(path) => format!(
            "交易记录 {} 还有另一个名称（硬链接）；请删除该链接，或复制一份再启动：以两个名称打开会写成\
             两份记录",
            path.display()
        ),
        JournalError::Older { path, format } => format!(
            "交易记录 {} 由旧版本的 paytill 写入（格式 {format}），本版本不能读取；请将它连同旁边的文件\
             一起移走，然后重新启动",
            path.display()
        ),
        JournalError::Newer { path, format } => format!(
            "交易记录 {} 由更新版本的 paytill 写入（格式 {format}）；请安装该版本",
            path.display()
        ),
        JournalError::NotKept { path, format, copy, source } => format!(
            "交易记录 {} 由旧版本的 paytill 写入（格式 {format}），升级前须先保存副本，但未能写入 {}：{}。\
             未扣款，记录也未改动；请检查目录和剩余空间，然后重新启动",
            path.display(),
            copy.display(),
            system_words(source)
        ),
        JournalError::Unusable { path, source } => format!(
            "无法打开交易记录 {}：{}；请检查目录的权限和剩余空间",
            path.display(),
            disk().map_or_else(|| system_words(source), str::to_owned)
        ),
        JournalError::NoLog(path) => {
            format!(
                "无法打开交易记录 {}：该文件系统不支持预写日志；请放到本地磁盘上",
                path.display()
            )
        }
        JournalError::Write(error) => format!(
            "无法保存交易记录：{}；请腾出磁盘空间或检查磁盘，然后重新启动",
            disk().map_or_else(|| error.to_string(), str::to_owned)
        ),
        JournalError::Stopped => "交易记录此前已出错；重新启动前不再写入".to_owned(),
        JournalError::Ended => "保存交易记录的线程已结束；重新启动前不再写入".to_owned(),
        JournalError::Encode(error) => format!("交易记录无法编码：{error}"),
    }
}

fn system_words(error: &Error) -> String {
    system::words(error, Language::Chinese)
}

/// What is wrong with a key, after its name.
pub fn key_fault_text(fault: &KeyFault, language: Language) -> String {
    match language {
        Language::English => fault.to_string(),
        Language::Chinese => key_fault(fault),
    }
}

/// What is wrong with the key's file, and what to do before the next start.
fn key_fault(fault: &KeyFault) -> String {
    match fault {
        KeyFault::Missing => {
            "不存在；请从上次使用的位置复制过来，或在 journal.key_file 中指定其位置；\
                              如已丢失，请将交易记录连同旁边的文件一起移走，留给技术支持"
                .to_owned()
        }
        KeyFault::Foreign => "属于另一份交易记录；请将与本记录一同生成的密钥复制到该处，或在 \
                              journal.key_file 中指定其位置"
            .to_owned(),
        KeyFault::Spoilt => "的内容不是一行 64 位十六进制数字；请从完好的副本重新复制".to_owned(),
        KeyFault::Open => "可被他人读取；请设为仅收银用户可读写（chmod 600）".to_owned(),
        KeyFault::NotOurs => "属于其他用户；请将它改归收银用户所有（chown）".to_owned(),
        KeyFault::Folder(folder) => format!(
            "所在目录 {} 可被他人改动；请设为仅收银用户可写（chmod go-w），或更改 journal.key_file",
            folder.display()
        ),
        KeyFault::NoFile => "是链接或不是普通文件；请将密钥文件本身放到该处".to_owned(),
        KeyFault::Unreadable(error) => {
            format!("无法读取：{}；请检查文件和目录的权限", system_words(error))
        }
        KeyFault::NotMade(error) => {
            format!("无法生成：{}；请检查目录的权限和剩余空间", system_words(error))
        }
    }
}

const fn disk_fault(fault: DiskFault) -> &'static str {
    match fault {
        DiskFault::Full => "磁盘已满",
        DiskFault::ReadOnly => "文件或磁盘只读",
        DiskFault::Io => "磁盘读写出错",
        DiskFault::Corrupt => "文件内容已损坏",
        DiskFault::CannotOpen => "文件不存在或没有权限",
        DiskFault::Busy => "正被其他程序占用",
        DiskFault::OutOfMemory => "内存不足",
        DiskFault::TooLarge => "内容过大",
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::ffi;

    use super::*;
    use crate::both;

    fn of_sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_failure_is_a_sentence_in_both_languages_with_the_same_place() {
        const ENOSPC: i32 = 28;
        let path = || PathBuf::from("/srv/journal.sqlite");
        let unusable = |source| JournalError::Unusable { path: path(), source };
        let not_json = serde_json::from_str::<i32>("x").unwrap_err();
        let of_key = |fault| JournalError::Key { path: path(), key: "/keys/till".into(), fault };
        let failures = [
            of_key(KeyFault::Missing),
            of_key(KeyFault::Foreign),
            of_key(KeyFault::Spoilt),
            of_key(KeyFault::Open),
            of_key(KeyFault::NotOurs),
            of_key(KeyFault::Folder("/keys".into())),
            of_key(KeyFault::NoFile),
            of_key(KeyFault::Unreadable(Error::from_raw_os_error(13))),
            of_key(KeyFault::NotMade(Error::from_raw_os_error(ENOSPC))),
            JournalError::Held(path()),
            JournalError::Damaged {
                path: path(), what: both!("its first bytes", "文件开头不对")
            },
            JournalError::FoundDamaged {
                path: path(),
                what: both!("its first bytes", "文件开头不对"),
            },
            JournalError::Alone(path()),
            JournalError::NoFile(path()),
            JournalError::Foreign(path()),
            JournalError::Linked(path()),
            JournalError::Older { path: path(), format: 99 },
            JournalError::Newer { path: path(), format: 99 },
            JournalError::NotKept {
                path: path(),
                format: 3,
                copy: path(),
                source: Error::from_raw_os_error(ENOSPC),
            },
            unusable(Error::from_raw_os_error(ENOSPC)),
            unusable(Error::other(of_sqlite(ffi::SQLITE_CANTOPEN))),
            JournalError::NoLog(path()),
            JournalError::Write(of_sqlite(ffi::SQLITE_FULL)),
            JournalError::Stopped,
            JournalError::Ended,
            JournalError::Encode(not_json),
        ];
        for failure in failures {
            let (english, chinese) = (failure.to_string(), sentence(&failure, Language::Chinese));
            assert_eq!(sentence(&failure, Language::English), english);
            assert_eq!(text(&failure), Text::new(english.clone(), chinese.clone()));
            assert!(!english.chars().any(crate::text::is_chinese), "{english}");
            assert!(chinese.chars().any(crate::text::is_chinese), "{chinese}");
            for fact in ["/srv/journal.sqlite", "99", "/keys/till", "journal.key_file", "chmod"] {
                assert_eq!(english.contains(fact), chinese.contains(fact), "{chinese}");
            }
            assert!(!chinese.contains("os error") && !chinese.contains("unable to"), "{chinese}");
        }
    }

    #[test]
    fn what_the_disk_did_is_said_in_words() {
        for (code, words) in [
            (ffi::SQLITE_FULL, "磁盘已满"),
            (ffi::SQLITE_IOERR, "磁盘读写出错"),
            (ffi::SQLITE_READONLY, "只读"),
            (ffi::SQLITE_CORRUPT, "已损坏"),
            (ffi::SQLITE_BUSY, "占用"),
        ] {
            for failure in [
                JournalError::Write(of_sqlite(code)),
                JournalError::Unusable {
                    path: PathBuf::from("/srv/journal.sqlite"),
                    source: Error::other(of_sqlite(code)),
                },
            ] {
                let shown = sentence(&failure, Language::Chinese);
                assert!(shown.contains(words), "{shown}");
            }
        }
    }
}
