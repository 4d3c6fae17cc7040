//! The forms of single words: actions, resources, condition keys.
//! No data: whether such an action or Region exists is for the catalogue. Refuses nothing that AWS's own policies use.
//! Called by `elements` and `conditions`.

use crate::bytes::{has_variable, split_once};
use crate::wildcard::has_wildcard;

/// Most `*` in one pattern. The managed policies have a handful; what compares patterns pays for each.
pub const MAX_STARS: usize = 16;

/// Most `?` in one pattern: a UUID has 36 characters, and nobody needs to mask more than that.
pub const MAX_QUESTION_MARKS: usize = 40;

/// Parts of an ARN: `arn:partition:service:region:account:resource` (IAM User Guide, ARNs).
pub const ARN_PARTS: usize = 6;

/// A word of the wrong form.
pub(super) struct Fault {
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

fn fault(rule: &'static str, message: String, help: &str) -> Fault {
    Fault { rule, message, help: Some(help.to_owned()) }
}

/// An action: `*`, `*:*`, or `service:name` with wildcards in the name only.
pub(super) fn action(text: &str) -> Result<(), Fault> {
    let shown = text.escape_debug();
    if has_variable(text) {
        let message = format!("the action `{shown}` has a policy variable");
        return Err(fault(
            "variable-in-action",
            message,
            "variables work in resources and conditions only",
        ));
    }
    if matches!(text, "*" | "*:*") {
        return Ok(());
    }
    let Some((service, name)) = split_once(text, b':') else {
        let message = format!("`{shown}` is not an action");
        return Err(fault(
            "invalid-action",
            message,
            "write `service:Action`, such as `s3:GetObject`, or `*`",
        ));
    };
    if service.is_empty()
        || !service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        if has_wildcard(service) {
            let message = format!("the action `{shown}` has a wildcard in its service");
            return Err(fault(
                "invalid-action",
                message,
                "name the service; wildcards work after the colon",
            ));
        }
        let message = format!("the action `{shown}` has no valid service before the colon");
        return Err(fault(
            "invalid-action",
            message,
            "write `service:Action`, such as `s3:GetObject`",
        ));
    }
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'?');
    if name.is_empty() || !name.bytes().all(plain) {
        let message = format!("the action `{shown}` has no valid name after the colon");
        return Err(fault(
            "invalid-action",
            message,
            "a name has letters and digits, and the wildcards `*` and `?`",
        ));
    }
    wildcards(text)
}

/// A resource: `*` or an ARN of six parts.
pub(super) fn resource(text: &str) -> Result<(), Fault> {
    if text == "*" {
        return Ok(());
    }
    let shown = text.escape_debug();
    let invalid = |what: &str, help: &str| {
        Err(fault("invalid-arn", format!("the resource `{shown}` {what}"), help))
    };
    let Some([prefix, partition, service, region, account, resource]) = parts(text) else {
        return invalid(
            "is not an ARN",
            "write `arn:partition:service:region:account:resource`, or `*`",
        );
    };
    if prefix != "arn" {
        return invalid(
            "does not start with `arn:`",
            "write `arn:partition:service:region:account:resource`, or `*`",
        );
    }
    if !is_partition(partition) {
        return invalid(
            "names no known partition",
            "write `aws`, `aws-cn`, `aws-us-gov` or another `aws-…`, or `*`",
        );
    }
    let lower = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*' | b'?')
    };
    if service.is_empty() || !service.bytes().all(lower) {
        return invalid(
            "names no valid service",
            "the third part is the service in lower case, such as `s3`",
        );
    }
    // A variable before the fifth colon is a fault of its own, told by the semantics.
    if !region.bytes().all(lower) && !has_variable(region) {
        return invalid(
            "names no valid Region",
            "the fourth part is a Region such as `eu-west-1`, or empty",
        );
    }
    if !is_account(account) && !has_variable(text) {
        return invalid(
            "names no valid account",
            "the fifth part is an account of 12 digits, or empty",
        );
    }
    if !resource.bytes().all(is_printable) && resource.chars().any(char::is_control) {
        return invalid("has a control character", "remove the line feed or tab");
    }
    wildcards(text)
}

/// The parts of an ARN; what stands in the last one is not split.
fn parts(text: &str) -> Option<[&str; ARN_PARTS]> {
    let mut parts = [""; ARN_PARTS];
    let (last, leading) = parts.split_last_mut()?;
    let mut rest = text;
    for part in leading {
        (*part, rest) = split_once(rest, b':')?;
    }
    *last = rest;
    Some(parts)
}

/// Whether a byte is a printable character of ASCII.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// The partitions are `aws` and `aws-…`; AWS's own policies also write wildcards here.
fn is_partition(text: &str) -> bool {
    let starred = has_wildcard(text);
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*' | b'?')
    };
    text.bytes().all(plain) && (text == "aws" || text.starts_with("aws-") || starred)
}

/// An account is 12 digits, `aws` for what AWS owns, or empty where the service has none.
fn is_account(text: &str) -> bool {
    let starred = has_wildcard(text)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?' | b'-'));
    let twelve_digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty()
        || twelve_digits
        || starred
        || matches!(text, "aws" | "aws-managed" | "cloudfront")
}

fn wildcards(text: &str) -> Result<(), Fault> {
    let count = |wanted: u8| text.bytes().filter(|found| *found == wanted).count();
    let many = has_wildcard(text) && (count(b'*') > MAX_STARS || count(b'?') > MAX_QUESTION_MARKS);
    if many {
        let message =
            format!("a pattern has more than {MAX_STARS} `*` or {MAX_QUESTION_MARKS} `?`");
        return Err(fault("too-many-wildcards", message, "write a shorter pattern, or several"));
    }
    Ok(())
}

/// A condition key: `service:name`; the prefix may be a host name, as identity providers' keys have.
pub(super) fn condition_key(text: &str) -> Result<(), Fault> {
    let shown = text.escape_debug();
    let prefix_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/');
    let good = split_once(text, b':').is_some_and(|(prefix, name)| {
        !prefix.is_empty()
            && prefix.bytes().all(prefix_byte)
            && !name.is_empty()
            && (name.bytes().all(is_printable) || !name.chars().any(char::is_control))
    });
    if good {
        return Ok(());
    }
    let message = format!("`{shown}` is not a condition key");
    Err(fault("invalid-condition-key", message, "write `service:name`, such as `aws:SourceIp`"))
}
