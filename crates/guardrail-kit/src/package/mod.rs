//! A guardrail as one file, `NAME-VERSION.guardrail`: an uncompressed POSIX tar of the component, its tests and the
//! signatures on it. Reading is strict and bounded: what is no package of ours is refused with a sentence, and nothing
//! that was not looked at comes in. Knows nothing of files or servers; judges no component, see [`Package::fits`].
//!
//! | file | holds |
//! |---|---|
//! | `read`, `write` | bytes to a [`Package`] and back |
//! | [`key`] | Ed25519 keys as files and in a configuration |
//! | [`signature`] | what is signed, and by whom |
//! | [`trial`] | the tests of a package, run |

pub mod key;
mod read;
pub mod signature;
pub mod trial;
mod write;

use guardrail_host::Plugin;
use serde::{Deserialize, Serialize};

pub use key::{KeyError, PublicKey, SigningKey};
pub use signature::{Signature, Statement};

/// Most bytes of a package: the largest component (24 MiB) and its tests.
pub const MAX_BYTES: usize = 28 << 20;
/// The form of `package.json` that this reads and writes.
pub const FORMAT: u32 = 1;
/// The contract that packages are made for.
pub const CONTRACT: &str = "leasehold:guardrail@1.0.0";

/// The first entry; its name at the beginning of the file is what a package is told by.
const COMPONENT: &str = "component.wasm";
const ABOUT: &str = "package.json";
const SCHEMA: &str = "settings.schema.json";
const README: &str = "README.md";
const TESTS: &str = "tests/";
const SIGNATURES: &str = "signatures/";

/// A guardrail with all that travels with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The WebAssembly component.
    pub component: Vec<u8>,
    /// What it is; of the component in it, or it is not read.
    pub about: About,
    /// JSON Schema of its settings, for those who cannot ask the component.
    pub settings_schema: String,
    /// For people.
    pub readme: Option<String>,
    /// Vectors, in the order of their names.
    pub tests: Vec<TestFile>,
    /// Who vouches for the component.
    pub signatures: Vec<Signature>,
}

/// `package.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// [`FORMAT`].
    pub format: u32,
    /// As the component says.
    pub name: String,
    /// As the component says.
    pub version: String,
    /// `sha256:` and the hex digest of `component.wasm`.
    pub digest: String,
    /// The contract that it was built for.
    pub contract: String,
    /// The program that made the package.
    pub created_by: String,
}

/// A vector as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    /// Its name below `tests/`.
    pub name: String,
    /// Its text, not looked at yet.
    pub bytes: Vec<u8>,
}

/// Why bytes are no package, or why one cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PackageError {
    /// Too many bytes.
    #[error("the package has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Not an archive, or a broken one.
    #[error(
        "this is neither a component nor a package: {0}\nhelp: `leasehold plugin package` makes one"
    )]
    NotAPackage(String),
    /// One entry is not as it has to be.
    #[error("the package's entry `{}` {why}", .name.escape_debug())]
    Entry {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// An entry that every package has is not there.
    #[error("the package has no `{0}`")]
    Missing(&'static str),
    /// Bytes behind the last entry.
    #[error("the package has something behind its end")]
    Trailing,
    /// More entries of a kind than are read.
    #[error("the package has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// It was made by a newer program.
    #[error("the package is of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    /// `package.json` names another component.
    #[error("`package.json` names the digest `{}`, and `component.wasm` has `{is}`", .said.escape_debug())]
    Digest {
        /// In `package.json`.
        said: String,
        /// Of the bytes.
        is: String,
    },
    /// The component says something else of itself.
    #[error("the package does not fit its component: {0}")]
    Unfit(String),
}

/// What an author hands over: either is taken wherever the other is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// A component alone: no tests, no signatures.
    Component(Vec<u8>),
    /// A package.
    Package(Box<Package>),
}

impl Artifact {
    /// Reads a package, or takes the bytes as a component; whether they are one is for the host to say.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        if bytes.starts_with(b"\0asm") {
            return Ok(Self::Component(bytes.to_vec()));
        }
        Package::read(bytes).map(|package| Self::Package(Box::new(package)))
    }

    /// The component.
    pub fn component(&self) -> &[u8] {
        match self {
            Self::Component(component) => component,
            Self::Package(package) => &package.component,
        }
    }

    /// The package, where it is one.
    pub fn package(&self) -> Option<&Package> {
        match self {
            Self::Component(_) => None,
            Self::Package(package) => Some(package),
        }
    }
}

impl Package {
    /// A package of a component that was loaded, without signatures.
    pub fn of(
        plugin: &Plugin,
        component: Vec<u8>,
        readme: Option<String>,
        mut tests: Vec<TestFile>,
    ) -> Self {
        let manifest = plugin.manifest();
        tests.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            about: About {
                format: FORMAT,
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                digest: digest(&component),
                contract: CONTRACT.to_owned(),
                created_by: concat!("leasehold ", env!("CARGO_PKG_VERSION")).to_owned(),
            },
            settings_schema: plugin.settings_schema().to_owned(),
            component,
            readme,
            tests,
            signatures: Vec::new(),
        }
    }

    /// Whether what the package says is what its loaded component says.
    pub fn fits(&self, plugin: &Plugin) -> Result<(), PackageError> {
        let manifest = plugin.manifest();
        let About { name, version, digest: said, .. } = &self.about;
        let is = format!("sha256:{}", plugin.digest());
        if *said != is {
            return Err(PackageError::Digest { said: said.clone(), is });
        }
        for (what, said, is) in
            [("name", name, &manifest.name), ("version", version, &manifest.version)]
        {
            if said != is {
                let (said, is) = (said.escape_debug(), is.escape_debug());
                let why = format!("its {what} is `{said}`, and the component's `{is}`");
                return Err(PackageError::Unfit(why));
            }
        }
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        if json(&self.settings_schema) != json(plugin.settings_schema()) {
            let why = format!("`{SCHEMA}` is not the schema that the component gives");
            return Err(PackageError::Unfit(why));
        }
        Ok(())
    }

    /// What its signatures are over.
    pub fn statement(&self) -> Statement<'_> {
        let About { name, version, digest, .. } = &self.about;
        Statement { name, version, digest }
    }

    /// `NAME-VERSION.guardrail`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.guardrail", self.about.name, self.about.version)
    }
}

/// `sha256:` and the hex digest of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests;
