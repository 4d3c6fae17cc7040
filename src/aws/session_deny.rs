//! The one inline policy by which sessions of an IAM role are cut off: it denies everything, to those that
//! carry a listed tag or began before a moment. It can say nothing else, so it needs no judgement of the
//! gate. When it is written and when an entry leaves it again: [`crate::leases`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{AwsError, LEASE_TAG};
use crate::model::{LeaseTag, Timestamp};

/// The name of the policy, less the installation's id: two installations never write the same one.
const POLICY_NAME: &str = "leasehold-revoked";
const BY_TAG: &str = "LeaseholdRevoked";
const BY_AGE: &str = "LeaseholdRevokedOlder";

/// Whom the policy denies everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionDeny {
    /// Sessions with these lease tags.
    pub leases: BTreeSet<LeaseTag>,
    /// Sessions that began before this moment, to the second.
    pub before: Option<Timestamp>,
}

impl SessionDeny {
    /// The name of the policy of an installation.
    pub fn policy_name(broker: &str) -> String {
        format!("{POLICY_NAME}-{broker}")
    }

    /// Whether it denies nobody anything: IAM takes no policy without a statement.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.before.is_none()
    }

    /// The document.
    pub fn document(&self) -> String {
        let mut statements = Vec::new();
        if !self.leases.is_empty() {
            let tags: Vec<&str> = self.leases.iter().map(LeaseTag::as_str).collect();
            let condition = json!({ "StringEquals": { tag_key(): tags } });
            statements.push(statement(BY_TAG, &condition));
        }
        if let Some(before) = self.before {
            let whole = Timestamp::from_millis(before.as_seconds().saturating_mul(1_000));
            let condition = json!({ "DateLessThan": { "aws:TokenIssueTime": whole.rfc3339() } });
            statements.push(statement(BY_AGE, &condition));
        }
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    }

    /// Reads a document that this wrote; `None` where it is another.
    pub fn parse(document: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(document).ok()?;
        let mut read = Self::default();
        for statement in value.get("Statement")?.as_array()? {
            let condition = statement.get("Condition")?;
            match statement.get("Sid")?.as_str()? {
                BY_TAG => {
                    for tag in condition.get("StringEquals")?.get(tag_key())?.as_array()? {
                        read.leases.insert(tag.as_str()?.parse().ok()?);
                    }
                }
                BY_AGE => {
                    let text = condition.get("DateLessThan")?.get("aws:TokenIssueTime")?;
                    read.before = Some(Timestamp::parse_rfc3339(text.as_str()?)?);
                }
                _ => return None,
            }
        }
        // What was changed by hand is not ours to write over.
        (serde_json::from_str::<Value>(&read.document()).ok()? == value).then_some(read)
    }
}

fn tag_key() -> String {
    format!("aws:PrincipalTag/{LEASE_TAG}")
}

fn statement(sid: &str, condition: &Value) -> Value {
    json!({ "Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition })
}

/// What IAM does for cutting off sessions.
#[async_trait]
pub trait SessionDenyProvider {
    /// `GetRole`: the ARN of the account's role of that name; `None` where there is none.
    async fn role_arn(&self, role: &str) -> Result<Option<String>, AwsError>;
    /// `GetRolePolicy`: the installation's policy on the role, decoded; `None` where there is none.
    async fn session_deny(&self, role: &str, broker: &str) -> Result<Option<String>, AwsError>;
    /// `PutRolePolicy`, or `DeleteRolePolicy` where it denies nobody anything; fine when that is gone.
    async fn put_session_deny(
        &self,
        role: &str,
        broker: &str,
        deny: &SessionDeny,
    ) -> Result<(), AwsError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(last: char) -> LeaseTag {
        format!("abcdefghijklmnopqrstuvw{last}").parse().unwrap()
    }

    #[test]
    fn what_is_written_is_a_policy_and_reads_back() {
        let both = SessionDeny {
            leases: BTreeSet::from([tag('x'), tag('y')]),
            before: Some(Timestamp::from_millis(1_780_000_000_000)),
        };
        let text = both.document();
        assert!(iam_policy::Document::parse(&text).is_ok(), "{text}");
        assert!(text.contains(r#""aws:PrincipalTag/leasehold:lease":["abcdefghijklmnopqrstuvwx""#));
        assert!(text.contains(r#""aws:TokenIssueTime":"2026-05-28T20:26:40Z""#), "{text}");
        assert_eq!(SessionDeny::parse(&text), Some(both));
        assert!(SessionDeny::default().is_empty());
    }

    #[test]
    fn a_document_that_was_changed_by_hand_is_not_ours() {
        let ours = SessionDeny { leases: BTreeSet::from([tag('x')]), before: None }.document();
        assert!(SessionDeny::parse(&ours).is_some());
        for other in [
            ours.replace(r#""Action":"*""#, r#""Action":"s3:*""#),
            ours.replace("LeaseholdRevoked", "Mine"),
            "{}".to_owned(),
            "no json".to_owned(),
        ] {
            assert_eq!(SessionDeny::parse(&other), None, "{other}");
        }
    }
}
