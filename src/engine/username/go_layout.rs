//! A time printed by one of Go's layouts, which show how the reference time `Mon Jan 2 15:04:05 MST
//! 2006` would look. Always UTC. Pure; the time is an argument.

use time::{Month, OffsetDateTime, Weekday};

use crate::model::Timestamp;

/// The words of a layout, each before those that it begins with.
const WORDS: [&str; 36] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "__2",
    "_2",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "PM",
    "pm",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    "1",
    "2",
    "3",
    "4",
    "5",
    ".",
    ",",
    "_2006",
];

/// Prints `now` by `layout`.
pub(super) fn format(layout: &str, now: Timestamp) -> Result<String, String> {
    let nanos = i128::from(now.as_millis()).saturating_mul(1_000_000);
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .map_err(|_range| "the time is out of range".to_owned())?;
    let mut text = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let word = WORDS.iter().find(|word| begins_with(rest, word));
        let (shown, used) = match word {
            Some(&"_2006") | None => (first.to_string(), first.len_utf8()),
            Some(&fraction @ ("." | ",")) => fraction_of(fraction, rest, moment),
            Some(word) => (show(word, moment), word.len()),
        };
        text.push_str(&shown);
        rest = rest.get(used..).unwrap_or_default();
    }
    Ok(text)
}

fn begins_with(rest: &str, word: &str) -> bool {
    let Some(after) = rest.strip_prefix(word) else {
        return false;
    };
    match word {
        // `Janet` is no month.
        "Jan" | "Mon" => !after.starts_with(|c: char| c.is_ascii_lowercase()),
        // `_2006` is a blank before a year.
        "_2" => !after.starts_with("006"),
        _ => true,
    }
}

/// Fractions of a second: `.000` keeps zeros, `.999` drops them.
fn fraction_of(point: &str, rest: &str, moment: OffsetDateTime) -> (String, usize) {
    let after = rest.strip_prefix(point).unwrap_or_default();
    let digit = after.chars().next().filter(|c| matches!(c, '0' | '9'));
    let digits =
        digit.map_or(0, |digit| after.len().saturating_sub(after.trim_start_matches(digit).len()));
    let ends_there = !after.chars().nth(digits).is_some_and(|c| c.is_ascii_digit());
    if !(1..=9).contains(&digits) || !ends_there {
        return (point.to_owned(), point.len());
    }
    let nanos = format!("{:09}", moment.nanosecond());
    let kept = nanos.get(..digits).unwrap_or(&nanos);
    let kept = if digit == Some('9') { kept.trim_end_matches('0') } else { kept };
    let shown = if kept.is_empty() { String::new() } else { format!("{point}{kept}") };
    (shown, digits.saturating_add(point.len()))
}

fn show(word: &str, moment: OffsetDateTime) -> String {
    let hour = moment.hour();
    let half = match hour.checked_rem(12).unwrap_or(0) {
        0 => 12,
        hour => hour,
    };
    let month = month_name(moment.month());
    let weekday = weekday_name(moment.weekday());
    let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
    match word {
        "January" => month.to_owned(),
        "Jan" => short(month),
        "Monday" => weekday.to_owned(),
        "Mon" => short(weekday),
        "MST" => "UTC".to_owned(),
        "2006" => format!("{:04}", moment.year()),
        "06" => format!("{:02}", moment.year().rem_euclid(100)),
        "__2" => format!("{:3}", moment.ordinal()),
        "002" => format!("{:03}", moment.ordinal()),
        "_2" => format!("{:2}", moment.day()),
        "02" => format!("{:02}", moment.day()),
        "2" => moment.day().to_string(),
        "01" => format!("{:02}", u8::from(moment.month())),
        "1" => u8::from(moment.month()).to_string(),
        "15" => format!("{hour:02}"),
        "03" => format!("{half:02}"),
        "3" => half.to_string(),
        "04" => format!("{:02}", moment.minute()),
        "4" => moment.minute().to_string(),
        "05" => format!("{:02}", moment.second()),
        "5" => moment.second().to_string(),
        "PM" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "pm" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        zone if zone.starts_with('Z') => "Z".to_owned(),
        offset => offset.replace("-07", "+00"),
    }
}

const fn month_name(month: Month) -> &'static str {
    match month {
        Month::January => "January",
        Month::February => "February",
        Month::March => "March",
        Month::April => "April",
        Month::May => "May",
        Month::June => "June",
        Month::July => "July",
        Month::August => "August",
        Month::September => "September",
        Month::October => "October",
        Month::November => "November",
        Month::December => "December",
    }
}

const fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_show_the_reference_time() {
        // 2009-02-04 21:00:57.012 UTC, a Wednesday.
        let now = Timestamp::from_millis(1_233_781_257_012);
        for (layout, wanted) in [
            ("2006-01-02T15:04:05Z07:00", "2009-02-04T21:00:57Z"),
            ("Mon Jan _2 15:04:05 2006", "Wed Feb  4 21:00:57 2009"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Wednesday, 04-Feb-09 21:00:57 UTC"),
            ("02 Jan 06 15:04 -0700", "04 Feb 09 21:00 +0000"),
            ("3:04PM 03pm -07:00", "9:00PM 09pm +00:00"),
            ("January 2 1 4 5", "February 4 2 0 57"),
            ("05.000 05.999 05.9 05.00000", "57.012 57.012 57 57.01200"),
            ("002 __2 _2006", "035  35 _2009"),
            ("20060102150405", "20090204210057"),
            ("Janet is 7 years", "Janet is 7 years"),
            ("é.x", "é.x"),
        ] {
            assert_eq!(format(layout, now).unwrap(), wanted, "{layout}");
        }
    }
}
