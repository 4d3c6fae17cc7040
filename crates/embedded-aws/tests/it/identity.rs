//! Who is calling: by the signing key, with its own secret, as long as the key is alive; and what a
//! created user may do.

use aws_sdk_iam::types::StatusType;

use crate::support::{S3_READ, World, keys, refusal, sentence};

#[tokio::test]
async fn get_caller_identity_answers_by_the_signing_key() {
    let world = World::new();
    let admin = world.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(admin.arn(), Some("arn:aws:iam::123456789012:user/account-admin"));
    assert_eq!(admin.account(), Some("123456789012"));

    world.aws.create_user("alice", "/team/", &[]).unwrap();
    let key = world.iam().create_access_key().user_name("alice").send().await.unwrap();
    let own = world.sts_as(crate::support::key_of(&key));
    let identity = own.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/team/alice"));
    assert_eq!(identity.user_id(), Some(world.aws.user("alice").unwrap().id.as_str()));
}

#[tokio::test]
async fn another_account_has_its_own_id() {
    let world = World::with(|options| options.account("210987654321"));
    let identity = world.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("210987654321"));
    world.aws.create_user("a", "/", &[]).unwrap();
    assert_eq!(world.aws.user("a").unwrap().arn, "arn:aws:iam::210987654321:user/a");
}

#[tokio::test]
async fn inactive_deleted_and_unknown_keys_are_refused() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let whoami = || world.sts_as(key.clone()).get_caller_identity().send();
    let set = |status| {
        let update = world.iam().update_access_key().user_name("a");
        update.access_key_id(key.access_key_id()).status(status).send()
    };
    whoami().await.unwrap();
    set(StatusType::Inactive).await.unwrap();
    assert_eq!(refusal(whoami().await), "403 InvalidClientTokenId");
    set(StatusType::Active).await.unwrap();
    whoami().await.unwrap();
    let delete = world.iam().delete_access_key().user_name("a").access_key_id(key.access_key_id());
    delete.send().await.unwrap();
    assert_eq!(refusal(whoami().await), "403 InvalidClientTokenId");
    // A deleted key is not forgotten with its user.
    world.iam().delete_user().user_name("a").send().await.unwrap();
    assert_eq!(refusal(whoami().await), "403 InvalidClientTokenId");
    let unknown = keys("ASIAUNKNOWNUNKNOWN77", "secret", Some("token"));
    let unknown = world.sts_as(unknown).get_caller_identity().send().await;
    assert_eq!(refusal(unknown), "403 InvalidClientTokenId");
}

#[tokio::test]
async fn the_administrators_keys_can_be_named() {
    let world = World::with(|options| options.admin_keys([crate::support::ADMIN_KEY.to_owned()]));
    world.sts().get_caller_identity().send().await.unwrap();
    let other = world.sts_as(keys("AKIAUNKNOWNUNKNOWN77", "secret", None));
    assert_eq!(refusal(other.get_caller_identity().send().await), "403 InvalidClientTokenId");
}

