//! STS: temporary credentials are fresh, no longer and no wider than AWS gives them, and end.

use crate::support::{S3_READ, World, refusal, sentence, session_of};

#[tokio::test]
async fn a_role_that_exists_is_assumed() {
    let world = World::new();
    let arn = world.aws.create_role("deploy", 7_200).unwrap();
    let assume = world.sts().assume_role().role_arn(&arn).role_session_name("s-1");
    let output = assume.policy(S3_READ).duration_seconds(900).send().await.unwrap();

    let user = output.assumed_role_user().unwrap();
    assert_eq!(user.arn(), "arn:aws:sts::123456789012:assumed-role/deploy/s-1");
    assert!(user.assumed_role_id().starts_with("AROA") && user.assumed_role_id().ends_with(":s-1"));
    let credentials = output.credentials().unwrap();
    assert_eq!(
        u64::try_from(credentials.expiration().secs()).unwrap(),
        crate::support::START + 900
    );
    assert!(credentials.access_key_id().starts_with("ASIA"));

    let session = world.sts_as(session_of(credentials));
    let identity = session.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(user.arn()));
    assert_eq!(identity.user_id(), Some(user.assumed_role_id()));
    world.pass(899);
    session.get_caller_identity().send().await.unwrap();
    world.pass(1);
    assert_eq!(refusal(session.get_caller_identity().send().await), "403 ExpiredToken");
}

#[tokio::test]
async fn a_role_that_does_not_exist_or_trust_is_access_denied() {
    let world = World::new();
    let assume =
        |arn: &str| world.sts().assume_role().role_arn(arn).role_session_name("s-1").send();
    let absent = "arn:aws:iam::123456789012:role/absent";
    assert_eq!(refusal(assume(absent).await), "403 AccessDenied");
    let trust = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
        )
    };
    let create = |name: &'static str, principal: &str| {
        let trust = trust(principal);
        world.aws.call("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)])
    };
    create("theirs", "arn:aws:iam::999999999999:root").unwrap();
    assert_eq!(refusal(assume("arn:aws:iam::123456789012:role/theirs").await), "403 AccessDenied");
    create("alices", "arn:aws:iam::123456789012:user/alice").unwrap();
    let arn = "arn:aws:iam::123456789012:role/alices";
    assert_eq!(refusal(assume(arn).await), "403 AccessDenied");
    let alice = world.sts_as(world.user_with_key("alice").await);
    alice.assume_role().role_arn(arn).role_session_name("s-1").send().await.unwrap();
    // A role that trusts the account leaves it to the caller's policies.
    let everyones = world.aws.create_role("everyones", 3_600).unwrap();
    let denied = alice.assume_role().role_arn(everyones).role_session_name("s-1").send().await;
    assert_eq!(refusal(denied), "403 AccessDenied");
}

#[tokio::test]
async fn odd_parameters_of_assume_role_are_refused() {
    let world = World::new();
    let arn = world.aws.create_role("deploy", 7_200).unwrap();
    let sts = world.sts();
    let assume = || sts.assume_role().role_arn(&arn).role_session_name("s-1");
    for seconds in [0, 899, 43_201] {
        let result = assume().duration_seconds(seconds).send().await;
        assert_eq!(refusal(result), "400 ValidationError", "{seconds}");
    }
    let longer = assume().duration_seconds(7_201).send().await;
    assert_eq!(
        sentence(longer),
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    );
    let long = "s".repeat(65);
    for name in ["", "s", "a b", "a/b", long.as_str()] {
        let result = assume().role_session_name(name).send().await;
        assert_eq!(refusal(result), "400 ValidationError", "{name}");
    }
    for odd in ["deploy", "not:an:arn:at:all:role/deploy"] {
        assert_eq!(refusal(assume().role_arn(odd).send().await), "400 ValidationError", "{odd}");
    }
    assert_eq!(refusal(assume().policy("{}").send().await), "400 MalformedPolicyDocument");
    let large = S3_READ.replace("bucket", &"b".repeat(2_048));
    assert_eq!(refusal(assume().policy(large).send().await), "400 ValidationError");
    let unknown = aws_sdk_sts::types::PolicyDescriptorType::builder()
        .arn("arn:aws:iam::aws:policy/NoSuchPolicyAnywhere")
        .build();
    let unknown = assume().policy_arns(unknown).send().await;
    assert_eq!(refusal(unknown), "400 MalformedPolicyDocument");
    let chained = assume().send().await.unwrap();
    let chained = world.sts_as(session_of(chained.credentials().unwrap()));
    let chain = || chained.assume_role().role_arn(&arn).role_session_name("s-2");
    assert_eq!(refusal(chain().send().await), "403 AccessDenied");
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    world.aws.call("AttachRolePolicy", &[("RoleName", "deploy"), ("PolicyArn", all)]).unwrap();
    chain().duration_seconds(3_600).send().await.unwrap();
    let hour = chain().duration_seconds(3_601).send().await;
    assert!(sentence(hour).contains("1 hour session limit for roles assumed by role chaining"));
}

