//! How long a lease lasts and how far it can be renewed (contract 1.6, and the TTLs of a role that are
//! Leasehold's own). Pure arithmetic; it knows neither clock nor store. Used by [`super::issue`] and
//! [`super::leases`].

use std::time::Duration;

use super::mounts::EffectiveTuning;
use crate::model::LeaseConfig;
use crate::model::duration::ttl_capped;

/// Everything that has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlSources {
    /// The role's own TTL.
    pub role_ttl: Option<Duration>,
    /// The role's own maximum.
    pub role_max_ttl: Option<Duration>,
    /// `config/lease`, if written.
    pub config: Option<LeaseConfig>,
    /// The mount's, the server's where it says nothing.
    pub mount: EffectiveTuning,
}

/// How long, and whether that is less than was wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// From now.
    pub ttl: Duration,
    /// Vault's sentence about a cap.
    pub warning: Option<String>,
}

/// Everything that has a say in how long a session lasts; 0 seconds = not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTtl {
    /// What the caller wishes; 0 is a wish too.
    pub wish: Option<Duration>,
    /// The role's default for sessions.
    pub default_sts_ttl: u64,
    /// The role's own TTL.
    pub role_ttl: u64,
    /// The role's maximum for sessions.
    pub max_sts_ttl: u64,
    /// The role's own maximum.
    pub role_max_ttl: u64,
    /// The mount's maximum, the server's where it says nothing.
    pub mount_max_ttl: u64,
}

/// A session where nobody wishes otherwise (contract 1.6).
const SESSION: Duration = Duration::from_hours(1);

impl SessionTtl {
    /// How long the session is asked for: cut in silence (contract 1.6).
    pub fn session(&self) -> Duration {
        self.wished().min(self.most())
    }

    /// How long where nothing cuts it: the caller's wish, else the role's, else an hour.
    pub fn wished(&self) -> Duration {
        let own = [self.default_sts_ttl, self.role_ttl].into_iter().find(|seconds| *seconds > 0);
        self.wish.or(own.map(Duration::from_secs)).unwrap_or(SESSION)
    }

    /// How long at most: as the role says, and where it has no maximum for sessions, the mount's too.
    pub fn most(&self) -> Duration {
        let least = match (self.max_sts_ttl, self.role_max_ttl) {
            (0, 0) => self.mount_max_ttl,
            (0, own) => own.min(self.mount_max_ttl),
            (sts, 0) => sts,
            (sts, own) => sts.min(own),
        };
        Duration::from_secs(least)
    }

    /// How long the lease of a session lasts that has so long to live: never over the mount's maximum.
    pub fn lease(&self, left: Duration) -> Resolved {
        capped(left, Duration::from_secs(self.mount_max_ttl))
    }
}

/// The lease is as old as it may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("past the max TTL, cannot renew")]
pub struct PastMax;

impl TtlSources {
    /// How long where nobody wishes otherwise: the role's, else `config/lease`, else the mount's. What
    /// is 0 or below says nothing.
    pub fn default_ttl(&self) -> Duration {
        positive(self.role_ttl)
            .or_else(|| seconds(self.config?.lease))
            .unwrap_or(Duration::from_secs(self.mount.default_lease_ttl))
    }

    /// How long at most, counted from issue: the least of the role's, `config/lease`'s and the mount's.
    pub fn max_ttl(&self) -> Duration {
        let mount = Duration::from_secs(self.mount.max_lease_ttl);
        let config = self.config.and_then(|config| seconds(config.lease_max));
        [positive(self.role_max_ttl), config].into_iter().flatten().fold(mount, Duration::min)
    }

    /// How long a new lease lasts.
    pub fn at_issue(&self) -> Resolved {
        capped(self.default_ttl(), self.max_ttl())
    }

