//! Whose signature on a plugin is believed: keys of the configuration, each for the names that it may sign. Looks at
//! names, digests and signatures alone, so that it can be asked before a component is touched. Asked at upload and again
//! whenever a stored plugin is loaded.

use guardrail_kit::package::{PublicKey, Signature, Statement};
use iam_policy::wildcard;

/// Who may sign what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whether a plugin without a trusted signature is refused.
    pub require_signature: bool,
    /// The keys.
    pub keys: Vec<TrustedKey>,
}

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// What people call it.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Names of the plugins that it may sign, with `*` and `?`.
    pub plugins: Vec<String>,
}

/// A signature as it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Short name of the key.
    pub key_id: String,
    /// The name of the trusted key that made it; `None` where its key is not trusted for this plugin.
    pub trusted_as: Option<String>,
}

/// Why a plugin is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// A signature in the name of a trusted key that this key did not make over this plugin.
    #[error(
        "a signature on `{plugin}` is in the name of `{key}` ({key_id}) and was not made by it over these bytes, this name and this version\nhelp: do not use it; get it again from where it was made"
    )]
    Forged {
        /// Name and version.
        plugin: String,
        /// What people call the key.
        key: String,
        /// Its id.
        key_id: String,
    },
    /// Nobody who is trusted signed it.
    #[error(
        "`{plugin}` has no signature that is trusted: it is signed by {}, and trusted for `{name}` are {}\nhelp: `leasehold plugin sign FILE --key KEY`, or add the key to `plugins.trusted_keys`",
        listed(signed_by),
        listed(trusted)
    )]
    NobodyTrusted {
        /// Name and version.
        plugin: String,
        /// Its name.
        name: String,
        /// Ids of the keys that signed.
        signed_by: Vec<String>,
        /// Names and ids of the keys that may sign a plugin of this name.
        trusted: Vec<String>,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

impl Trust {
    /// Judges the signatures on a plugin; refuses forged ones always, and missing ones where they are required.
    pub fn judge(
        &self,
        statement: &Statement<'_>,
        signatures: &[Signature],
    ) -> Result<Vec<Signer>, Untrusted> {
        let signers = signatures.iter().map(|signature| self.signer(statement, signature));
        let signers = signers.collect::<Result<Vec<_>, _>>()?;
        if self.require_signature && signers.iter().all(|signer| signer.trusted_as.is_none()) {
            return Err(Untrusted::NobodyTrusted {
                plugin: named(statement),
                name: statement.name.to_owned(),
                signed_by: signers.into_iter().map(|signer| signer.key_id).collect(),
                trusted: self.trusted_for(statement.name),
            });
        }
        Ok(signers)
    }

    /// The signatures on a plugin that is stored already, as they are seen now; a forged one is nobody's.
    pub fn signers(&self, statement: &Statement<'_>, signatures: &[Signature]) -> Vec<Signer> {
        let seen = |signature: &Signature| match self.signer(statement, signature) {
            Ok(signer) => signer,
            Err(_forged) => Signer { key_id: shown(&signature.key_id), trusted_as: None },
        };
        signatures.iter().map(seen).collect()
    }

    fn signer(
        &self,
        statement: &Statement<'_>,
        signature: &Signature,
    ) -> Result<Signer, Untrusted> {
        let known = self.keys.iter().find(|trusted| signature.is_by(&trusted.key));
        if let Some(trusted) = known
            && !signature.verifies(&trusted.key, statement)
        {
            let (key, key_id) = (trusted.name.clone(), trusted.key.id());
            return Err(Untrusted::Forged { plugin: named(statement), key, key_id });
        }
        let trusted_as = known.filter(|trusted| trusted.may_sign(statement.name));
        let trusted_as = trusted_as.map(|key| key.name.clone());
        Ok(Signer { key_id: shown(&signature.key_id), trusted_as })
    }

    fn trusted_for(&self, plugin: &str) -> Vec<String> {
        let keys = self.keys.iter().filter(|trusted| trusted.may_sign(plugin));
        keys.map(|trusted| format!("`{}` ({})", trusted.name, trusted.key.id())).collect()
    }
}

fn named(statement: &Statement<'_>) -> String {
    format!("{} {}", statement.name, statement.version)
}

/// A key id that a stranger wrote, on one line and not at any length.
fn shown(key_id: &str) -> String {
    key_id.chars().take(64).flat_map(char::escape_debug).collect()
}

impl TrustedKey {
    fn may_sign(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|pattern| wildcard::matches(pattern, plugin))
    }
}

#[cfg(test)]
mod tests {
    use guardrail_kit::package::SigningKey;
    use ring::rand::SystemRandom;

    use super::*;

    const PLUGIN: Statement<'_> =
        Statement { name: "deny-list", version: "1.0.0", digest: "sha256:0a" };

    fn key() -> SigningKey {
        SigningKey::generate(&SystemRandom::new()).unwrap().0
    }

    fn trust(key: &SigningKey, plugins: &str, require_signature: bool) -> Trust {
        let (name, plugins) = ("ci".to_owned(), vec![plugins.to_owned()]);
        Trust { require_signature, keys: vec![TrustedKey { name, key: key.public(), plugins }] }
    }

    #[test]
    fn a_signature_of_a_trusted_key_is_taken() {
        let key = key();
        let signature = Signature::make(&key, &PLUGIN);
        let signers = trust(&key, "deny-*", true).judge(&PLUGIN, &[signature]).unwrap();
        let trusted_as = Some("ci".to_owned());
        assert_eq!(signers, [Signer { key_id: key.public().id(), trusted_as }]);
    }

    #[test]
    fn without_one_it_is_refused_where_signatures_are_required_and_both_sides_are_named() {
        let (ours, theirs) = (key(), key());
        let signature = Signature::make(&theirs, &PLUGIN);
        let refused = trust(&ours, "*", true).judge(&PLUGIN, &[signature.clone()]).unwrap_err();
        let told = refused.to_string();
        assert!(told.contains(&theirs.public().id()), "{told}");
        assert!(told.contains(&format!("`ci` ({})", ours.public().id())), "{told}");
        let told = trust(&ours, "other", true).judge(&PLUGIN, &[]).unwrap_err().to_string();
        assert!(
            told.contains("signed by nobody, and trusted for `deny-list` are nobody"),
            "{told}"
        );
        let signers = trust(&ours, "*", false).judge(&PLUGIN, &[signature]).unwrap();
        assert_eq!(signers, [Signer { key_id: theirs.public().id(), trusted_as: None }]);
    }

    #[test]
    fn a_key_signs_the_names_that_it_may() {
        let key = key();
        let signature = Signature::make(&key, &PLUGIN);
        let elsewhere = trust(&key, "ttl-*", false);
        assert_eq!(elsewhere.judge(&PLUGIN, &[signature.clone()]).unwrap()[0].trusted_as, None);
        trust(&key, "ttl-*", true).judge(&PLUGIN, &[signature]).unwrap_err();
    }

    #[test]
    fn a_forged_signature_is_refused_even_where_none_is_required() {
        let key = key();
        let other = Statement { digest: "sha256:0b", ..PLUGIN };
        let signature = Signature::make(&key, &other);
        let refused = trust(&key, "*", false).judge(&PLUGIN, &[signature]).unwrap_err();
        assert!(matches!(refused, Untrusted::Forged { .. }), "{refused}");
    }
}
