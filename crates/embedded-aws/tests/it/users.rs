//! Users: names, paths, tags, boundaries, and who a call without a name means.

use aws_sdk_iam::types::Tag;

use crate::support::{START, World, moment, refusal, sentence};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

#[tokio::test]
async fn a_user_comes_back_with_path_tags_and_boundary() {
    let world = World::new();
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    let created = world
        .iam()
        .create_user()
        .user_name("alice")
        .path("/team/x/")
        .tags(tag("owner", "a b"))
        .permissions_boundary(boundary)
        .send()
        .await
        .unwrap();
    let got = world.iam().get_user().user_name("ALICE").send().await.unwrap();

    let user = got.user().unwrap();
    assert_eq!(created.user(), Some(user));
    assert_eq!(user.arn(), "arn:aws:iam::123456789012:user/team/x/alice");
    assert!(user.user_id().starts_with("AIDA") && user.user_id().len() == 21);
    assert_eq!(as_system_time(user.create_date()), moment(START));
    assert_eq!(user.tags(), [tag("owner", "a b")]);
    let bound = user.permissions_boundary().and_then(|b| b.permissions_boundary_arn());
    assert_eq!(bound, Some(boundary));
    let view = world.aws.user("alice").unwrap();
    assert_eq!((view.path.as_str(), view.boundary.as_deref()), ("/team/x/", Some(boundary)));
}

fn as_system_time(at: &aws_sdk_iam::primitives::DateTime) -> std::time::SystemTime {
    (*at).try_into().unwrap()
}

#[tokio::test]
async fn names_are_unique_whatever_their_case() {
    let world = World::new();
    let create = |name: &str| world.iam().create_user().user_name(name).send();
    create("alice").await.unwrap();
    assert_eq!(refusal(create("alice").await), "409 EntityAlreadyExists");
    assert_eq!(sentence(create("Alice").await), "User with name Alice already exists.");
    assert_eq!(world.aws.users().len(), 1);
}

#[tokio::test]
async fn names_paths_and_tags_out_of_pattern_are_refused() {
    let world = World::new();
    let long = "a".repeat(65);
    for name in ["", "a b", "a/b", "ü", "a:b", long.as_str()] {
        let result = world.iam().create_user().user_name(name).send().await;
        assert_eq!(refusal(result), "400 ValidationError", "{name}");
    }
    for path in ["", "x", "/x", "x/", "//", "/a b/"] {
        let result = world.iam().create_user().user_name("a").path(path).send().await;
        assert_eq!(refusal(result), "400 ValidationError", "{path}");
    }
    let (key, value) = ("k".repeat(129), "v".repeat(257));
    for (tag_, expected) in [
        (tag("", "v"), "400 ValidationError"),
        (tag(&key, "v"), "400 ValidationError"),
        (tag("k", &value), "400 ValidationError"),
        (tag("k*", "v"), "400 ValidationError"),
        (tag("k", "v;"), "400 ValidationError"),
        (tag("aws:k", "v"), "400 InvalidInput"),
        (tag("AWS:k", "v"), "400 InvalidInput"),
    ] {
        let result = world.iam().create_user().user_name("a").tags(tag_.clone()).send().await;
        assert_eq!(refusal(result), expected, "{tag_:?}");
    }
    let twice = world.iam().create_user().user_name("a").tags(tag("k", "1")).tags(tag("K", "2"));
    assert_eq!(refusal(twice.send().await), "400 InvalidInput");
    assert_eq!(world.aws.users(), []);

    let good = "a".repeat(64);
    world.iam().create_user().user_name(&good).send().await.unwrap();
    world.iam().create_user().user_name("A_b+c=d,e.f@g-h").path("/!~/").send().await.unwrap();
}

