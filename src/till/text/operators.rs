//! What is said of the operators: on the command line, and why their list cannot be used.

use super::system;
use crate::language::Text;
use crate::operators::{MOST, NAME_CELLS, NotAPin, OperatorsError, Role};
use crate::{both, catalogue};
use paytill_host::config::secret::SecretFault;

catalogue! {
    /// What `paytill operators` says.
    pub struct OperatorsWords;
    pin => "PIN (4 to 12 digits): ", "密码（4 至 12 位数字）：";
    pin_again => "The same PIN again: ", "再次输入密码：";
    your_pin => "Your PIN: ", "操作员密码：";
    manager_pin => "A manager's PIN: ", "店长密码：";
    added(name: &str, role: &str) => "{name} was added as {role}.", "已添加 {name}（{role}）。";
    removed(name: &str) => "{name} was removed.", "已删除 {name}。";
    first => "The till asks for a PIN from its next start on.", "收银机下次启动起需要登录。";
    out_soon =>
        "A till that runs no longer takes that PIN, and locks within two minutes if it was signed in with.",
        "该密码已失效；如仍以此操作员登录，收银机将在两分钟内自动锁定。";
    last => "Nobody is left: from its next start on the till asks for no PIN.",
        "已没有操作员，收银机下次启动起不再需要登录。";
    nobody => "There are no operators: nobody signs in.", "没有设置操作员，无需登录。";
    cashier => "cashier", "收银员";
    manager => "manager", "店长";
}

impl OperatorsWords {
    /// The word of a role.
    pub const fn role(self, role: Role) -> &'static str {
        match role {
            Role::Cashier => self.cashier(),
            Role::Manager => self.manager(),
        }
    }
}

/// Why something cannot be a PIN. It is not repeated.
pub fn not_a_pin(why: NotAPin) -> Text {
    match why {
        NotAPin::Length => both!("a PIN has 4 to 12 digits", "密码必须是 4 至 12 位数字"),
        NotAPin::NotDigits => both!("a PIN has digits only", "密码只能是数字"),
        NotAPin::Obvious => both!(
            "anybody would try that PIN first; choose digits without a pattern",
            "这个密码太容易猜到，请勿使用重复、连续等有规律的数字"
        ),
    }
}

/// The two were not the same.
pub fn pins_differ() -> Text {
    both!("the two PINs differ; nothing was changed", "两次输入的密码不一致，未作更改")
}

/// Nobody has it.
pub fn nobodys_pin() -> Text {
    both!("that is nobody's PIN; nothing was changed", "密码不正确，未作更改")
}

/// Whoever it was, it is not for them.
pub fn not_a_manager() -> Text {
    both!("that is no manager's PIN; nothing was changed", "不是店长的密码，未作更改")
}

/// Why the list cannot be used or changed.
pub fn failure(error: &OperatorsError) -> Text {
    match error {
        OperatorsError::Unsafe(fault) => unsafe_file(fault),
        OperatorsError::Broken(path) => {
            let path = path.display();
            both!(
                "{path} is not as paytill operators has written it; bring back a copy, or remove it \
                 and add the operators again",
                "{path} 已不是 paytill operators 写入的内容；请恢复备份，或删除后重新添加操作员"
            )
        }
        OperatorsError::NotWritten(path, why) => {
            let path = path.display();
            both!("{path} cannot be written", "无法写入 {path}").because(&system::text(why))
        }
        OperatorsError::NoRandomness => {
            both!("the system gives no random numbers", "系统没有提供随机数")
        }
        OperatorsError::NotAName => both!(
            "a name has something to read and at most {NAME_CELLS} cells, and no signs that control a \
             terminal",
            "姓名不能为空，最长 {NAME_CELLS} 格（一个汉字占 2 格），且不能含控制字符"
        ),
        OperatorsError::NameTaken(name) => both!(
            "{name} is an operator already; to change the PIN, remove and add again",
            "{name} 已是操作员；如需更换密码，请删除后重新添加"
        ),
        OperatorsError::PinTaken => {
            both!("that PIN cannot be used; choose another one", "这个密码不能使用，请换一个")
        }
        OperatorsError::TooMany => {
            both!("a till has at most {MOST} operators", "操作员最多 {MOST} 位")
        }
        OperatorsError::Unknown(name) => both!(
            "there is no operator {name}; `paytill operators list` names them",
            "没有操作员 {name}；可用 paytill operators list 查看"
        ),
        OperatorsError::LastManager(name) => both!(
            "{name} is the last manager, and there are cashiers; add another manager first",
            "{name} 是最后一位店长，而仍有收银员；请先添加另一位店长"
        ),
        OperatorsError::ManagerFirst => both!(
            "the first operator must be a manager: --role manager",
            "第一位操作员必须是店长：--role manager"
        ),
    }
}

