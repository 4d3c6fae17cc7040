//! What every account holds from the start: a handful of AWS's managed policies and the administrator.
//! The documents are in our own words: short, and alike in what they allow, not in how. More can be
//! made with [`crate::EmbeddedAws::create_managed_policy`].

use std::collections::{BTreeMap, BTreeSet};

use crate::ADMIN_USER;
use crate::state::{Change, Entity, Policy, PolicyVersion, State, User};

/// 2015-02-06T18:39:46Z: AWS published its first managed policies then.
const PUBLISHED: i64 = 1_423_247_986;

/// Path, name, and what is allowed on every resource.
const POLICIES: &[(&str, &str, &str)] = &[
    ("/", "AdministratorAccess", r#""Action":"*""#),
    ("/", "PowerUserAccess", r#""NotAction":["iam:*","organizations:*","account:*"]"#),
    (
        "/",
        "ReadOnlyAccess",
        r#""Action":["s3:Get*","s3:List*","ec2:Describe*","iam:Get*","iam:List*","rds:Describe*","dynamodb:Get*","dynamodb:List*","lambda:Get*","lambda:List*","logs:Get*","logs:Describe*","cloudwatch:Get*","cloudwatch:List*","cloudwatch:Describe*","sns:Get*","sns:List*","sqs:Get*","sqs:List*"]"#,
    ),
    (
        "/",
        "SecurityAudit",
        r#""Action":["iam:Get*","iam:List*","iam:GenerateCredentialReport","ec2:Describe*","s3:GetBucket*","s3:ListAllMyBuckets","cloudtrail:Describe*","cloudtrail:Get*","config:Describe*"]"#,
    ),
    (
        "/job-function/",
        "ViewOnlyAccess",
        r#""Action":["ec2:Describe*","s3:ListAllMyBuckets","s3:ListBucket","iam:List*","rds:Describe*","lambda:List*","logs:Describe*"]"#,
    ),
    (
        "/",
        "IAMFullAccess",
        r#""Action":["iam:*","organizations:DescribeOrganization","organizations:ListPolicies"]"#,
    ),
    (
        "/",
        "IAMReadOnlyAccess",
        r#""Action":["iam:Get*","iam:List*","iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"]"#,
    ),
    (
        "/",
        "IAMUserChangePassword",
        r#""Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"]"#,
    ),
    ("/", "AmazonS3FullAccess", r#""Action":["s3:*","s3-object-lambda:*"]"#),
    ("/", "AmazonS3ReadOnlyAccess", r#""Action":["s3:Get*","s3:List*","s3:Describe*"]"#),
    (
        "/",
        "AmazonEC2FullAccess",
        r#""Action":["ec2:*","elasticloadbalancing:*","cloudwatch:*","autoscaling:*"]"#,
    ),
    (
        "/",
        "AmazonEC2ReadOnlyAccess",
        r#""Action":["ec2:Describe*","elasticloadbalancing:Describe*","cloudwatch:Describe*","autoscaling:Describe*"]"#,
    ),
    ("/", "AmazonDynamoDBFullAccess", r#""Action":["dynamodb:*","dax:*"]"#),
    (
        "/",
        "AmazonDynamoDBReadOnlyAccess",
        r#""Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:Query","dynamodb:Scan"]"#,
    ),
    ("/", "AmazonRDSReadOnlyAccess", r#""Action":["rds:Describe*","rds:ListTagsForResource"]"#),
    ("/", "AmazonSQSFullAccess", r#""Action":"sqs:*""#),
    ("/", "AmazonSNSFullAccess", r#""Action":"sns:*""#),
    ("/", "AWSLambda_ReadOnlyAccess", r#""Action":["lambda:Get*","lambda:List*"]"#),
    ("/", "AWSLambda_FullAccess", r#""Action":"lambda:*""#),
    (
        "/",
        "CloudWatchReadOnlyAccess",
        r#""Action":["cloudwatch:Describe*","cloudwatch:Get*","cloudwatch:List*","logs:Get*","logs:Describe*"]"#,
    ),
    ("/", "CloudWatchLogsFullAccess", r#""Action":"logs:*""#),
];

/// Puts AWS's policies in. They are the program's, not the account's, so no journal keeps them.
pub(crate) fn seed(state: &mut State) {
    for (index, (path, name, allowed)) in POLICIES.iter().enumerate() {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{allowed},"Resource":"*"}}]}}"#
        );
        let version = PolicyVersion { document, created: PUBLISHED };
        state.apply(Change::Put(Entity::Policy(Policy {
            arn: format!("arn:aws:iam::aws:policy{path}{name}"),
            name: (*name).to_owned(),
            path: (*path).to_owned(),
            // AWS's own ids look like this; these are numbered.
            id: format!("ANPAEMBEDDEDAWS{index:06}"),
            description: String::new(),
            created: PUBLISHED,
            updated: PUBLISHED,
            default_version: 1,
            next_version: 2,
            versions: BTreeMap::from([(1, version)]),
            tags: Vec::new(),
        })));
    }
}

/// Whether a policy is AWS's, so that the account cannot change it.
pub(crate) fn is_aws_managed(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
}

/// The user that the broker's own keys belong to.
pub(crate) fn administrator(id: String, now: i64) -> Entity {
    Entity::User(Box::new(User {
        name: ADMIN_USER.to_owned(),
        path: "/".to_owned(),
        id,
        created: now,
        tags: Vec::new(),
        boundary: None,
        keys: Vec::new(),
        inline: BTreeMap::new(),
        attached: BTreeSet::from(["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()]),
        groups: BTreeSet::new(),
        login_profile: None,
        belongings: BTreeMap::new(),
    }))
}
