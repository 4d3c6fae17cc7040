//! What a new token may be that a token role makes (contract 3.2): pure rules. With lists of policies the role
//! decides alone, whatever the parent has; without them the parent does, as ever. Of two limits the lesser counts.

use super::{Asked, Planned, check_asked, is_root, lowered, policies_of, remaining};
use crate::auth::acl;
use crate::auth::create::{CreateRefused, NewToken};
use crate::model::glob;
use crate::model::go_text::quote;
use crate::model::{Timestamp, Token, TokenKind, TokenRole};

/// Every rule about what may be asked for by a role, in the order of the checks.
pub(in crate::auth) fn plan_by_role(
    parent: &Token,
    role: &TokenRole,
    new: &NewToken,
    sudo: bool,
    now: Timestamp,
) -> Result<Planned, CreateRefused> {
    let kind = role.kind.of(new.kind);
    let by_root = check_asked(parent, new, kind)?;
    check_alias(role, new)?;
    let sudo = sudo || by_root;
    if new.id.is_some() && !sudo {
        return Err(CreateRefused::IdWithoutRoot);
    }
    let policies = if has_lists(role) {
        checked(listed(parent, role, new)?, by_root)?
    } else {
        let no_default_policy = new.no_default_policy || role.no_default_policy;
        policies_of(parent, &NewToken { no_default_policy, ..new.clone() }, by_root, sudo)?
    };
    let mut asked = Asked::of(new, sudo)?;
    let mut warnings = Vec::new();
    if kind == TokenKind::Service {
        let words = "Explicit max TTL specified";
        asked.explicit_max_ttl =
            lesser(asked.explicit_max_ttl, role.explicit_max_ttl, words, &mut warnings);
        asked.period = lesser(asked.period, role.period, "Period specified", &mut warnings);
    }
    if kind == TokenKind::Batch {
        // They are in no store: nothing could count their uses or renew them.
        for (name, set) in [("num_uses", role.num_uses != 0), ("period", role.period > 0)] {
            if set {
                return Err(CreateRefused::BatchWith(name));
            }
        }
    }
    let ttl = asked.lasting(parent, &policies, kind, &mut warnings)?;
    let suffix = if role.path_suffix.is_empty() { "" } else { "/" };
    Ok(Planned {
        parent: (!role.orphan).then(|| parent.digest.clone()),
        policies,
        // The role's own as well: of a batch token it is the end itself.
        ttl: ttl.min(remaining(asked.explicit_max_ttl, now, now)).min(remaining(
            role.explicit_max_ttl,
            now,
            now,
        )),
        explicit_max_ttl: asked.explicit_max_ttl,
        period: asked.period,
        renewable: new.renewable && role.renewable && ttl > 0 && kind == TokenKind::Service,
        // A role that says nothing frees nobody of where the parent is bound to.
        bound_cidrs: match role.bound_cidrs.as_slice() {
            [] => parent.bound_cidrs.clone(),
            own => own.to_vec(),
        },
        kind,
        num_uses: match (new.num_uses, role.num_uses) {
            (asked, 0) => asked,
            (0, own) => own,
            (asked, own) => asked.min(own),
        },
        path: format!("auth/token/create/{}{suffix}{}", role.name, role.path_suffix),
        role: Some(role.name.clone()),
        entity: parent.entity.clone().filter(|_| !role.orphan),
        warnings,
    })
}

/// Whom the token shall stand for, if the role allows it.
fn check_alias(role: &TokenRole, new: &NewToken) -> Result<(), CreateRefused> {
    let Some(alias) = &new.entity_alias else {
        return Ok(());
    };
    let alias = alias.to_lowercase();
    let allowed = role.allowed_entity_aliases.iter().flatten();
    if allowed.into_iter().any(|pattern| glob::matches(&pattern.to_lowercase(), &alias)) {
        Ok(())
    } else {
        Err(CreateRefused::AliasNotAllowed)
    }
}

fn has_lists(role: &TokenRole) -> bool {
    ![
        &role.allowed_policies,
        &role.allowed_policies_glob,
        &role.disallowed_policies,
        &role.disallowed_policies_glob,
    ]
    .into_iter()
    .all(Vec::is_empty)
}

