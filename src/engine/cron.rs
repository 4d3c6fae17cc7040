//! Cron expressions: five fields in UTC, or one of the `@` words (crontab(5); as in crontab, where both the day of
//! the month and the day of the week are restricted, either is enough). Pure; what is scheduled is
//! decided in [`super::rotation`].

use time::{Date, Month, OffsetDateTime, Time};

use crate::model::Timestamp;

/// The longest gap between two 29th of February is eight years: what did not come by then never does.
const DAYS_AHEAD: u32 = 366 * 9;

/// A cron expression, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
}

/// Which numbers a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    /// Bit n stands for the number n.
    bits: u64,
    /// Whether the field was a star: it restricts nothing.
    any: bool,
}

impl Set {
    fn has(self, number: u8) -> bool {
        self.bits.checked_shr(u32::from(number)).unwrap_or(0) & 1 == 1
    }
}

impl Schedule {
    /// Reads `text`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = match text.strip_prefix('@') {
            Some("yearly" | "annually") => "0 0 1 1 *",
            Some("monthly") => "0 0 1 * *",
            Some("weekly") => "0 0 * * 0",
            Some("daily" | "midnight") => "0 0 * * *",
            Some("hourly") => "0 * * * *",
            Some(word) => return Err(format!("unrecognized descriptor: @{word}")),
            None => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            let found = fields.len();
            return Err(format!(
                "expected exactly 5 fields, found {found}: [{}]",
                fields.join(" ")
            ));
        };
        let schedule = Self {
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days: DAY.read(day)?,
            months: MONTH.read(month)?,
            weekdays: WEEKDAY.read(weekday)?,
        };
        match schedule.next_after(Timestamp::from_millis(0)) {
            Some(_) => Ok(schedule),
            None => Err(format!("no day is ever like that: [{}]", fields.join(" "))),
        }
    }

    /// The first scheduled moment that is later than `after`.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let first_minute = after.as_seconds().div_euclid(60).checked_add(1)?.checked_mul(60)?;
        let from = OffsetDateTime::from_unix_timestamp(first_minute).ok()?;
        let mut date = from.date();
        let mut earliest = from.time();
        for _day in 0..DAYS_AHEAD {
            if self.takes(date)
                && let Some(time) = self.time_from(earliest)
            {
                let moment = OffsetDateTime::new_utc(date, time);
                return Some(Timestamp::from_millis(moment.unix_timestamp().checked_mul(1000)?));
            }
            date = date.next_day()?;
            earliest = Time::MIDNIGHT;
        }
        None
    }

    fn takes(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().number_days_from_sunday());
        let of_the_day =
            if self.days.any || self.weekdays.any { day && weekday } else { day || weekday };
        of_the_day && self.months.has(Month::into(date.month()))
    }

    fn time_from(&self, earliest: Time) -> Option<Time> {
        (earliest.hour()..24).filter(|hour| self.hours.has(*hour)).find_map(|hour| {
            let first = if hour == earliest.hour() { earliest.minute() } else { 0 };
            let minute = (first..60).find(|minute| self.minutes.has(*minute))?;
            Time::from_hms(hour, minute, 0).ok()
        })
    }
}

struct Field {
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { least: 0, most: 59, names: &[] };
const HOUR: Field = Field { least: 0, most: 23, names: &[] };
const DAY: Field = Field { least: 1, most: 31, names: &[] };
const MONTH: Field = Field {
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field =
    Field { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Field {
    fn read(&self, text: &str) -> Result<Set, String> {
        let mut set = Set { bits: 0, any: false };
        for part in text.split(',') {
            let (bits, any) = self.read_part(part)?;
            set = Set { bits: set.bits | bits, any: set.any || any };
        }
        Ok(set)
    }

    fn read_part(&self, part: &str) -> Result<(u64, bool), String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let every = step.map_or(Some(1), |step| step.parse::<usize>().ok()).filter(|n| *n > 0);
        let every =
            every.ok_or_else(|| format!("step of range should be a positive number: {part}"))?;
        let star = matches!(range, "*" | "?");
        let (from, to) = match range.split_once('-') {
            _ if star => (self.least, self.most),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            // `5/15` goes on to the end of the range.
            None if step.is_some() => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if from > to {
            return Err(format!("beginning of range ({from}) beyond end of range ({to}): {part}"));
        }
        let bit = |number: u8| 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
        let bits = (from..=to).step_by(every).fold(0, |bits, number| bits | bit(number));
        Ok((bits, star && every == 1))
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        let value = match named {
            Some(at) => u8::try_from(at).ok().and_then(|at| at.checked_add(self.least)),
            None => text.parse().ok(),
        };
        let Some(value) = value else {
            return Err(format!("failed to parse int from {text}"));
        };
        if (self.least..=self.most).contains(&value) {
            Ok(value)
        } else {
            let (least, most) = (self.least, self.most);
            Err(format!("{value} is outside of the range {least} to {most}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    fn next(text: &str, after: &str) -> Option<String> {
        let after = OffsetDateTime::parse(after, &Rfc3339).unwrap().unix_timestamp();
        let after = after.checked_mul(1000).unwrap();
        let schedule = Schedule::parse(text).unwrap();
        schedule.next_after(Timestamp::from_millis(after)).map(Timestamp::rfc3339)
    }

    #[test]
    fn cron_expressions_are_told_from_other_text() {
        for good in ["0 3 * * 0", "*/5 0-6/2 1,15 jan-MAR sun", "@daily", "59 23 31 12 6"] {
            assert!(Schedule::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "never",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "@often",
            "x * * * *",
            "0 0 30 2 *",
        ] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Schedule::parse("* *").unwrap_err(),
            "expected exactly 5 fields, found 2: [* *]"
        );
    }

    #[test]
    fn the_next_moment_is_later_than_the_one_asked_for() {
        let noon = "2026-06-03T12:00:00Z";
        for (text, wanted) in [
            ("* * * * *", "2026-06-03T12:01:00Z"),
            ("0 12 * * *", "2026-06-04T12:00:00Z"),
            ("30 12 * * *", "2026-06-03T12:30:00Z"),
            ("@hourly", "2026-06-03T13:00:00Z"),
            ("@monthly", "2026-07-01T00:00:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z"),
            ("0 3 * * sun", "2026-06-07T03:00:00Z"),
            ("15/20 8-10 * * 1-5", "2026-06-04T08:15:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(next(text, noon).unwrap(), wanted, "{text}");
        }
        assert_eq!(next("0 0 29 2 *", "2096-03-01T00:00:00Z").unwrap(), "2104-02-29T00:00:00Z");
    }

    #[test]
    fn either_kind_of_day_is_enough_where_both_are_restricted() {
        let wednesday = "2026-06-03T12:00:00Z";
        assert_eq!(next("0 0 15 * mon", wednesday).unwrap(), "2026-06-08T00:00:00Z");
        assert_eq!(next("0 0 5 * mon", wednesday).unwrap(), "2026-06-05T00:00:00Z");
        assert_eq!(next("0 0 * * mon", wednesday).unwrap(), "2026-06-08T00:00:00Z");
        assert_eq!(next("0 0 15 * *", wednesday).unwrap(), "2026-06-15T00:00:00Z");
    }
}
