//! regorus with our functions: loads a policy, runs its `deny`, `warn` and `skip`, and turns regorus's errors into one
//! line with file, line and column. It knows no grant and no finding.

use std::fmt;

use leasehold_guardrail_sdk::pattern;
use leasehold_guardrail_sdk::serde_json::{self, Value as Json};
use regorus::{Engine, Value};

use crate::policy::Module;

/// The package that is asked.
const PACKAGE: &str = "guardrail";

/// A policy in the engine.
pub(crate) struct Loaded {
    engine: Engine,
    /// Which of the rules that are asked the policy has.
    has: Asked<bool>,
}

/// The value of a rule.
#[derive(Debug, Default)]
pub(crate) enum Said {
    /// There is no such rule, or it is undefined.
    #[default]
    Nothing,
    /// A set's entries, in regorus's order, which is by value and means nothing.
    Set(Vec<Json>),
    /// Anything else; a list is in the policy's own order.
    Other(Json),
}

/// One thing for each rule that is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked<T> {
    /// Objections that refuse.
    pub(crate) deny: T,
    /// Objections that warn.
    pub(crate) warn: T,
    /// Why the policy does not apply.
    pub(crate) skip: T,
    /// What is wrong with the settings.
    pub(crate) settings_issues: T,
}

/// What is wrong with a policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// In which file.
    pub(crate) path: Option<String>,
    place: Option<(u32, u32)>,
    message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}")?;
            if let Some((line, column)) = self.place {
                write!(f, " line {line} column {column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl Loaded {
    /// Parses the modules and adds the data.
    pub(crate) fn new(modules: &[Module], data: &Json) -> Result<Self, Broken> {
        let mut engine = Engine::new();
        engine.set_gather_prints(true);
        engine.set_strict_builtin_errors(true);
        add_functions(&mut engine).map_err(|error| Broken::of(&error.to_string()))?;
        let mut has: Asked<bool> = Asked::default();
        for Module { path, text } in modules {
            let broken = |error: &dyn fmt::Display| Broken::of(&error.to_string()).in_file(path);
            let package = engine
                .add_policy(path.clone(), text.clone())
                .map_err(|error| broken(&format_args!("{error:#}")))?;
            if package != format!("data.{PACKAGE}") {
                continue;
            }
            let declares = |name| engine.has_declared_rule_rooted_at(path, name);
            for (name, flag) in [
                ("deny", &mut has.deny),
                ("warn", &mut has.warn),
                ("skip", &mut has.skip),
                ("settings_issues", &mut has.settings_issues),
            ] {
                *flag |= declares(name).map_err(|error| broken(&format_args!("{error:#}")))?;
            }
        }
        if !(has.deny || has.warn) {
            let message = format!("there is neither a `deny` nor a `warn` in `package {PACKAGE}`");
            let path = match modules {
                [only] => Some(only.path.clone()),
                _ => None,
            };
            return Err(Broken { path, place: None, message });
        }
        engine
            .add_data(Value::from(data.clone()))
            .map_err(|error| Broken::of(&format!("the data: {error:#}")))?;
        Ok(Self { engine, has })
    }

    /// Runs it on a small grant, which finds what parsing does not: unknown functions, variables that are never bound,
    /// rules that contradict themselves. What a function thinks of a value of the rehearsal does not count.
    pub(crate) fn rehearse(&mut self, settings: &Json) -> Result<Asked<Said>, Broken> {
        self.engine.set_strict_builtin_errors(false);
        let mut input: Json = serde_json::from_str(include_str!("rehearsal.json"))
            .map_err(|error| Broken::of(&format!("rehearsal.json: {error}")))?;
        if let Some(place) = input.get_mut("settings") {
            *place = settings.clone();
        }
        let settings_issues = self.has.settings_issues;
        self.engine.set_input(Value::from(input));
        Ok(Asked {
            settings_issues: self.ask("settings_issues", settings_issues)?,
            ..self.asked()?
        })
    }

    /// What the policy says of an input.
    pub(crate) fn run(&mut self, input: Json) -> Result<Asked<Said>, Broken> {
        self.engine.set_input(Value::from(input));
        self.asked()
    }

    fn asked(&mut self) -> Result<Asked<Said>, Broken> {
        let Asked { deny, warn, skip, settings_issues: _ } = self.has;
        Ok(Asked {
            deny: self.ask("deny", deny)?,
            warn: self.ask("warn", warn)?,
            skip: self.ask("skip", skip)?,
            settings_issues: Said::Nothing,
        })
    }

    fn ask(&mut self, name: &str, there: bool) -> Result<Said, Broken> {
        if !there {
            return Ok(Said::Nothing);
        }
        let path = format!("data.{PACKAGE}.{name}");
        let value =
            self.engine.eval_rule(path).map_err(|error| Broken::of(&format!("{error:#}")))?;
        said(&value)
    }

    /// What the policy printed.
    pub(crate) fn prints(&mut self) -> Vec<String> {
        self.engine.take_prints().unwrap_or_default()
    }
}

/// As JSON, which has no sets.
fn said(value: &Value) -> Result<Said, Broken> {
    let failed = |error: &dyn fmt::Display| Broken::of(&format!("its answer is not JSON: {error}"));
    let plain = |value: &Value| {
        let text = value.to_json_str().map_err(|error| failed(&error))?;
        serde_json::from_str::<Json>(&text).map_err(|error| failed(&error))
    };
    Ok(match value {
        Value::Undefined => Said::Nothing,
        Value::Set(set) => Said::Set(set.iter().map(plain).collect::<Result<_, _>>()?),
        other => Said::Other(plain(other)?),
    })
}

/// What IAM does with wildcards, exactly.
fn add_functions(engine: &mut Engine) -> Result<(), impl fmt::Display + use<>> {
    type Matches = fn(&str, &str) -> bool;
    let functions: [(&str, Matches); 3] = [
        ("iam.matches_action", pattern::matches_action),
        ("iam.covers_action", pattern::covers_action),
        ("iam.matches", pattern::matches),
    ];
    functions.into_iter().try_for_each(|(name, matches)| {
        let function = move |parameters: Vec<Value>| {
            let [pattern, text] = parameters.as_slice() else { return Ok(Value::Undefined) };
            Ok(Value::from(matches(pattern.as_string()?, text.as_string()?)))
        };
        engine.add_extension(name.to_owned(), 2, Box::new(function))
    })
}

impl Broken {
    /// Reads regorus's form: `--> path:line:column`, the line itself with a mark under it, then `kind: message`.
    fn of(text: &str) -> Self {
        let text = text.trim();
        let placed =
            text.strip_prefix("-->").or_else(|| text.split_once("\n-->").map(|(_, at)| at));
        let place = placed.and_then(|placed| {
            let (at, _) = placed.trim_start().split_once('\n')?;
            let mut parts = at.rsplitn(3, ':');
            let column = parts.next()?.trim().parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            Some((parts.next()?.to_owned(), (line, column)))
        });
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text).trim();
        let message = last.strip_prefix("error: ").unwrap_or(last).to_owned();
        match place {
            Some((path, place)) => Self { path: Some(path), place: Some(place), message },
            None => Self { path: None, place: None, message },
        }
    }

    fn in_file(mut self, path: &str) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}
