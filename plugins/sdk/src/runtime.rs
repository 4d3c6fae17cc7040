//! What stands between the contract's functions and a [`Guardrail`]: the panic hook and the reading of settings.
//! Called by [`crate::export!`] alone; holds no rule.

use crate::{Failure, Grant, Guardrail, Report, SettingsIssue};

/// Compiles only for a [`Guardrail`].
pub fn is_guardrail<G: Guardrail>() {}

/// Sends a panic's text to the log, so that the operator sees more than `unreachable`.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string())));
}

/// Reads settings and judges.
pub fn evaluate<G: Guardrail>(grant: &Grant, settings: &str) -> Result<Report, Failure> {
    let settings = read::<G>(settings).map_err(|issue| Failure::Settings(vec![issue]))?;
    G::evaluate(grant, &settings)
}

/// Reads settings and says what is wrong with them.
pub fn check_settings<G: Guardrail>(settings: &str) -> Vec<SettingsIssue> {
    match read::<G>(settings) {
        Ok(settings) => G::check_settings(&settings),
        Err(issue) => vec![issue],
    }
}

fn read<G: Guardrail>(settings: &str) -> Result<G::Settings, SettingsIssue> {
    let text = if settings.trim().is_empty() { "{}" } else { settings };
    serde_json::from_str(text)
        .map_err(|error| SettingsIssue { pointer: String::new(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Manifest, NoSettings, Verdict};

    struct Nothing;

    impl Guardrail for Nothing {
        type Settings = NoSettings;

        fn describe() -> Manifest {
            Manifest::new("nothing", "1.0.0", "finds nothing")
        }

        fn evaluate(_grant: &Grant, _settings: &NoSettings) -> Result<Report, Failure> {
            Ok(crate::report(Vec::new()))
        }
    }

    #[test]
    fn no_settings_read_as_an_empty_object() {
        let grant = crate::testing::grant(Vec::new());
        assert_eq!(evaluate::<Nothing>(&grant, "").map(|report| report.verdict), Ok(Verdict::Pass));
        assert_eq!(check_settings::<Nothing>("{}"), []);
    }

    #[test]
    fn settings_that_do_not_fit_are_a_failure_and_an_issue() {
        let grant = crate::testing::grant(Vec::new());
        let failed = evaluate::<Nothing>(&grant, r#"{"a":1}"#);
        assert!(matches!(failed, Err(Failure::Settings(issues)) if issues.len() == 1));
        assert_eq!(check_settings::<Nothing>("[").len(), 1);
    }
}