/// By the lists of the role alone.
fn listed(parent: &Token, role: &TokenRole, new: &NewToken) -> Result<Vec<String>, CreateRefused> {
    let forbids = |name: &str| {
        role.disallowed_policies.iter().any(|one| one == name)
            || role.disallowed_policies_glob.iter().any(|one| glob::matches(one, name))
    };
    let with_default = !new.no_default_policy && !role.no_default_policy && !forbids(acl::DEFAULT);
    let sent = lowered(&new.policies);
    let allowed = sanitized(&role.allowed_policies, with_default);
    let has_allowed = !role.allowed_policies.is_empty() || !role.allowed_policies_glob.is_empty();
    let policies = match (sent.is_empty(), has_allowed) {
        (true, true) => allowed,
        (true, false) => sanitized(&parent.policies, with_default),
        (false, false) => sanitized(&sent, with_default),
        (false, true) => {
            let asked = sanitized(&sent, with_default);
            let fits = |name: &String| {
                allowed.contains(name)
                    || role.allowed_policies_glob.iter().any(|one| glob::matches(one, name))
            };
            if !asked.iter().all(fits) {
                return Err(CreateRefused::NotAllowedByRole {
                    asked: printed(&asked),
                    allowed: printed(&allowed),
                    globs: printed(&role.allowed_policies_glob),
                });
            }
            asked
        }
    };
    match policies.iter().find(|name| forbids(name)) {
        Some(name) => Err(CreateRefused::DisallowedByRole(name.clone())),
        None => Ok(policies),
    }
}

/// What no role may give.
fn checked(policies: Vec<String>, by_root: bool) -> Result<Vec<String>, CreateRefused> {
    if policies.iter().any(|name| name == acl::RESPONSE_WRAPPING) {
        return Err(CreateRefused::ReservedPolicy);
    }
    if is_root(&policies) && !by_root {
        return Err(CreateRefused::RootWithoutRoot);
    }
    Ok(policies)
}

