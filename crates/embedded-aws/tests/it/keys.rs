//! Access keys: two each, secrets told once, and what deleted and inactive ones are worth.

use aws_sdk_iam::types::StatusType;

use crate::support::{ADMIN_KEY, World, key_of, refusal};

#[tokio::test]
async fn a_user_has_two_keys_at_most() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    let create = || world.iam().create_access_key().user_name("a").send();
    let first = create().await.unwrap();
    let key = first.access_key().unwrap();
    assert!(key.access_key_id().starts_with("AKIA") && key.access_key_id().len() == 20);
    assert_eq!(key.secret_access_key().len(), 40);
    assert_eq!((key.user_name(), key.status()), ("a", &StatusType::Active));
    create().await.unwrap();
    assert_eq!(refusal(create().await), "409 LimitExceeded");
    assert_eq!(world.aws.user("a").unwrap().keys.len(), 2);
    let nobody = world.iam().create_access_key().user_name("b").send().await;
    assert_eq!(refusal(nobody), "404 NoSuchEntity");
}

#[tokio::test]
async fn keys_are_listed_made_inactive_and_deleted() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let iam = world.iam();
    let id = key.access_key_id();
    let update = |id: &str, status| {
        iam.update_access_key().user_name("a").access_key_id(id).status(status).send()
    };
    update(id, StatusType::Inactive).await.unwrap();
    let listed = iam.list_access_keys().user_name("a").send().await.unwrap();
    let listed = &listed.access_key_metadata()[0];
    assert_eq!((listed.access_key_id(), listed.status()), (Some(id), Some(&StatusType::Inactive)));

    let unknown = "AKIAUNKNOWNUNKNOWN77";
    assert_eq!(refusal(update(unknown, StatusType::Active).await), "404 NoSuchEntity");
    assert_eq!(refusal(update("short", StatusType::Active).await), "400 ValidationError");
    let odd = update(id, StatusType::from("Asleep")).await;
    assert_eq!(refusal(odd), "400 ValidationError");
    let delete = |id: &str| iam.delete_access_key().user_name("a").access_key_id(id).send();
    delete(id).await.unwrap();
    assert_eq!(refusal(delete(id).await), "404 NoSuchEntity");
    // Somebody else's key is not this user's to delete.
    let other = world.user_with_key("b").await;
    assert_eq!(refusal(delete(other.access_key_id()).await), "404 NoSuchEntity");
}

#[tokio::test]
async fn calls_without_a_user_name_mean_the_caller() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let allow = "arn:aws:iam::aws:policy/IAMFullAccess";
    world.aws.call("AttachUserPolicy", &[("UserName", "a"), ("PolicyArn", allow)]).unwrap();
    let own = world.iam_as(key.clone());
    let listed = own.list_access_keys().send().await.unwrap();
    assert_eq!(listed.access_key_metadata()[0].access_key_id(), Some(key.access_key_id()));
    let second = own.create_access_key().send().await.unwrap();
    assert_eq!(second.access_key().unwrap().user_name(), "a");
    own.delete_access_key().access_key_id(key.access_key_id()).send().await.unwrap();
    assert_eq!(world.aws.user("a").unwrap().keys.len(), 1);
    assert_eq!(refusal(own.list_access_keys().send().await), "403 InvalidClientTokenId");
}

#[tokio::test]
async fn the_administrators_key_can_be_rotated() {
    let world = World::new();
    let name = world.iam().get_user().send().await.unwrap().user().unwrap().user_name().to_owned();
    let fresh = world.iam().create_access_key().user_name(&name).send().await.unwrap();
    let third = world.iam().create_access_key().user_name(&name).send().await;
    assert_eq!(refusal(third), "409 LimitExceeded");
    let fresh = world.iam_as(key_of(&fresh));
    fresh.delete_access_key().user_name(&name).access_key_id(ADMIN_KEY).send().await.unwrap();
    assert_eq!(refusal(world.iam().get_user().send().await), "403 InvalidClientTokenId");
    assert_eq!(fresh.get_user().send().await.unwrap().user().unwrap().user_name(), name);
    assert_eq!(refusal(fresh.delete_user().user_name(name).send().await), "409 DeleteConflict");
}
