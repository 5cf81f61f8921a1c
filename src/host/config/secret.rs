//! Secrets in files of their own: who may read them, and whether they are what they should be.
//!
//! A key file must belong to this user or to root, be closed to others, and lie in a folder where
//! nobody else can replace it. Links are not followed, and contents are wiped from memory after
//! use. A fault names the file and what to do about it, and never a byte of its contents.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use zeroize::Zeroizing;

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::language::Text;
use paytill_core::text::system;

/// A key has 32 bytes, and a certificate with its chain is under 10 KiB.
const LARGEST: usize = 64 * 1024;
/// Length of an `APIv2` key in characters (protocol 1.3).
const API_KEY_LENGTH: usize = 32;
const GROUP_AND_OTHERS: u32 = 0o077;
const WRITABLE_BY_GROUP_AND_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Why a secret cannot be used.
#[derive(Debug)]
pub enum SecretFault {
    Missing(String),
    /// A link, a device or the like: neither is followed or read.
    NotAFile(String),
    Unreadable(String, std::io::Error),
    TooLarge(String),
    ReadableByOthers {
        file: String,
    },
    /// It belongs to another user.
    NotOurs(String),
    /// Others could put another file in its place.
    FolderWritable {
        folder: String,
    },
    /// It has this wrong length, or other characters than a key.
    NotAKey(Option<usize>),
    NoCertificate(String),
    KeyBesideCertificate(String),
    NoPrivateKey(String),
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
            Self::NotAFile(file) => both!(
                "names {file}, which is not a regular file; a link or a device is not followed",
                "指定的 {file} 不是普通文件；不能是链接或设备"
            ),
            Self::Unreadable(file, error) => {
                both!("names {file}, which cannot be read", "指定的 {file} 无法读取")
                    .because(&system::text(error))
            }
            Self::TooLarge(file) => both!(
                "names {file}, which is larger than {most} KiB",
                "指定的 {file} 超过 {most} KiB",
                most = LARGEST / 1024
            ),
            Self::ReadableByOthers { file } => both!(
                "names {file}, which others than its owner can read; run: chmod 600 {file}",
                "指定的 {file} 可被其他用户读取；请运行：chmod 600 {file}"
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
            Self::NotAKey(None) => both!(
                "must be {API_KEY_LENGTH} printable ASCII characters without spaces; these are \
                 others",
                "必须是 {API_KEY_LENGTH} 个可显示的 ASCII 字符，不含空格；现在含有其他字符"
            ),
            Self::NotAKey(Some(length)) => both!(
                "must be {API_KEY_LENGTH} printable ASCII characters without spaces; these are \
                 {length}",
                "必须是 {API_KEY_LENGTH} 个可显示的 ASCII 字符，不含空格；现在是 {length} 个"
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
            Self::NoPrivateKey(file) => both!(
                "names {file}, which holds no private key in PEM form that can be used",
                "指定的 {file} 中没有可用的 PEM 格式私钥"
            ),
            Self::Mismatch(file) => both!(
                "names {file}, which is not the key of the certificate in client_cert_file",
                "指定的 {file} 与 client_cert_file 中的证书不匹配"
            ),
        }
    }
}

/// Reads the `APIv2` key from a file of its own.
pub fn api_key_file(path: &Path) -> Result<SecretString, SecretFault> {
    api_key(&private(path)?)
}

/// An `APIv2` key from bytes that may end with a line end.
pub fn api_key(bytes: &[u8]) -> Result<SecretString, SecretFault> {
    let key = bytes.trim_ascii_end();
    match std::str::from_utf8(key) {
        Ok(text) if key.len() == API_KEY_LENGTH && key.iter().all(u8::is_ascii_graphic) => {
            Ok(SecretString::from(text))
        }
        _ if key.len() == API_KEY_LENGTH => Err(SecretFault::NotAKey(None)),
        _ => Err(SecretFault::NotAKey(Some(key.len()))),
    }
}

/// The merchant's certificate (with its chain) and its private key, one PEM after the other. They
/// have been checked to belong together.
pub fn identity(certificate: &Path, key: &Path) -> Result<SecretString, (Of, SecretFault)> {
    let certificate_pem = public(certificate).map_err(|fault| (Of::Certificate, fault))?;
    let chain =
        certificates(&certificate_pem, certificate).map_err(|fault| (Of::Certificate, fault))?;
    if PrivateKeyDer::from_pem_slice(&certificate_pem).is_ok() {
        return Err((Of::Certificate, SecretFault::KeyBesideCertificate(shown(certificate))));
    }
    let key_pem = private(key).map_err(|fault| (Of::Key, fault))?;
    check_pair(chain, &key_pem, certificate, key)?;

    let mut both = Zeroizing::new(Vec::with_capacity(certificate_pem.len() + key_pem.len() + 1));
    both.extend_from_slice(&certificate_pem);
    both.push(b'\n');
    both.extend_from_slice(&key_pem);
    let text = std::str::from_utf8(&both);
    text.map(SecretString::from).map_err(|_| (Of::Key, SecretFault::NoPrivateKey(shown(key))))
}

