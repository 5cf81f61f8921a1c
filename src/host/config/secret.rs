//! Secrets in files of their own: who may read them, and whether they are what they should be.
//!
//! A key file must belong to this user or to root, be closed to others, and lie in a folder where
//! nobody else can replace it. Links are not followed, and contents are wiped from memory after
//! use. A fault names the file and what to do about it, and never a byte of its contents.

mod access;
mod fault;
mod form;
mod remedy;
mod step;
#[cfg(test)]
mod tests;

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

use paytill_core::clean::clean;

pub use fault::SecretFault;
use form::{Form, pem_text, without_marks};
use step::{Asks, Line, Step};

/// A key has 32 bytes, and a certificate with its chain is under 10 KiB.
const LARGEST: usize = 64 * 1024;
/// All the roots of a system are some 250 KiB.
const LARGEST_BUNDLE: usize = 4 * 1024 * 1024;
const GROUP_AND_OTHERS: u32 = 0o077;
const WRITABLE_BY_GROUP_AND_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Reads the `APIv2` key from a file of its own.
pub fn api_key_file(path: &Path) -> Result<SecretString, SecretFault> {
    remedy::api_key(&private(path)?, Some(path))
}

/// A file of the till's own that is held to the rules of secrets, as it is.
pub fn own_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    private(path)
}

/// An `APIv2` key from bytes that may have blanks and a line end around it.
pub fn api_key(bytes: &[u8]) -> Result<SecretString, SecretFault> {
    remedy::api_key(bytes, None)
}

/// The name and the password for a proxy: one line, with a colon between them.
pub fn login(path: &Path) -> Result<SecretString, SecretFault> {
    let bytes = without_marks(&private(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretFault::Encoding(None))?;
    let line = text.trim_end_matches(['\n', '\r']);
    let has_name = line.split_once(':').is_some_and(|(name, _)| !name.is_empty());
    if has_name && !line.chars().any(char::is_control) {
        Ok(SecretString::from(line))
    } else {
        Err(SecretFault::NotALogin(shown(path)))
    }
}

/// The merchant's certificate (with its chain) and its private key, one PEM after the other. They
/// have been checked to belong together. The faults are those of both files.
pub fn identity(certificate: &Path, key: &Path) -> Result<SecretString, Vec<(Of, SecretFault)>> {
    let (certificate_pem, key_pem) = match (certificate_of(certificate, key), key_of(key)) {
        (Ok(certificate), Ok(key)) => (certificate, key),
        // Whichever is wrong with the key, it is in the other file.
        (Err(fault @ SecretFault::Swapped { .. }), _) => {
            return Err(vec![(Of::Certificate, fault)]);
        }
        // The step for one file that is named twice is the step for both.
        (Err(fault), Err(_)) if certificate == key && fault.is_of_both() => {
            return Err(vec![(Of::Certificate, fault)]);
        }
        (certificate, key) => {
            let certificate = certificate.err().map(|fault| (Of::Certificate, fault));
            return Err(certificate
                .into_iter()
                .chain(key.err().map(|why| (Of::Key, why)))
                .collect());
        }
    };
    let chain = certificates(&certificate_pem)
        .ok_or_else(|| vec![(Of::Certificate, no_certificate(certificate))])?;
    check_pair(chain, &key_pem, certificate, key).map_err(|fault| vec![fault])?;

    let mut both = Zeroizing::new(Vec::with_capacity(certificate_pem.len() + key_pem.len() + 1));
    both.extend_from_slice(&certificate_pem);
    both.push(b'\n');
    both.extend_from_slice(&key_pem);
    let text = std::str::from_utf8(&both);
    text.map(SecretString::from).map_err(|_| vec![(Of::Key, no_private_key(key))])
}

/// The certificate's file, which must hold one and no key.
fn certificate_of(path: &Path, key: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    let bytes = public(path)?;
    let pem = pem_text(&bytes);
    let form = Form::of(&bytes);
    let is_key = matches!(form, Form::PrivateKey | Form::EncryptedKey);
    match certificates(&pem) {
        Some(_) if is_key => {
            let new = path.with_extension("cert.pem");
            let run = format!("openssl x509 -in {} -out {}", shown(path), shown(&new));
            let lines = vec![Line::of(Of::Certificate, &new)];
            let step = Step::Run(step::Command(run), Asks::Nothing, lines);
            Err(SecretFault::KeyBesideCertificate(shown(path), step))
        }
        Some(_) => Ok(pem),
        None => {
            let other = public(key).map(|bytes| pem_text(&bytes));
            let is_swapped = is_key && other.is_ok_and(|pem| certificates(&pem).is_some());
            if is_swapped && path != key {
                let lines = vec![Line::of(Of::Certificate, key), Line::of(Of::Key, path)];
                let (certificate, key) = (shown(path), shown(key));
                return Err(SecretFault::Swapped { certificate, key, step: Step::Write(lines) });
            }
            let fault = remedy::other_form(form, path, Of::Certificate);
            Err(fault.unwrap_or_else(|| no_certificate(path)))
        }
    }
}

/// The private key's file.
fn key_of(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    let bytes = private(path)?;
    let pem = pem_text(&bytes);
    let key = PrivateKeyDer::from_pem_slice(&pem).ok();
    let is_usable =
        key.is_some_and(|key| rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).is_ok());
    if is_usable {
        return Ok(pem);
    }
    let fault = remedy::other_form(Form::of(&bytes), path, Of::Key);
    Err(fault.unwrap_or_else(|| no_private_key(path)))
}

