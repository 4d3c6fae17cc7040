//! How an audit device shows what may be secret: as a keyed digest that the same text always gives on the same
//! device, so that an entry can be found by a text that one knows, and by nothing else. Vault's form of it.
//! The key never leaves; what is shown where is [`crate::audit`]'s.

use std::fmt;

use ring::hmac;

use super::keys::hex;
use crate::model::ClientToken;

/// The key of one audit device.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    pub(super) fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// `hmac-sha256:` and 64 hex digits.
    pub fn digest(&self, text: &str) -> String {
        format!("hmac-sha256:{}", hex(hmac::sign(&self.0, text.as_bytes()).as_ref()))
    }

    /// The same of a token.
    pub fn token(&self, token: &ClientToken) -> String {
        self.digest(token.expose())
    }

    /// A token as it is, for a device that was asked to hide nothing.
    pub fn bare_token(token: &ClientToken) -> String {
        token.expose().to_owned()
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
