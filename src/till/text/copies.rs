//! What is said of copies of the journal.

use std::path::Path;

use super::{journal, system};
use crate::journal::BackupError;
use crate::language::{Language, Text};
use crate::{both, catalogue};

catalogue! {
    /// What `paytill backup` says of a copy that it has verified.
    pub struct CopyWords;
    copied(file: &str, orders: i64, entries: i64) =>
        "{file} is a complete copy of the journal, opened and verified (orders: {orders}, entries: {entries})",
        "{file} 是完整的交易记录副本，已打开并逐条校验（订单 {orders} 笔，记录 {entries} 条）";
    ends(entry: i64, seal: &str, number: &str) =>
        "it ends with entry {entry}, order {number}, seal {seal}",
        "最后一条是第 {entry} 条记录（订单 {number}），校验码：{seal}";
    keep(file: &str, mirror: &str) =>
        "Keep {file} and {mirror} together, on another disk than the journal's.",
        "请将 {file} 和 {mirror} 放在一起，并保存在另一块磁盘上。";
    key(key: &str) =>
        "The copy opens only with the journal's key, which is not in it. Keep a copy of {key} \
         somewhere else.",
        "副本中没有密钥，而打开副本必须有它：请另外保存一份 {key}，不要与副本放在一起。";
}

/// How many digits of a digest are compared by eye, in groups of four.
const DIGITS: usize = 16;

/// What people note of a digest.
pub fn seal(digest: &str) -> String {
    let digits: Vec<char> = digest.chars().take(DIGITS).collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// There is nothing to copy.
pub fn no_journal(path: &Path) -> Text {
    let path = path.display();
    both!(
        "no copy was made: there is no journal yet at {path}",
        "没有生成副本：{path} 还没有交易记录"
    )
}

/// Why there is no copy.
pub fn failure(error: &BackupError) -> Text {
    let chinese = match error {
        BackupError::Exists(path) => {
            format!("{} 已存在，不会覆盖；请换一个名称", path.display())
        }
        BackupError::Folder(path) => {
            format!("{} 是目录；请指定副本的文件名", path.display())
        }
        BackupError::OfTheJournal(path) => {
            format!("{} 是交易记录自身文件的名称；请换一个名称", path.display())
        }
        BackupError::File { path, source } => format!(
            "未能在 {} 生成副本：{}；请检查目录、权限和剩余空间",
            path.display(),
            system::words(source, Language::Chinese)
        ),
        BackupError::Differs { path, what } => format!(
            "未能在 {} 生成副本：写到磁盘上的内容与交易记录不符（{}）。交易记录本身完好；请改用另一块磁盘",
            path.display(),
            what.in_language(Language::Chinese)
        ),
        BackupError::Journal(error) => return journal::text(error),
    };
    Text::new(error.to_string(), chinese)
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;

    #[test]
    fn every_failure_is_a_sentence_in_both_languages_with_the_same_place() {
        let path = || Path::new("/mnt/copy").to_owned();
        for error in [
            BackupError::Exists(path()),
            BackupError::Folder(path()),
            BackupError::OfTheJournal(path()),
            BackupError::File { path: path(), source: Error::from_raw_os_error(28) },
            BackupError::Differs { path: path(), what: both!("its end", "末尾不同") },
        ] {
            let text = failure(&error);
            let [english, chinese] =
                [Language::English, Language::Chinese].map(|language| text.in_language(language));
            for said in [english, chinese] {
                assert!(said.contains("/mnt/copy"), "{said}");
            }
            assert!(!english.chars().any(super::super::is_chinese), "{english}");
            assert!(chinese.chars().any(super::super::is_chinese), "{chinese}");
        }
    }
}
