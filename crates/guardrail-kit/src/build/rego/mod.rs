//! Builds Rego: a copy of the built-in component `rego` with the project's policy in it, so that the guardrail has its own
//! name, rules, settings and digest, and needs no compiler. The policy is checked by the component itself.
//! How it gets in is in `embed`; what a policy gets and gives is in `plugins/rego/README.md`.

mod embed;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Steps;
use crate::cli::Stopped;
use crate::component::Loading;
use crate::project::{FILE, Project, Rego};

/// The component `rego` as built from `plugins/rego`. A static, so that the program holds its 2 MB once: the server binds
/// the same bytes.
pub static REGO: &[u8] = include_bytes!("../../../../../plugins/rego/rego.wasm");

/// Puts the policy into the component, and lets it say what is wrong with the policy.
pub(crate) fn component(
    project: &Project,
    loading: &Loading,
    steps: &mut Steps<'_>,
) -> Result<Vec<u8>, Stopped> {
    let Some(rego) = &project.rego else {
        return Err(format!("`{FILE}` has no part `[rego]`, which names the policy's files").into());
    };
    steps.say("putting the policy into the component `rego`")?;
    let policy = embedded(project, rego)?;
    check(&policy, loading)?;
    Ok(embed::embed(REGO, policy.to_string().as_bytes())?)
}

/// Asks the component as it is, with the policy as its settings: its compiled code is kept from build to build.
fn check(policy: &Value, loading: &Loading) -> Result<(), Stopped> {
    let part = |name: &str| policy.get(name).cloned().unwrap_or_default();
    let settings = json!({ "modules": part("modules"), "data": part("data") });
    let plugin = loading.host()?.load(REGO)?;
    let issues = plugin.check_settings(&settings.to_string())?;
    if issues.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = issues.iter().map(|issue| issue.message.as_str()).collect();
    Err(format!("the policy has mistakes:\n{}", lines.join("\n")).into())
}

/// What the component reads (`plugins/rego/src/embedded.rs`).
fn embedded(project: &Project, rego: &Rego) -> Result<Value, Stopped> {
    let module = |path: &std::path::PathBuf| -> Result<Value, Stopped> {
        Ok(json!({ "path": path.display().to_string(), "text": read(&project.dir.join(path))? }))
    };
    let modules = rego.modules.iter().map(module).collect::<Result<Vec<_>, _>>()?;
    let object = |path: &Option<std::path::PathBuf>, missing: Value| -> Result<Value, Stopped> {
        path.as_ref().map_or(Ok(missing), |path| read_json(&project.dir.join(path)))
    };
    Ok(json!({
        "name": project.name,
        "version": rego.version,
        "summary": rego.summary,
        "rules": rego.rules,
        "modules": modules,
        "data": object(&rego.data, json!({}))?,
        "settings_schema": object(
            &rego.settings_schema,
            json!({ "type": "object", "additionalProperties": false }),
        )?,
    }))
}

fn read(path: &Path) -> Result<String, Stopped> {
    fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()).into())
}

fn read_json(path: &Path) -> Result<Value, Stopped> {
    serde_json::from_str(&read(path)?)
        .map_err(|error| format!("`{}` is not JSON: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::super::{Options, build};
    use super::*;

    const PROJECT: &str = "[plugin]\nname = \"few-users\"\nlanguage = \"rego\"\n[rego]\nversion = \"1.2.3\"\n\
        summary = \"refuses users\"\nmodules = [\"policy.rego\"]\n[[rego.rules]]\nid = \"users\"\n\
        title = \"Users\"\nseverity = \"critical\"\n";

    fn built(policy: &str) -> Result<guardrail_host::Plugin, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), PROJECT).unwrap();
        fs::write(folder.path().join("policy.rego"), policy).unwrap();
        let project = Project::find(folder.path()).unwrap();
        let path = build(&project, &Options::default(), &mut Vec::new())
            .map_err(|error| error.to_string())?;
        Loading::default().open(&path).map(|(plugin, _)| plugin).map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_becomes_a_guardrail_of_its_own() {
        let plugin = built("package guardrail\ndeny contains \"no\"\n").unwrap();
        let manifest = plugin.manifest();
        assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("few-users", "1.2.3"));
        assert_eq!(manifest.rules.len(), 1);
        assert_eq!(manifest.rule("users").unwrap().severity, guardrail_host::Severity::Critical);
        assert!(plugin.settings_schema().contains("additionalProperties"));

        let grant = guardrail_host::Grant::bare(Vec::new(), 0);
        let evaluation = plugin.evaluate_blocking(&guardrail_host::PreparedGrant::new(grant), "{}");
        let report = evaluation.result.unwrap();
        assert_eq!(report.verdict, guardrail_host::Verdict::Deny("no".into()));
        assert_eq!(report.findings[0].rule, "users");
    }

    #[test]
    fn a_mistake_in_the_policy_stops_the_build_with_its_line() {
        let refused = built("package guardrail\ndeny contains x if {\n").unwrap_err();
        assert!(refused.starts_with("the policy has mistakes:\npolicy.rego line "), "{refused}");
    }
}
