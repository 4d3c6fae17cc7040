//! Whether the files of a project changed: their times and sizes, looked at again and again. No notification of any kernel
//! is needed, so it works on every file system, shared folders of containers too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that builds write to, and what nobody edits there.
const NOT_LOOKED_AT: [&str; 5] = ["target", "node_modules", ".git", "__pycache__", "build"];
/// More files than any guardrail has; a folder with more is not a project.
const MOST_FILES: usize = 20_000;

/// The state of all files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Snapshot {
    /// Looks at a folder. `built` is what a build writes, which is no change of the source.
    pub(crate) fn of(folder: &Path, built: &Path) -> Self {
        let mut found = Self::default();
        found.look(folder, built);
        found
    }

    /// The files that are new, gone or changed since an earlier look.
    pub(crate) fn changed_since<'a>(&'a self, earlier: &'a Self) -> Vec<&'a Path> {
        let gone = earlier.0.keys().filter(|path| !self.0.contains_key(*path));
        let changed = self.0.iter().filter(|(path, state)| earlier.0.get(*path) != Some(state));
        changed.map(|(path, _)| path.as_path()).chain(gone.map(PathBuf::as_path)).collect()
    }

    fn look(&mut self, folder: &Path, built: &Path) {
        // A folder that goes away while it is looked at is gone at the next look.
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let skipped = NOT_LOOKED_AT.iter().any(|skipped| *skipped == name)
                || path.extension().is_some_and(|ending| ending == "wasm" || ending == "tmp")
                || path == built;
            if skipped || self.0.len() >= MOST_FILES {
                continue;
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => self.look(&path, built),
                Ok(metadata) => {
                    self.0.insert(path, (metadata.modified().ok(), metadata.len()));
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_is_a_change_and_what_is_built_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text).unwrap();
        };
        write("src/lib.rs", "a");
        write("tests/a.json", "{}");
        let built = at("x.bin");
        let before = Snapshot::of(folder.path(), &built);

        write("target/debug/a", "1");
        write("no-users.wasm", "1");
        write("x.bin", "1");
        assert_eq!(Snapshot::of(folder.path(), &built), before);

        write("src/lib.rs", "ab");
        write("src/new.rs", "");
        fs::remove_file(at("tests/a.json")).unwrap();
        let after = Snapshot::of(folder.path(), &built);
        assert_eq!(
            after.changed_since(&before),
            [at("src/lib.rs"), at("src/new.rs"), at("tests/a.json")]
        );
    }
}
