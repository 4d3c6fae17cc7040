//! Issuing, renewing, and what is left when AWS does not play along.

use std::time::Duration;

use embedded_aws::faults::Fault;

use super::support::{Bench, NARROW, WIDE, World, iam_user, role};
use crate::clock::Clock as _;
use crate::engine::config::RootConfigChange;
use crate::engine::issue::IssueError;
use crate::engine::leases::RenewError;
use crate::engine::roles::{KvPairs, RoleChange};
use crate::gate::Mode;
use crate::model::LeaseState;
use crate::store::Store as _;

async fn with_role(mode: Mode) -> Bench {
    let bench = Bench::with_mount(mode).await;
    bench.write("r", iam_user(NARROW)).await.unwrap();
    bench.world.faults.clear_calls();
    bench
}

#[tokio::test]
async fn a_credential_is_a_user_with_all_that_the_role_grants_under_a_lease() {
    let bench = Bench::with_mount(Mode::Warn).await;
    let policy = bench.world.aws.create_managed_policy("p", NARROW).unwrap();
    bench.world.aws.create_group("g", &[], &[]).unwrap();
    let change = RoleChange {
        policy_arns: Some(vec![policy.clone()]),
        iam_groups: Some(vec!["g".into()]),
        iam_tags: Some(KvPairs(Some([("team".to_owned(), "blue".to_owned())].into()))),
        user_path: Some("/apps/".into()),
        permissions_boundary_arn: Some(policy.clone()),
        ..iam_user(NARROW)
    };
    bench.write("r", change).await.unwrap();
    bench.world.faults.clear_calls();

    let issued = bench.issue("r").await.unwrap();

    let [user] = bench.world.aws.users().try_into().unwrap();
    assert!(user.name.starts_with("vault-root-r-1700000000-"), "{}", user.name);
    assert_eq!(user.path, "/apps/");
    assert_eq!(user.attached, std::slice::from_ref(&policy));
    assert_eq!(user.groups, ["g"]);
    assert_eq!(user.boundary, Some(policy));
    assert_eq!(user.inline.into_iter().collect::<Vec<_>>(), [("r".to_owned(), NARROW.to_owned())]);
    assert_eq!(user.tags.get("team").map(String::as_str), Some("blue"));
    assert_eq!(user.tags.get("leasehold:broker").map(String::as_str), Some("test-broker"));
    assert_eq!(
        user.tags.get("leasehold:lease").map(String::as_str),
        Some(issued.lease.tag().as_str())
    );
    assert_eq!(user.keys.len(), 1);
    assert_eq!(user.keys[0].access_key_id, issued.access_key.as_str());
    assert!(issued.lease.as_str().starts_with("aws/creds/r/"));
    assert_eq!((issued.lease_duration, issued.renewable), (2_764_800, true));
    let seen = bench.engine.lookup_lease(&issued.lease).await.unwrap().unwrap();
    assert_eq!((seen.ttl_seconds, seen.renewable), (2_764_800, true));
    let first = bench.world.faults.actions().into_iter().next();
    assert_eq!(first.as_deref(), Some("CreateUser"));
}

#[tokio::test]
async fn a_missing_role_is_told_in_vaults_words() {
    let bench = Bench::with_mount(Mode::Warn).await;
    assert_eq!(bench.issue("r").await.unwrap_err().to_string(), "Role \"r\" not found");
    assert_eq!(bench.world.unfinished().await, []);
}

#[tokio::test]
async fn a_stricter_gate_stops_an_old_role_before_aws_is_asked() {
    let world = World::new();
    let before = world.start(Mode::Warn).await;
    before.enable("aws").await;
    before.write("r", iam_user(WIDE)).await.unwrap();
    assert!(!before.issue("r").await.unwrap().warnings.is_empty());
    world.faults.clear_calls();

    let after = world.start(Mode::Enforce).await;
    let denied = after.issue("r").await.unwrap_err();

    assert!(matches!(denied, IssueError::Denied { ref errors, .. } if !errors.is_empty()));
    assert!(world.faults.actions().is_empty());
    assert_eq!(world.users().len(), 1);
    assert_eq!(world.unfinished().await.len(), 1);
}

#[tokio::test]
async fn a_refused_user_leaves_nothing_and_nothing_to_do() {
    let bench = with_role(Mode::Enforce).await;
    bench.world.faults.fail_next("CreateUser", Fault::refuse(403, "AccessDenied"));

    let error = bench.issue("r").await.unwrap_err();

    assert!(error.to_string().starts_with("Error creating IAM user: AccessDenied"), "{error}");
    assert_eq!(bench.world.unfinished().await, []);
    bench.settle().await;
    assert_eq!(bench.world.faults.actions(), ["CreateUser"]);
}

