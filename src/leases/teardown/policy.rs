//! The managed policy of a lease's own, beside its user: gone after the user that had it, and whether or not
//! that user ever came to be. Found by its path, which names the lease; nothing else is touched.

use futures_util::future::join_all;

use super::{Pass, PassEnd, Subject, Trouble, look, pass};
use crate::aws::{AwsError, IamProvider, RefusalKind};
use crate::leases::state::Look;
use crate::model::{Beside, FailureClass, PolicyArn};

/// A pass over the user, and then over the lease's policy where there may be one.
pub async fn whole_pass(provider: &dyn IamProvider, subject: Subject<'_>, beside: &Beside) -> Pass {
    let done = pass(provider, subject).await;
    match &done.end {
        PassEnd::Failed(_) => return done,
        PassEnd::Removed | PassEnd::Absent => {}
    }
    if !beside.managed_policy {
        return done;
    }
    match remove(provider, subject).await {
        Ok(()) => done,
        Err(trouble) => Pass { contained: done.contained, end: PassEnd::Failed(trouble) },
    }
}

/// A look at whether the user, or the lease's policy, is there again.
pub async fn whole_look(
    provider: &dyn IamProvider,
    subject: Subject<'_>,
    beside: &Beside,
) -> Result<Look, Trouble> {
    match look(provider, subject).await? {
        Look::GrewBack => return Ok(Look::GrewBack),
        Look::Absent if !beside.managed_policy => return Ok(Look::Absent),
        Look::Absent => {}
    }
    let found = provider.lease_policies(subject.broker, subject.lease).await?;
    Ok(if found.is_empty() { Look::Absent } else { Look::GrewBack })
}

async fn remove(provider: &dyn IamProvider, subject: Subject<'_>) -> Result<(), Trouble> {
    let found = provider.lease_policies(subject.broker, subject.lease).await?;
    let gone = join_all(found.iter().map(async |arn| {
        provider.remove_lease_policy(arn).await.map_err(|error| in_the_way(arn, error))
    }));
    gone.await.into_iter().collect()
}

/// Whoever else was given the policy is not ours to take it from.
fn in_the_way(arn: &PolicyArn, error: AwsError) -> Trouble {
    match &error {
        AwsError::Refused { kind: RefusalKind::StillOwns, .. } => {
            let message = "the managed policy of the lease is attached to something else, or is a \
                           boundary\nhelp: detach it there"
                .to_owned();
            let detail = format!("{error}: policy {arn} is attached to something else");
            Trouble { class: FailureClass::StillOwns, message, detail }
        }
        AwsError::Refused { .. } | AwsError::Unclear { .. } | AwsError::NotConfigured(_) => {
            error.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_aws::faults::Fault;

    use super::*;
    use crate::aws::testing::{BROKER, TestAws, name, new_user, tag};

    const OWN: Beside = Beside { managed_policy: true, session: None };

    async fn passed(test: &TestAws) -> Pass {
        let (user, lease) = (name("u-1"), tag('x'));
        let subject = Subject { user: &user, access_key: None, broker: BROKER, lease: &lease };
        whole_pass(test.provider().await.as_ref(), subject, &OWN).await
    }

    /// A user with a policy of its lease's own.
    async fn placed(test: &TestAws) -> PolicyArn {
        test.user("u-1", &tag('x')).await;
        let (provider, user) = (test.provider().await, new_user("u-1", &tag('x')));
        let arn = provider.create_lease_policy(&user).await.unwrap();
        provider.attach_lease_policy(&user, &arn).await.unwrap();
        arn
    }

    #[tokio::test]
    async fn the_policy_goes_with_its_user_and_others_stay() {
        let test = TestAws::new();
        let arn = placed(&test).await;
        let other = test.aws.create_managed_policy("other", crate::aws::testing::DOCUMENT).unwrap();
        let neighbour = new_user("u-2", &tag('y'));
        let kept = test.provider().await.create_lease_policy(&neighbour).await.unwrap();
        for _version in 0..2 {
            let version = [
                ("PolicyArn", arn.as_str()),
                ("PolicyDocument", crate::aws::testing::DOCUMENT),
                ("SetAsDefault", "true"),
            ];
            test.aws.call("CreatePolicyVersion", &version).unwrap();
        }
        assert_eq!(passed(&test).await.end, PassEnd::Removed);
        assert_eq!(test.aws.users(), []);
        let mut left = vec![other, kept.to_string()];
        left.sort();
        assert_eq!(test.aws.managed_policies(), left);
    }

    #[tokio::test]
    async fn a_policy_whose_user_never_came_to_be_goes_all_the_same() {
        let test = TestAws::new();
        let user = new_user("u-1", &tag('x'));
        test.provider().await.create_lease_policy(&user).await.unwrap();
        assert_eq!(passed(&test).await.end, PassEnd::Absent);
        assert!(test.aws.managed_policies().is_empty());
    }

    #[tokio::test]
    async fn a_policy_that_somebody_else_was_given_stays_and_is_told() {
        let test = TestAws::new();
        let arn = placed(&test).await;
        test.aws.create_user("foreign", "/", &[]).unwrap();
        let attach = [("UserName", "foreign"), ("PolicyArn", arn.as_str())];
        test.aws.call("AttachUserPolicy", &attach).unwrap();
        let PassEnd::Failed(trouble) = passed(&test).await.end else { panic!("it was removed") };
        assert_eq!(trouble.class, FailureClass::StillOwns);
        assert_eq!(test.aws.user("foreign").unwrap().attached, [arn.as_str()]);
        test.aws.call("DetachUserPolicy", &attach).unwrap();
        assert_eq!(passed(&test).await.end, PassEnd::Absent);
        assert!(test.aws.managed_policies().is_empty());
    }

    #[tokio::test]
    async fn every_call_for_the_policy_may_fail_and_the_next_pass_ends_it() {
        for action in ["ListPolicies", "ListPolicyVersions", "DeletePolicy"] {
            for fault in [Fault::refuse(403, "AccessDenied"), Fault::LostBefore, Fault::LostAfter] {
                let test = TestAws::new();
                placed(&test).await;
                test.faults.fail_next(action, fault.clone());
                assert!(matches!(passed(&test).await.end, PassEnd::Failed(_)), "{action}");
                passed(&test).await;
                assert!(test.aws.managed_policies().is_empty(), "{action} {fault:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_look_sees_a_policy_that_came_late() {
        let test = TestAws::new();
        let (user, lease) = (name("u-1"), tag('x'));
        let subject = Subject { user: &user, access_key: None, broker: BROKER, lease: &lease };
        let provider = test.provider().await;
        assert_eq!(whole_look(provider.as_ref(), subject, &OWN).await, Ok(Look::Absent));
        provider.create_lease_policy(&new_user("u-1", &lease)).await.unwrap();
        assert_eq!(whole_look(provider.as_ref(), subject, &OWN).await, Ok(Look::GrewBack));
    }
}
