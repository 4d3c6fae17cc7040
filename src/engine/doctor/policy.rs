//! The IAM policy that the broker itself needs: one text, which the README gives, the doctor prints, and its
//! questions to AWS are read from.

use serde_json::Value;

/// The policy, with `<account_id>`, `<boundary>` and `<broker>` to be filled in.
pub const BROKER_POLICY: &str = include_str!("broker-policy.json");

/// The policy with what is known filled in.
pub fn filled(account: Option<&str>, principal: Option<&str>) -> String {
    let mut text = BROKER_POLICY.to_owned();
    if let Some(account) = account {
        text = text.replace("<account_id>", account);
    }
    if let Some((_, name)) = principal.and_then(|arn| arn.split_once(":user/")) {
        text = text.replace("<broker>", name);
    }
    text
}

/// The actions of the policy that concern users of the broker, and those that concern anything.
pub(super) fn actions() -> (Vec<&'static str>, Vec<&'static str>) {
    // Read from the text itself: every action stands in quotes and begins with `iam:` in lower case.
    let (mut on_users, mut on_all) = (Vec::new(), Vec::new());
    for statement in BROKER_POLICY.split("\"Sid\"").skip(1) {
        let quoted = statement.split('"').skip(1).step_by(2);
        let named =
            quoted.filter(|word| word.starts_with("iam:") && *word != "iam:PermissionsBoundary");
        if statement.contains(":user/vault-*") {
            on_users.extend(named);
        } else if statement.contains("\"Resource\": \"*\"") {
            on_all.extend(named);
        }
    }
    (on_users, on_all)
}

/// Whether the text is a policy at all.
pub fn is_readable() -> bool {
    serde_json::from_str::<Value>(BROKER_POLICY).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_questions_are_the_policys_own() {
        assert!(is_readable());
        let (on_users, on_all) = actions();
        assert!(on_users.contains(&"iam:CreateUser") && on_users.contains(&"iam:DeleteUser"));
        assert!(!on_users.contains(&"iam:PermissionsBoundary"));
        assert_eq!(
            on_all,
            ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListUsers", "iam:ListPolicies"]
        );
    }

    #[test]
    fn what_is_known_is_filled_in() {
        let arn = "arn:aws:iam::123456789012:user/team/broker";
        let text = filled(Some("123456789012"), Some(arn));
        assert!(text.contains("arn:aws:iam::123456789012:user/team/broker\""));
        assert!(text.contains("<boundary>") && !text.contains("<account_id>"));
        assert_eq!(filled(None, Some("arn:aws:sts::1:assumed-role/r/s")), BROKER_POLICY);
    }
}
