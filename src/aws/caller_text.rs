//! What a caller may read of an AWS failure: `<code>: <message>` (contract 1.11) with whatever names
//! the broker's own account, principals or keys masked. Must never be looser than that; the whole
//! text is for the log. Who puts the prefix in front: [`crate::engine`].

use super::AwsError;

/// Stands where something of the broker's own was named.
const MASK: &str = "[masked]";

impl AwsError {
    /// The failure as a caller may see it.
    pub fn for_caller(&self) -> String {
        match self {
            Self::Refused { code, message, .. } if message.is_empty() => code.clone(),
            Self::Refused { code, message, .. } => format!("{code}: {}", masked(message)),
            Self::Unclear { operation, message } => {
                format!("{operation} got no clear answer: {}", masked(message))
            }
            Self::NotConfigured(message) => masked(message),
        }
    }
}

/// Masks word by word: principals as a whole, account ids inside other ARNs, ids of keys and
/// principals wherever they stand.
fn masked(text: &str) -> String {
    let separator =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | ',' | ';');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(separator) {
        let word = piece.trim_end_matches(separator);
        out.push_str(&masked_word(word));
        out.push_str(piece.strip_prefix(word).unwrap_or_default());
    }
    out
}

fn masked_word(word: &str) -> String {
    if word.starts_with("arn:") && is_principal(word) {
        return MASK.to_owned();
    }
    let mut out = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() {
            run.push(c);
        } else {
            out.push_str(masked_run(&run));
            run.clear();
            out.push(c);
        }
    }
    out.push_str(masked_run(&run));
    out
}

/// Whether an ARN names someone who acts: `arn:<partition>:<iam or sts>::<account>:<kind>…`.
fn is_principal(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let service = parts.next().unwrap_or_default();
    let resource = parts.nth(2).unwrap_or_default();
    matches!(service, "iam" | "sts")
        && ["user/", "assumed-role/", "federated-user/", "role/", "root"]
            .iter()
            .any(|kind| resource.starts_with(kind))
}

/// Account ids have 12 digits; the ids of keys and principals begin with four known letters (IAM
/// user guide, "Unique identifiers").
fn masked_run(run: &str) -> &str {
    let account = run.len() == 12 && run.bytes().all(|c| c.is_ascii_digit());
    let unique = run.len() >= 16
        && ["AKIA", "ASIA", "AIDA", "AROA"].iter().any(|prefix| run.starts_with(prefix));
    if account || unique { MASK } else { run }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::RefusalKind;

    fn refused(message: &str) -> String {
        AwsError::Refused {
            operation: "CreateUser",
            code: "AccessDenied".to_owned(),
            kind: RefusalKind::AccessDenied,
            message: message.to_owned(),
        }
        .for_caller()
    }

    #[test]
    fn the_brokers_own_principal_account_and_keys_are_masked() {
        assert_eq!(
            refused(
                "User: arn:aws:iam::123456789012:user/broker is not authorized to perform: \
                 iam:CreateUser on resource: arn:aws:iam::123456789012:user/vault-token-x"
            ),
            "AccessDenied: User: [masked] is not authorized to perform: iam:CreateUser on \
             resource: [masked]"
        );
        assert_eq!(
            refused("The key AKIAIOSFODNN7EXAMPLE, of account 123456789012, is not active"),
            "AccessDenied: The key [masked], of account [masked], is not active"
        );
    }

    #[test]
    fn what_a_caller_can_use_stays() {
        assert_eq!(
            refused("Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable."),
            "AccessDenied: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable."
        );
        assert_eq!(
            refused("Policy arn:aws:iam::123456789012:policy/team does not exist"),
            "AccessDenied: Policy arn:aws:iam::[masked]:policy/team does not exist"
        );
        assert_eq!(refused(""), "AccessDenied");
    }
}
