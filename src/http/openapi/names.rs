//! What operations are called: as in Vault's own document where Vault has them, since clients are generated from it, and
//! by Vault's rule for all others. A list and a rule; nothing here looks at a request.

use super::schemas::Reply;
use crate::auth::Operation::{self, Delete, List, Read, Update};

/// Vault's names that its rule does not give: path, operation, name.
#[rustfmt::skip]
const KNOWN: &[(&str, Operation, &str)] = &[
    ("auth/token/create", Update, "token-create"),
    ("auth/token/create-orphan", Update, "token-create-orphan"),
    ("auth/token/accessors/", List, "token-list-accessors"),
    ("auth/token/lookup", Update, "token-look-up"),
    ("auth/token/lookup", Read, "token-look-up2"),
    ("auth/token/lookup-accessor", Update, "token-look-up-accessor"),
    ("auth/token/lookup-self", Read, "token-look-up-self"),
    ("auth/token/lookup-self", Update, "token-look-up-self2"),
    ("auth/token/renew", Update, "token-renew"),
    ("auth/token/renew-accessor", Update, "token-renew-accessor"),
    ("auth/token/renew-self", Update, "token-renew-self"),
    ("auth/token/revoke", Update, "token-revoke"),
    ("auth/token/revoke-accessor", Update, "token-revoke-accessor"),
    ("auth/token/revoke-orphan", Update, "token-revoke-orphan"),
    ("auth/token/revoke-self", Update, "token-revoke-self"),
    ("auth/token/tidy", Update, "token-tidy"),
    ("auth/token/create/{role_name}", Update, "token-create-against-role"),
    ("auth/token/roles/", List, "token-list-roles"),
    ("auth/token/roles/{role_name}", Read, "token-read-role"),
    ("auth/token/roles/{role_name}", Update, "token-write-role"),
    ("auth/token/roles/{role_name}", Delete, "token-delete-role"),
    ("auth/{approle_mount_path}/login", Update, "app-role-login"),
    ("auth/{approle_mount_path}/role/", List, "app-role-list-roles"),
    ("auth/{approle_mount_path}/role/{role_name}", Read, "app-role-read-role"),
    ("auth/{approle_mount_path}/role/{role_name}", Update, "app-role-write-role"),
    ("auth/{approle_mount_path}/role/{role_name}", Delete, "app-role-delete-role"),
    ("auth/{approle_mount_path}/role/{role_name}/role-id", Read, "app-role-read-role-id"),
    ("auth/{approle_mount_path}/role/{role_name}/role-id", Update, "app-role-write-role-id"),
    ("auth/{approle_mount_path}/role/{role_name}/custom-secret-id", Update, "app-role-write-custom-secret-id"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id", Update, "app-role-write-secret-id"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id/", List, "app-role-list-secret-ids"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id/lookup", Update, "app-role-look-up-secret-id"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id/destroy", Update, "app-role-destroy-secret-id"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id/destroy", Delete, "app-role-destroy-secret-id2"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id-accessor/lookup", Update, "app-role-look-up-secret-id-by-accessor"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id-accessor/destroy", Update, "app-role-destroy-secret-id-by-accessor"),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id-accessor/destroy", Delete, "app-role-destroy-secret-id-by-accessor2"),
    ("auth/{approle_mount_path}/tidy/secret-id", Update, "app-role-tidy-secret-id"),
    ("auth/{userpass_mount_path}/login/{username}", Update, "userpass-login"),
    ("auth/{userpass_mount_path}/users/", List, "userpass-list-users"),
    ("auth/{userpass_mount_path}/users/{username}", Read, "userpass-read-user"),
    ("auth/{userpass_mount_path}/users/{username}", Update, "userpass-write-user"),
    ("auth/{userpass_mount_path}/users/{username}", Delete, "userpass-delete-user"),
    ("auth/{userpass_mount_path}/users/{username}/password", Update, "userpass-reset-password"),
    ("auth/{userpass_mount_path}/users/{username}/policies", Update, "userpass-update-policies"),
    ("sys/audit", Read, "auditing-list-enabled-devices"),
    ("sys/audit/{path}", Update, "auditing-enable-device"),
    ("sys/audit/{path}", Delete, "auditing-disable-device"),
    ("sys/audit-hash/{path}", Update, "auditing-calculate-hash"),
    ("sys/auth", Read, "auth-list-enabled-methods"),
    ("sys/auth/{path}", Read, "auth-read-configuration"),
    ("sys/auth/{path}", Update, "auth-enable-method"),
    ("sys/auth/{path}", Delete, "auth-disable-method"),
    ("sys/auth/{path}/tune", Read, "auth-read-tuning-information"),
    ("sys/auth/{path}/tune", Update, "auth-tune-configuration-parameters"),
    ("sys/capabilities", Update, "query-token-capabilities"),
    ("sys/capabilities-accessor", Update, "query-token-accessor-capabilities"),
    ("sys/capabilities-self", Update, "query-token-self-capabilities"),
    ("sys/config/state/sanitized", Read, "read-sanitized-configuration-state"),
    ("sys/ha-status", Read, "ha-status"),
    ("sys/host-info", Read, "collect-host-information"),
    ("sys/internal/specs/openapi", Read, "internal-generate-open-api-document"),
    ("sys/internal/specs/openapi", Update, "internal-generate-open-api-document-with-parameters"),
    ("sys/internal/ui/mounts", Read, "internal-ui-list-enabled-visible-mounts"),
    ("sys/internal/ui/mounts/{path}", Read, "internal-ui-read-mount-information"),
    ("sys/internal/ui/resultant-acl", Read, "internal-ui-read-resultant-acl"),
    ("sys/key-status", Read, "encryption-key-status"),
    ("sys/leases", Read, "leases-list"),
    ("sys/leases/count", Read, "leases-count"),
    ("sys/leases/lookup", Update, "leases-read-lease"),
    ("sys/leases/lookup/", List, "leases-look-up-all"),
    ("sys/leases/lookup/{prefix}/", List, "leases-look-up"),
    ("sys/leases/renew", Update, "leases-renew-lease"),
    ("sys/leases/renew/{url_lease_id}", Update, "leases-renew-lease-with-id"),
    ("sys/leases/revoke", Update, "leases-revoke-lease"),
    ("sys/leases/revoke/{url_lease_id}", Update, "leases-revoke-lease-with-id"),
    ("sys/leases/revoke-force/{prefix}", Update, "leases-force-revoke-lease-with-prefix"),
    ("sys/leases/revoke-prefix/{prefix}", Update, "leases-revoke-lease-with-prefix"),
    ("sys/leases/tidy", Update, "leases-tidy"),
    ("sys/metrics", Read, "metrics"),
    ("sys/mounts", Read, "mounts-list-secrets-engines"),
    ("sys/mounts/{path}", Read, "mounts-read-configuration"),
    ("sys/mounts/{path}", Update, "mounts-enable-secrets-engine"),
    ("sys/mounts/{path}", Delete, "mounts-disable-secrets-engine"),
    ("sys/mounts/{path}/tune", Read, "mounts-read-tuning-information"),
    ("sys/mounts/{path}/tune", Update, "mounts-tune-configuration-parameters"),
    ("sys/policies/acl/", List, "policies-list-acl-policies"),
    ("sys/policies/acl/{name}", Read, "policies-read-acl-policy"),
    ("sys/policies/acl/{name}", Update, "policies-write-acl-policy"),
    ("sys/policies/acl/{name}", Delete, "policies-delete-acl-policy"),
    ("sys/policy", Read, "policies-list-acl-policies2"),
    ("sys/policy/", List, "policies-list-acl-policies3"),
    ("sys/policy/{name}", Read, "policies-read-acl-policy2"),
    ("sys/policy/{name}", Update, "policies-write-acl-policy2"),
    ("sys/policy/{name}", Delete, "policies-delete-acl-policy2"),
    ("sys/quotas/config", Read, "rate-limit-quotas-read-configuration"),
    ("sys/quotas/config", Update, "rate-limit-quotas-configure"),
    ("sys/quotas/rate-limit/", List, "rate-limit-quotas-list"),
    ("sys/quotas/rate-limit/{name}", Read, "rate-limit-quotas-read"),
    ("sys/quotas/rate-limit/{name}", Update, "rate-limit-quotas-write"),
    ("sys/quotas/rate-limit/{name}", Delete, "rate-limit-quotas-delete"),
    ("sys/remount", Update, "remount"),
    ("sys/remount/status/{migration_id}", Read, "remount-status"),
    ("sys/renew", Update, "leases-renew-lease2"),
    ("sys/renew/{url_lease_id}", Update, "leases-renew-lease-with-id2"),
    ("sys/revoke", Update, "leases-revoke-lease2"),
    ("sys/revoke/{url_lease_id}", Update, "leases-revoke-lease-with-id2"),
    ("sys/revoke-force/{prefix}", Update, "leases-force-revoke-lease-with-prefix2"),
    ("sys/revoke-prefix/{prefix}", Update, "leases-revoke-lease-with-prefix2"),
    ("sys/rotate", Update, "encryption-key-rotate"),
    ("sys/seal", Update, "seal"),
    ("sys/step-down", Update, "step-down-leader"),
    ("sys/version-history/", List, "version-history"),
    ("sys/wrapping/wrap", Update, "wrap"),
    ("{aws_mount_path}/config/lease", Read, "aws-read-lease-configuration"),
    ("{aws_mount_path}/config/lease", Update, "aws-configure-lease"),
    ("{aws_mount_path}/config/root", Read, "aws-read-root-iam-credentials-configuration"),
    ("{aws_mount_path}/config/root", Update, "aws-configure-root-iam-credentials"),
    ("{aws_mount_path}/config/rotate-root", Update, "aws-rotate-root-iam-credentials"),
    ("{aws_mount_path}/creds/{name}", Read, "aws-generate-credentials"),
    ("{aws_mount_path}/creds/{name}", Update, "aws-generate-credentials-with-parameters"),
    ("{aws_mount_path}/roles/", List, "aws-list-roles"),
    ("{aws_mount_path}/roles/{name}", Read, "aws-read-role"),
    ("{aws_mount_path}/roles/{name}", Update, "aws-write-role"),
    ("{aws_mount_path}/roles/{name}", Delete, "aws-delete-role"),
    ("{aws_mount_path}/sts/{name}", Read, "aws-generate-sts-credentials"),
    ("{aws_mount_path}/sts/{name}", Update, "aws-generate-sts-credentials-with-parameters"),
];