fn no_certificate(path: &Path) -> SecretFault {
    let step = Step::instead_of(path, Of::Certificate);
    SecretFault::NoCertificate(shown(path), Some(step))
}

fn no_private_key(path: &Path) -> SecretFault {
    SecretFault::NoPrivateKey(shown(path), Step::instead_of(path, Of::Key))
}

/// What a file is named for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Of {
    Certificate,
    Key,
    ApiKey,
    /// Those of `ca_file`.
    Roots,
}

impl Of {
    /// The configuration's key.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Certificate => "client_cert_file",
            Self::Key => "client_key_file",
            Self::ApiKey => "api_key_file",
            Self::Roots => "ca_file",
        }
    }

    /// What it is usually called. The platform hands out the first two; an `APIv2` key comes in no
    /// file.
    const fn usual_name(self) -> &'static str {
        match self {
            Self::Certificate => "apiclient_cert.pem",
            Self::Key => "apiclient_key.pem",
            Self::ApiKey => "api_v2.key",
            Self::Roots => "ca.pem",
        }
    }
}

/// The roots to trust, in PEM form. They decide whom the till believes to be the gateway, so nobody
/// else may be able to change them; everybody may read them.
pub fn roots(path: &Path) -> Result<Vec<u8>, SecretFault> {
    let (file, facts) = open(path)?;
    unchangeable(path, &facts)?;
    let bytes = bytes(&file, path, LARGEST_BUNDLE)?;
    let pem = pem_text(&bytes);
    if certificates(&pem).is_some() {
        return Ok(pem.to_vec());
    }
    Err(match Form::of(&bytes) {
        form @ (Form::Utf16 | Form::DerCertificate) => remedy::other_form(form, path, Of::Roots),
        _ => None,
    }
    .unwrap_or_else(|| SecretFault::NoCertificate(shown(path), None)))
}

/// A public key or the like, in PEM form as far as it is text. It decides whom the till believes, as
/// [`roots`] do; what is in it is for others to check.
pub fn trusted(path: &Path) -> Result<Vec<u8>, SecretFault> {
    let (file, facts) = open(path)?;
    unchangeable(path, &facts)?;
    Ok(pem_text(&bytes(&file, path, LARGEST)?).to_vec())
}

/// A private key in PEM form.
pub fn private_key(path: &Path) -> Result<SecretString, SecretFault> {
    let pem = key_of(path)?;
    std::str::from_utf8(&pem).map(SecretString::from).map_err(|_| no_private_key(path))
}

/// Whether nobody but its owner can change a file, however it is reached: what it says can then be
/// relied on as much as a secret.
pub fn guarded(path: &Path) -> Result<(), SecretFault> {
    let unreadable = |error| SecretFault::Unreadable(shown(path), error);
    let real = path.canonicalize().map_err(unreadable)?;
    unchangeable(&real, &real.metadata().map_err(unreadable)?)?;
    // A link can be pointed elsewhere by whoever can change its folder.
    folder_is_ours(path)
}

fn check_pair(
    chain: Vec<CertificateDer<'static>>,
    key_pem: &[u8],
    certificate: &Path,
    key: &Path,
) -> Result<(), (Of, SecretFault)> {
    let no_key = || (Of::Key, no_private_key(key));
    let private_key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| no_key())?;
    let signer =
        rustls::crypto::aws_lc_rs::sign::any_supported_type(&private_key).map_err(|_| no_key())?;
    match CertifiedKey::new(chain, signer).keys_match() {
        Ok(()) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err((Of::Key, SecretFault::Mismatch(shown(key), mate(certificate, key))))
        }
        Err(_) => Err((Of::Certificate, no_certificate(certificate))),
    }
}

