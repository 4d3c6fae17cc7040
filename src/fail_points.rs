//! Places where the process dies for certain: before and after every write of the store. For tests with
//! the real binary, and in debug builds only: a release does not contain this file, and nothing there
//! reads the variable. It must never change what a write does. What the tests do with it:
//! `tests/it/fail_points.rs`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Signal, getpid, kill_process};

use crate::store::faulty::{FaultyStore, Moment};
use crate::store::{Store, sqlite::Sqlite};

/// In this file stands the number of the point to die at, from 1; 0 dies nowhere. While it is missing no
/// point is counted.
const PLAN: &str = "die-at";
/// Here each point that was passed is a line.
const PASSED: &str = "passed";

/// The points of one process. A folder and not a value, so that a test can plan while the process runs.
#[derive(Debug)]
struct FailPoints {
    folder: PathBuf,
    count: Mutex<u64>,
}

/// The store with a point before and after each write.
pub fn around(folder: &Path, store: Arc<Sqlite>) -> Arc<dyn Store> {
    let points = FailPoints { folder: folder.to_owned(), count: Mutex::default() };
    FaultyStore::watched(
        store,
        Box::new(move |write, moment| {
            points.pass(match moment {
                Moment::BeforeCommit => format!("before {write}"),
                Moment::AfterCommit => format!("after {write}"),
            });
        }),
    )
}

impl FailPoints {
    /// Counts the point, and dies if it is the one.
    fn pass(&self, point: String) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(plan) = fs::read_to_string(self.folder.join(PLAN)) else {
            *count = 0;
            return;
        };
        *count = count.saturating_add(1);
        let file = fs::File::options().append(true).create(true).open(self.folder.join(PASSED));
        let noted = file.and_then(|mut file| file.write_all((point + "\n").as_bytes()));
        if noted.is_err() || plan.trim().parse() == Ok(*count) {
            // As `kill -9` from outside: no destructor runs, nothing is flushed.
            let _killed = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
    }
}
