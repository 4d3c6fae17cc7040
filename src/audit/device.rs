//! One device at work: a thread that chains and writes what it is handed, several entries at once where they wait, and
//! says of each whether it was written. Never says so of one that was not; never stops because a write failed.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{error, info};

use super::chain::{Chain, Link};
use super::options::Options;
use super::sink::Sink;
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
        let chain = found_chain(&stored, &sink, written);
        let worker = Worker { path: stored.path.clone(), sink, chain, broken: false };
        let name = format!("audit {}", stored.path);
        std::thread::Builder::new().name(name).spawn(move || worker.run(&asked))?;
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

/// Where the chain goes on: after the last entry of the file, or after what the store knows where that is further.
fn found_chain(stored: &AuditDevice, sink: &Sink, written: Option<ChainHead>) -> Chain {
    let last = sink.last_line().unwrap_or_else(|error| {
        error!(audit.device = stored.path, %error, "the end of audit device `{}` cannot be read", stored.path);
        None
    });
    let in_file = last.as_deref().and_then(Link::read).map(|link| link.head());
    match (in_file, written) {
        (Some(file), Some(written)) if file.seq < written.seq => {
            error!(
                audit.device = stored.path,
                "audit device `{}` ends with entry {}, and {} was written: it was cut off, or an older file put in its place",
                stored.path,
                file.seq,
                written.seq
            );
            Chain::after(written)
        }
        (Some(head), _) | (None, Some(head)) => Chain::after(head),
        (None, None) => Chain::default(),
    }
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
        let last = self.sink.last_line().ok().flatten();
        let Some(head) = last.as_deref().and_then(Link::read).map(|link| link.head()) else {
            return;
        };
        if self.chain.head().is_none_or(|known| known.seq < head.seq) {
            self.chain = Chain::after(head);
        }
    }

    fn write(&mut self, waiting: &mut Vec<(String, oneshot::Sender<bool>)>) {
        if waiting.is_empty() {
            return;
        }
        let mut chain = self.chain.clone();
        let lines: Vec<String> = waiting.iter().map(|(entry, _)| chain.seal(entry)).collect();
        let written = self.sink.write(&lines);
        match &written {
            Ok(()) => {
                self.chain = chain;
                if self.broken {
                    info!(
                        audit.device = self.path,
                        "audit device `{}` takes entries again", self.path
                    );
                }
            }
            Err(error) if !self.broken => {
                error!(audit.device = self.path, %error, "audit device `{}` cannot be written to: {error}", self.path);
            }
            Err(_) => {}
        }
        self.broken = written.is_err();
        if self.broken {
            self.catch_up();
        }
        for (_, done) in waiting.drain(..) {
            // Whoever waited may have gone.
            let _gone = done.send(written.is_ok()).is_err();
        }
    }
}
