//! Inline and managed policies: what is malformed, what is too large, what is unknown.

use crate::support::{S3_READ, World, refusal, sentence};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const UNKNOWN: &str = "arn:aws:iam::aws:policy/NoSuchPolicyAnywhere";

fn document_of(characters: usize) -> String {
    let frame = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::"}}"#;
    let filler = "x".repeat(characters - frame.len());
    frame.replace("s3:::", &format!("s3:::{filler}"))
}

#[tokio::test]
async fn inline_documents_are_put_read_listed_and_deleted() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    let iam = world.iam();
    for name in ["p1", "p2"] {
        let put = iam.put_user_policy().user_name("a").policy_name(name);
        put.policy_document(S3_READ).send().await.unwrap();
    }
    let listed = iam.list_user_policies().user_name("a").send().await.unwrap();
    assert_eq!(listed.policy_names(), ["p1", "p2"]);
    let delete = |name: &str| iam.delete_user_policy().user_name("a").policy_name(name).send();
    delete("p1").await.unwrap();
    assert_eq!(sentence(delete("p1").await), "The user policy with name p1 cannot be found.");
    let get = iam.get_user_policy().user_name("a").policy_name("p1").send().await;
    assert_eq!(refusal(get), "404 NoSuchEntity");
    let on_nobody = iam.put_user_policy().user_name("b").policy_name("p").policy_document(S3_READ);
    assert_eq!(refusal(on_nobody.send().await), "404 NoSuchEntity");
}