#[tokio::test]
async fn whatever_fails_after_the_user_is_made_the_user_goes_again() {
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    for (action, prefix) in [
        ("AttachUserPolicy", "Error attaching user policy: "),
        ("PutUserPolicy", "Error putting user policy: "),
        ("AddUserToGroup", "Error adding user to group: "),
        ("CreateAccessKey", "Error creating access keys: "),
    ] {
        let bench = Bench::with_mount(Mode::Off).await;
        bench.world.aws.create_group("g", &[], &[]).unwrap();
        let change = RoleChange {
            policy_arns: Some(vec![policy.into()]),
            iam_groups: Some(vec!["g".into()]),
            ..iam_user(NARROW)
        };
        bench.write("r", change).await.unwrap();
        bench.world.faults.fail_next(action, Fault::refuse(403, "AccessDenied"));

        let error = bench.issue("r").await.unwrap_err();

        assert!(error.to_string().starts_with(prefix), "{action}: {error}");
        let [lease] = bench.world.unfinished().await.try_into().unwrap();
        assert!(matches!(lease.state, LeaseState::Revoking(_)), "{action}: {lease:?}");
        assert!(!bench.is_visible(&lease.id).await);
        bench.settle().await;
        assert!(bench.world.users().is_empty(), "{action}");
        assert_eq!(bench.world.unfinished().await, [], "{action}");
    }
}

#[tokio::test]
async fn an_unclear_answer_to_create_user_is_followed_by_a_teardown() {
    for fault in [Fault::LostAfter, Fault::ServerErrorAfter(500), Fault::LostBefore] {
        let bench = with_role(Mode::Enforce).await;
        bench.world.faults.fail_next("CreateUser", fault.clone());

        let error = bench.issue("r").await.unwrap_err();

        assert!(error.to_string().starts_with("Error creating IAM user: "), "{error}");
        assert_eq!(bench.world.unfinished().await.len(), 1, "{fault:?}");
        bench.settle().await;
        assert!(bench.world.users().is_empty(), "{fault:?}");
        assert_eq!(bench.world.unfinished().await, [], "{fault:?}");
    }
}

#[tokio::test]
async fn throttling_is_told_apart() {
    let bench = with_role(Mode::Enforce).await;
    bench.world.faults.fail_next("CreateUser", Fault::Throttle);
    let error = bench.issue("r").await.unwrap_err();
    assert!(matches!(error, IssueError::Throttled { .. }), "{error:?}");
    assert_eq!(bench.world.unfinished().await, []);
}

#[tokio::test]
async fn a_name_that_cannot_be_made_costs_neither_a_row_nor_a_call() {
    let bench = with_role(Mode::Enforce).await;
    for (template, wanted) in [
        (
            "{{ random 65 }}",
            "the username generated by the template exceeds the IAM username length limits of 64 chars",
        ),
        ("{{ nope }}", "unable to initialize username template: function \"nope\" not defined"),
        (
            "{{ .Nope }}",
            "failed to generate username: can't evaluate field Nope: there are Type, DisplayName and PolicyName",
        ),
    ] {
        let change =
            RootConfigChange { username_template: Some(template.into()), ..Default::default() };
        bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
        assert_eq!(bench.issue("r").await.unwrap_err().to_string(), wanted);
    }
    assert!(bench.world.faults.actions().is_empty());
    assert_eq!(bench.world.unfinished().await, []);
    let change = RootConfigChange {
        username_template: Some("x-{{ .PolicyName }}-{{ random 8 }}".into()),
        ..Default::default()
    };
    bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
    bench.issue("r").await.unwrap();
    assert!(bench.world.users()[0].starts_with("x-r-"));
}

#[tokio::test]
async fn the_roles_ttl_is_fixed_in_the_lease() {
    let bench = with_role(Mode::Enforce).await;
    let mount = bench.mount();
    let config = |lease: &str, max: &str| (Some(lease.to_owned()), Some(max.to_owned()));
    let (lease, max) = config("2h", "6h");
    bench.engine.write_lease_config(&mount, lease, max).await.unwrap();
    assert_eq!(bench.issue("r").await.unwrap().lease_duration, 7200);
    let own = RoleChange { ttl: Some(1800), max_ttl: Some(3600), ..RoleChange::default() };
    bench.write("r", own).await.unwrap();
    let issued = bench.issue("r").await.unwrap();
    assert_eq!((issued.lease_duration, issued.warnings.len()), (1800, 0));

    bench.engine.delete_role(&mount, &role("r")).await.unwrap();
    bench.world.clock.advance(Duration::from_mins(25));
    let renewed = bench.engine.renew_lease(&issued.lease, None).await.unwrap();
    assert_eq!((renewed.ttl_seconds, renewed.renewable), (1800, true));
    bench.world.clock.advance(Duration::from_mins(10));
    let capped = bench.engine.renew_lease(&issued.lease, Some(Duration::from_hours(2))).await;
    let capped = capped.unwrap();
    assert_eq!(capped.ttl_seconds, 1500);
    assert_eq!(
        capped.warnings,
        [
            "TTL of \"2h\" exceeded the effective max_ttl of \"25m\"; TTL value is capped accordingly"
        ]
    );
    bench.world.clock.advance(Duration::from_mins(25));
    let expired = bench.engine.renew_lease(&issued.lease, None).await;
    assert!(matches!(expired, Err(RenewError::Expired)), "{expired:?}");
}

