//! What a new token may be (contract 3.2): pure rules, in the order of the checks. Whoever asks for more
//! than the parent has is refused; nothing is cut in silence. Writing it: [`super::create`].

use std::time::Duration;

use super::acl;
use super::create::{CreateRefused, NewToken, Parentage};
use super::token::MAX_TTL_SECONDS;
use crate::model::duration::ttl_capped;
use crate::model::{Accessor, EntityId, Network, Timestamp, Token, TokenDigest, TokenKind};

mod login;
mod role;

pub(super) use login::plan_login;
pub(super) use role::plan_by_role;

/// What a new token will be, as far as the rules decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) parent: Option<TokenDigest>,
    pub(super) policies: Vec<String>,
    pub(super) ttl: u64,
    pub(super) explicit_max_ttl: u64,
    pub(super) period: u64,
    pub(super) renewable: bool,
    pub(super) bound_cidrs: Vec<Network>,
    pub(super) kind: TokenKind,
    pub(super) num_uses: i64,
    pub(super) path: String,
    pub(super) role: Option<String>,
    pub(super) entity: Option<EntityId>,
    pub(super) warnings: Vec<String>,
}

impl Planned {
    /// By name, sorted.
    pub(super) fn policies(&self) -> &[String] {
        &self.policies
    }

    pub(super) fn token(
        &self,
        digest: TokenDigest,
        accessor: Accessor,
        new: NewToken,
        now: Timestamp,
    ) -> Token {
        Token {
            digest,
            accessor,
            parent: self.parent.clone(),
            policies: self.policies.clone(),
            display_name: display_name(new.display_name.as_deref()),
            meta: new.meta.filter(|meta| !meta.is_empty()),
            path: self.path.clone(),
            num_uses: self.num_uses,
            created_at: now,
            creation_ttl: self.ttl,
            expires_at: (self.ttl > 0).then(|| now.after(Duration::from_secs(self.ttl))),
            explicit_max_ttl: self.explicit_max_ttl,
            period: self.period,
            renewable: self.renewable,
            last_renewal: None,
            ended_at: None,
            bound_cidrs: self.bound_cidrs.clone(),
            login: None,
            kind: self.kind,
            role: self.role.clone(),
            entity: self.entity.clone(),
        }
    }
}

/// Every rule of contract 3.2 about what may be asked for, in the order of the checks. `sudo`: what the
/// caller has on the path that makes tokens; root has it everywhere. By a role: [`role`].
pub(super) fn plan(
    parent: &Token,
    new: &NewToken,
    sudo: bool,
    now: Timestamp,
) -> Result<Planned, CreateRefused> {
    let kind = new.kind.unwrap_or_default();
    let by_root = check_asked(parent, new, kind)?;
    if new.entity_alias.is_some() {
        return Err(CreateRefused::AliasWithoutRole);
    }
    let sudo = sudo || by_root;
    let policies = policies_of(parent, new, by_root, sudo)?;
    if new.parentage == Parentage::OrphanByField && !sudo {
        return Err(CreateRefused::OrphanWithoutRoot);
    }
    if new.id.is_some() && !sudo {
        return Err(CreateRefused::IdWithoutRoot);
    }
    let asked = Asked::of(new, sudo)?;
    let mut warnings = Vec::new();
    let ttl = asked.lasting(parent, &policies, kind, &mut warnings)?;
    let has_parent = new.parentage == Parentage::Child;
    Ok(Planned {
        parent: has_parent.then(|| parent.digest.clone()),
        policies,
        ttl: ttl.min(remaining(asked.explicit_max_ttl, now, now)),
        explicit_max_ttl: asked.explicit_max_ttl,
        period: asked.period,
        renewable: new.renewable && ttl > 0 && kind == TokenKind::Service,
        // Vault's children are free of their parent's bounds; ours can be used nowhere that it cannot.
        bound_cidrs: parent.bound_cidrs.clone(),
        kind,
        num_uses: new.num_uses,
        path: match new.parentage {
            Parentage::Child | Parentage::OrphanByField => "auth/token/create".to_owned(),
            Parentage::OrphanByPath => "auth/token/create-orphan".to_owned(),
        },
        role: None,
        entity: parent.entity.clone().filter(|_| has_parent),
        warnings,
    })
}

/// What is asked of every request, by a role or not; tells whether root asks.
pub(super) fn check_asked(
    parent: &Token,
    new: &NewToken,
    kind: TokenKind,
) -> Result<bool, CreateRefused> {
    if parent.kind == TokenKind::Batch {
        return Err(CreateRefused::BatchParent);
    }
    if parent.num_uses > 0 {
        return Err(CreateRefused::RestrictedParent);
    }
    if kind == TokenKind::Batch {
        let is_set = |seconds: Option<i64>| seconds.is_some_and(|seconds| seconds != 0);
        for (name, set) in [
            ("explicit_max_ttl", is_set(new.explicit_max_ttl)),
            ("num_uses", new.num_uses != 0),
            ("period", is_set(new.period)),
            // Its id is what is sealed in it.
            ("id", new.id.is_some()),
        ] {
            if set {
                return Err(CreateRefused::BatchWith(name));
            }
        }
    }
    if new.num_uses < 0 {
        return Err(CreateRefused::NegativeUses);
    }
    Ok(is_root(&parent.policies))
}

