//! One pass over the user of one lease: contain, find out whose it is, take everything from it, delete
//! it, in three round trips. Must never touch a user that does not carry this lease's tags. Every step
//! can be repeated; what a pass means for the lease is decided in [`super::state`].

mod policy;

use crate::aws::{AwsError, Belongings, CONTAINED_POLICY, IamProvider, Ownership, RefusalKind};
use crate::model::{AccessKeyId, FailureClass, LeaseTag, UserName};

use super::state::Look;

pub use policy::{whole_look, whole_pass};

/// Whose user is taken down.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its name.
    pub user: &'a UserName,
    /// The key that was handed out, when one is known.
    pub access_key: Option<&'a AccessKeyId>,
    /// This installation's id.
    pub broker: &'a str,
    /// The lease's tag.
    pub lease: &'a LeaseTag,
}

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Whether the credential is known not to work any more.
    pub contained: bool,
    /// How it ended.
    pub end: PassEnd,
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassEnd {
    /// The user was there, ours, and is deleted.
    Removed,
    /// There is no such user.
    Absent,
    /// Something stood in the way.
    Failed(Trouble),
}

/// What stood in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Its kind.
    pub class: FailureClass,
    /// For callers and for the row.
    pub message: String,
    /// For the log: AWS's whole sentence.
    pub detail: String,
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        let class = match &error {
            AwsError::Refused { kind, .. } => match kind {
                RefusalKind::Throttled => FailureClass::Throttled,
                RefusalKind::AccessDenied => FailureClass::AccessDenied,
                RefusalKind::BadCredentials => FailureClass::BadCredentials,
                RefusalKind::StillOwns => FailureClass::StillOwns,
                RefusalKind::Absent
                | RefusalKind::Exists
                | RefusalKind::Quota
                | RefusalKind::Invalid
                | RefusalKind::Other => FailureClass::Refused,
            },
            AwsError::Unclear { .. } => FailureClass::Unclear,
            AwsError::NotConfigured(_) => FailureClass::BadCredentials,
        };
        let detail = match &error {
            AwsError::Refused { message, .. } => format!("{error}: {message}"),
            AwsError::Unclear { .. } | AwsError::NotConfigured(_) => error.to_string(),
        };
        Self { class, message: error.for_caller(), detail }
    }
}

/// One pass.
pub async fn pass(provider: &dyn IamProvider, subject: Subject<'_>) -> Pass {
    // Round 1. Making the key inactive needs no proof first: its id proves whose it is.
    let deactivation = async {
        match subject.access_key {
            Some(key) => Some(provider.deactivate_access_key(subject.user, key).await),
            None => None,
        }
    };
    let (deactivated, ownership, belongings) = tokio::join!(
        deactivation,
        provider.ownership(subject.user),
        provider.belongings(subject.user),
    );
    let contained = matches!(deactivated, Some(Ok(())));
    let failed = |trouble| Pass { contained, end: PassEnd::Failed(trouble) };
    match ownership {
        Err(error) => failed(error.into()),
        // A key that is "gone" with a user that is not to be seen says nothing.
        Ok(None) => Pass { contained: false, end: PassEnd::Absent },
        // Another lease of ours has that name now: it could not, were ours still there.
        Ok(Some(owner)) if is_another_leases(&owner, subject) => {
            Pass { contained: false, end: PassEnd::Absent }
        }
        Ok(Some(owner)) if !is_ours(&owner, subject) => failed(not_ours(subject)),
        Ok(Some(_)) => match belongings {
            Err(error) => failed(error.into()),
            Ok(found) => {
                let mut found = found.unwrap_or_default();
                let mut contained = contained;
                if matches!(deactivated, Some(Err(_))) {
                    match contain(provider, subject.user, &mut found).await {
                        Ok(()) => contained = true,
                        Err(error) => return failed(error.into()),
                    }
                }
                remove(provider, subject.user, found, contained).await
            }
        },
    }
}

/// A look at whether a removed user is there again.
pub async fn look(provider: &dyn IamProvider, subject: Subject<'_>) -> Result<Look, Trouble> {
    match provider.ownership(subject.user).await? {
        Some(owner) if is_ours(&owner, subject) => Ok(Look::GrewBack),
        // Somebody else's user of that name: ours is not there.
        Some(_) | None => Ok(Look::Absent),
    }
}

/// Where the key cannot be made inactive: everything is denied, or else the keys go first. What the
/// user is denied must not be taken from it while a key works.
async fn contain(
    provider: &dyn IamProvider,
    user: &UserName,
    found: &mut Belongings,
) -> Result<(), AwsError> {
    if provider.deny_everything(user).await.is_ok() {
        return Ok(());
    }
    let access_keys = std::mem::take(&mut found.access_keys);
    provider.remove_belongings(user, &Belongings { access_keys, ..Belongings::default() }).await
}

/// Rounds 2 and 3, and more only where `DeleteUser` is refused.
async fn remove(
    provider: &dyn IamProvider,
    user: &UserName,
    found: Belongings,
    contained: bool,
) -> Pass {
    if let Err(error) = strip(provider, user, found).await {
        return Pass { contained, end: PassEnd::Failed(error.into()) };
    }
    // Its keys are deleted.
    let end = match delete(provider, user).await {
        Ok(()) => PassEnd::Removed,
        Err(error) => PassEnd::Failed(error.into()),
    };
    Pass { contained: true, end }
}

/// Takes everything away, what contains the user last.
async fn strip(
    provider: &dyn IamProvider,
    user: &UserName,
    mut found: Belongings,
) -> Result<(), AwsError> {
    let is_ours = |name: &String| name == CONTAINED_POLICY;
    let inline = std::mem::take(&mut found.inline_policies);
    let (ours, others): (Vec<_>, Vec<_>) = inline.into_iter().partition(is_ours);
    found.inline_policies = others;
    provider.remove_belongings(user, &found).await?;
    if ours.is_empty() {
        return Ok(());
    }
    let last = Belongings { inline_policies: ours, ..Belongings::default() };
    provider.remove_belongings(user, &last).await
}

/// `DeleteUser`; where the user still owns something, once more after looking for what is rare and for
/// what was added meanwhile.
async fn delete(provider: &dyn IamProvider, user: &UserName) -> Result<(), AwsError> {
    match provider.delete_user(user).await {
        Err(AwsError::Refused { kind: RefusalKind::StillOwns, .. }) => {}
        other => return other,
    }
    let (rare, usual) = tokio::join!(provider.rare_belongings(user), provider.belongings(user));
    let (rare, usual) = (rare?, usual?.unwrap_or_default());
    let (rare, usual) =
        tokio::join!(provider.remove_rare_belongings(user, &rare), strip(provider, user, usual));
    rare?;
    usual?;
    provider.delete_user(user).await
}

fn is_ours(owner: &Ownership, subject: Subject<'_>) -> bool {
    owner.is_of(subject.broker, subject.lease)
}

fn is_another_leases(owner: &Ownership, subject: Subject<'_>) -> bool {
    owner.broker.as_deref() == Some(subject.broker)
        && owner.lease.as_deref().is_some_and(|lease| lease != subject.lease.as_str())
}

fn not_ours(subject: Subject<'_>) -> Trouble {
    let message = format!("IAM user `{}` does not carry this lease's tags", subject.user);
    Trouble { class: FailureClass::NotOurs, detail: message.clone(), message }
}

#[cfg(test)]
mod tests;
