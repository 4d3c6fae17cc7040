//! Bytes to a [`Package`]: plain files of known names, each once and within its bound, the component first. Anything
//! else is refused: links, folders, extended headers, other names, bytes behind the end. Never panics, whatever comes.

use std::io::Read as _;

use tar::{Archive, EntryType};

use super::{
    ABOUT, About, COMPONENT, FORMAT, MAX_BYTES, Package, PackageError, README, SCHEMA, SIGNATURES,
    Signature, TESTS, TestFile, digest,
};

/// Most vectors of a package; the shipped guardrails have some fifty.
pub(super) const MAX_TESTS: usize = 500;
/// Most signatures of a package.
pub(super) const MAX_SIGNATURES: usize = 16;
/// Bytes of one vector: a grant of twenty documents at AWS's quota stays under it.
pub(super) const MAX_TEST_BYTES: usize = 256 << 10;
/// Bytes of a text for people, and of the schema (the host's bound for it).
pub(super) const MAX_TEXT_BYTES: usize = 256 << 10;
/// Bytes of `package.json` and of a signature.
const MAX_SMALL_BYTES: usize = 4 << 10;
/// A block of a tar archive.
const BLOCK: usize = 512;

/// What a name stands for, and what follows the folder in it.
enum Part {
    Component,
    About,
    Schema,
    Readme,
    Test(String),
    Signature,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    component: Option<Vec<u8>>,
    about: Option<Vec<u8>>,
    schema: Option<Vec<u8>>,
    readme: Option<Vec<u8>>,
    tests: Vec<TestFile>,
    signatures: Vec<(String, Signature)>,
}

impl Package {
    /// Reads a package. What comes out is whole, of known size, and its digest is that of its component.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        if bytes.len() > MAX_BYTES {
            return Err(PackageError::TooLarge { bytes: bytes.len(), limit: MAX_BYTES });
        }
        let mut archive = Archive::new(bytes);
        let mut found = Found::default();
        let mut end: usize = 0;
        for entry in archive.entries().map_err(|error| broken(&error))?.raw(true) {
            let mut entry = entry.map_err(|error| broken(&error))?;
            let (name, size) = head(entry.header())?;
            let part = part(&name, size)?;
            if found.component.is_none() && !matches!(part, Part::Component) {
                let why = format!("stands in front of `{COMPONENT}`, which has to be the first");
                return Err(PackageError::Entry { name, why });
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(|error| broken(&error))?;
            if content.len() != size {
                return Err(entry_error(&name, "is cut off"));
            }
            found.take(part, &name, content)?;
            end = size.div_ceil(BLOCK).saturating_mul(BLOCK).saturating_add(end);
            end = end.saturating_add(BLOCK);
        }
        if found.component.is_none() {
            return Err(PackageError::NotAPackage("it has no entries".to_owned()));
        }
        if bytes.get(end..).is_none_or(|rest| rest.iter().any(|byte| *byte != 0)) {
            return Err(PackageError::Trailing);
        }
        found.whole()
    }
}

impl Found {
    fn take(&mut self, part: Part, name: &str, content: Vec<u8>) -> Result<(), PackageError> {
        let once = |slot: &mut Option<Vec<u8>>, content| match slot.replace(content) {
            None => Ok(()),
            Some(_) => Err(entry_error(name, "is there twice")),
        };
        match part {
            Part::Component => once(&mut self.component, content),
            Part::About => once(&mut self.about, content),
            Part::Schema => once(&mut self.schema, content),
            Part::Readme => once(&mut self.readme, content),
            Part::Test(test) => {
                if self.tests.iter().any(|known| known.name == test) {
                    return Err(entry_error(name, "is there twice"));
                }
                self.tests.push(TestFile { name: test, bytes: content });
                at_most("tests", self.tests.len(), MAX_TESTS)
            }
            Part::Signature => {
                if self.signatures.iter().any(|(known, _)| known == name) {
                    return Err(entry_error(name, "is there twice"));
                }
                let signature = serde_json::from_slice(&content)
                    .map_err(|error| entry_error(name, &format!("is no signature: {error}")))?;
                self.signatures.push((name.to_owned(), signature));
                at_most("signatures", self.signatures.len(), MAX_SIGNATURES)
            }
        }
    }

