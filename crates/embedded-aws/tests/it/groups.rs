//! Groups: their policies, their members, and how many a user may be in.

use crate::support::{S3_READ, World, refusal, sentence};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

#[tokio::test]
async fn groups_have_policies_and_members() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    world.aws.create_group("dev", &[("p", S3_READ)], &[READ_ONLY]).unwrap();
    let iam = world.iam();
    iam.add_user_to_group().user_name("a").group_name("DEV").send().await.unwrap();

    let groups = iam.list_groups_for_user().user_name("a").send().await.unwrap();
    assert_eq!(groups.groups()[0].group_name(), "dev");
    let names = iam.list_group_policies().group_name("dev").send().await.unwrap();
    assert_eq!(names.policy_names(), ["p"]);
    let inline = iam.get_group_policy().group_name("dev").policy_name("p").send().await.unwrap();
    assert!(inline.policy_document().starts_with("%7B%22Version"));
    let attached = iam.list_attached_group_policies().group_name("dev").send().await.unwrap();
    assert_eq!(attached.attached_policies()[0].policy_arn(), Some(READ_ONLY));
    assert_eq!(world.aws.group("dev").unwrap().members, ["a"]);
    assert_eq!(refusal(iam.delete_group().group_name("dev").send().await), "409 DeleteConflict");
    for absent in ["nope"] {
        let add = iam.add_user_to_group().user_name("a").group_name(absent).send().await;
        assert_eq!(sentence(add), "The group with name nope cannot be found.");
        assert_eq!(
            refusal(iam.list_group_policies().group_name(absent).send().await),
            "404 NoSuchEntity"
        );
    }
    iam.remove_user_from_group().user_name("a").group_name("dev").send().await.unwrap();
    let again = iam.remove_user_from_group().user_name("a").group_name("dev").send().await;
    assert_eq!(refusal(again), "404 NoSuchEntity");
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    for n in 0..11 {
        let name = format!("g{n:02}");
        world.aws.create_group(&name, &[], &[]).unwrap();
        let add = world.iam().add_user_to_group().user_name("a").group_name(name).send().await;
        if n < 10 {
            add.unwrap();
        } else {
            assert_eq!(refusal(add), "409 LimitExceeded");
        }
    }
}
