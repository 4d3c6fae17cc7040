//! How much one plugin needs for made-up grants of one size: fuel and memory, which are the same on every machine, and
//! time, which is not. Two plugins are measured turn by turn, so that what else the machine does falls on both.

use std::time::Duration;

use guardrail_host::{Evaluation, Plugin, PreparedGrant};

use crate::cli::Stopped;
use crate::figures::{Stopwatch, percentile};
use crate::policies;

/// Runs that do not count: caches and branch predictors are cold in them (guardrails study, 6: three).
const WARM_UP: usize = 3;
/// Runs at least, however long they take: enough for a middle.
const FEWEST: usize = 10;
/// Time for one size and plugin after which it is enough.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// What one plugin needed for one size.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Bytes of the document.
    pub(crate) bytes: usize,
    /// Its statements.
    pub(crate) statements: usize,
    /// The answer, with fuel and memory.
    pub(crate) evaluation: Evaluation,
    /// Time of the middle run.
    pub(crate) p50: Duration,
    /// Time that one in a hundred runs exceeds.
    pub(crate) p99: Duration,
}

/// Measures plugins on a document of about `bytes` bytes, at most `runs` times each.
pub(crate) fn sample<const N: usize>(
    plugins: [&Plugin; N],
    bytes: usize,
    runs: usize,
) -> Result<[Sample; N], Stopped> {
    let grant = policies::grant_of(bytes)?;
    let evaluations = plugins.map(|plugin| plugin.evaluate_blocking(&grant, ""));
    for plugin in plugins.iter().flat_map(|plugin| std::iter::repeat_n(plugin, WARM_UP)) {
        drop(plugin.evaluate_blocking(&grant, ""));
    }
    let mut times = plugins.map(|_| Vec::with_capacity(runs));
    let whole = Stopwatch::start();
    let plenty = LONG_ENOUGH.saturating_mul(u32::try_from(N).unwrap_or(1));
    for run in 0..runs.max(1) {
        if run >= FEWEST && whole.elapsed() > plenty {
            break;
        }
        for (plugin, times) in plugins.iter().zip(&mut times) {
            times.push(time(plugin, &grant));
        }
    }
    for times in &mut times {
        times.sort_unstable();
    }
    let mut times = times.into_iter();
    Ok(evaluations.map(|evaluation| {
        let times: Vec<Duration> = times.next().unwrap_or_default();
        let document = grant.grant().documents.first().map(|one| &*one.document);
        Sample {
            bytes: document.map_or(0, |document| document.canonical().len()),
            statements: document.map_or(0, |document| document.statements().len()),
            evaluation,
            p50: percentile(&times, 50),
            p99: percentile(&times, 99),
        }
    }))
}

fn time(plugin: &Plugin, grant: &PreparedGrant) -> Duration {
    let stopwatch = Stopwatch::start();
    drop(plugin.evaluate_blocking(grant, ""));
    stopwatch.elapsed()
}
