//! What unseals: shares of a key that people hold, a key in a file, a key in AWS KMS. It wraps the root key and opens it
//! again; it never keeps what it opened. Which one an installation has is fixed at its init.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CustodyError, Result};
use crate::aws::AwsBackend;
use crate::aws::sdk::Kms;
use crate::clock::Clock;
use crate::config::Seal;
use crate::model::{SealKind, SealRecord};
use crate::random::Random;
use crate::seal::{MasterKey, SealError, key_file, keyring};

/// What unseals.
#[derive(Debug)]
pub enum Device {
    /// Shares of a key.
    Shamir,
    /// A key in a file.
    KeyFile(PathBuf),
    /// A key that is lost with the process.
    Memory(MasterKey),
    /// A key in AWS KMS.
    Kms(Kms),
}

/// What a device is made with.
#[derive(Debug, Clone)]
pub struct DeviceParts {
    /// Makes a key that is kept nowhere.
    pub random: Random,
    /// Where AWS KMS is.
    pub aws: AwsBackend,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What an installation was made with, as far as the database knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeWith {
    /// There is none yet.
    Nothing,
    /// A key file, by a release without keyrings.
    KeyOfOld,
    /// This kind of seal.
    Kind(SealKind),
}

impl Device {
    /// The device that a configuration names, if it is of the installation's kind.
    pub fn of(seal: &Seal, made_with: MadeWith, with: &DeviceParts) -> Result<Self> {
        let device = match (seal, made_with) {
            (Seal::Memory, _) => Self::Memory(MasterKey::generate(&with.random)),
            (Seal::KeyFile(path), _) => Self::KeyFile(path.clone()),
            (Seal::AwsKms(settings), _) => Self::Kms(Kms::new(
                settings.kms_key_id.clone(),
                settings.region.clone(),
                settings.endpoint.clone(),
                with.aws.clone(),
                Arc::clone(&with.clock),
            )),
            (Seal::Unsaid { key_file }, MadeWith::KeyOfOld | MadeWith::Kind(SealKind::Static)) => {
                Self::KeyFile(key_file.clone())
            }
            (Seal::Unsaid { .. } | Seal::Shamir, _) => Self::Shamir,
        };
        let stored = match made_with {
            MadeWith::Nothing => return Ok(device),
            MadeWith::KeyOfOld => SealKind::Static,
            MadeWith::Kind(kind) => kind,
        };
        if stored == device.kind() {
            return Ok(device);
        }
        let (stored, configured) = (stored.as_str(), device.kind().as_str());
        Err(CustodyError::OtherKind { stored, configured })
    }

    /// Its kind.
    pub const fn kind(&self) -> SealKind {
        match self {
            Self::Shamir => SealKind::Shamir,
            Self::KeyFile(_) | Self::Memory(_) => SealKind::Static,
            Self::Kms(_) => SealKind::AwsKms,
        }
    }

    /// Wraps the root key of a new installation; `share_key` is what shares are made of, where they unseal.
    pub(super) async fn wrap_first(
        &self,
        root: &MasterKey,
        share_key: &MasterKey,
        random: &Random,
    ) -> Result<Vec<u8>> {
        match self {
            Self::Shamir => Ok(keyring::wrap_root(share_key, root, random)?),
            Self::Memory(key) => Ok(keyring::wrap_root(key, root, random)?),
            Self::KeyFile(path) => {
                // One that is there is left of an init that was cut short.
                let key = if let Some(left_over) = key_file::read(path)? {
                    left_over
                } else {
                    let fresh = MasterKey::generate(random);
                    key_file::create(path, &fresh)?;
                    fresh
                };
                Ok(keyring::wrap_root(&key, root, random)?)
            }
            Self::Kms(kms) => kms.wrap(&root.to_share()).await.map_err(CustodyError::Kms),
        }
    }

    /// Wraps the root key by the key file of an installation of old.
    pub(super) fn wrap_by_file(
        key: &MasterKey,
        root: &MasterKey,
        random: &Random,
    ) -> Result<Vec<u8>> {
        Ok(keyring::wrap_root(key, root, random)?)
    }

    /// The root key, where a machine unseals; `None` where people do.
    pub(super) async fn open_by_itself(&self, record: &SealRecord) -> Result<Option<MasterKey>> {
        let wrapped = &record.wrapped_root;
        let wrong = |error: SealError| {
            let other_key = matches!(error, SealError::NotOpened { .. });
            if other_key { SealError::WrongKey } else { error }
        };
        let opened = match self {
            Self::Shamir => return Ok(None),
            Self::Memory(key) => keyring::unwrap_root(key, wrapped).map_err(wrong)?,
            Self::KeyFile(_) => {
                keyring::unwrap_root(&self.key_of_file()?, wrapped).map_err(wrong)?
            }
            Self::Kms(kms) => {
                let key = kms.unwrap(wrapped).await.map_err(CustodyError::Kms)?;
                MasterKey::of_share(&key).ok_or(SealError::WrongKey)?
            }
        };
        Ok(Some(opened))
    }

    /// The key in the file.
    pub(super) fn key_of_file(&self) -> Result<MasterKey> {
        match self {
            Self::KeyFile(path) => {
                let missing = || CustodyError::KeyFileMissing(path.clone());
                key_file::read(path)?.ok_or_else(missing)
            }
            Self::Memory(key) => Ok(key.clone()),
            Self::Shamir | Self::Kms(_) => Err(CustodyError::NotInitialised),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(seal: &Seal, made_with: MadeWith) -> std::result::Result<SealKind, String> {
        let parts = DeviceParts {
            random: Random::seeded(1),
            aws: AwsBackend::Real,
            clock: Arc::new(crate::clock::SystemClock),
        };
        let device = Device::of(seal, made_with, &parts);
        device.map(|device| device.kind()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_installation_keeps_the_seal_that_it_was_made_with() {
        let unsaid = Seal::Unsaid { key_file: "/d/seal.key".into() };
        let file = Seal::KeyFile("/k".into());
        assert_eq!(kind(&unsaid, MadeWith::Nothing), Ok(SealKind::Shamir));
        assert_eq!(kind(&unsaid, MadeWith::KeyOfOld), Ok(SealKind::Static));
        assert_eq!(kind(&unsaid, MadeWith::Kind(SealKind::Static)), Ok(SealKind::Static));
        assert_eq!(kind(&unsaid, MadeWith::Kind(SealKind::Shamir)), Ok(SealKind::Shamir));
        assert_eq!(kind(&file, MadeWith::KeyOfOld), Ok(SealKind::Static));
        for (seal, made_with) in [
            (&file, MadeWith::Kind(SealKind::Shamir)),
            (&unsaid, MadeWith::Kind(SealKind::AwsKms)),
            (&Seal::Shamir, MadeWith::Kind(SealKind::Static)),
            (&Seal::Shamir, MadeWith::KeyOfOld),
        ] {
            let told = kind(seal, made_with).unwrap_err();
            assert!(told.starts_with("this installation is sealed by `"), "{told}");
        }
    }
}
