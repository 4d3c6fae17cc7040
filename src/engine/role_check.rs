//! Vault's own rules of what a role may be, whose texts are collected in one error (contract 1.4).
//! Pure. What Leasehold refuses beyond them is in [`super::role_limits`]; what the role would grant
//! is judged by [`crate::gate`].

use super::role_merge::Draft;
use crate::model::CredentialType;

/// Bytes of a user's path (IAM API reference, `CreateUser`).
const MAX_PATH: usize = 512;

/// Vault's rules in its order; all that are broken.
pub(super) fn check_vaults_rules(draft: &Draft) -> Result<CredentialType, Vec<String>> {
    let mut errors = Vec::new();
    let kind = CredentialType::from_wire(&draft.credential_type);
    if kind.is_none() {
        errors.push(match draft.credential_type.as_str() {
            "" => "did not supply credential_type".to_owned(),
            unknown => format!("unrecognized credential type: {unknown}"),
        });
    }
    check_sts_ttls(draft, kind, &mut errors);
    check_user_fields(draft, kind, &mut errors);
    check_session_fields(draft, kind, &mut errors);
    match kind {
        Some(kind) if errors.is_empty() => Ok(kind),
        Some(_) | None => Err(errors),
    }
}

fn check_sts_ttls(draft: &Draft, kind: Option<CredentialType>, errors: &mut Vec<String>) {
    let is_sts = kind.is_some_and(|kind| {
        draft.kinds(kind).into_iter().any(|kind| match kind {
            CredentialType::AssumedRole
            | CredentialType::FederationToken
            | CredentialType::SessionToken => true,
            CredentialType::IamUser => false,
        })
    });
    let (default, max) = (draft.default_sts_ttl, draft.max_sts_ttl);
    for (name, value) in [("default_sts_ttl", default), ("max_sts_ttl", max)] {
        if value != 0 && !is_sts {
            errors.push(format!(
                "{name} parameter only valid for assumed_role, federation_token, and \
                 session_token credential types"
            ));
        }
    }
    if default > 0 && max > 0 && default > max {
        errors.push(
            r#""default_sts_ttl" value must be less than or equal to "max_sts_ttl" value"#.into(),
        );
    }
}

fn check_user_fields(draft: &Draft, kind: Option<CredentialType>, errors: &mut Vec<String>) {
    let is_user = kind == Some(CredentialType::IamUser);
    if !draft.user_path.is_empty() {
        if !is_user {
            errors.push("user_path parameter only valid for iam_user credential type".into());
        }
        if !is_user_path(&draft.user_path) {
            let text = r#"the specified value for user_path is invalid. It must match "^\\/([\\x21-\\x7F]{0,510}\\/)?$" regexp"#;
            errors.push(text.into());
        }
    }
    if !draft.permissions_boundary_arn.is_empty() {
        if !is_user {
            errors.push(
                "cannot supply permissions_boundary_arn when credential_type isn't iam_user".into(),
            );
        }
        if let Err(cause) = check_boundary(&draft.permissions_boundary_arn) {
            // Vault starts a new list here (contract 1.4).
            errors.clear();
            errors.push(format!("invalid permissions_boundary_arn parameter: {cause}"));
        }
    }
}

fn check_session_fields(draft: &Draft, kind: Option<CredentialType>, errors: &mut Vec<String>) {
    let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let tagged = draft.session_tags.as_ref().is_some_and(|tags| !tags.is_empty());
    if kind == Some(CredentialType::SessionToken)
        && (!draft.policy_document.is_empty() || some(&draft.policy_arns))
    {
        errors
            .push("cannot supply a policy or role when using credential_type session_token".into());
    }
    let misplaced = [
        ("role_arns", some(&draft.role_arns)),
        ("session_tags", tagged),
        ("external_id", !draft.external_id.is_empty()),
    ];
    for (name, sent) in misplaced {
        if sent && kind != Some(CredentialType::AssumedRole) {
            errors.push(format!("cannot supply {name} when credential_type isn't assumed_role"));
        }
    }
}

/// `^\/([\x21-\x7F]{0,510}\/)?$`
fn is_user_path(path: &str) -> bool {
    path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= MAX_PATH
        && path.bytes().all(|byte| (0x21..=0x7f).contains(&byte))
}

