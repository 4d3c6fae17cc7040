//! Paces the calls to one account. Free until AWS asks to slow down, then a token bucket whose rate falls with
//! each such answer, comes back fast to where AWS spoke, dwells there, and only then looks further: the cubic
//! curve of the AWS SDKs' adaptive mode. Issuing goes before clean-up. Must never hold a call for good:
//! clean-up gets its share under any load. Used by [`super::sdk`] alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::AwsCalls;

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Somebody waits for a credential.
    Issue,
    /// Teardown, which can come a moment later.
    CleanUp,
}

/// Calls a second. IAM does not publish its limits, so these are ours: never below one call a second,
/// free again above a rate at which AWS would long have spoken (account-wide limits seen in the
/// field are below 20/s) and twice the one at which it last did.
const SLOWEST: f64 = 1.0;
const FREE_ABOVE: f64 = 100.0;
/// What is left of the rate after a complaint, and how steep the way back is (the AWS SDKs' adaptive retry mode:
/// 0.7 and 0.4). On the curve between two complaints the mean is 92 % of what AWS takes.
const LEFT: f64 = 0.7;
const STEEPNESS: f64 = 0.4;
/// Many calls are under way when AWS complains: their answers within this time are one complaint.
const ONE_COMPLAINT: Duration = Duration::from_millis(500);
/// While issuing waits too, every so-manieth token goes to clean-up.
const CLEAN_UP_SHARE: u32 = 5;

/// The pace of one account.
#[derive(Debug)]
pub(super) struct Limiter {
    /// What the calls of this account are counted with.
    pub(super) calls: AwsCalls,
    state: Mutex<State>,
    issue: tokio::sync::Mutex<()>,
    clean_up: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// Calls a second; `None` = free.
    rate: Option<f64>,
    tokens: f64,
    counted_at: Instant,
    complained_at: Option<Instant>,
    /// The rate at which AWS last complained.
    too_fast: f64,
    /// How many issuing calls wait.
    issue_waiting: u32,
    /// How many tokens went to issuing while clean-up waited.
    passed_over: u32,
    /// Calls let through in the second that began then, and in the one before.
    second: Instant,
    in_second: u32,
    in_last_second: u32,
}

impl Limiter {
    /// Free; its account's calls count in `calls`.
    pub(super) fn new(calls: AwsCalls) -> Self {
        let now = Instant::now();
        Self {
            calls,
            state: Mutex::new(State {
                rate: None,
                tokens: 0.0,
                counted_at: now,
                complained_at: None,
                too_fast: FREE_ABOVE,
                issue_waiting: 0,
                passed_over: 0,
                second: now,
                in_second: 0,
                in_last_second: 0,
            }),
            issue: tokio::sync::Mutex::new(()),
            clean_up: tokio::sync::Mutex::new(()),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// Waits for the turn of one call.
    pub(super) async fn turn(&self, class: Class) {
        if self.with(State::is_free) {
            return;
        }
        let _counted = (class == Class::Issue).then(|| Waiting::new(self));
        // The queues are fair; only the first of each looks for tokens.
        let queue = match class {
            Class::Issue => &self.issue,
            Class::CleanUp => &self.clean_up,
        };
        let _first = queue.lock().await;
        while let Some(wait) = self.with(|state, now| state.take(class, now)) {
            pause(wait).await;
        }
    }

    /// AWS asked to slow down.
    pub(super) fn throttled(&self) {
        self.with(State::slow_down);
    }

    /// Calls a second; `None` = free.
    pub(super) fn rate(&self) -> Option<f64> {
        self.with(|state, now| {
            state.refill(now);
            state.rate
        })
    }
}

/// Counts an issuing call as waiting, until it is dropped.
struct Waiting<'a>(&'a Limiter);

impl<'a> Waiting<'a> {
    fn new(limiter: &'a Limiter) -> Self {
        limiter.with(|state, _| state.issue_waiting = state.issue_waiting.saturating_add(1));
        Self(limiter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.with(|state, _| state.issue_waiting = state.issue_waiting.saturating_sub(1));
    }
}

impl State {
    /// Lets the call through where there is no limit.
    fn is_free(&mut self, now: Instant) -> bool {
        self.refill(now);
        if self.rate.is_some() {
            return false;
        }
        self.count(now);
        true
    }

