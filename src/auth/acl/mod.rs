//! What a token may do: the language of ACL policies and the one question put to it (contract 4). Pure;
//! nothing is ever allowed by omission. [`policy`] reads a text, [`compiled`] answers, [`protected`] names
//! the paths that need `sudo`; where policies are kept and who asks is [`crate::auth`]'s.

pub mod compiled;
mod hcl;
pub mod policy;
mod protected;
mod rule;
pub mod template;

pub use compiled::{Acl, Question};
pub use hcl::Unreadable;
pub use policy::{Policy, PolicyError};
pub use protected::needs_sudo;

/// The policy that may do everything.
pub const ROOT: &str = "root";
/// The policy that every token gets unless it asks not to.
pub const DEFAULT: &str = "default";
/// The policy of wrapping tokens; nobody can give or change it.
pub const RESPONSE_WRAPPING: &str = "response-wrapping";

/// What `default` says until someone rewrites it: what a token may do with itself, and with what it holds
/// the id of (contract 3.2).
pub const DEFAULT_TEXT: &str = include_str!("default.hcl");

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

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn default_lets_a_token_look_after_itself_and_its_leases() {
        let acl = Acl::compile([Policy::read(DEFAULT_TEXT).unwrap()]);
        let may = |operation, path| {
            let data = Map::new();
            let question = Question {
                path,
                operation,
                creates: false,
                data: &data,
                wrap_seconds: None,
                needs_sudo: needs_sudo(path),
            };
            acl.decide(&question) == Access::Granted
        };
        for path in [
            "auth/token/renew-self",
            "auth/token/revoke-self",
            "sys/capabilities-self",
            "sys/leases/renew",
            "sys/renew",
            "sys/leases/lookup",
            "sys/wrapping/wrap",
        ] {
            assert!(may(Operation::Update, path), "{path}");
        }
        assert!(may(Operation::Read, "auth/token/lookup-self"));
        assert!(may(Operation::Read, "sys/internal/ui/resultant-acl"));
        for path in
            ["sys/leases/revoke", "auth/token/create", "sys/leases/lookup/", "aws/creds/u", ""]
        {
            for operation in
                [Operation::Read, Operation::List, Operation::Update, Operation::Delete]
            {
                assert!(!may(operation, path), "{path}");
            }
        }
        assert!(!may(Operation::Delete, "auth/token/renew-self"));
        assert!(!may(Operation::Header, "auth/token/lookup-self"));
    }
}
