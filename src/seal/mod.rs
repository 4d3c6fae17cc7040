//! Encryption at rest and keyed digests. Opens and closes what the store must not show; knows neither
//! the store nor the wire. What is stored is sealed under a [`keyring`], that is wrapped by a root key, and that by
//! whatever unseals: shares of a key ([`shamir`]), a key file ([`key_file`]) or a key of AWS KMS. Which, and when, is
//! [`crate::custody`]'s. What a key turns into is in [`keys`]; how the barrier opens and closes, in `opening`.

use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::model::{ClientToken, Jwt, SecretAccessKey, SecretId, SecretIdDigest, TokenDigest};
use crate::random::Random;
pub use audit_key::AuditKey;
pub use keyring::Keyring;
pub use keys::MasterKey;
use opening::Open;
pub use opening::{TermFacts, is_key_of_old};
pub use otp::under_password;
pub use password::PasswordHash;

mod audit_key;
mod batch;
pub mod key_file;
pub mod keyring;
mod keys;
mod opening;
mod otp;
mod password;
pub mod shamir;

type Result<T> = std::result::Result<T, SealError>;

/// The setting by which installations from before there were keyrings knew the right key file: see
/// [`is_key_of_old`].
pub const KEY_CHECK_SETTING: &str = "seal/key-check";

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There is no key.
    #[error("leasehold is sealed: {why}")]
    Sealed {
        /// Why there is none.
        why: String,
    },
    /// The key is not the one that this installation was made with.
    #[error(
        "the master key is not the one that sealed this installation\nhelp: give the key file that belongs to this data directory"
    )]
    WrongKey,
    /// The bytes were changed, cut, sealed with another key or for another purpose.
    #[error(
        "what is stored as `{context}` cannot be opened: it was changed, or sealed with another key"
    )]
    NotOpened {
        /// What it was to be opened as.
        context: String,
    },
    /// Too much for one piece.
    #[error("`{context}` is too large to seal")]
    TooLarge {
        /// What it was to be sealed as.
        context: String,
    },
    /// A key file that others can read or write.
    #[error(
        "key file `{path}` can be used by others than its owner (mode {mode:04o})\nhelp: chmod 600 {path}; if others may have read it, set up anew with another key"
    )]
    KeyFileExposed {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A file that holds no key.
    #[error("`{path}` is not a key file: {why}")]
    KeyFileBroken {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        why: &'static str,
    },
    /// There is a key file already: it is never overwritten.
    #[error("key file `{path}` exists already, it is not overwritten")]
    KeyFileExists {
        /// The file.
        path: String,
    },
    /// The system refused.
    #[error("cannot {action} key file `{path}`: {source}")]
    KeyFile {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Whether there is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealStatus {
    /// No key was ever given.
    Uninitialised,
    /// There is none now.
    Sealed {
        /// Why.
        why: String,
    },
    /// There is one.
    Unsealed,
}

/// Stands between what is known here and what is stored. Share it in an `Arc`.
#[derive(Debug)]
pub struct Barrier {
    state: RwLock<State>,
    random: Random,
}

#[derive(Debug)]
enum State {
    Uninitialised,
    Sealed {
        why: String,
    },
    /// The keys work, but nobody is served yet.
    Opening(Arc<Open>),
    Unsealed(Arc<Open>),
}

impl Default for Barrier {
    fn default() -> Self {
        Self::new()
    }
}

impl Barrier {
    /// Without a key. Nonces come from the system's randomness even in tests: one that came twice
    /// under one key would give away what was sealed.
    pub fn new() -> Self {
        Self { state: RwLock::new(State::Uninitialised), random: Random::from_os() }
    }

    /// Whether there is a key, and requests are served.
    pub fn status(&self) -> SealStatus {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Uninitialised => SealStatus::Uninitialised,
            State::Sealed { why } => SealStatus::Sealed { why: why.clone() },
            State::Opening(_) => SealStatus::Sealed { why: "it is being unsealed".to_owned() },
            State::Unsealed(_) => SealStatus::Unsealed,
        }
    }

    /// Seals `plaintext` so that it opens only with the same key and `context`, e.g. the name of the
    /// row it is stored in. Never the same bytes twice.
    pub fn seal(&self, plaintext: &[u8], context: &str) -> Result<Vec<u8>> {
        self.opened()?.keys.seal(plaintext, context, &self.random)
    }

    /// Opens what was sealed under `context`.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.opened()?.keys.open(sealed, context)
    }

    /// Seals the secret half of an AWS access key.
    pub fn seal_secret_key(&self, secret: &SecretAccessKey, context: &str) -> Result<Vec<u8>> {
        self.seal(secret.expose().as_bytes(), context)
    }

    /// Opens it again.
    pub fn open_secret_key(&self, sealed: &[u8], context: &str) -> Result<SecretAccessKey> {
        self.open_text(sealed, context).map(|text| SecretAccessKey::new(text.as_str()))
    }

    /// Seals a token that must be shown again: the root token of development mode.
    pub fn seal_token(&self, token: &ClientToken, context: &str) -> Result<Vec<u8>> {
        self.seal(token.expose().as_bytes(), context)
    }

    /// Opens it again.
    pub fn open_token(&self, sealed: &[u8], context: &str) -> Result<ClientToken> {
        self.open_text(sealed, context).map(|text| ClientToken::new(text.as_str()))
    }

    fn open_text(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<String>> {
        let opened = self.open(sealed, context)?;
        // What was sealed was text: this is something else.
        let Ok(text) = std::str::from_utf8(&opened) else {
            return Err(SealError::NotOpened { context: context.to_owned() });
        };
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The keyed digest under which a token is stored and looked up.
    pub fn token_digest(&self, token: &ClientToken) -> Result<TokenDigest> {
        Ok(TokenDigest(self.opened()?.keys.token_digest(token.expose().as_bytes())))
    }

    /// The keyed digest under which a secret id is stored; `context` names its mount and role.
    pub fn secret_id_digest(&self, secret_id: &SecretId, context: &str) -> Result<SecretIdDigest> {
        let digest = self.opened()?.keys.secret_id_digest(context, secret_id.expose().as_bytes());
        Ok(SecretIdDigest(digest))
    }

    /// Seals a token that is shown to others than its issuer: the reviewer's of a cluster.
    pub fn seal_jwt(&self, token: &Jwt, context: &str) -> Result<Vec<u8>> {
        self.seal(token.expose().as_bytes(), context)
    }

    /// Opens it again.
    pub fn open_jwt(&self, sealed: &[u8], context: &str) -> Result<Jwt> {
        self.open_text(sealed, context).map(|text| Jwt::new(text.as_str()))
    }

    /// The hash of a password, sealed: a stolen database does not even show what to guess against.
    pub fn seal_password(&self, hash: &PasswordHash, context: &str) -> Result<Vec<u8>> {
        self.seal(&hash.to_bytes(), context)
    }

    /// Opens it again.
    pub fn open_password(&self, sealed: &[u8], context: &str) -> Result<PasswordHash> {
        let opened = self.open(sealed, context)?;
        PasswordHash::from_bytes(&opened)
            .ok_or_else(|| SealError::NotOpened { context: context.to_owned() })
    }

    /// The keyed digest under which the lease of a request is looked up.
    pub fn request_digest(&self, request: &[u8]) -> Result<[u8; 32]> {
        Ok(self.opened()?.keys.request_digest(request))
    }

    /// How one audit device shows what is secret.
    pub fn audit_key(&self, device: &str) -> Result<AuditKey> {
        Ok(AuditKey::new(self.opened()?.keys.audit(device)))
    }

    /// The key of the MAC over compiled guardrails on disk.
    pub fn code_cache_key(&self) -> Result<[u8; 32]> {
        Ok(*self.opened()?.keys.code_cache())
    }

    fn opened(&self) -> Result<Arc<Open>> {
        let why = match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Opening(open) | State::Unsealed(open) => return Ok(Arc::clone(open)),
            State::Sealed { why } => why.clone(),
            State::Uninitialised => "it was never given a key".to_owned(),
        };
        Err(SealError::Sealed { why })
    }

    fn set(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[cfg(test)]
mod tests;