    /// Takes a token, or says how long to wait before asking again.
    fn take(&mut self, class: Class, now: Instant) -> Option<Duration> {
        self.refill(now);
        let Some(rate) = self.rate else {
            self.count(now);
            return None;
        };
        if self.tokens < 1.0 {
            return Some(seconds((1.0 - self.tokens) / rate));
        }
        let yields = class == Class::CleanUp
            && self.issue_waiting > 0
            && self.passed_over < CLEAN_UP_SHARE.saturating_sub(1);
        if yields {
            self.passed_over = self.passed_over.saturating_add(1);
            return Some(seconds(1.0 / rate));
        }
        if class == Class::CleanUp {
            self.passed_over = 0;
        }
        self.tokens -= 1.0;
        self.count(now);
        None
    }

    /// Adds what time brought: tokens, and a higher rate.
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted_at).as_secs_f64();
        self.counted_at = now;
        let (Some(rate), Some(complained_at)) = (self.rate, self.complained_at) else { return };
        let since = now.saturating_duration_since(complained_at).as_secs_f64();
        let dwell = (self.too_fast * (1.0 - LEFT) / STEEPNESS).cbrt();
        let curve = self.too_fast + STEEPNESS * (since - dwell).powi(3);
        // A rate that nobody uses says nothing of what AWS takes: it does not grow. Nor does it ever fall by itself.
        let grown = curve.min(2.0 * self.seen(now)).max(rate);
        if grown > FREE_ABOVE.max(self.too_fast * 2.0) {
            self.rate = None;
            return;
        }
        self.rate = Some(grown);
        // At most a fifth of a second's calls in one go: a burst is what AWS complained about.
        self.tokens = (self.tokens + rate * passed).min((grown / 5.0).max(1.0));
    }

    fn slow_down(&mut self, now: Instant) {
        self.refill(now);
        let again =
            self.complained_at.is_some_and(|at| now.saturating_duration_since(at) < ONE_COMPLAINT);
        if again && self.rate.is_some() {
            return;
        }
        self.complained_at = Some(now);
        self.tokens = 0.0;
        // A crowd that came through while it was free is no measure: down from where a rate may be, not from there.
        let most = FREE_ABOVE.max(self.too_fast * 2.0);
        self.too_fast = self.rate.unwrap_or_else(|| self.seen(now).min(most));
        self.rate = Some((self.too_fast * LEFT).max(SLOWEST));
    }

    /// Calls in a second, of this one and the last.
    fn seen(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.second);
        let calls = match passed.as_secs() {
            0 => self.in_second.max(self.in_last_second),
            1 => self.in_second,
            _ => 0,
        };
        f64::from(calls)
    }

    fn count(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.second);
        if passed >= Duration::from_secs(1) {
            self.in_last_second = if passed < Duration::from_secs(2) { self.in_second } else { 0 };
            self.in_second = 0;
            self.second = now;
        }
        self.in_second = self.in_second.saturating_add(1);
    }
}

/// At least a millisecond, so that rounding never makes a busy loop.
fn seconds(count: f64) -> Duration {
    Duration::try_from_secs_f64(count).unwrap_or_default().max(Duration::from_millis(1))
}

