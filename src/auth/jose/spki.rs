//! Public keys in PEM: as such (`SubjectPublicKeyInfo`, RFC 5280 section 4.1) or in a certificate. Only the four kinds of
//! keys that are offered are known, each by its whole identifier; nothing here calls itself, however deep the bytes are.

use jsonwebtoken::DecodingKey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::server::ParsedCertificate;

use super::JoseError;

/// `rsaEncryption` and its NULL (RFC 3279 section 2.3.1).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// `id-ecPublicKey` with `secp256r1` (RFC 5480 section 2.1.1).
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// The same with `secp384r1`.
const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// `id-Ed25519` (RFC 8410 section 3).
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// The first public key of a PEM text.
pub(super) fn read(pem: &str) -> Result<DecodingKey, JoseError> {
    let bytes = pem.as_bytes();
    if let Ok(info) = SubjectPublicKeyInfoDer::from_pem_slice(bytes) {
        return of_info(&info).ok_or(JoseError::UnusableKey);
    }
    let certificate = CertificateDer::from_pem_slice(bytes).map_err(|_none| JoseError::NoPem)?;
    let parsed = ParsedCertificate::try_from(&certificate).map_err(|_bad| JoseError::NoPem)?;
    of_info(&parsed.subject_public_key_info()).ok_or(JoseError::UnusableKey)
}

fn of_info(info: &[u8]) -> Option<DecodingKey> {
    let (inner, []) = value(info, SEQUENCE)? else { return None };
    let (algorithm, rest) = value(inner, SEQUENCE)?;
    let (bits, []) = value(rest, BIT_STRING)? else { return None };
    // The number of bits of the last byte that do not count: keys have none.
    let (0, key) = bits.split_first()? else { return None };
    match algorithm {
        RSA => rsa(key),
        P256 if key.len() == 65 => Some(DecodingKey::from_ec_der(key)),
        P384 if key.len() == 97 => Some(DecodingKey::from_ec_der(key)),
        ED25519 => Some(DecodingKey::from_ed_der(key)),
        _ => None,
    }
}

/// `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn rsa(key: &[u8]) -> Option<DecodingKey> {
    let (inner, []) = value(key, SEQUENCE)? else { return None };
    let (modulus, rest) = value(inner, INTEGER)?;
    let (exponent, []) = value(rest, INTEGER)? else { return None };
    Some(DecodingKey::from_rsa_raw_components(modulus, exponent))
}

/// The value with this tag at the beginning of some DER, and what follows it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = length(rest)?;
    (*found == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// A length of DER: one byte, or the number of bytes that hold it.
fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=3).contains(&count) {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(count)?;
    let length = bytes.iter().fold(0, |sum: usize, byte| (sum << 8) | usize::from(*byte));
    Some((length, rest))
}
