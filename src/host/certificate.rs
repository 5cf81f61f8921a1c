//! The names in a certificate: whose it is, and who vouches for it.
//!
//! TLS checks certificates; these names and dates only tell people about them.

mod validity;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use paytill_core::clean::clean;
use paytill_core::der::{SEQUENCE, VERSION, element, expect};

pub use validity::Validity;

/// How much of a name is kept, in cells.
const NAME_CELLS: usize = 64;
/// The object identifier of a common name, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BMP_STRING: u8 = 0x1e;

/// The common names in a certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Names {
    /// Whose certificate it is; for a merchant's, the merchant number.
    pub subject: Option<String>,
    pub issuer: Option<String>,
}

impl Names {
    /// Of the first certificate in a PEM text, if there is one.
    pub fn of_pem(pem: &[u8]) -> Self {
        CertificateDer::from_pem_slice(pem).map_or_else(|_| Self::default(), |der| Self::of(&der))
    }

    /// Of a certificate in DER form. What cannot be read is `None`.
    pub fn of(der: &[u8]) -> Self {
        names(der).unwrap_or_default()
    }
}

fn names(der: &[u8]) -> Option<Names> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (signed, _) = expect(SEQUENCE, certificate)?;
    let (tag, _, after) = element(signed)?;
    // The version may be left out; the serial number and the algorithm may not.
    let rest = if tag == VERSION { element(after)?.2 } else { after };
    let rest = element(rest)?.2;
    let (issuer, rest) = expect(SEQUENCE, rest)?;
    let validity_and_on = element(rest)?.2;
    let (subject, _) = expect(SEQUENCE, validity_and_on)?;
    Some(Names { subject: common_name(subject), issuer: common_name(issuer) })
}

fn common_name(mut name: &[u8]) -> Option<String> {
    let mut found = None;
    while !name.is_empty() {
        let (set, rest) = expect(SET, name)?;
        name = rest;
        let (pair, _) = expect(SEQUENCE, set)?;
        let (kind, value) = expect(OBJECT_IDENTIFIER, pair)?;
        if kind != COMMON_NAME {
            continue;
        }
        let (tag, value, _) = element(value)?;
        let text = if tag == BMP_STRING {
            let units = value.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            char::decode_utf16(units).map(|letter| letter.unwrap_or('?')).collect()
        } else {
            String::from_utf8_lossy(value).into_owned()
        };
        found = Some(clean(&text, NAME_CELLS)).filter(|text| !text.is_empty());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

    fn der(name: DnValue) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["till.example".into()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Shop");
        params.distinguished_name.push(DnType::CommonName, name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_common_names_are_read_in_every_spelling() {
        let printable = DnValue::PrintableString("1900000109".try_into().unwrap());
        let wide = DnValue::BmpString(rcgen::string::BmpString::try_from("商户").unwrap());
        for (name, text) in [
            (DnValue::Utf8String("1900000109".into()), "1900000109"),
            (printable, "1900000109"),
            (wide, "商户"),
        ] {
            assert_eq!(Names::of(&der(name)).subject.as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_cut_or_no_certificate_has_no_names() {
        let der = der(DnValue::Utf8String("1900000109".into()));
        let names = Names::of(&der);
        assert_eq!(names.subject, names.issuer, "it signed itself");
        for cut in 0..60 {
            assert_eq!(Names::of(&der[..cut]), Names::default());
        }
        for wrong in [&b""[..], b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"no certificate"] {
            assert_eq!(Names::of(wrong), Names::default());
        }
    }
}
