//! What Leasehold refuses beyond Vault: what is not offered, and what would only fail at issue.
//! Each in a sentence that says what is allowed. Pure; Vault's own rules come first, in
//! [`super::role_check`].

use std::collections::BTreeMap;

use iam_policy::quota::{GROUPS_PER_USER, MANAGED_POLICIES_PER_USER};

use super::delivery::DeliveryRefused;
use super::role_merge::Draft;
use crate::aws::{BROKER_TAG, LEASE_TAG};
use crate::model::{CredentialType, GroupName, LeaseLimits, Mount, PolicyArn, Role, RoleName};

/// Tags that a user can have (IAM quotas: 50), less the two that say whose it is.
const MAX_TAGS: usize = 48;
/// Characters of a tag's key (IAM API reference, `Tag`).
const MAX_TAG_KEY: usize = 128;
/// Characters of a tag's value (IAM API reference, `Tag`).
const MAX_TAG_VALUE: usize = 256;
/// The shortest session that AWS makes, in seconds (STS API reference, `DurationSeconds`).
const SHORTEST_SESSION: u64 = 900;

/// What Leasehold refuses beyond Vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A cap below zero.
    #[error("{field} of {number} is below zero\nhelp: 0 is no cap")]
    NegativeCap {
        /// Which one.
        field: &'static str,
        /// What was sent.
        number: i64,
    },
    /// A TTL by which every session would be refused.
    #[error(
        "{field} of {seconds} seconds is too short: AWS makes no session of less than {SHORTEST_SESSION} seconds"
    )]
    SessionTooShort {
        /// Which TTL.
        field: &'static str,
        /// What it would be after the write.
        seconds: u64,
    },
    /// How credentials are made and taken back.
    #[error(transparent)]
    Delivery(#[from] DeliveryRefused),
    /// `ttl` over `max_ttl`, in seconds.
    #[error("ttl of {ttl} seconds is greater than max_ttl of {max_ttl} seconds")]
    TtlAboveMax {
        /// After the write.
        ttl: u64,
        /// After the write.
        max_ttl: u64,
    },
    /// More managed policies than a user can have.
    #[error(
        "{0} policy_arns are too many: a user can have {MANAGED_POLICIES_PER_USER} managed policies"
    )]
    TooManyPolicyArns(usize),
    /// An empty item.
    #[error("policy_arns contains an empty ARN")]
    EmptyPolicyArn,
    /// More groups than a user can join.
    #[error("{0} iam_groups are too many: a user can be in {GROUPS_PER_USER} groups")]
    TooManyGroups(usize),
    /// A name that IAM would refuse.
    #[error(
        "`{0}` in iam_groups is not a group name: it has 1 to 128 letters, digits and any of _+=,.@-"
    )]
    BadGroupName(String),
    /// More tags than a user can have beside ours.
    #[error("{0} iam_tags are too many: a user can have 50, and 2 of them say whose it is")]
    TooManyTags(usize),
    /// A tag that is ours or AWS's own.
    #[error(
        "the tag `{0}` cannot be set: keys that begin with `leasehold:` or `aws:` are reserved"
    )]
    ReservedTag(String),
    /// A key that IAM would refuse.
    #[error("`{0}` is not a tag key: it has 1 to 128 letters, digits, blanks and any of _.:/=+-@")]
    BadTagKey(String),
    /// A value that IAM would refuse.
    #[error(
        "the value of the tag `{0}` is refused: it has at most 256 letters, digits, blanks and any of _.:/=+-@"
    )]
    BadTagValue(String),
    /// IAM takes tag keys that differ in case alone for one.
    #[error("the tag keys `{0}` and `{1}` differ in case alone, which IAM takes for one key")]
    DoubleTag(String, String),
}

