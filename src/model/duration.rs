//! Durations as Vault reads and prints them: whole seconds, Go's `1h30m`, or days (contract 0.4).
//! Pure text to number and back; it decides nothing. Used wherever a TTL is
//! read or printed.

use std::time::Duration;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// Reads a whole number of seconds, a Go duration, or whole days with a `d`; the empty text is 0.
/// Gives nanoseconds, or Go's sentence about what is wrong.
pub fn parse(text: &str) -> Result<i128, String> {
    if text.is_empty() {
        return Ok(0);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return scaled(i128::from(seconds), SECOND, text);
    }
    if let Some(days) = text.strip_suffix('d')
        && let Ok(days) = days.parse::<i64>()
    {
        return scaled(i128::from(days), SECOND.saturating_mul(86_400), text);
    }
    go_duration(text).ok_or_else(|| complaint(text))
}

/// The same in whole seconds, cut towards zero.
pub fn parse_seconds(text: &str) -> Result<i64, String> {
    let nanos = parse(text)?;
    i64::try_from(nanos.checked_div(SECOND).unwrap_or(0)).map_err(|_wide| complaint(text))
}

/// Go's print of a duration of whole seconds: `1h0m0s`, `1m30s`, `0s`.
pub fn print_seconds(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let (minutes, rest) = div_rem(seconds.unsigned_abs());
    let (hours, minutes) = div_rem(minutes);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, minutes) => format!("{sign}{minutes}m{rest}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

/// The same of any duration, to the millisecond, without units that are zero: `2h`, `1h30m`,
/// `58m59.5s`, `0s` (contract 1.6).
pub fn print_short(duration: Duration) -> String {
    let millis = duration.subsec_millis();
    let whole = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    if whole == 0 && millis > 0 {
        return format!("{millis}ms");
    }
    let mut text = print_seconds(whole);
    if millis > 0 {
        text.pop();
        let fraction = format!(".{millis:03}");
        return format!("{text}{}s", fraction.trim_end_matches('0'));
    }
    for (end, keep) in [("m0s", "m"), ("h0m", "h")] {
        if let Some(front) = text.strip_suffix(end) {
            text = format!("{front}{keep}");
        }
    }
    text
}

/// Vault's warning about a TTL that was cut (contract 1.6). It reckons the maximum in whole seconds.
pub fn ttl_capped(asked: Duration, given: Duration) -> String {
    let (asked, given) = (print_short(asked), print_short(Duration::from_secs(given.as_secs())));
    format!(
        "TTL of \"{asked}\" exceeded the effective max_ttl of \"{given}\"; TTL value is capped accordingly"
    )
}

fn div_rem(value: u64) -> (u64, u64) {
    (value.checked_div(60).unwrap_or(0), value.checked_rem(60).unwrap_or(0))
}

fn scaled(value: i128, unit: i128, text: &str) -> Result<i128, String> {
    let nanos = value.saturating_mul(unit);
    // Go keeps durations in 63 bits of nanoseconds.
    match i64::try_from(nanos) {
        Ok(nanos) => Ok(i128::from(nanos)),
        Err(_wide) => Err(format!("time: invalid duration {}", super::go_text::quote(text))),
    }
}

/// Go's `time.ParseDuration` without its sentences.
fn go_duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let (unit, after) = split_unit(after)?;
        total = total.checked_add(in_unit(number, unit)?)?;
        rest = after;
    }
    let total = if negative { total.checked_neg()? } else { total };
    i64::try_from(total).ok().map(i128::from)
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let well_formed =
        number.matches('.').count() < 2 && number.contains(|c: char| c.is_ascii_digit());
    well_formed.then_some((number, rest))
}

fn split_unit(text: &str) -> Option<(i128, &str)> {
    let end = text.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(text.len());
    let (unit, rest) = text.split_at_checked(end)?;
    let nanos = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => SECOND.checked_mul(60)?,
        "h" => SECOND.checked_mul(3_600)?,
        _ => return None,
    };
    Some((nanos, rest))
}

fn in_unit(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut nanos = match whole {
        "" => 0,
        digits => digits.parse::<i64>().ok().map(i128::from)?.checked_mul(unit)?,
    };
    let mut scale = unit;
    for digit in fraction.chars() {
        scale = scale.checked_div(10)?;
        nanos = nanos.checked_add(i128::from(digit.to_digit(10)?).checked_mul(scale)?)?;
    }
    Some(nanos)
}

/// Go's sentence about a text that is no duration.
fn complaint(text: &str) -> String {
    let quoted = super::go_text::quote(text);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut rest = unsigned;
    while let Some((_, after)) = split_number(rest) {
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end).unwrap_or((after, ""));
        if unit.is_empty() {
            return format!("time: missing unit in duration {quoted}");
        }
        if split_unit(after).is_none() {
            let unit = super::go_text::quote(unit);
            return format!("time: unknown unit {unit} in duration {quoted}");
        }
        rest = next;
    }
    format!("time: invalid duration {quoted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_contract_is_read() {
        let seconds = [
            ("3600", 3600),
            ("90m", 5400),
            ("1h30m", 5400),
            ("7d", 604_800),
            ("", 0),
            ("1500ms", 1),
            ("900ms", 0),
            ("1.5h", 5400),
            ("-5", -5),
            ("-5m", -300),
            ("0s", 0),
            ("2h0m0s", 7200),
        ];
        for (text, wanted) in seconds {
            assert_eq!(parse_seconds(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_gets_gos_sentence() {
        let told = |text: &str| parse_seconds(text).unwrap_err();
        assert_eq!(told("abc"), r#"time: invalid duration "abc""#);
        assert_eq!(told("1.5"), r#"time: missing unit in duration "1.5""#);
        assert_eq!(told("5x"), r#"time: unknown unit "x" in duration "5x""#);
        assert_eq!(told("1d12h"), r#"time: unknown unit "d" in duration "1d12h""#);
        assert_eq!(told("9999999999999999"), r#"time: invalid duration "9999999999999999""#);
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        let cases = [
            (3600, "1h0m0s", "1h"),
            (5400, "1h30m0s", "1h30m"),
            (90, "1m30s", "1m30s"),
            (3601, "1h0m1s", "1h0m1s"),
            (120, "2m0s", "2m"),
            (0, "0s", "0s"),
            (10, "10s", "10s"),
        ];
        for (seconds, long, short) in cases {
            assert_eq!(print_seconds(seconds), long);
            let duration = Duration::from_secs(u64::try_from(seconds).unwrap());
            assert_eq!(print_short(duration), short);
        }
        assert_eq!(print_seconds(-60), "-1m0s");
        assert_eq!(print_short(Duration::from_millis(3_539_500)), "58m59.5s");
        assert_eq!(print_short(Duration::from_millis(3_600_001)), "1h0m0.001s");
        assert_eq!(print_short(Duration::from_millis(20)), "20ms");
    }
}
