//! Values that must never be printed. They wipe themselves, show `[redacted]`, are compared in constant time, and implement
//! neither `Display` nor `Serialize`. `expose()` is called in `http/envelope.rs`, `aws/sdk.rs` and `seal/`
//! only; `tests/it/architecture.rs` holds that list.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes hold of a secret.
            pub fn new(value: impl Into<String>) -> Self {
                Self(Zeroizing::new(value.into()))
            }

            /// The secret itself. Three places may call this: see the module.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Whether there is nothing in it.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

secret! {
    /// The secret half of an AWS access key.
    SecretAccessKey
}
secret! {
    /// The session token of temporary AWS credentials.
    SessionToken
}
secret! {
    /// The code that a second factor shows, good for one call.
    MfaCode
}
secret! {
    /// The password of a person.
    Password
}
secret! {
    /// A secret id of AppRole.
    SecretId
}
secret! {
    /// A text that holds a secret among other things.
    SecretText
}
secret! {
    /// A signed token that a machine proves itself with.
    Jwt
}
secret! {
    /// A Leasehold token as its holder sends it.
    ClientToken
}

/// A key that unseals, or a share of one: bytes, compared in constant time.
#[derive(Clone)]
pub struct KeyShare(Zeroizing<Vec<u8>>);

impl KeyShare {
    /// Takes hold of a secret.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The secret itself. Three places may call this: see the module.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for KeyShare {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for KeyShare {}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted() {
        assert_eq!(format!("{:?}", SecretAccessKey::new("hunter2")), "[redacted]");
        assert_eq!(format!("{:?}", KeyShare::new(b"hunter2")), "[redacted]");
    }

    #[test]
    fn secrets_are_the_same_where_their_bytes_are() {
        assert_eq!(ClientToken::new("a"), ClientToken::new("a"));
        assert_ne!(ClientToken::new("a"), ClientToken::new("b"));
        assert_ne!(ClientToken::new("a"), ClientToken::new("ab"));
        assert_eq!(KeyShare::new(b"a"), KeyShare::new(b"a"));
        assert_ne!(KeyShare::new(b"a"), KeyShare::new(b"b"));
        assert_ne!(KeyShare::new(b"a"), KeyShare::new(b"ab"));
    }
}
