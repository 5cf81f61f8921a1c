//! What `paytill enroll` says.

use crate::language::Text;
use crate::{both, catalogue};

catalogue! {
    /// What it says to whoever is at the terminal.
    pub struct EnrollWords;
    comparison(value: &str) => "Comparison value: {value}", "核对码：{value}";
    is_it_the_same => "Is it the same as in the backend's list (paytill-backend till list)? [y/N] ",
        "与商户后台列表（paytill-backend till list）中的核对码是否相同？[y/N] ";
    done(till: &str, merchant: &str) =>
        "This till is registered as {till} of {merchant}.", "这台收银机已登记为 {merchant} 的 {till}。";
    add_this => "Put this into the configuration:", "请在配置文件中加入：";
    set_till(till: &str) =>
        "Set till.id = \"{till}\": the backend knows this till by that id.",
        "请设置 till.id = \"{till}\"：商户后台以此编号识别这台收银机。";
    set_ca(file: &str) =>
        "Set gateway.backend.ca_file to {file}: the backend's certificate is of its own making.",
        "请把 gateway.backend.ca_file 设为 {file}：商户后台使用自签证书。";
}

/// What was typed is not a code.
pub fn no_code() -> Text {
    both!(
        "the code is 8 groups of 4 digits, as paytill-backend till add prints it",
        "登记码是 8 组 4 位数字，由 paytill-backend till add 显示"
    )
}

/// Nor an address.
pub fn no_url() -> Text {
    both!(
        "the address is https://host or https://host:port",
        "地址应为 https://主机 或 https://主机:端口"
    )
}

/// A key is never replaced.
pub fn is_there(file: &str) -> Text {
    both!(
        "{file} is there already: this till may be registered; move the file away to register it anew",
        "{file} 已存在：这台收银机可能已经登记；如需重新登记，请先移走该文件"
    )
}

/// Nothing came of it.
pub fn not_registered() -> Text {
    both!("the till was not registered", "收银机未能登记")
}

/// A proved answer with names that no till has.
pub fn odd_answer() -> Text {
    both!(
        "the till was not registered: the backend's answer cannot be used",
        "收银机未能登记：无法使用商户后台的答复"
    )
}

/// The till would take the backend's amounts for its own currency.
pub fn other_currency(theirs: &str, ours: &str) -> Text {
    both!(
        "nothing was written: the backend is for {theirs}, but till.currency is {ours}",
        "未写入任何文件：商户后台使用 {theirs}，而 till.currency 是 {ours}"
    )
}

/// Somebody may be in between.
pub fn not_the_same() -> Text {
    both!(
        "nothing was written: ask for a new code, and find out who answers at that address",
        "未写入任何文件：请重新申请登记码，并查明该地址由谁应答"
    )
}

/// A file could not be written.
pub fn not_written(file: &str) -> Text {
    both!("{file} cannot be written, so none was", "无法写入 {file}，未写入任何文件")
}
