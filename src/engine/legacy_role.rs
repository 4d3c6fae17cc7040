//! Roles by the deprecated parameters `policy` and `arn` (contract 1.4, 1.5): what they turn into, what may
//! not be sent beside them, and which of the two paths then gives what. Pure. What such a role would grant
//! is judged like that of any other, for each type that it can hand out.

use std::sync::Arc;

use super::issue::CredsEndpoint;
use super::issue_error::IssueError;
use super::role_merge::Draft;
use super::roles::RoleChange;
use crate::model::go_text::quote;
use crate::model::{CredentialType, LegacyRole, Role};

/// Told with every write that uses them.
const WARNING: &str =
    "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters.";

/// Why the parameters are not taken. The texts are the contract's (1.4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LegacyError {
    /// Both were sent.
    #[error("only one of policy or arn should be provided")]
    Both,
    /// Something was sent that such a role cannot have; holds its name.
    #[error("cannot supply deprecated role or policy parameters with {0}")]
    Mixed(&'static str),
    /// Neither JSON nor the ARN of a role or of a policy.
    #[error("unable to parse supplied data: {}", quote(.0))]
    Unusable(String),
}

/// A role that a write with a deprecated parameter makes, in place of whatever was there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Legacy {
    pub(super) draft: Draft,
    /// Told beside the gate's.
    pub(super) warnings: Vec<String>,
}

/// Reads a write; `None` where it uses neither parameter. Empty ones count as not sent.
pub(super) fn read(
    stored: Option<&Role>,
    sent: &RoleChange,
) -> Result<Option<Legacy>, LegacyError> {
    let filled = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
    let value = match (filled(&sent.policy), filled(&sent.arn)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(LegacyError::Both),
        (Some(value), None) | (None, Some(value)) => value,
    };
    let dropped = check_beside(sent)?;
    let version = stored.map_or(0, |role| role.version).saturating_add(1);
    let draft = Draft { version, ..draft_of(&value)? };
    let mut warnings = vec![WARNING.to_owned()];
    if !dropped.is_empty() {
        warnings.push(format!("Not used with the legacy parameters: [{}]", dropped.join(" ")));
    }
    Ok(Some(Legacy { draft, warnings }))
}

/// Refuses what says the same in today's words, and every field of Leasehold's own, which must not be
/// lost in silence; gives the names of the others, which Vault drops. Every field is named: a new one has
/// to say here what becomes of it.
fn check_beside(sent: &RoleChange) -> Result<Vec<&'static str>, LegacyError> {
    let RoleChange {
        credential_type,
        policy_arns,
        role_arns,
        policy_document,
        iam_groups,
        iam_tags,
        session_tags,
        external_id,
        default_sts_ttl,
        max_sts_ttl,
        user_path,
        permissions_boundary_arn,
        mfa_serial_number,
        policy: _,
        arn: _,
        ttl,
        max_ttl,
        delivery,
        strict_ttl,
        max_leases,
        max_leases_per_caller,
    } = sent;
    let refused = [
        ("an explicit credential_type", credential_type.is_some()),
        ("role_arns", role_arns.is_some()),
        ("policy_arns", policy_arns.is_some()),
        ("policy_document", policy_document.is_some()),
        ("default_sts_ttl", default_sts_ttl.is_some()),
        ("max_sts_ttl", max_sts_ttl.is_some()),
        ("user_path", user_path.is_some()),
        ("permissions_boundary_arn", permissions_boundary_arn.is_some()),
        ("ttl", ttl.is_some()),
        ("max_ttl", max_ttl.is_some()),
        ("readiness", delivery.readiness.is_some()),
        ("readiness_successes", delivery.readiness_successes.is_some()),
        ("readiness_canary", delivery.readiness_canary.is_some()),
        ("placement", delivery.placement.is_some()),
        ("session_revocation", delivery.session_revocation.is_some()),
        ("strict_ttl", strict_ttl.is_some()),
        ("max_leases", max_leases.is_some()),
        ("max_leases_per_caller", max_leases_per_caller.is_some()),
    ];
    if let Some((name, _)) = refused.into_iter().find(|(_, sent)| *sent) {
        return Err(LegacyError::Mixed(name));
    }
    let dropped = [
        ("external_id", external_id.is_some()),
        ("iam_groups", iam_groups.is_some()),
        ("iam_tags", iam_tags.is_some()),
        ("mfa_serial_number", mfa_serial_number.is_some()),
        ("session_tags", session_tags.is_some()),
    ];
    Ok(dropped.into_iter().filter(|(_, sent)| *sent).map(|(name, _)| name).collect())
}

