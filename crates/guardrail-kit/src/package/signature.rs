//! Who vouches for a component: an Ed25519 signature over its name, version and digest. It covers the component and
//! nothing else of a package. Which keys are believed is for the one who loads it to say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, SigningKey};

/// The one algorithm (RFC 8032).
pub const ALGORITHM: &str = "ed25519";
/// First line of what is signed, so that no other text can be taken for it.
const DOMAIN: &str = "leasehold guardrail signature v1";

/// What is signed: four lines, each ended by a line feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Of the plugin.
    pub name: &'a str,
    /// Of the plugin.
    pub version: &'a str,
    /// `sha256:` and hex.
    pub digest: &'a str,
}

impl Statement<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self { name, version, digest } = self;
        format!("{DOMAIN}\n{name}\n{version}\n{digest}\n").into_bytes()
    }
}

/// A signature with the name of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// [`PublicKey::id`].
    pub key_id: String,
    /// [`ALGORITHM`].
    pub algorithm: String,
    /// The 64 bytes in base64.
    pub signature: String,
}

impl Signature {
    /// Signs.
    pub fn make(key: &SigningKey, statement: &Statement<'_>) -> Self {
        Self {
            key_id: key.public().id(),
            algorithm: ALGORITHM.to_owned(),
            signature: key.sign(&statement.bytes()),
        }
    }

    /// Whether it names this key.
    pub fn is_by(&self, key: &PublicKey) -> bool {
        self.algorithm == ALGORITHM && self.key_id == key.id()
    }

    /// Whether this key made it over exactly this.
    pub fn verifies(&self, key: &PublicKey, statement: &Statement<'_>) -> bool {
        let bytes = STANDARD.decode(&self.signature).unwrap_or_default();
        self.algorithm == ALGORITHM && key.verifies(&statement.bytes(), &bytes)
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_and_its_statement_alone() {
        let key = || SigningKey::generate(&SystemRandom::new()).unwrap().0;
        let (key, other) = (key(), key());
        let statement = Statement { name: "deny-list", version: "1.0.0", digest: "sha256:0a" };
        let signature = Signature::make(&key, &statement);
        assert!(signature.is_by(&key.public()) && !signature.is_by(&other.public()));
        assert!(signature.verifies(&key.public(), &statement));
        assert!(!signature.verifies(&other.public(), &statement));
        for changed in [
            Statement { name: "deny-lis", ..statement },
            Statement { version: "1.0.1", ..statement },
            Statement { digest: "sha256:0b", ..statement },
        ] {
            assert!(!signature.verifies(&key.public(), &changed), "{changed:?}");
        }
        let forged = Signature { signature: "AAAA".to_owned(), ..signature.clone() };
        assert!(!forged.verifies(&key.public(), &statement));
        let named = Signature { algorithm: "none".to_owned(), ..signature };
        assert!(!named.verifies(&key.public(), &statement));
    }
}
