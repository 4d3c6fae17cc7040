//! What each field is for, in one sentence, for the OpenAPI document. Fields that mean one thing everywhere stand once;
//! a test names every declared field that has no sentence. The rest of the document is made in [`super::paths`].

use super::sentences::EVERYWHERE;

/// Of what stands in a path and has no name of its own.
pub(super) const PATH: &str = "What the rest of the path names";

/// Fields that mean something else below these beginnings of a path: the first that fits goes.
#[rustfmt::skip]
const BELOW: &[(&str, &str, &str)] = &[
    ("auth/token/create", "policies", "Policies of the token; those of the caller if not sent"),
    ("auth/token/create", "ttl", "How long the token lives, in seconds or as a duration"),
    ("auth/token/create", "period", "A token that lives for ever as long as it is renewed within this time"),
    ("auth/token/create", "type", "`service`; other types are refused"),
    ("auth/token/create", "id", "The token itself; only root may choose it"),
    ("auth/token/create", "renewable", "Whether the token may be renewed"),
    ("auth/token/", "token", "The token that is meant"),
    ("auth/token/", "accessor", "Accessor of the token that is meant"),
    ("auth/token/", "increment", "How many seconds from now it shall live; a wish"),
    ("auth/token/roles", "period", "Old name of `token_period`"),
    ("auth/token/roles", "explicit_max_ttl", "Old name of `token_explicit_max_ttl`"),
    ("auth/token/roles", "bound_cidrs", "Old name of `token_bound_cidrs`"),
    ("auth/{jwt", "policies", "Old name of `token_policies`"),
    ("auth/{jwt", "ttl", "Old name of `token_ttl`"),
    ("auth/{jwt", "max_ttl", "Old name of `token_max_ttl`"),
    ("auth/{jwt", "period", "Old name of `token_period`"),
    ("auth/{jwt", "bound_cidrs", "Old name of `token_bound_cidrs`"),
    ("auth/{jwt", "num_uses", "Old name of `token_num_uses`"),
    ("auth/{kubernetes", "policies", "Old name of `token_policies`"),
    ("auth/{kubernetes", "ttl", "Old name of `token_ttl`"),
    ("auth/{kubernetes", "max_ttl", "Old name of `token_max_ttl`"),
    ("auth/{kubernetes", "period", "Old name of `token_period`"),
    ("auth/{kubernetes", "bound_cidrs", "Old name of `token_bound_cidrs`"),
    ("auth/{kubernetes", "num_uses", "Old name of `token_num_uses`"),
    ("identity/", "id", "Id of what is meant; made up if not sent"),
    ("identity/", "type", "Kind of the group: `internal` or `external`"),
    ("auth/{approle", "policies", "Old name of `token_policies`"),
    ("auth/{approle", "period", "Old name of `token_period`"),
    ("auth/{approle", "ttl", "How long the secret id lives, in seconds"),
    ("auth/{approle", "num_uses", "How often the secret id may be used; 0 is without end"),
    ("auth/{approle", "metadata", "JSON object of texts, kept with the secret id and shown on its tokens"),
    ("auth/{approle", "token_bound_cidrs", "Networks from which the tokens of this role or secret id may be used"),
    ("auth/{userpass", "policies", "Old name of `token_policies`"),
    ("auth/{userpass", "ttl", "Old name of `token_ttl`"),
    ("auth/{userpass", "max_ttl", "Old name of `token_max_ttl`"),
    ("auth/{userpass", "bound_cidrs", "Old name of `token_bound_cidrs`"),
    ("sys/audit", "type", "Kind of the device: `file`, `syslog` or `socket`"),
    ("sys/audit", "options", "Settings of the device, by name"),
    ("sys/audit", "path", "Name of the device"),
    ("sys/auth", "type", "Kind of the method, such as `approle`"),
    ("sys/auth", "path", "Where the method is, without `auth/`"),
    ("sys/mounts", "type", "Kind of the engine: `aws`"),
    ("sys/mounts", "path", "Where the engine is"),
    ("sys/capabilities", "path", "Old name of `paths`"),
    ("sys/policies/acl", "policy", "The policy, in HCL or JSON, as text or in base64"),
    ("sys/policies/acl", "name", "Name of the policy"),
    ("sys/policy", "policy", "The policy, in HCL or JSON, as text or in base64"),
    ("sys/policy", "name", "Name of the policy"),
    ("sys/leases/orphans", "action", "What is decided: `adopt`, `delete` or `ignore`"),
    ("sys/leases/orphans", "ttl", "For how many seconds an adopted user lives on"),
    ("sys/leases/orphans", "until", "Until when it is ignored, or lives on"),
    ("sys/leases/quarantine", "action", "`lift` ends the quarantine"),
    ("sys/leases/reconcile", "mount", "The mount whose account is looked at; all if not sent"),
    ("sys/leases/query", "mount", "Path or accessor of the mount"),
    ("sys/leases/revoke-query", "mount", "Path or accessor of the mount"),
    ("sys/leases/query", "role", "Name of the role that it was issued from"),
    ("sys/leases/revoke-query", "role", "Name of the role that it was issued from"),
    ("sys/leases/query", "limit", "The most leases in the answer: 1 to 1,000"),
    ("sys/leases/query", "accessor", "Accessor of the token that it was issued to"),
    ("sys/leases/revoke-query", "accessor", "Accessor of the token that it was issued to"),
    ("sys/leases/accounts", "accessor", "Accessor of the mount that was disabled"),
    ("sys/leases", "type", "`irrevocable`, the one type there is"),
    ("sys/leases", "limit", "The most leases in the answer, or `none`"),
    ("sys/guardrails", "name", "Name of the guardrail"),
    ("sys/guardrails", "mode", "`off`, `audit`, `warn` or `enforce`"),
    ("sys/guardrails", "mount", "In a what-if: the one mount whose roles are judged"),
    ("sys/guardrails", "tags", "Tags that a role must have to be judged, by name"),
    ("sys/guardrails", "until", "When the suspension ends by itself"),
    ("sys/quotas", "name", "Name of the quota"),
    ("sys/quotas", "path", "Path or mount that it counts; everything if empty"),
    ("sys/quotas", "role", "The login role that it counts"),
    ("sys/internal/ui/mounts", "path", "Path of a mount, or of something below it"),
    ("sys/wrapping", "token", "The wrapping token; that of the header if not sent"),
    ("{aws_mount_path}/config/root", "role_arn", "The AWS role that the broker's identity token is exchanged for"),
    ("{aws_mount_path}/config/root", "rotation_period", "How often the root key is rotated by itself, in seconds"),
    ("{aws_mount_path}/config/root", "rotation_schedule", "When the root key is rotated by itself, as cron has it"),
    ("{aws_mount_path}/config/lease", "lease", "How long leases of IAM users live, as a duration"),
    ("{aws_mount_path}/config/lease", "lease_max", "How long they may live with all renewals, as a duration"),
    ("{aws_mount_path}/creds", "ttl", "How many seconds a session lives; not for `iam_user`"),
    ("{aws_mount_path}/sts", "ttl", "How many seconds a session lives; not for `iam_user`"),
    ("{aws_mount_path}/creds", "role_arn", "Which of the role's ARNs is assumed, where it has several"),
    ("{aws_mount_path}/sts", "role_arn", "Which of the role's ARNs is assumed, where it has several"),
    ("{aws_mount_path}/roles", "ttl", "How long a lease lasts, in seconds; not Vault's"),
    ("{aws_mount_path}/roles", "max_ttl", "The most that a lease lasts, in seconds; not Vault's"),
    ("{aws_mount_path}/roles", "policy", "Old form: a policy document"),
    ("{aws_mount_path}/static-roles", "name", "Name of the static role"),
    ("{aws_mount_path}/static-roles", "username", "The IAM user whose key is rotated"),
    ("{aws_mount_path}/static-creds", "name", "Name of the static role"),
    ("{aws_mount_path}", "name", "Name of the role"),
];

/// Fields without which there is nothing to be done.
const REQUIRED: &[(&str, &[&str])] = &[
    ("sys/mounts/{path}", &["type"]),
    ("sys/auth/{path}", &["type"]),
    ("sys/audit/{path}", &["type"]),
    ("sys/audit-hash/{path}", &["input"]),
    ("sys/policies/acl/{name}", &["policy"]),
    ("sys/remount", &["from", "to"]),
    ("{aws_mount_path}/config/lease", &["lease", "lease_max"]),
];

/// What `field` is for at a path whose mount is a parameter.
pub(super) fn of(path: &str, field: &str) -> Option<&'static str> {
    let own = BELOW.iter().find(|(head, name, _)| *name == field && path.starts_with(head));
    let any = || EVERYWHERE.iter().find(|(name, _)| *name == field).map(|(_, text)| *text);
    own.map(|(_, _, text)| *text).or_else(any)
}

/// The fields that a write to a path must have.
pub(super) fn required(path: &str) -> &'static [&'static str] {
    REQUIRED.iter().find(|(known, _)| *known == path).map_or(&[], |(_, fields)| *fields)
}