#[tokio::test]
async fn federation_tokens_name_their_user_and_do_nothing_in_iam() {
    let world = World::new();
    let sts = world.sts();
    let get = |name: &str| sts.get_federation_token().name(name).policy(S3_READ);
    let output = get("app").send().await.unwrap();
    let user = output.federated_user().unwrap();
    assert_eq!(user.arn(), "arn:aws:sts::123456789012:federated-user/app");
    let credentials = output.credentials().unwrap();
    assert_eq!(
        u64::try_from(credentials.expiration().secs()).unwrap(),
        crate::support::START + 43_200
    );
    let session = session_of(credentials);
    let identity = world.sts_as(session.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(user.arn()));
    let in_iam = world.iam_as(session.clone()).list_users().send().await;
    assert_eq!(refusal(in_iam), "403 InvalidClientTokenId");
    let again = world.sts_as(session).get_federation_token().name("app").send().await;
    assert_eq!(refusal(again), "403 AccessDenied");
    let long = "n".repeat(33);
    for name in ["n", "a b", long.as_str()] {
        assert_eq!(refusal(get(name).send().await), "400 ValidationError", "{name}");
    }
    for seconds in [899, 129_601] {
        let result = get("app").duration_seconds(seconds).send().await;
        assert_eq!(refusal(result), "400 ValidationError", "{seconds}");
    }
}

#[tokio::test]
async fn session_tokens_are_fresh_each_time() {
    let world = World::new();
    let key = world.user_with_key("a").await;
    let sts = world.sts_as(key);
    let one = sts.get_session_token().send().await.unwrap();
    let other = sts.get_session_token().duration_seconds(900).send().await.unwrap();
    let (one, other) = (one.credentials().unwrap(), other.credentials().unwrap());
    assert_ne!(one.access_key_id(), other.access_key_id());
    assert_ne!(one.secret_access_key(), other.secret_access_key());
    assert_ne!(one.session_token(), other.session_token());
    let session = session_of(one);
    let identity = world.sts_as(session.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/a"));
    let without_token =
        crate::support::keys(session.access_key_id(), session.secret_access_key(), None);
    let without_token = world.sts_as(without_token).get_caller_identity().send().await;
    assert_eq!(refusal(without_token), "403 InvalidClientTokenId");
    assert_eq!(
        refusal(sts.get_session_token().duration_seconds(899).send().await),
        "400 ValidationError"
    );
}

#[tokio::test]
async fn a_second_factor_is_one_of_the_user() {
    let world = World::new();
    let sts = world.sts_as(world.user_with_key("a").await);
    let serial = world.aws.add_mfa_device("a").unwrap();
    let get = |serial: &str, code: &str| {
        sts.get_session_token().serial_number(serial).token_code(code).send()
    };
    get(&serial, "123456").await.unwrap();
    assert_eq!(refusal(get("arn:aws:iam::123456789012:mfa/x", "123456").await), "403 AccessDenied");
    assert_eq!(refusal(get(&serial, "12345").await), "400 ValidationError");
}

const LIST_USERS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}"#;

fn denying(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{{condition}}}}}]}}"#
    )
}

#[tokio::test]
async fn a_role_can_deny_sessions_by_tag_and_by_age() {
    let world = World::new();
    let arn = world.aws.create_role("r", 3_600).unwrap();
    let put = |name: &'static str, text: String| {
        let admin = world.iam();
        async move {
            let put = admin.put_role_policy().role_name("r").policy_name(name);
            put.policy_document(text).send().await.unwrap();
        }
    };
    put("list", LIST_USERS.to_owned()).await;
    let assume = |value: &str| {
        let tag = aws_sdk_sts::types::Tag::builder().key("lease").value(value).build().unwrap();
        let assume = world.sts().assume_role().role_arn(&arn).role_session_name("session");
        async move { session_of(assume.tags(tag).send().await.unwrap().credentials().unwrap()) }
    };
    let (one, two) = (assume("one").await, assume("two").await);
    let plain = world.sts().assume_role().role_arn(&arn).role_session_name("plain");
    let plain = session_of(plain.send().await.unwrap().credentials().unwrap());
    let list = |session: &aws_sdk_iam::config::Credentials| {
        world.iam_as(session.clone()).list_users().send()
    };
    put("deny", denying(r#""StringEquals":{"aws:PrincipalTag/lease":["one"]}"#)).await;
    assert_eq!(refusal(list(&one).await), "403 AccessDenied");
    list(&two).await.unwrap();
    list(&plain).await.unwrap();

    world.pass(10);
    let later = assume("three").await;
    put("deny", denying(r#""DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:10Z"}"#)).await;
    assert_eq!(refusal(list(&two).await), "403 AccessDenied");
    list(&later).await.unwrap();
}

#[tokio::test]
async fn tags_need_to_be_let_in_by_the_role() {
    let world = World::new();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}"#;
    let role = [("RoleName", "strict"), ("AssumeRolePolicyDocument", trust)];
    world.aws.call("CreateRole", &role).unwrap();
    let tag = aws_sdk_sts::types::Tag::builder().key("k").value("v").build().unwrap();
    let assume = || {
        let arn = "arn:aws:iam::123456789012:role/strict";
        world.sts().assume_role().role_arn(arn).role_session_name("session")
    };
    assume().send().await.unwrap();
    assert_eq!(refusal(assume().tags(tag).send().await), "403 AccessDenied");
}
