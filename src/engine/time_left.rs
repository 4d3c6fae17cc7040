//! Leases of batch tokens end with them. No stored token ends then, so the lease itself has to: its own maximum,
//! which counts from its issue and bounds renewals too, is cut to what the token has left.

use std::time::Duration;

use super::Engine;
use super::ttl::{Resolved, TtlSources};
use crate::auth::Caller;

impl Engine {
    /// What is left of a caller's token where leases must end by themselves; `None` where the token's end ends
    /// them.
    pub(super) fn time_left(&self, caller: &Caller) -> Option<Duration> {
        let left = caller.lease_end()?.since(self.parts.clock.now());
        // Nothing at all would mean without a maximum.
        Some(left.max(Duration::from_secs(1)))
    }

    /// A lease's maximum, within what is left of the token.
    pub(super) fn within_token(&self, caller: &Caller, own: Option<Duration>) -> Option<Duration> {
        within(own, self.time_left(caller))
    }

    /// How long a user's lease lasts that is handed out now.
    pub(super) fn at_issue(&self, caller: &Caller, sources: TtlSources) -> Resolved {
        let role_max_ttl = self.within_token(caller, sources.role_max_ttl);
        TtlSources { role_max_ttl, ..sources }.at_issue()
    }
}

/// A maximum, within another; none and nothing are no maximum.
fn within(own: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    own.filter(|own| !own.is_zero()).into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lesser_maximum_counts_and_zero_is_none() {
        let secs = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(within(None, None), None);
        assert_eq!(within(secs(0), None), None);
        assert_eq!(within(secs(0), secs(5)), secs(5));
        assert_eq!(within(secs(3), secs(5)), secs(3));
        assert_eq!(within(secs(7), secs(5)), secs(5));
        assert_eq!(within(secs(7), None), secs(7));
    }
}
