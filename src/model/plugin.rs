//! A plugin: the WebAssembly component of a guardrail, named by the digest of its bytes. Names and versions are what the
//! component says of itself and point at one digest for good. Plain data: what may be uploaded is the engine's
//! ([`crate::engine`]), what is stored [`crate::store::plugins`]'s.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names::name;
use super::{Accessor, InvalidName, Timestamp};

/// What digests begin with.
const ALGORITHM: &str = "sha256:";

name! {
    /// SHA-256 of a component's bytes as they were uploaded: `sha256:` and 64 lower-case hex digits.
    PluginDigest, "plugin digest", |text| {
        text.strip_prefix(ALGORITHM).is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        })
    }
}
name! {
    /// The name that a plugin gives itself: 1 to 64 of `[a-z0-9-]`, no dash in front (the contract's form of ids).
    PluginName, "plugin name", |text| {
        let plain = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        (1..=64).contains(&text.len())
            && text.as_bytes().first().is_some_and(plain)
            && text.bytes().all(|c| plain(&c) || c == b'-')
    }
}
name! {
    /// A version by <https://semver.org>: `1.4.0`, `2.0.0-rc.1`, `1.0.0+build.5`; at most 64 bytes.
    SemanticVersion, "semantic version (like 1.4.0)", is_version
}

impl PluginDigest {
    /// Of bare hex digits.
    pub fn of_hex(hex: &str) -> Result<Self, InvalidName> {
        format!("{ALGORITHM}{hex}").parse()
    }

    /// The bare hex digits.
    pub fn hex(&self) -> &str {
        self.as_str().strip_prefix(ALGORITHM).unwrap_or_default()
    }
}

fn is_version(text: &str) -> bool {
    let (rest, build) = split(text, '+');
    let (core, early) = split(rest, '-');
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|c| c.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    text.len() <= 64
        && core.split('.').count() == 3
        && core.split('.').all(is_number)
        && early.is_none_or(|early| {
            early.split('.').all(|part| is_word(part) && (!is_digits(part) || is_number(part)))
        })
        && build.is_none_or(|build| build.split('.').all(is_word))
}

/// What is in front of the first `mark`, and what is behind it.
fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((front, behind)) => (front, Some(behind)),
        None => (text, None),
    }
}

impl SemanticVersion {
    /// Which of two is newer: the precedence of semantic versions, and by text where that sees no difference.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let core = |version: &Self| {
            let (rest, _) = split(version.as_str(), '+');
            let (core, early) = split(rest, '-');
            (core.to_owned(), early.map(str::to_owned))
        };
        let ((one, one_early), (two, two_early)) = (core(self), core(other));
        dotted(&one, &two)
            .then_with(|| match (one_early, two_early) {
                (None, None) => Ordering::Equal,
                // What comes before a release is older than the release.
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(two)) => dotted(&one, &two),
            })
            .then_with(|| self.cmp(other))
    }
}

/// Part by part: numbers by value and below words, the shorter of two that begin alike first.
fn dotted(one: &str, two: &str) -> Ordering {
    let part = |text: &str| {
        let is_number = text.bytes().all(|c| c.is_ascii_digit());
        // A number without zeros in front is larger when it is longer.
        (!is_number, if is_number { text.len() } else { 0 }, text.to_owned())
    };
    one.split('.').map(part).cmp(two.split('.').map(part))
}

/// What is known of a stored plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRecord {
    /// Of its bytes.
    pub digest: PluginDigest,
    /// As it says itself.
    pub name: PluginName,
    /// As it says itself.
    pub version: SemanticVersion,
    /// Size of the component in bytes.
    pub bytes: u64,
    /// What it may call, read from the component: all that it can do.
    pub imports: Vec<String>,
    /// What it says of itself, with its rules: `manifest` of the contract.
    pub manifest: serde_json::Value,
    /// JSON Schema (2020-12) of its settings.
    pub settings_schema: serde_json::Value,
    /// How the tests of its package went.
    pub tests: PluginTests,
    /// Every signature that came with it, trusted or not.
    pub signatures: Vec<PluginSignature>,
    /// When its bytes were first stored.
    pub uploaded_at: Timestamp,
    /// By whom.
    pub uploaded_by: Uploader,
}

/// How the tests that a package carries went when it was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PluginTests {
    /// There were none.
    None,
    /// They were not run, since the one who uploaded said so.
    Skipped {
        /// How many there are.
        cases: u32,
    },
    /// All passed; what fails is not stored.
    Passed {
        /// How many there are.
        cases: u32,
        /// Most fuel that one of them took.
        most_fuel: u64,
    },
}

/// Who vouches for a plugin: an Ed25519 signature over its name, version and digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PluginSignature {
    /// Short name of the key, made of its public half: `ed25519:` and 32 hex digits.
    pub key_id: String,
    /// The 64 bytes of the signature in base64.
    pub signature: String,
}

/// Who uploaded a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploader {
    /// Public handle of the token.
    pub accessor: Accessor,
    /// Display name of the token.
    pub display_name: String,
}

/// A stored plugin in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginVersion {
    /// Which plugin.
    pub name: PluginName,
    /// Which version of it.
    pub version: SemanticVersion,
    /// What it points at.
    pub digest: PluginDigest,
    /// Size of the component in bytes.
    pub bytes: u64,
    /// When its bytes were first stored.
    pub uploaded_at: Timestamp,
}

impl fmt::Display for PluginVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_names_its_algorithm() {
        let hex = "0a".repeat(32);
        let digest = PluginDigest::of_hex(&hex).unwrap();
        assert_eq!(digest.to_string(), format!("sha256:{hex}"));
        assert_eq!(digest.hex(), hex);
        for bad in
            [&hex, "sha256:", "sha256:0A", &format!("sha512:{hex}"), &format!("sha256:{hex}0")]
        {
            assert!(bad.parse::<PluginDigest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_of_the_contracts_form() {
        for good in ["least-privilege", "a", "9-lives"] {
            good.parse::<PluginName>().unwrap();
        }
        for bad in ["", "-a", "A", "a_b", "a/b", "a.b", &"a".repeat(65)] {
            assert!(bad.parse::<PluginName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_a_semantic_one() {
        for good in ["0.0.0", "1.2.3", "1.0.0-rc.1", "1.0.0-0a.x-y", "1.0.0+001", "1.0.0-a+b.c"] {
            good.parse::<SemanticVersion>().unwrap();
        }
        for bad in [
            "",
            "1",
            "1.2",
            "v1.2.3",
            "1.2.3.4",
            "01.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0+",
            "1.0.0-a..b",
            "1.0.0/x",
        ] {
            assert!(bad.parse::<SemanticVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_ordered_as_semver_does() {
        // The example of semver.org, section 11, and numbers beyond a digit.
        let wanted = [
            "0.9.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.0+b",
            "2.1.0",
            "2.1.1",
        ];
        let mut sorted: Vec<SemanticVersion> =
            wanted.iter().rev().map(|text| text.parse().unwrap()).collect();
        sorted.sort_by(SemanticVersion::precedence);
        let texts: Vec<&str> = sorted.iter().map(SemanticVersion::as_str).collect();
        assert_eq!(texts, wanted);
    }
}
