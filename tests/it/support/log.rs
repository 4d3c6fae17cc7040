//! Log lines, kept for the test that made them. One subscriber serves the whole binary; each broker
//! runs on a thread of its own, and a line belongs to the broker whose threads wrote it.

use std::io::Write;
use std::sync::{Arc, Mutex, Once};

use leasehold::config::Log;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Every line of every broker of this binary, at trace level.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

static LINES: std::sync::LazyLock<Lines> = std::sync::LazyLock::new(Lines::default);
static INSTALL: Once = Once::new();

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Starts to keep lines.
pub fn keep() {
    INSTALL.call_once(|| {
        let log = Log { level: tracing::Level::TRACE, json: false };
        leasehold::telemetry::subscriber(&log, false, LINES.clone()).init();
    });
}

/// All lines that hold `part`.
pub fn with(part: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(&LINES.0.lock().unwrap()).into_owned();
    text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}
