//! Files that the verbs read and write, with errors that name them. A file that is written is whole under its name or
//! not there; nothing here knows what is in one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::Stopped;

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stopped> {
    fs::read(path).map_err(|error| named(path, &error))
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, Stopped> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

/// Writes a file, in the place of one that is there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Stopped> {
    let mut partial = path.to_owned().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || -> io::Result<()> {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|error| {
        // The error that is told is the first one.
        drop(fs::remove_file(&partial));
        named(path, &error)
    })
}

fn named(path: &Path, error: &io::Error) -> Stopped {
    format!("`{}`: {error}", path.display()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(read_text(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let told = replace(&dir.path().join("no/such"), b"").unwrap_err().to_string();
        assert!(told.contains("no/such"), "{told}");
        assert!(read(&dir.path().join("absent")).unwrap_err().to_string().contains("absent"));
    }
}