#[expect(clippy::disallowed_methods, reason = "waiting for AWS's pace")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn throttled_at_twenty() -> Arc<Limiter> {
        let limiter = Arc::new(Limiter::new(AwsCalls::default()));
        for _ in 0..20 {
            limiter.turn(Class::CleanUp).await;
        }
        limiter.throttled();
        limiter
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_free_until_aws_complains_then_falls_comes_back_and_dwells() {
        let limiter = throttled_at_twenty().await;
        let rate = || limiter.rate().map(f64::round);
        assert_eq!(rate(), Some(14.0));
        limiter.throttled();
        assert_eq!(rate(), Some(14.0), "answers at once are one complaint");
        let use_it = |seconds| {
            let limiter = Arc::clone(&limiter);
            async move {
                let start = Instant::now();
                // Where there is no rate any more, a turn takes no time.
                while limiter.rate().is_some() && start.elapsed() < Duration::from_secs(seconds) {
                    limiter.turn(Class::Issue).await;
                }
            }
        };
        use_it(2).await;
        assert_eq!(rate(), Some(20.0), "back to where it was");
        use_it(1).await;
        assert_eq!(rate(), Some(20.0), "where it dwells");
        limiter.throttled();
        assert_eq!(rate(), Some(14.0));
        use_it(20).await;
        assert_eq!(limiter.rate(), None);
    }

    /// Found by a review: an idle account's rate grew by the clock alone, so that a crowd came through at once.
    #[tokio::test(start_paused = true)]
    async fn a_rate_that_nobody_uses_does_not_grow() {
        let limiter = throttled_at_twenty().await;
        tokio::time::advance(Duration::from_mins(10)).await;
        assert_eq!(limiter.rate().map(f64::round), Some(14.0));
        let start = Instant::now();
        let crowd = (0..100).map(|_| limiter.turn(Class::Issue));
        futures_util::future::join_all(crowd).await;
        assert!(start.elapsed() > Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_came_through_is_no_measure_of_what_aws_takes() {
        let limiter = Limiter::new(AwsCalls::default());
        for _ in 0..1_000 {
            limiter.turn(Class::Issue).await;
        }
        limiter.throttled();
        assert_eq!(
            limiter.rate(),
            Some(140.0),
            "twice the rate at which it is free, less three tenths"
        );
    }

    /// Found by the storm of ten thousand: with a cap of 100 and a call a second of growth, an account that takes
    /// 400 calls a second was used to a fifth.
    #[tokio::test(start_paused = true)]
    async fn most_of_what_an_account_takes_is_used() {
        for takes in [20.0, 400.0] {
            let limiter = Limiter::new(AwsCalls::default());
            let start = Instant::now();
            let (mut bucket, mut at) = (takes, start);
            let (mut taken, mut refused) = (0.0, 0.0);
            while start.elapsed() < Duration::from_mins(1) {
                limiter.turn(Class::CleanUp).await;
                let now = Instant::now();
                bucket = f64::min(takes, bucket + takes * now.duration_since(at).as_secs_f64());
                at = now;
                if bucket < 1.0 {
                    refused += 1.0;
                    limiter.throttled();
                    tokio::time::advance(Duration::from_millis(1)).await;
                } else {
                    bucket -= 1.0;
                    taken += 1.0;
                    // A free limiter lets everything through at once: the next caller takes a while.
                    tokio::time::advance(Duration::from_micros(100)).await;
                }
            }
            let used = taken / (takes * 60.0);
            assert!(used > 0.85, "{used} of {takes}/s");
            assert!(refused / taken < 0.02, "{refused} of {taken} refused");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_the_pace() {
        let limiter = throttled_at_twenty().await;
        let start = Instant::now();
        for _ in 0..20 {
            limiter.turn(Class::CleanUp).await;
        }
        let took = start.elapsed().as_secs_f64();
        assert!((1.0..2.5).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn issuing_goes_first_and_clean_up_still_gets_its_share() {
        let limiter = throttled_at_twenty().await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for class in [Class::CleanUp, Class::Issue] {
            for _ in 0..40 {
                let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
                tasks.push(tokio::spawn(async move {
                    limiter.turn(class).await;
                    order.lock().unwrap().push(class);
                }));
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap();
        let early = order.iter().take(40).filter(|class| **class == Class::Issue).count();
        assert!((25..40).contains(&early), "{early} of the first forty were issuing");
    }
}
