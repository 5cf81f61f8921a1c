//! What an evidence file says of itself, and what its check finds.

use std::path::Path;

use super::journal::key_fault_text;
use crate::clean::clean;
use crate::journal::KeyFault;
use crate::language::{Language, Text};
use crate::{both, catalogue, say};

catalogue! {
    /// What `paytill evidence` says.
    pub struct EvidenceWords;
    written(file: &str, number: &str) =>
        "{file} has the evidence of order {number}.",
        "订单 {number} 的凭证已写入 {file}。";
    without_key =>
        "What was done is proved only where the journal's key is: `paytill evidence --verify` checks \
         the file there. The key is not in it.",
        "只有在存有交易记录密钥的收银机上，paytill evidence --verify 才能证实其内容；文件中不含密钥。";
    is_whole(file: &str, number: &str, status: &str, amount: &str) =>
        "{file}: nothing was changed. Order {number}, {amount}: {status}",
        "{file}：没有改动。订单 {number}，{amount}：{status}";
    proved(entries: usize, last: i64, seal: &str) =>
        "proved with the journal's key: all entries of this order ({entries}) are as the till wrote \
         them, and where it wrote them; from the first of them on the journal was verified, to entry \
         {last}, seal {seal}",
        "已用交易记录的密钥证实：本单全部 {entries} 条记录都是收银机当时所写，位置无误；自第一条起，交易记录已核对到\
         第 {last} 条，校验码 {seal}";
    no_key =>
        "not proved: the journal's key is not here. The file is consistent in itself, but anybody \
         can make such a file",
        "未能证实：此处没有交易记录的密钥。文件自身一致，但这样的文件任何人都能编造";
    another_key =>
        "not proved: it was made with another key than the one here, such as another till's. The \
         file is consistent in itself, but anybody can make such a file",
        "未能证实：它所用的密钥与此处的不同，例如属于另一台收银机。文件自身一致，但这样的文件任何人都能编造";

    part_changed(part: &str) => "{part} was changed", "{part} 被改动";
    part_missing(part: &str) => "{part} was taken out", "{part} 被删去";
    part_added(part: &str) => "{part} was put in", "{part} 是后加的";
    line_changed(line: usize) => "line {line} was changed", "第 {line} 行被改动";
    digest_changed => "its digest, its seal or its list of parts was changed", "摘要、校验码或 parts 列表被改动";
    contradiction(part: &str) =>
        "{part} was changed together with the digests: it is not what the entries say",
        "{part} 连同摘要一起被改动：与记录本身不符";
    entry_changed(number: i64) =>
        "entry {number} was changed: the till did not write it so",
        "第 {number} 条记录被改动：收银机写下的不是这样";
    seal_changed =>
        "something was changed, put in or taken out together with the digests: the seal does not fit",
        "有内容连同摘要一起被改动、加入或删去：校验码不符";
}

/// What an evidence file shows and what it does not, in the file itself.
pub const fn shows(language: Language) -> &'static str {
    language.pick(
        "By itself this file shows only that it is consistent: whoever changes it can make its \
         digests anew. With the key of the journal that it was taken from, `paytill evidence --verify` \
         proves that each entry of this order is what the till wrote, at its place in the journal, and \
         that nothing was changed, put in or left out. The entries of other orders, up to the end of \
         the journal, are represented by their digests: a seal that `paytill doctor` printed, or a \
         copy of the journal, shows whether they are the same. Whoever has the key could make another \
         file. What the gateway answered is what the till received and had verified; the gateway's own \
         signatures are not kept.",
        "本文件单独只能表明自身一致：改动它的人可以重算其中的摘要。用所属交易记录的密钥运行 paytill evidence \
         --verify，可以证实本单的每条记录都是收银机当时所写，在交易记录中位置无误，没有改动、增加或遗漏。此后直到\
         交易记录末尾的其他订单只列出摘要，可与 paytill doctor 输出的校验码或交易记录的副本核对。持有密钥的人可以另做\
         一份文件。微信支付的答复是收银机收到并验证过的内容，其签名本身没有保存。",
    )
}

/// The file could not be made.
pub fn not_written(file: &Path) -> Text {
    let file = file.display();
    both!("no evidence was written to {file}", "未能写入凭证 {file}")
}

/// There is something of this name.
pub fn is_there(file: &Path) -> Text {
    let file = file.display();
    both!(
        "{file} is there already, and nothing is replaced; choose another name",
        "{file} 已存在，不会覆盖；请换一个名称"
    )
}

/// The file could not be read.
pub fn not_read(file: &Path) -> Text {
    let file = file.display();
    both!("{file} cannot be read", "无法读取 {file}")
}

/// Not such a file.
pub fn foreign(file: &Path) -> Text {
    let file = file.display();
    both!(
        "{file} is no evidence file of paytill, or nothing is left of one",
        "{file} 不是 paytill 的凭证文件，或已严重损坏"
    )
}

/// A file of a later version.
pub fn newer(file: &Path, format: &str) -> Text {
    let (file, format) = (file.display(), clean(format, 40));
    both!(
        "{file} was made by a newer paytill ({format}); check it with that version",
        "{file} 由更新版本的 paytill 生成（{format}）；请用该版本校验"
    )
}

/// The last word on a file that was changed.
pub fn changed(file: &Path) -> Text {
    let file = file.display();
    both!("{file} was changed and proves nothing", "{file} 被改动过，不能作为凭证")
}

/// The configured key cannot be used, and the check goes on without it.
pub fn key_unusable(fault: &KeyFault, language: Language) -> String {
    let why = key_fault_text(fault, language);
    say!(language, "the journal's key {why}", "交易记录的密钥{why}")
}