    fn whole(self) -> Result<Package, PackageError> {
        let component = self.component.ok_or(PackageError::Missing(COMPONENT))?;
        let about = self.about.ok_or(PackageError::Missing(ABOUT))?;
        let schema = self.schema.ok_or(PackageError::Missing(SCHEMA))?;
        // Of a newer format the number alone is sure to be there.
        let format = serde_json::from_slice::<serde_json::Value>(&about).ok();
        let format = format.and_then(|about| about.get("format")?.as_u64());
        if let Some(newer) = format.and_then(|format| u32::try_from(format).ok())
            && newer != FORMAT
        {
            return Err(PackageError::Format(newer));
        }
        let about: About = serde_json::from_slice(&about)
            .map_err(|error| entry_error(ABOUT, &format!("cannot be read: {error}")))?;
        let is = digest(&component);
        if about.digest != is {
            return Err(PackageError::Digest { said: about.digest, is });
        }
        let mut tests = self.tests;
        tests.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Package {
            component,
            about,
            settings_schema: text(SCHEMA, schema)?,
            readme: self.readme.map(|readme| text(README, readme)).transpose()?,
            tests,
            signatures: self.signatures.into_iter().map(|(_, signature)| signature).collect(),
        })
    }
}

/// Name and size of an entry that is a plain file.
fn head(header: &tar::Header) -> Result<(String, usize), PackageError> {
    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    if header.entry_type() != EntryType::Regular {
        return Err(entry_error(&name, "is not a plain file"));
    }
    let size = header.entry_size().map_err(|error| broken(&error))?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok((name, size))
}

/// What an entry is, if a package has such a one of that size.
fn part(name: &str, size: usize) -> Result<Part, PackageError> {
    let (part, limit) = match name {
        COMPONENT => (Part::Component, MAX_BYTES),
        ABOUT => (Part::About, MAX_SMALL_BYTES),
        SCHEMA => (Part::Schema, MAX_TEXT_BYTES),
        README => (Part::Readme, MAX_TEXT_BYTES),
        _ => {
            let test = name.strip_prefix(TESTS).filter(|rest| is_plain(rest));
            let signature = name.strip_prefix(SIGNATURES).filter(|rest| is_plain(rest));
            match (test, signature) {
                (Some(test), _) => (Part::Test(test.to_owned()), MAX_TEST_BYTES),
                (None, Some(_)) => (Part::Signature, MAX_SMALL_BYTES),
                (None, None) => {
                    return Err(entry_error(name, "has a name that nothing in a package has"));
                }
            }
        }
    };
    if size > limit {
        let why = format!("has {size} bytes, more than the {limit} that are allowed");
        return Err(PackageError::Entry { name: name.to_owned(), why });
    }
    Ok(part)
}

/// A file name in a folder of a package: `[A-Za-z0-9._-]`, no dot in front, `.json` behind.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 80
        && name.strip_suffix(".json").is_some_and(|stem| !stem.is_empty())
        && !name.starts_with('.')
        && name.bytes().all(plain)
}

pub(super) fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), PackageError> {
    if count > limit { Err(PackageError::TooMany { what, limit }) } else { Ok(()) }
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String, PackageError> {
    String::from_utf8(bytes).map_err(|_not_utf8| entry_error(name, "is not UTF-8"))
}

pub(super) fn entry_error(name: &str, why: &str) -> PackageError {
    // A name of a hostile archive is shown, but not at any length.
    let name = name.chars().take(100).collect();
    PackageError::Entry { name, why: why.to_owned() }
}

fn broken(error: &std::io::Error) -> PackageError {
    let text: String = error.to_string().chars().take(200).collect();
    PackageError::NotAPackage(text.escape_debug().to_string())
}