#[tokio::test]
async fn a_wrong_secret_does_not_sign() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let wrong = world.sts_as(keys(key.access_key_id(), "wrong", None));
    assert_eq!(refusal(wrong.get_caller_identity().send().await), "403 SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_created_user_may_do_what_its_policies_allow() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let own = world.iam_as(key);
    let list = || own.list_users().send();
    assert_eq!(refusal(list().await), "403 AccessDenied");
    assert_eq!(
        sentence(list().await),
        "User: arn:aws:iam::123456789012:user/a is not authorized to perform: iam:ListUsers on \
         resource: arn:aws:iam::123456789012:user/ because no identity-based policy allows the \
         iam:ListUsers action"
    );
    let admin = world.iam();
    let put = |name: &str, text: &str| {
        admin.put_user_policy().user_name("a").policy_name(name).policy_document(text).send()
    };
    put("s3", S3_READ).await.unwrap();
    assert_eq!(refusal(list().await), "403 AccessDenied");
    put("iam", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#).await.unwrap();
    list().await.unwrap();
    put(
        "none",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#,
    )
    .await
    .unwrap();
    assert!(sentence(list().await).ends_with("with an explicit deny in an identity-based policy"));
    admin.delete_user_policy().user_name("a").policy_name("none").send().await.unwrap();
    let bound = admin.put_user_permissions_boundary().user_name("a");
    bound.permissions_boundary("arn:aws:iam::aws:policy/AmazonS3FullAccess").send().await.unwrap();
    assert_eq!(refusal(list().await), "403 AccessDenied");
    assert_eq!(world.aws.users().len(), 1);
}

#[tokio::test]
async fn group_policies_count_and_own_resources_are_told_apart() {
    let world = World::new();
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::*:user/${aws:username}"}]}"#;
    world.aws.create_group("self-service", &[("own", own)], &[]).unwrap();
    let key = world.user_with_key("a").await;
    world.aws.create_user("b", "/", &[]).unwrap();
    world.iam().add_user_to_group().user_name("a").group_name("self-service").send().await.unwrap();
    let iam = world.iam_as(key);
    iam.create_access_key().send().await.unwrap();
    let other = iam.create_access_key().user_name("b").send().await;
    assert_eq!(refusal(other), "403 AccessDenied");
    assert!(world.aws.user("b").unwrap().keys.is_empty());
}

#[tokio::test]
async fn a_broker_can_be_held_to_its_path_its_tag_and_its_policies() {
    let world = World::new();
    let key = world.user_with_key("broker").await;
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["iam:CreateUser","iam:TagUser"],"Resource":"arn:aws:iam::123456789012:user/vault/*",
         "Condition":{"StringEquals":{"aws:RequestTag/broker":"b1"}}},
        {"Effect":"Allow","Action":"iam:DeleteUser","Resource":"arn:aws:iam::123456789012:user/vault/*",
         "Condition":{"StringEquals":{"aws:ResourceTag/broker":"b1"}}},
        {"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"arn:aws:iam::123456789012:user/vault/*",
         "Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}}]}"#;
    let put = world.iam().put_user_policy().user_name("broker").policy_name("broker");
    put.policy_document(text).send().await.unwrap();
    let iam = world.iam_as(key);
    let tag = |value: &str| {
        aws_sdk_iam::types::Tag::builder().key("broker").value(value).build().unwrap()
    };
    let create = |path: &str, value: &str| {
        iam.create_user().user_name("u").path(path).tags(tag(value)).send()
    };
    assert_eq!(refusal(create("/", "b1").await), "403 AccessDenied");
    assert_eq!(refusal(create("/vault/", "b2").await), "403 AccessDenied");
    let untagged = iam.create_user().user_name("u").path("/vault/").send().await;
    assert_eq!(refusal(untagged), "403 AccessDenied");
    create("/vault/", "b1").await.unwrap();
    let attach = |name: &str| {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        iam.attach_user_policy().user_name("u").policy_arn(arn).send()
    };
    assert_eq!(refusal(attach("AdministratorAccess").await), "403 AccessDenied");
    attach("ReadOnlyAccess").await.unwrap();
    assert_eq!(world.aws.user("u").unwrap().attached, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    world.aws.create_user("foreign", "/vault/", &[("broker", "b2")]).unwrap();
    let foreign = iam.delete_user().user_name("foreign").send().await;
    assert_eq!(refusal(foreign), "403 AccessDenied");
    let own = iam.delete_user().user_name("u").send().await;
    assert_eq!(refusal(own), "409 DeleteConflict");
}

#[tokio::test]
async fn calls_are_recorded_with_key_and_refusal() {
    let world = World::new();
    let got = world.iam().get_user().user_name("nobody").send().await;
    assert_eq!(refusal(got), "404 NoSuchEntity");
    let calls = world.aws.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].action, "GetUser");
    assert_eq!(calls[0].access_key_id, crate::support::ADMIN_KEY);
    assert_eq!(calls[0].refused, Some("NoSuchEntity"));
    assert_eq!(calls[0].parameters.get("UserName").unwrap(), "nobody");
    world.aws.clear_calls();
    assert_eq!(world.aws.calls(), []);
}

#[tokio::test]
async fn a_new_key_is_unknown_until_the_news_has_spread() {
    let world = World::with(|options| options.keys_spread_after(7));
    let key = world.user_with_key("a").await;
    let whoami = || world.sts_as(key.clone()).get_caller_identity().send();
    assert_eq!(refusal(whoami().await), "403 InvalidClientTokenId");
    world.pass(6);
    assert_eq!(refusal(whoami().await), "403 InvalidClientTokenId");
    world.pass(1);
    whoami().await.unwrap();
}
