//! What parameters may look like: patterns, lengths, ranges, in AWS's words. Pure; nothing here looks
//! at the state. Policy documents are checked in [`crate::documents`].

use crate::error::AwsError;
use crate::form::{Form, member};
use crate::state::Tag;

/// Tags that one IAM entity may have (IAM quotas).
pub(crate) const TAGS: usize = 50;

/// A user's name where the call must give one (IAM API: CreateUser, 1 to 64 characters).
pub(crate) fn user_name(form: &Form) -> Result<&str, AwsError> {
    name(form, "UserName", 64)
}

/// A user's name where it may be left out (IAM API: `existingUserNameType`, 1 to 128 characters).
pub(crate) fn existing_user_name(form: &Form) -> Result<&str, AwsError> {
    name(form, "UserName", 128)
}

/// A required name: `[\w+=,.@-]`, from 1 to `longest` characters.
pub(crate) fn name<'a>(
    form: &'a Form,
    parameter: &str,
    longest: usize,
) -> Result<&'a str, AwsError> {
    let value = form.required(parameter)?;
    length(value, parameter, 1, longest)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !value.chars().all(fits) {
        return Err(AwsError::validation(format!(
            "The specified value for {} is invalid. It must contain only alphanumeric characters \
             and/or the following: +=,.@_-",
            member(parameter)
        )));
    }
    Ok(value)
}

/// Checks a value's length in characters.
pub(crate) fn length(
    value: &str,
    parameter: &str,
    shortest: usize,
    longest: usize,
) -> Result<(), AwsError> {
    let characters = value.chars().count();
    if characters < shortest {
        let rule = format!("Member must have length greater than or equal to {shortest}");
        return Err(constraint(value, parameter, &rule));
    }
    if characters > longest {
        let rule = format!("Member must have length less than or equal to {longest}");
        return Err(constraint(value, parameter, &rule));
    }
    Ok(())
}

/// The path of a new entity, `/` where none is given (IAM API: `pathType`).
pub(crate) fn path(form: &Form) -> Result<&str, AwsError> {
    let Some(path) = form.get("Path") else {
        return Ok("/");
    };
    length(path, "Path", 1, 512)?;
    let framed = path.starts_with('/') && path.ends_with('/');
    if !framed || path.contains("//") || !path.chars().all(|c| c.is_ascii_graphic()) {
        return Err(AwsError::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only \
             alphanumeric characters and/or / characters.",
        ));
    }
    Ok(path)
}

/// The prefix of paths that a list is limited to, `/` where none is given.
pub(crate) fn path_prefix(form: &Form) -> Result<&str, AwsError> {
    let Some(prefix) = form.get("PathPrefix") else {
        return Ok("/");
    };
    length(prefix, "PathPrefix", 1, 512)?;
    if !prefix.starts_with('/') || !prefix.chars().all(|c| c.is_ascii_graphic()) {
        return Err(AwsError::validation(
            "The specified value for pathPrefix is invalid. It must begin with the / character.",
        ));
    }
    Ok(prefix)
}

/// The ARN of a managed policy (IAM API: `arnType`, 20 to 2048 characters).
pub(crate) fn policy_arn<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, AwsError> {
    let arn = form.required(parameter)?;
    length(arn, parameter, 20, 2_048)?;
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let fits = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if matches!(*partition, "aws" | "aws-cn" | "aws-us-gov")
            && (*account == "aws" || is_account(account))
            && resource.strip_prefix("policy/").is_some_and(|name| !name.is_empty()));
    if !fits {
        return Err(AwsError::validation(format!("ARN {arn} is not valid.")));
    }
    Ok(arn)
}

/// Whether a text is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// The id of an access key (IAM API: `accessKeyIdType`, 16 to 128 of `\w`).
pub(crate) fn access_key_id(form: &Form) -> Result<&str, AwsError> {
    let id = form.required("AccessKeyId")?;
    length(id, "AccessKeyId", 16, 128)?;
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(constraint(
            id,
            "AccessKeyId",
            "Member must satisfy regular expression pattern: [\\w]+",
        ));
    }
    Ok(id)
}

/// A whole number within bounds; `None` where it is not given.
pub(crate) fn number(
    form: &Form,
    parameter: &str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, AwsError> {
    let Some(text) = form.get(parameter) else {
        return Ok(None);
    };
    let rule = |rule: &str, bound: u32| {
        constraint(
            text,
            parameter,
            &format!("Member must have value {rule} than or equal to {bound}"),
        )
    };
    let Ok(value) = text.parse::<i64>() else {
        return Err(AwsError::validation(format!("{text} is not a valid value for {parameter}")));
    };
    if value < i64::from(least) {
        return Err(rule("greater", least));
    }
    match u32::try_from(value) {
        Ok(value) if value <= most => Ok(Some(value)),
        Ok(_) | Err(_) => Err(rule("less", most)),
    }
}

/// `Tags.member.N`: keys and values as IAM takes them, each key once.
pub(crate) fn tags(form: &Form) -> Result<Vec<Tag>, AwsError> {
    let mut tags: Vec<Tag> = Vec::new();
    for (index, (key, value)) in form.pairs("Tags", "Key", "Value").into_iter().enumerate() {
        let place = format!("tags.{}.member", index.saturating_add(1));
        let key = key.ok_or_else(|| AwsError::missing(&format!("{place}.key")))?;
        let value = value.ok_or_else(|| AwsError::missing(&format!("{place}.value")))?;
        tag_key(key, &format!("{place}.key"))?;
        tag_text(value, &format!("{place}.value"), 0, 256)?;
        if tags.iter().any(|other| same_key(&other.key, key)) {
            return Err(AwsError::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push(Tag { key: key.to_owned(), value: value.to_owned() });
    }
    if tags.len() > TAGS {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must \
             have length less than or equal to {TAGS}"
        )));
    }
    Ok(tags)
}

/// A tag's key.
pub(crate) fn tag_key(key: &str, place: &str) -> Result<(), AwsError> {
    tag_text(key, place, 1, 128)?;
    let reserved = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if reserved {
        return Err(AwsError::invalid_input(
            "Tag keys starting with 'aws:' are reserved for system use",
        ));
    }
    Ok(())
}

/// IAM tag keys are the same where they differ in case alone (IAM User Guide, tagging rules).
pub(crate) fn same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Letters, separators and digits of any script, and `_.:/=+-@` (IAM API: Tag).
fn tag_text(text: &str, place: &str, shortest: usize, longest: usize) -> Result<(), AwsError> {
    length(text, place, shortest, longest)?;
    let fits = |c: char| {
        c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
    };
    if text.chars().all(fits) {
        return Ok(());
    }
    let count = if shortest == 0 { '*' } else { '+' };
    let rule = format!(
        "Member must satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]{count}"
    );
    Err(constraint(text, place, &rule))
}

/// `ValidationError` in the words of AWS's validation of parameters.
pub(crate) fn constraint(value: &str, parameter: &str, rule: &str) -> AwsError {
    AwsError::validation(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {rule}",
        member(parameter)
    ))
}
