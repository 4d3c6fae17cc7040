//! Lists come in pages, under a prefix, and lose nothing while they shrink.

use crate::support::{S3_READ, World, refusal};

#[tokio::test]
async fn users_come_in_pages_under_their_prefix() {
    let world = World::new();
    for n in 0..5 {
        world.aws.create_user(&format!("u{n}"), "/vault/", &[]).unwrap();
        world.aws.create_user(&format!("x{n}"), "/", &[]).unwrap();
    }
    let iam = world.iam();
    let list = || iam.list_users().path_prefix("/vault/").max_items(2);
    let mut names = Vec::new();
    let mut marker = None;
    let mut pages = 0;
    loop {
        let page = list().set_marker(marker).send().await.unwrap();
        names.extend(page.users().iter().map(|user| user.user_name().to_owned()));
        pages += 1;
        assert_eq!(page.is_truncated(), page.marker().is_some());
        // What was listed is deleted at once: the rest must still come.
        for user in page.users() {
            iam.delete_user().user_name(user.user_name()).send().await.unwrap();
        }
        let Some(next) = page.marker() else { break };
        marker = Some(next.to_owned());
    }
    assert_eq!(
        (names, pages),
        (vec!["u0", "u1", "u2", "u3", "u4"].into_iter().map(str::to_owned).collect(), 3)
    );
    let part_of_a_name = iam.list_users().path_prefix("/va").send().await.unwrap();
    assert_eq!(part_of_a_name.users().len(), 0);
}

#[tokio::test]
async fn a_hundred_is_a_page_where_no_size_is_given() {
    let world = World::new();
    for n in 0..101 {
        world.aws.create_user(&format!("u{n:03}"), "/p/", &[]).unwrap();
    }
    let page = world.iam().list_users().path_prefix("/p/").send().await.unwrap();
    assert_eq!((page.users().len(), page.is_truncated()), (100, true));
    let all = world.iam().list_users().path_prefix("/p/").max_items(1000).send().await.unwrap();
    assert_eq!((all.users().len(), all.is_truncated()), (101, false));
    for size in [0, 1001] {
        let odd = world.iam().list_users().max_items(size).send().await;
        assert_eq!(refusal(odd), "400 ValidationError");
    }
    let marker = world.iam().list_users().marker("made up").send().await;
    assert_eq!(refusal(marker), "400 ValidationError");
}

#[tokio::test]
async fn every_list_of_a_user_has_pages() {
    let world = World::new();
    world.aws.create_user("a", "/", &[("t1", ""), ("t2", "")]).unwrap();
    let iam = world.iam();
    for n in ["1", "2"] {
        let put = iam.put_user_policy().user_name("a").policy_name(format!("p{n}"));
        put.policy_document(S3_READ).send().await.unwrap();
        let arn = world.aws.create_managed_policy(&format!("m{n}"), S3_READ).unwrap();
        iam.attach_user_policy().user_name("a").policy_arn(arn).send().await.unwrap();
        world.aws.create_group(&format!("g{n}"), &[], &[]).unwrap();
        iam.add_user_to_group().user_name("a").group_name(format!("g{n}")).send().await.unwrap();
        iam.create_access_key().user_name("a").send().await.unwrap();
        world.aws.add_mfa_device("a").unwrap();
        world.aws.add_ssh_key("a").unwrap();
        world.aws.add_signing_certificate("a").unwrap();
        world.aws.add_service_credential("a").unwrap();
    }
    macro_rules! two_pages {
        ($($list:ident => $items:ident),+ $(,)?) => {$({
            let first = iam.$list().user_name("a").max_items(1).send().await.unwrap();
            assert!(first.is_truncated(), stringify!($list));
            let marker = first.marker().unwrap();
            let second = iam.$list().user_name("a").max_items(1).marker(marker).send().await.unwrap();
            assert!(!second.is_truncated() && second.marker().is_none(), stringify!($list));
            assert_ne!(format!("{:?}", first.$items()), format!("{:?}", second.$items()));
        })+};
    }
    two_pages! {
        list_user_tags => tags, list_user_policies => policy_names,
        list_attached_user_policies => attached_policies, list_groups_for_user => groups,
        list_access_keys => access_key_metadata, list_mfa_devices => mfa_devices,
        list_ssh_public_keys => ssh_public_keys, list_signing_certificates => certificates,
        list_service_specific_credentials => service_specific_credentials,
    }
}

#[tokio::test]
async fn whoever_has_a_policy_is_listed_in_pages_by_kind_and_use() {
    let world = World::new();
    let arn = world.aws.create_managed_policy("p", S3_READ).unwrap();
    for name in ["a", "b", "c"] {
        world.aws.create_user(name, "/team/", &[]).unwrap();
        let attach = [("UserName", name), ("PolicyArn", arn.as_str())];
        world.aws.call("AttachUserPolicy", &attach).unwrap();
    }
    world.aws.create_group("g", &[], &[&arn]).unwrap();
    world.aws.create_user("bounded", "/", &[]).unwrap();
    let bound = [("UserName", "bounded"), ("PermissionsBoundary", arn.as_str())];
    world.aws.call("PutUserPermissionsBoundary", &bound).unwrap();
    let ask = || world.iam().list_entities_for_policy().policy_arn(&arn);
    let first = ask().max_items(2).send().await.unwrap();
    assert_eq!(first.policy_groups()[0].group_name(), Some("g"));
    assert_eq!(first.policy_users()[0].user_name(), Some("a"));
    let rest = ask().marker(first.marker().unwrap()).send().await.unwrap();
    let names: Vec<_> = rest.policy_users().iter().filter_map(|user| user.user_name()).collect();
    assert_eq!((names, rest.is_truncated()), (vec!["b", "bounded", "c"], false));
    let boundary = ask().policy_usage_filter("PermissionsBoundary".into()).send().await.unwrap();
    assert_eq!(boundary.policy_users().len(), 1);
    let under = ask().path_prefix("/team/").entity_filter("User".into()).send().await.unwrap();
    assert_eq!((under.policy_users().len(), under.policy_groups().len()), (3, 0));
    let absent = world.iam().list_entities_for_policy();
    let absent = absent.policy_arn("arn:aws:iam::123456789012:policy/none").send().await;
    assert_eq!(refusal(absent), "404 NoSuchEntity");
}

#[tokio::test]
async fn tags_are_taken_from_a_policy() {
    let world = World::new();
    let create = world.iam().create_policy().policy_name("p").policy_document(S3_READ);
    let tag = |key: &str| aws_sdk_iam::types::Tag::builder().key(key).value("v").build().unwrap();
    let made = create.tags(tag("one")).tags(tag("two")).send().await.unwrap();
    let arn = made.policy().unwrap().arn().unwrap();
    world.iam().untag_policy().policy_arn(arn).tag_keys("ONE").send().await.unwrap();
    let left = world.iam().list_policy_tags().policy_arn(arn).send().await.unwrap();
    let keys: Vec<_> = left.tags().iter().map(aws_sdk_iam::types::Tag::key).collect();
    assert_eq!(keys, ["two"]);
}
