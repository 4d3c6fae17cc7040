//! The checks of one account: its endpoints, and whether the broker may do there what the stored roles need.
//! Permissions are asked of AWS's own simulator; where that is not allowed, reads about a user that does not exist
//! show at least what is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoints::is_denied;
use super::needs::Needs;
use super::policy::{Statement, Whose, principal, statements};
use super::{Check, Health};
use crate::aws::{AwsError, Identity, Simulation};
use crate::engine::Engine;
use crate::engine::reconcile::scope::Scope;
use crate::model::{MountId, Timestamp, UserName};
use crate::store::StoreError;

/// Nobody's name; with the beginning that the policy allows.
const PROBE: &str = "vault-doctor-asks-about-nobody";
const PRINTED: &str = "give the broker the policy that `leasehold doctor --policy` prints";

/// What was found of an account.
pub(super) struct Examined {
    pub(super) checks: Vec<Check>,
    pub(super) identity: Option<Identity>,
    pub(super) needs: Needs,
}

impl Engine {
    pub(super) async fn check_account(
        &self,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Examined, StoreError> {
        let mounts: Vec<MountId> = scope.mounts.iter().map(|(id, _)| id.clone()).collect();
        let needs = self.needs(&mounts).await?;
        let Some(mount) = mounts.first() else {
            return Ok(Examined { checks: Vec::new(), identity: None, needs });
        };
        let (mut checks, mut identity) = (Vec::new(), None);
        for (mount, paths) in self.by_sts(scope).await? {
            let (found, seen) = self.check_sts(&mount, &paths, now).await;
            checks.extend(found);
            identity = identity.or(seen);
        }
        let paths = scope.paths().join(" ");
        checks.extend(self.check_iam(mount, &paths, now).await);
        let name = format!("permissions {paths}");
        checks.push(self.check_rights(&name, mount, &needs, identity.as_ref()).await);
        Ok(Examined { checks, identity, needs })
    }

    /// A mount for each way to STS that those of an account configure, with the paths of all that share it.
    async fn by_sts(&self, scope: &Scope) -> Result<Vec<(MountId, String)>, StoreError> {
        let mut ways: BTreeMap<_, (MountId, Vec<String>)> = BTreeMap::new();
        for (mount, path) in &scope.mounts {
            let binding = self.parts.store.account_binding(mount).await?;
            let way = binding.map(|binding| {
                let regions = (binding.region.clone(), binding.sts_region.clone());
                let fallbacks =
                    (binding.sts_fallback_endpoints.clone(), binding.sts_fallback_regions.clone());
                (binding.sts_endpoint.clone(), regions, fallbacks)
            });
            let (_, paths) = ways.entry(way).or_insert_with(|| (mount.clone(), Vec::new()));
            paths.push(path.as_str().to_owned());
        }
        Ok(ways.into_values().map(|(mount, paths)| (mount, paths.join(" "))).collect())
    }

    async fn check_rights(
        &self,
        name: &str,
        mount: &MountId,
        needs: &Needs,
        identity: Option<&Identity>,
    ) -> Check {
        if needs.is_empty() {
            return Check::new(name, Health::Ok, "there is no role that needs any");
        }
        let Some(identity) = identity else {
            return Check::new(name, Health::Unknown, "who the broker is cannot be found out");
        };
        match self.not_allowed(mount, needs, identity).await {
            Ok(refused) if refused.is_empty() => {
                Check::new(name, Health::Ok, "all that the roles need")
            }
            Ok(refused) => {
                let refused: Vec<String> = refused.into_iter().collect();
                let detail = format!("not allowed: {}", refused.join(", "));
                Check::new(name, Health::Fail, detail).help(PRINTED)
            }
            Err(error) if needs.users.is_empty() => unasked(name, &error),
            Err(error) => self.probed(name, mount, &error).await,
        }
    }

    /// Asks AWS's simulator about everything that the roles need, and says what it does not allow.
    async fn not_allowed(
        &self,
        mount: &MountId,
        needs: &Needs,
        identity: &Identity,
    ) -> Result<BTreeSet<String>, AwsError> {
        let discovery = self.parts.accounts.discovery(mount).await?;
        let principal = principal(&identity.arn);
        let statements = statements(needs, Whose(Some(identity)));
        let mut refused = BTreeSet::new();
        for statement in &statements {
            for places in statement.things() {
                let mut everywhere: Option<BTreeSet<String>> = None;
                for resource in places {
                    let mut denied = BTreeSet::new();
                    for boundary in statement.asked_with() {
                        let question = Simulation {
                            principal: &principal,
                            actions: &statement.actions,
                            resource: &Statement::example(resource),
                            boundary: boundary.as_deref(),
                        };
                        let answers = discovery.simulate(question).await?;
                        let not_allowed = answers.into_iter().filter(|answer| !answer.allowed);
                        denied.extend(not_allowed.map(|answer| answer.action));
                    }
                    everywhere = Some(match everywhere {
                        Some(before) => before.intersection(&denied).cloned().collect(),
                        None => denied,
                    });
                }
                refused.extend(everywhere.unwrap_or_default());
            }
        }
        Ok(refused)
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
            Err(error) if is_denied(&error) => {
                Check::new(name, Health::Fail, error.for_caller()).help(PRINTED)
            }
            Err(error) => Check::new(name, Health::Unknown, error.for_caller()),
        }
    }
}

fn unasked(name: &str, error: &AwsError) -> Check {
    Check::new(name, Health::Unknown, format!("could not be asked about: {}", error.for_caller()))
        .help("allow iam:SimulatePrincipalPolicy on the broker itself")
}