/// What stands in the path behind these, where it has a name of its own in Vault.
const PARAMETERS: &[(&str, &str)] = &[
    ("role/", "role_name"),
    ("leases/lookup/", "prefix"),
    ("leases/renew/", "url_lease_id"),
    ("leases/revoke/", "url_lease_id"),
    ("leases/revoke-prefix/", "prefix"),
    ("leases/revoke-force/", "prefix"),
    ("renew/", "url_lease_id"),
    ("revoke/", "url_lease_id"),
    ("revoke-prefix/", "prefix"),
    ("revoke-force/", "prefix"),
    ("remount/status/", "migration_id"),
    ("leases/jobs/", "job_id"),
    ("leases/accounts/", "accessor"),
    ("guardrails/", "name"),
    ("guardrails/verdicts/", "digest"),
];

/// What is read or deleted by more than its path.
const BY_QUERY: &[(&str, Operation)] = &[
    ("sys/leases/query", Read),
    ("sys/leases/query/", List),
    ("sys/internal/specs/openapi", Read),
    ("auth/token/lookup", Read),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id/destroy", Delete),
    ("auth/{approle_mount_path}/role/{role_name}/secret-id-accessor/destroy", Delete),
];

/// Answers that are not those of every other operation of its kind.
const REPLIES: &[(&str, &[Reply])] = &[
    ("sys/metrics", &[Reply::Metrics]),
    ("sys/internal/specs/openapi", &[Reply::Bare]),
    ("sys/leases/tidy", &[Reply::Begun]),
    ("sys/leases/revoke", &[Reply::Nothing, Reply::Accepted]),
    ("sys/leases/revoke/{url_lease_id}", &[Reply::Nothing, Reply::Accepted]),
    ("sys/leases/revoke-prefix/{prefix}", &[Reply::Nothing, Reply::Accepted]),
    ("sys/leases/revoke-force/{prefix}", &[Reply::Nothing, Reply::Accepted]),
    ("sys/leases/revoke-query", &[Reply::Begun]),
    ("sys/revoke", &[Reply::Nothing, Reply::Accepted]),
    ("sys/revoke/{url_lease_id}", &[Reply::Nothing, Reply::Accepted]),
    ("sys/revoke-prefix/{prefix}", &[Reply::Nothing, Reply::Accepted]),
    ("sys/revoke-force/{prefix}", &[Reply::Nothing, Reply::Accepted]),
    ("auth/token/tidy", &[Reply::Begun]),
    ("auth/{approle_mount_path}/tidy/secret-id", &[Reply::Begun]),
];

