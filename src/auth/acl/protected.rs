//! Paths that need the capability `sudo` beside the operation's own (contract 4). A list and its look-up,
//! nothing else; asked by [`crate::auth`] for every request.

/// Vault's, then ours: what touches leases or the store as a whole. A `*` at the end takes all that follows.
const PROTECTED: &[&str] = &[
    "auth/token/accessors",
    "auth/token/accessors/",
    "sys/audit",
    "sys/audit/*",
    "sys/audit-chain/*",
    "sys/auth/*",
    "sys/config/auditing/*",
    "sys/config/cors",
    "sys/config/ui/headers/*",
    "sys/leases",
    "sys/leases/lookup/*",
    "sys/leases/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/plugins/catalog/*",
    "sys/raw",
    "sys/raw/*",
    "sys/remount",
    "sys/revoke-force/*",
    "sys/revoke-prefix/*",
    "sys/rotate",
    "sys/seal",
    "sys/step-down",
    "sys/doctor",
    "sys/leases/accounts/*",
    "sys/leases/jobs",
    "sys/leases/jobs/*",
    "sys/leases/limits",
    "sys/leases/limits/*",
    "sys/leases/orphans",
    "sys/leases/orphans/*",
    "sys/leases/quarantine",
    "sys/leases/query",
    "sys/leases/query/",
    "sys/leases/reconcile",
    "sys/leases/revoke-query",
    "sys/plugins/guardrails",
    "sys/plugins/guardrails-check",
    "sys/plugins/guardrails/*",
    "sys/storage/*",
];

/// Whether `path` is one of them.
pub fn needs_sudo(path: &str) -> bool {
    breaks_the_glass(path)
        || PROTECTED.iter().any(|protected| match protected.strip_suffix('*') {
            Some(head) => path.starts_with(head),
            None => path == *protected,
        })
}

/// `sys/guardrails/:name/suspend`.
fn breaks_the_glass(path: &str) -> bool {
    path.strip_prefix("sys/guardrails/").is_some_and(|rest| rest.ends_with("/suspend"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_everybody_needs_sudo() {
        for path in [
            "sys/remount",
            "sys/leases/revoke-prefix/aws",
            "sys/leases/lookup/",
            "sys/plugins/guardrails/x",
            "sys/auth/x/tune",
            "sys/guardrails/x/suspend",
        ] {
            assert!(needs_sudo(path), "{path}");
        }
        for path in [
            "sys/auth",
            "sys/guardrails/x",
            "sys/guardrails/x/what-if",
            "sys/leases/lookup",
            "sys/leases/revoke",
            "sys/mounts/aws",
            "aws/creds/u",
        ] {
            assert!(!needs_sudo(path), "{path}");
        }
    }
}
