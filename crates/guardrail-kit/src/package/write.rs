//! A [`Package`] to bytes: the same package gives the same bytes, whoever writes it and when. Writes nothing that
//! would not be read again.

use tar::{Builder, EntryType, Header};

use super::read::{
    MAX_SIGNATURES, MAX_TEST_BYTES, MAX_TESTS, MAX_TEXT_BYTES, at_most, entry_error, is_plain,
};
use super::{
    ABOUT, COMPONENT, MAX_BYTES, Package, PackageError, README, SCHEMA, SIGNATURES, TESTS,
};

impl Package {
    /// The file. [`PackageError`] where it has more than is read.
    pub fn write(&self) -> Result<Vec<u8>, PackageError> {
        at_most("tests", self.tests.len(), MAX_TESTS)?;
        at_most("signatures", self.signatures.len(), MAX_SIGNATURES)?;
        let mut archive = Builder::new(Vec::new());
        append(&mut archive, COMPONENT, &self.component)?;
        append(&mut archive, ABOUT, &json(ABOUT, &self.about)?)?;
        append(&mut archive, SCHEMA, bounded(SCHEMA, self.settings_schema.as_bytes())?)?;
        if let Some(readme) = &self.readme {
            append(&mut archive, README, bounded(README, readme.as_bytes())?)?;
        }
        for test in &self.tests {
            let name = format!("{TESTS}{}", test.name);
            if !is_plain(&test.name) {
                return Err(entry_error(&name, "has a name that nothing in a package has"));
            }
            if test.bytes.len() > MAX_TEST_BYTES {
                let why = format!("has more than {MAX_TEST_BYTES} bytes");
                return Err(entry_error(&name, &why));
            }
            append(&mut archive, &name, &test.bytes)?;
        }
        for (nth, signature) in self.signatures.iter().enumerate() {
            let name = format!("{SIGNATURES}{nth:02}.json");
            append(&mut archive, &name, &json(&name, signature)?)?;
        }
        let bytes = archive.into_inner().map_err(|error| unwritten(&error))?;
        if bytes.len() > MAX_BYTES {
            return Err(PackageError::TooLarge { bytes: bytes.len(), limit: MAX_BYTES });
        }
        Ok(bytes)
    }
}

fn bounded<'a>(name: &str, text: &'a [u8]) -> Result<&'a [u8], PackageError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(entry_error(name, &format!("has more than {MAX_TEXT_BYTES} bytes")));
    }
    Ok(text)
}

fn json(name: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, PackageError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| entry_error(name, &format!("cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

fn append(archive: &mut Builder<Vec<u8>>, name: &str, content: &[u8]) -> Result<(), PackageError> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_path(name).map_err(|error| unwritten(&error))?;
    header.set_cksum();
    archive.append(&header, content).map_err(|error| unwritten(&error))
}

fn unwritten(error: &std::io::Error) -> PackageError {
    PackageError::NotAPackage(format!("it cannot be written: {error}"))
}