/// Our rules; what passes is a role.
pub(super) fn check_our_rules(
    draft: Draft,
    kind: CredentialType,
    mount: &Mount,
    name: &RoleName,
) -> Result<Role, Refusal> {
    let (ttl, max_ttl) = (draft.ttl, draft.max_ttl);
    if max_ttl > 0 && ttl > max_ttl {
        return Err(Refusal::TtlAboveMax { ttl, max_ttl });
    }
    for kind in draft.kinds(kind) {
        check_session_ttls(&draft, kind)?;
    }
    if let Some(tags) = &draft.iam_tags {
        check_tags(tags)?;
    }
    Ok(Role {
        mount: mount.id.clone(),
        name: name.clone(),
        version: draft.version,
        credential_type: kind,
        policy_arns: draft.policy_arns.map(policy_arns).transpose()?,
        role_arns: draft.role_arns,
        policy_document: draft.policy_document,
        iam_groups: draft.iam_groups.map(group_names).transpose()?,
        iam_tags: draft.iam_tags,
        session_tags: draft.session_tags,
        external_id: draft.external_id,
        default_sts_ttl: draft.default_sts_ttl,
        max_sts_ttl: draft.max_sts_ttl,
        user_path: draft.user_path,
        permissions_boundary_arn: draft.permissions_boundary_arn,
        mfa_serial_number: draft.mfa_serial_number,
        ttl,
        max_ttl,
        legacy: draft.legacy,
        strict_ttl: draft.strict_ttl,
        limits: LeaseLimits {
            max_leases: cap("max_leases", draft.max_leases)?,
            max_leases_per_caller: cap("max_leases_per_caller", draft.max_leases_per_caller)?,
        },
        delivery: draft.delivery.checked(kind)?,
    })
}

/// A cap as it was sent; 0 is none.
pub(super) fn cap(field: &'static str, number: i64) -> Result<u64, Refusal> {
    u64::try_from(number).map_err(|_negative| Refusal::NegativeCap { field, number })
}

/// The role's own `ttl` applies to sessions where `default_sts_ttl` says nothing.
fn check_session_ttls(draft: &Draft, kind: CredentialType) -> Result<(), Refusal> {
    match kind {
        CredentialType::IamUser => return Ok(()),
        CredentialType::AssumedRole
        | CredentialType::FederationToken
        | CredentialType::SessionToken => {}
    }
    let ttl = if draft.default_sts_ttl == 0 { draft.ttl } else { 0 };
    let applying = [
        ("default_sts_ttl", draft.default_sts_ttl),
        ("max_sts_ttl", draft.max_sts_ttl),
        ("ttl", ttl),
        ("max_ttl", draft.max_ttl),
    ];
    match applying.into_iter().find(|(_, seconds)| (1..SHORTEST_SESSION).contains(seconds)) {
        Some((field, seconds)) => Err(Refusal::SessionTooShort { field, seconds }),
        None => Ok(()),
    }
}

fn policy_arns(sent: Vec<String>) -> Result<Vec<PolicyArn>, Refusal> {
    if sent.len() > MANAGED_POLICIES_PER_USER {
        return Err(Refusal::TooManyPolicyArns(sent.len()));
    }
    let read = |arn: String| arn.parse().map_err(|_empty| Refusal::EmptyPolicyArn);
    sent.into_iter().map(read).collect()
}

fn group_names(sent: Vec<String>) -> Result<Vec<GroupName>, Refusal> {
    if sent.len() > GROUPS_PER_USER {
        return Err(Refusal::TooManyGroups(sent.len()));
    }
    let read = |name: String| name.parse().map_err(|_invalid| Refusal::BadGroupName(name));
    sent.into_iter().map(read).collect()
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if tags.len() > MAX_TAGS {
        return Err(Refusal::TooManyTags(tags.len()));
    }
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for (key, value) in tags {
        let folded = key.to_lowercase();
        if is_reserved(&folded) {
            return Err(Refusal::ReservedTag(key.clone()));
        }
        let length = key.chars().count();
        if !(1..=MAX_TAG_KEY).contains(&length) || !key.chars().all(is_tag_character) {
            return Err(Refusal::BadTagKey(key.clone()));
        }
        if value.chars().count() > MAX_TAG_VALUE || !value.chars().all(is_tag_character) {
            return Err(Refusal::BadTagValue(key.clone()));
        }
        if let Some(other) = seen.insert(folded, key) {
            return Err(Refusal::DoubleTag(other.clone(), key.clone()));
        }
    }
    Ok(())
}

