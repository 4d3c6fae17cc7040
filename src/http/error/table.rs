//! The mapping of errors as a table for the documentation, printed from the errors themselves: one
//! sample of each kind, so that the table cannot say what the code does not do.

use super::ApiError;
use crate::audit::{AuditError, OptionError};
use crate::auth::wrapping::WrappingError;
use crate::auth::{AuthError, CreateRefused, InitError, PolicyRefused};
use crate::aws::AwsError;
use crate::engine::config::ConfigError;
use crate::engine::idempotency::BadKey;
use crate::engine::issue::IssueError;
use crate::engine::lease_query::QueryError;
use crate::engine::leases::RenewError;
use crate::engine::legacy_role::LegacyError;
use crate::engine::mounts::MountError;
use crate::engine::quarantine::Quarantined;
use crate::engine::reconcile::{Orphaned, ReconcileError};
use crate::engine::remount::RemountError;
use crate::engine::roles::RoleError;
use crate::engine::rotate_root::RotateRootError;
use crate::engine::static_roles::StaticRoleError;
use crate::http::fields::FieldError;
use crate::leases::{JobError, LeaseError};
use crate::model::{
    Accessor, CapReached, JobId, LeaseCap, MostLeases, MountPath, PolicyArn, RoleName, UserName,
};

