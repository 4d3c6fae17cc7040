//! What a caller is told about a TTL: what was wished for, what it got, and who cut it; and the refusal of a
//! role that would rather not have it cut (`strict_ttl`). The arithmetic of what a lease gets is
//! [`super::ttl`]'s and does not change by this.

use std::time::Duration;

use super::Engine;
use super::issue_error::IssueError;
use super::ttl::{SessionTtl, TtlSources};
use crate::auth::Caller;
use crate::model::{Role, Timestamp};
use crate::store::StoreError;

/// Who cut a TTL. The words are part of the interface: `docs/COMPATIBILITY.md` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedBy {
    /// Nobody.
    None,
    /// The role's `max_ttl`.
    RoleMaxTtl,
    /// The role's `max_sts_ttl`.
    RoleMaxStsTtl,
    /// `lease_max` of `config/lease`.
    ConfigLease,
    /// The mount's `max_lease_ttl`, the server's where it has none.
    Mount,
    /// The caller's token, or one of those that it descends from: the lease ends with it.
    Token,
}

impl LimitedBy {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RoleMaxTtl => "role_max_ttl",
            Self::RoleMaxStsTtl => "role_max_sts_ttl",
            Self::ConfigLease => "config_lease_max",
            Self::Mount => "mount_max_lease_ttl",
            Self::Token => "token",
        }
    }

    /// What can be done about it.
    const fn help(self) -> &'static str {
        match self {
            Self::None => "ask again",
            Self::RoleMaxTtl => "ask for less, or raise max_ttl of the role",
            Self::RoleMaxStsTtl => "ask for less, or raise max_sts_ttl of the role",
            Self::ConfigLease => {
                "lower the role's ttl or lease of config/lease, or raise its lease_max"
            }
            Self::Mount => "ask for less, or raise max_lease_ttl of the mount",
            Self::Token => "renew the token first, or use one that lives longer",
        }
    }
}

/// What is told with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlTold {
    /// Seconds.
    pub requested: u64,
    /// Seconds that the lease lasts as things are.
    pub granted: u64,
    /// Who cut it.
    pub limited_by: LimitedBy,
}

impl TtlTold {
    /// Of a lease that nobody cut.
    pub const fn uncut(seconds: u64) -> Self {
        Self { requested: seconds, granted: seconds, limited_by: LimitedBy::None }
    }
}

/// The same before the lease begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlPlan {
    requested: Duration,
    granted: Duration,
    limited_by: LimitedBy,
    /// When the caller's token ends.
    token_end: Option<Timestamp>,
}

impl TtlPlan {
    /// `requested`, cut by the least of what is set; of equal ones the first is told.
    fn cut(requested: Duration, caps: &[(LimitedBy, Option<Duration>)]) -> Self {
        let uncut =
            Self { requested, granted: requested, limited_by: LimitedBy::None, token_end: None };
        caps.iter().filter_map(|(by, cap)| Some((*by, (*cap)?))).fold(uncut, |plan, (by, cap)| {
            if cap < plan.granted { Self { granted: cap, limited_by: by, ..plan } } else { plan }
        })
    }

    /// Of an IAM user: the request has no say (contract 1.6).
    pub(super) fn of_user(sources: &TtlSources) -> Self {
        let config = sources.config.and_then(|config| u64::try_from(config.lease_max).ok());
        let set = |ttl: Option<Duration>| ttl.filter(|ttl| !ttl.is_zero());
        Self::cut(
            sources.default_ttl(),
            &[
                (LimitedBy::RoleMaxTtl, set(sources.role_max_ttl)),
                (LimitedBy::ConfigLease, set(config.map(Duration::from_secs))),
                (LimitedBy::Mount, Some(Duration::from_secs(sources.mount.max_lease_ttl))),
            ],
        )
    }

    /// Of a session; the mount cuts its lease also where it does not cut the session.
    pub(super) fn of_session(ttl: &SessionTtl) -> Self {
        let set = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
        Self::cut(
            ttl.wished(),
            &[
                (LimitedBy::RoleMaxStsTtl, set(ttl.max_sts_ttl)),
                (LimitedBy::RoleMaxTtl, set(ttl.role_max_ttl)),
                (LimitedBy::Mount, Some(Duration::from_secs(ttl.mount_max_ttl))),
            ],
        )
    }

    /// Cut by the end of the token, too.
    fn until(self, token_end: Option<Timestamp>, now: Timestamp) -> Self {
        let left = token_end.map(|end| end.since(now));
        match left {
            Some(left) if left < self.granted => {
                Self { granted: left, limited_by: LimitedBy::Token, token_end, ..self }
            }
            Some(_) | None => self,
        }
    }

    /// What is told at `now` of a lease that was given `lease` seconds from then.
    pub(super) fn told(&self, now: Timestamp, lease: u64) -> TtlTold {
        let of_token = self.token_end.map(|end| end.since(now).as_secs());
        let granted = of_token.unwrap_or(lease).min(lease);
        TtlTold { requested: self.requested.as_secs(), granted, limited_by: self.limited_by }
    }