/// The file, or where it is, does not keep to the rules.
fn unsafe_file(fault: &SecretFault) -> Text {
    let what = both!("the list of operators is not used", "无法使用操作员名单");
    what.because(&match fault {
        SecretFault::ReadableByOthers { file } | SecretFault::WritableByOthers { file } => both!(
            "group or others can get at {file}; run: chmod 600 {file}",
            "同组或其他用户可以访问 {file}；请运行：chmod 600 {file}"
        ),
        SecretFault::NotOurs(file) => both!(
            "{file} belongs to another user; run: chown $(id -un) {file}",
            "{file} 属于其他用户；请运行：chown $(id -un) {file}"
        ),
        SecretFault::FolderWritable { folder } => both!(
            "group or others can exchange the file, since they can write to {folder}; run: chmod go-w \
             {folder}",
            "同组或其他用户可以写入 {folder}，从而替换该文件；请运行：chmod go-w {folder}"
        ),
        SecretFault::FolderNotOurs { folder } => {
            both!("{folder} belongs to another user", "{folder} 属于其他用户")
        }
        SecretFault::NotAFile(file, _) => both!(
            "{file} is no regular file; a link or a device is not followed",
            "{file} 不是普通文件；不能是链接或设备"
        ),
        SecretFault::Unreadable(file, error) => {
            both!("{file}", "{file}").because(&system::text(error))
        }
        other => other.text(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::language::Language;
    use crate::text::is_chinese;

    #[test]
    fn every_failure_is_a_sentence_in_both_languages() {
        let path = || Path::new("/mnt/operators.toml").to_owned();
        let file = || "/mnt/operators.toml".to_owned();
        let name = || "Anna".to_owned();
        let full = || std::io::Error::from_raw_os_error(28);
        let failures = [
            OperatorsError::Unsafe(SecretFault::ReadableByOthers { file: file() }),
            OperatorsError::Unsafe(SecretFault::NotOurs(file())),
            OperatorsError::Unsafe(SecretFault::FolderWritable { folder: file() }),
            OperatorsError::Unsafe(SecretFault::FolderNotOurs { folder: file() }),
            OperatorsError::Unsafe(SecretFault::NotAFile(file(), None)),
            OperatorsError::Unsafe(SecretFault::Unreadable(file(), full())),
            OperatorsError::Broken(path()),
            OperatorsError::NotWritten(path(), full()),
            OperatorsError::NoRandomness,
            OperatorsError::NotAName,
            OperatorsError::NameTaken(name()),
            OperatorsError::PinTaken,
            OperatorsError::TooMany,
            OperatorsError::Unknown(name()),
            OperatorsError::LastManager(name()),
            OperatorsError::ManagerFirst,
        ];
        let pins = [NotAPin::Length, NotAPin::NotDigits, NotAPin::Obvious].map(not_a_pin);
        for text in failures.iter().map(failure).chain(pins).chain([pins_differ(), not_a_manager()])
        {
            assert!(!text.in_language(Language::English).chars().any(is_chinese), "{text:?}");
            assert!(text.in_language(Language::Chinese).chars().any(is_chinese), "{text:?}");
        }
    }
}
