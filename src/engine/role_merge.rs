//! A role as it would be after a write, before anyone looked whether it may be (contract 1.4): what is
//! not sent keeps its value, what is sent empty is cleared. Pure; the checks are in
//! [`super::role_check`].

use std::collections::BTreeMap;

use super::delivery::DeliveryDraft;
use super::roles::{KvPairs, RoleChange};
use crate::model::{CredentialType, LegacyRole, Role};

/// An unchecked role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) version: u64,
    pub(super) credential_type: String,
    pub(super) policy_arns: Option<Vec<String>>,
    pub(super) role_arns: Option<Vec<String>>,
    pub(super) policy_document: String,
    pub(super) iam_groups: Option<Vec<String>>,
    pub(super) iam_tags: Option<BTreeMap<String, String>>,
    pub(super) session_tags: Option<BTreeMap<String, String>>,
    pub(super) external_id: String,
    pub(super) default_sts_ttl: u64,
    pub(super) max_sts_ttl: u64,
    pub(super) user_path: String,
    pub(super) permissions_boundary_arn: String,
    pub(super) mfa_serial_number: String,
    pub(super) ttl: u64,
    pub(super) max_ttl: u64,
    pub(super) legacy: Option<LegacyRole>,
    pub(super) strict_ttl: bool,
    /// As sent: below zero is refused later.
    pub(super) max_leases: i64,
    pub(super) max_leases_per_caller: i64,
    pub(super) delivery: DeliveryDraft,
}

impl Draft {
    /// Every type that the role would hand out, where `kind` is the one that it names.
    pub(super) fn kinds(&self, kind: CredentialType) -> Vec<CredentialType> {
        match self.legacy {
            Some(LegacyRole::Document) => vec![kind, CredentialType::FederationToken],
            Some(LegacyRole::Arn) | None => vec![kind],
        }
    }
}

/// `stored`, or nothing, with what was sent on top; its version is the next one.
pub(super) fn merged(stored: Option<&Role>, sent: RoleChange) -> Draft {
    let stored = stored.map(draft_of).unwrap_or_default();
    Draft {
        version: stored.version.saturating_add(1),
        legacy: legacy(stored.legacy, &sent),
        credential_type: sent.credential_type.unwrap_or(stored.credential_type),
        policy_arns: sent.policy_arns.or(stored.policy_arns),
        role_arns: sent.role_arns.or(stored.role_arns),
        policy_document: sent.policy_document.unwrap_or(stored.policy_document),
        iam_groups: sent.iam_groups.or(stored.iam_groups),
        iam_tags: pairs(sent.iam_tags, stored.iam_tags),
        session_tags: pairs(sent.session_tags, stored.session_tags),
        external_id: sent.external_id.unwrap_or(stored.external_id),
        default_sts_ttl: sent.default_sts_ttl.unwrap_or(stored.default_sts_ttl),
        max_sts_ttl: sent.max_sts_ttl.unwrap_or(stored.max_sts_ttl),
        user_path: sent.user_path.unwrap_or(stored.user_path),
        permissions_boundary_arn: sent
            .permissions_boundary_arn
            .unwrap_or(stored.permissions_boundary_arn),
        mfa_serial_number: sent.mfa_serial_number.unwrap_or(stored.mfa_serial_number),
        ttl: sent.ttl.unwrap_or(stored.ttl),
        max_ttl: sent.max_ttl.unwrap_or(stored.max_ttl),
        strict_ttl: sent.strict_ttl.unwrap_or(stored.strict_ttl),
        max_leases: sent.max_leases.unwrap_or(stored.max_leases),
        max_leases_per_caller: sent.max_leases_per_caller.unwrap_or(stored.max_leases_per_caller),
        delivery: stored.delivery.merged(sent.delivery),
    }
}

/// A write in today's words ends what the deprecated parameters made of a role: both paths give its type
/// then. Two types stay two until one of them is named.
fn legacy(stored: Option<LegacyRole>, sent: &RoleChange) -> Option<LegacyRole> {
    stored.filter(|legacy| match legacy {
        LegacyRole::Arn => false,
        LegacyRole::Document => sent.credential_type.is_none(),
    })
}

