//! What a new token may be (contract 3.2): pure rules, in the order of the checks. Whoever asks for more
//! than the parent has is refused; nothing is cut in silence. Writing it: [`super::create`].

use std::time::Duration;

use super::acl;
use super::create::{CreateRefused, NewToken, Parentage};
use super::methods::EffectiveTtls;
use super::token::MAX_TTL_SECONDS;
use crate::model::duration::ttl_capped;
use crate::model::{
    Accessor, EntityId, Network, Timestamp, Token, TokenDigest, TokenKind, TokenParams,
};

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
/// caller has on the path that makes tokens; root has it everywhere. By a role: [`super::plan_role`].
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

/// What a login's token will be, and for how many seconds renewals can make it last. It has no parent;
/// `mount` is what the auth mount's TTLs are in effect.
pub(super) fn plan_login(
    params: &TokenParams,
    bound_cidrs: &[Network],
    mount: EffectiveTtls,
    kind: TokenKind,
    now: Timestamp,
) -> Result<(Planned, u64), CreateRefused> {
    let mut policies = params.policies.clone();
    if policies.iter().any(|name| name == acl::ROOT) {
        return Err(CreateRefused::RootByLogin);
    }
    if policies.iter().any(|name| name == acl::RESPONSE_WRAPPING) {
        return Err(CreateRefused::ReservedPolicy);
    }
    if !params.no_default_policy {
        policies.push(acl::DEFAULT.to_owned());
    }
    policies.sort_unstable();
    policies.dedup();
    let set = |own: u64, other: u64| if own == 0 { other } else { own };
    let max_ttl = set(params.max_ttl, mount.max).min(mount.max);
    let asked = set(params.ttl, mount.default);
    let mut warnings = Vec::new();
    let ttl = if params.period > 0 {
        params.period
    } else {
        if asked > max_ttl {
            warnings.push(ttl_capped(Duration::from_secs(asked), Duration::from_secs(max_ttl)));
        }
        asked.min(max_ttl)
    };
    if kind == TokenKind::Batch {
        // Such roles are not written; a mount may make batch tokens of one all the same.
        for (name, set) in [("num_uses", params.num_uses != 0), ("period", params.period > 0)] {
            if set {
                return Err(CreateRefused::BatchWith(name));
            }
        }
    }
    let planned = Planned {
        parent: None,
        policies,
        ttl: ttl.min(remaining(params.explicit_max_ttl, now, now)),
        explicit_max_ttl: params.explicit_max_ttl,
        period: params.period,
        renewable: kind == TokenKind::Service,
        bound_cidrs: bound_cidrs.to_vec(),
        kind,
        num_uses: params.num_uses,
        path: String::new(),
        role: None,
        entity: None,
        warnings,
    };
    Ok((planned, max_ttl))
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
mod tests {
    use super::*;
    use crate::model::ClientToken;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn parent(policies: &[&str]) -> Token {
        Token {
            digest: TokenDigest("p".to_owned()),
            accessor: Accessor("a".to_owned()),
            parent: None,
            policies: policies.iter().map(|&name| name.to_owned()).collect(),
            display_name: "root".to_owned(),
            meta: None,
            path: "auth/token/root".to_owned(),
            num_uses: 0,
            created_at: NOW,
            creation_ttl: 0,
            expires_at: None,
            explicit_max_ttl: 0,
            period: 0,
            renewable: false,
            last_renewal: None,
            ended_at: None,
            bound_cidrs: Vec::new(),
            login: None,
            kind: TokenKind::Service,
            role: None,
            entity: None,
        }
    }

    fn new(policies: &[&str]) -> NewToken {
        NewToken {
            policies: policies.iter().map(|&name| name.to_owned()).collect(),
            renewable: true,
            ..NewToken::default()
        }
    }

    #[test]
    fn a_root_token_makes_root_tokens_that_never_end() {
        let planned = plan(&parent(&["root"]), &new(&[]), false, NOW).unwrap();
        assert_eq!(planned.policies, ["root"]);
        assert_eq!((planned.ttl, planned.renewable), (0, false));
        assert_eq!(planned.parent, Some(TokenDigest("p".to_owned())));
        assert!(planned.warnings.is_empty());
    }

    #[test]
    fn policies_are_lowered_sorted_without_doubles_and_root_swallows_all() {
        let of =
            |names: &[&str]| plan(&parent(&["root"]), &new(names), false, NOW).unwrap().policies;
        assert_eq!(of(&["Zed", "ci", "CI", ""]), ["ci", "default", "zed"]);
        assert_eq!(of(&["ci", "root"]), ["root"]);
        let bare = NewToken { no_default_policy: true, ..new(&["ci"]) };
        assert_eq!(plan(&parent(&["root"]), &bare, false, NOW).unwrap().policies, ["ci"]);
    }

    #[test]
    fn sudo_on_the_path_lets_a_token_ask_for_more_but_not_for_root() {
        let sudoer = parent(&["admin"]);
        let ask = |change: fn(&mut NewToken)| {
            let mut asked = new(&["other"]);
            change(&mut asked);
            plan(&sudoer, &asked, true, NOW)
        };
        assert_eq!(ask(|_| {}).unwrap().policies, ["default", "other"]);
        assert_eq!(ask(|new| new.period = Some(60)).unwrap().period, 60);
        assert_eq!(ask(|new| new.parentage = Parentage::OrphanByField).unwrap().parent, None);
        let root = ask(|new| new.policies = vec!["root".into()]);
        assert_eq!(root.unwrap_err(), CreateRefused::RootWithoutRoot);
        let orphan = NewToken { parentage: Parentage::OrphanByPath, ..new(&[]) };
        assert_eq!(plan(&sudoer, &orphan, false, NOW).unwrap().parent, None);
    }

    #[test]
    fn a_token_without_root_asks_for_less_or_is_refused() {
        let ask = |change: fn(&mut NewToken)| {
            let mut asked = new(&["default"]);
            change(&mut asked);
            plan(&parent(&["ci", "default"]), &asked, false, NOW).unwrap_err().to_string()
        };
        assert_eq!(
            ask(|new| new.policies = vec!["x".into()]),
            "child policies must be subset of parent"
        );
        assert_eq!(
            ask(|new| new.policies = vec!["root".into()]),
            "child policies must be subset of parent"
        );
        assert_eq!(
            ask(|new| new.parentage = Parentage::OrphanByField),
            "root or sudo privileges required to create orphan token"
        );
        assert_eq!(
            ask(|new| new.id = Some(ClientToken::new("x"))),
            "root or sudo privileges required to specify token id"
        );
        assert_eq!(
            ask(|new| new.period = Some(5)),
            "root or sudo privileges required to create periodic token"
        );
        assert_eq!(ask(|new| new.ttl = Some(-1)), "ttl must be positive");
        assert_eq!(ask(|new| new.num_uses = -1), "number of uses cannot be negative");
        let inherited = plan(&parent(&["ci", "default"]), &new(&[]), false, NOW).unwrap();
        assert_eq!(inherited.policies, ["ci", "default"]);
        assert_eq!((inherited.ttl, inherited.renewable), (MAX_TTL_SECONDS, true));
    }

    #[test]
    fn a_use_limited_token_has_no_children() {
        let limited = Token { num_uses: 3, ..parent(&["root"]) };
        let refused = plan(&limited, &new(&[]), false, NOW).unwrap_err();
        assert_eq!(refused, CreateRefused::RestrictedParent);
    }

    #[test]
    fn a_root_token_that_ends_makes_none_that_does_not() {
        let ending = Token { expires_at: Some(NOW), ..parent(&["root"]) };
        assert_eq!(plan(&ending, &new(&[]), false, NOW).unwrap_err(), CreateRefused::ExpiringRoot);
        let timed = NewToken { ttl: Some(60), ..new(&[]) };
        assert_eq!(plan(&ending, &timed, false, NOW).unwrap().ttl, 60);
    }

    #[test]
    fn a_ttl_is_capped_with_a_warning() {
        let asked = NewToken { ttl: Some(2_764_801), ..new(&["default"]) };
        let planned = plan(&parent(&["root"]), &asked, false, NOW).unwrap();
        assert_eq!(planned.ttl, MAX_TTL_SECONDS);
        assert_eq!(
            planned.warnings,
            [
                r#"TTL of "768h0m1s" exceeded the effective max_ttl of "768h"; TTL value is capped accordingly"#
            ]
        );
        let periodic = NewToken { period: Some(9_000_000), ..new(&["default"]) };
        let planned = plan(&parent(&["root"]), &periodic, false, NOW).unwrap();
        assert_eq!((planned.ttl, planned.period), (9_000_000, 9_000_000));
    }

    #[test]
    fn display_names_are_cleaned() {
        assert_eq!(display_name(None), "token");
        assert_eq!(display_name(Some("")), "token");
        assert_eq!(display_name(Some("terraform")), "token-terraform");
        assert_eq!(display_name(Some("^#$test name")), "token----test-name");
        assert_eq!(display_name(Some("a_b.")), "token-a-b");
    }

    fn login(params: &TokenParams) -> (Planned, u64) {
        let ttls = EffectiveTtls { default: 600, max: 3600 };
        plan_login(params, &[], ttls, TokenKind::Service, NOW).unwrap()
    }

    #[test]
    fn a_login_has_no_parent_and_lasts_what_its_role_or_mount_says() {
        let (planned, max) = login(&TokenParams::default());
        assert_eq!((planned.parent, planned.ttl, max), (None, 600, 3600));
        assert_eq!((planned.policies, planned.renewable), (vec!["default".to_owned()], true));
        let own = TokenParams { ttl: 60, max_ttl: 120, ..TokenParams::default() };
        let (planned, max) = login(&own);
        assert_eq!((planned.ttl, max, planned.warnings.len()), (60, 120, 0));
        let (planned, max) =
            login(&TokenParams { ttl: 7200, max_ttl: 9000, ..TokenParams::default() });
        assert_eq!((planned.ttl, max, planned.warnings.len()), (3600, 3600, 1));
        let periodic = TokenParams { period: 7200, explicit_max_ttl: 60, ..TokenParams::default() };
        let (planned, _) = login(&periodic);
        assert_eq!((planned.ttl, planned.period), (60, 7200));
    }

    #[test]
    fn no_login_is_root_and_default_can_be_left_out() {
        let with = |policies: &[&str]| TokenParams {
            policies: policies.iter().map(|&name| name.to_owned()).collect(),
            no_default_policy: true,
            ..TokenParams::default()
        };
        assert_eq!(login(&with(&["ci"])).0.policies, ["ci"]);
        for name in ["root", "response-wrapping"] {
            let ttls = EffectiveTtls { default: 1, max: 1 };
            let params = with(&["ci", name]);
            assert!(plan_login(&params, &[], ttls, TokenKind::Service, NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn children_are_bound_to_their_parents_places() {
        let bound = Token { bound_cidrs: vec!["10.0.0.0/8".parse().unwrap()], ..parent(&["root"]) };
        let planned = plan(&bound, &new(&[]), false, NOW).unwrap();
        assert_eq!(planned.bound_cidrs, bound.bound_cidrs);
    }

    #[test]
    fn a_batch_token_has_a_ttl_and_nothing_that_could_change() {
        let ask = |change: fn(&mut NewToken)| {
            let mut asked = NewToken { kind: Some(TokenKind::Batch), ..new(&["ci"]) };
            change(&mut asked);
            plan(&parent(&["root"]), &asked, false, NOW)
        };
        let planned = ask(|new| new.ttl = Some(60)).unwrap();
        assert_eq!((planned.kind, planned.ttl, planned.renewable), (TokenKind::Batch, 60, false));
        for (change, told) in [
            ((|new| new.num_uses = 1) as fn(&mut NewToken), "\"num_uses\" set"),
            (|new| new.period = Some(5), "\"period\" set"),
            (|new| new.explicit_max_ttl = Some(5), "\"explicit_max_ttl\" set"),
            (|new| new.id = Some(ClientToken::new("x")), "\"id\" set"),
        ] {
            assert_eq!(
                ask(change).unwrap_err().to_string(),
                format!("batch tokens cannot have {told}")
            );
        }
        let root = ask(|new| new.policies = Vec::new()).unwrap_err();
        assert_eq!(root.to_string(), "batch tokens cannot be root tokens");
        let batch = Token { kind: TokenKind::Batch, ..parent(&["ci"]) };
        let refused = plan(&batch, &new(&[]), false, NOW).unwrap_err();
        assert_eq!(refused.to_string(), "batch tokens cannot create more tokens");
    }

    #[test]
    fn children_stand_for_whom_their_parent_does_and_orphans_for_nobody() {
        let person = Token { entity: Some(EntityId("e".into())), ..parent(&["root"]) };
        let child = plan(&person, &new(&[]), false, NOW).unwrap();
        assert_eq!(
            (child.entity, child.path.as_str()),
            (person.entity.clone(), "auth/token/create")
        );
        let orphan = NewToken { parentage: Parentage::OrphanByPath, ..new(&[]) };
        let orphan = plan(&person, &orphan, false, NOW).unwrap();
        assert_eq!((orphan.entity, orphan.path.as_str()), (None, "auth/token/create-orphan"));
    }
}
