//! What unseals, as a configuration says it. Which of it can be used depends on what the database was sealed with:
//! that is [`crate::custody`]'s to see.

use std::path::{Path, PathBuf};

use super::file::{AwsKmsFile, SealFile};
use super::{ConfigError, invalid};

/// What unseals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// A key that is lost with the process: development mode without a data directory.
    Memory,
    /// A key in a file.
    KeyFile(PathBuf),
    /// A key in AWS KMS.
    AwsKms(AwsKms),
    /// Nothing is said: shares of a key, for a new installation. One that was initialised with a key file by an
    /// earlier release keeps it, where it was.
    Unsaid {
        /// Where that key file is.
        key_file: PathBuf,
    },
    /// Shares of a key.
    Shamir,
}

/// A key in AWS KMS; the names are Vault's. Credentials come from the SDK's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKms {
    /// Id, ARN or alias of the key.
    pub kms_key_id: String,
    /// Empty = the environment's, else `us-east-1`.
    pub region: String,
    /// Full URL; empty = AWS's.
    pub endpoint: String,
}

impl Seal {
    /// Vault's name for the kind of it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Memory | Self::KeyFile(_) => "static",
            Self::AwsKms(_) => "awskms",
            Self::Unsaid { .. } | Self::Shamir => "shamir",
        }
    }

    /// The key file that unseals, or that would if this is an installation of an earlier release.
    pub fn key_file(&self) -> Option<&Path> {
        match self {
            Self::KeyFile(path) | Self::Unsaid { key_file: path } => Some(path),
            Self::Memory | Self::AwsKms(_) | Self::Shamir => None,
        }
    }
}

/// `dev` unseals itself.
pub(super) fn seal(
    file: SealFile,
    data_dir: Option<&Path>,
    dev: bool,
) -> Result<Seal, ConfigError> {
    let SealFile { kind, key_file, awskms } = file;
    let own = data_dir.map(|dir| dir.join("seal.key"));
    match (kind.as_deref(), key_file, awskms) {
        (None | Some("static"), Some(path), None) => Ok(Seal::KeyFile(path)),
        (Some("static"), None, None) => Ok(own.map_or(Seal::Memory, Seal::KeyFile)),
        (None | Some("awskms"), None, Some(file)) => kms(file).map(Seal::AwsKms),
        (Some("awskms"), None, None) => {
            let help = "help: e.g. [seal.awskms] kms_key_id = \"alias/leasehold\"";
            Err(invalid("seal.awskms", format!("missing, but type is `awskms`\n{help}")))
        }
        (Some("shamir"), None, None) if dev => {
            Err(invalid("seal.type", "`shamir` is not for development mode, which unseals itself"))
        }
        (Some("shamir"), None, None) => Ok(Seal::Shamir),
        (Some(other), _, _) if !["shamir", "static", "awskms"].contains(&other) => {
            Err(invalid("seal.type", format!("`{other}` is none of `shamir`, `static`, `awskms`")))
        }
        (_, Some(_), Some(_)) | (Some(_), _, _) => {
            Err(invalid("seal", "there can be one: a key file, a key of AWS KMS, or shares"))
        }
        (None, None, None) => Ok(match own {
            None => Seal::Memory,
            Some(path) if dev => Seal::KeyFile(path),
            Some(key_file) => Seal::Unsaid { key_file },
        }),
    }
}

fn kms(file: AwsKmsFile) -> Result<AwsKms, ConfigError> {
    let AwsKmsFile { kms_key_id, region, endpoint } = file;
    if kms_key_id.is_empty() {
        return Err(invalid("seal.awskms.kms_key_id", "empty"));
    }
    let is_url = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    if !endpoint.is_empty() && !is_url {
        return Err(invalid("seal.awskms.endpoint", format!("`{endpoint}` is not a URL")));
    }
    Ok(AwsKms { kms_key_id, region, endpoint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dev: bool) -> Result<Seal, String> {
        let file: SealFile = toml::from_str(text).map_err(|error| error.to_string())?;
        seal(file, Some(Path::new("/d")), dev).map_err(|error| error.to_string())
    }

    #[test]
    fn shares_unseal_where_nothing_is_said_and_development_mode_unseals_itself() {
        let own = PathBuf::from("/d/seal.key");
        assert_eq!(read("", false), Ok(Seal::Unsaid { key_file: own.clone() }));
        assert_eq!(read("", true), Ok(Seal::KeyFile(own.clone())));
        assert_eq!(read("type = \"static\"", false), Ok(Seal::KeyFile(own)));
        assert_eq!(read("type = \"shamir\"", false), Ok(Seal::Shamir));
        assert!(read("type = \"shamir\"", true).is_err());
        assert_eq!(seal(SealFile::default(), None, true).unwrap(), Seal::Memory);
        let named = Seal::KeyFile("/k".into());
        assert_eq!(read("key_file = \"/k\"", false), Ok(named.clone()));
        assert_eq!(named.key_file(), Some(Path::new("/k")));
    }

    #[test]
    fn a_key_of_kms_has_vaults_names() {
        let text = "[awskms]\nkms_key_id = \"alias/x\"\nregion = \"eu-west-1\"\nendpoint = \"http://127.0.0.1:1\"";
        let kms = AwsKms {
            kms_key_id: "alias/x".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: "http://127.0.0.1:1".to_owned(),
        };
        assert_eq!(read(text, false), Ok(Seal::AwsKms(kms.clone())));
        assert_eq!(read(&format!("type = \"awskms\"\n{text}"), false), Ok(Seal::AwsKms(kms)));
        assert!(read("[awskms]\nkms_key_id = \"\"", false).unwrap_err().contains("kms_key_id"));
        assert!(read(&text.replace("http://", ""), false).unwrap_err().contains("endpoint"));
    }

    #[test]
    fn there_is_one_seal() {
        for (text, told) in [
            ("type = \"gcpckms\"", "`gcpckms` is none of"),
            ("type = \"awskms\"", "[seal.awskms] kms_key_id"),
            ("type = \"shamir\"\nkey_file = \"/k\"", "there can be one"),
            ("key_file = \"/k\"\n[awskms]\nkms_key_id = \"x\"", "there can be one"),
            ("type = \"static\"\n[awskms]\nkms_key_id = \"x\"", "there can be one"),
        ] {
            let error = read(text, false).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
