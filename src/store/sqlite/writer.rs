//! The one writer. A thread drains the queue and commits whatever waits in one transaction, so that
//! many writes share one wait for the disk; each runs in its own savepoint, so that one that fails
//! takes no other with it. Nobody is answered before the commit. Reading is [`super::readers`]'s.

use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::cache::{Caches, Stale};
use crate::store::StoreError;

/// Most writes in one transaction: bounds how long the first of them waits for the rest.
const MOST_IN_A_GROUP: usize = 512;

/// What a write works with.
pub(super) struct Writing<'a> {
    pub(super) db: &'a Connection,
    stale: &'a mut Vec<Stale>,
}

impl Writing<'_> {
    /// Says that a copy in memory is old once this write is committed.
    pub(super) fn outdates(&mut self, stale: Stale) {
        self.stale.push(stale);
    }
}

/// The queue's near end.
pub(super) struct Writer {
    queue: RwLock<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<Counts>,
}

/// How much was written since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) writes: AtomicU64,
    pub(super) commits: AtomicU64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({:?})", self.counts)
    }
}

impl Writer {
    /// Starts the thread; it holds `lock` until it has ended.
    pub(super) fn start(db: Connection, caches: Arc<Caches>, lock: File) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let counts = Arc::new(Counts::default());
        let mut thread = WriterThread { db, caches, counts: Arc::clone(&counts), _lock: lock };
        let handle = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || thread.run(&receiver))?;
        Ok(Self { queue: RwLock::new(Some(sender)), thread: Mutex::new(Some(handle)), counts })
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Queues a write and waits until it is committed.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(Write { work: Some(work), result: None, reply }))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn send(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(StoreError::Closed);
        };
        // The thread is gone only when the queue is.
        queue.send(job).or(Err(StoreError::Closed))
    }

    /// Takes no more writes, and waits until those that wait are committed.
    pub(super) fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// A queued write, whatever it answers with.
trait Job: Send {
    fn run(&mut self, writing: &mut Writing<'_>) -> Outcome;
    /// Answers the caller: with its own result, or with `lost` if the commit failed.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

/// Whether a write's rows are to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Keep,
    Undo,
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, writing: &mut Writing<'_>) -> Outcome {
        if let Some(work) = self.work.take() {
            // A bug in one write must not end the thread that everybody needs.
            let result = catch_unwind(AssertUnwindSafe(|| work(writing)));
            self.result = Some(result.unwrap_or_else(|_| {
                Err(StoreError::Failed("a write panicked, nothing of it was kept".to_owned()))
            }));
        }
        match self.result {
            Some(Ok(_)) => Outcome::Keep,
            Some(Err(_)) | None => Outcome::Undo,
        }
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let result = match (lost, self.result) {
            // A write that failed by itself keeps its own answer.
            (Some(_), Some(Err(own))) => Err(own),
            (Some(why), Some(Ok(_)) | None) => Err(StoreError::Failed(why.to_owned())),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Closed),
        };
        // A caller that went away has no use for the answer; the write stands.
        drop(self.reply.send(result));
    }
}

struct WriterThread {
    db: Connection,
    caches: Arc<Caches>,
    counts: Arc<Counts>,
    _lock: File,
}

impl WriterThread {
    fn run(&mut self, queue: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            self.run_group(first, queue);
        }
        // On a failure the log stays behind and is read at the next start.
        if let Err(error) = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the store's log could not be folded into the database");
        }
    }

    /// Runs and commits `first` and whatever else waits.
    fn run_group(&self, first: Box<dyn Job>, queue: &Receiver<Box<dyn Job>>) {
        let mut stale = Vec::new();
        let mut group = Vec::new();
        let mut next = Some(first);
        let mut committed = self.statement("BEGIN IMMEDIATE");
        while let Some(mut job) = next.take() {
            if committed.is_ok() {
                committed = self.run_job(job.as_mut(), &mut stale);
            }
            group.push(job);
            if committed.is_ok() && group.len() < MOST_IN_A_GROUP {
                next = queue.try_recv().ok();
            }
        }
        committed = committed.and_then(|()| self.statement("COMMIT"));
        if committed.is_err() && !self.db.is_autocommit() {
            // Nothing better to do if even that fails: the next BEGIN then says so.
            drop(self.statement("ROLLBACK"));
        }
        // Also after a failed commit, since it is then unclear what is on disk.
        stale.drain(..).for_each(|old| self.caches.forget(old));
        self.count(group.len(), committed.is_ok());
        let lost = committed.err().map(|error| match error {
            StoreError::Failed(why) => why,
            StoreError::Conflict | StoreError::Closed => error.to_string(),
        });
        for job in group {
            job.answer(lost.as_deref());
        }
    }

    /// Runs one write in a savepoint. An error means that the whole transaction is gone.
    fn run_job(&self, job: &mut dyn Job, stale: &mut Vec<Stale>) -> Result<(), StoreError> {
        self.statement("SAVEPOINT write")?;
        let mut writing = Writing { db: &self.db, stale };
        let outcome = job.run(&mut writing);
        if self.db.is_autocommit() {
            // SQLite rolled everything back by itself, as it may when the disk is full.
            return Err(StoreError::Failed(
                "the transaction was undone by a failed write next to it\nhelp: look at the other errors of the store; repeat the request".to_owned(),
            ));
        }
        if outcome == Outcome::Undo {
            self.statement("ROLLBACK TO write")?;
        }
        self.statement("RELEASE write")
    }

    fn statement(&self, sql: &str) -> Result<(), StoreError> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn count(&self, writes: usize, committed: bool) {
        if committed {
            let writes = u64::try_from(writes).unwrap_or(u64::MAX);
            self.counts.writes.fetch_add(writes, Ordering::Relaxed);
            self.counts.commits.fetch_add(1, Ordering::Relaxed);
        }
    }
}
