//! One broken step of a request: the n-th AWS call or the n-th write is refused, left unclear, or the power
//! goes before or after it took effect. What must hold afterwards is the test's to say. [`every_step`] breaks them one by
//! one for what is rotated, `crash.rs` for leases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use embedded_aws::faults::{Decision, Fault, Hook, Outcome};
use leasehold::store::faulty::{Fault as StoreFault, Moment};

use super::broker::TestBroker;
use super::client::{Client, Reply};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    /// A definite error: nothing happened.
    Error,
    /// It took effect, the answer was lost.
    Unclear,
    /// The process is gone before the step took effect.
    PowerBefore,
    /// The process is gone after the step took effect, before anyone heard.
    PowerAfter,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    Call(usize),
    Write(usize),
}

impl Trouble {
    pub const ALL: [Self; 4] = [Self::Error, Self::Unclear, Self::PowerBefore, Self::PowerAfter];

    pub fn is_dark(self) -> bool {
        matches!(self, Self::PowerBefore | Self::PowerAfter)
    }
}

impl Place {
    /// Each of so many calls and writes.
    pub fn all(calls: usize, writes: usize) -> impl Iterator<Item = Self> {
        (0..calls).map(Self::Call).chain((0..writes).map(Self::Write))
    }
}

/// Breaks each step that `act` takes in each way, in a broker of its own, and lets `check` look at what is
/// left once everything works again and some time went by.
pub fn every_step(
    name: &str,
    prepare: impl Fn() -> TestBroker,
    act: impl Fn(&Client) -> Reply + Send + Clone + 'static,
    check: impl Fn(&str, &TestBroker, Option<Reply>),
) {
    let (calls, writes) = {
        let broker = prepare();
        broker.faults.clear_calls();
        let before = broker.store().writes().len();
        let reply = act(&broker.root());
        assert!(matches!(reply.status, 200 | 204), "{name}: {}", reply.text);
        (broker.faults.calls().len(), broker.store().writes().len() - before)
    };
    assert!(calls >= 2 && writes >= 2, "{name}: {calls} calls, {writes} writes");
    for place in Place::all(calls, writes) {
        for trouble in Trouble::ALL {
            let name = format!("{name}, {place:?}, {trouble:?}");
            let mut broker = prepare();
            broker.faults.clear_calls();
            let reply = strike(&mut broker, place, trouble, act.clone());
            broker.faults.heal();
            broker.store().power_on();
            for _round in 0..4 {
                broker.rotate_due();
                broker.clock.advance(Duration::from_secs(310));
            }
            broker.rotate_due();
            check(&name, &broker, reply);
        }
    }
}

/// The answer, where anybody was there to hear it.
fn strike(
    broker: &mut TestBroker,
    place: Place,
    trouble: Trouble,
    act: impl Fn(&Client) -> Reply + Send + 'static,
) -> Option<Reply> {
    break_at(broker, place, trouble);
    let root = broker.root();
    // Where the power goes the connection breaks: that thread fails, and is not asked how.
    let asking = thread::spawn(move || act(&root));
    if !trouble.is_dark() {
        return Some(asking.join().unwrap());
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while !asking.is_finished() && !has_struck(broker, place) {
        assert!(Instant::now() < deadline, "{place:?} was never reached");
        thread::yield_now();
    }
    broker.lose_power();
    drop(asking.join());
    None
}

fn has_struck(broker: &TestBroker, place: Place) -> bool {
    match place {
        Place::Call(step) => {
            broker.faults.calls().get(step).is_some_and(|seen| seen.outcome == Outcome::Lost)
        }
        Place::Write(_) => broker.store().is_dark(),
    }
}

/// Breaks that step, counted from now; after a loss of power no later call reaches AWS and nothing is written.
pub fn break_at(broker: &TestBroker, place: Place, trouble: Trouble) {
    match place {
        Place::Call(step) => break_call(broker, step, trouble),
        Place::Write(step) => break_write(broker, step, trouble),
    }
}

fn break_call(broker: &TestBroker, step: usize, trouble: Trouble) {
    let seen = Arc::new(AtomicUsize::new(0));
    let hook: Hook = Box::new(move |_| {
        let number = seen.fetch_add(1, Ordering::SeqCst);
        match trouble {
            _ if number > step && trouble.is_dark() => Decision::Fault(Fault::LostBefore),
            _ if number != step => Decision::Pass,
            Trouble::Error => Decision::Fault(Fault::refuse(403, "AccessDenied")),
            Trouble::PowerBefore => Decision::Fault(Fault::LostBefore),
            Trouble::Unclear | Trouble::PowerAfter => Decision::Fault(Fault::LostAfter),
        }
    });
    broker.faults.on_call(hook);
}

fn break_write(broker: &TestBroker, step: usize, trouble: Trouble) {
    let fault = match trouble {
        Trouble::Error => StoreFault::Once(Moment::BeforeCommit),
        Trouble::Unclear => StoreFault::Once(Moment::AfterCommit),
        Trouble::PowerBefore => StoreFault::PowerLoss(Moment::BeforeCommit),
        Trouble::PowerAfter => StoreFault::PowerLoss(Moment::AfterCommit),
    };
    broker.store().spoil(u64::try_from(step + 1).unwrap(), fault);
}
