//! A plugin project: a folder with `guardrail.toml`. Says where its parts are and in which language it is; builds
//! nothing and judges nothing. Building is in [`crate::build`], a new folder comes from [`crate::new`].

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

/// The file that makes a folder a project.
pub(crate) const FILE: &str = "guardrail.toml";
/// Names and rule ids are of one form (contract, `rule.id`).
const MAX_NAME_BYTES: usize = 64;

/// The languages that guardrails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    /// Rust, by the SDK that travels with the folder.
    Rust,
    /// JavaScript, in QuickJS.
    Js,
    /// Python, in CPython.
    Python,
    /// Go, by its own compiler.
    Go,
    /// C, by clang.
    C,
    /// Rego, in the built-in plugin `rego`.
    Rego,
}

/// A plugin project.
// INVARIANT: made from a `guardrail.toml` in `dir`; `name` is of the contract's form.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Its name, as the manifest of the component should say it.
    pub(crate) name: String,
    /// What it is written in.
    pub(crate) language: Language,
    /// The most fuel that a vector may take, unless the vector says it itself.
    pub(crate) fuel_max: Option<u64>,
    /// A command to build with, in place of the language's own.
    pub(crate) command: Option<Command>,
    /// What a Rego guardrail says of itself.
    pub(crate) rego: Option<Rego>,
    component: PathBuf,
}

/// `[build]`: a command of the project's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    /// Program and arguments; run in the project's folder.
    pub(crate) command: Vec<String>,
    /// What it leaves behind, from the project's folder: a component, or a core module that carries its world.
    pub(crate) output: PathBuf,
}

/// `[rego]`: what the policy's text cannot say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rego {
    /// Semantic version of the guardrail.
    pub(crate) version: String,
    /// What it is for, in a sentence.
    pub(crate) summary: String,
    /// The policy's files, from the project's folder.
    pub(crate) modules: Vec<PathBuf>,
    /// A JSON object that the policy sees as `data`.
    pub(crate) data: Option<PathBuf>,
    /// JSON Schema of the settings, which the policy sees as `input.settings`.
    pub(crate) settings_schema: Option<PathBuf>,
    /// The rules that it can report.
    pub(crate) rules: Vec<RegoRule>,
}

/// One rule of a Rego guardrail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegoRule {
    /// `[a-z0-9][a-z0-9-]{0,63}`, stable over versions.
    pub(crate) id: String,
    /// For people.
    pub(crate) title: String,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub(crate) severity: String,
}

