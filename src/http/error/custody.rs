//! What strangers are told of the seal (contract 2.3). No `_` arm: a new variant has to say here what becomes of it.

use super::table::Samples;
use super::{Told, bare, internal, sealed, wrapped};
use crate::aws::AwsError;
use crate::custody::CustodyError;
use crate::http::seal_fields::KeyError;

pub(super) fn custody(error: &CustodyError) -> Told {
    match error {
        CustodyError::Sealed => sealed(),
        CustodyError::AlreadyInitialised
        | CustodyError::NotInitialised
        | CustodyError::Unsealed
        | CustodyError::Shares(..)
        | CustodyError::NotApplicable(..)
        | CustodyError::NotOffered(_)
        | CustodyError::ThresholdAboveShares
        | CustodyError::UnsealsNothing(_)
        | CustodyError::NoRekeyToVerify
        | CustodyError::NoKey(_)
        | CustodyError::WrongKey(_)
        | CustodyError::NoRecoveryKey
        | CustodyError::GivenTwice
        | CustodyError::Nonce(..)
        | CustodyError::RekeyInProgress
        | CustodyError::NoRekey(_)
        | CustodyError::NoVerification
        | CustodyError::VerificationNeeded(_)
        | CustodyError::NothingToRekey
        | CustodyError::NoRecovery
        | CustodyError::GenerationInProgress
        | CustodyError::NoGeneration
        | CustodyError::OtpLength => bare(400, error.to_string()),
        CustodyError::Engine(_) | CustodyError::Audit(_) => wrapped(
            500,
            "internal error\nhelp: the broker stays sealed, since something that it needs could not be taken up; the server's log has the cause",
        ),
        CustodyError::Kms(_) => {
            bare(500, "the key of AWS KMS could not be used\nhelp: the server's log has the cause")
        }
        CustodyError::OtherKind { .. }
        | CustodyError::KeyFileMissing(_)
        | CustodyError::Seal(_)
        | CustodyError::Auth(_)
        | CustodyError::Store(_) => internal(),
    }
}

pub(super) fn samples() -> Samples {
    let shares = CustodyError::Shares("seal", "threshold cannot be larger than shares");
    let wrong = CustodyError::WrongKey(
        "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage",
    );
    vec![
        ("init, again", CustodyError::AlreadyInitialised.into()),
        (
            "init with what the seal does not offer",
            CustodyError::NotApplicable("pgp_keys".to_owned(), "shamir").into(),
        ),
        ("numbers of shares that cannot be", shares.into()),
        ("unsealing what was never initialised", CustodyError::NotInitialised.into()),
        ("unsealing without a key", KeyError::MissingAtUnseal.into()),
        ("a share that is neither hex nor base64", KeyError::Unreadable.into()),
        ("a share that is too short", KeyError::Short.into()),
        ("shares that make another key", wrong.into()),
        ("a rekey with more of a threshold than shares", CustodyError::ThresholdAboveShares.into()),
        ("the verification of no rekey shown", CustodyError::NoRekeyToVerify.into()),
        (
            "shares that unseal nothing",
            CustodyError::UnsealsNothing("all parts must be the same length".to_owned()).into(),
        ),
        (
            "shares that make no key",
            CustodyError::NoKey("all parts must be the same length".to_owned()).into(),
        ),
        ("giving up the unsealing of an unsealed broker", CustodyError::Unsealed.into()),
        ("shares where there is no recovery key", CustodyError::NoRecoveryKey.into()),
        ("migration, backup, PGP", CustodyError::NotOffered("migrate").into()),
        ("a share that was given already", CustodyError::GivenTwice.into()),
        ("a nonce of another attempt", CustodyError::Nonce("rekey", "5b1c…".to_owned()).into()),
        ("a second rekey", CustodyError::RekeyInProgress.into()),
        ("a share for no rekey", CustodyError::NoRekey("barrier").into()),
        ("a share given back to no rekey", CustodyError::NoVerification.into()),
        (
            "an old share after the new were handed out",
            CustodyError::VerificationNeeded("5b1c…".to_owned()).into(),
        ),
        ("rekey of shares where a machine unseals", CustodyError::NothingToRekey.into()),
        ("rekey of a recovery key where people unseal", CustodyError::NoRecovery.into()),
        ("a second root generation", CustodyError::GenerationInProgress.into()),
        ("a share for no root generation", CustodyError::NoGeneration.into()),
        ("a one-time password of another length", CustodyError::OtpLength.into()),
        (
            "a key of AWS KMS that does not do its work",
            CustodyError::Kms(AwsError::NotConfigured(String::new())).into(),
        ),
    ]
}
