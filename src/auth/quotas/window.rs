//! What one quota has counted: a window of time for each address, in bounded memory. Time is an argument; nothing is
//! read or written anywhere else.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::{RateQuota, Timestamp};

/// Addresses that are counted one by one: about 4 MB at 64 bytes each. While more of them ask within one interval
/// the rest share a window.
const ADDRESSES: usize = 65_536;
/// Between two looks for windows that are over: each goes over all of them while everybody waits.
const SWEEP: Duration = Duration::from_secs(1);

/// What is left of an interval after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Whether the request is let through.
    pub allowed: bool,
    /// How many may come in an interval.
    pub limit: u64,
    /// How many may still come in this one.
    pub remaining: u64,
    /// Seconds until the count begins anew, or the block ends; at least one.
    pub reset_seconds: u64,
}

#[derive(Debug)]
pub(super) struct Windows {
    limit: u64,
    interval: Duration,
    block: Option<Duration>,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    /// By network; `None` is the window of all that are not counted one by one.
    windows: HashMap<Option<IpAddr>, Window>,
    swept: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    taken: u64,
    blocked_until: Option<Timestamp>,
}

impl Windows {
    pub(super) fn of(quota: &RateQuota) -> Self {
        let block = Duration::from_secs(quota.block_interval);
        Self {
            limit: whole(quota.rate),
            interval: Duration::from_secs(quota.interval),
            block: (!block.is_zero()).then_some(block),
            counted: Mutex::default(),
        }
    }

    /// Counts a request.
    pub(super) fn take(&self, remote: Option<IpAddr>, now: Timestamp) -> Left {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut address = remote.map(network_of);
        if !counted.windows.contains_key(&address) && !self.has_room(&mut counted, now) {
            address = None;
        }
        let fresh = Window { began: now, taken: 0, blocked_until: None };
        let window = counted.windows.entry(address).or_insert(fresh);
        if !self.counts(window, now) {
            *window = fresh;
        }
        if window.blocked_until.is_some() || window.taken >= self.limit {
            if window.blocked_until.is_none() {
                // Whoever fills the table must not have all others blocked.
                let block = self.block.filter(|_| address.is_some());
                window.blocked_until = block.map(|block| now.after(block));
            }
            return self.left(window, now, false);
        }
        window.taken = window.taken.saturating_add(1);
        self.left(window, now, true)
    }

    /// Whether one more can be counted by itself.
    fn has_room(&self, counted: &mut Counted, now: Timestamp) -> bool {
        if counted.windows.len() >= ADDRESSES
            && counted.swept.is_none_or(|swept| swept > now || now.since(swept) >= SWEEP)
        {
            counted.windows.retain(|_, window| self.counts(window, now));
            counted.swept = Some(now);
        }
        counted.windows.len() < ADDRESSES
    }

    fn end(&self, window: &Window) -> Timestamp {
        window.blocked_until.unwrap_or_else(|| window.began.after(self.interval))
    }

    /// Whether a window still says anything. A clock that was set back begins all of them anew.
    fn counts(&self, window: &Window, now: Timestamp) -> bool {
        window.began <= now && now < self.end(window)
    }

    fn left(&self, window: &Window, now: Timestamp, allowed: bool) -> Left {
        let wait = self.end(window).since(now);
        Left {
            allowed,
            limit: self.limit,
            remaining: if allowed { self.limit.saturating_sub(window.taken) } else { 0 },
            reset_seconds: wait.saturating_add(Duration::from_millis(999)).as_secs().max(1),
        }
    }
}

/// Requests in an interval: a part of one is one, as in Vault.
fn whole(rate: f64) -> u64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is above zero; too great a one becomes the greatest number"
    )]
    let whole = rate.ceil() as u64;
    whole.max(1)
}

/// Who has one IPv6 address has all of its /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        own @ IpAddr::V4(_) => own,
        IpAddr::V6(own) => {
            let [a, b, c, d, ..] = own.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn windows(rate: f64, interval: u64, block_interval: u64) -> Windows {
        Windows::of(&RateQuota {
            name: "q".to_owned(),
            path: String::new(),
            rate,
            interval,
            block_interval,
            inheritable: true,
        })
    }

    fn at(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn one() -> Option<IpAddr> {
        "192.0.2.1".parse().ok()
    }

    #[test]
    fn so_many_come_through_in_an_interval_and_then_again() {
        let windows = windows(1.5, 10, 0);
        let take = |seconds| windows.take(one(), at(seconds));
        assert_eq!(take(0), Left { allowed: true, limit: 2, remaining: 1, reset_seconds: 10 });
        assert!(take(3).allowed);
        assert_eq!(take(4), Left { allowed: false, limit: 2, remaining: 0, reset_seconds: 6 });
        assert!(!take(9).allowed && take(10).allowed);
    }

    #[test]
    fn each_address_has_its_own_and_a_network_of_ipv6_one_together() {
        let windows = windows(1.0, 10, 0);
        let take = |address: &str| windows.take(address.parse().ok(), NOW).allowed;
        assert!(take("192.0.2.1") && take("192.0.2.2") && !take("::ffff:192.0.2.1"));
        assert!(take("2001:db8::1") && !take("2001:db8::2") && take("2001:db8:0:1::1"));
    }

    #[test]
    fn who_asked_for_too_much_is_blocked_and_asking_on_does_not_prolong_it() {
        let windows = windows(1.0, 1, 60);
        let take = |seconds| windows.take(one(), at(seconds));
        assert!(take(0).allowed && !take(0).allowed);
        assert_eq!(take(30).reset_seconds, 30);
        assert!(!take(59).allowed && take(60).allowed);
    }

    #[test]
    fn a_clock_that_is_set_back_blocks_nobody() {
        let windows = windows(1.0, 10, 0);
        assert!(windows.take(one(), at(1000)).allowed);
        assert!(windows.take(one(), NOW).allowed);
    }

    #[test]
    fn memory_is_bounded_and_those_beyond_share_one_window() {
        let windows = windows(1.0, 10, 0);
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        for number in 0..u32::try_from(ADDRESSES).unwrap() {
            assert!(windows.take(address(number), NOW).allowed);
        }
        assert!(windows.take(address(u32::MAX), NOW).allowed);
        assert!(!windows.take(address(u32::MAX - 1), NOW).allowed);
        assert!(windows.take(address(u32::MAX), at(10)).allowed, "old ones make room");
        assert!(windows.counted.lock().unwrap().windows.len() <= ADDRESSES + 1);
    }

    /// Found by a review: one network of IPv6 fills the table, and could have everybody else blocked for as long.
    #[test]
    fn whoever_fills_the_table_has_nobody_else_blocked() {
        let windows = windows(1.0, 10, 3600);
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        for number in 0..u32::try_from(ADDRESSES).unwrap() {
            windows.take(address(number), NOW);
            assert!(!windows.take(address(number), NOW).allowed, "blocked for an hour");
        }
        assert!(windows.take(address(u32::MAX), NOW).allowed);
        assert!(!windows.take(address(u32::MAX), at(9)).allowed);
        assert!(windows.take(address(u32::MAX), at(10)).allowed, "for the interval alone");
    }
}
