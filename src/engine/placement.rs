//! Where the document of a user's role goes: into the user, or into a managed policy of the lease's own,
//! which holds three times as much. That policy is in the lease's row before it is made. It is taken away
//! again in [`crate::leases::teardown`].

use std::time::Duration;

use iam_policy::quota::Target;

use super::issue_error::IssueStep;
use crate::aws::{AwsError, IamProvider, NewUser, RefusalKind};
use crate::model::{Beside, CredentialType, Placement, PolicyArn, Role};

/// How often a fresh policy is attached before its absence is believed, and the first pause between, which
/// doubles: 3 s in all. IAM is eventually consistent, and most news has spread within a second or two.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Where a document goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// There is none.
    Nowhere,
    /// Into the user.
    Inline,
    /// Into a managed policy of the lease's own.
    Managed,
}

impl Placed {
    /// For the count of placements.
    pub(super) const fn counted_as(self) -> Option<&'static str> {
        match self {
            Self::Nowhere => None,
            Self::Inline => Some("inline"),
            Self::Managed => Some("managed"),
        }
    }

    /// What the lease's row must say before anything is made.
    pub(super) fn beside(self) -> Beside {
        Beside { managed_policy: self == Self::Managed, session: None }
    }
}

/// Where `document`, in canonical form, goes by what the role says.
pub(super) fn of(role: &Role, document: Option<&str>) -> Placed {
    let Some(document) = document.filter(|_| role.credential_type == CredentialType::IamUser)
    else {
        return Placed::Nowhere;
    };
    match role.delivery.placement.unwrap_or_default() {
        Placement::Inline => Placed::Inline,
        Placement::Auto if Target::InlineUser.check([document]).is_ok() => Placed::Inline,
        Placement::Managed | Placement::Auto => Placed::Managed,
    }
}

/// Puts the document of the user's grant where it goes.
pub(super) async fn place(
    provider: &dyn IamProvider,
    user: &NewUser,
    placed: Placed,
) -> Result<(), (IssueStep, AwsError)> {
    let at = |step| move |error| (step, error);
    match placed {
        Placed::Nowhere => Ok(()),
        Placed::Inline => {
            provider.put_user_policy(user).await.map_err(at(IssueStep::PutUserPolicy))
        }
        Placed::Managed => {
            let made = provider.create_lease_policy(user).await;
            let arn = made.map_err(at(IssueStep::CreatePolicy))?;
            attach(provider, user, &arn).await.map_err(at(IssueStep::AttachUserPolicy))
        }
    }
}

async fn attach(
    provider: &dyn IamProvider,
    user: &NewUser,
    arn: &PolicyArn,
) -> Result<(), AwsError> {
    let mut wait = FIRST_PAUSE;
    for _attempt in 1..ATTEMPTS {
        match provider.attach_lease_policy(user, arn).await {
            Err(AwsError::Refused { kind: RefusalKind::Absent, .. }) => {}
            done => return done,
        }
        pause(wait).await;
        wait = wait.saturating_mul(2);
    }
    provider.attach_lease_policy(user, arn).await
}

#[expect(clippy::disallowed_methods, reason = "waiting for IAM to know what it just made")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
