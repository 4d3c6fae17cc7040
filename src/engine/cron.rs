//! Whether a text is a cron expression: five fields, or one of the `@` words. Only asked, never run:
//! scheduled rotation is not offered (contract 1.1). Pure.

/// Says what is wrong with `text`, if anything.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(word) = text.strip_prefix('@') {
        return match word {
            "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly" => {
                Ok(())
            }
            _ => Err(format!("unrecognized descriptor: @{word}")),
        };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let found = fields.len();
        return Err(format!("expected exactly 5 fields, found {found}: [{}]", fields.join(" ")));
    }
    FIELDS.iter().zip(fields).try_for_each(|(kind, text)| kind.check(text))
}

struct Field {
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

/// Minute, hour, day of month, month, day of week (crontab(5)).
const FIELDS: [Field; 5] = [
    Field { least: 0, most: 59, names: &[] },
    Field { least: 0, most: 23, names: &[] },
    Field { least: 1, most: 31, names: &[] },
    Field {
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

impl Field {
    fn check(&self, text: &str) -> Result<(), String> {
        text.split(',').try_for_each(|part| self.check_part(part))
    }

    fn check_part(&self, part: &str) -> Result<(), String> {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        if step.parse::<u16>().ok().is_none_or(|step| step == 0) {
            return Err(format!("step of range should be a positive number: {part}"));
        }
        if matches!(range, "*" | "?") {
            return Ok(());
        }
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to) = (self.value(from)?, self.value(to)?);
        if from > to {
            return Err(format!("beginning of range ({from}) beyond end of range ({to}): {part}"));
        }
        Ok(())
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
    use super::*;

    #[test]
    fn cron_expressions_are_told_from_other_text() {
        for good in ["0 3 * * 0", "*/5 0-6/2 1,15 jan-MAR sun", "@daily", "59 23 31 12 6"] {
            assert_eq!(check(good), Ok(()), "{good}");
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
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("* *").unwrap_err(), "expected exactly 5 fields, found 2: [* *]");
    }
}
