//! When a comparison runs by itself: so long after the last one that ended, by what the store says, so that
//! restarts do not put it off; and at once in quarantine. By itself it only lists and tells.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::{ReconcileError, ReconcileRequest};
use crate::engine::Engine;
use crate::model::Timestamp;
use crate::seal::SealStatus;

/// How often the clock is looked at: it may jump, and nobody waits for the minute.
const LOOK: Duration = Duration::from_mins(1);

impl Engine {
    /// When the next comparison begins by itself.
    pub fn next_reconcile(&self) -> Option<Timestamp> {
        let at = self.passes.next_run.load(Ordering::SeqCst);
        (at != 0).then(|| Timestamp::from_millis(at))
    }

    /// Compares every `interval` until it is told to stop; without one, only at a start in quarantine.
    pub async fn reconcile_on_schedule(
        self: Arc<Self>,
        interval: Option<Duration>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let mut due = if self.quarantine().is_some() {
            Some(self.parts.clock.now())
        } else {
            self.first_run(interval).await
        };
        loop {
            self.passes.next_run.store(due.map_or(0, Timestamp::as_millis), Ordering::SeqCst);
            let now = self.parts.clock.now();
            if due.is_some_and(|due| due <= now) {
                tokio::select! {
                    // Only reads are cut short.
                    _ = shutdown.wait_for(|stop| *stop) => return,
                    () = self.run_by_itself() => {}
                }
                due = interval.map(|interval| self.parts.clock.now().after(interval));
                continue;
            }
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return,
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Without an earlier one, once the users of a first minute are old enough to be told apart.
    async fn first_run(&self, interval: Option<Duration>) -> Option<Timestamp> {
        let interval = interval?;
        let last = self.last_reconcile().await.ok().flatten();
        Some(match last {
            Some(last) => Timestamp::from_millis(last.finished_millis).after(interval),
            None => self.parts.clock.now().after(self.parts.leases.settling()),
        })
    }

    async fn run_by_itself(&self) {
        if self.parts.barrier.status() != SealStatus::Unsealed {
            return;
        }
        self.passes.by_itself.store(true, Ordering::SeqCst);
        let compared = self.reconcile(ReconcileRequest::default()).await;
        self.passes.by_itself.store(false, Ordering::SeqCst);
        match compared {
            // What there is to say it has logged; one that somebody asked for is as good.
            Ok(_) | Err(ReconcileError::UnderWay) => {}
            Err(error) => {
                tracing::error!(error = %error, "AWS could not be compared with the leases");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the schedule's timer")]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