/// Which file of the pair is at fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Of {
    Certificate,
    Key,
}

/// The roots to trust, in PEM form.
pub fn roots(path: &Path) -> Result<Vec<u8>, SecretFault> {
    let pem = public(path)?;
    certificates(&pem, path)?;
    Ok(pem.to_vec())
}

fn check_pair(
    chain: Vec<CertificateDer<'static>>,
    key_pem: &[u8],
    certificate: &Path,
    key: &Path,
) -> Result<(), (Of, SecretFault)> {
    let no_key = || (Of::Key, SecretFault::NoPrivateKey(shown(key)));
    let private_key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| no_key())?;
    let signer =
        rustls::crypto::aws_lc_rs::sign::any_supported_type(&private_key).map_err(|_| no_key())?;
    match CertifiedKey::new(chain, signer).keys_match() {
        Ok(()) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err((Of::Key, SecretFault::Mismatch(shown(key))))
        }
        Err(_) => Err((Of::Certificate, SecretFault::NoCertificate(shown(certificate)))),
    }
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, SecretFault> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(SecretFault::NoCertificate(shown(path))),
    }
}

/// Reads a file that only its owner may read, in a folder that only its owner may change.
fn private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    let (file, facts) = open(path)?;
    let us = rustix::process::geteuid().as_raw();
    if facts.uid() != us && facts.uid() != 0 {
        return Err(SecretFault::NotOurs(shown(path)));
    }
    if facts.mode() & GROUP_AND_OTHERS != 0 {
        return Err(SecretFault::ReadableByOthers { file: shown(path) });
    }
    if let Some(folder) = path.parent() {
        let facts =
            folder.metadata().map_err(|error| SecretFault::Unreadable(shown(folder), error))?;
        // In a sticky folder nobody else can put another file in its place.
        if facts.mode() & WRITABLE_BY_GROUP_AND_OTHERS != 0 && facts.mode() & STICKY == 0 {
            return Err(SecretFault::FolderWritable { folder: shown(folder) });
        }
    }
    bytes(&file, path)
}

fn public(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    bytes(&open(path)?.0, path)
}

/// Opens the file itself: not what a link points to, nor a pipe that would make us wait. Whatever
/// is opened is also what is checked.
fn open(path: &Path) -> Result<(File, Metadata), SecretFault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Err(SecretFault::Missing(shown(path))),
        Err(rustix::io::Errno::LOOP) => return Err(SecretFault::NotAFile(shown(path))),
        Err(error) => return Err(SecretFault::Unreadable(shown(path), error.into())),
    };
    let facts = file.metadata().map_err(|error| SecretFault::Unreadable(shown(path), error))?;
    if facts.is_file() { Ok((file, facts)) } else { Err(SecretFault::NotAFile(shown(path))) }
}

fn bytes(file: &File, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    // Allocated in full, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(vec![0; LARGEST + 1]);
    let mut used = 0;
    while used < bytes.len() {
        match (&*file).read(&mut bytes[used..]) {
            Ok(0) => break,
            Ok(read) => used += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SecretFault::Unreadable(shown(path), error)),
        }
    }
    if used > LARGEST {
        return Err(SecretFault::TooLarge(shown(path)));
    }
    bytes.truncate(used);
    Ok(bytes)
}