/// Lower case, without doubles, sorted; `root` swallows all others.
fn sanitized(names: &[String], with_default: bool) -> Vec<String> {
    let mut names = lowered(names);
    if is_root(&names) {
        return vec![acl::ROOT.to_owned()];
    }
    if with_default {
        names.push(acl::DEFAULT.to_owned());
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The lesser of two limits; 0 = not set.
fn lesser(asked: u64, of_role: u64, words: &str, warnings: &mut Vec<String>) -> u64 {
    match (asked, of_role) {
        (asked, 0) => asked,
        (0, of_role) => of_role,
        (asked, of_role) => {
            let least = asked.min(of_role);
            warnings.push(format!(
                "{words} both during creation call and in role; using the lesser value of {least} seconds"
            ));
            least
        }
    }
}

/// As Go prints a list of quoted texts.
fn printed(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| quote(name)).collect();
    format!("[{}]", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Accessor, EntityId, RoleKind, TokenDigest};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn parent(policies: &[&str]) -> Token {
        Token {
            policies: names(policies),
            entity: Some(EntityId("e".to_owned())),
            ..Token::new(TokenDigest("p".to_owned()), Accessor("a".to_owned()), NOW)
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn role() -> TokenRole {
        TokenRole::new("r")
    }

    fn new(policies: &[&str]) -> NewToken {
        NewToken { policies: names(policies), renewable: true, ..NewToken::default() }
    }

    fn plan(role: &TokenRole, new: &NewToken) -> Result<Planned, CreateRefused> {
        plan_by_role(&parent(&["default", "own"]), role, new, false, NOW)
    }

    fn policies(role: &TokenRole, sent: &[&str]) -> Result<Vec<String>, String> {
        plan(role, &new(sent)).map(|planned| planned.policies).map_err(|error| error.to_string())
    }

    #[test]
    fn without_lists_a_role_gives_what_the_parent_has() {
        assert_eq!(policies(&role(), &[]).unwrap(), ["default", "own"]);
        assert_eq!(policies(&role(), &["own"]).unwrap(), ["default", "own"]);
        assert_eq!(
            policies(&role(), &["x"]).unwrap_err(),
            "child policies must be subset of parent"
        );
        let bare = TokenRole { no_default_policy: true, ..role() };
        assert_eq!(policies(&bare, &["own"]).unwrap(), ["own"]);
    }

    #[test]
    fn with_allowed_policies_the_parents_do_not_count() {
        let allowing = TokenRole {
            allowed_policies: names(&["a", "b"]),
            allowed_policies_glob: names(&["team-*"]),
            ..role()
        };
        assert_eq!(policies(&allowing, &[]).unwrap(), ["a", "b", "default"]);
        assert_eq!(policies(&allowing, &["A", "team-x"]).unwrap(), ["a", "default", "team-x"]);
        assert_eq!(
            policies(&allowing, &["own"]).unwrap_err(),
            "token policies ([\"default\" \"own\"]) must be subset of the role's allowed policies \
             ([\"a\" \"b\" \"default\"]) or glob policies ([\"team-*\"])"
        );
        let root = TokenRole { allowed_policies: names(&["root"]), ..role() };
        assert_eq!(
            policies(&root, &["root"]).unwrap_err(),
            "root tokens may not be created without parent token being root"
        );
    }

    #[test]
    fn what_a_role_forbids_is_forbidden_and_default_then_not_added() {
        let forbidding = TokenRole {
            disallowed_policies: names(&["admin"]),
            disallowed_policies_glob: names(&["def*"]),
            ..role()
        };
        assert_eq!(policies(&forbidding, &["x"]).unwrap(), ["x"]);
        assert_eq!(
            policies(&forbidding, &["x", "admin"]).unwrap_err(),
            "token policy \"admin\" is disallowed by this role"
        );
        assert!(policies(&forbidding, &[]).is_err(), "the parent's default is forbidden too");
    }

    #[test]
    fn of_two_limits_the_lesser_counts_and_is_told() {
        let limits = TokenRole { explicit_max_ttl: 600, period: 60, num_uses: 5, ..role() };
        let planned = plan(&limits, &new(&[])).unwrap();
        assert_eq!((planned.period, planned.explicit_max_ttl, planned.ttl), (60, 600, 60));
        assert_eq!((planned.num_uses, planned.warnings.len()), (5, 0));
        let asked = NewToken { explicit_max_ttl: Some(900), num_uses: 3, ..new(&[]) };
        let planned = plan(&limits, &asked).unwrap();
        assert_eq!((planned.explicit_max_ttl, planned.num_uses), (600, 3));
        assert_eq!(
            planned.warnings,
            ["Explicit max TTL specified both during creation call and in role; using the lesser \
              value of 600 seconds"]
        );
        let still = TokenRole { renewable: false, ..role() };
        assert!(!plan(&still, &new(&[])).unwrap().renewable);
    }

    /// Found by a review: whoever asked for a batch token was free of the role's limits.
    #[test]
    fn a_roles_limits_hold_for_a_batch_token_that_is_asked_for() {
        let batch = NewToken { kind: Some(TokenKind::Batch), ttl: Some(86_400), ..new(&[]) };
        let ends = TokenRole { explicit_max_ttl: 600, ..role() };
        let planned = plan(&ends, &batch).unwrap();
        assert_eq!((planned.kind, planned.ttl), (TokenKind::Batch, 600));
        let counted = TokenRole { num_uses: 1, ..role() };
        assert_eq!(plan(&counted, &batch), Err(CreateRefused::BatchWith("num_uses")));
        let periodic = TokenRole { period: 60, ..role() };
        assert_eq!(plan(&periodic, &batch), Err(CreateRefused::BatchWith("period")));
    }

    #[test]
    fn a_role_makes_orphans_batch_tokens_and_paths() {
        let orphans = TokenRole {
            orphan: true,
            kind: RoleKind::Batch,
            path_suffix: "v2".to_owned(),
            bound_cidrs: vec!["10.0.0.0/8".parse().unwrap()],
            ..role()
        };
        let planned = plan(&orphans, &new(&[])).unwrap();
        assert_eq!((planned.parent, planned.entity), (None, None));
        assert_eq!(
            (planned.kind, planned.path.as_str()),
            (TokenKind::Batch, "auth/token/create/r/v2")
        );
        assert_eq!((planned.role.as_deref(), planned.bound_cidrs.len()), (Some("r"), 1));
        let child = plan(&role(), &new(&[])).unwrap();
        assert_eq!(child.entity, Some(EntityId("e".to_owned())));
    }

    #[test]
    fn whom_a_token_may_stand_for_is_the_roles_to_say() {
        let allowed = TokenRole { allowed_entity_aliases: Some(names(&["bob", "ci-*"])), ..role() };
        let ask = |role: &TokenRole, alias: &str| {
            plan(role, &NewToken { entity_alias: Some(alias.to_owned()), ..new(&[]) }).map(drop)
        };
        for alias in ["Bob", "ci-1"] {
            assert_eq!(ask(&allowed, alias), Ok(()), "{alias}");
        }
        assert_eq!(ask(&allowed, "eve"), Err(CreateRefused::AliasNotAllowed));
        assert_eq!(ask(&role(), "bob"), Err(CreateRefused::AliasNotAllowed));
    }
}
