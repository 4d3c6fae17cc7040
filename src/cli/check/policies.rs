//! Texts of managed and group policies that someone put into a folder, so that a role can be checked whole without AWS.
//! It never guesses: a policy without a file is a policy without a text. Read for roles in `input`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::gate::DocumentSource;
use crate::model::{GroupName, PolicyArn};

/// The folder, if there is one.
#[derive(Debug)]
pub(super) struct Policies<'a> {
    folder: Option<&'a Path>,
}

impl<'a> Policies<'a> {
    pub(super) fn new(folder: Option<&'a Path>) -> Self {
        Self { folder }
    }

    /// The text of a managed policy, or why there is none.
    pub(super) fn managed(&self, arn: &PolicyArn) -> Result<String, String> {
        let Some(folder) = self.folder else {
            return Err("there is no text of it here; give `--policies DIR`".to_owned());
        };
        let name = arn.as_str().rsplit('/').next().unwrap_or_default();
        text(&folder.join(format!("{name}.json")))
    }

    /// The inline policies of a group, or why there are none.
    pub(super) fn group(&self, group: &GroupName) -> Vec<(DocumentSource, Result<String, String>)> {
        let source = |policy: String| DocumentSource::Group { group: group.clone(), policy };
        let files = match self.folder {
            None => {
                Err("there are no texts of its policies here; give `--policies DIR`".to_owned())
            }
            Some(folder) => files(&folder.join("groups").join(group.as_str())),
        };
        match files {
            Err(reason) => vec![(source(String::new()), Err(reason))],
            Ok(files) => {
                files.into_iter().map(|(name, path)| (source(name), text(&path))).collect()
            }
        }
    }
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path)
        .map_err(|problem| format!("`{}` cannot be read: {problem}", path.display()))
}

/// The `.json` files of a folder by name, in order.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = fs::read_dir(folder)
        .map_err(|problem| format!("`{}` cannot be read: {problem}", folder.display()))?;
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    Ok(found)
}
