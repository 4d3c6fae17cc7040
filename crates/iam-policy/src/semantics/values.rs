//! Single condition values that cannot be what they should be: addresses, dates, base64, ids, stray wildcards.
//! Only values without variables are read; one with a variable is known at the request only.
//! How values compare is in [`crate::decide`].

use super::Checker;
use crate::address::Range;
use crate::bytes::has_variable;
use crate::date;
use crate::document::Test;
use crate::wildcard::has_wildcard;

pub(super) fn check(checker: &mut Checker<'_>, at: &str, key: &str, test: Test, value: &str) {
    if has_variable(value) {
        return;
    }
    if test.is_address() {
        address(checker, at, key, value);
    }
    if test.is_date() {
        date_value(checker, at, value);
    }
    if test == Test::BinaryEquals && !is_base64(value) {
        let message = format!("`{value}` is not base64");
        checker.reject(
            "invalid-base64",
            at,
            message,
            "encode the value in base64, with its padding",
        );
    }
    if test.is_string() {
        if !test.has_wildcards() && has_wildcard(value) {
            let message =
                format!("`*` and `?` in `{value}` are plain characters under this operator");
            checker.warn(
                "wildcard-without-like",
                at,
                message,
                "write `StringLike` if they are meant as wildcards",
            );
        }
        identifier(checker, at, key, test, value);
    }
}

fn address(checker: &mut Checker<'_>, at: &str, key: &str, value: &str) {
    let Some(range) = Range::parse(value) else {
        let message = format!("`{value}` is not an address range");
        checker.reject(
            "invalid-address",
            at,
            message,
            "write an address or a CIDR range such as `203.0.113.0/24`",
        );
        return;
    };
    if range.has_host_bits() {
        let message = format!("`{value}` has bits set after its prefix, which AWS ignores");
        checker.warn("address-host-bits", at, message, "write the first address of the range");
    }
    if key.eq_ignore_ascii_case("aws:SourceIp") && range.is_private() {
        let message =
            format!("`{value}` is private, and `aws:SourceIp` never holds a private address");
        checker.warn(
            "private-address",
            at,
            message,
            "write the public address, or use `aws:VpcSourceIp`",
        );
    }
}

fn date_value(checker: &mut Checker<'_>, at: &str, value: &str) {
    if date::seconds(value).is_none() {
        let message = format!("`{value}` is not a date");
        checker.warn("invalid-date", at, message, "write it as `2030-01-31T23:59:59Z`");
    } else if date::is_epoch(value) {
        let message = format!("`{value}` is a date in seconds, which AWS discourages");
        checker.warn("date-in-seconds", at, message, "write it as `2030-01-31T23:59:59Z`");
    }
}

/// VPC and endpoint ids have 8 or 17 hexadecimal digits (Amazon EC2 User Guide, resource ids).
fn identifier(checker: &mut Checker<'_>, at: &str, key: &str, test: Test, value: &str) {
    let prefix = if key.eq_ignore_ascii_case("aws:SourceVpc") {
        "vpc-"
    } else if key.eq_ignore_ascii_case("aws:SourceVpce") {
        "vpce-"
    } else {
        return;
    };
    if test.has_wildcards() && has_wildcard(value) {
        return;
    }
    let good = value.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if !good {
        let message = format!("`{value}` is not an id that `{key}` can hold");
        let help = format!("an id is `{prefix}` and 8 or 17 hexadecimal digits");
        checker.reject("invalid-vpc-id", at, message, &help);
    }
}

/// Standard base64 with padding (RFC 4648, section 4).
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(digits.len());
    text.len().is_multiple_of(4)
        && padding <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
