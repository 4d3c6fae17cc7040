//! `SimulatePrincipalPolicy`: decided as the call itself would be, with the context that is sent along.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use crate::support::{World, refusal};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iam:DeleteUser","Resource":"arn:aws:iam::123456789012:user/app-*"},
    {"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/b"}}},
    {"Effect":"Deny","Action":"iam:GetUser","Resource":"*"}]}"#;

async fn decisions(world: &World, boundary: Option<&str>) -> Vec<PolicyEvaluationDecisionType> {
    let entry = boundary.map(|arn| {
        ContextEntry::builder()
            .context_key_name("iam:PermissionsBoundary")
            .context_key_type(ContextKeyTypeEnum::String)
            .context_key_values(arn)
            .build()
    });
    let answer = world
        .iam()
        .simulate_principal_policy()
        .policy_source_arn("arn:aws:iam::123456789012:user/alice")
        .action_names("iam:DeleteUser")
        .action_names("iam:CreateUser")
        .action_names("iam:GetUser")
        .action_names("iam:ListUsers")
        .resource_arns("arn:aws:iam::123456789012:user/app-1")
        .set_context_entries(entry.map(|entry| vec![entry]))
        .send()
        .await
        .unwrap();
    answer.evaluation_results().iter().map(|one| one.eval_decision().clone()).collect()
}

#[tokio::test]
async fn a_question_is_decided_as_the_call_would_be() {
    use PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};
    let world = World::new();
    world.aws.create_user("alice", "/", &[]).unwrap();
    let put = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", POLICY)];
    world.aws.call("PutUserPolicy", &put).unwrap();
    let wanted = [Allowed, ImplicitDeny, ExplicitDeny.clone(), ImplicitDeny];
    assert_eq!(decisions(&world, None).await, wanted);
    let with = decisions(&world, Some("arn:aws:iam::123456789012:policy/b")).await;
    assert_eq!(with, [Allowed, Allowed, ExplicitDeny, ImplicitDeny]);
}

#[tokio::test]
async fn nobody_is_asked_about_whom_the_account_does_not_have() {
    let world = World::new();
    let asked = world
        .iam()
        .simulate_principal_policy()
        .policy_source_arn("arn:aws:iam::123456789012:user/nobody")
        .action_names("iam:GetUser")
        .send()
        .await;
    assert_eq!(refusal(asked), "404 NoSuchEntity");
}
