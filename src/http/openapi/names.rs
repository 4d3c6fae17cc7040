//! What operations are called: as in Vault's own document where Vault has them, since clients are generated from it, and
//! by Vault's rule for all others. A list and a rule; nothing here looks at a request.

use super::known::KNOWN;
use super::schemas::Reply;
use crate::auth::Operation::{self, Delete, List, Read, Update};

/// What stands in the path behind these, where it has a name of its own in Vault.
const PARAMETERS: &[(&str, &str)] = &[
    ("role/", "role_name"),
    ("create/", "role_name"),
    ("entity/id/", "id"),
    ("entity/name/", "name"),
    ("entity-alias/id/", "id"),
    ("group/id/", "id"),
    ("group/name/", "name"),
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