#[tokio::test]
async fn malformed_documents_are_refused_everywhere() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    world.aws.create_group("g", &[], &[]).unwrap();
    let statement = r#""Effect":"Allow","Action":"s3:*","Resource":"*""#;
    for (text, expected) in [
        ("{".to_owned(), "This policy contains invalid Json"),
        ("{}".to_owned(), "Syntax errors in policy."),
        (format!(r#"{{"Statement":[{{{statement},"Principal":"*"}}]}}"#), "Policy document should not specify a principal."),
        (format!(r#"{{"Version":"2011-01-01","Statement":[{{{statement}}}]}}"#), "Syntax errors in policy."),
        (r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}"#.to_owned(), "Syntax errors in policy."),
        (r#"{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}"#.to_owned(), "Syntax errors in policy."),
    ] {
        let user = world.iam().put_user_policy().user_name("a").policy_name("p");
        let user = user.policy_document(&text).send().await;
        assert_eq!(sentence(user), expected, "{text}");
        let group = world.iam().put_group_policy().group_name("g").policy_name("p");
        assert_eq!(refusal(group.policy_document(&text).send().await), "400 MalformedPolicyDocument");
        let managed = world.iam().create_policy().policy_name("p").policy_document(&text);
        assert_eq!(refusal(managed.send().await), "400 MalformedPolicyDocument");
    }
    assert!(world.aws.user("a").unwrap().inline.is_empty());
}

#[tokio::test]
async fn inline_policies_of_a_user_share_2048_characters_without_white_space() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    let put = |name: &str, text: String| {
        let put = world.iam().put_user_policy().user_name("a").policy_name(name);
        put.policy_document(text).send()
    };
    assert_eq!(refusal(put("p", document_of(2_049)).await), "409 LimitExceeded");
    put("p", document_of(1_000)).await.unwrap();
    assert_eq!(refusal(put("q", document_of(1_049)).await), "409 LimitExceeded");
    let airy = document_of(1_048).replace(',', " ,\n\t  ");
    put("q", airy).await.unwrap();
    // In its own place, a document counts once.
    put("p", document_of(999)).await.unwrap();
    put("p", document_of(1_000)).await.unwrap();
    assert_eq!(world.aws.user("a").unwrap().inline.len(), 2);
}

#[tokio::test]
async fn managed_policies_are_versioned() {
    let world = World::new();
    let iam = world.iam();
    let arn = world.aws.create_managed_policy("p", S3_READ).unwrap();
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/p");
    let again = iam.create_policy().policy_name("P").policy_document(S3_READ).send().await;
    assert_eq!(refusal(again), "409 EntityAlreadyExists");
    for _ in 0..4 {
        let version = iam.create_policy_version().policy_arn(&arn).policy_document(S3_READ);
        version.set_as_default(true).send().await.unwrap();
    }
    let sixth = iam.create_policy_version().policy_arn(&arn).policy_document(S3_READ).send().await;
    assert_eq!(refusal(sixth), "409 LimitExceeded");
    let got = iam.get_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(got.policy().unwrap().default_version_id(), Some("v5"));
    let default = iam.delete_policy_version().policy_arn(&arn).version_id("v5").send().await;
    assert_eq!(refusal(default), "409 DeleteConflict");
    assert_eq!(refusal(iam.delete_policy().policy_arn(&arn).send().await), "409 DeleteConflict");
    for version in ["v1", "v2", "v3", "v4"] {
        iam.delete_policy_version().policy_arn(&arn).version_id(version).send().await.unwrap();
    }
    let listed = iam.list_policy_versions().policy_arn(&arn).send().await.unwrap();
    assert_eq!(listed.versions().len(), 1);
    assert!(listed.versions()[0].is_default_version());
    iam.delete_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(refusal(iam.get_policy().policy_arn(&arn).send().await), "404 NoSuchEntity");
    let large = iam.create_policy().policy_name("l").policy_document(document_of(6_145));
    assert_eq!(refusal(large.send().await), "409 LimitExceeded");
}

#[tokio::test]
async fn aws_managed_policies_are_known_and_cannot_be_changed() {
    let world = World::new();
    for name in [
        "AdministratorAccess",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "AmazonS3ReadOnlyAccess",
        "AmazonS3FullAccess",
        "IAMFullAccess",
        "IAMReadOnlyAccess",
        "job-function/ViewOnlyAccess",
    ] {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        let policy = world.iam().get_policy().policy_arn(&arn).send().await.unwrap();
        let version = policy.policy().unwrap().default_version_id().unwrap().to_owned();
        let got =
            world.iam().get_policy_version().policy_arn(&arn).version_id(version).send().await;
        assert!(got.unwrap().policy_version().unwrap().document().unwrap().starts_with("%7B"));
    }
    let delete = world.iam().delete_policy().policy_arn(READ_ONLY).send().await;
    assert_eq!(refusal(delete), "403 AccessDenied");
    assert_eq!(
        refusal(world.iam().get_policy().policy_arn(UNKNOWN).send().await),
        "404 NoSuchEntity"
    );
    let odd = world.iam().get_policy().policy_arn("arn:aws:s3:::bucket-name").send().await;
    assert_eq!(refusal(odd), "400 ValidationError");
}

#[tokio::test]
async fn ten_managed_policies_can_be_attached_and_unknown_ones_cannot() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    let iam = world.iam();
    let attach = |arn: &str| iam.attach_user_policy().user_name("a").policy_arn(arn).send();
    assert_eq!(refusal(attach(UNKNOWN).await), "404 NoSuchEntity");
    let arns: Vec<_> = (0..11)
        .map(|n| world.aws.create_managed_policy(&format!("p{n}"), S3_READ).unwrap())
        .collect();
    for arn in arns.iter().take(10) {
        attach(arn).await.unwrap();
    }
    attach(&arns[0]).await.unwrap();
    assert_eq!(refusal(attach(&arns[10]).await), "409 LimitExceeded");
    assert_eq!(
        refusal(iam.delete_policy().policy_arn(&arns[0]).send().await),
        "409 DeleteConflict"
    );

    let detach = |arn: &str| iam.detach_user_policy().user_name("a").policy_arn(arn).send();
    detach(&arns[0]).await.unwrap();
    assert_eq!(refusal(detach(&arns[0]).await), "404 NoSuchEntity");
    let listed = iam.list_attached_user_policies().user_name("a").send().await.unwrap();
    assert_eq!(listed.attached_policies().len(), 9);
    assert_eq!(listed.attached_policies()[0].policy_name(), Some("p1"));
    assert_eq!(world.aws.user("a").unwrap().attached.len(), 9);
}

#[tokio::test]
async fn policies_are_listed_by_path_and_scope_and_keep_their_tags() {
    let world = World::new();
    let iam = world.iam();
    let tag = aws_sdk_iam::types::Tag::builder().key("k").value("v").build().unwrap();
    for (path, name) in [("/a/b/", "one"), ("/a/", "two")] {
        let create = iam.create_policy().policy_name(name).path(path).policy_document(S3_READ);
        create.tags(tag.clone()).send().await.unwrap();
    }
    let local = aws_sdk_iam::types::PolicyScopeType::Local;
    let names = |prefix: &str| {
        let list = iam.list_policies().scope(local.clone()).path_prefix(prefix);
        async move {
            let listed = list.send().await.unwrap();
            let names = listed.policies().iter().filter_map(|policy| policy.policy_name());
            names.map(str::to_owned).collect::<Vec<_>>()
        }
    };
    assert_eq!(names("/").await, ["one", "two"]);
    assert_eq!(names("/a/b/").await, ["one"]);
    assert!(names("/b/").await.is_empty());
    let all = iam.list_policies().path_prefix("/").send().await.unwrap();
    assert!(all.policies().len() > 2);
    let arn = "arn:aws:iam::123456789012:policy/a/b/one";
    let tags = iam.list_policy_tags().policy_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags(), [tag]);
}