fn is_reserved(folded_key: &str) -> bool {
    let ours = |tag: &str| {
        let prefix = tag.split_once(':').map_or(tag, |(prefix, _)| prefix);
        folded_key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':'))
    };
    ours(BROKER_TAG) || ours(LEASE_TAG) || folded_key.starts_with("aws:")
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]` (IAM API reference, `Tag`).
fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::role_check::check_vaults_rules;

    fn iam_user() -> Draft {
        Draft { version: 1, credential_type: "iam_user".into(), ..Draft::default() }
    }

    fn checked(draft: Draft) -> Result<Role, Refusal> {
        let mount = Mount {
            id: crate::model::MountId("m".into()),
            path: "aws/".parse().unwrap(),
            accessor: String::new(),
            description: String::new(),
            options: serde_json::Value::Null,
            local: false,
            seal_wrap: false,
            external_entropy_access: false,
            tuning: crate::model::MountTuning::default(),
            state: crate::model::MountState::Active,
        };
        let kind = check_vaults_rules(&draft).unwrap();
        check_our_rules(draft, kind, &mount, &"x".parse().unwrap())
    }

    #[test]
    fn a_ttl_by_which_every_session_would_be_refused_is_refused_where_it_applies() {
        for kind in ["assumed_role", "federation_token", "session_token"] {
            let draft = Draft { credential_type: kind.into(), ..Draft::default() };
            let good = Draft { default_sts_ttl: 900, max_sts_ttl: 900, ttl: 60, ..draft.clone() };
            assert_eq!(checked(good).unwrap().credential_type.as_str(), kind);
            let told = |draft: Draft| checked(draft).unwrap_err().to_string();
            let text = "of 899 seconds is too short: AWS makes no session of less than 900 seconds";
            let default = Draft { default_sts_ttl: 899, ..draft.clone() };
            assert_eq!(told(default), format!("default_sts_ttl {text}"));
            let max = Draft { max_sts_ttl: 899, ..draft.clone() };
            assert_eq!(told(max), format!("max_sts_ttl {text}"));
            assert_eq!(told(Draft { ttl: 899, ..draft.clone() }), format!("ttl {text}"));
            assert_eq!(told(Draft { max_ttl: 899, ..draft.clone() }), format!("max_ttl {text}"));
        }
        assert!(checked(Draft { ttl: 60, max_ttl: 120, ..iam_user() }).is_ok());
    }

    #[test]
    fn a_cap_is_a_number_from_zero_up() {
        let limits = checked(Draft { max_leases: 5, ..iam_user() }).unwrap().limits;
        assert_eq!((limits.max_leases, limits.max_leases_per_caller), (5, 0));
        assert_eq!(
            checked(Draft { max_leases_per_caller: -1, ..iam_user() }).unwrap_err().to_string(),
            "max_leases_per_caller of -1 is below zero\nhelp: 0 is no cap"
        );
    }

    #[test]
    fn what_iam_would_refuse_at_issue_is_refused_at_the_write() {
        let arns = |count| Some(vec!["arn:aws:iam::aws:policy/P".to_owned(); count]);
        assert!(checked(Draft { policy_arns: arns(10), ..iam_user() }).is_ok());
        assert_eq!(
            checked(Draft { policy_arns: arns(11), ..iam_user() }).unwrap_err(),
            Refusal::TooManyPolicyArns(11)
        );
        assert_eq!(
            checked(Draft { policy_arns: Some(vec![String::new()]), ..iam_user() }).unwrap_err(),
            Refusal::EmptyPolicyArn
        );
        assert_eq!(
            checked(Draft { iam_groups: Some(vec!["a b".into()]), ..iam_user() }).unwrap_err(),
            Refusal::BadGroupName("a b".into())
        );
        assert_eq!(
            checked(Draft { ttl: 7200, max_ttl: 3600, ..iam_user() }).unwrap_err().to_string(),
            "ttl of 7200 seconds is greater than max_ttl of 3600 seconds"
        );
    }

    #[test]
    fn tags_that_iam_or_we_cannot_take_are_refused() {
        let told = |pairs: &[(&str, &str)]| {
            let tags = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            checked(Draft { iam_tags: Some(tags), ..iam_user() }).unwrap_err()
        };
        assert_eq!(
            told(&[("leasehold:lease", "x")]),
            Refusal::ReservedTag("leasehold:lease".into())
        );
        assert_eq!(told(&[("LeaseHold:x", "x")]), Refusal::ReservedTag("LeaseHold:x".into()));
        assert_eq!(told(&[("aws:x", "x")]), Refusal::ReservedTag("aws:x".into()));
        assert_eq!(told(&[("", "x")]), Refusal::BadTagKey(String::new()));
        assert_eq!(told(&[("a#", "x")]), Refusal::BadTagKey("a#".into()));
        assert_eq!(told(&[("a", "x\n")]), Refusal::BadTagValue("a".into()));
        assert_eq!(
            told(&[("Team", "x"), ("team", "y")]),
            Refusal::DoubleTag("Team".into(), "team".into())
        );
        let tags = |count| Some((0..count).map(|n| (format!("k{n}"), String::new())).collect());
        assert!(checked(Draft { iam_tags: tags(48), ..iam_user() }).is_ok());
        assert_eq!(
            checked(Draft { iam_tags: tags(49), ..iam_user() }).unwrap_err(),
            Refusal::TooManyTags(49)
        );
    }
}