/// The path as it can be pasted into a shell command.
pub fn shown(path: &Path) -> String {
    let path = clean(&path.display().to_string(), usize::MAX);
    let plain = |character: char| character.is_alphanumeric() || "/._-+@%:,=".contains(character);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;
    use paytill_core::language::Language;

    const KEY: &[u8] = b"0123456789abcdef0123456789ABCDEF";

    fn file(folder: &TempDir, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn fault<T>(result: Result<T, SecretFault>) -> String {
        let text = result.err().unwrap().text();
        let chinese = text.in_language(Language::Chinese);
        assert!(
            chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
            "{chinese}"
        );
        // Paths and commands are the same in both languages.
        for word in text.to_string().split(' ').filter(|word| word.contains(['/', '_'])) {
            assert!(chinese.contains(word.trim_end_matches([',', ';'])), "{word}: {chinese}");
        }
        text.to_string()
    }

    #[test]
    fn reads_a_key_with_or_without_the_end_of_its_line() {
        let folder = TempDir::new().unwrap();
        for (name, end) in [("unix", "\n"), ("dos", "\r\n"), ("none", "")] {
            let path = file(&folder, name, &[KEY, end.as_bytes()].concat(), 0o600);
            assert_eq!(api_key_file(&path).unwrap().expose_secret().as_bytes(), KEY);
        }
    }

    #[test]
    fn refuses_what_others_can_read_and_says_what_to_run() {
        let folder = TempDir::new().unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620, 0o610] {
            let path = file(&folder, "api.key", KEY, mode);
            let sentence = fault(api_key_file(&path));
            assert!(sentence.ends_with(&format!("run: chmod 600 {}", path.display())));
        }
        let path = file(&folder, "the key's", KEY, 0o644);
        assert!(fault(api_key_file(&path)).ends_with("/the key'\\''s'"));
    }

    #[test]
    fn refuses_a_folder_in_which_others_can_put_another_key() {
        let folder = TempDir::new().unwrap();
        let path = file(&folder, "api.key", KEY, 0o600);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o770)).unwrap();
        assert!(fault(api_key_file(&path)).contains("run: chmod go-w"));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(api_key_file(&path).is_ok());
    }

    #[test]
    fn follows_no_link_and_waits_for_no_pipe() {
        let folder = TempDir::new().unwrap();
        let real = file(&folder, "api.key", KEY, 0o600);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(real, &link).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
        for path in [link, pipe, folder.path().to_owned()] {
            assert!(fault(api_key_file(&path)).contains("not a regular file"), "{path:?}");
        }
        assert!(fault(api_key_file(&folder.path().join("gone"))).contains("does not exist"));
    }

    #[test]
    fn a_file_of_64_kib_is_read_and_no_byte_more() {
        let folder = TempDir::new().unwrap();
        let most = file(&folder, "most", &vec![b'a'; LARGEST], 0o600);
        assert!(matches!(api_key_file(&most), Err(SecretFault::NotAKey(_))));
        let more = file(&folder, "more", &vec![b'a'; LARGEST + 1], 0o600);
        assert!(matches!(api_key_file(&more), Err(SecretFault::TooLarge(_))));
    }

    #[test]
    fn only_32_printable_characters_are_a_key_and_none_of_them_is_shown() {
        for wrong in ["", "short-secret", "0123456789abcdef 0123456789ABCDE", "钥匙钥匙钥匙钥匙"]
        {
            let sentence = fault(api_key(wrong.as_bytes()));
            assert!(sentence.starts_with("must be 32 printable"), "{sentence}");
            assert!(wrong.is_empty() || !sentence.contains(wrong));
        }
        let secret = api_key(KEY).unwrap();
        assert!(!format!("{secret:?}").contains("0123"));
    }

    fn pair() -> (String, String) {
        let pair = rcgen::generate_simple_self_signed(["till.example".to_owned()]).unwrap();
        (pair.cert.pem(), pair.signing_key.serialize_pem())
    }

    #[test]
    fn takes_a_key_only_with_its_own_certificate() {
        let folder = TempDir::new().unwrap();
        let ((certificate, key), (_, foreign_key)) = (pair(), pair());
        let path = |name: &str, pem: &str| file(&folder, name, pem.as_bytes(), 0o600);
        let (good, right) = (path("cert", &certificate), path("key", &key));
        let both = identity(&good, &right).unwrap();
        assert_eq!(both.expose_secret(), format!("{certificate}\n{key}"));

        let refusal = |certificate: &Path, key: &Path| {
            let (of, fault) = identity(certificate, key).unwrap_err();
            assert!(!fault.text().to_string().contains("BEGIN"));
            (of, fault)
        };
        let foreign = path("foreign", &foreign_key);
        assert!(matches!(refusal(&good, &foreign), (Of::Key, SecretFault::Mismatch(_))));
        assert!(matches!(refusal(&good, &good), (Of::Key, SecretFault::NoPrivateKey(_))));
        assert!(matches!(
            refusal(&right, &right),
            (Of::Certificate, SecretFault::NoCertificate(_))
        ));
        let mixed = path("mixed", &format!("{certificate}{key}"));
        let fault = refusal(&mixed, &right);
        assert!(matches!(fault, (Of::Certificate, SecretFault::KeyBesideCertificate(_))));
        let open = file(&folder, "open", key.as_bytes(), 0o644);
        assert!(matches!(refusal(&good, &open), (Of::Key, SecretFault::ReadableByOthers { .. })));
    }

    #[test]
    fn roots_are_certificates() {
        let folder = TempDir::new().unwrap();
        let (certificate, key) = pair();
        let path = file(&folder, "ca", certificate.as_bytes(), 0o644);
        assert_eq!(roots(&path).unwrap(), certificate.as_bytes());
        let path = file(&folder, "not", key.as_bytes(), 0o644);
        assert!(matches!(roots(&path), Err(SecretFault::NoCertificate(_))));
    }
}
