//! The checks of one account. Permissions are asked of AWS's own simulator; where that is not allowed, reads about
//! a user that does not exist show at least what is refused.

use super::policy::actions;
use super::{Check, Health};
use crate::aws::{AwsError, Identity, RefusalKind, Simulated, Simulation};
use crate::engine::Engine;
use crate::engine::reconcile::scope::Scope;
use crate::model::{MountId, Timestamp, UserName};

/// AWS takes a signature for so long (Signature Version 4: "within five minutes"); beyond it every call fails.
const FATAL_SKEW_SECONDS: i64 = 300;
/// A clock that is kept right is not off by so much.
const ODD_SKEW_SECONDS: i64 = 30;
/// Nobody's name; with the beginning that the policy allows.
const PROBE: &str = "vault-doctor-asks-about-nobody";

impl Engine {
    pub(super) async fn check_account(
        &self,
        scope: &Scope,
        now: Timestamp,
    ) -> (Vec<Check>, Option<Identity>) {
        let mounts = scope.paths().join(" ");
        let name = |what: &str| format!("{what} {mounts}");
        let Some((mount, _)) = scope.mounts.first() else {
            return (Vec::new(), None);
        };
        let mut checks = Vec::new();
        let identity = match self.parts.accounts.identity(mount).await {
            Ok(provider) => provider.identity().await,
            Err(error) => Err(error),
        };
        match &identity {
            Ok(identity) => {
                let detail = format!("account {} as {}", identity.account, identity.arn);
                checks.push(Check::new(&name("sts"), Health::Ok, detail));
                checks.push(clock(&name("clock"), identity.aws_time, now));
            }
            Err(error) => checks.push(
                Check::new(&name("sts"), Health::Fail, error.for_caller())
                    .help("check the keys and endpoints of config/root, and the way to AWS"),
            ),
        }
        checks.push(self.check_iam(&name("iam"), mount).await);
        let identity = identity.ok();
        checks.push(self.check_rights(&name("permissions"), mount, identity.as_ref()).await);
        (checks, identity)
    }

    async fn check_iam(&self, name: &str, mount: &MountId) -> Check {
        let listed = match self.parts.accounts.discovery(mount).await {
            Ok(provider) => provider.users_under("/").await,
            Err(error) => Err(error),
        };
        match listed {
            Ok(users) => Check::new(name, Health::Ok, format!("answers; {} users", users.len())),
            Err(error) if is_denied(&error) => {
                Check::new(name, Health::Warn, format!("answers; {}", error.for_caller()))
                    .help("allow iam:ListUsers, or orphans cannot be found")
            }
            Err(error) => Check::new(name, Health::Fail, error.for_caller())
                .help("check `iam_endpoint` and the keys of config/root, and the way to AWS"),
        }
    }

    async fn check_rights(
        &self,
        name: &str,
        mount: &MountId,
        identity: Option<&Identity>,
    ) -> Check {
        let Some(identity) = identity else {
            return Check::new(name, Health::Unknown, "who the broker is cannot be found out");
        };
        match self.simulated(mount, identity).await {
            Ok(answers) => {
                let denied: Vec<String> = answers
                    .into_iter()
                    .filter(|answer| !answer.allowed)
                    .map(|answer| answer.action)
                    .collect();
                if denied.is_empty() {
                    return Check::new(name, Health::Ok, "all that an IAM user needs");
                }
                Check::new(name, Health::Fail, format!("not allowed: {}", denied.join(", ")))
                    .help("give the broker the policy that `leasehold doctor --policy` prints")
            }
            Err(error) => self.probed(name, mount, &error).await,
        }
    }

    /// Asks AWS's simulator about everything in the policy.
    async fn simulated(
        &self,
        mount: &MountId,
        identity: &Identity,
    ) -> Result<Vec<Simulated>, AwsError> {
        let discovery = self.parts.accounts.discovery(mount).await?;
        let principal = principal(&identity.arn);
        let user = format!("{}user/{PROBE}", iam_prefix(identity));
        let boundary = self.some_boundary(mount).await;
        let (on_users, on_all) = actions();
        let question = |actions, resource| Simulation {
            principal: &principal,
            actions,
            resource,
            boundary: boundary.as_deref(),
        };
        let mut answers = discovery.simulate(question(&on_users, &user)).await?;
        answers.extend(discovery.simulate(question(&on_all, "*")).await?);
        Ok(answers)
    }

