//! What the paths of the seal have in common: the field `key`, and work that is finished even when its caller hangs up.
//! A key is never repeated in an error. What it opens is [`crate::custody`]'s.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Wire;
use super::error::ApiError;
use super::fields::{Field, Fields};
use super::request::{Incoming, Request};
use crate::custody::{Custody, CustodyError, Shares};
use crate::model::KeyShare;

/// Shortest key that is one (Vault's `BarrierKeyLength`: 16 bytes of AES-128).
const SHORTEST: usize = 16;
/// Longest: 32 bytes, and the place of a share.
const LONGEST: usize = 33;

/// What is wrong with a key that was sent. The texts are Vault's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// To `sys/unseal` none was sent.
    #[error("'key' must be specified in request body as JSON, or 'reset' set to true")]
    MissingAtUnseal,
    /// None was sent.
    #[error("'key' must be specified in request body as JSON")]
    Missing,
    /// It is neither.
    #[error("'key' must be a valid hex or base64 string")]
    Unreadable,
    /// It is too short.
    #[error("invalid key: key is shorter than minimum {SHORTEST} bytes")]
    Short,
    /// It is too long.
    #[error("invalid key: key is longer than maximum {LONGEST} bytes")]
    Long,
}

/// What was sent to a path without the usual way of a request.
pub(super) fn sent(incoming: &Incoming, fields: &[Field]) -> Result<Fields, ApiError> {
    let data = data(incoming)?;
    Fields::read(fields, data).map_err(ApiError::Field)
}

/// The same, unread.
pub(super) fn data(incoming: &Incoming) -> Result<Map<String, Value>, ApiError> {
    Ok(Request::read(incoming, String::new())?.data)
}

/// A share as hex, else base64. What is hex but no key is taken for base64, as Vault does.
pub(super) fn key(text: &str) -> Result<KeyShare, KeyError> {
    let text = text.trim();
    let from_hex = hex(text).filter(|bytes| (SHORTEST..=LONGEST).contains(&bytes.len()));
    let bytes = match from_hex {
        Some(bytes) => bytes,
        None => STANDARD.decode(text).map(Zeroizing::new).map_err(|_no| KeyError::Unreadable)?,
    };
    match bytes.len() {
        length if length < SHORTEST => Err(KeyError::Short),
        length if length > LONGEST => Err(KeyError::Long),
        _ => Ok(KeyShare::new(&bytes)),
    }
}

fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)?.wrapping_shl(4) | digit(low)?).ok(),
        _ => None,
    });
    // Of its whole size at once: what is left behind by growing would not be wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().div_euclid(2)));
    for byte in pairs {
        bytes.push(byte?);
    }
    Some(bytes)
}

/// How many shares, where numbers of them were sent; of what, for the error.
pub(super) fn shares(
    what: &'static str,
    shares: i64,
    threshold: i64,
) -> Result<Shares, CustodyError> {
    Shares::new(shares, threshold).map_err(|why| CustodyError::Shares(what, why))
}

/// Work on the keys, to its end.
pub(super) async fn finished<T, Work>(
    wire: &Arc<Wire>,
    work: impl FnOnce(Arc<Custody>) -> Work,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    Work: Future<Output = Result<T, CustodyError>> + Send + 'static,
{
    let done = wire.in_flight.run(work(Arc::clone(&wire.custody))).await;
    Ok(done.map_err(|error| ApiError::lost(&error))??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_hex_and_as_base64() {
        let bytes = [7_u8; 33];
        let expected = KeyShare::new(&bytes);
        let as_hex = crate::model::encoding::hex(&bytes);
        assert_eq!(key(&as_hex), Ok(expected.clone()));
        assert_eq!(key(&as_hex.to_uppercase()), Ok(expected.clone()));
        assert_eq!(key(&format!(" {} \n", STANDARD.encode(bytes))), Ok(expected));
    }

    #[test]
    fn what_is_no_key_is_told_in_vaults_words() {
        for (text, wrong) in [
            ("!!", KeyError::Unreadable),
            ("äöü", KeyError::Unreadable),
            ("AAAA", KeyError::Short),
            (STANDARD.encode([1; 34]).as_str(), KeyError::Long),
        ] {
            assert_eq!(key(text), Err(wrong), "{text}");
        }
        assert_eq!(
            KeyError::Short.to_string(),
            "invalid key: key is shorter than minimum 16 bytes"
        );
    }
}
