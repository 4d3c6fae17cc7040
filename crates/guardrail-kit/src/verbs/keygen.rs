//! `leasehold plugin keygen FILE`: makes a key that signs guardrails, in two files or none. Never replaces a file, and
//! never prints the private half.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use ring::rand::SystemRandom;

use crate::cli::{Exit, Stopped};
use crate::package::SigningKey;

/// Where the key goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file of the private key (PEM, mode 0600); the public one goes beside it, with `.pub` behind its name.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let (key, pem) = SigningKey::generate(&SystemRandom::new())?;
    let mut public_file = arguments.file.clone().into_os_string();
    public_file.push(".pub");
    let public_file = PathBuf::from(public_file);
    create(&public_file, key.public().pem().as_bytes(), 0o644)?;
    if let Err(stopped) = create(&arguments.file, pem.as_bytes(), 0o600) {
        // Half a key would be taken for the half of the one that is there. The error that is told is the first one.
        drop(fs::remove_file(&public_file));
        return Err(stopped);
    }
    writeln!(out, "private key {}", arguments.file.display())?;
    writeln!(out, "public key  {}", public_file.display())?;
    writeln!(out, "key id      {}", key.public().id())?;
    writeln!(out, "\nfor the server's configuration:\n")?;
    writeln!(out, "[[plugins.trusted_keys]]")?;
    writeln!(out, "name = \"{}\"", name_of(&arguments.file))?;
    writeln!(out, "key = \"{}\"", key.public().base64())?;
    writeln!(out, "plugins = [\"*\"]")?;
    Ok(Exit::Good)
}

/// A name for the key that can stand in TOML.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    stem.chars().map(|c| if plain(c) { c } else { '-' }).collect()
}

/// Writes a new file, whole or not at all.
fn create(file: &Path, content: &[u8], mode: u32) -> Result<(), Stopped> {
    let named = |error| format!("`{}`: {error}\nhelp: choose another name", file.display());
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let mut opened = opened.map_err(named)?;
    opened.write_all(content).map_err(|error| {
        drop(fs::remove_file(file));
        named(error).into()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_that_is_not_made_leaves_no_half_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let files = || fs::read_dir(dir.path()).unwrap().count();
        let (file, public_file) = (dir.path().join("a"), dir.path().join("a.pub"));
        let refused = |there: &Path| {
            fs::write(there, "mine").unwrap();
            let arguments = Arguments { file: file.clone() };
            let told = run(&arguments, &mut Vec::new()).unwrap_err().to_string();
            assert!(told.starts_with(&format!("`{}`: ", there.display())), "{told}");
            assert_eq!((files(), fs::read_to_string(there).unwrap().as_str()), (1, "mine"));
            fs::remove_file(there).unwrap();
        };
        refused(&file);
        refused(&public_file);
    }

    #[test]
    fn a_key_is_made_once_and_its_private_half_is_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("release key.pem");
        let arguments = Arguments { file: file.clone() };
        let mut out = Vec::new();
        assert_eq!(run(&arguments, &mut out).unwrap(), Exit::Good);
        let out = String::from_utf8(out).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let key = SigningKey::parse(&text).unwrap();
        assert!(
            out.contains(&key.public().id()) && out.contains("name = \"release-key\""),
            "{out}"
        );
        assert!(!out.contains(text.lines().nth(1).unwrap()), "{out}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let public = fs::read_to_string(dir.path().join("release key.pem.pub")).unwrap();
        assert_eq!(public, key.public().pem());
        assert!(run(&arguments, &mut Vec::new()).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is as it was");
    }
}
