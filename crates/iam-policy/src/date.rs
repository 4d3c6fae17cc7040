//! Points in time as IAM's date operators read them: ISO 8601 in the W3C profile, a bare day, or seconds since 1970.
//! No clock is read; a text that is no date is `None`.
//! Used by [`crate::semantics`] and [`crate::decide`].

/// Seconds since 1970-01-01T00:00:00Z, or `None` if the text is not a date.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    if is_epoch(text) {
        return text.parse().ok();
    }
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let midnight = days(day)?.checked_mul(86_400)?;
    match time {
        None => Some(midnight),
        Some(time) => midnight.checked_add(time_of_day(time)?),
    }
}

/// Whether it is written as seconds since 1970: allowed, and discouraged by AWS.
pub(crate) fn is_epoch(text: &str) -> bool {
    text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Days since 1970-01-01 of `2030`, `2030-01` or `2030-01-31`.
fn days(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4, 0..=9_999)?;
    let month = parts.next().map_or(Some(1), |part| number(part, 2, 1..=12))?;
    let last = days_in_month(year, month);
    let day = parts.next().map_or(Some(1), |part| number(part, 2, 1..=last))?;
    if parts.next().is_some() {
        return None;
    }
    // Years begin in March here, so that the leap day is the last one (the civil-calendar method of H. Hinnant).
    let (shifted_year, shifted_month) = if month > 2 {
        (year, month.checked_sub(3)?)
    } else {
        (year.checked_sub(1)?, month.checked_add(9)?)
    };
    let leap_days = shifted_year
        .div_euclid(4)
        .checked_sub(shifted_year.div_euclid(100))?
        .checked_add(shifted_year.div_euclid(400))?;
    let month_days = shifted_month.checked_mul(153)?.checked_add(2)?.div_euclid(5);
    shifted_year
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_add(month_days)?
        .checked_add(day)?
        // Days from 0000-03-01 to 1970-01-01, plus the one that `day` counts from.
        .checked_sub(719_469)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds into the day, in UTC, of `12:30Z`, `12:30:05Z`, `12:30:05.123+02:00`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix('Z') {
        (clock, 0)
    } else {
        let (clock, offset) = text.split_at_checked(text.rfind(['+', '-'])?)?;
        let minutes = offset.get(1..).and_then(hours_and_minutes)?;
        (clock, if offset.starts_with('-') { minutes.checked_neg()? } else { minutes })
    };
    let clock = clock.split_once('.').map_or(Some(clock), |(whole, fraction)| {
        (!fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(whole)
    })?;
    let (minutes, seconds) = match clock.split(':').count() {
        3 => clock.rsplit_once(':')?,
        _ => (clock, "00"),
    };
    let minutes = hours_and_minutes(minutes)?.checked_sub(offset)?;
    // 60: a leap second.
    minutes.checked_mul(60)?.checked_add(number(seconds, 2, 0..=60)?)
}

fn hours_and_minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    number(hours, 2, 0..=23)?.checked_mul(60)?.checked_add(number(minutes, 2, 0..=59)?)
}

fn number(text: &str, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if plain {
        text.parse().ok()?
    } else {
        return None;
    };
    range.contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_have_known_seconds() {
        let known = [
            ("1970-01-01", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2030-01-01", 1_893_456_000),
            ("2030-01-01T01:00:00+01:00", 1_893_456_000),
            ("2030-01-01T00:00Z", 1_893_456_000),
            ("2029-12-31T23:59:59.999Z", 1_893_455_999),
            ("2030", 1_893_456_000),
            ("1893456000", 1_893_456_000),
            ("1969-12-31T23:59:59Z", -1),
        ];
        for (text, expected) in known {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "tomorrow",
            "2030-13-01",
            "2030-02-30",
            "2030-1-1",
            "2030-01-01T25:00:00Z",
            "2030-01-01T00:00:00",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
