//! What leases are asked for by on the command line: a thing that somebody has in hand, told by its form, and terms. Read
//! here for `who` and for `revoke`, so that one finds what the other ends. The names are
//! [`LeaseFilter::TERMS`]; what they mean is the server's.

use clap::Args;

use super::remote::escaped;
use crate::model::{LeaseFilter, LeaseId};

/// A name and its value.
pub(super) type Term = (String, String);

/// Terms that leases must have.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// What the leases must have, too. The names: `caller`, `accessor`, `role`, `role_version`, `policy_digest`,
    /// `verdict`, `source`, `account`, `mount`, `state`, `access_key`, `user`, `user_id`, `lease_id`.
    #[arg(long = "where", value_name = "NAME=VALUE", value_parser = term)]
    terms: Vec<Term>,
}

impl Terms {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// All terms, with those of the thing in hand; a name that is given twice is an error.
    pub(super) fn with(&self, what: Option<&str>) -> Result<Vec<Term>, String> {
        let mut all = what.map(in_hand).unwrap_or_default();
        all.extend(self.terms.iter().cloned());
        match twice(&all) {
            Some((name, _)) => Err(format!("`{name}` is given twice")),
            None => Ok(all),
        }
    }
}

/// The terms as the query of a URL, each behind a `&`.
pub(super) fn query(terms: &[Term]) -> String {
    terms
        .iter()
        .flat_map(|(name, value)| ["&", name, "=", &escaped(value)].map(str::to_owned))
        .collect()
}

fn term(text: &str) -> Result<Term, String> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`")?;
    // A name that the server does not know would ask for every lease.
    if !LeaseFilter::TERMS.contains(&name) {
        return Err(format!("leases cannot be asked for by `{name}`"));
    }
    if value.is_empty() {
        return Err(format!("`{name}` has no value"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn twice(terms: &[Term]) -> Option<&Term> {
    let mut seen = std::collections::HashSet::new();
    terms.iter().find(|(name, _)| !seen.insert(name))
}

/// What kind of thing somebody has in hand.
fn in_hand(what: &str) -> Vec<Term> {
    let term = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    if let Some((account, user)) = user_of_arn(what) {
        return vec![term("account", account), term("user", user)];
    }
    let is_id = |prefixes: &[&str]| prefixes.iter().any(|prefix| what.starts_with(prefix));
    let is_plain = what.len() >= 16 && what.bytes().all(|c| c.is_ascii_alphanumeric());
    let name = if what.parse::<LeaseId>().is_ok() {
        "lease_id"
    } else if is_plain && is_id(&["AKIA", "ASIA"]) {
        "access_key"
    } else if is_plain && is_id(&["AIDA"]) || is_id(&["AROA"]) && what.contains(':') {
        "user_id"
    } else {
        "user"
    };
    vec![term(name, what)]
}

/// Account and name of `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
fn user_of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let is_iam = parts.next()? == "iam";
    let account = parts.nth(1)?;
    let name = parts.next()?.strip_prefix("user/")?.rsplit('/').next()?;
    is_iam.then_some((account, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Term {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_somebody_has_in_hand_is_told_by_its_form() {
        for (what, name) in [
            ("AKIAIOSFODNN7EXAMPLE", "access_key"),
            ("ASIAIOSFODNN7EXAMPLE", "access_key"),
            ("AIDAQWERTYUIOPASDFGHJ", "user_id"),
            ("AROAQWERTYUIOPASDFGHJ:session", "user_id"),
            ("aws/creds/r/abcdefghijklmnopqrstuvwx", "lease_id"),
            ("vault-token-ci-r-1700000000-abc", "user"),
            ("AKIA", "user"),
        ] {
            assert_eq!(in_hand(what), [pair(name, what)], "{what}");
        }
        let arn = "arn:aws:iam::123456789012:user/team/a/u-1";
        assert_eq!(in_hand(arn), [pair("account", "123456789012"), pair("user", "u-1")]);
        let other = "arn:aws:sts::123456789012:assumed-role/r/s";
        assert_eq!(in_hand(other), [pair("user", other)]);
    }

    #[test]
    fn a_name_that_the_server_would_ignore_is_refused_here() {
        assert_eq!(term("caller=token-ci"), Ok(pair("caller", "token-ci")));
        assert_eq!(term("user=a=b"), Ok(pair("user", "a=b")));
        for bad in ["caller", "calller=x", "caller=", "limit=1"] {
            assert!(term(bad).is_err(), "{bad}");
        }
        let terms = Terms { terms: vec![pair("user", "b")] };
        assert!(terms.with(Some("a")).unwrap_err().contains("`user` is given twice"));
        assert_eq!(query(&terms.with(None).unwrap()), "&user=b");
    }

    #[test]
    fn the_help_names_every_term() {
        let command = <Terms as Args>::augment_args(clap::Command::new("x"));
        let named = command.get_arguments().next().unwrap().get_help().unwrap().to_string();
        for name in LeaseFilter::TERMS {
            assert!(named.contains(&format!("`{name}`")), "{name}");
        }
    }
}
