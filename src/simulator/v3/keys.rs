//! The keys of both sides of API v3: the merchant's certificate, and what WeChat Pay signs with.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as Rsa;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paytill_core::gateway::wechat::v3::Certificate;
use paytill_core::gateway::wechat::v3::json::Value;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, SerialNumber};

use crate::reply::nonce;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("no random bytes from the system")]
    NoRandomness,
    #[error("not an RSA key or not a certificate of one")]
    NotAKey,
}

/// A certificate with its key, both as PEM.
#[derive(Clone)]
struct Certified {
    key: Arc<Rsa>,
    key_pem: String,
    certificate_pem: String,
    certificate: Certificate,
}

/// All keys of a simulated gateway and its merchant.
#[derive(Clone)]
pub struct PlatformKeys {
    merchant: Certified,
    merchant_public: Arc<ParsedPublicKey>,
    /// The pair of WeChat Pay's public key. Only its key counts.
    platform: Certified,
    public_key_id: String,
    /// Platform certificates, the newest last. It signs.
    certificates: Vec<Certified>,
    /// The next one, made in advance: an RSA key takes its time.
    spare: Option<Certified>,
    api_v3_key: String,
}

impl PlatformKeys {
    /// New ones, in memory.
    pub fn generate(mch_id: &str) -> Result<Self, KeysError> {
        let platform = Certified::generate("paytill simulator platform")?;
        let certificate = Certified::generate("paytill simulator platform")?;
        let mut digits = String::new();
        for byte in random::<16>()? {
            let _ = write!(digits, "{:02}", byte % 100);
        }
        let mut api_v3_key = String::new();
        for byte in random::<16>()? {
            let _ = write!(api_v3_key, "{byte:02x}");
        }
        Self::of(
            Certified::generate(mch_id)?,
            platform,
            format!("PUB_KEY_ID_{digits}"),
            vec![certificate],
            api_v3_key,
        )
    }

    fn of(
        merchant: Certified,
        platform: Certified,
        public_key_id: String,
        certificates: Vec<Certified>,
        api_v3_key: String,
    ) -> Result<Self, KeysError> {
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &merchant.certificate.key);
        let merchant_public = Arc::new(public.map_err(|_| KeysError::NotAKey)?);
        Ok(Self {
            merchant,
            merchant_public,
            platform,
            public_key_id,
            certificates,
            spare: None,
            api_v3_key,
        })
    }

    /// Those that [`PlatformKeys::files`] told.
    pub fn load<E: From<KeysError>>(
        read: impl Fn(&'static str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let certified =
            |key, certificate| Ok::<_, E>(Certified::of(read(key)?, read(certificate)?)?);
        let merchant = certified(MERCHANT_KEY, MERCHANT_CERT)?;
        let platform = certified(PLATFORM_KEY, PLATFORM_ID_CERT)?;
        let certificate = certified(CERTIFICATE_KEY, CERTIFICATE)?;
        let id = read(PUBLIC_KEY_ID)?.trim().to_owned();
        let key = read(API_V3_KEY)?.trim().to_owned();
        Ok(Self::of(merchant, platform, id, vec![certificate], key)?)
    }

    /// Files with all of them, by their names: those that a till is to be pointed at, and the
    /// gateway's own.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let certificate = self.certificates.first().unwrap_or(&self.platform);
        vec![
            (API_V3_KEY, format!("{}\n", self.api_v3_key)),
            (MERCHANT_CERT, self.merchant.certificate_pem.clone()),
            (MERCHANT_KEY, self.merchant.key_pem.clone()),
            (PUBLIC_KEY, self.public_key_pem()),
            (PUBLIC_KEY_ID, format!("{}\n", self.public_key_id)),
            (PLATFORM_KEY, self.platform.key_pem.clone()),
            (PLATFORM_ID_CERT, self.platform.certificate_pem.clone()),
            (CERTIFICATE_KEY, certificate.key_pem.clone()),
            (CERTIFICATE, certificate.certificate_pem.clone()),
        ]
    }

    /// The keys of a configuration that name the files, beside the merchant's ids.
    pub fn settings(&self, public_key: bool) -> String {
        let (file, id) = if public_key { (PUBLIC_KEY, self.public_key_id()) } else { ("", "") };
        format!(
            "api_v3_key_file = \"{API_V3_KEY}\"\n\
             merchant_cert_file = \"{MERCHANT_CERT}\"\n\
             merchant_key_file = \"{MERCHANT_KEY}\"\n\
             public_key_file = \"{file}\"\n\
             public_key_id = \"{id}\"\n"
        )
    }

    /// Another platform certificate takes the place of the one that signs; both are told for now.
    pub fn rotate(&mut self) -> Result<(), KeysError> {
        self.prepare()?;
        self.certificates.extend(self.spare.take());
        Ok(())
    }

    /// Makes the certificate to which [`PlatformKeys::rotate`] will turn.
    pub fn prepare(&mut self) -> Result<(), KeysError> {
        if self.spare.is_none() {
            self.spare = Some(Certified::generate("paytill simulator platform")?);
        }
        Ok(())
    }

    /// The same with one that was made before.
    pub fn rotate_to(&mut self, key_pem: &str, certificate_pem: &str) -> Result<(), KeysError> {
        self.certificates.push(Certified::of(key_pem.to_owned(), certificate_pem.to_owned())?);
        Ok(())
    }

    /// The certificate that signs, by its serial number.
    pub fn certificate_serial(&self) -> &str {
        &self.signing().certificate.serial
    }

    fn signing(&self) -> &Certified {
        self.certificates.last().unwrap_or(&self.platform)
    }

    /// The merchant's certificate, by its serial number.
    pub fn merchant_serial(&self) -> &str {
        &self.merchant.certificate.serial
    }

    /// The merchant's private key, PEM.
    pub fn merchant_key_pem(&self) -> &str {
        &self.merchant.key_pem
    }

    /// WeChat Pay's public key, PEM.
    pub fn public_key_pem(&self) -> String {
        let text = STANDARD.encode(&self.platform.certificate.key);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for at in (0..text.len()).step_by(64) {
            pem += &text[at..text.len().min(at + 64)];
            pem.push('\n');
        }
        pem + "-----END PUBLIC KEY-----\n"
    }

    /// Its id.
    pub fn public_key_id(&self) -> &str {
        &self.public_key_id
    }

    /// The `APIv3` key.
    pub fn api_v3_key(&self) -> &str {
        &self.api_v3_key
    }

    /// Whether the merchant has signed this.
    pub(super) fn is_merchants(&self, message: &[u8], signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.merchant_public.verify_sig(message, &signature).is_ok())
    }

    /// Signs as WeChat Pay, with the public key's pair or a certificate's.
    pub(super) fn sign(&self, by_certificate: bool, message: &[u8]) -> String {
        sign(if by_certificate { &self.signing().key } else { &self.platform.key }, message)
    }

    /// Signs as the merchant does: for requests, and for answers that are none of WeChat Pay's.
    pub fn forge(&self, message: &[u8]) -> String {
        sign(&self.merchant.key, message)
    }

    /// Encrypts what only the merchant is to read, under a name: the nonce, and what came of it.
    pub(super) fn seal(
        &self,
        name: &str,
        plain: &[u8],
        rng: &mut fastrand::Rng,
    ) -> (String, String) {
        let nonce = nonce(rng)[..12].to_owned();
        let mut bytes = plain.to_vec();
        let key = UnboundKey::new(&AES_256_GCM, self.api_v3_key.as_bytes());
        if let (Ok(key), Ok(unique)) = (key, Nonce::try_assume_unique_for_key(nonce.as_bytes())) {
            let key = LessSafeKey::new(key);
            let _ = key.seal_in_place_append_tag(unique, Aad::from(name), &mut bytes);
        }
        (nonce, STANDARD.encode(bytes))
    }

    /// The answer to a question for the certificates.
    pub(super) fn certificates(&self, rng: &mut fastrand::Rng) -> String {
        let items = self.certificates.iter().map(|certified| {
            let pem = certified.certificate_pem.as_bytes();
            let (nonce, ciphertext) = self.seal("certificate", pem, rng);
            let item = Value::Members(vec![
                ("serial_no", Value::Text(&certified.certificate.serial)),
                ("effective_time", Value::Text("2020-01-01T00:00:00+08:00")),
                ("expire_time", Value::Text("2049-12-31T00:00:00+08:00")),
                (
                    "encrypt_certificate",
                    Value::Members(vec![
                        ("algorithm", Value::Text("AEAD_AES_256_GCM")),
                        ("nonce", Value::Text(&nonce)),
                        ("associated_data", Value::Text("certificate")),
                        ("ciphertext", Value::Text(&ciphertext)),
                    ]),
                ),
            ]);
            String::from_utf8_lossy(&item.to_bytes()).into_owned()
        });
        format!("{{\"data\":[{}]}}", items.collect::<Vec<_>>().join(","))
    }
}

