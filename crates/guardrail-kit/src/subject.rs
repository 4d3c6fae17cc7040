//! Something to judge, from a file: a vector, or a policy document with nothing around it. Keeps the file's text, so that
//! findings can be shown in it. Judges nothing.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use guardrail_host::{Grant, Location, PreparedGrant, Source, SourcedDocument, Trigger};
use iam_policy::Document;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::Stopped;
use crate::excerpt::SourceText;
use crate::target::{json_files, shown};
use crate::vector::{NOW_UNIX_MS, RoleForm, TriggerForm, Vector};

/// What is put around a document, or in the place of what a vector has.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Around {
    /// JSON file with the settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// JSON file with the role around the document, as `grant.role` of a vector
    #[arg(long, value_name = "FILE")]
    role: Option<PathBuf>,
    /// Policy document that caps the role
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// What made the host ask
    #[arg(long, value_enum, value_name = "WHEN")]
    trigger: Option<TriggerForm>,
}

/// A grant from a file.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The file, as people would write it from here.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
    /// What is judged.
    pub(crate) grant: PreparedGrant,
    /// The settings as JSON text; empty = none.
    pub(crate) settings: String,
    /// The vector, where the file is one.
    pub(crate) vector: Option<Vector>,
}

impl Subject {
    /// Reads a file.
    pub(crate) fn read(path: &Path, around: &Around) -> Result<Self, Stopped> {
        let name = shown(path);
        let text = text_of(path)?;
        let is_vector =
            serde_json::from_str::<Value>(&text).is_ok_and(|value| value.get("grant").is_some());
        let (mut grant, mut settings, vector) = if is_vector {
            let vector =
                Vector::read(text.as_bytes()).map_err(|error| format!("`{name}`: {error}"))?;
            (vector.grant().grant().clone(), vector.settings().to_owned(), Some(vector))
        } else {
            let bare = Grant {
                trigger: Trigger::Simulate,
                ..Grant::bare(vec![document(&name, &text)?], NOW_UNIX_MS)
            };
            (bare, String::new(), None)
        };
        around.put(&mut grant, &mut settings)?;
        Ok(Self { name, text, grant: PreparedGrant::new(grant), settings, vector })
    }

    /// All subjects of files and folders.
    pub(crate) fn read_all(paths: &[PathBuf], around: &Around) -> Result<Vec<Self>, Stopped> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() { files.extend(json_files(path)?) } else { files.push(path.clone()) }
        }
        files.iter().map(|file| Self::read(file, around)).collect()
    }

    /// Its file.
    pub(crate) fn source(&self) -> SourceText<'_> {
        SourceText { name: &self.name, text: &self.text }
    }

    /// Where a place stands in the file, in bytes.
    pub(crate) fn place(&self, location: &Location) -> Option<Range<usize>> {
        if let Some(vector) = &self.vector {
            return vector.place(location);
        }
        let document = &self.grant.grant().documents.get(location.document)?.document;
        let value = document.json().at(&location.pointer)?;
        let start = value.position().offset;
        Some(start..start.saturating_add(value.raw().len()))
    }
}

impl Around {
    fn put(&self, grant: &mut Grant, settings: &mut String) -> Result<(), Stopped> {
        if let Some(path) = &self.settings {
            *settings = json::<Value>(path)?.to_string();
        }
        if let Some(path) = &self.role {
            grant.role = Some(json::<RoleForm>(path)?.context());
        }
        if let Some(path) = &self.boundary {
            let document = document(&shown(path), &text_of(path)?)?;
            grant.boundary = Some(SourcedDocument { source: Source::Bare, document });
        }
        if let Some(trigger) = self.trigger {
            grant.trigger = trigger.into();
        }
        Ok(())
    }

    /// Whether nothing is put around anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.settings.is_none()
            && self.role.is_none()
            && self.boundary.is_none()
            && self.trigger.is_none()
    }
}

fn text_of(path: &Path) -> Result<String, Stopped> {
    fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", shown(path)).into())
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Stopped> {
    serde_json::from_str(&text_of(path)?)
        .map_err(|error| format!("`{}`: {error}", shown(path)).into())
}

fn document(name: &str, text: &str) -> Result<Arc<Document>, Stopped> {
    Document::parse(text).map(Arc::new).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
        format!("`{name}` is no policy document that the host would take:\n  {problems}").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str =
        "{\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"}\n}";

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_document_and_a_vector_are_told_apart_and_both_know_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let bare = write(folder.path(), "policy.json", POLICY);
        let vector = format!(
            r#"{{"settings":{{"a":1}},"grant":{{"documents":[{{"document":{POLICY}}}]}},"expect":{{"verdict":"pass"}}}}"#
        );
        let vector = write(folder.path(), "vector.json", &vector);
        let at = Location { document: 0, pointer: "/Statement/Action".into() };
        for path in [bare, vector] {
            let subject = Subject::read(&path, &Around::default()).unwrap();
            assert_eq!(subject.text.get(subject.place(&at).unwrap()), Some("\"s3:*\""));
            assert_eq!(subject.settings.is_empty(), subject.vector.is_none());
        }
    }

    #[test]
    fn what_is_put_around_a_document_is_judged_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "policy.json", POLICY);
        let around = Around {
            settings: Some(write(folder.path(), "s.json", r#"{ "x": 1 }"#)),
            role: Some(write(folder.path(), "r.json", r#"{"name": "deploy"}"#)),
            boundary: Some(path.clone()),
            trigger: Some(TriggerForm::Issue),
        };
        let subject = Subject::read(&path, &around).unwrap();
        let grant = subject.grant.grant();
        assert_eq!(subject.settings, r#"{"x":1}"#);
        assert_eq!(grant.role.as_ref().unwrap().name, "deploy");
        assert_eq!(grant.trigger, Trigger::Issue);
        assert!(grant.boundary.is_some());
    }

    #[test]
    fn a_document_that_is_no_policy_says_everything_that_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "p.json", r#"{"Statement":{"Effect":"allow"}}"#);
        let refused = Subject::read(&path, &Around::default()).unwrap_err().to_string();
        assert!(
            refused.contains("is no policy document that the host would take:\n  "),
            "{refused}"
        );
    }
}
