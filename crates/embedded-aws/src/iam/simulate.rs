//! `SimulatePrincipalPolicy`: what a user of the account may do, decided as for a call of its own. Only users,
//! and of the context what is sent with the question; roles and groups are `NoSuchEntity`.

use iam_policy::decide::Outcome;

use crate::authorize::simulated;
use crate::error::AwsError;
use crate::service::Request;
use crate::xml::{Answer, Xml};

pub(super) fn principal_policy(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let source = request.form.required("PolicySourceArn")?;
    let users = request.state.users().values();
    let mut named = users.filter(|user| user.arn(request.account) == source);
    let absent = || AwsError::no_such_entity(format!("The entity {source} cannot be found."));
    let user = named.next().ok_or_else(absent)?.name.clone();
    let actions = request.form.list("ActionNames");
    if actions.is_empty() {
        return Err(AwsError::missing("actionNames"));
    }
    let mut resources = request.form.list("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let mut xml = Xml::new();
    xml.tag("EvaluationResults", |list| {
        for action in &actions {
            for resource in &resources {
                let decision = match simulated(request, &user, action, resource) {
                    Outcome::Allowed => "allowed",
                    Outcome::ExplicitlyDenied => "explicitDeny",
                    Outcome::ConditionallyAllowed | Outcome::NotAllowed => "implicitDeny",
                };
                list.tag("member", |one| {
                    one.text("EvalActionName", action);
                    one.text("EvalResourceName", resource);
                    one.text("EvalDecision", decision);
                });
            }
        }
    });
    xml.text("IsTruncated", "false");
    Ok(Some(xml))
}
