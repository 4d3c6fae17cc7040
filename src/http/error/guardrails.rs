//! What strangers are told where guardrails are concerned. What is wrong with a binding is also in `data.issues`, with a
//! pointer for each, so that a form can show it at its field. The rest: [`super::domain`].

use serde_json::json;

use super::{ApiError, Told, bare, internal};
use crate::engine::guardrails::GuardrailError;
use crate::gate::{BindingIssue, Unanswered};
use crate::model::PluginRef;
use crate::store::StoreError;

pub(super) fn guardrail(error: &GuardrailError) -> Told {
    match error {
        GuardrailError::Issues(issues) => {
            let data = Some(json!({ "issues": issues }));
            Told { status: 400, errors: error.sentences(), data }
        }
        GuardrailError::NoGuardrail(_) | GuardrailError::NoVerdict(_) => {
            bare(404, error.to_string())
        }
        GuardrailError::UnderWay => bare(409, error.to_string()),
        GuardrailError::BadName(_)
        | GuardrailError::PluginMissing
        | GuardrailError::NoPlugin(_)
        | GuardrailError::Untrusted(_)
        | GuardrailError::Unanswered(_)
        | GuardrailError::OtherVersion { .. }
        | GuardrailError::OfConfiguration(_)
        | GuardrailError::ReasonMissing
        | GuardrailError::BadTime { .. }
        | GuardrailError::BadEnd { .. }
        | GuardrailError::NotSuspended(_)
        | GuardrailError::NoMount(_)
        | GuardrailError::PluginGone { .. }
        | GuardrailError::Unreadable(_) => bare(400, error.to_string()),
        GuardrailError::Store(StoreError::Conflict) => bare(
            409,
            "the guardrail, or the plugin that it names, changed meanwhile\nhelp: read it again",
        ),
        GuardrailError::Lost(_)
        | GuardrailError::Store(StoreError::Failed(_) | StoreError::Closed) => internal(),
    }
}

/// A sample of each kind, for the table of errors.
pub(super) fn samples() -> Vec<(&'static str, ApiError)> {
    let issue = BindingIssue {
        pointer: "/settings/actions/0".to_owned(),
        message: "5 is not of type \"string\"".to_owned(),
    };
    let unanswered = Unanswered { detail: "limit/fuel: it used all its fuel".to_owned() };
    let mut samples: Vec<(&'static str, ApiError)> = vec![
        ("guardrail: bad name", GuardrailError::BadName("grant".to_owned()).into()),
        ("guardrail: no plugin named", GuardrailError::PluginMissing.into()),
        ("guardrail: unknown plugin", GuardrailError::NoPlugin("x@1.0.0".to_owned()).into()),
        ("guardrail: settings or fields refused", GuardrailError::Issues(vec![issue]).into()),
        ("guardrail: plugin without an answer", GuardrailError::Unanswered(unanswered).into()),
        ("guardrail: other version than `cas`", GuardrailError::OtherVersion { version: 3 }.into()),
        ("guardrail: changed meanwhile", GuardrailError::Store(StoreError::Conflict).into()),
        ("guardrail: suspended without a reason", GuardrailError::ReasonMissing.into()),
        (
            "guardrail: suspended without an end",
            GuardrailError::BadTime { example: "2030-01-31T00:00:00Z" }.into(),
        ),
        ("guardrail: suspended for too long", GuardrailError::BadEnd { most: "24h" }.into()),
        ("what-if: another is under way", GuardrailError::UnderWay.into()),
        ("what-if: no such mount", GuardrailError::NoMount("x".to_owned()).into()),
        ("verdict: not kept", GuardrailError::NoVerdict("0f".to_owned()).into()),
    ];
    if let Ok(name) = "x".parse() {
        let plugin = PluginRef::Shipped("x".to_owned());
        samples.push((
            "verdict: its plugin is gone",
            GuardrailError::PluginGone { guardrail: name, plugin }.into(),
        ));
    }
    if let Ok(name) = "least-privilege".parse() {
        samples.push((
            "guardrail: of the configuration, deleted",
            GuardrailError::OfConfiguration(name).into(),
        ));
    }
    if let Ok(name) = "x".parse() {
        samples.push(("guardrail: not there, suspended", GuardrailError::NoGuardrail(name).into()));
    }
    if let Ok(name) = "x".parse() {
        samples
            .push(("guardrail: not suspended, resumed", GuardrailError::NotSuspended(name).into()));
    }
    samples
}
