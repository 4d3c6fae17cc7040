//! Policy documents as IAM takes them: characters, form, size. Nothing is stored that this refuses.
//! What a form is, the crate `iam_policy` knows; what documents allow is asked in
//! [`crate::authorize`].

use iam_policy::Document;
use iam_policy::json::StrictJson;
use iam_policy::quota::Target;

use crate::error::AwsError;
use crate::form::Form;
use crate::validate;

/// A document parameter that IAM would store in a user, a group, a role or a managed policy.
pub(crate) fn identity<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, AwsError> {
    let text = characters(form, parameter)?;
    if let Err(problems) = Document::parse(text) {
        return Err(refusal(text, &problems));
    }
    Ok(text)
}

/// A role's trust policy, which says who may assume it.
pub(crate) fn trust<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, AwsError> {
    let text = characters(form, parameter)?;
    let json = StrictJson::parse(text).map_err(|_detail| invalid_json())?;
    let statement = json.value().get("Statement").filter(|s| s.is_object() || s.is_array());
    let principal =
        |s: &serde_json::Value| s.get("Principal").is_some() && s.get("Resource").is_none();
    let fits = statement.is_some_and(|s| match s.as_array() {
        Some(list) => !list.is_empty() && list.iter().all(principal),
        None => principal(s),
    });
    if !fits {
        return Err(AwsError::malformed_policy("Syntax errors in policy."));
    }
    Ok(text)
}

/// Judges documents that count together. White space between tokens does not count.
pub(crate) fn fit<'a>(
    target: Target,
    texts: impl IntoIterator<Item = &'a str>,
    owner: &str,
) -> Result<(), AwsError> {
    let canonical: Vec<String> = texts.into_iter().map(canonical).collect();
    target.check(canonical.iter().map(String::as_str)).map(drop).map_err(|_size| {
        let limit = target.limit();
        AwsError::limit_exceeded(format!(
            "Maximum policy size of {limit} bytes exceeded for {owner}"
        ))
    })
}

fn canonical(text: &str) -> String {
    StrictJson::parse(text).map_or_else(|_| text.to_owned(), |json| json.canonical().to_owned())
}

/// IAM API, `policyDocumentType`: U+0009, U+000A, U+000D and U+0020 to U+00FF, 1 to 131,072 of them.
fn characters<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, AwsError> {
    let text = form.required(parameter)?;
    validate::length(text, parameter, 1, 131_072)?;
    let fits = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FF}');
    if !text.chars().all(fits) {
        let rule = "Member must satisfy regular expression pattern: \
                    [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
        return Err(validate::constraint(text, parameter, rule));
    }
    Ok(text)
}

fn invalid_json() -> AwsError {
    AwsError::malformed_policy("This policy contains invalid Json")
}

/// AWS says little of what is wrong; neither does this, save for what it names itself.
fn refusal(text: &str, problems: &[iam_policy::Problem]) -> AwsError {
    let Ok(json) = StrictJson::parse(text) else {
        return invalid_json();
    };
    let statement = json.value().get("Statement");
    let statements = statement
        .map_or(&[][..], |s| s.as_array().map_or_else(|| std::slice::from_ref(s), Vec::as_slice));
    if statements.iter().any(|s| s.get("Principal").is_some() || s.get("NotPrincipal").is_some()) {
        return AwsError::malformed_policy("Policy document should not specify a principal.");
    }
    if problems.iter().any(|problem| problem.pointer.contains("/Action")) {
        return AwsError::malformed_policy(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        );
    }
    AwsError::malformed_policy("Syntax errors in policy.")
}
