//! Errors of the operating system in words: why a file, a port or a device cannot be used.

use std::io::{Error, ErrorKind};

use crate::language::{Language, Text};

/// Linux errors that have no [`ErrorKind`] of their own.
const EIO: i32 = 5;
const ENXIO: i32 = 6;
const ENODEV: i32 = 19;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ELOOP: i32 = 40;

/// Why it failed; in the system's own words for English readers and for rare causes.
pub fn words(error: &Error, language: Language) -> String {
    match (language, chinese(error)) {
        (Language::Chinese, Some(words)) => words.to_owned(),
        (Language::Chinese, None) | (Language::English, _) => error.to_string(),
    }
}

/// The same in all languages.
pub fn text(error: &Error) -> Text {
    Text::each(|language| words(error, language))
}

fn chinese(error: &Error) -> Option<&'static str> {
    match error.raw_os_error() {
        Some(EIO) => return Some("读写出错"),
        Some(ENXIO | ENODEV) => return Some("没有该设备"),
        Some(ENFILE | EMFILE) => return Some("打开的文件过多"),
        Some(ELOOP) => return Some("符号链接过多或不允许使用"),
        Some(_) | None => {}
    }
    Some(match error.kind() {
        ErrorKind::NotFound => "文件或目录不存在",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::AlreadyExists => "文件已存在",
        ErrorKind::IsADirectory => "这是目录，不是文件",
        ErrorKind::NotADirectory => "路径中有一段不是目录",
        ErrorKind::DirectoryNotEmpty => "目录不为空",
        ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        ErrorKind::StorageFull => "磁盘已满",
        ErrorKind::QuotaExceeded => "磁盘配额已用完",
        ErrorKind::FileTooLarge => "文件超过大小限制",
        ErrorKind::InvalidFilename => "文件名无效或过长",
        ErrorKind::ResourceBusy => "正被占用",
        ErrorKind::OutOfMemory => "内存不足",
        ErrorKind::WouldBlock => "系统资源暂时不足",
        ErrorKind::TimedOut => "超时",
        ErrorKind::UnexpectedEof => "文件不完整",
        ErrorKind::WriteZero => "写入未完成",
        ErrorKind::BrokenPipe => "对方已关闭",
        ErrorKind::InvalidInput => "参数无效",
        ErrorKind::InvalidData => "内容无效",
        ErrorKind::Unsupported => "系统不支持此操作",
        ErrorKind::AddrInUse => "地址已被占用",
        ErrorKind::AddrNotAvailable => "本机没有这个地址",
        ErrorKind::ConnectionRefused => "连接被拒绝",
        ErrorKind::ConnectionReset => "连接被中断",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "网络不通",
        ErrorKind::NetworkDown => "网络已断开",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_shown_in_chinese_and_what_is_rare_in_its_own_words() {
        const ENOENT: i32 = 2;
        const ENOSPC: i32 = 28;
        const EROFS: i32 = 30;
        for (number, words_for_it) in [
            (ENOENT, "文件或目录不存在"),
            (EIO, "读写出错"),
            (EMFILE, "打开的文件过多"),
            (ENOSPC, "磁盘已满"),
            (EROFS, "文件系统只读"),
            (ELOOP, "符号链接过多或不允许使用"),
        ] {
            let error = Error::from_raw_os_error(number);
            assert_eq!(words(&error, Language::Chinese), words_for_it);
            assert!(words(&error, Language::English).ends_with(&format!("(os error {number})")));
        }
        let rare = Error::other("only this says what it is");
        assert_eq!(words(&rare, Language::Chinese), "only this says what it is");
    }
}
