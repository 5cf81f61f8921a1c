//! Why a secret cannot be used, in words that end with what mends it.

use paytill_core::language::{Language, Text};
use paytill_core::text::system;
use paytill_core::{both, say};

/// Length of an `APIv2` key in characters (protocol 1.3).
pub(super) const API_KEY_LENGTH: usize = 32;

/// A command for a shell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command(pub String);

/// A character that no `APIv2` key has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Odd {
    Blank,
    LineEnd,
    Wide,
    Invisible,
    Other,
}

impl Odd {
    /// What it is, and never which one it is.
    const fn name(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::Blank => ("a blank", "空格"),
            Self::LineEnd => ("a line end", "换行"),
            Self::Wide => ("a full-width character", "全角字符"),
            Self::Invisible => ("one that cannot be seen", "不可见字符"),
            Self::Other => ("not ASCII", "非 ASCII 字符"),
        };
        language.pick(english, chinese)
    }
}

/// Why a secret cannot be used. Files are named as they can be pasted into a shell command.
#[derive(Debug)]
pub enum SecretFault {
    Missing(String),
    /// A link, a device or the like: neither is followed or read. A link may lead to a file.
    NotAFile(String, Option<String>),
    Unreadable(String, std::io::Error),
    /// Larger than this many KiB.
    TooLarge(String, usize),
    ReadableByOthers {
        file: String,
    },
    /// Others could change what it says.
    WritableByOthers {
        file: String,
    },
    /// It belongs to another user.
    NotOurs(String),
    /// Others could put another file in its place.
    FolderWritable {
        folder: String,
    },
    /// Its owner could put another file in its place.
    FolderNotOurs {
        folder: String,
    },
    /// An `APIv2` key that has this many characters or an odd one, and what would mend its file.
    NotAKey {
        length: usize,
        odd: Option<(usize, Odd)>,
        run: Option<Command>,
    },
    /// Not one line with a name, a colon and a password.
    NotALogin(String),
    /// Text in another encoding than UTF-8, and what would mend its file.
    Encoding(Option<Command>),
    NoCertificate(String),
    KeyBesideCertificate(String),
    /// The certificate's file holds a private key.
    KeyForCertificate(String),
    /// Each holds what the other should.
    Swapped {
        certificate: String,
        key: String,
    },
    NoPrivateKey(String),
    EncryptedKey(String, Command),
    /// Certificate and key in one, encrypted, and what takes it apart.
    Pkcs12(String, Command),
    /// Not PEM, but the same in binary.
    Binary(String, Command),
    /// It is not the key of the certificate.
    Mismatch(String),
}

