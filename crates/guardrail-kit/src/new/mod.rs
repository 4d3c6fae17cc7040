//! New projects: a folder from the template of its language, with everything that it needs inside. Refuses to write
//! into what is already there, and removes nothing. The files are embedded by `build.rs`; building is [`crate::build`].
//!
//! A template is the folder `templates/LANGUAGE`. In paths and texts `{{name}}` is the project's name (`no-users`),
//! `{{ident}}` the same with `_` (`no_users`), `{{Type}}` in capitals (`NoUsers`); a part of a path that begins with
//! `dot-` begins with a dot. The contract travels with every project, as `wit/`, and the SDK with those in Rust, as `sdk/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{self, Language, ProjectError};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

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
    let mut files: Vec<(String, Vec<u8>)> = TEMPLATES
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes)))
        .map(|(path, bytes)| (names.path(path), names.bytes(path, bytes)))
        .collect();
    if files.is_empty() {
        return Err(NewError::NoTemplate(language));
    }
    let under = |folder: &'static str| {
        move |(path, bytes): &(&str, &[u8])| (format!("{folder}/{path}"), bytes.to_vec())
    };
    files.extend(WIT.iter().map(under("wit")));
    match language {
        Language::Rust => files.extend(SDK.iter().map(under("sdk"))),
        Language::Js | Language::Python | Language::Go | Language::C | Language::Rego => {}
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
        text.replace("{{name}}", self.name)
            .replace("{{ident}}", &self.ident)
            .replace("{{Type}}", &self.type_name)
    }

    fn path(&self, path: &str) -> String {
        let part = |part: &str| match part.strip_prefix("dot-") {
            Some(rest) => format!(".{rest}"),
            None => part.to_owned(),
        };
        self.text(&path.split('/').map(part).collect::<Vec<_>>().join("/"))
    }

    /// Texts get their names; what is not text stays as it is.
    fn bytes(&self, path: &str, bytes: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(bytes) {
            Ok(text) if path == "Cargo.lock" => sorted_packages(&self.text(text)).into_bytes(),
            Ok(text) => self.text(text).into_bytes(),
            Err(_) => bytes.to_vec(),
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
        let dir = folder.path().join("no-users");
        let files = create(&dir, "no-users", Language::Rust).unwrap();
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
            assert!(!text.contains("{{name}}") && !text.contains("{{Type}}"), "{file}");
        }
        assert!(fs::read_to_string(dir.join("src/lib.rs")).unwrap().contains("struct NoUsers;"));
        let project = project::Project::find(&dir).unwrap();
        assert_eq!((project.name.as_str(), project.language), ("no-users", Language::Rust));
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
