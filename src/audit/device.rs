//! One device at work: a thread that chains and writes what it is handed, several entries at once where they wait, and
//! says of each whether it was written. Never says so of one that was not; never stops because a write failed.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{error, info};

use super::chain::{Chain, Link};
use super::options::Options;
use super::sink::{Sink, is_too_long};
use crate::model::{AuditDevice, ChainHead};
use crate::seal::AuditKey;

/// Entries that may wait: more than requests can be in flight. One more counts as not written.
const WAITING: usize = 4_096;
/// Entries of one write.
const TOGETHER: usize = 256;
/// How long an entry is waited for: beyond it the device counts as broken. 10 s: what a socket's own time-outs,
/// connecting and writing, come to twice over.
const PATIENCE: Duration = Duration::from_secs(10);

enum Ask {
    Write { entry: String, done: oneshot::Sender<bool> },
    Reopen,
    Head(oneshot::Sender<Option<ChainHead>>),
}

/// A device that takes entries.
pub(super) struct Device {
    pub(super) stored: AuditDevice,
    pub(super) options: Options,
    pub(super) key: AuditKey,
    asks: SyncSender<Ask>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("stored", &self.stored).finish_non_exhaustive()
    }
}

impl Device {
    /// Starts the thread. `written` is the head that the store knows.
    pub(super) fn start(
        stored: AuditDevice,
        options: Options,
        key: AuditKey,
        written: Option<ChainHead>,
    ) -> std::io::Result<Self> {
        let (asks, asked) = sync_channel(WAITING);
        let sink = Sink::new(&options);
        let path = stored.path.clone();
        let work = move || {
            let chain = found_chain(&path, &sink, written);
            Worker { path, sink, chain, broken: false }.run(&asked);
        };
        std::thread::Builder::new().name(format!("audit {}", stored.path)).spawn(work)?;
        Ok(Self { stored, options, key, asks })
    }

    /// Hands an entry over; the answer comes when it is written, or was not.
    pub(super) fn write(&self, entry: String) -> impl Future<Output = bool> + Send + use<> {
        let (done, written) = oneshot::channel();
        let sent = self.asks.try_send(Ask::Write { entry, done });
        if let Err(TrySendError::Full(_)) = &sent {
            error!(
                audit.device = self.stored.path,
                "too many audit entries wait for `{}`", self.stored.path
            );
        }
        async move {
            match tokio::time::timeout(PATIENCE, written).await {
                Ok(Ok(written)) => written,
                // It took too long, or its thread is gone.
                Err(_) | Ok(Err(_)) => false,
            }
        }
    }

    /// The file was moved away.
    pub(super) fn reopen(&self) {
        // A full queue means that it is written to right now; the next signal comes through.
        drop(self.asks.try_send(Ask::Reopen));
    }

    /// The last entry that was written.
    pub(super) async fn head(&self) -> Option<ChainHead> {
        let (asked, head) = oneshot::channel();
        self.asks.try_send(Ask::Head(asked)).ok()?;
        tokio::time::timeout(PATIENCE, head).await.ok()?.ok()?
    }
}

/// Where the chain goes on: after the last entry of the file, where that has the one that the store knows, or is what
/// follows it; else after the one that the store knows, so that what was changed stays to be seen.
fn found_chain(path: &str, sink: &Sink, written: Option<ChainHead>) -> Chain {
    let found = last_and_known(sink, written.as_ref()).unwrap_or_else(|error| {
        error!(audit.device = path, %error, "the end of audit device `{path}` cannot be read");
        (None, None)
    });
    match (found, written) {
        ((Some(last), known), Some(written)) => {
            // An older entry of a file that begins after the store's is not there to be compared.
            let differs = known.is_some_and(|known| known.hash != written.hash);
            if last.seq < written.seq || differs {
                error!(
                    audit.device = path,
                    "audit device `{path}` ends with entry {}, and entry {} was written otherwise: it was cut off or changed, or an older file put in its place",
                    last.seq,
                    written.seq
                );
                return Chain::after(written);
            }
            Chain::after(last)
        }
        ((Some(head), _), None) | ((None, _), Some(head)) => Chain::after(head),
        ((None, _), None) => Chain::default(),
    }
}

/// The last entry that is there, and the one that has the number of the store's.
fn last_and_known(
    sink: &Sink,
    written: Option<&ChainHead>,
) -> std::io::Result<(Option<ChainHead>, Option<ChainHead>)> {
    let Some(mut tail) = sink.tail()? else {
        return Ok((None, None));
    };
    let mut last = None;
    while let Some(line) = tail.next()? {
        // Half a line is none; one that lacks its line break alone is there.
        let Some(link) = Link::read(&line.text).filter(|link| line.ended || link.is_whole()) else {
            continue;
        };
        let head = link.head();
        let is_known = written.is_some_and(|written| written.seq == head.seq);
        let is_past = written.is_none_or(|written| written.seq > head.seq);
        let last = last.get_or_insert_with(|| head.clone());
        if is_known || is_past {
            return Ok((Some(last.clone()), is_known.then_some(head)));
        }
    }
    Ok((last, None))
}

struct Worker {
    path: String,
    sink: Sink,
    chain: Chain,
    broken: bool,
}

impl Worker {
    fn run(mut self, asked: &Receiver<Ask>) {
        while let Ok(first) = asked.recv() {
            let mut waiting = Vec::new();
            let mut next = Some(first);
            while let Some(ask) = next.take() {
                match ask {
                    Ask::Write { entry, done } => waiting.push((entry, done)),
                    Ask::Reopen => {
                        self.write(&mut waiting);
                        self.sink.reopen();
                    }
                    Ask::Head(to) => {
                        self.write(&mut waiting);
                        // Whoever asked may have gone.
                        drop(to.send(self.chain.head()));
                    }
                }
                if waiting.len() < TOGETHER {
                    next = asked.try_recv().ok();
                }
            }
            self.write(&mut waiting);
        }
    }

    /// Of a write that failed, some lines may be there all the same: their numbers are taken.
    fn catch_up(&mut self) {
        let Ok((Some(head), _)) = last_and_known(&self.sink, None) else {
            return;
        };
        if self.chain.head().is_none_or(|known| known.seq < head.seq) {
            self.chain = Chain::after(head);
        }
    }

    fn write(&mut self, waiting: &mut Vec<Waiting>) {
        while !waiting.is_empty() {
            let mut chain = self.chain.clone();
            let lines: Vec<String> = waiting.iter().map(|(entry, _)| chain.seal(entry)).collect();
            let (sent, written) = self.sink.write(&lines);
            for (entry, done) in waiting.drain(..sent.min(lines.len())) {
                self.chain.seal(&entry);
                tell(done, true);
            }
            let Err(error) = written else {
                if self.broken {
                    info!(
                        audit.device = self.path,
                        "audit device `{}` takes entries again", self.path
                    );
                }
                self.broken = false;
                continue;
            };
            // One that does not fit is the only one that fails.
            let failed = if is_too_long(&error) { 1 } else { waiting.len() };
            if !self.broken {
                error!(audit.device = self.path, %error, "audit device `{}` cannot be written to: {error}", self.path);
            }
            self.broken = !is_too_long(&error);
            for (_, done) in waiting.drain(..failed.min(waiting.len())) {
                tell(done, false);
            }
            self.catch_up();
        }
    }
}

type Waiting = (String, oneshot::Sender<bool>);

/// Whoever waited may have gone.
fn tell(done: oneshot::Sender<bool>, written: bool) {
    let _gone = done.send(written).is_err();
}
