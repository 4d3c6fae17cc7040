//! A resource to ask about in place of a pattern: one that the pattern matches, and nothing else is likely to name.
//! The holder's own user is made later, so its name is not known here: any name stands for it.

use std::cell::OnceCell;

use escalation_ways::reach::{Kind, kind};
use leasehold_guardrail_sdk::overlap::overlaps_resource;
use leasehold_guardrail_sdk::{Grant, Source, pattern};

/// A name that nobody gives.
pub(crate) const NAME: &str = "leasehold-probe";
/// Where no account is named (the account of AWS's own examples).
const ACCOUNT: &str = "123456789012";
const PARTITION: &str = "aws";
const REGION: &str = "us-east-1";

/// Makes resources to ask about.
#[derive(Debug)]
pub(crate) struct Probe<'a> {
    grant: &'a Grant,
    home: OnceCell<(String, String)>,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(grant: &'a Grant) -> Self {
        Self { grant, home: OnceCell::new() }
    }

    /// One that a `Resource` entry matches, of the kind that the action works on.
    pub(crate) fn matching(&self, resource: &str, action: &str) -> String {
        let of_kind = self.of_kind(action);
        let is_concrete = of_kind != "*";
        if pattern::is_everything(resource) || is_concrete && overlaps_resource(resource, &of_kind)
        {
            return of_kind;
        }
        let (partition, account) = self.home();
        let stand_ins = ["arn", partition, NAME, REGION, account, NAME];
        let mut parts = resource.splitn(6, ':');
        // A pattern of fewer parts runs on over the colons.
        let all = stand_ins.into_iter().map(|stand_in| {
            parts.next().map_or_else(|| stand_in.to_owned(), |part| concrete(part, stand_in))
        });
        all.collect::<Vec<_>>().join(":")
    }

    /// The partition that the grant is about.
    pub(crate) fn partition(&self) -> &str {
        self.home().0
    }

    /// A user, role, group or policy of no particular name; `*` for what other services work on.
    fn of_kind(&self, action: &str) -> String {
        let (partition, account) = self.home();
        let name = match action.split_once(':') {
            Some(("iam", name)) => match kind(name) {
                Kind::User => "user",
                Kind::Group => return self.group(partition, account),
                Kind::Role => "role",
                Kind::Policy => "policy",
            },
            Some(("sts", _)) => "role",
            Some(_) | None => return "*".to_owned(),
        };
        format!("arn:{partition}:iam::{account}:{name}/{NAME}")
    }

    /// A group that the role joins, if there is one.
    fn group(&self, partition: &str, account: &str) -> String {
        let joined = self.grant.role.iter().flat_map(|role| &role.groups).next();
        let name = joined.map_or(NAME, String::as_str);
        format!("arn:{partition}:iam::{account}:group/{name}")
    }

    /// Partition and account: the role's, else those of the first ARN that has an account.
    fn home(&self) -> (&str, &str) {
        let (partition, account) = self.home.get_or_init(|| {
            let role = self.grant.role.as_ref();
            let arns = arns(self.grant);
            let found = arns.iter().find_map(|arn| home_of(arn));
            let partition = role.and_then(|role| role.partition.clone());
            let account = role.and_then(|role| role.account.clone());
            (
                partition
                    .or_else(|| found.map(|(one, _)| one.to_owned()))
                    .unwrap_or_else(|| PARTITION.to_owned()),
                account
                    .or_else(|| found.map(|(_, one)| one.to_owned()))
                    .unwrap_or_else(|| ACCOUNT.to_owned()),
            )
        });
        (partition, account)
    }
}

fn arns(grant: &Grant) -> Vec<&str> {
    let documents = || grant.documents.iter().chain(&grant.boundary);
    let sources = documents().filter_map(|document| match &document.source {
        Source::Managed(arn) => Some(arn.as_str()),
        Source::Inline | Source::Group(_) | Source::Session | Source::Bare => None,
    });
    let named = documents().flat_map(|document| &document.statements).flat_map(|statement| {
        statement.resources.iter().chain(&statement.not_resources).map(String::as_str)
    });
    sources.chain(named).collect()
}

fn home_of(arn: &str) -> Option<(&str, &str)> {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, _, _, account, _]
            if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let known = !partition.is_empty() && !pattern::has_wildcard(partition);
            Some((if known { partition } else { PARTITION }, account))
        }
        _ => None,
    }
}

/// With something in place of each wildcard and variable. A part that is nothing else becomes `stand_in`.
fn concrete(part: &str, stand_in: &str) -> String {
    if pattern::is_everything(part) {
        return stand_in.to_owned();
    }
    let open = leasehold_guardrail_sdk::overlap::without_variables(part);
    open.replace('*', NAME).replace('?', "x")
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::testing::{action, allow, grant};

    use super::*;

    #[test]
    fn a_probe_is_matched_by_its_pattern() {
        let grant =
            grant(vec![allow([action("s3:GetObject")], ["arn:aws-cn:iam::111122223333:role/a"])]);
        let probe = Probe::new(&grant);
        for (resource, action, expected) in [
            ("*", "iam:PutUserPolicy", "arn:aws-cn:iam::111122223333:user/leasehold-probe"),
            (
                "arn:aws-cn:iam::*:*",
                "iam:PassRole",
                "arn:aws-cn:iam::111122223333:role/leasehold-probe",
            ),
            (
                "arn:aws-cn:iam::*:user/vault-*",
                "iam:PutUserPolicy",
                "arn:aws-cn:iam::111122223333:user/vault-leasehold-probe",
            ),
            (
                "arn:aws-cn:iam::1:user/${aws:username}",
                "iam:PutUserPolicy",
                "arn:aws-cn:iam::1:user/leasehold-probe",
            ),
            ("*", "lambda:UpdateFunctionCode", "*"),
            (
                "arn:aws:lambda:*:*:*",
                "lambda:UpdateFunctionCode",
                "arn:aws:lambda:us-east-1:111122223333:leasehold-probe",
            ),
            (
                "arn:aws:lambda:*",
                "lambda:UpdateFunctionCode",
                "arn:aws:lambda:us-east-1:111122223333:leasehold-probe",
            ),
        ] {
            assert_eq!(probe.matching(resource, action), expected, "{resource}");
        }
    }
}
