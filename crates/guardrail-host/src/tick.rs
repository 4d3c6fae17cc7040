//! The engine's clock: a thread that moves the epoch on each millisecond while some guest runs, and sleeps
//! without a wake-up when none does. Never touches a store; a guest that is due sees it at its next loop or call.
//! [`crate::evaluate`] holds a `Running` for as long as a call lasts.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// 1 ms: a quarter percent of the default wall time, and a wake-up that costs nothing measurable.
const TICK: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
struct State {
    running: usize,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is two plain values: a thread that died while it held the lock cannot have left them half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_needed(&self) -> bool {
        let guard = self
            .changed
            .wait_while(self.lock(), |state| state.running == 0 && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        !guard.stopped
    }
}

/// Owns the thread; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("guardrail-tick".into()).spawn({
            let shared = Arc::clone(&shared);
            let engine = engine.clone();
            move || {
                while shared.wait_until_needed() {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Keeps the epoch moving until the value is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        let mut state = self.shared.lock();
        state.running = state.running.saturating_add(1);
        if state.running == 1 {
            self.shared.changed.notify_one();
        }
        drop(state);
        Running(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the guardrail tick thread had died");
        }
    }
}

/// A guest is running.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running = state.running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_ends_with_its_owner() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let shared = Arc::clone(&ticker.shared);
        drop(ticker.running());
        drop(ticker);
        assert!(shared.lock().stopped);
        assert_eq!(shared.lock().running, 0);
        assert_eq!(Arc::strong_count(&shared), 1, "the thread still holds its state");
    }
}