/// Status, text and situation of every kind of error, as a Markdown table.
pub fn table() -> String {
    let mut lines =
        vec!["| situation | status | `errors` |".to_owned(), "| --- | --- | --- |".to_owned()];
    for (situation, error) in samples() {
        let told = error.told();
        let texts: Vec<_> =
            told.errors.iter().map(|text| format!("`{}`", text.escape_debug())).collect();
        let texts =
            if texts.is_empty() { "none".to_owned() } else { texts.join(" ").replace('|', "\\|") };
        lines.push(format!("| {situation} | {} | {texts} |", told.status));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A sample of each kind, in the order of the checks.
fn samples() -> Samples {
    let mut samples = door();
    samples.extend(handlers());
    for more in [
        super::methods::samples(),
        super::identity::samples(),
        super::logins::samples(),
        tokens(),
        mounts(),
        roles(),
        credentials(),
        reconciling(),
        auditing(),
        super::guardrails::samples(),
        super::plugins::samples(),
    ] {
        samples.extend(more);
    }
    samples
}

fn field_error() -> FieldError {
    FieldError {
        field: "ttl".to_owned(),
        shown: "-5 ".to_owned(),
        cause: "cannot provide negative value '-5'".to_owned(),
    }
}

fn door() -> Samples {
    vec![
        ("unreadable `list` parameter", ApiError::ListFlag),
        ("method that is not offered at all", ApiError::MethodNotAllowed),
        ("body over `max_request_size`", ApiError::BodyTooLarge),
        ("no memory for a large body", ApiError::Crowded),
        ("not answered within `max_request_duration`", ApiError::TooSlow),
        (
            "PATCH with another content type",
            ApiError::PatchContentType("application/json".to_owned()),
        ),
        ("bad JSON", ApiError::BadJson("EOF while parsing a value".to_owned())),
        ("bad form", ApiError::BadForm),
        (
            "bad `X-Vault-Wrap-TTL`",
            ApiError::WrapTtl("requested wrap ttl cannot be negative".to_owned()),
        ),
        ("`sys/wrapping/wrap` without wrapping", ApiError::WrappingRequired),
        ("no wrapping token", ApiError::WrappingTokenEmpty),
        ("wrapping token unknown, ended or used", WrappingError::NotValid.into()),
        ("`.` or `..` in the path, encoded", ApiError::RelativePath),
        ("sealed", ApiError::Sealed),
        ("not initialised", ApiError::NotInitialised),
        ("write to a path that ends in `/`", ApiError::TrailingSlash),
        ("no token", ApiError::NoToken),
        ("token unknown, expired, revoked or used up", AuthError::InvalidToken.into()),
        ("field of the wrong type, `config/root`", ApiError::EarlyField(field_error())),
        ("token valid, not allowed", AuthError::Denied.into()),
        ("no such mount", ApiError::NoHandler("x/y".to_owned())),
        ("mount being disabled", ApiError::Tainted("aws/x".to_owned())),
        ("path that no pattern takes", ApiError::UnsupportedPath),
        ("operation that the path does not offer", ApiError::UnsupportedOperation),
        ("field of the wrong type", ApiError::Field(field_error())),
        ("object missing, or list empty", ApiError::NotFound),
        ("no audit device took the entry", ApiError::Unaudited),
        ("the broker's own fault", ApiError::Internal(String::new())),
    ]
}

fn handlers() -> Samples {
    vec![
        ("last use of a token on credentials", ApiError::LastUse),
        ("UI look-up of a mount out of reach", ApiError::Preflight("x".to_owned())),
        ("bad override on `sys/health`", ApiError::BadOverride("activecode".to_owned())),
        ("init with what the seal does not offer", ApiError::InitParameters("pgp_keys".to_owned())),
        ("lease id missing", ApiError::LeaseIdMissing),
        ("lease id not a text", ApiError::LeaseIdNotText),
        ("look-up of an unknown lease", ApiError::InvalidLease),
        (
            "bad `limit` of irrevocable leases",
            ApiError::IrrevocableLimit("limit must be 'none' or a positive integer".to_owned()),
        ),
        (
            "query with a value that nothing can have",
            QueryError::Invalid { term: "source", value: "x".to_owned() }.into(),
        ),
        ("query of a mount that is not there", QueryError::NoMount("x".to_owned()).into()),
        ("query for too many leases", QueryError::Limit { max: 1_000 }.into()),
        ("renewal of an unknown lease", ApiError::LeaseNotFound),
        ("read of a missing mount", ApiError::NoSuchMount("aws/".to_owned())),
        ("tuning of a missing mount read", ApiError::NothingTuned("aws/".to_owned())),
        ("mount `config` not an object", ApiError::MountConfig),
        ("`token_type` sent to an engine", ApiError::TokenTypeOnEngine),
        ("token of another type", ApiError::TokenType),
        ("chosen token id", ApiError::CustomId("a '.' in the value")),
        (
            "bad duration of a token",
            ApiError::BadDuration("time: invalid duration \"abc\"".to_owned()),
        ),
        ("token missing", ApiError::TokenMissing),
        ("token not a text", ApiError::TokenNotText),
        ("batch token", ApiError::BatchToken("renewed")),
        ("renewal of an unknown token", ApiError::TokenNotFound),
        ("capabilities without paths", ApiError::PathsMissing),
        ("capabilities of an empty path", ApiError::PathEmpty),
        ("capabilities of no token", ApiError::NoTokenFound),
        ("capabilities of an unknown token", ApiError::CapabilitiesToken),
        ("accessor missing", ApiError::AccessorMissing),
        ("`revoke-orphan` of an unknown token", ApiError::OrphanTarget),
        ("`revoke-orphan` without `sudo`", ApiError::OrphanWithoutSudo),
    ]
}

fn reached() -> CapReached {
    let most =
        MostLeases { caller: "token-ci".to_owned(), accessor: Accessor("a".to_owned()), live: 7 };
    CapReached { cap: LeaseCap::Role, account: None, limit: 10, live: 10, most: Some(most) }
}

type Samples = Vec<(&'static str, ApiError)>;

fn tokens() -> Samples {
    vec![
        ("look-up of an unknown token", AuthError::NoSuchToken.into()),
        ("accessor of no token", AuthError::NoSuchAccessor.into()),
        ("ACL policy: no text", PolicyRefused::Empty.into()),
        ("ACL policy: `root`", PolicyRefused::Fixed("root".to_owned()).into()),
        ("ACL policy: removing `root`", PolicyRefused::Kept("root".to_owned()).into()),
        ("ACL policy: removing `default`", PolicyRefused::DefaultKept.into()),
        ("token not renewable", AuthError::NotRenewable.into()),
        ("token without a lease", AuthError::NoLease.into()),
        ("token past its maximum", AuthError::PastMaximum.into()),
        ("token asks for too much", AuthError::Create(CreateRefused::NotSubset).into()),
        ("init, again", InitError::AlreadyInitialised.into()),
    ]
}

fn mounts() -> Samples {
    let mut samples: Samples = vec![
        ("mount: no type", MountError::TypeMissing.into()),
        ("mount: unknown type", MountError::UnknownType("x".to_owned()).into()),
        ("mount: protected path", MountError::Protected("sys/".to_owned()).into()),
        ("move: a path missing", RemountError::PathMissing.into()),
        ("move: no such mount", RemountError::NoMount("x/".to_owned()).into()),
        ("move: protected path", RemountError::Protected("sys/".to_owned()).into()),
        ("job: unknown", JobError::Unknown(JobId("x".to_owned())).into()),
        ("job: paused or resumed when done", JobError::Done(JobId("x".to_owned())).into()),
        ("query over leases: empty", JobError::EmptyQuery.into()),
        ("job: unknown term", JobError::UnknownTerm("caler".to_owned()).into()),
        ("config: lists differ", ConfigError::FallbackLengths.into()),
        ("config: lease missing", ConfigError::Missing("lease").into()),
    ];
    if let Ok(path) = "aws/".parse::<MountPath>() {
        samples.push(("mount: path taken", MountError::PathInUse(path.clone()).into()));
        samples.push(("move: path taken", RemountError::PathInUse(path.clone()).into()));
        samples.push(("move: being disabled", RemountError::Tainted(path).into()));
    }
    samples
}

fn roles() -> Samples {
    let broken = RoleError::Invalid(vec!["did not supply credential_type".to_owned()]);
    let mixed = RoleError::Legacy(LegacyError::Mixed("role_arns"));
    let mut samples: Samples = vec![
        ("role: broken rules", broken.into()),
        ("role: document no JSON", RoleError::BrokenDocument("{nope".to_owned()).into()),
        ("role: `policy` or `arn` beside other fields", mixed.into()),
        ("role: both `policy` and `arn`", RoleError::Legacy(LegacyError::Both).into()),
        ("rotate-root: no keys", RotateRootError::NoKeys.into()),
        ("rotate-root: no configuration", RotateRootError::NoConfiguration.into()),
        ("static role: no user", StaticRoleError::Missing("username").into()),
        ("static role: period too short", StaticRoleError::PeriodOutOfRange.into()),
        ("static role: other account", StaticRoleError::CrossAccount.into()),
    ];
    if let (Ok(user), Ok(key)) = ("jane".parse(), "AKIAIOSFODNN7EXAMPLE".parse()) {
        let full = StaticRoleError::ForeignKeys { user, keys: vec![key] };
        samples.push(("static role: no room for a key", full.into()));
    }
    samples
}

fn credentials() -> Samples {
    let account = Some("123456789012".to_owned());
    let nobody = AwsError::NotConfigured("could not obtain sts client".to_owned());
    let of_account = CapReached { cap: LeaseCap::Account, account, ..reached() };
    let mut samples: Samples = vec![
        ("credentials: key of another request", IssueError::KeyOfAnotherRequest.into()),
        ("credentials: bad `Idempotency-Key`", IssueError::BadKey(BadKey).into()),
        ("credentials: cap on live leases", LeaseError::CapReached(Box::new(reached())).into()),
        ("credentials: cap on an account", LeaseError::CapReached(Box::new(of_account)).into()),
        ("credentials: account unknown", IssueError::AccountUnknown(nobody).into()),
        ("credentials: no role to assume", IssueError::NoRoleArn.into()),
        ("credentials: nothing to federate", IssueError::FederationWithoutPolicy.into()),
        ("credentials: in quarantine", IssueError::Quarantined(Quarantined).into()),
        ("renewal: not renewable", RenewError::NotRenewable.into()),
        ("renewal: expired", RenewError::Expired.into()),
    ];
    if let Ok(role) = "x".parse::<RoleName>() {
        let cut = IssueError::TtlCut {
            role: role.clone(),
            requested: 7200,
            granted: 3600,
            by: "role_max_ttl",
            help: "ask for less, or raise max_ttl of the role",
        };
        samples.push(("credentials: TTL cut, `strict_ttl`", cut.into()));
        samples.push(("credentials: role missing", IssueError::RoleNotFound(role).into()));
    }
    if let Ok(lease) = "aws/creds/x/abcdefghijklmnopqrstuvwx".parse() {
        samples.push(("credentials: key used", IssueError::KeyUsed { lease }.into()));
    }
    samples
}

fn auditing() -> Samples {
    let unusable = AuditError::Unusable {
        place: "/var/log/audit.log".to_owned(),
        why: "Permission denied (os error 13)".to_owned(),
    };
    vec![
        ("audit device: path taken", AuditError::PathInUse.into()),
        ("audit device: no such type", AuditError::UnknownKind("x".to_owned()).into()),
        ("audit device: no file_path", AuditError::from(OptionError::Missing("file_path")).into()),
        (
            "audit device: mode with x",
            AuditError::from(OptionError::Executable("0755".to_owned())).into(),
        ),
        ("audit device: cannot be opened", unusable.into()),
        ("audit device: not there", AuditError::Unknown("x/".to_owned()).into()),
        ("audit-hash without input", AuditError::NoInput.into()),
    ]
}

fn reconciling() -> Samples {
    let mut samples: Samples = vec![
        ("quarantine: unknown action", ApiError::QuarantineAction("x".to_owned())),
        ("comparison: another is under way", ReconcileError::UnderWay.into()),
        ("comparison: no such mount", ReconcileError::NoMount("x".to_owned()).into()),
        ("orphan: not there", ReconcileError::NoOrphan("x".to_owned()).into()),
        ("orphan: several of that name", ReconcileError::Ambiguous("x".to_owned()).into()),
        ("orphan: unknown action", ReconcileError::BadAction("x".to_owned()).into()),
    ];
    if let Ok(user) = "vault-x".parse::<UserName>() {
        let lease = "aws/creds/r/abcdefghijklmnopqrstuvwx".to_owned();
        let what = Orphaned::User(user.clone());
        let has_lease = ReconcileError::HasLease { what: what.clone(), lease: lease.clone() };
        samples.extend([
            ("orphan: no lease tag", ReconcileError::NoTag(user.clone()).into()),
            ("orphan: not ours any more", ReconcileError::NotOurs(what).into()),
            ("orphan: no key to adopt", ReconcileError::NoKey(user.clone()).into()),
            ("orphan: has a lease after all", has_lease.into()),
            ("orphan: its lease ended", ReconcileError::LeaseEnded { user, lease }.into()),
        ]);
    }
    if let Ok(policy) = "arn:aws:iam::123456789012:policy/leasehold/b/l/x".parse::<PolicyArn>() {
        let in_use = ReconcileError::PolicyInUse {
            policy: policy.clone(),
            use_of: "attached to group `team`".to_owned(),
        };
        let elsewhere = ReconcileError::PolicyElsewhere {
            policy: policy.clone(),
            has: "the keys of its mount are of account `210987654321`".to_owned(),
        };
        samples.extend([
            ("orphan: a policy to adopt", ReconcileError::PolicyAdopted(policy).into()),
            ("orphan: a policy that somebody else has", in_use.into()),
            ("orphan: a policy of another account", elsewhere.into()),
        ]);
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: impl Into<ApiError>) -> (u16, String) {
        let told = error.into().told();
        (told.status, told.errors.join("|"))
    }

    #[test]
    fn every_text_of_the_contracts_table_is_exact() {
        let path = || "x/y".to_owned();
        let cases = [
            (ApiError::NoToken, 403, "permission denied"),
            (
                AuthError::InvalidToken.into(),
                403,
                "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
            ),
            (AuthError::Denied.into(), 403, "1 error occurred:\n\t* permission denied\n\n"),
            (
                ApiError::NoHandler(path()),
                404,
                "no handler for route \"x/y\". route entry not found.",
            ),
            (
                ApiError::Tainted(path()),
                404,
                "no handler for route \"x/y\". route entry is tainted.",
            ),
            (ApiError::UnsupportedPath, 404, "1 error occurred:\n\t* unsupported path\n\n"),
            (
                ApiError::UnsupportedOperation,
                405,
                "1 error occurred:\n\t* unsupported operation\n\n",
            ),
            (ApiError::BadForm, 400, "error parsing form data"),
            (
                ApiError::Field(field_error()),
                400,
                "Field validation failed: error converting input -5 for field \"ttl\": cannot provide negative value '-5'",
            ),
            (
                ApiError::EarlyField(field_error()),
                400,
                "error converting input -5 for field \"ttl\": cannot provide negative value '-5'",
            ),
            (ApiError::Sealed, 503, "Vault is sealed"),
            (ApiError::NotInitialised, 503, "Vault is sealed"),
            (
                ApiError::LastUse,
                400,
                "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.",
            ),
            (
                ApiError::Preflight("x".to_owned()),
                403,
                "preflight capability check returned 403, please ensure client's policies grant access to path \"x/\"",
            ),
        ];
        for (error, status, text) in cases {
            assert_eq!(told(error), (status, text.to_owned()));
        }
        assert!(
            told(ApiError::BadJson("x".to_owned()))
                .1
                .starts_with("error parsing JSON: failed to parse JSON input: ")
        );
        assert!(told(ApiError::BodyTooLarge).1.contains("http: request body too large"));
    }

    #[test]
    fn the_broker_tells_nothing_of_its_own_faults() {
        let fault = ApiError::Internal("disk /dev/sda1 is full".to_owned());
        assert_eq!(told(fault), (500, "1 error occurred:\n\t* internal error\n\n".to_owned()));
        let fault: ApiError =
            AuthError::Store(crate::store::StoreError::Failed("secret".to_owned())).into();
        assert!(fault.cause().contains("secret"));
        assert!(!told(fault).1.contains("secret"));
    }

    #[test]
    fn the_table_has_a_row_for_each_sample() {
        let table = table();
        assert_eq!(table.lines().count(), samples().len() + 2);
        assert!(table.contains("| sealed | 503 | `Vault is sealed` |"), "{table}");
        assert!(table.contains("| object missing, or list empty | 404 | none |"));
    }
}