impl SecretFault {
    /// The end of a sentence that begins with the configuration's key.
    pub fn text(&self) -> Text {
        match self {
            Self::Missing(file) => {
                both!("names {file}, which does not exist", "指定的 {file} 不存在")
            }
            Self::NotAFile(file, None) => both!(
                "names {file}, which is not a regular file; a link or a device is not followed",
                "指定的 {file} 不是普通文件；不能是链接或设备"
            ),
            Self::NotAFile(file, Some(target)) => both!(
                "names {file}, which is not a regular file but a link; name {target} itself",
                "指定的 {file} 不是普通文件，而是链接；请直接写 {target}"
            ),
            Self::Unreadable(file, error) => {
                both!("names {file}, which cannot be read", "指定的 {file} 无法读取")
                    .because(&system::text(error))
            }
            Self::TooLarge(file, most) => both!(
                "names {file}, which is larger than {most} KiB",
                "指定的 {file} 超过 {most} KiB"
            ),
            Self::ReadableByOthers { file } => both!(
                "names {file}, which others than its owner can read; run: chmod 600 {file}",
                "指定的 {file} 可被其他用户读取；请运行：chmod 600 {file}"
            ),
            Self::WritableByOthers { file } => both!(
                "names {file}, which others than its owner can change; run: chmod go-w {file}",
                "指定的 {file} 可被其他用户修改；请运行：chmod go-w {file}"
            ),
            Self::NotOurs(file) => both!(
                "names {file}, which belongs to another user; it must be yours or root's",
                "指定的 {file} 属于其他用户；必须属于您或 root"
            ),
            Self::FolderWritable { folder } => both!(
                "names a file in {folder}, where others than its owner can write; run: chmod go-w \
                 {folder}",
                "指定的文件在 {folder} 中，其他用户可写入该目录；请运行：chmod go-w {folder}"
            ),
            Self::FolderNotOurs { folder } => both!(
                "names a file in {folder}, a folder of another user; it must be yours or root's",
                "指定的文件在 {folder} 中，该目录属于其他用户；必须属于您或 root"
            ),
            Self::NotAKey { length, odd, run } => not_a_key(*length, *odd, run.as_ref()),
            Self::NotALogin(file) => both!(
                "names {file}, which is not one line like name:password",
                "指定的 {file} 不是一行“用户名:密码”"
            ),
            Self::Encoding(run) => and_run(
                &both!(
                    "is not text in UTF-8; write it again as plain text",
                    "不是 UTF-8 文本；请重新存为纯文本"
                ),
                run.as_ref(),
            ),
            Self::NoCertificate(file) => both!(
                "names {file}, which holds no certificate in PEM form",
                "指定的 {file} 中没有 PEM 格式的证书"
            ),
            Self::KeyBesideCertificate(file) => both!(
                "names {file}, which also holds a private key; a certificate is not secret, so \
                 keep them apart",
                "指定的 {file} 中还有私钥；证书不是机密，请把两者分开存放"
            ),
            Self::KeyForCertificate(file) => both!(
                "names {file}, which holds a private key and no certificate; that one is usually \
                 called apiclient_cert.pem",
                "指定的 {file} 中是私钥，没有证书；证书文件通常名为 apiclient_cert.pem"
            ),
            Self::Swapped { certificate, key } => both!(
                "names {certificate}, which is the private key, and client_key_file names {key}, \
                 which is the certificate; swap the two names",
                "指定的 {certificate} 是私钥，而 client_key_file 指定的 {key} 是证书；请把两个文件名\
                 对调"
            ),
            Self::NoPrivateKey(file) => both!(
                "names {file}, which holds no private key in PEM form that can be used",
                "指定的 {file} 中没有可用的 PEM 格式私钥"
            ),
            Self::EncryptedKey(file, Command(run)) => both!(
                "names {file}, which is encrypted with a password; run: {run} (it asks for the \
                 password, at first the merchant number), and name the new file",
                "指定的 {file} 带密码加密；请运行：{run} （会询问密码，初始为商户号），再改用新文件"
            ),
            Self::Pkcs12(file, Command(run)) => both!(
                "names {file}, a PKCS#12 file (.p12): certificate and key in one, encrypted; run: \
                 {run} (the password is at first the merchant number; if it is unsupported, add \
                 -legacy), and name the two new files",
                "指定的 {file} 是 PKCS#12 文件（.p12），证书和私钥合在一起且已加密；请运行：{run} \
                 （密码初始为商户号；如提示 unsupported，请加 -legacy），再改用这两个新文件"
            ),
            Self::Binary(file, Command(run)) => both!(
                "names {file}, which is in binary form (DER) and not PEM; run: {run} and name the \
                 new file",
                "指定的 {file} 是二进制格式（DER），不是 PEM；请运行：{run} 再改用新文件"
            ),
            Self::Mismatch(file) => both!(
                "names {file}, which is not the key of the certificate in client_cert_file",
                "指定的 {file} 与 client_cert_file 中的证书不匹配"
            ),
        }
    }
}

fn not_a_key(length: usize, odd: Option<(usize, Odd)>, run: Option<&Command>) -> Text {
    let sentence = Text::each(|language| {
        let must = say!(
            language,
            "must be {API_KEY_LENGTH} printable ASCII characters without spaces",
            "必须是 {API_KEY_LENGTH} 个可显示的 ASCII 字符，不含空格"
        );
        match odd.map(|(at, odd)| (at, odd.name(language))) {
            None if length == 0 => say!(language, "{must}; there is none", "{must}；现在是空的"),
            None => say!(language, "{must}; these are {length}", "{must}；现在是 {length} 个"),
            Some((at, odd)) => say!(
                language,
                "{must}; these are {length}, and number {at} is {odd}",
                "{must}；现在是 {length} 个，其中第 {at} 个是{odd}"
            ),
        }
    });
    and_run(&sentence, run)
}

fn and_run(sentence: &Text, run: Option<&Command>) -> Text {
    let Some(Command(run)) = run else { return sentence.clone() };
    Text::each(|language| {
        let sentence = sentence.in_language(language);
        say!(language, "{sentence}; run: {run}", "{sentence}；请运行：{run}")
    })
}
