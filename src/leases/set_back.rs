//! A clock that is set back must not put off what was to be taken away: teardowns wait for moments on
//! that clock. Active leases are left alone, they end at the moment that their holder was told. Looked
//! after by [`super::reaper`] whenever it looks at the time, and once at the start.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{LeaseError, Leases};
use crate::model::Timestamp;
use crate::store::StoreError;

/// Less is the clock's own discipline, which slews and steps by milliseconds.
const NOTICEABLE: Duration = Duration::from_secs(1);

impl Leases {
    /// What an earlier process left: what is pending belongs to nobody and is due now, and what waits longer than
    /// anything can was put off by a clock that was set back while nobody looked. Once, before [`Self::run`].
    pub async fn pick_up(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.abandon_pending(now).await?;
        let latest = now.after(self.longest_wait());
        let sooner = self.store.bring_forward(latest).await?;
        if sooner > 0 {
            tracing::warn!(
                leases = sooner,
                "the clock was set back while the broker was down; {sooner} teardowns were brought forward"
            );
        }
        Ok(())
    }

    fn longest_wait(&self) -> Duration {
        self.timing.backoff_cap.max(self.timing.settling)
    }

    /// What is pending or ending is then due within the longest wait there is, as if it had been
    /// written just now.
    pub(super) async fn notice_set_back(&self, now: Timestamp) -> Result<(), LeaseError> {
        let latest = self.seen.fetch_max(now.as_millis(), Ordering::SeqCst);
        let by = Timestamp::from_millis(latest).since(now);
        if by <= NOTICEABLE {
            return Ok(());
        }
        let sooner = self.store.bring_forward(now.after(self.longest_wait())).await?;
        self.seen.store(now.as_millis(), Ordering::SeqCst);
        tracing::warn!(
            set_back_s = by.as_secs(),
            leases = sooner,
            "the clock was set back by {} s; {sooner} teardowns were brought forward",
            by.as_secs()
        );
        Ok(())
    }
}
