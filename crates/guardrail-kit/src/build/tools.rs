//! Where the compilers of a project are: in the project's own folders first (`node_modules`, `.venv`), where its pinned
//! versions are, then on the path. It looks and installs nothing; what is missing is said with what installs it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::Missing;
use crate::cli::Stopped;
use crate::project::Project;

/// Folders of a project that hold programs, as npm and Python's venv make them.
const OWN_FOLDERS: [&str; 2] = ["node_modules/.bin", ".venv/bin"];
/// Where compilers leave what is taken from there; not for people.
const BUILD_FOLDER: &str = "build";

/// The program of that name: the project's own by its whole path, one of the machine by its name.
pub(crate) fn find(project: &Project, name: &str) -> Option<PathBuf> {
    find_in(&project.dir, name, &path())
}

/// As [`find`], or what to install.
pub(crate) fn need(project: &Project, name: &str, help: &str) -> Result<PathBuf, Missing> {
    let missing = || Missing { what: format!("`{name}`"), help: help.to_owned() };
    find(project, name).ok_or_else(missing)
}

/// Makes the folder for what compilers leave, and names a file in it, from the project's folder.
pub(crate) fn output(project: &Project, file: &str) -> Result<PathBuf, Stopped> {
    let folder = project.dir.join(BUILD_FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(Path::new(BUILD_FOLDER).join(file))
}

/// Reads what a compiler left, or what a project has, from the project's folder.
pub(crate) fn read(project: &Project, file: &Path) -> Result<Vec<u8>, Stopped> {
    let path = project.dir.join(file);
    fs::read(&path).map_err(|error| format!("`{}`: {error}", path.display()).into())
}

fn find_in(dir: &Path, name: &str, path: &OsStr) -> Option<PathBuf> {
    let own = OWN_FOLDERS.iter().map(|folder| dir.join(folder).join(name));
    own.into_iter().find(|file| file.is_file()).or_else(|| {
        let machine = std::env::split_paths(path).any(|folder| folder.join(name).is_file());
        machine.then(|| name.into())
    })
}

#[expect(clippy::disallowed_methods, reason = "where programs are is known to the environment")]
fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_project_goes_before_that_of_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let (own, machine) = (folder.path().join(".venv/bin"), folder.path().join("bin"));
        for programs in [&own, &machine] {
            fs::create_dir_all(programs).unwrap();
        }
        let found = || find_in(folder.path(), "zig", machine.as_os_str());
        assert_eq!(found(), None);
        fs::write(machine.join("zig"), "").unwrap();
        assert_eq!(found(), Some("zig".into()));
        fs::write(own.join("zig"), "").unwrap();
        assert_eq!(found(), Some(own.join("zig")));
    }
}
