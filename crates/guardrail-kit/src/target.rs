//! What a verb works on: a project's folder, a plain folder with a component in it, or a component by name; and with it
//! where its vectors are. Finds files and reads none but `guardrail.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use guardrail_host::Plugin;

use crate::cli::Stopped;
use crate::component::Setup;
use crate::project::{Project, ProjectError};

/// A component and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The folder.
    pub(crate) dir: PathBuf,
    /// The component, there or not.
    pub(crate) component: PathBuf,
    /// Where its vectors are, there or not.
    pub(crate) vectors: PathBuf,
    /// The project, where the folder is one.
    pub(crate) project: Option<Project>,
}

impl Target {
    /// Of a component's file, or of a folder; without either, of the folder that one is in.
    pub(crate) fn of(path: Option<&Path>) -> Result<Self, Stopped> {
        let path = path.unwrap_or_else(|| Path::new("."));
        if path.is_file() {
            return Ok(Self::beside(path));
        }
        if !path.is_dir() {
            return Err(format!("`{}` is not there", path.display()).into());
        }
        match Project::find(path) {
            Ok(project) => Ok(Self::of_project(project)),
            Err(ProjectError::NotFound(_)) if only_component(path).is_some() => {
                Ok(Self::beside(&only_component(path).unwrap_or_default()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The most fuel that a vector may take, by the project.
    pub(crate) fn fuel_max(&self) -> Option<u64> {
        self.project.as_ref().and_then(|project| project.fuel_max)
    }

    /// The component, loaded.
    pub(crate) fn load(&self, setup: &Setup) -> Result<Plugin, Stopped> {
        self.must_be_built()?;
        setup.load(&self.component)
    }

    /// An error that says how to come by the component, where it is not there.
    pub(crate) fn must_be_built(&self) -> Result<(), Stopped> {
        if self.component.is_file() {
            return Ok(());
        }
        let component = shown(&self.component);
        Err(format!("`{component}` is not there\nhelp: `leasehold plugin build` makes it").into())
    }

    /// Of a project.
    pub(crate) fn of_project(project: Project) -> Self {
        let vectors = [project.vectors_dir(), project.dir.join("vectors")]
            .into_iter()
            .find(|folder| folder.is_dir());
        Self {
            dir: project.dir.clone(),
            component: project.component_path(),
            vectors: vectors.unwrap_or_else(|| project.vectors_dir()),
            project: Some(project),
        }
    }

    fn beside(component: &Path) -> Self {
        let dir = component.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or_else(|| Path::new("."));
        // The project's settings count only for the project's own component.
        if let Ok(project) = Project::find(dir)
            && fs::canonicalize(component).is_ok_and(|path| path == project.component_path())
        {
            return Self::of_project(project);
        }
        let vectors = ["tests", "vectors"]
            .iter()
            .map(|name| dir.join(name))
            .find(|folder| has_json(folder))
            .unwrap_or_else(|| dir.join("tests"));
        Self { dir: dir.to_owned(), component: component.to_owned(), vectors, project: None }
    }
}

fn has_json(folder: &Path) -> bool {
    json_files(folder).is_ok_and(|files| !files.is_empty())
}

/// The files of a folder that end in `.json`, by name.
pub(crate) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Stopped> {
    with_extension(folder, "json")
}

fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Stopped> {
    let failed = |error| format!("`{}`: {error}", shown(folder));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `NAME.wasm` in a folder NAME, or the only component there is.
fn only_component(folder: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(folder).ok()?;
    let named = folder.join(whole.file_name()?).with_extension("wasm");
    if named.is_file() {
        return Some(named);
    }
    let mut found = with_extension(folder, "wasm").ok()?.into_iter();
    found.next().filter(|_| found.next().is_none())
}

/// A path as people would write it from where they are.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let inside = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let inside = inside.strip_prefix(".").unwrap_or(inside);
    if inside.as_os_str().is_empty() { ".".into() } else { inside.display().to_string() }
}

/// Writes a file that the user named.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Stopped> {
    fs::write(path, text).map_err(|error| format!("`{}`: {error}", shown(path)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_plain_folder_has_its_only_component_and_its_vectors() {
        let plain = folder(&["some.wasm", "vectors/a.json"]);
        let target = Target::of(Some(plain.path())).unwrap();
        assert_eq!(target.component, plain.path().join("some.wasm"));
        assert_eq!(target.vectors, plain.path().join("vectors"));
        assert!(target.project.is_none() && target.must_be_built().is_ok());
    }

    #[test]
    fn of_two_components_none_is_guessed() {
        let two = folder(&["a.wasm", "b.wasm"]);
        let refused = Target::of(Some(two.path())).unwrap_err().to_string();
        assert!(refused.contains("guardrail.toml"), "{refused}");
        assert!(Target::of(Some(&two.path().join("a.wasm"))).is_ok());
    }

    #[test]
    fn a_project_says_where_its_component_will_be() {
        let made = folder(&["tests/a.json"]);
        let text = "[plugin]\nname = \"no-users\"\nlanguage = \"rust\"\n[test]\nfuel_max = 7\n";
        fs::write(made.path().join("guardrail.toml"), text).unwrap();
        let target = Target::of(Some(&made.path().join("tests"))).unwrap();
        assert!(target.component.ends_with("no-users.wasm"));
        assert_eq!(target.fuel_max(), Some(7));
        let refused = target.must_be_built().unwrap_err().to_string();
        assert!(refused.ends_with("help: `leasehold plugin build` makes it"), "{refused}");
    }
}
