//! The rules of the comparison, on data alone.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::compare::{Held, Seen, missing};
use super::missing::why_not_here;
use super::scope::Scope;
use crate::aws::{ListedUser, Ownership};
use crate::model::{MountId, Timestamp, UserName, UserRow};

const OURS: &str = "ours";
const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
const SETTLING: Duration = Duration::from_mins(5);

fn tag(last: char) -> String {
    format!("abcdefghijklmnopqrstuvw{last}")
}

fn user(name: &str, age_seconds: i64) -> ListedUser {
    ListedUser {
        name: name.parse().unwrap(),
        path: "/".to_owned(),
        id: format!("AIDA{name}"),
        created_at: Timestamp::from_millis(
            NOW.as_millis().saturating_sub(age_seconds.saturating_mul(1000)),
        ),
    }
}

fn owner(broker: Option<&str>, lease: Option<String>) -> Ownership {
    Ownership { broker: broker.map(str::to_owned), lease }
}

fn row(last: char, name: &str, active_until: Option<Timestamp>) -> UserRow {
    UserRow {
        lease: format!("aws/creds/r/{}", tag(last)).parse().unwrap(),
        mount: MountId("m".into()),
        user: name.parse().unwrap(),
        account: None,
        issued_at: Timestamp::from_millis(0),
        active_until,
    }
}

fn scope() -> Scope {
    let mount = (MountId("m".into()), "aws/".parse().unwrap());
    Scope { mounts: vec![mount], broker: OURS.to_owned(), ..Scope::default() }
}

#[test]
fn an_orphan_is_ours_old_and_in_no_row() {
    let listed = [user("a", 600), user("b", 600), user("c", 10), user("d", 600), user("e", 600)];
    let owned: BTreeMap<String, Ownership> = [
        ("AIDAa".to_owned(), owner(Some(OURS), Some(tag('a')))),
        ("AIDAb".to_owned(), owner(Some(OURS), Some(tag('b')))),
        ("AIDAc".to_owned(), owner(Some(OURS), Some(tag('c')))),
        ("AIDAd".to_owned(), owner(Some("another"), Some(tag('d')))),
        ("AIDAe".to_owned(), owner(None, Some(tag('e')))),
    ]
    .into();
    let (scope, names) = (scope(), listed.iter().map(|one| &one.name).collect::<HashSet<_>>());
    let mut held = Held::of(&owned, &names, &scope);
    // Under another name, pending: its tag is what counts.
    held.take(row('b', "z", None));
    let seen = Seen { listed: &listed, owned: &owned, held: &held, scope: &scope };
    let account = seen.compared(NOW, SETTLING);
    let orphans: Vec<_> = account.orphans.iter().map(|orphan| orphan.user.as_str()).collect();
    assert_eq!(orphans, ["a"]);
    assert_eq!((account.with_lease, account.too_young, account.foreign), (1, 1, 1));
    assert_eq!(account.of_another_broker[0].broker, "another");
}

#[test]
fn only_active_leases_of_the_account_can_miss_their_user() {
    let listed = [user("there", 600)];
    let (scope, names) = (scope(), listed.iter().map(|one| &one.name).collect::<HashSet<_>>());
    let mut held = Held::of(&BTreeMap::new(), &names, &scope);
    held.take(row('a', "there", Some(NOW)));
    held.take(row('b', "gone", Some(NOW)));
    held.take(row('c', "ending", None));
    held.take(UserRow { mount: MountId("elsewhere".into()), ..row('d', "gone", Some(NOW)) });
    let absent: Vec<UserName> = held.absent.values().map(|row| row.user.clone()).collect();
    assert_eq!(absent, ["gone".parse().unwrap()]);
    assert_eq!(held.overdue(NOW)[0].lease, format!("aws/creds/r/{}", tag('a')));
    assert!(held.overdue(Timestamp::from_millis(0)).is_empty());
}

#[test]
fn a_user_is_there_only_with_its_leases_tags() {
    let row = row('a', "x", Some(NOW));
    assert!(missing(&row, None, OURS).is_some());
    assert!(missing(&row, Some(&owner(Some(OURS), Some(tag('b')))), OURS).is_some());
    assert!(missing(&row, Some(&owner(Some("another"), Some(tag('a')))), OURS).is_some());
    assert!(missing(&row, Some(&owner(Some(OURS), Some(tag('a')))), OURS).is_none());
}

#[test]
fn only_keys_of_its_own_account_say_anything_about_a_user() {
    let bare = row('a', "x", Some(NOW));
    let known = UserRow { account: Some("123456789012".to_owned()), ..bare.clone() };
    assert_eq!(why_not_here(&bare, None), None, "a row that does not say it is believed");
    assert_eq!(why_not_here(&known, Some("123456789012")), None);
    assert!(why_not_here(&known, Some("210987654321")).unwrap().contains("`210987654321`"));
    assert!(why_not_here(&known, None).unwrap().contains("cannot be found out"));
}