/// What to name in place of one of two that do not fit together, if it lies beside the other.
fn mate(certificate: &Path, key: &Path) -> Option<Step> {
    let fits = |certificate: &Path, key: &Path| {
        let chain = public(certificate).ok().and_then(|bytes| certificates(&pem_text(&bytes)))?;
        let pem = public(key).map(|bytes| pem_text(&bytes)).ok()?;
        let key = PrivateKeyDer::from_pem_slice(&pem).ok()?;
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).ok()?;
        CertifiedKey::new(chain, signer).keys_match().ok()
    };
    let other_key = step::beside(certificate, Of::Key);
    let other_key = other_key.filter(|other| fits(certificate, other).is_some());
    let other_certificate = step::beside(key, Of::Certificate);
    let other_certificate = other_certificate.filter(|other| fits(other, key).is_some());
    let line = match (other_key, other_certificate) {
        (Some(key), _) => Line::of(Of::Key, &key),
        (None, Some(certificate)) => Line::of(Of::Certificate, &certificate),
        (None, None) => return None,
    };
    Some(Step::Write(vec![line]))
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}

/// Reads a file that only its owner may read, in a folder that only its owner may change.
fn private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    let (file, facts) = open(path)?;
    if !is_ours(&facts) {
        return Err(SecretFault::NotOurs(shown(path)));
    }
    if facts.mode() & GROUP_AND_OTHERS != 0 && !access::is_for_us_alone(&file) {
        return Err(SecretFault::ReadableByOthers { file: shown(path) });
    }
    folder_is_ours(path)?;
    bytes(&file, path, LARGEST)
}

fn unchangeable(path: &Path, facts: &Metadata) -> Result<(), SecretFault> {
    if !is_ours(facts) {
        return Err(SecretFault::NotOurs(shown(path)));
    }
    if facts.mode() & WRITABLE_BY_GROUP_AND_OTHERS != 0 {
        return Err(SecretFault::WritableByOthers { file: shown(path) });
    }
    folder_is_ours(path)
}

fn folder_is_ours(path: &Path) -> Result<(), SecretFault> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let facts = folder.metadata().map_err(|error| SecretFault::Unreadable(shown(folder), error))?;
    if !is_ours(&facts) {
        return Err(SecretFault::FolderNotOurs { folder: shown(folder) });
    }
    // In a sticky folder nobody else can put another file in its place.
    if facts.mode() & WRITABLE_BY_GROUP_AND_OTHERS != 0 && facts.mode() & STICKY == 0 {
        return Err(SecretFault::FolderWritable { folder: shown(folder) });
    }
    Ok(())
}

fn is_ours(facts: &Metadata) -> bool {
    facts.uid() == rustix::process::geteuid().as_raw() || facts.uid() == 0
}

fn public(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    bytes(&open(path)?.0, path, LARGEST)
}

/// Opens the file itself: not what a link points to, nor a pipe that would make us wait. Whatever
/// is opened is also what is checked.
fn open(path: &Path) -> Result<(File, Metadata), SecretFault> {
    let no_file = || {
        let target =
            path.canonicalize().ok().filter(|target| path.is_symlink() && target.is_file());
        SecretFault::NotAFile(shown(path), target.map(|target| shown(&target)))
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Err(SecretFault::Missing(shown(path))),
        Err(rustix::io::Errno::LOOP) => return Err(no_file()),
        Err(error) => return Err(SecretFault::Unreadable(shown(path), error.into())),
    };
    let facts = file.metadata().map_err(|error| SecretFault::Unreadable(shown(path), error))?;
    if facts.is_file() { Ok((file, facts)) } else { Err(no_file()) }
}

fn bytes(file: &File, path: &Path, largest: usize) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    // Allocated in full, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(vec![0; largest + 1]);
    let mut used = 0;
    while used < bytes.len() {
        match (&*file).read(&mut bytes[used..]) {
            Ok(0) => break,
            Ok(read) => used += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SecretFault::Unreadable(shown(path), error)),
        }
    }
    if used > largest {
        return Err(SecretFault::TooLarge(shown(path), largest / 1024));
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