fn pairs(
    sent: Option<KvPairs>,
    stored: Option<BTreeMap<String, String>>,
) -> Option<BTreeMap<String, String>> {
    match sent {
        Some(KvPairs(pairs)) => pairs,
        None => stored,
    }
}

fn draft_of(role: &Role) -> Draft {
    let texts = |names: &[String]| names.to_vec();
    Draft {
        version: role.version,
        credential_type: role.credential_type.as_str().to_owned(),
        policy_arns: role.policy_arns.as_deref().map(names),
        role_arns: role.role_arns.as_deref().map(texts),
        policy_document: role.policy_document.clone(),
        iam_groups: role.iam_groups.as_deref().map(names),
        iam_tags: role.iam_tags.clone(),
        session_tags: role.session_tags.clone(),
        external_id: role.external_id.clone(),
        default_sts_ttl: role.default_sts_ttl,
        max_sts_ttl: role.max_sts_ttl,
        user_path: role.user_path.clone(),
        permissions_boundary_arn: role.permissions_boundary_arn.clone(),
        mfa_serial_number: role.mfa_serial_number.clone(),
        ttl: role.ttl,
        max_ttl: role.max_ttl,
        legacy: role.legacy,
        strict_ttl: role.strict_ttl,
        max_leases: signed(role.limits.max_leases),
        max_leases_per_caller: signed(role.limits.max_leases_per_caller),
        delivery: DeliveryDraft::of(&role.delivery),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn names<T: Clone + Into<String>>(names: &[T]) -> Vec<String> {
    names.iter().cloned().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CredentialType, Delivery, LeaseLimits, MountId};

    fn role() -> Role {
        Role {
            mount: MountId("m".into()),
            name: "x".parse().unwrap(),
            version: 4,
            credential_type: CredentialType::IamUser,
            policy_arns: Some(vec!["arn:aws:iam::aws:policy/P".parse().unwrap()]),
            role_arns: None,
            policy_document: "{}".into(),
            iam_groups: None,
            iam_tags: Some(BTreeMap::from([("k".into(), "v".into())])),
            session_tags: None,
            external_id: String::new(),
            default_sts_ttl: 0,
            max_sts_ttl: 0,
            user_path: "/a/".into(),
            permissions_boundary_arn: String::new(),
            mfa_serial_number: String::new(),
            ttl: 60,
            max_ttl: 120,
            legacy: None,
            strict_ttl: false,
            limits: LeaseLimits::default(),
            delivery: Delivery::default(),
        }
    }

    #[test]
    fn what_is_not_sent_stays() {
        let change = RoleChange { iam_groups: Some(vec!["g".into()]), ..RoleChange::default() };
        let draft = merged(Some(&role()), change);
        let wanted = Draft { version: 5, iam_groups: Some(vec!["g".into()]), ..draft_of(&role()) };
        assert_eq!(draft, wanted);
    }

    #[test]
    fn what_is_sent_empty_is_cleared_and_null_pairs_are_unset() {
        let change = RoleChange {
            policy_arns: Some(vec![]),
            policy_document: Some(String::new()),
            iam_tags: Some(KvPairs(None)),
            ttl: Some(0),
            ..RoleChange::default()
        };
        let draft = merged(Some(&role()), change);
        assert_eq!(draft.policy_arns, Some(vec![]));
        assert_eq!(draft.iam_tags, None);
        assert_eq!((draft.policy_document.as_str(), draft.ttl, draft.max_ttl), ("", 0, 120));
    }

    #[test]
    fn a_new_role_starts_at_version_one_with_nothing_set() {
        let draft = merged(None, RoleChange::default());
        assert_eq!(draft, Draft { version: 1, ..Draft::default() });
    }

    #[test]
    fn a_write_in_todays_words_ends_a_legacy_role_but_for_its_two_types() {
        let kept = |legacy, change: RoleChange| {
            merged(Some(&Role { legacy: Some(legacy), ..role() }), change).legacy
        };
        let typed =
            RoleChange { credential_type: Some("iam_user".into()), ..RoleChange::default() };
        assert_eq!(kept(LegacyRole::Arn, RoleChange::default()), None);
        assert_eq!(kept(LegacyRole::Document, typed), None);
        assert_eq!(kept(LegacyRole::Document, RoleChange::default()), Some(LegacyRole::Document));
    }
}
