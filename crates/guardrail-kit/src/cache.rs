//! Where the kit keeps compiled code, so that the second `test` does not compile again: the user's cache folder, under a
//! random key of this user's own. A cache that cannot be had costs time, never an answer.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use guardrail_host::CodeCache;
use ring::rand::{SecureRandom as _, SystemRandom};

/// The key of the MAC on each file of compiled code.
const KEY_FILE: &str = "mac.key";
const KEY_BYTES: usize = 32;

/// The folder `leasehold/code` of the user's cache (XDG Base Directory Specification).
pub(crate) fn user_folder() -> Option<PathBuf> {
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|at| at.is_absolute());
    let caches = absolute(environment("XDG_CACHE_HOME"))
        .or_else(|| absolute(environment("HOME")).map(|home| home.join(".cache")))?;
    Some(caches.join("leasehold").join("code"))
}

#[expect(clippy::disallowed_methods, reason = "the kit is a command line: this is its environment")]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The cache in a folder, made when it is missing.
pub(crate) fn open(directory: &Path) -> io::Result<CodeCache> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let path = directory.join(KEY_FILE);
    let mac_key = match read_key(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_key(directory, &path)?;
            read_key(&path)?
        }
        other => other?,
    };
    Ok(CodeCache { directory: directory.to_owned(), mac_key })
}

/// Compiled code runs with this user's rights, so a key that others may know is no key.
fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = File::open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(io::Error::other("others may read the key: remove it, and a new one is made"));
    }
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Under another name first; when two make one at the same time, the first stays.
fn make_key(directory: &Path, path: &Path) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut key = [0; KEY_BYTES];
    let random = SystemRandom::new();
    random.fill(&mut key).map_err(|_unspecified| io::Error::other("there is no randomness"))?;
    let unique = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("{KEY_FILE}.{}.{unique}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_cache_keeps_its_key_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("a/code");
        let first = open(&directory).unwrap();
        let second = open(&directory).unwrap();
        assert_eq!(first.mac_key, second.mac_key);
        assert_ne!(first.mac_key, [0; KEY_BYTES]);
        let key = directory.join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);

        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open(&directory).unwrap_err().to_string().contains("others may read"));
    }

    #[test]
    fn many_that_open_a_new_cache_at_once_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<[u8; KEY_BYTES]> = std::thread::scope(|scope| {
            let open = || open(folder.path()).map(|cache| cache.mac_key);
            let runs: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            runs.into_iter().map(|run| run.join().unwrap().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_was_cut_short_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.path().join(KEY_FILE))
            .unwrap();
        assert!(open(folder.path()).is_err());
    }
}