    /// A boundary that a role of the mount names: what the broker's own policy may ask for.
    async fn some_boundary(&self, mount: &MountId) -> Option<String> {
        for name in self.parts.store.role_names(mount).await.ok()? {
            let role = self.parts.store.role(mount, &name).await.ok()??;
            if !role.permissions_boundary_arn.is_empty() {
                return Some(role.permissions_boundary_arn.clone());
            }
        }
        None
    }

    /// Reads about nobody: refused, or "no such user".
    async fn probed(&self, name: &str, mount: &MountId, why: &AwsError) -> Check {
        let Ok(nobody) = PROBE.parse::<UserName>() else {
            return Check::new(name, Health::Unknown, why.for_caller());
        };
        let asked = async {
            let provider = self.parts.accounts.provider(mount).await?;
            provider.ownership(&nobody).await?;
            provider.belongings(&nobody).await
        };
        match asked.await {
            Ok(_) => Check::new(
                name,
                Health::Unknown,
                format!(
                    "reads are allowed; the rest could not be asked about: {}",
                    why.for_caller()
                ),
            )
            .help("allow iam:SimulatePrincipalPolicy on the broker itself"),
            Err(error) if is_denied(&error) => Check::new(name, Health::Fail, error.for_caller())
                .help("give the broker the policy that `leasehold doctor --policy` prints"),
            Err(error) => Check::new(name, Health::Unknown, error.for_caller()),
        }
    }
}

fn is_denied(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { kind: RefusalKind::AccessDenied, .. })
}

/// `arn:aws:iam::<account>:`, in the partition of the broker's own principal.
fn iam_prefix(identity: &Identity) -> String {
    let partition = identity.arn.split(':').nth(1).unwrap_or("aws");
    format!("arn:{partition}:iam::{}:", identity.account)
}

/// The simulator knows users and roles; a session is asked about as its role.
fn principal(arn: &str) -> String {
    let Some((front, session)) = arn.split_once(":assumed-role/") else {
        return arn.to_owned();
    };
    let role = session.split('/').next().unwrap_or_default();
    format!("{}:role/{role}", front.replacen(":sts:", ":iam:", 1))
}

fn clock(name: &str, aws: Option<Timestamp>, now: Timestamp) -> Check {
    let Some(aws) = aws else {
        return Check::new(name, Health::Unknown, "AWS's answer had no date");
    };
    let skew = now.seconds_from(aws);
    let detail = match skew {
        -1..=1 => "as AWS's".to_owned(),
        ahead if ahead > 0 => format!("{ahead} s ahead of AWS's"),
        behind => format!("{} s behind AWS's", behind.unsigned_abs()),
    };
    let size = skew.saturating_abs();
    let help =
        "let the machine keep its clock right (NTP): AWS refuses calls that are five minutes off";
    if size >= FATAL_SKEW_SECONDS {
        Check::new(name, Health::Fail, detail).help(help)
    } else if size >= ODD_SKEW_SECONDS {
        Check::new(name, Health::Warn, detail).help(help)
    } else {
        Check::new(name, Health::Ok, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_what_aws_takes() {
        let aws = Timestamp::from_millis(1_000_000_000);
        for (off, status, detail) in [
            (0, Health::Ok, "as AWS's"),
            (-29, Health::Ok, "29 s behind AWS's"),
            (31, Health::Warn, "31 s ahead of AWS's"),
            (-300, Health::Fail, "300 s behind AWS's"),
        ] {
            let now = Timestamp::from_millis(aws.as_millis() + off * 1000);
            let check = clock("clock", Some(aws), now);
            assert_eq!((check.status, check.detail.as_str()), (status, detail));
        }
        assert_eq!(clock("clock", None, aws).status, Health::Unknown);
    }

    #[test]
    fn a_session_is_asked_about_as_its_role() {
        let session = "arn:aws-cn:sts::123456789012:assumed-role/broker/i-0abc";
        assert_eq!(principal(session), "arn:aws-cn:iam::123456789012:role/broker");
        let user = "arn:aws:iam::123456789012:user/broker";
        assert_eq!(principal(user), user);
    }
}
