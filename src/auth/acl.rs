//! What a token may do: a pure rule. A token with the policy `root` may do everything; any other may
//! look up, renew and revoke itself. Nothing else is ever allowed: what no line here grants is denied.

/// The policy that may do everything.
pub const ROOT: &str = "root";
/// The policy that every token gets unless it asks not to.
pub const DEFAULT: &str = "default";

/// What a request wants to do with a path (contract 0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// GET.
    Read,
    /// LIST, or GET with `list=true`.
    List,
    /// POST or PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// HEAD; no capability grants it.
    Header,
    /// HELP, or any request with `help` in its query; needs a token and no capability.
    Help,
}

impl Operation {
    /// Its name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Header => "header",
            Self::Help => "help",
        }
    }
}

/// The answer. There is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// May do it.
    Granted,
    /// May not.
    Denied,
}

/// What every token may do with itself: exact paths.
const OWN: &[(&str, &[Operation])] = &[
    ("auth/token/lookup-self", &[Operation::Read, Operation::Update]),
    ("auth/token/renew-self", &[Operation::Update]),
    ("auth/token/revoke-self", &[Operation::Update]),
    // Shows the mounts that the caller may reach: for all but root that is none.
    ("sys/internal/ui/mounts", &[Operation::Read]),
];

/// Whether a token with these policies may do `operation` on `path`.
pub fn decide(policies: &[String], path: &str, operation: Operation) -> Access {
    if operation == Operation::Help || policies.iter().any(|policy| policy == ROOT) {
        return Access::Granted;
    }
    let own =
        OWN.iter().any(|(allowed, operations)| *allowed == path && operations.contains(&operation));
    if own { Access::Granted } else { Access::Denied }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Operation; 7] = [
        Operation::Read,
        Operation::List,
        Operation::Update,
        Operation::Patch,
        Operation::Delete,
        Operation::Header,
        Operation::Help,
    ];

    fn may(policies: &[&str], path: &str, operation: Operation) -> bool {
        let policies: Vec<_> = policies.iter().map(|&name| name.to_owned()).collect();
        decide(&policies, path, operation) == Access::Granted
    }

    #[test]
    fn root_may_do_everything() {
        for operation in ALL {
            assert!(may(&["root"], "sys/mounts/aws", operation));
        }
    }

    #[test]
    fn other_tokens_may_look_up_renew_and_revoke_themselves() {
        for policies in [&["default"][..], &["ci", "default"], &[]] {
            assert!(may(policies, "auth/token/lookup-self", Operation::Read));
            assert!(may(policies, "auth/token/lookup-self", Operation::Update));
            assert!(may(policies, "auth/token/renew-self", Operation::Update));
            assert!(may(policies, "auth/token/revoke-self", Operation::Update));
            assert!(may(policies, "sys/internal/ui/mounts", Operation::Read));
        }
    }

    #[test]
    fn nothing_is_allowed_by_omission() {
        let paths = [
            "",
            "aws/creds/u",
            "aws/roles/u",
            "auth/token/create",
            "auth/token/lookup",
            "auth/token/lookup-self/",
            "auth/token/revoke",
            "sys/mounts",
            "sys/leases/revoke",
            "sys/internal/ui/mounts/aws",
            "nowhere/at/all",
        ];
        for path in paths {
            for operation in ALL {
                let wanted = operation == Operation::Help;
                assert_eq!(
                    may(&["default", "rooty"], path, operation),
                    wanted,
                    "{path} {operation:?}"
                );
            }
        }
        assert!(!may(&["default"], "auth/token/renew-self", Operation::Delete));
        assert!(!may(&["default"], "auth/token/lookup-self", Operation::Header));
    }
}
