//! When AWS is compared with the leases by itself; on tokio's paused clock, so that a day costs nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::support::{Bench, NARROW, iam_user};
use crate::clock::Clock as _;
use crate::gate::Mode;
use crate::model::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// The clock is looked at once a minute.
const A_LOOK: Duration = Duration::from_secs(61);

struct Scheduled {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Scheduled {
    async fn begin(bench: &Bench, interval: Option<Duration>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let engine = Arc::clone(&bench.engine);
        let task = tokio::spawn(engine.reconcile_on_schedule(interval, stopped));
        look().await;
        Self { stop, task }
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

/// Lets so much time go by on the broker's clock, and some looks at it.
async fn pass(bench: &Bench, by: Duration) {
    bench.world.clock.advance(by);
    look().await;
}

/// Long enough for some looks. The store works on threads of its own, for which tokio's clock does not wait.
#[expect(clippy::disallowed_methods, reason = "tokio's clock is paused")]
async fn look() {
    for _ in 0..5 {
        tokio::time::sleep(A_LOOK).await;
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until so many comparisons came to their end, the last of them at that moment.
#[track_caller]
fn ended(bench: &Bench, count: usize, at: Timestamp) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        for _ in 0..1_000 {
            if (comparisons(bench), last(bench).await) == (count, Some(at)) {
                look().await;
                assert_eq!(comparisons(bench), count, "{place}");
                return;
            }
            look().await;
        }
        panic!("{place}: {} comparisons, the last at {:?}", comparisons(bench), last(bench).await);
    }
}

/// When the last comparison ended.
async fn last(bench: &Bench) -> Option<Timestamp> {
    let last = bench.engine.last_reconcile().await.unwrap();
    last.map(|report| Timestamp::from_millis(report.finished_millis))
}

fn comparisons(bench: &Bench) -> usize {
    bench.world.faults.actions().iter().filter(|action| *action == "ListUsers").count()
}

#[tokio::test(start_paused = true)]
async fn the_first_comparison_waits_for_what_is_young_and_the_next_for_the_interval() {
    let bench = Bench::with_mount(Mode::Warn).await;
    bench.write("r", iam_user(NARROW)).await.unwrap();
    let begun = bench.world.clock.now();
    let scheduled = Scheduled::begin(&bench, Some(DAY)).await;
    let settling = bench.engine.leases().settling();
    assert_eq!(bench.engine.next_reconcile(), Some(begun.after(settling)));
    pass(&bench, settling.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!((last(&bench).await, comparisons(&bench)), (None, 0));

    pass(&bench, Duration::from_secs(1)).await;
    let first = begun.after(settling);
    ended(&bench, 1, first).await;
    assert_eq!(bench.engine.next_reconcile(), Some(first.after(DAY)));
    pass(&bench, DAY.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(comparisons(&bench), 1);
    pass(&bench, Duration::from_secs(1)).await;
    ended(&bench, 2, first.after(DAY)).await;
    // Overdue by three days: once, not three times.
    pass(&bench, 3 * DAY).await;
    ended(&bench, 3, first.after(4 * DAY)).await;
    scheduled.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_put_a_comparison_off() {
    let bench = Bench::with_mount(Mode::Warn).await;
    let scheduled = Scheduled::begin(&bench, Some(DAY)).await;
    let settling = bench.engine.leases().settling();
    let first = bench.world.clock.now().after(settling);
    pass(&bench, settling).await;
    ended(&bench, 1, first).await;
    scheduled.end().await;
    bench.world.clock.advance(DAY.saturating_sub(Duration::from_mins(1)));
    let scheduled = Scheduled::begin(&bench, Some(DAY)).await;
    assert_eq!(bench.engine.next_reconcile(), Some(first.after(DAY)), "not a day from the start");
    pass(&bench, Duration::from_mins(1)).await;
    ended(&bench, 2, first.after(DAY)).await;
    scheduled.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_nothing_is_compared() {
    let bench = Bench::with_mount(Mode::Warn).await;
    let scheduled = Scheduled::begin(&bench, None).await;
    pass(&bench, 30 * DAY).await;
    assert_eq!((last(&bench).await, bench.engine.next_reconcile()), (None, None));
    assert_eq!(comparisons(&bench), 0);
    scheduled.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_is_tried_again_after_the_interval() {
    let bench = Bench::with_mount(Mode::Warn).await;
    let scheduled = Scheduled::begin(&bench, Some(DAY)).await;
    let refused = embedded_aws::faults::Fault::refuse(403, "AccessDenied");
    bench.world.faults.fail_every("ListUsers", refused);
    let settling = bench.engine.leases().settling();
    let first = bench.world.clock.now().after(settling);
    pass(&bench, settling).await;
    ended(&bench, 1, first).await;
    let report = bench.engine.last_reconcile().await.unwrap().unwrap();
    assert_eq!(report.totals.failed, 1);
    bench.world.faults.heal();
    pass(&bench, DAY).await;
    ended(&bench, 2, first.after(DAY)).await;
    let report = bench.engine.last_reconcile().await.unwrap().unwrap();
    assert_eq!(report.totals.failed, 0);
    scheduled.end().await;
}
