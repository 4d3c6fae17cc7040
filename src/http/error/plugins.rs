//! What strangers are told where a plugin is not taken, found or removed: whole sentences, since who may upload one
//! has to mend it. The rest: [`super::domain`].

use guardrail_host::LoadError;
use guardrail_kit::package::PackageError;
use guardrail_kit::package::trial::{FailedCase, Trial};
use serde_json::json;

use super::{ApiError, Told, bare, internal, silent};
use crate::engine::plugins::PluginError;

pub(super) fn plugin(error: &PluginError) -> Told {
    match error {
        PluginError::TooLarge { .. }
        | PluginError::Load(LoadError::TooLarge { .. })
        | PluginError::Package(PackageError::TooLarge { .. }) => bare(413, error.to_string()),
        PluginError::Nothing
        | PluginError::NotBase64
        | PluginError::Package(_)
        | PluginError::Load(_)
        | PluginError::Schema(_)
        | PluginError::Manifest(_)
        | PluginError::Path(_)
        | PluginError::Differs { .. }
        | PluginError::Untrusted(_)
        | PluginError::TestsTooLong { .. }
        | PluginError::Shipped { .. }
        | PluginError::Signatures(_)
        | PluginError::NoVersion(_) => bare(400, error.to_string()),
        PluginError::Tests(trial) => {
            Told { data: Some(failed(trial)), ..bare(400, error.to_string()) }
        }
        PluginError::Taken { .. } | PluginError::InUse { .. } => bare(409, error.to_string()),
        PluginError::NotFound => silent(404),
        PluginError::Store(_) | PluginError::Lost(_) => internal(),
    }
}

fn failed(trial: &Trial) -> serde_json::Value {
    let case = |case: &FailedCase| json!({"name": case.name, "why": case.why});
    let failed: Vec<_> = trial.failed.iter().map(case).collect();
    json!({"tests": {"cases": trial.cases, "failed": failed}})
}

/// A sample of each kind, for the table of errors.
pub(super) fn samples() -> Vec<(&'static str, ApiError)> {
    let (name, version) = (|| "deny-list".to_owned(), || "1.0.0".to_owned());
    let trial = Trial {
        cases: 12,
        failed: vec![FailedCase {
            name: "deny.json".to_owned(),
            why: vec!["verdict: expected deny, got pass".to_owned()],
        }],
        ..Trial::default()
    };
    let imports = LoadError::Imports(vec!["wasi:io/error@0.2.6".to_owned()]);
    let in_use = PluginError::InUse {
        name: name(),
        version: version(),
        guardrails: vec!["prod-deny".to_owned()],
    };
    let differs = PluginError::Differs { what: "name", asked: "x".to_owned(), own: name() };
    vec![
        ("plugin: nothing sent", PluginError::Nothing.into()),
        (
            "plugin: too large",
            PluginError::TooLarge { bytes: 34_603_008, limit: 29_360_128 }.into(),
        ),
        ("plugin: no base64", PluginError::NotBase64.into()),
        ("plugin: no component", PluginError::Load(LoadError::NotWasm).into()),
        ("plugin: imports what is not given", PluginError::Load(imports).into()),
        ("plugin: no schema", PluginError::Schema("\"x\" is not a type".to_owned()).into()),
        ("plugin: name or version is another", differs.into()),
        ("plugin: its tests fail", PluginError::Tests(trial).into()),
        ("plugin: in use", in_use.into()),
        (
            "plugin: ships with the broker",
            PluginError::Shipped { name: name(), version: version() }.into(),
        ),
        ("plugin: which version to delete", PluginError::NoVersion(name()).into()),
        ("plugin: not there", PluginError::NotFound.into()),
    ]
}
