//! Why a secret cannot be used, in words that end with what mends it.

use super::form::{API_KEY_LENGTH, Form, Odd};
use super::step::{Command, Step};
use paytill_core::language::Text;
use paytill_core::text::system;
use paytill_core::{both, say};

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
    /// An `APIv2` key that has this many characters or an odd one.
    NotAKey {
        length: usize,
        odd: Option<(usize, Odd)>,
        /// It is a text with one word that could be the key.
        is_note: bool,
        step: Option<Step>,
    },
    /// Not one line with a name, a colon and a password.
    NotALogin(String),
    /// Text in another encoding than UTF-8, and what would mend its file.
    Encoding(Option<Command>),
    /// What makes one of it if it is the merchant's.
    NoCertificate(String, Option<Step>),
    KeyBesideCertificate(String, Step),
    /// Each holds what the other should.
    Swapped {
        certificate: String,
        key: String,
        step: Step,
    },
    NoPrivateKey(String, Step),
    /// It is something else that a merchant has.
    OtherForm {
        file: String,
        form: Form,
        step: Step,
    },
    /// It is not the key of the certificate.
    Mismatch(String, Option<Step>),
}

impl SecretFault {
    /// Whether its step is one for certificate and key together.
    pub(super) const fn is_of_both(&self) -> bool {
        matches!(self, Self::OtherForm { form: Form::Zip | Form::ZipOfPkcs12 | Form::Pkcs12, .. })
    }

    /// The end of a sentence that begins with the configuration's key.
    pub fn text(&self) -> Text {
        let sentence = self.sentence();
        let Some(step) = self.step().map(Step::text) else { return sentence };
        Text::each(|language| {
            let (sentence, step) = (sentence.in_language(language), step.in_language(language));
            say!(language, "{sentence}; {step}", "{sentence}；{step}")
        })
    }

    fn sentence(&self) -> Text {
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
            Self::NotAKey { length, odd, is_note, .. } => not_a_key(*length, *odd, *is_note),
            Self::NotALogin(file) => both!(
                "names {file}, which is not one line like name:password",
                "指定的 {file} 不是一行“用户名:密码”"
            ),
            Self::Encoding(Some(Command(run))) => {
                both!("is not text in UTF-8; run: {run}", "不是 UTF-8 文本；请运行：{run}")
            }
            Self::Encoding(None) => both!(
                "is not text in UTF-8; write it again as plain text",
                "不是 UTF-8 文本；请重新存为纯文本"
            ),
            Self::NoCertificate(file, _) => both!(
                "names {file}, which holds no certificate in PEM form",
                "指定的 {file} 中没有 PEM 格式的证书"
            ),
            Self::KeyBesideCertificate(file, _) => both!(
                "names {file}, which also holds a private key; a certificate is not secret, so \
                 keep them apart",
                "指定的 {file} 中还有私钥；证书不是机密，请把两者分开存放"
            ),
            Self::Swapped { certificate, key, .. } => both!(
                "names {certificate}, which is the private key, and client_key_file names {key}, \
                 which is the certificate: the two are swapped",
                "指定的 {certificate} 是私钥，而 client_key_file 指定的 {key} 是证书，两者写反了"
            ),
            Self::NoPrivateKey(file, _) => both!(
                "names {file}, which holds no private key in PEM form that can be used",
                "指定的 {file} 中没有可用的 PEM 格式私钥"
            ),
            Self::OtherForm { file, form, .. } => Text::each(|language| {
                let form = form.name(language);
                say!(language, "names {file}, which is {form}", "指定的 {file} 是{form}")
            }),
            Self::Mismatch(file, None) => both!(
                "names {file}, which is not the key of the certificate in client_cert_file; take \
                 both out of one and the same zip of the platform",
                "指定的 {file} 与 client_cert_file 中的证书不匹配；请使用商户平台同一个压缩包中的两个文件"
            ),
            Self::Mismatch(file, Some(_)) => both!(
                "names {file}, which is not the key of the certificate in client_cert_file",
                "指定的 {file} 与 client_cert_file 中的证书不匹配"
            ),
        }
    }

    /// What to do next, if the sentence does not say so itself.
    const fn step(&self) -> Option<&Step> {
        match self {
            Self::NotAKey { step, .. } | Self::NoCertificate(_, step) | Self::Mismatch(_, step) => {
                step.as_ref()
            }
            Self::KeyBesideCertificate(_, step)
            | Self::Swapped { step, .. }
            | Self::NoPrivateKey(_, step)
            | Self::OtherForm { step, .. } => Some(step),
            _ => None,
        }
    }
}

fn not_a_key(length: usize, odd: Option<(usize, Odd)>, is_note: bool) -> Text {
    Text::each(|language| {
        let must = say!(
            language,
            "must be {API_KEY_LENGTH} printable ASCII characters without spaces",
            "必须是 {API_KEY_LENGTH} 个可显示的 ASCII 字符，不含空格"
        );
        if is_note {
            return say!(
                language,
                "{must}; these are {length}, a text with one word of {API_KEY_LENGTH}",
                "{must}；现在是 {length} 个字符的文本，其中有一串恰好 {API_KEY_LENGTH} 个字符"
            );
        }
        match odd.map(|(at, odd)| (at, odd.name(language))) {
            None if length == 0 => say!(language, "{must}; there is none", "{must}；现在是空的"),
            None => say!(language, "{must}; these are {length}", "{must}；现在是 {length} 个"),
            Some((at, odd)) => say!(
                language,
                "{must}; these are {length}, and number {at} is {odd}",
                "{must}；现在是 {length} 个，其中第 {at} 个是{odd}"
            ),
        }
    })
}
