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
