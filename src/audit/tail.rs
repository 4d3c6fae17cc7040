//! A file's lines from its end, without reading the rest. Used once a start, to go on with a chain; never opens what is
//! no regular file, since opening a pipe waits for whoever is at its other end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The first piece that is read; the next ones are twice as long each, so that a long line is not copied for every piece.
const FIRST_PIECE: u64 = 64 << 10;
/// How much of the end is read at most: a second's entries and the longest one stand in much less.
const FURTHEST: u64 = 256 << 20;

/// Lines, the last one first.
#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    /// Where what was read begins.
    from: u64,
    /// Where it may go back to.
    least: u64,
    piece: u64,
    read: Vec<u8>,
    /// Whether the next line is the last of the file.
    first: bool,
}

/// A line of a file's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TailLine {
    /// Without its line break.
    pub(super) text: String,
    /// Whether it has one.
    pub(super) ended: bool,
}

impl Tail {
    /// Of a regular file; `None` where there is none.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(kind) if kind.is_file() => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let least = length.saturating_sub(FURTHEST);
        let (piece, read) = (FIRST_PIECE, Vec::new());
        Ok(Some(Self { file, from: length, least, piece, read, first: true }))
    }

    /// The line before the one that was given last.
    pub(super) fn next(&mut self) -> io::Result<Option<TailLine>> {
        loop {
            let ended = self.read.last() == Some(&b'\n');
            let body = self.read.len().saturating_sub(usize::from(ended));
            let lines = self.read.get(..body).unwrap_or_default();
            let begin = lines.iter().rposition(|byte| *byte == b'\n');
            if begin.is_some() || self.from <= self.least {
                if self.read.is_empty() || (begin.is_none() && self.from > 0) {
                    return Ok(None);
                }
                let begin = begin.map_or(0, |at| at.saturating_add(1));
                let text = String::from_utf8_lossy(lines.get(begin..).unwrap_or_default());
                let line = TailLine { text: text.into_owned(), ended: ended || !self.first };
                self.read.truncate(begin);
                self.first = false;
                return Ok(Some(line));
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let to = self.from;
        self.from = to.saturating_sub(self.piece).max(self.least);
        self.piece = self.piece.saturating_mul(2);
        let mut piece = vec![0; usize::try_from(to.saturating_sub(self.from)).unwrap_or(0)];
        self.file.seek(SeekFrom::Start(self.from))?;
        self.file.read_exact(&mut piece)?;
        piece.append(&mut self.read);
        self.read = piece;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &str) -> Vec<(String, bool)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, content).unwrap();
        let mut tail = Tail::of(&path).unwrap().unwrap();
        let mut lines = Vec::new();
        while let Some(TailLine { text, ended }) = tail.next().unwrap() {
            lines.push((text, ended));
        }
        lines
    }

    #[test]
    fn lines_come_from_the_last_to_the_first() {
        let told = |lines: &[(&str, bool)]| {
            lines.iter().map(|(text, ended)| ((*text).to_owned(), *ended)).collect::<Vec<_>>()
        };
        assert_eq!(lines(""), told(&[]));
        assert_eq!(lines("a"), told(&[("a", false)]));
        assert_eq!(lines("a\nb\n"), told(&[("b", true), ("a", true)]));
        assert_eq!(lines("a\n\nhalf"), told(&[("half", false), ("", true), ("a", true)]));
        let long = "x".repeat(300_000);
        let read = lines(&format!("first\n{long}\nlast\n"));
        assert_eq!(read, told(&[("last", true), (&long, true), ("first", true)]));
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Tail::of(dir.path()).unwrap().is_none());
        assert!(Tail::of(&dir.path().join("nothing")).unwrap().is_none());
        assert!(Tail::of(Path::new("/dev/null")).unwrap().is_none());
    }
}