/// What `operation` on a path is called.
pub(super) fn operation_id(path: &str, operation: Operation) -> String {
    let known = KNOWN.iter().find(|(known, on, _)| *known == path && *on == operation);
    if let Some((_, _, name)) = known {
        return (*name).to_owned();
    }
    let (prefix, rest) = below(path);
    let verb = match operation {
        Read => "read",
        Update => "write",
        List => "list",
        Delete => "delete",
        Operation::Patch => "patch",
        Operation::Header => "head",
        Operation::Help => "help",
    };
    let words = rest.split(['/', '-', '_', '{', '}']).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    format!("{prefix}{verb}-{}", words.join("-"))
}

/// The prefix of the names of a mount's operations, and what is below the mount.
fn below(path: &str) -> (String, &str) {
    if let Some(rest) = path.strip_prefix("sys/") {
        return (String::new(), rest);
    }
    if let Some(rest) = path.strip_prefix("auth/token/") {
        return ("token-".to_owned(), rest);
    }
    let inner = path.strip_prefix("auth/").unwrap_or(path);
    let mount = inner.strip_prefix('{').and_then(|inner| inner.split_once("_mount_path}/"));
    match mount {
        Some(("approle", rest)) => ("app-role-".to_owned(), rest),
        Some((kind, rest)) => (format!("{kind}-"), rest),
        None => (String::new(), path),
    }
}