/// Why a folder is not a project that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error(
        "there is no `{FILE}` in `{}` or a folder above it\nhelp: `leasehold plugin new NAME --lang rust` makes a project", .0.display()
    )]
    NotFound(PathBuf),
    #[error("`{}`: {error}", .path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("`{}`: {error}", .path.display())]
    Broken { path: PathBuf, error: toml::de::Error },
    #[error(
        "`{name}` is no name for a guardrail\nhelp: small letters, digits and `-`, a letter first, 64 at most, and no `-` at the end or twice in a row"
    )]
    Name { name: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plugin: PluginPart,
    #[serde(default)]
    test: TestPart,
    build: Option<Command>,
    rego: Option<Rego>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginPart {
    name: String,
    language: Language,
    component: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestPart {
    fuel_max: Option<u64>,
}

impl Language {
    /// What brings the compiler into a new project's folder, where that is where it goes.
    pub(crate) fn install(self) -> Option<&'static str> {
        match self {
            Self::Js => Some("npm install"),
            Self::Python | Self::C => {
                Some("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
            }
            Self::Rust | Self::Go | Self::Rego => None,
        }
    }

    /// As `--lang` and `guardrail.toml` have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
            Self::Go => "go",
            Self::C => "c",
            Self::Rego => "rego",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Project {
    /// The project that `dir` is in: its own `guardrail.toml`, or the nearest one above it.
    pub(crate) fn find(dir: &Path) -> Result<Self, ProjectError> {
        let unreadable = |error| ProjectError::Unreadable { path: dir.to_owned(), error };
        let start = fs::canonicalize(dir).map_err(unreadable)?;
        let home = start.ancestors().find(|folder| folder.join(FILE).is_file());
        let home = home.ok_or_else(|| ProjectError::NotFound(dir.to_owned()))?;
        Self::at(home)
    }

    /// The project whose folder this is, as its `guardrail.toml` has it now.
    pub(crate) fn at(home: &Path) -> Result<Self, ProjectError> {
        let path = home.join(FILE);
        let text = fs::read_to_string(&path)
            .map_err(|error| ProjectError::Unreadable { path: path.clone(), error })?;
        let file: File =
            toml::from_str(&text).map_err(|error| ProjectError::Broken { path, error })?;
        Self::from_file(home.to_owned(), file)
    }

    fn from_file(dir: PathBuf, file: File) -> Result<Self, ProjectError> {
        let File { plugin: PluginPart { name, language, component }, test, build, rego } = file;
        check_name(&name)?;
        let component = component.unwrap_or_else(|| format!("{name}.wasm").into());
        let TestPart { fuel_max } = test;
        Ok(Self { dir, name, language, fuel_max, command: build, rego, component })
    }

    /// Where the built component is, or will be.
    pub(crate) fn component_path(&self) -> PathBuf {
        self.dir.join(&self.component)
    }

    /// Where the vectors are.
    pub(crate) fn vectors_dir(&self) -> PathBuf {
        self.dir.join("tests")
    }
}

/// Whether `name` can be the name of a guardrail, of a folder, and of what compilers make of it.
pub(crate) fn check_name(name: &str) -> Result<(), ProjectError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = name.len() <= MAX_NAME_BYTES
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name.bytes().next_back().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && !name.contains("--");
    if good { Ok(()) } else { Err(ProjectError::Name { name: name.escape_debug().to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Result<Project, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        Project::find(&folder.path().join("src")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_project_is_found_from_a_folder_inside_it() {
        let found = project("[plugin]\nname = \"no-users\"\nlanguage = \"rust\"\n").unwrap();
        assert_eq!(found.name, "no-users");
        assert_eq!(found.language, Language::Rust);
        assert_eq!(found.component_path(), found.dir.join("no-users.wasm"));
        assert_eq!(found.vectors_dir(), found.dir.join("tests"));
        assert_eq!((found.fuel_max, found.command), (None, None));
    }

    #[test]
    fn what_a_project_says_is_taken() {
        let found = project(
            "[plugin]\nname = \"a\"\nlanguage = \"c\"\ncomponent = \"out/a.wasm\"\n[test]\nfuel_max = 5_000\n\
             [build]\ncommand = [\"make\", \"core\"]\noutput = \"core.wasm\"\n",
        )
        .unwrap();
        assert_eq!(found.component_path(), found.dir.join("out/a.wasm"));
        assert_eq!(found.fuel_max, Some(5_000));
        assert_eq!(found.command.unwrap().command, ["make", "core"]);
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let refused = project("[plugin]\nname = \"a\"\nlanguage = \"cobol\"\n").unwrap_err();
        assert!(refused.contains("guardrail.toml`") && refused.contains("line 3"), "{refused}");
        assert!(refused.contains("cobol"), "{refused}");
        let refused = project("[plugin]\nname = \"A b\"\nlanguage = \"c\"\n").unwrap_err();
        assert!(refused.starts_with("`A b` is no name for a guardrail\nhelp: "), "{refused}");
    }

    #[test]
    fn a_folder_outside_a_project_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Project::find(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("`leasehold plugin new NAME --lang rust`"), "{refused}");
    }

    #[test]
    fn names_are_good_for_folders_crates_and_the_contract() {
        for good in ["a", "no-users", "a1-b2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "A", "1a", "-a", "a-", "a--b", "a_b", "../a", "a b", "ä", long.as_str()] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
