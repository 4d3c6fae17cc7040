//! The rules about what may be asked for, one by one.

use super::*;
use crate::auth::methods::EffectiveTtls;
use crate::model::{ClientToken, TokenParams};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn parent(policies: &[&str]) -> Token {
    Token {
        policies: policies.iter().map(|&name| name.to_owned()).collect(),
        display_name: "root".to_owned(),
        path: "auth/token/root".to_owned(),
        ..Token::new(TokenDigest("p".to_owned()), Accessor("a".to_owned()), NOW)
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
    let of = |names: &[&str]| plan(&parent(&["root"]), &new(names), false, NOW).unwrap().policies;
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
    let (planned, max) = login(&TokenParams { ttl: 7200, max_ttl: 9000, ..TokenParams::default() });
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

type Change = fn(&mut NewToken);

#[test]
fn a_batch_token_has_a_ttl_and_nothing_that_could_change() {
    let ask = |change: Change| {
        let mut asked = NewToken { kind: Some(TokenKind::Batch), ..new(&["ci"]) };
        change(&mut asked);
        plan(&parent(&["root"]), &asked, false, NOW)
    };
    let planned = ask(|new| new.ttl = Some(60)).unwrap();
    assert_eq!((planned.kind, planned.ttl, planned.renewable), (TokenKind::Batch, 60, false));
    let cases: [(Change, &str); 4] = [
        (|new| new.num_uses = 1, "\"num_uses\" set"),
        (|new| new.period = Some(5), "\"period\" set"),
        (|new| new.explicit_max_ttl = Some(5), "\"explicit_max_ttl\" set"),
        (|new| new.id = Some(ClientToken::new("x")), "\"id\" set"),
    ];
    for (change, told) in cases {
        let refused = ask(change).unwrap_err().to_string();
        assert_eq!(refused, format!("batch tokens cannot have {told}"));
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
    assert_eq!((child.entity, child.path.as_str()), (person.entity.clone(), "auth/token/create"));
    let orphan = NewToken { parentage: Parentage::OrphanByPath, ..new(&[]) };
    let orphan = plan(&person, &orphan, false, NOW).unwrap();
    assert_eq!((orphan.entity, orphan.path.as_str()), (None, "auth/token/create-orphan"));
}