/// The name of what stands in the path behind `head`, where it is not what its kind is usually called.
pub(super) fn parameter(head: &str) -> Option<&'static str> {
    PARAMETERS.iter().find(|(known, _)| *known == head).map(|(_, name)| *name)
}

/// Whether an operation without a body is told more by its query.
pub(super) fn asks_by_query(path: &str, operation: Operation) -> bool {
    BY_QUERY.contains(&(path, operation))
}

/// The answers of a path, where they are its own.
pub(super) fn replies(path: &str) -> Option<&'static [Reply]> {
    REPLIES.iter().find(|(known, _)| *known == path).map(|(_, replies)| *replies)
}

/// A path that fits a template.
pub(super) fn example(template: &str) -> String {
    template.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).fold(
        String::new(),
        |mut path, part| {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
            path
        },
    )
}

/// `aws-write-role` as `AwsWriteRole`.
pub(super) fn camel(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let plain = id.split(|letter: char| !letter.is_ascii_alphanumeric());
    plain.filter(|part| !part.is_empty()).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_called_as_in_vault() {
        let id = |path, operation| operation_id(path, operation);
        assert_eq!(id("{aws_mount_path}/roles/{name}", Update), "aws-write-role");
        assert_eq!(id("{aws_mount_path}/static-creds/{name}", Read), "aws-read-static-creds-name");
        assert_eq!(id("sys/guardrails/{name}/what-if", Update), "write-guardrails-name-what-if");
        assert_eq!(id("auth/{jwt_mount_path}/role/{name}", Read), "jwt-read-role-name");
        assert_eq!(camel("aws-write-role"), "AwsWriteRole");
        assert_eq!(example("sys/auth/{path}/tune"), "sys/auth/x/tune");
    }
}
