//! Paths whose last part is a name that is compared in any case: what is below an auth method, policies, entities and
//! groups by name. A rule about a name must hold for it however it is written, so that quotas and ACLs compare what this
//! makes of a path. It never touches the path of a mount, nor names that differ by their case.

use std::borrow::Cow;

use super::Auth;

/// Below these a name follows that is kept in small letters (contract 3.3, 4).
const BY_NAME: [&str; 4] =
    ["sys/policies/acl/", "sys/policy/", "identity/entity/name/", "identity/group/name/"];

/// A path as rules compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical<'a> {
    /// In small letters from `folds_from` on.
    pub(super) path: Cow<'a, str>,
    /// In bytes, at most the path's length.
    folds_from: usize,
}

impl<'a> Canonical<'a> {
    pub(super) fn of(path: &'a str, folds_from: usize) -> Self {
        Self { path: folded(path, folds_from), folds_from }
    }

    /// A path or pattern of a rule, to be compared with this path.
    pub(super) fn alike<'b>(&self, rule: &'b str) -> Cow<'b, str> {
        folded(rule, self.folds_from)
    }

    /// Whether some of it is a name that is compared in any case.
    pub(super) fn folds(&self) -> bool {
        self.folds_from < self.path.len()
    }
}

fn folded(text: &str, from: usize) -> Cow<'_, str> {
    match (text.get(..from), text.get(from..)) {
        (Some(mount), Some(name)) if name.chars().any(char::is_uppercase) => {
            Cow::Owned(format!("{mount}{}", name.to_lowercase()))
        }
        _ => Cow::Borrowed(text),
    }
}

impl Auth {
    /// A path as rules compare it.
    pub(super) fn canonical<'a>(&self, path: &'a str) -> Canonical<'a> {
        let method = || {
            let (_mount, name) = self.auth_route(path.strip_prefix("auth/")?)?;
            path.len().checked_sub(name.len())
        };
        let by_name = BY_NAME.iter().find(|head| path.starts_with(**head)).map(|head| head.len());
        Canonical::of(path, by_name.or_else(method).unwrap_or(path.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_in_any_case_and_its_mount_is_not() {
        let asked = Canonical::of("auth/People/login/BOB", 12);
        assert_eq!(asked.path, "auth/People/login/bob");
        assert!(asked.folds());
        for (rule, alike) in [
            ("auth/People/login/Bob", "auth/People/login/bob"),
            ("auth/People/LOGIN/*", "auth/People/login/*"),
            ("auth/PEOPLE/login/bob", "auth/PEOPLE/login/bob"),
            ("Auth/*", "Auth/*"),
            ("", ""),
        ] {
            assert_eq!(asked.alike(rule), alike);
        }
        let plain = Canonical::of("aws/creds/R", 11);
        assert_eq!((plain.path.as_ref(), plain.folds()), ("aws/creds/R", false));
        // A cut in the middle of a letter leaves a text as it is.
        assert_eq!(folded("äB", 1), "äB");
    }
}
