//! Why a seal was not opened, closed or changed. Texts are Vault's where clients match on them. What strangers are told
//! is [`crate::http::error`]'s.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::auth::AuthError;
use crate::aws::AwsError;
use crate::engine::EngineError;
use crate::seal::SealError;
use crate::store::StoreError;

/// Why a seal is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// There is an installation.
    #[error("Vault is already initialized")]
    AlreadyInitialised,
    /// There is none.
    #[error("Vault is not initialized")]
    NotInitialised,
    /// There is no key now.
    #[error("Vault is sealed")]
    Sealed,
    /// There is a key, and the unsealing of nothing to be given up.
    #[error("vault is unsealed")]
    Unsealed,
    /// Numbers of shares that cannot be; of what, and what is wrong.
    #[error("invalid {0} configuration: {1}")]
    Shares(&'static str, &'static str),
    /// More old shares would be needed than there are new ones, in Vault's words for a rekey.
    #[error("provided threshold greater than the total shares")]
    ThresholdAboveShares,
    /// This kind of seal has no such parameters; holds their names and the kind.
    #[error("parameters {0} not applicable to seal type {1}")]
    NotApplicable(String, &'static str),
    /// What is not offered by any seal; holds its name.
    #[error(
        "`{0}` is not supported\nhelp: leave it out; what is handed out is shown once, in the answer"
    )]
    NotOffered(&'static str),
    /// Not an installation that this configuration unseals.
    #[error(
        "this installation is sealed by `{stored}`, and the configuration unseals by `{configured}`\nhelp: put [seal] back as it was; changing the kind of seal is not supported"
    )]
    OtherKind {
        /// As the database has it.
        stored: &'static str,
        /// As the configuration has it.
        configured: &'static str,
    },
    /// The state is there, its key is not.
    #[error("the key file `{}` is missing, and without it the stored state cannot be read\nhelp: put it back from its backup, or point [seal] key_file at it", .0.display())]
    KeyFileMissing(PathBuf),
    /// Shares that make no key at all.
    #[error("failed to compute combined key: {0}")]
    NoKey(String),
    /// The same at unsealing.
    #[error("invalid key: failed to compute combined key: {0}")]
    UnsealsNothing(String),
    /// Shares that make another key, and what was tried with it. Vault's sentence: clients and people look for it.
    #[error("{0}: cipher: message authentication failed")]
    WrongKey(&'static str),
    /// A machine unseals, and nobody holds shares of a recovery key.
    #[error(
        "there is no recovery key\nhelp: the broker unseals itself when it is started again; recovery shares are made at init alone, by `recovery_shares`"
    )]
    NoRecoveryKey,
    /// A share that was given in this attempt.
    #[error("given key has already been provided during this generation operation")]
    GivenTwice,
    /// Of another attempt; holds what it is for, and the nonce of the one under way.
    #[error("incorrect nonce supplied; nonce for this {0} operation is \"{1}\"")]
    Nonce(&'static str, String),
    /// One is under way.
    #[error("rekey already in progress")]
    RekeyInProgress,
    /// None is under way; holds of what.
    #[error("no {0} rekey in progress")]
    NoRekey(&'static str),
    /// None is under way whose verification could be shown.
    #[error("no rekey configuration found")]
    NoRekeyToVerify,
    /// Nothing waits to be verified.
    #[error("no rekey verification in progress")]
    NoVerification,
    /// Its shares are given, and are to be verified.
    #[error(
        "rekey operation already finished; verification must be performed; nonce for the verification operation is \"{0}\""
    )]
    VerificationNeeded(String),
    /// A machine unseals: there are no shares to replace.
    #[error("rekeying of barrier not supported when stored key support is available")]
    NothingToRekey,
    /// Shares unseal: there is no recovery key to replace.
    #[error("recovery rekeying not supported")]
    NoRecovery,
    /// One is under way.
    #[error("root generation already in progress")]
    GenerationInProgress,
    /// None is under way.
    #[error("no root generation in progress")]
    NoGeneration,
    /// The one-time password has not the length of a token.
    #[error("OTP string is wrong length")]
    OtpLength,
    /// What is to be served cannot be taken up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The same.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A key of AWS KMS does not do its work.
    #[error("the key of AWS KMS: {0}")]
    Kms(AwsError),
    /// The key file or the barrier.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The root token cannot be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
