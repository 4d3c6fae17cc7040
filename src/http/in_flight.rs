//! Work that is finished even when its caller hangs up: a credential half issued is worse than one
//! nobody asked for. A dropped connection drops the waiting, never the work. Stopping the server waits
//! for it: [`super::server`].

use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinError;

/// Counts what runs on its own.
#[derive(Debug, Clone)]
pub struct InFlight(watch::Sender<usize>);

impl Default for InFlight {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running = running.saturating_sub(1));
    }
}

impl InFlight {
    /// Runs `work` to its end, whether or not anyone still waits for the result.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        self.0.send_modify(|running| *running = running.saturating_add(1));
        let counted = Counted(self.0.clone());
        tokio::spawn(async move {
            let _until_done = counted;
            work.await
        })
        .await
    }

    /// Waits until nothing runs.
    pub async fn idle(&self) {
        let mut running = self.0.subscribe();
        // It ends early only when the sender is gone, and this holds one.
        drop(running.wait_for(|running| *running == 0).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let in_flight = InFlight::default();
        let (go, done) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let work = {
            let (go, done) = (Arc::clone(&go), Arc::clone(&done));
            async move {
                go.notified().await;
                done.store(true, Ordering::SeqCst);
            }
        };
        {
            let waiting = in_flight.run(work);
            tokio::select! {
                biased;
                _ = waiting => panic!("it cannot be done yet"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert!(!done.load(Ordering::SeqCst));
        go.notify_one();
        in_flight.idle().await;
        assert!(done.load(Ordering::SeqCst));
    }
}