    fn check(&self, role: &Role) -> Result<(), IssueError> {
        if self.limited_by == LimitedBy::None || !role.strict_ttl {
            return Ok(());
        }
        Err(IssueError::TtlCut {
            role: role.name.clone(),
            requested: self.requested.as_secs(),
            granted: self.granted.as_secs(),
            by: self.limited_by.as_str(),
            help: self.limited_by.help(),
        })
    }
}

/// Generations of tokens that are looked through; each is one read of a copy in memory. 32: nobody's
/// tokens nest as deep, and the answer is a statement, not a rule.
const GENERATIONS: usize = 32;

impl Engine {
    /// Lets the token's end have its say, and refuses what `role` does not want to be cut.
    pub(super) async fn planned_ttl(
        &self,
        caller: &Caller,
        role: &Role,
        plan: TtlPlan,
    ) -> Result<TtlPlan, IssueError> {
        let plan = plan.until(self.token_end(caller).await?, self.parts.clock.now());
        plan.check(role)?;
        Ok(plan)
    }

    /// When the caller's token ends: with itself, or with one that it descends from.
    async fn token_end(&self, caller: &Caller) -> Result<Option<Timestamp>, StoreError> {
        let mut first = caller.token_expires_at();
        let mut parent = caller.token().parent.clone();
        for _generation in 0..GENERATIONS {
            let Some(digest) = parent.take() else {
                break;
            };
            let Some(token) = self.parts.store.token(&digest).await? else {
                break;
            };
            first = first.into_iter().chain(token.expires_at).min();
            parent.clone_from(&token.parent);
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mounts::EffectiveTuning;
    use crate::model::LeaseConfig;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn user() -> TtlSources {
        TtlSources {
            role_ttl: None,
            role_max_ttl: None,
            config: None,
            mount: EffectiveTuning { default_lease_ttl: 3600, max_lease_ttl: 7200 },
        }
    }

    fn session() -> SessionTtl {
        SessionTtl {
            wish: None,
            default_sts_ttl: 0,
            role_ttl: 0,
            max_sts_ttl: 0,
            role_max_ttl: 0,
            mount_max_ttl: 7200,
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn told(plan: TtlPlan) -> (u64, u64, &'static str) {
        let told = plan.told(NOW, plan.granted.as_secs());
        (told.requested, told.granted, told.limited_by.as_str())
    }

    #[test]
    fn a_users_lease_tells_who_cut_it() {
        assert_eq!(told(TtlPlan::of_user(&user())), (3600, 3600, "none"));
        let long = TtlSources { role_ttl: Some(secs(9000)), ..user() };
        assert_eq!(told(TtlPlan::of_user(&long)), (9000, 7200, "mount_max_lease_ttl"));
        let config = LeaseConfig { lease: 60, lease_max: 5000 };
        let config = TtlSources { config: Some(config), ..long };
        assert_eq!(told(TtlPlan::of_user(&config)), (9000, 5000, "config_lease_max"));
        let role = TtlSources { role_max_ttl: Some(secs(1800)), ..config };
        assert_eq!(told(TtlPlan::of_user(&role)), (9000, 1800, "role_max_ttl"));
        for sources in [user(), long, config, role] {
            assert_eq!(TtlPlan::of_user(&sources).granted, sources.at_issue().ttl);
        }
    }

    #[test]
    fn a_sessions_lease_tells_who_cut_it() {
        assert_eq!(told(TtlPlan::of_session(&session())), (3600, 3600, "none"));
        let wish = SessionTtl { wish: Some(secs(9000)), ..session() };
        assert_eq!(told(TtlPlan::of_session(&wish)), (9000, 7200, "mount_max_lease_ttl"));
        let sts = SessionTtl { max_sts_ttl: 3000, role_max_ttl: 4000, ..wish };
        assert_eq!(told(TtlPlan::of_session(&sts)), (9000, 3000, "role_max_sts_ttl"));
        let own = SessionTtl { role_max_ttl: 2000, ..sts };
        assert_eq!(told(TtlPlan::of_session(&own)), (9000, 2000, "role_max_ttl"));
        let above = SessionTtl { max_sts_ttl: 8000, ..wish };
        assert_eq!(above.session(), secs(8000));
        assert_eq!(told(TtlPlan::of_session(&above)), (9000, 7200, "mount_max_lease_ttl"));
    }

    #[test]
    fn a_token_that_ends_first_is_told_as_it_is_when_the_answer_goes_out() {
        let end = Some(NOW.after(secs(600)));
        let plan = TtlPlan::of_user(&user()).until(end, NOW);
        assert_eq!(told(plan), (3600, 600, "token"));
        let later = plan.told(NOW.after(secs(5)), 3600);
        assert_eq!((later.requested, later.granted), (3600, 595));
        let longer = TtlPlan::of_user(&user()).until(Some(NOW.after(secs(3600))), NOW);
        assert_eq!(told(longer), (3600, 3600, "none"));
    }
}