/// The times that were asked for, in seconds; 0 = not set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) ttl: u64,
    pub(super) explicit_max_ttl: u64,
    pub(super) period: u64,
}

impl Asked {
    pub(super) fn of(new: &NewToken, sudo: bool) -> Result<Self, CreateRefused> {
        let explicit_max_ttl = positive("explicit_max_ttl", new.explicit_max_ttl)?;
        let period = positive("period", new.period)?;
        if period > 0 && !sudo {
            return Err(CreateRefused::PeriodWithoutRoot);
        }
        Ok(Self { ttl: positive("ttl", new.ttl)?, explicit_max_ttl, period })
    }

    /// How long the token lasts at first; 0 = for ever.
    pub(super) fn lasting(
        &self,
        parent: &Token,
        policies: &[String],
        kind: TokenKind,
        warnings: &mut Vec<String>,
    ) -> Result<u64, CreateRefused> {
        let is_root = is_root(policies);
        if is_root && kind == TokenKind::Batch {
            return Err(CreateRefused::BatchRoot);
        }
        if is_root && self.ttl == 0 && self.period == 0 && parent.expires_at.is_some() {
            return Err(CreateRefused::ExpiringRoot);
        }
        Ok(first_ttl(self.ttl, self.period, self.explicit_max_ttl, is_root, warnings))
    }
}

pub(super) fn is_root(policies: &[String]) -> bool {
    policies.iter().any(|policy| policy == acl::ROOT)
}

/// Seconds until the explicit maximum is reached; without one there is no end.
pub(super) fn remaining(explicit_max_ttl: u64, created_at: Timestamp, now: Timestamp) -> u64 {
    if explicit_max_ttl == 0 {
        return u64::MAX;
    }
    explicit_max_ttl.saturating_sub(now.since(created_at).as_secs())
}

fn first_ttl(
    asked: u64,
    period: u64,
    explicit: u64,
    is_root: bool,
    warnings: &mut Vec<String>,
) -> u64 {
    if period > 0 {
        return period;
    }
    if asked == 0 {
        return if is_root && explicit == 0 { 0 } else { MAX_TTL_SECONDS };
    }
    let most = if explicit > 0 { explicit.min(MAX_TTL_SECONDS) } else { MAX_TTL_SECONDS };
    if asked > most {
        warnings.push(ttl_capped(Duration::from_secs(asked), Duration::from_secs(most)));
    }
    asked.min(most)
}

fn positive(field: &'static str, seconds: Option<i64>) -> Result<u64, CreateRefused> {
    u64::try_from(seconds.unwrap_or(0)).map_err(|_negative| CreateRefused::NotPositive(field))
}

/// Lower case, without doubles, sorted; `root` swallows all others, `default` is added.
pub(super) fn policies_of(
    parent: &Token,
    new: &NewToken,
    by_root: bool,
    sudo: bool,
) -> Result<Vec<String>, CreateRefused> {
    let mut policies = lowered(&new.policies);
    let inherited = policies.is_empty();
    if inherited {
        policies.clone_from(&parent.policies);
    }
    let within_parent = |name: &String| name == acl::DEFAULT || parent.policies.contains(name);
    if !sudo && !policies.iter().all(within_parent) {
        return Err(CreateRefused::NotSubset);
    }
    if policies.iter().any(|name| name == "response-wrapping") {
        return Err(CreateRefused::ReservedPolicy);
    }
    if policies.iter().any(|name| name == acl::ROOT) {
        if !by_root {
            return Err(CreateRefused::RootWithoutRoot);
        }
        return Ok(vec![acl::ROOT.to_owned()]);
    }
    if new.no_default_policy {
        policies.retain(|name| !(inherited && name == acl::DEFAULT));
    } else {
        policies.push(acl::DEFAULT.to_owned());
    }
    policies.sort_unstable();
    policies.dedup();
    Ok(policies)
}

/// Lower case, without blanks and empty ones.
pub(super) fn lowered(names: &[String]) -> Vec<String> {
    let lowered = names.iter().map(|name| name.trim().to_lowercase());
    lowered.filter(|name| !name.is_empty()).collect()
}

/// `token`, or `token-<name>` with all but letters, digits and `-` made `-` and one trailing `-`
/// dropped (contract 1.7).
fn display_name(asked: Option<&str>) -> String {
    let Some(name) = asked.filter(|name| !name.is_empty()) else {
        return "token".to_owned();
    };
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let full = format!("token-{clean}");
    full.strip_suffix('-').map(str::to_owned).unwrap_or(full)
}

#[cfg(test)]
mod tests;
