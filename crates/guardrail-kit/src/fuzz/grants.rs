//! Made-up grants in the form of vectors: documents as people write them, as attackers write them, and broken ones that
//! the host should refuse before any guardrail sees them. Knows IAM's form and no guardrail's rules.

use iam_policy::Catalogue;
use serde_json::{Map, Value, json};

use super::random::Random;

const PATTERNS: [&str; 18] = [
    "*",
    "*:*",
    "ec2:*Tags",
    "s3:*",
    "S3:?*",
    "iam:*",
    "iam:Pass*",
    "iam:Create*",
    "ec2:Describe*",
    "sqs:*Message*",
    "sts:Assume*",
    "lambda:*Function",
    "unknown:Thing",
    "iam:*LoginProfile",
    "kms:Decrypt",
    "s3:?et*",
    "dynamodb:??tItem",
    "organizations:*",
];
const RESOURCES: [&str; 14] = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::reports/*",
    "arn:aws:iam::123456789012:role/*",
    "arn:aws:iam::123456789012:role/deploy",
    "arn:aws:iam::123456789012:user/${aws:username}",
    "arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-0123456789abcdef0",
    "arn:aws:*:*:*:*",
    "arn:aws:lambda:*:*:function:?",
    "arn:aws:kms:eu-central-1:123456789012:key/*",
    "arn:aws:dynamodb:eu-central-1:123456789012:table/a*b?c",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:s3:::bücher/*",
    "arn:aws:sns:us-east-1:123456789012:a:b:c",
];
const CONDITIONS: [(&str, &str, &str); 12] = [
    ("StringEquals", "aws:RequestedRegion", "eu-central-1"),
    ("StringLike", "aws:ResourceTag/team", "data*"),
    ("StringNotEquals", "aws:PrincipalOrgID", "o-0123456789"),
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*"),
    ("ForAllValues:StringEquals", "aws:TagKeys", "team"),
    ("StringEqualsIfExists", "iam:PassedToService", "ec2.amazonaws.com"),
    ("ArnEquals", "iam:PermissionsBoundary", "arn:aws:iam::123456789012:policy/b"),
    ("Null", "aws:TokenIssueTime", "true"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
    ("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
];
const NAMES: [&str; 8] = ["deploy", "a", "Ops-Team", "reader_1", "x.y@z", "tést", "_", "admin"];
const CREDENTIALS: [&str; 4] = ["iam_user", "assumed_role", "federation_token", "session_token"];

/// One grant.
pub(super) fn grant(random: &mut Random) -> Value {
    let count = random.between(1, 4);
    let documents: Vec<Value> = (0..count).map(|index| sourced(random, index)).collect();
    let mut grant = Map::new();
    grant.insert("documents".into(), documents.into());
    if random.chance(20) {
        grant.insert("boundary".into(), sourced(random, 1));
    }
    let trigger = random.word(&["create", "update", "issue", "scan", "simulate"]);
    grant.insert("trigger".into(), trigger.into());
    if trigger == "update" {
        grant.insert("previous".into(), json!([sourced(random, 0)]));
    }
    if random.chance(70) {
        grant.insert("role".into(), role(random));
    }
    if random.chance(30) {
        let groups: Vec<&str> = names(random);
        grant.insert("actor".into(), json!({"id": random.word(&NAMES), "groups": groups}));
    }
    if random.chance(20) {
        // 1970, 2001 and the end of what JavaScript counts exactly.
        let times = [0_u64, 1_000_000_000_000, 9_007_199_254_740_991];
        grant.insert("now".into(), json!(random.pick(&times)));
    }
    grant.into()
}

fn sourced(random: &mut Random, index: usize) -> Value {
    let source = match (index, random.below(4)) {
        (0, 0..3) => json!("inline"),
        (_, 0) => json!({"managed": "arn:aws:iam::123456789012:policy/team/a"}),
        (_, 1) => json!({"group": {"group": "ops", "policy": "p"}}),
        (_, 2) => json!("session"),
        (_, _) => json!("bare"),
    };
    let mut document = document(random);
    // One in ten is broken somewhere; the host should refuse most of these.
    if random.chance(10) {
        break_somewhere(&mut document, random);
    }
    json!({"source": source, "document": document})
}

fn document(random: &mut Random) -> Value {
    let count = random.between(1, 6);
    let mut statements: Vec<Value> = (0..count).map(|index| statement(random, index)).collect();
    let mut document = Map::new();
    if random.chance(90) {
        document.insert("Version".into(), random.word(&["2012-10-17", "2008-10-17"]).into());
    }
    let statement = match statements.pop() {
        Some(only) if statements.is_empty() && random.chance(50) => only,
        last => statements.into_iter().chain(last).collect(),
    };
    document.insert("Statement".into(), statement);
    document.into()
}

fn statement(random: &mut Random, index: usize) -> Value {
    let mut statement = Map::new();
    if random.chance(25) {
        statement.insert("Sid".into(), format!("Part{index}").into());
    }
    let effect = if random.chance(80) { "Allow" } else { "Deny" };
    statement.insert("Effect".into(), effect.into());
    let name = if random.chance(90) { "Action" } else { "NotAction" };
    statement.insert(name.into(), several(random, action));
    let name = if random.chance(90) { "Resource" } else { "NotResource" };
    statement.insert(name.into(), several(random, |random| random.word(&RESOURCES).to_owned()));
    if random.chance(30) {
        statement.insert("Condition".into(), condition(random));
    }
    statement.into()
}

/// A single value or a list, as both are common.
fn several(random: &mut Random, mut one: impl FnMut(&mut Random) -> String) -> Value {
    if random.chance(30) {
        return one(random).into();
    }
    let most = if random.chance(10) { 40 } else { 5 };
    let count = random.between(1, most);
    let mut values: Vec<String> = (0..count).map(|_| one(random)).collect();
    values.sort_unstable();
    values.dedup();
    values.into()
}

fn action(random: &mut Random) -> String {
    if random.chance(50) {
        return random.word(&PATTERNS).to_owned();
    }
    let catalogue = Catalogue::bundled();
    let services = catalogue.services();
    let at = random.below(services.len());
    let service = catalogue.services().nth(at).unwrap_or("iam");
    // So many of one service; which ones matters little.
    let actions = catalogue.expand(&format!("{service}:*"), 200).actions;
    random.pick(&actions).cloned().unwrap_or_else(|| "iam:PassRole".into())
}

fn condition(random: &mut Random) -> Value {
    let mut operators = Map::new();
    for _ in 0..random.between(1, 3) {
        let Some((operator, key, value)) = random.pick(&CONDITIONS).copied() else {
            continue;
        };
        let value = if random.chance(50) { json!(value) } else { json!([value]) };
        operators.insert(operator.into(), json!({key: value}));
    }
    operators.into()
}

fn role(random: &mut Random) -> Value {
    let tags: Map<String, Value> = names(random)
        .into_iter()
        .map(|name| (name.to_owned(), random.word(&NAMES).into()))
        .collect();
    let mut role = json!({
        "name": random.word(&NAMES),
        "credential_type": random.word(&CREDENTIALS),
        "mount": random.word(&["aws/", "prod/aws/", "a/"]),
        "tags": tags,
        "groups": names(random),
    });
    let Some(members) = role.as_object_mut() else {
        return role;
    };
    if random.chance(40) {
        members.insert("path".into(), random.word(&["/", "/team/", "/a/b/c/"]).into());
    }
    if random.chance(40) {
        members.insert("account".into(), "123456789012".into());
        members.insert("partition".into(), random.word(&["aws", "aws-cn", "aws-us-gov"]).into());
    }
    if random.chance(60) {
        let lives = [0_u64, 1, 900, 3_600, 43_200, 31_536_000, u64::MAX];
        members.insert("max_ttl_seconds".into(), json!(random.pick(&lives)));
    }
    if random.chance(30) {
        members.insert("assumes".into(), several(random, |random| random.word(&RESOURCES).into()));
        if let Some(Value::String(one)) = members.get("assumes").cloned() {
            members.insert("assumes".into(), json!([one]));
        }
    }
    role
}

fn names(random: &mut Random) -> Vec<&'static str> {
    let count = random.below(4);
    (0..count).map(|_| random.word(&NAMES)).collect()
}

/// Puts something else in the place of one value, whatever it is.
pub(super) fn break_somewhere(value: &mut Value, random: &mut Random) {
    let inside = match value {
        Value::Array(list) if !list.is_empty() => {
            let at = random.below(list.len());
            list.get_mut(at)
        }
        Value::Object(members) if !members.is_empty() => {
            let at = random.below(members.len());
            members.values_mut().nth(at)
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    };
    match inside {
        Some(inside) if random.chance(75) => break_somewhere(inside, random),
        Some(_) | None => *value = other(random),
    }
}

fn other(random: &mut Random) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(1.0e300),
        4 => json!([]),
        5 => json!({}),
        6 => json!(""),
        7 => json!("a\u{0}b\u{202e}😀"),
        8 => json!("x".repeat(5_000)),
        _ => json!([[[["deep"]]]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::Vector;

    #[test]
    fn most_made_up_grants_are_ones_that_the_host_takes() {
        let good = (0..300).filter(|case| {
            let grant = grant(&mut Random::of(7, *case));
            let vector = json!({"grant": grant, "expect": {"verdict": "any"}}).to_string();
            Vector::read(vector.as_bytes()).is_ok()
        });
        let good = good.count();
        assert!((200..300).contains(&good), "{good} of 300");
    }
}
