//! The file that keeps the account: one JSON line for each changed entity, on the disk before the
//! answer. A line is never changed; opening replays the lines, and writes them anew by atomic rename.
//! What a line says is defined in [`crate::state`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::{Change, State};

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Reading or writing failed.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line other than the last is not a line of ours.
    #[error(
        "line {line} of `{}` is damaged\nhelp: it holds the embedded AWS of the dev mode; move it away \
         to start with an empty account", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file is of another version of this program.
    #[error("`{}` is of format {found}, this program knows {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: u32,
    },
}

const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    embedded_aws: u32,
}

/// The open file.
// INVARIANT: the file ends at `length`, after a whole line; what is beyond is of a failed write.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Replays the file, if there is one, and starts it anew. Sessions that ended before `now`
    /// (seconds since 1970) are left behind.
    pub(crate) fn open(path: PathBuf, now: i64) -> Result<(Self, State), JournalError> {
        let mut state = match fs::read(&path) {
            Ok(bytes) => replay(&path, &bytes)?,
            Err(source) if source.kind() == io::ErrorKind::NotFound => State::default(),
            Err(source) => {
                return Err(JournalError::Io { doing: "read", path, source });
            }
        };
        state.drop_sessions_before(now);
        let (file, length) = compact(&path, &state).map_err(|source| JournalError::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
        Ok((Self { path, file, length }, state))
    }

    /// Writes what changed. When this returns, it survives the process and the machine.
    pub(crate) fn append(&mut self, changes: &[Change]) -> Result<(), JournalError> {
        self.write(changes).map_err(|source| JournalError::Io {
            doing: "write",
            path: self.path.clone(),
            source,
        })
    }

    fn write(&mut self, changes: &[Change]) -> io::Result<()> {
        let lines = lines(changes)?;
        if self.file.metadata()?.len() != self.length {
            self.file.set_len(self.length)?;
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&lines)?;
        self.file.sync_data()?;
        self.length = self.file.stream_position()?;
        Ok(())
    }
}

fn lines(changes: &[Change]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for change in changes {
        serde_json::to_writer(&mut lines, change)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn replay(path: &Path, bytes: &[u8]) -> Result<State, JournalError> {
    let mut state = State::default();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let torn = !line.ends_with(b"\n");
        if torn {
            // A write that a power cut ended: it was never answered.
            tracing::warn!(path = %path.display(), "the last line of the embedded AWS's journal is torn and left out");
            break;
        }
        let damaged = |source| JournalError::Damaged {
            path: path.to_owned(),
            line: index.saturating_add(1),
            source,
        };
        if index == 0 {
            let header: Header = serde_json::from_slice(line).map_err(damaged)?;
            if header.embedded_aws != FORMAT {
                let found = header.embedded_aws;
                return Err(JournalError::Format { path: path.to_owned(), found });
            }
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(change) => state.apply(change),
            Err(_) if lines.peek().is_none() => {
                tracing::warn!(path = %path.display(), "the last line of the embedded AWS's journal is torn and left out");
            }
            Err(source) => return Err(damaged(source)),
        }
    }
    Ok(state)
}

fn compact(path: &Path, state: &State) -> io::Result<(File, u64)> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    // 0600: the secrets in it are made up, but it looks like a file of secrets.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    serde_json::to_writer(&mut file, &Header { embedded_aws: FORMAT })?;
    file.write_all(b"\n")?;
    file.write_all(&lines(&state.snapshot())?)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    // The rename itself must survive, too.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    let length = file.stream_position()?;
    Ok((file, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Entity;

    fn dead_key(id: &str) -> Change {
        Change::Put(Entity::DeadKey(id.to_owned()))
    }

    #[test]
    fn a_failed_write_is_told_and_nothing_counts_as_written() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let mut journal = Journal { path, file, length: 0 };
        let error = journal.append(&[dead_key("A")]).unwrap_err();
        assert_eq!(error.to_string(), "cannot write `/dev/full`");
        assert_eq!(journal.length, 0);
    }

    #[test]
    fn what_a_failed_write_left_behind_is_cut_off_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aws.jsonl");
        let (mut journal, _) = Journal::open(path.clone(), 0).unwrap();
        journal.append(&[dead_key("A")]).unwrap();
        let mut half = OpenOptions::new().append(true).open(&path).unwrap();
        half.write_all(b"{\"put\":{\"dead_k").unwrap();
        journal.append(&[dead_key("B"), dead_key("C")]).unwrap();
        let (_, state) = Journal::open(path, 0).unwrap();
        assert!(["A", "B", "C"].iter().all(|id| state.is_dead_key(id)));
    }

    #[test]
    fn another_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aws.jsonl");
        fs::write(&path, "{\"embedded_aws\":2}\n").unwrap();
        let error = Journal::open(path, 0).unwrap_err();
        assert!(matches!(error, JournalError::Format { found: 2, .. }));
    }
}
