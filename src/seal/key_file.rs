//! The file that holds the master key: a line that says what it is, a line of 64 hex digits. It is
//! made for its owner alone, never overwritten, and not used once others could have read it.
//!
//! ```text
//! leasehold-master-key-v1
//! 6f1e…64 lower-case hex digits…90aa
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::keys::{MasterKey, hex};
use super::{Result, SealError};

const HEADER: &str = "leasehold-master-key-v1";

/// Longest file that is looked at: a key file has 89 bytes.
const MOST_BYTES: u64 = 1024;

/// The key in the file, `None` where there is no such file.
pub fn read(path: &Path) -> Result<Option<MasterKey>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    // Of the opened file, so that nobody can put another in its place in between.
    let metadata = file.metadata().map_err(failed("read the mode of", path))?;
    if !metadata.is_file() {
        return Err(broken(path, "it is not a regular file"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SealError::KeyFileExposed { path: shown(path), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(128));
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed("read", path))?;
    parse(&text).map(Some).map_err(|why| broken(path, why))
}

/// Writes a new key file, mode 0600; it is on disk, with its name, when this returns.
pub fn create(path: &Path, key: &MasterKey) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
        |error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                SealError::KeyFileExists { path: shown(path) }
            } else {
                failed("create", path)(error)
            }
        },
    )?;
    let digits = Zeroizing::new(hex(key.bytes()));
    let text = Zeroizing::new(format!("{HEADER}\n{}\n", *digits));
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| File::open(folder_of(path))?.sync_all());
    written.map_err(|error| {
        // Half a key must not be found by the next start.
        drop(std::fs::remove_file(path));
        failed("write", path)(error)
    })
}

fn parse(text: &str) -> std::result::Result<MasterKey, &'static str> {
    const NO_DIGITS: &str = "its second line is not 64 hex digits";
    if text.is_empty() {
        return Err(
            "it is empty\nhelp: a first start was cut short; if the data directory is new, delete the file and start again",
        );
    }
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Err("its first line is not `leasehold-master-key-v1`");
    }
    let digits = lines.next().ok_or(NO_DIGITS)?.as_bytes();
    if lines.next().is_some() {
        return Err("there is something after the key");
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    if digits.len() != 64 {
        return Err(NO_DIGITS);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let nibble = char::from(*digit).to_digit(16).ok_or(NO_DIGITS)?;
            *byte = byte.wrapping_shl(4) | u8::try_from(nibble).or(Err(NO_DIGITS))?;
        }
    }
    Ok(MasterKey::from_bytes(*bytes))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn broken(path: &Path, why: &'static str) -> SealError {
    SealError::KeyFileBroken { path: shown(path), why }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SealError {
    move |source| SealError::KeyFile { action, path: shown(path), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn key() -> MasterKey {
        MasterKey::generate(&Random::seeded(1))
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refused(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, content).unwrap();
        set_mode(&path, 0o600);
        read(&path).unwrap_err().to_string()
    }

    #[test]
    fn a_key_reads_back_from_a_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read(&path).unwrap().is_none());
        create(&path, &key()).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().bytes(), key().bytes());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.len(), 89);
        assert!(text.starts_with("leasehold-master-key-v1\n"));
    }

    #[test]
    fn a_key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, &key()).unwrap();
        let before = std::fs::read(&path).unwrap();
        let other = MasterKey::generate(&Random::seeded(2));
        assert!(matches!(create(&path, &other), Err(SealError::KeyFileExists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, &key()).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            set_mode(&path, mode);
            let text = read(&path).unwrap_err().to_string();
            assert!(text.contains(&format!("mode {mode:04o}")), "{text}");
            assert!(text.contains(&format!("chmod 600 {}", path.display())), "{text}");
        }
        set_mode(&path, 0o400);
        assert!(read(&path).unwrap().is_some());
    }

    #[test]
    fn what_is_not_a_key_is_refused_without_showing_it() {
        let digits = "0a".repeat(32);
        assert!(refused("").contains("it is empty\nhelp: "));
        assert!(refused(&digits).contains("first line"));
        for bad in [
            format!("{HEADER}\n"),
            format!("{HEADER}\n{digits}0a\n"),
            format!("{HEADER}\n{}zz\n", "0a".repeat(31)),
            format!("{HEADER}\n{digits}\n{digits}\n"),
        ] {
            let text = refused(&bad);
            assert!(!text.contains("0a0a"), "{text}");
        }
    }

    #[test]
    fn a_folder_is_not_a_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = read(folder.path()).unwrap_err().to_string();
        assert!(text.contains("not a regular file"), "{text}");
    }
}
