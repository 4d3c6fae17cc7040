//! Who else can touch what the broker is told by and what it keeps: looked at once, at a start. What others could change is
//! refused, what others could only read is told of. The key file has a look of its own, in [`crate::seal::key_file`].

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::SystemError;
use crate::config::Config;

/// Writable by everybody.
const BY_ALL: u32 = 0o002;
/// Writable by others than the owner.
const BY_OTHERS: u32 = 0o022;
/// Anything at all for others than the owner.
const ANYTHING: u32 = 0o077;

/// What is wrong with one file, without stopping anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub what: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What others can do, and the command that helps.
    pub problem: String,
}

/// Looks at all of them. What is not there yet is made by the broker, with modes of its own.
pub fn check(config: &Config) -> Result<Vec<Finding>, SystemError> {
    let mut findings = Vec::new();
    if let Some(file) = &config.file {
        // Whoever can change it says whose plugins are trusted, and where the key is.
        must_not("the configuration file", file, BY_ALL, "o-w")?;
        findings.extend(should_not("the configuration file", file, BY_OTHERS, "go-w"));
    }
    if let Some(folder) = &config.data_dir {
        must_not("the data directory", folder, BY_OTHERS, "700")?;
        findings.extend(should_not("the data directory", folder, ANYTHING, "700"));
        for name in ["leasehold.db", "leasehold.db-wal", "leasehold.db-shm"] {
            must_not("the database", &folder.join(name), BY_OTHERS, "600")?;
        }
        for name in ["leasehold.db", "leasehold.db-wal", "leasehold.db-shm", "code-cache"] {
            findings.extend(should_not("a part of the state", &folder.join(name), ANYTHING, "go="));
        }
    }
    if let Some(folder) = config.key_file.as_deref().and_then(Path::parent) {
        // Whoever can write there can put another file in the key's place.
        findings.extend(should_not("the folder of the key file", folder, BY_ALL, "o-w"));
    }
    for tls in config.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
        must_not("the TLS key", &tls.key_file, BY_OTHERS, "600")?;
        // A group that may read it is common (`ssl-cert`); everybody is not.
        findings.extend(should_not("the TLS key", &tls.key_file, 0o007, "o="));
        findings.extend(should_not("the TLS certificate", &tls.cert_file, BY_OTHERS, "go-w"));
    }
    Ok(findings)
}

fn must_not(
    what: &'static str,
    path: &Path,
    bits: u32,
    help: &'static str,
) -> Result<(), SystemError> {
    match exposed(path, bits) {
        Some(mode) => Err(SystemError::Exposed { what, path: path.to_owned(), mode, help }),
        None => Ok(()),
    }
}

fn should_not(what: &'static str, path: &Path, bits: u32, help: &str) -> Option<Finding> {
    let mode = exposed(path, bits)?;
    let path = path.to_owned();
    let problem = format!(
        "others than its owner can use it (mode {mode:04o}); chmod {help} {}",
        path.display()
    );
    Some(Finding { what, path, problem })
}

/// The mode of a file of which others can do too much. A folder with the sticky bit, as `/tmp` is, lets nobody change the
/// files of others.
fn exposed(path: &Path, bits: u32) -> Option<u32> {
    let metadata = std::fs::metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o7777;
    let sticky = metadata.is_dir() && mode & 0o1000 != 0 && bits & !BY_OTHERS == 0;
    (mode & bits != 0 && !sticky).then_some(mode)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;
    use crate::config::Overrides;

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A configuration whose file and folder are those of an installation.
    fn installed() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let (file, data) = (folder.path().join("l.toml"), folder.path().join("data"));
        let text = format!("data_dir = {data:?}\n[listener]\naddress = \"127.0.0.1:1\"\n");
        std::fs::write(&file, text).unwrap();
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("leasehold.db"), "").unwrap();
        for (path, mode) in [(&file, 0o640), (&data, 0o700), (&data.join("leasehold.db"), 0o600)] {
            set(path, mode);
        }
        let config = Config::load(Some(&file), Overrides::default()).unwrap();
        (folder, config)
    }

    #[test]
    fn an_installation_for_its_owner_alone_is_well() {
        let (_folder, config) = installed();
        assert_eq!(check(&config).unwrap(), []);
    }

    #[test]
    fn what_others_can_change_is_refused_with_the_command_that_helps() {
        let (_folder, config) = installed();
        let (file, data) = (config.file.clone().unwrap(), config.data_dir.clone().unwrap());
        for (path, mode, well) in [
            (file, 0o646, 0o640),
            (data.clone(), 0o770, 0o700),
            (data.join("leasehold.db"), 0o620, 0o600),
        ] {
            set(&path, mode);
            let told = check(&config).unwrap_err().to_string();
            assert!(told.contains(&format!("mode {mode:04o}")) && told.contains("chmod"), "{told}");
            set(&path, well);
        }
        assert_eq!(check(&config).unwrap(), []);
    }

    #[test]
    fn what_others_can_only_read_is_told_of() {
        let (_folder, config) = installed();
        let data = config.data_dir.clone().unwrap();
        set(&data, 0o755);
        set(&data.join("leasehold.db"), 0o644);
        let told = check(&config).unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].path, data);
        assert!(told[0].problem.contains("mode 0755"), "{told:?}");
    }
}
