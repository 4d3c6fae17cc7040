//! The beginning that all names of a template share, found by trying: names for people, roles, times and
//! chances that have nothing in common. A template that begins with what differs has none.

use super::{NameInputs, filled};
use crate::model::Timestamp;
use crate::random::Random;

/// People and roles that share no beginning, with moments whose digits share none either.
const SAMPLES: [(&str, &str, i64); 4] = [
    ("token-a", "Reader", 1_000_000_000_000),
    ("9x", "b.deploy", 2_111_111_111_000),
    ("Zoe@example", "q", 4_000_000_000_000),
    ("_", "7", 7_999_999_999_000),
];
/// Names per sample: a random text that begins alike by chance does not do so twelve times.
const CHANCES: u64 = 3;

/// What every name begins with; empty where the names share nothing or the template is broken.
pub fn constant_beginning(template: &str) -> String {
    let mut shared: Option<String> = None;
    for (display_name, role, millis) in SAMPLES {
        let Ok(role) = role.parse() else { continue };
        for seed in 0..CHANCES {
            let inputs = NameInputs::iam(display_name, &role);
            let random = Random::seeded(seed.wrapping_add(millis.unsigned_abs()));
            let made = filled(template, &inputs, Timestamp::from_millis(millis), &random);
            let Ok(name) = made else { continue };
            shared = Some(match shared {
                None => name,
                Some(before) => common(&before, &name),
            });
        }
    }
    shared.unwrap_or_default()
}

fn common(one: &str, other: &str) -> String {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_TEMPLATE;
    use super::*;

    #[test]
    fn the_constant_beginning_of_a_template_is_what_its_names_share() {
        for (template, beginning) in [
            (DEFAULT_TEMPLATE, "vault-"),
            ("app-{{ .PolicyName }}-{{ random 8 }}", "app-"),
            ("{{ .DisplayName }}-{{ random 8 }}", ""),
            ("{{ random 20 }}", ""),
            ("{{ unix_time }}-x", ""),
            (r#"{{ if eq .Type "STS" }}s{{ else }}team.{{ random 4 }}{{ end }}"#, "team."),
            ("{{ nonsense", ""),
        ] {
            assert_eq!(constant_beginning(template), beginning, "{template}");
        }
    }
}
