//! Made-up grants and settings against one plugin: it must never crash, run into a limit, point to nowhere, say another
//! thing when asked again, or offer a patch that does not cure. Whether its verdicts are right no random case can tell; vectors do.
//!
//! | file | holds |
//! |---|---|
//! | `random` | numbers from a seed, the same for ever |
//! | `grants` | made-up grants, good and broken |
//! | `schema` | made-up settings out of the plugin's schema |
//! | `shrink` | a case that goes wrong, made small |

mod grants;
mod random;
mod schema;
mod shrink;

use guardrail_host::{Evaluation, Failure, Plugin};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::cli::Stopped;
use crate::settings;
use crate::vector::{Cure, Vector, cure};

use random::Random;
use schema::Settings;

/// Makes cases for one plugin and judges them.
pub(crate) struct Fuzzer<'a> {
    plugin: &'a Plugin,
    schema: Value,
    validator: Validator,
    examples: Vec<Value>,
    fixed: Option<Value>,
    seed: u64,
}

/// What came of a case.
#[derive(Debug)]
pub(crate) enum Judged {
    /// The host takes no such document, so no guardrail ever sees it.
    NoPolicy,
    /// The schema or the plugin refuses the settings, so they would never be stored.
    NoSettings,
    /// An answer, or the plugin's own word that it does not judge such grants.
    Good(Evaluation),
    /// What must not happen.
    Wrong(Fault),
}

/// What must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The code of a failure, or `another-answer`, or `patch`.
    pub(crate) code: &'static str,
    /// What happened.
    pub(crate) text: String,
}

impl<'a> Fuzzer<'a> {
    /// A fuzzer of a plugin. `examples` are settings that its author uses; with `fixed` there are no others.
    pub(crate) fn new(
        plugin: &'a Plugin,
        examples: Vec<Value>,
        fixed: Option<Value>,
        seed: u64,
    ) -> Result<Self, Stopped> {
        let text = plugin.settings_schema();
        let validator = settings::validator(text)
            .map_err(|why| format!("the settings schema is no JSON Schema: {why}"))?;
        let schema = serde_json::from_str(text)?;
        Ok(Self { plugin, schema, validator, examples, fixed, seed })
    }

    /// A case by its number, in the form of a vector.
    pub(crate) fn case(&self, number: u64) -> Value {
        let mut random = Random::of(self.seed, number);
        let mut vector = Map::new();
        vector.insert("grant".into(), grants::grant(&mut random));
        if let Some(settings) = self.settings(&mut random) {
            vector.insert("settings".into(), settings);
        }
        vector.insert("expect".into(), json!({"verdict": "any"}));
        vector.into()
    }

    /// None in most cases with a plugin that needs none, some that are broken, and some that are good.
    fn settings(&self, random: &mut Random) -> Option<Value> {
        if let Some(fixed) = &self.fixed {
            return Some(fixed.clone());
        }
        let settings = Settings::new(&self.schema, &self.validator, &self.examples);
        match random.below(10) {
            0..4 if self.validator.is_valid(&json!({})) => None,
            9 => Some(settings.broken(random)),
            _ => settings.valid(random),
        }
    }

    /// Judges a case.
    pub(crate) fn judge(&self, case: &Value) -> Judged {
        let Ok(vector) = Vector::read(case.to_string().as_bytes()) else {
            return Judged::NoPolicy;
        };
        match self.takes(&vector, case.get("settings")) {
            Err(failure) => return Judged::Wrong(Fault::of("while it checks settings", &failure)),
            Ok(false) => return Judged::NoSettings,
            Ok(true) => {}
        }
        let judge = || self.plugin.evaluate_blocking(vector.grant(), vector.settings());
        let (first, second) = (judge(), judge());
        match &first.result {
            Err(Failure::Unsupported(_)) | Ok(_) if first == second => {
                match self.bad_patch(&vector, &first) {
                    Some(fault) => Judged::Wrong(fault),
                    None => Judged::Good(first),
                }
            }
            Err(Failure::Unsupported(_)) | Ok(_) => Judged::Wrong(Fault {
                code: "another-answer",
                text: "asked twice, it says or needs something else the second time".into(),
            }),
            Err(failure) => Judged::Wrong(Fault::of("while it judges", failure)),
        }
    }

    /// A patch of the answer that does not do what it is for.
    fn bad_patch(&self, vector: &Vector, evaluation: &Evaluation) -> Option<Fault> {
        let report = evaluation.result.as_ref().ok()?;
        report.findings.iter().find_map(|finding| {
            match cure(vector.grant(), vector.settings(), self.plugin, report, finding)? {
                Cure::Cured => None,
                Cure::NotCured(why) => {
                    let text = format!("the finding `{}` comes with {why}", finding.rule);
                    Some(Fault { code: "patch", text })
                }
            }
        })
    }

    /// Whether a server would have stored the settings. Settings that the schema refuses are shown to the plugin all the
    /// same: it must not crash on them either.
    fn takes(&self, vector: &Vector, settings: Option<&Value>) -> Result<bool, Failure> {
        let by_schema = settings.is_none_or(|settings| self.validator.is_valid(settings));
        let issues = self.plugin.check_settings(vector.settings())?;
        Ok(by_schema && issues.is_empty())
    }

    /// The smallest case with the same fault.
    pub(crate) fn shrunk(&self, case: Value, fault: &Fault) -> Value {
        shrink::shrink(
            case,
            |smaller| matches!(self.judge(smaller), Judged::Wrong(found) if found.code == fault.code),
        )
    }
}

impl Fault {
    fn of(when: &str, failure: &Failure) -> Self {
        Self { code: failure.code(), text: format!("{when}: {failure}") }
    }
}