fn check_boundary(arn: &str) -> Result<(), String> {
    if !arn.starts_with("arn:") {
        return Err("arn: invalid prefix".into());
    }
    // arn:partition:service:region:account:resource
    let mut sections = arn.splitn(6, ':').skip(2);
    let (Some(service), Some(resource)) = (sections.next(), sections.nth(2)) else {
        return Err("arn: not enough sections".into());
    };
    if service != "iam" {
        return Err(format!("expected a service of iam but got {service}"));
    }
    if !resource.starts_with("policy/") {
        return Err(format!("expected a resource type of policy but got {resource}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::roles::RoleError;
    use crate::model::LegacyRole;

    fn iam_user() -> Draft {
        Draft { version: 1, credential_type: "iam_user".into(), ..Draft::default() }
    }

    fn broken(draft: &Draft) -> Vec<String> {
        check_vaults_rules(draft).unwrap_err()
    }

    #[test]
    fn errors_are_collected_and_quoted() {
        let text = RoleError::Invalid(broken(&Draft::default())).to_string();
        assert_eq!(
            text,
            r#"error(s) validating supplied role data: "1 error occurred:\n\t* did not supply credential_type\n\n""#
        );
    }

    #[test]
    fn unknown_types_and_misplaced_fields_get_vaults_sentences() {
        let draft = Draft {
            credential_type: "nope".into(),
            max_sts_ttl: 5,
            role_arns: Some(vec!["r".into()]),
            ..Draft::default()
        };
        assert_eq!(
            broken(&draft),
            [
                "unrecognized credential type: nope",
                "max_sts_ttl parameter only valid for assumed_role, federation_token, and session_token credential types",
                "cannot supply role_arns when credential_type isn't assumed_role",
            ]
        );
    }

    #[test]
    fn sessions_have_rules_of_their_own() {
        let assumed = Draft { credential_type: "assumed_role".into(), ..Draft::default() };
        let ttls = Draft { default_sts_ttl: 2, max_sts_ttl: 1, ..assumed.clone() };
        assert_eq!(
            broken(&ttls),
            [r#""default_sts_ttl" value must be less than or equal to "max_sts_ttl" value"#]
        );
        let path = Draft { user_path: "/vault/".into(), ..assumed };
        assert_eq!(broken(&path), ["user_path parameter only valid for iam_user credential type"]);
        let session = Draft {
            credential_type: "session_token".into(),
            policy_document: "{}".into(),
            ..Draft::default()
        };
        assert_eq!(
            broken(&session),
            ["cannot supply a policy or role when using credential_type session_token"]
        );
    }

    #[test]
    fn a_role_of_two_types_may_have_the_fields_of_both() {
        let both = Draft {
            legacy: Some(LegacyRole::Document),
            user_path: "/a/".into(),
            default_sts_ttl: 900,
            ..iam_user()
        };
        assert_eq!(check_vaults_rules(&both), Ok(CredentialType::IamUser));
        assert!(check_vaults_rules(&Draft { legacy: None, ..both }).is_err());
    }

    #[test]
    fn user_paths_follow_the_expression() {
        let longest = format!("/{}/", "a".repeat(510));
        for good in ["/", "/path/", "/a/b/", longest.as_str()] {
            assert!(check_vaults_rules(&Draft { user_path: good.into(), ..iam_user() }).is_ok());
        }
        let too_long = format!("/{}/", "a".repeat(511));
        for bad in ["path/", "/path", "/a b/", "/é/", too_long.as_str()] {
            let errors = broken(&Draft { user_path: bad.into(), ..iam_user() });
            assert_eq!(
                errors,
                [
                    r#"the specified value for user_path is invalid. It must match "^\\/([\\x21-\\x7F]{0,510}\\/)?$" regexp"#
                ],
                "{bad}"
            );
        }
    }

    #[test]
    fn a_bad_boundary_replaces_earlier_errors() {
        let told = |arn: &str| {
            broken(&Draft {
                permissions_boundary_arn: arn.into(),
                default_sts_ttl: 7,
                ..iam_user()
            })
        };
        let text = "invalid permissions_boundary_arn parameter: ";
        assert_eq!(told("not_an_arn"), [format!("{text}arn: invalid prefix")]);
        assert_eq!(told("arn:aws:iam"), [format!("{text}arn: not enough sections")]);
        assert_eq!(
            told("arn:aws:s3:::policy/x"),
            [format!("{text}expected a service of iam but got s3")]
        );
        assert_eq!(
            told("arn:aws:iam::aws:notpolicy/x"),
            [format!("{text}expected a resource type of policy but got notpolicy/x")]
        );
    }
}