    /// How long a lease of this age lasts from now when it is renewed.
    pub fn at_renewal(
        &self,
        increment: Option<Duration>,
        age: Duration,
    ) -> Result<Resolved, PastMax> {
        let left = self.max_ttl().checked_sub(age).filter(|left| !left.is_zero()).ok_or(PastMax)?;
        let wished = positive(increment).unwrap_or_else(|| self.default_ttl());
        Ok(capped(wished, left))
    }
}

fn positive(duration: Option<Duration>) -> Option<Duration> {
    duration.filter(|duration| !duration.is_zero())
}

fn seconds(configured: i64) -> Option<Duration> {
    positive(u64::try_from(configured).ok().map(Duration::from_secs))
}

fn capped(wished: Duration, most: Duration) -> Resolved {
    if wished <= most {
        return Resolved { ttl: wished, warning: None };
    }
    Resolved { ttl: most, warning: Some(ttl_capped(wished, most)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3600;

    fn sources() -> TtlSources {
        TtlSources {
            role_ttl: None,
            role_max_ttl: None,
            config: None,
            mount: EffectiveTuning { default_lease_ttl: 10 * HOUR, max_lease_ttl: 20 * HOUR },
        }
    }

    fn config(lease: i64, lease_max: i64) -> LeaseConfig {
        LeaseConfig { lease, lease_max }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_role_goes_before_config_lease_and_that_before_the_mount() {
        let mount = sources();
        assert_eq!(mount.at_issue().ttl, secs(10 * HOUR));
        let config = TtlSources { config: Some(config(60, 120)), ..mount };
        assert_eq!(config.at_issue(), Resolved { ttl: secs(60), warning: None });
        let role = TtlSources { role_ttl: Some(secs(30)), ..config };
        assert_eq!(role.at_issue().ttl, secs(30));
    }

    #[test]
    fn what_is_zero_or_below_says_nothing() {
        let silent = TtlSources {
            role_ttl: Some(secs(0)),
            role_max_ttl: Some(secs(0)),
            config: Some(config(-5, 0)),
            ..sources()
        };
        assert_eq!(silent.at_issue().ttl, secs(10 * HOUR));
        assert_eq!(silent.max_ttl(), secs(20 * HOUR));
    }

    #[test]
    fn a_cap_is_told_in_vaults_words() {
        let above = TtlSources { config: Some(config(4 * 3600, 2 * 3600)), ..sources() };
        assert_eq!(
            above.at_issue(),
            Resolved {
                ttl: secs(2 * HOUR),
                warning: Some(
                    "TTL of \"4h\" exceeded the effective max_ttl of \"2h\"; TTL value is capped accordingly"
                        .into()
                ),
            }
        );
    }

    #[test]
    fn an_increment_is_a_wish_bounded_from_issue() {
        let hour = TtlSources { config: Some(config(600, 3600)), ..sources() };
        assert_eq!(hour.at_renewal(None, secs(60)).unwrap().ttl, secs(600));
        assert_eq!(hour.at_renewal(Some(secs(0)), secs(60)).unwrap().ttl, secs(600));
        assert_eq!(hour.at_renewal(Some(secs(1200)), secs(60)).unwrap().ttl, secs(1200));
        let capped = hour.at_renewal(Some(secs(7200)), Duration::from_millis(60_500)).unwrap();
        assert_eq!(capped.ttl, Duration::from_millis(3_539_500));
        assert_eq!(
            capped.warning.unwrap(),
            "TTL of \"2h\" exceeded the effective max_ttl of \"58m59s\"; TTL value is capped accordingly"
        );
        assert_eq!(hour.at_renewal(None, secs(3600)), Err(PastMax));
        assert_eq!(hour.at_renewal(None, secs(9999)), Err(PastMax));
    }

    fn session() -> SessionTtl {
        SessionTtl {
            wish: None,
            default_sts_ttl: 0,
            role_ttl: 0,
            max_sts_ttl: 0,
            role_max_ttl: 0,
            mount_max_ttl: 20 * HOUR,
        }
    }

    #[test]
    fn a_session_lasts_what_the_first_says_who_says_something() {
        assert_eq!(session().session(), secs(HOUR));
        let role = SessionTtl { role_ttl: 1200, ..session() };
        assert_eq!(role.session(), secs(1200));
        let default = SessionTtl { default_sts_ttl: 1800, ..role };
        assert_eq!(default.session(), secs(1800));
        assert_eq!(SessionTtl { wish: Some(secs(900)), ..default }.session(), secs(900));
        assert_eq!(SessionTtl { wish: Some(secs(0)), ..default }.session(), secs(0));
    }

    #[test]
    fn a_session_is_cut_by_the_role_or_else_by_the_mount_and_its_lease_by_the_mount() {
        let long = SessionTtl { wish: Some(secs(30 * HOUR)), ..session() };
        assert_eq!(long.session(), secs(20 * HOUR));
        let own = SessionTtl { role_max_ttl: 2 * HOUR, ..long };
        assert_eq!(own.session(), secs(2 * HOUR));
        let sts = SessionTtl { max_sts_ttl: HOUR, ..own };
        assert_eq!(sts.session(), secs(HOUR));
        let above = SessionTtl { max_sts_ttl: 25 * HOUR, ..long };
        assert_eq!(above.session(), secs(25 * HOUR));
        let lease = above.lease(Duration::from_millis(25 * HOUR * 1000 - 500));
        assert_eq!(lease.ttl, secs(20 * HOUR));
        assert_eq!(
            lease.warning.unwrap(),
            "TTL of \"24h59m59.5s\" exceeded the effective max_ttl of \"20h\"; TTL value is capped accordingly"
        );
        assert_eq!(session().lease(secs(HOUR)), Resolved { ttl: secs(HOUR), warning: None });
    }

    prop_compose! {
        fn any_sources()(
            role_ttl in proptest::option::of(0..100_000u64),
            role_max_ttl in proptest::option::of(0..100_000u64),
            config in proptest::option::of((-100_000..100_000i64, -100_000..100_000i64)),
            default_lease_ttl in 1..100_000u64,
            max_lease_ttl in 1..100_000u64,
        ) -> TtlSources {
            TtlSources {
                role_ttl: role_ttl.map(secs),
                role_max_ttl: role_max_ttl.map(secs),
                config: config.map(|(lease, lease_max)| LeaseConfig { lease, lease_max }),
                mount: EffectiveTuning { default_lease_ttl, max_lease_ttl },
            }
        }
    }

    proptest! {
        #[test]
        fn no_lease_is_longer_than_any_maximum(sources in any_sources()) {
            let resolved = sources.at_issue();
            prop_assert!(resolved.ttl > Duration::ZERO);
            prop_assert!(resolved.ttl <= secs(sources.mount.max_lease_ttl));
            if let Some(max) = positive(sources.role_max_ttl) {
                prop_assert!(resolved.ttl <= max);
            }
            if let Some(max) = sources.config.and_then(|config| seconds(config.lease_max)) {
                prop_assert!(resolved.ttl <= max);
            }
            prop_assert_eq!(resolved.warning.is_some(), resolved.ttl < sources.default_ttl());
        }

        #[test]
        fn no_renewal_reaches_beyond_the_maximum_from_issue(
            sources in any_sources(),
            increment in proptest::option::of(0..200_000u64),
            age_ms in 0..200_000_000u64,
        ) {
            let age = Duration::from_millis(age_ms);
            match sources.at_renewal(increment.map(secs), age) {
                Ok(resolved) => {
                    prop_assert!(resolved.ttl > Duration::ZERO);
                    prop_assert!(age.saturating_add(resolved.ttl) <= sources.max_ttl());
                }
                Err(PastMax) => prop_assert!(age >= sources.max_ttl()),
            }
        }
    }
}