/// `arn:…role/…` → `assumed_role`, `arn:…policy/…` → `iam_user`, JSON → `iam_user` and `federation_token`.
fn draft_of(value: &str) -> Result<Draft, LegacyError> {
    let unusable = || LegacyError::Unusable(value.to_owned());
    let kind = |kind: CredentialType| kind.as_str().to_owned();
    if value.starts_with("arn:") {
        let by_arn = Draft { legacy: Some(LegacyRole::Arn), ..Draft::default() };
        // arn:partition:service:region:account:resource
        let resource = value.splitn(6, ':').nth(5).ok_or_else(unusable)?;
        return match resource.split_once('/') {
            Some(("role", _)) => Ok(Draft {
                credential_type: kind(CredentialType::AssumedRole),
                role_arns: Some(vec![value.to_owned()]),
                ..by_arn
            }),
            Some(("policy", _)) => Ok(Draft {
                credential_type: kind(CredentialType::IamUser),
                policy_arns: Some(vec![value.to_owned()]),
                ..by_arn
            }),
            Some(_) | None => Err(unusable()),
        };
    }
    serde_json::from_str::<serde::de::IgnoredAny>(value).map_err(|_broken| unusable())?;
    Ok(Draft {
        credential_type: kind(CredentialType::IamUser),
        policy_document: value.to_owned(),
        legacy: Some(LegacyRole::Document),
        ..Draft::default()
    })
}

/// The role as `endpoint` gives it: of one type, and of a legacy role by its type's own path alone.
pub(super) fn asked(role: Arc<Role>, endpoint: CredsEndpoint) -> Result<Arc<Role>, IssueError> {
    let is_user = match role.credential_type {
        CredentialType::IamUser => true,
        CredentialType::AssumedRole
        | CredentialType::FederationToken
        | CredentialType::SessionToken => false,
    };
    match (role.legacy, endpoint) {
        (None, CredsEndpoint::Creds | CredsEndpoint::Sts)
        | (Some(LegacyRole::Document), CredsEndpoint::Creds) => Ok(role),
        (Some(LegacyRole::Document), CredsEndpoint::Sts) => {
            Ok(Arc::new(role.handing_out(CredentialType::FederationToken)))
        }
        (Some(LegacyRole::Arn), CredsEndpoint::Creds) if is_user => Ok(role),
        (Some(LegacyRole::Arn), CredsEndpoint::Sts) if !is_user => Ok(role),
        (Some(LegacyRole::Arn), CredsEndpoint::Creds | CredsEndpoint::Sts) => {
            Err(IssueError::LegacyPath { kind: role.credential_type, endpoint })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

    fn by(policy: &str, arn: &str) -> RoleChange {
        RoleChange {
            policy: Some(policy.to_owned()),
            arn: Some(arn.to_owned()),
            ..RoleChange::default()
        }
    }

    fn draft(value: &str) -> Draft {
        read(None, &by(value, "")).unwrap().unwrap().draft
    }

    #[test]
    fn the_value_decides_whatever_parameter_it_came_in() {
        for (value, kind) in [
            ("arn:aws:iam::123456789012:role/path/r", "assumed_role"),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", "iam_user"),
            (DOCUMENT, "iam_user"),
        ] {
            let by_policy = read(None, &by(value, "")).unwrap().unwrap();
            let by_arn = read(None, &by("", value)).unwrap().unwrap();
            assert_eq!(by_policy, by_arn);
            assert_eq!(by_policy.draft.credential_type, kind);
            assert_eq!(by_policy.warnings, [WARNING]);
        }
        let role = draft("arn:aws:iam::123456789012:role/r");
        assert_eq!(role.role_arns.unwrap(), ["arn:aws:iam::123456789012:role/r"]);
        assert_eq!(role.legacy, Some(LegacyRole::Arn));
        assert_eq!(draft(DOCUMENT).legacy, Some(LegacyRole::Document));
        assert_eq!(draft(DOCUMENT).policy_document, DOCUMENT);
    }

    #[test]
    fn what_is_neither_json_nor_a_usable_arn_is_told_with_its_text() {
        for bad in ["arn:gobbledygook", "arn:aws:iam::1:user/x", "arn:aws:iam::1:role", "{nope"] {
            let error = read(None, &by("", bad)).unwrap_err();
            assert_eq!(error.to_string(), format!("unable to parse supplied data: {bad:?}"));
        }
    }

    #[test]
    fn neither_is_a_write_in_todays_words_and_both_are_refused() {
        assert_eq!(read(None, &by("", "")), Ok(None));
        assert_eq!(read(None, &RoleChange::default()), Ok(None));
        assert_eq!(read(None, &by(DOCUMENT, "arn:x")), Err(LegacyError::Both));
    }

    #[test]
    fn explicit_fields_beside_them_are_refused_and_others_are_told_to_be_dropped() {
        let told = |change: RoleChange| read(None, &change).unwrap_err().to_string();
        let mixed = "cannot supply deprecated role or policy parameters with ";
        let typed = RoleChange { credential_type: Some("iam_user".into()), ..by(DOCUMENT, "") };
        assert_eq!(told(typed), format!("{mixed}an explicit credential_type"));
        let ttl = RoleChange { max_sts_ttl: Some(0), ..by(DOCUMENT, "") };
        assert_eq!(told(ttl), format!("{mixed}max_sts_ttl"));
        let ours = RoleChange { max_leases: Some(5), ..by(DOCUMENT, "") };
        assert_eq!(told(ours), format!("{mixed}max_leases"));
        let grouped = RoleChange { iam_groups: Some(vec!["g".into()]), ..by(DOCUMENT, "") };
        let legacy = read(None, &grouped).unwrap().unwrap();
        assert_eq!(legacy.draft.iam_groups, None);
        assert_eq!(legacy.warnings[1], "Not used with the legacy parameters: [iam_groups]");
    }
}
