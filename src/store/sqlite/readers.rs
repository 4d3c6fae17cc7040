//! Connections that only read. Point reads run inline on whichever thread asks, since they take
//! microseconds; long lists go to a blocking thread and have connections of their own, so that no
//! point read waits for one. They never write: the connections are opened read-only.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::open::open_reader;
use crate::store::StoreError;

/// Connections for long lists: one list at a time beside the reaper's look-ups.
const LONG: usize = 2;

pub(super) struct Readers {
    point: Pool,
    long: Arc<Pool>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

impl Readers {
    /// Opens one connection per core for point reads, and a few for lists.
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            point: Pool::open(file, cores.clamp(2, 8))?,
            long: Arc::new(Pool::open(file, LONG)?),
        })
    }

    /// A read that takes microseconds.
    pub(super) fn point<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.point.with(read)
    }

    /// A read that may take longer.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.long);
        tokio::task::spawn_blocking(move || pool.with(read)).await.unwrap_or_else(|error| {
            // Cancelled only when the runtime shuts down.
            if error.is_panic() {
                Err(StoreError::Failed("a read panicked".to_owned()))
            } else {
                Err(StoreError::Closed)
            }
        })
    }
}

struct Pool {
    connections: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Pool {
    fn open(file: &Path, count: usize) -> rusqlite::Result<Self> {
        let connections = (0..count)
            .map(|_| open_reader(file).map(Mutex::new))
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { connections, turn: AtomicUsize::new(0) })
    }

    /// Runs `read` on a free connection, or waits for one.
    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for connection in &self.connections {
            if let Ok(connection) = connection.try_lock() {
                return read(&connection);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let chosen = turn.checked_rem(self.connections.len()).unwrap_or(0);
        let Some(connection) = self.connections.get(chosen) else {
            return Err(StoreError::Closed);
        };
        read(&connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