#[tokio::test]
async fn renewal_follows_the_current_configuration_and_calls_nobody() {
    let bench = with_role(Mode::Enforce).await;
    let mount = bench.mount();
    let issued = bench.issue("r").await.unwrap();
    bench.world.faults.clear_calls();
    bench.engine.write_lease_config(&mount, Some("10m".into()), Some("1h".into())).await.unwrap();

    let renewed = bench.engine.renew_lease(&issued.lease, None).await.unwrap();

    assert_eq!(renewed.ttl_seconds, 600);
    let seen = bench.engine.lookup_lease(&issued.lease).await.unwrap().unwrap();
    assert_eq!(seen.ttl_seconds, 600);
    assert!(seen.last_renewal.is_some());
    assert!(bench.world.faults.actions().is_empty());
    let unknown = "aws/creds/r/xxxxxxxxxxxxxxxxxxxxxxxx".parse().unwrap();
    let error = bench.engine.renew_lease(&unknown, None).await.unwrap_err();
    assert_eq!(error.to_string(), "lease not found");
}

#[tokio::test(start_paused = true)]
async fn an_issue_ends_long_before_its_lease_is_old_enough_to_be_called_gone() {
    for action in ["CreateUser", "PutUserPolicy"] {
        let bench = with_role(Mode::Enforce).await;
        let change = RootConfigChange { max_retries: Some(20), ..RootConfigChange::default() };
        bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
        // Each attempt takes its whole half minute, and there are twenty more.
        bench.world.faults.fail_every(action, Fault::SilentBefore);
        let start = tokio::time::Instant::now();

        let error = bench.issue("r").await.unwrap_err();

        assert!(error.to_string().contains("no answer in time"), "{action}: {error}");
        assert!(start.elapsed() < Duration::from_mins(3), "{action}: {:?}", start.elapsed());
        let [lease] = bench.world.unfinished().await.try_into().unwrap();
        assert!(matches!(lease.state, LeaseState::Revoking(_)), "{action}: {lease:?}");
    }
}

/// AWS acted, and says so when nobody waits any more.
#[tokio::test(start_paused = true)]
async fn an_answer_of_aws_that_comes_after_the_limit_is_no_credential_and_what_was_made_is_removed()
{
    for action in ["CreateUser", "PutUserPolicy", "CreateAccessKey"] {
        let bench = with_role(Mode::Enforce).await;
        // The answers stay away; each of the one retry too.
        bench.world.faults.fail_every(action, Fault::SilentAfter);
        let start = tokio::time::Instant::now();

        let error = bench.issue("r").await.unwrap_err();

        assert!(start.elapsed() <= Duration::from_mins(1), "{action}: {:?}", start.elapsed());
        assert!(error.to_string().contains("no clear answer"), "{action}: {error}");
        assert_eq!(bench.world.users().len(), 1, "{action}: AWS acted");
        bench.world.faults.heal();
        bench.settle().await;
        assert_eq!(bench.world.users(), Vec::<String>::new(), "{action}");
        assert_eq!(bench.world.unfinished().await, [], "{action}");
    }
}

#[tokio::test]
async fn a_token_that_ends_during_an_issue_is_given_nothing() {
    let bench = with_role(Mode::Enforce).await;
    let gate = bench.world.faults.hold_next("CreateAccessKey");
    let issue = bench.issue("r");
    let end = async {
        gate.arrived().await;
        let token = &bench.root.token().digest;
        bench.world.store.end_token_tree(token, bench.world.clock.now()).await.unwrap();
        gate.release();
    };

    let (issued, ()) = tokio::join!(issue, end);

    assert!(matches!(issued, Err(IssueError::Lease(_))), "{issued:?}");
    bench.settle().await;
    assert!(bench.world.users().is_empty());
    assert_eq!(bench.world.unfinished().await, []);
}

#[tokio::test]
async fn a_lease_that_is_revoked_while_it_is_issued_is_not_handed_out() {
    let bench = with_role(Mode::Enforce).await;
    let gate = bench.world.faults.hold_next("CreateAccessKey");
    let issue = bench.issue("r");
    let revoke = async {
        gate.arrived().await;
        // Revoked while it is being issued: there is nothing to hand out any more.
        bench.engine.leases().revoke_prefix_later("aws/").await.unwrap();
        gate.release();
    };

    let (issued, ()) = tokio::join!(issue, revoke);

    assert!(matches!(issued, Err(IssueError::Lease(_))), "{issued:?}");
    bench.settle().await;
    assert!(bench.world.users().is_empty());
    assert_eq!(bench.world.unfinished().await, []);
}
