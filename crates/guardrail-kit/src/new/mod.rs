//! New projects: a folder from the template of its language, with everything that it needs inside. Refuses to write
//! into what is already there, and removes nothing. The files are embedded by `build.rs`; building is [`crate::build`].
//!
//! A template is the example `plugins/examples/LANGUAGE`, which is a project itself, named `no-users`. In paths and texts
//! that name becomes the new one's, `no_users` the same with `_`, `NoUsers` the same in capitals. The contract and the
//! vectors are linked into each example, the SDK into that in Rust; with a new project they travel as files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{self, Language, ProjectError};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Folders of a project that are not its author's.
const OURS: [&str; 2] = ["sdk/", "wit/"];

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error(transparent)]
    Name(#[from] ProjectError),
    #[error("`{}` is there already and not empty\nhelp: take another name, or remove it", .0.display())]
    NotEmpty(PathBuf),
    #[error("there is no template for {0}")]
    NoTemplate(Language),
    #[error("`{}`: {error}", .path.display())]
    Write { path: PathBuf, error: std::io::Error },
}

/// Makes the folder `dir` into a new project and gives the files that it wrote, relative to `dir` and sorted.
pub(crate) fn create(dir: &Path, name: &str, language: Language) -> Result<Vec<String>, NewError> {
    project::check_name(name)?;
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        return Err(NewError::NotEmpty(dir.to_owned()));
    }
    let mut files = rendered(name, language)?;
    files.sort();
    for (path, bytes) in &files {
        write(&dir.join(path), bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Every file of the project.
fn rendered(name: &str, language: Language) -> Result<Vec<(String, Vec<u8>)>, NewError> {
    let names = Names::new(name);
    let prefix = format!("{language}/");
    let files: Vec<(String, Vec<u8>)> = TEMPLATES
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes)))
        .map(|(path, bytes)| (names.text(path), names.bytes(path, bytes)))
        .collect();
    if files.is_empty() {
        return Err(NewError::NoTemplate(language));
    }
    Ok(files)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), NewError> {
    let failed = |error| NewError::Write { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

/// The forms of a project's name.
struct Names<'a> {
    name: &'a str,
    ident: String,
    type_name: String,
}

impl<'a> Names<'a> {
    fn new(name: &'a str) -> Self {
        let capital = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        };
        Self {
            name,
            ident: name.replace('-', "_"),
            type_name: name.split('-').map(capital).collect(),
        }
    }

    fn text(&self, text: &str) -> String {
        text.replace("no-users", self.name)
            .replace("no_users", &self.ident)
            .replace("NoUsers", &self.type_name)
    }

    /// Texts of the project get its names; what comes from us, and what is not text, stays as it is.
    fn bytes(&self, path: &str, bytes: &[u8]) -> Vec<u8> {
        let ours = OURS.iter().any(|folder| path.starts_with(folder));
        match std::str::from_utf8(bytes) {
            Ok(text) if path == "Cargo.lock" => sorted_packages(&self.text(text)).into_bytes(),
            Ok(text) if !ours => self.text(text).into_bytes(),
            Ok(_) | Err(_) => bytes.to_vec(),
        }
    }
}

/// A lock file with its packages in the order that cargo wants, which depends on the project's name.
fn sorted_packages(lock: &str) -> String {
    let mut parts = lock.trim_end().split("\n\n[[package]]\n");
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.collect();
    packages.sort_by_key(|package| package.lines().take(2).collect::<Vec<_>>());
    let mut sorted = head.to_owned();
    for package in packages {
        sorted.push_str("\n\n[[package]]\n");
        sorted.push_str(package);
    }
    sorted.push('\n');
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_project_has_all_that_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("few-buckets");
        let files = create(&dir, "few-buckets", Language::Rust).unwrap();
        for needed in [
            "guardrail.toml",
            "Cargo.toml",
            "src/lib.rs",
            ".gitignore",
            "sdk/src/lib.rs",
            "wit/guardrail.wit",
        ] {
            assert!(files.iter().any(|file| file == needed), "{needed} of {files:?}");
        }
        for file in &files {
            let text = fs::read_to_string(dir.join(file)).unwrap();
            let named = text.contains("no-users") || text.contains("NoUsers");
            assert!(!named || OURS.iter().any(|folder| file.starts_with(folder)), "{file}");
        }
        assert!(fs::read_to_string(dir.join("src/lib.rs")).unwrap().contains("struct FewBuckets;"));
        let project = project::Project::find(&dir).unwrap();
        assert_eq!((project.name.as_str(), project.language), ("few-buckets", Language::Rust));
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "mine").unwrap();
        let refused = create(folder.path(), "mine", Language::Rust).unwrap_err().to_string();
        assert!(refused.contains("is there already and not empty\nhelp: "), "{refused}");
        let refused = create(&folder.path().join("mine"), "mine", Language::Rust).unwrap_err();
        assert!(matches!(refused, NewError::NotEmpty(_)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_bad_name_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("Bad");
        assert!(create(&dir, "Bad", Language::Rust).is_err());
        assert!(!dir.exists());
    }

    #[test]
    fn the_lock_file_is_sorted_by_package() {
        let lock = "# head\nversion = 4\n\n[[package]]\nname = \"zz\"\nversion = \"1\"\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n";
        assert_eq!(
            sorted_packages(lock),
            "# head\nversion = 4\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n\n[[package]]\nname = \"zz\"\nversion = \"1\"\n"
        );
    }
}
