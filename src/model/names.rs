//! Names, parsed once at the door. Inside, holding the type means that the text is well formed.
//! Rules are Vault's (contract 0.4, 1.5) and IAM's (API reference, `CreateUser`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {kind}")]
pub struct InvalidName {
    /// What it should have been.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { kind: $kind, given: text.to_owned() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

pub(super) use name;

name! {
    /// The name of a role (contract 0.4): word characters at both ends, `-`, `.`, `@` inside, ASCII.
    RoleName, "role name", |text| {
        let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
        let bytes = text.as_bytes();
        bytes.first().is_some_and(word)
            && bytes.last().is_some_and(word)
            && bytes.iter().all(|c| word(c) || matches!(c, b'-' | b'.' | b'@'))
    }
}
name! {
    /// Where an engine is mounted: no slash in front, one behind, e.g. `aws/`.
    MountPath, "mount path", |text| {
        text.len() > 1
            && text.ends_with('/')
            && !text.starts_with('/')
            && !text.contains("//")
            && text.split('/').all(|part| part != "." && part != "..")
            && !text.chars().any(char::is_control)
    }
}
name! {
    /// The name of an IAM user: 1 to 64 of `[\w+=,.@-]` (IAM API reference, `CreateUser`).
    UserName, "IAM user name", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c))
    }
}
name! {
    /// The name of an IAM group: 1 to 128 of `[\w+=,.@-]` (IAM API reference, `AddUserToGroup`).
    GroupName, "IAM group name", |text| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c))
    }
}
name! {
    /// The ARN of a managed policy. Vault does not look at its form; AWS does, at issue.
    PolicyArn, "policy ARN", |text| !text.is_empty()
}
name! {
    /// The public half of an AWS access key, e.g. `AKIA…`.
    AccessKeyId, "access key id", |text| {
        !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
    }
}
name! {
    /// The 24 random characters that end a lease id, and the value of the tag `leasehold:lease`.
    LeaseTag, "lease tag", |text| text.len() == 24 && text.bytes().all(|c| c.is_ascii_alphanumeric())
}
name! {
    /// `<mount>/<creds or sts>/<role>/<24 base62 characters>` (contract 1.5).
    LeaseId, "lease id", |text| {
        text.rsplit_once('/').is_some_and(|(path, tag)| !path.is_empty() && tag.parse::<LeaseTag>().is_ok())
    }
}

impl LeaseId {
    /// Builds the id of a lease under `mount`; `endpoint` is `creds` or `sts`, as it was asked for.
    pub fn new(mount: &MountPath, endpoint: &str, role: &RoleName, tag: &LeaseTag) -> Self {
        Self(format!("{mount}{endpoint}/{role}/{tag}"))
    }

    /// The random end, which AWS carries as a tag.
    pub fn tag(&self) -> LeaseTag {
        LeaseTag(self.0.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_are_vaults() {
        for good in ["a", "_", "my-role", "a.b@c", "10"] {
            assert!(good.parse::<RoleName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a/b", "é", "a b", ".", "@"] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn mount_paths_end_in_one_slash() {
        assert!("aws/".parse::<MountPath>().is_ok());
        assert!("team/aws/".parse::<MountPath>().is_ok());
        for bad in ["", "/", "aws", "/aws/", "a//b/", "../x/"] {
            assert!(bad.parse::<MountPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lease_id_gives_back_its_tag() {
        let tag: LeaseTag = "abcdefghijklmnopqrstuvwx".parse().unwrap();
        let id = LeaseId::new(&"aws/".parse().unwrap(), "creds", &"r".parse().unwrap(), &tag);
        assert_eq!(id.as_str(), "aws/creds/r/abcdefghijklmnopqrstuvwx");
        assert_eq!(id.tag(), tag);
        assert_eq!(id.as_str().parse::<LeaseId>().unwrap(), id);
    }
}