#[tokio::test]
async fn fifty_tags_fit_and_one_more_does_not() {
    let world = World::new();
    let tags = |count: usize| Some((0..count).map(|n| tag(&format!("k{n}"), "")).collect());
    let create = |count| world.iam().create_user().user_name("a").set_tags(tags(count)).send();
    assert_eq!(refusal(create(51).await), "400 ValidationError");
    create(50).await.unwrap();
    let more = world.iam().tag_user().user_name("a").tags(tag("one-more", "")).send().await;
    assert_eq!(refusal(more), "409 LimitExceeded");
    world.iam().tag_user().user_name("a").tags(tag("K7", "changed")).send().await.unwrap();
    assert_eq!(world.aws.user("a").unwrap().tags.len(), 50);
}

#[tokio::test]
async fn tags_are_listed_added_and_removed() {
    let world = World::new();
    world.aws.create_user("a", "/", &[("x", "1")]).unwrap();
    world
        .iam()
        .tag_user()
        .user_name("a")
        .tags(tag("y", "2"))
        .tags(tag("x", "3"))
        .send()
        .await
        .unwrap();
    world.iam().untag_user().user_name("a").tag_keys("y").tag_keys("never").send().await.unwrap();
    let listed = world.iam().list_user_tags().user_name("a").send().await.unwrap();
    assert_eq!(listed.tags(), [tag("x", "3")]);
    assert!(!listed.is_truncated());
    let absent = world.iam().list_user_tags().user_name("b").send().await;
    assert_eq!(refusal(absent), "404 NoSuchEntity");
}

#[tokio::test]
async fn an_unknown_boundary_is_refused() {
    let world = World::new();
    let unknown = "arn:aws:iam::aws:policy/NoSuchPolicyAnywhere";
    let create =
        world.iam().create_user().user_name("a").permissions_boundary(unknown).send().await;
    assert_eq!(refusal(create), "404 NoSuchEntity");
    let odd = world.iam().create_user().user_name("a").permissions_boundary("not-an-arn-at-all-x");
    assert_eq!(refusal(odd.send().await), "400 ValidationError");
    assert_eq!(world.aws.users(), []);

    world.aws.create_user("a", "/", &[]).unwrap();
    let put = |arn: &str| {
        world.iam().put_user_permissions_boundary().user_name("a").permissions_boundary(arn).send()
    };
    assert_eq!(refusal(put(unknown).await), "404 NoSuchEntity");
    put("arn:aws:iam::aws:policy/ReadOnlyAccess").await.unwrap();
    assert!(world.aws.user("a").unwrap().boundary.is_some());
    let delete = || world.iam().delete_user_permissions_boundary().user_name("a").send();
    delete().await.unwrap();
    assert_eq!(refusal(delete().await), "404 NoSuchEntity");
}

#[tokio::test]
async fn get_user_without_a_name_is_the_user_of_the_signing_key() {
    let world = World::new();
    let admin = world.iam().get_user().send().await.unwrap();
    assert_eq!(admin.user().unwrap().user_name(), "account-admin");

    let key = world.user_with_key("alice").await;
    world
        .aws
        .call(
            "AttachUserPolicy",
            &[("UserName", "alice"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")],
        )
        .unwrap();
    let own = world.iam_as(key).get_user().send().await.unwrap();
    assert_eq!(own.user().unwrap().user_name(), "alice");
    let unknown = world.iam().get_user().user_name("nobody").send().await;
    assert_eq!(sentence(unknown), "The user with name nobody cannot be found.");
}

#[tokio::test]
async fn the_account_has_room_for_so_many_users() {
    let world = World::with(|options| options.user_quota(2));
    for (name, fits) in [("a", true), ("b", true), ("c", false)] {
        let result = world.iam().create_user().user_name(name).send().await;
        if fits {
            result.unwrap();
        } else {
            assert_eq!(refusal(result), "409 LimitExceeded");
        }
    }
}

#[tokio::test]
async fn an_action_that_is_not_there_is_an_invalid_action() {
    let world = World::new();
    assert_eq!(refusal(world.iam().list_account_aliases().send().await), "400 InvalidAction");
    assert_eq!(world.aws.call("Nonsense", &[]).unwrap_err().code, "InvalidAction");
}