const API_V3_KEY: &str = "secrets/api_v3.key";
const MERCHANT_CERT: &str = "secrets/v3_apiclient_cert.pem";
const MERCHANT_KEY: &str = "secrets/v3_apiclient_key.pem";
const PUBLIC_KEY: &str = "secrets/pub_key.pem";
const PUBLIC_KEY_ID: &str = "secrets/pub_key.id";
const PLATFORM_KEY: &str = "secrets/platform_key.pem";
const PLATFORM_ID_CERT: &str = "secrets/platform_id_cert.pem";
const CERTIFICATE_KEY: &str = "secrets/platform_cert_key.pem";
const CERTIFICATE: &str = "secrets/platform_cert.pem";
/// Those that belong to a till.
pub(crate) const TILLS: [&str; 3] = [API_V3_KEY, MERCHANT_KEY, PUBLIC_KEY];
/// One of these shows that a folder has keys of API v3.
pub(crate) const MARK: &str = PLATFORM_KEY;

impl Certified {
    fn generate(name: &str) -> Result<Self, KeysError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        // Positive, and of 40 digits.
        let mut serial = random::<20>()?;
        serial[0] = serial[0] & 0x3f | 0x40;
        params.serial_number = Some(SerialNumber::from(serial.to_vec()));
        let certificate = params.self_signed(&key)?;
        Self::of(key.serialize_pem(), certificate.pem())
    }

    fn of(key_pem: String, certificate_pem: String) -> Result<Self, KeysError> {
        let certificate =
            Certificate::of_pem(certificate_pem.as_bytes()).ok_or(KeysError::NotAKey)?;
        let key = KeyPair::from_pem(&key_pem)?;
        let key = Rsa::from_pkcs8(key.serialized_der()).map_err(|_| KeysError::NotAKey)?;
        Ok(Self { key: Arc::new(key), key_pem, certificate_pem, certificate })
    }
}

fn sign(key: &Rsa, message: &[u8]) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    // Only a system without memory fails here, and then the signature is wrong.
    let _ = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
    STANDARD.encode(signature)
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], KeysError> {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeysError::NoRandomness)?;
    Ok(bytes)
}
