//! What a new token may be (contract 3.2): pure rules, in the order of the checks. Whoever asks for more
//! than the parent has is refused; nothing is cut in silence. Writing it: [`super::create`].

use std::time::Duration;

use super::acl;
use super::create::{CreateRefused, NewToken, Parentage};
use super::methods::EffectiveTtls;
use super::token::MAX_TTL_SECONDS;
use crate::model::duration::ttl_capped;
use crate::model::{Accessor, Network, Timestamp, Token, TokenDigest, TokenParams};

/// What a new token will be, as far as the rules decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    parent: Option<TokenDigest>,
    policies: Vec<String>,
    ttl: u64,
    explicit_max_ttl: u64,
    period: u64,
    renewable: bool,
    bound_cidrs: Vec<Network>,
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
            path: "auth/token/create".to_owned(),
            num_uses: new.num_uses,
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
        }
    }
}

/// Every rule of contract 3.2 about what may be asked for, in the order of the checks. `sudo`: what the
/// caller has on the path that makes tokens; root has it everywhere.
pub(super) fn plan(
    parent: &Token,
    new: &NewToken,
    sudo: bool,
    now: Timestamp,
) -> Result<Planned, CreateRefused> {
    let by_root = parent.policies.iter().any(|policy| policy == acl::ROOT);
    if parent.num_uses > 0 {
        return Err(CreateRefused::RestrictedParent);
    }
    if new.num_uses < 0 {
        return Err(CreateRefused::NegativeUses);
    }
    let sudo = sudo || by_root;
    let policies = policies_of(parent, new, by_root, sudo)?;
    if new.parentage == Parentage::OrphanByField && !sudo {
        return Err(CreateRefused::OrphanWithoutRoot);
    }
    if new.id.is_some() && !sudo {
        return Err(CreateRefused::IdWithoutRoot);
    }
    let explicit_max_ttl = positive("explicit_max_ttl", new.explicit_max_ttl)?;
    let period = positive("period", new.period)?;
    if period > 0 && !sudo {
        return Err(CreateRefused::PeriodWithoutRoot);
    }
    let asked = positive("ttl", new.ttl)?;
    let is_root = policies.iter().any(|policy| policy == acl::ROOT);
    if is_root && asked == 0 && period == 0 && parent.expires_at.is_some() {
        return Err(CreateRefused::ExpiringRoot);
    }
    let mut warnings = Vec::new();
    let ttl = first_ttl(asked, period, explicit_max_ttl, is_root, &mut warnings);
    Ok(Planned {
        parent: (new.parentage == Parentage::Child).then(|| parent.digest.clone()),
        policies,
        ttl: ttl.min(remaining(explicit_max_ttl, now, now)),
        explicit_max_ttl,
        period,
        renewable: new.renewable && ttl > 0,
        // Vault's children are free of their parent's bounds; ours can be used nowhere that it cannot.
        bound_cidrs: parent.bound_cidrs.clone(),
        warnings,
    })
}

/// What a login's token will be, and for how many seconds renewals can make it last. It has no parent;
/// `mount` is what the auth mount's TTLs are in effect.
pub(super) fn plan_login(
    params: &TokenParams,
    bound_cidrs: &[Network],
    mount: EffectiveTtls,
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
    let planned = Planned {
        parent: None,
        policies,
        ttl: ttl.min(remaining(params.explicit_max_ttl, now, now)),
        explicit_max_ttl: params.explicit_max_ttl,
        period: params.period,
        renewable: true,
        bound_cidrs: bound_cidrs.to_vec(),
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
fn policies_of(
    parent: &Token,
    new: &NewToken,
    by_root: bool,
    sudo: bool,
) -> Result<Vec<String>, CreateRefused> {
    let mut policies: Vec<String> = new
        .policies
        .iter()
        .map(|name| name.trim().to_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
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
        plan_login(params, &[], EffectiveTtls { default: 600, max: 3600 }, NOW).unwrap()
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
            assert!(plan_login(&with(&["ci", name]), &[], ttls, NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn children_are_bound_to_their_parents_places() {
        let bound = Token { bound_cidrs: vec!["10.0.0.0/8".parse().unwrap()], ..parent(&["root"]) };
        let planned = plan(&bound, &new(&[]), false, NOW).unwrap();
        assert_eq!(planned.bound_cidrs, bound.bound_cidrs);
    }
}
