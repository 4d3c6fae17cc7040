//! `sys/guardrails`: what judges, in Vault's shape of reads, writes, lists and deletes; breaking the glass, trying, and
//! verdicts that are reached again. Leasehold's own. Only shapes live here; the rules are in [`crate::engine::guardrails`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::envelope::{Answer, Json};
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::engine::guardrails::suspend::SuspendUntil;
use crate::engine::guardrails::{BindingChange, GuardrailError, GuardrailFacts, Origin};
use crate::gate::SetSpec;
use crate::model::{Binding, GuardrailName, KeptVerdict, Suspension, Timestamp};

/// What a guardrail takes.
pub(super) const WRITE: &[Field] = &[
    field("plugin", Kind::Text),
    field("settings", Kind::Any),
    field("mode", Kind::Text),
    field("mounts", Kind::List),
    field("roles", Kind::List),
    field("tags", Kind::Pairs),
    field("credential_types", Kind::List),
    field("order", Kind::Int),
    field("severities", Kind::Pairs),
    field("rules_off", Kind::List),
    field("deny_at", Kind::Text),
    field("on_failure", Kind::Pairs),
    field("fuel", Kind::Int),
    field("wall_time_ms", Kind::Int),
    field("memory_bytes", Kind::Int),
    field("sees_actor", Kind::Bool),
    field("sees_time", Kind::Bool),
    field("cas", Kind::Int),
    field("mount", Kind::Text),
];

/// What breaking the glass takes.
pub(super) const SUSPEND: &[Field] =
    &[field("for", Kind::Seconds), field("until", Kind::Text), field("reason", Kind::Text)];

/// LIST `guardrails`.
pub(super) async fn list(call: Call) -> Answered {
    let all = call.wire.engine.guardrails().await?;
    Ok(Answer::keys(all.into_iter().map(|facts| facts.name.to_string()).collect()))
}

/// GET `guardrails`: all of them, whole.
pub(super) async fn read_all(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View<'a> {
        guardrails: Vec<Shown<'a>>,
    }
    let all = call.wire.engine.guardrails().await?;
    Answer::data(&View { guardrails: all.iter().map(Shown::new).collect() })
}

/// GET `guardrails/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let found = call.wire.engine.guardrail(&name(&call.captured)?).await?;
    Answer::data(&Shown::new(&found.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `guardrails/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let name = name(&call.captured)?;
    // Below 0 is a version that nothing has.
    let cas = call.fields.int("cas").map(|cas| u64::try_from(cas).unwrap_or(u64::MAX));
    let change = change(&mut call.fields);
    let engine = &call.wire.engine;
    let warnings = engine.write_guardrail(call.caller()?, &name, change, cas).await?;
    Ok(Answer::done(warnings))
}

/// DELETE `guardrails/:name`; a missing one is fine.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.engine.delete_guardrail(call.caller()?, &name(&call.captured)?).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `guardrails/:name/suspend`.
pub(super) async fn suspend(mut call: Call) -> Answered {
    let name = name(&call.captured)?;
    let seconds = call.fields.seconds("for");
    let until = call.fields.filled_text("until");
    let reason = call.fields.text("reason").unwrap_or_default();
    let until = SuspendUntil::read(seconds, until.as_deref())?;
    let engine = &call.wire.engine;
    let suspension = engine.suspend_guardrail(call.caller()?, &name, until, &reason).await?;
    Answer::data(&Suspended::new(&suspension))
}

/// POST and PUT `guardrails/:name/resume`.
pub(super) async fn resume(call: Call) -> Answered {
    call.wire.engine.resume_guardrail(call.caller()?, &name(&call.captured)?).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `guardrails/:name/what-if`.
pub(super) async fn what_if(call: Call) -> Answered {
    let name = name(&call.captured)?;
    tried(call, Some(&name)).await
}

/// POST and PUT `guardrails/what-if`: of a guardrail that is not there yet.
pub(super) async fn what_if_new(call: Call) -> Answered {
    tried(call, None).await
}

async fn tried(mut call: Call, name: Option<&GuardrailName>) -> Answered {
    let mount = call.fields.filled_text("mount");
    let change = change(&mut call.fields);
    let engine = &call.wire.engine;
    Answer::data(&engine.what_if(call.caller()?, name, change, mount.as_deref()).await?)
}

/// GET `guardrails/verdicts/:digest`.
pub(super) async fn read_verdict(call: Call) -> Answered {
    let (kept, spec) = call.wire.engine.kept_verdict(&call.captured).await?;
    Answer::data(&Kept::new(&kept, &spec)?)
}

/// POST and PUT `guardrails/verdicts/:digest/replay`.
pub(super) async fn replay(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View {
        digest: String,
        reached_at: String,
        same: bool,
        verdict: Json,
        again: Option<Json>,
        failures: Vec<(String, String)>,
        engine_then: String,
        engine_now: String,
    }
    let replayed = call.wire.engine.replay_verdict(&call.captured).await?;
    let same = replayed.is_same();
    Answer::data(&View {
        digest: replayed.kept.digest.clone(),
        reached_at: replayed.kept.reached_at.rfc3339(),
        same,
        verdict: raw(&replayed.kept.verdict)?,
        again: (!same).then(|| raw(&replayed.again)).transpose()?,
        failures: replayed.failures,
        engine_then: replayed.engine_then,
        engine_now: replayed.engine_now,
    })
}

fn name(captured: &str) -> Result<GuardrailName, GuardrailError> {
    captured.parse().map_err(|_invalid| GuardrailError::BadName(captured.to_owned()))
}

fn change(fields: &mut Fields) -> BindingChange {
    BindingChange {
        plugin: fields.filled_text("plugin"),
        settings: fields.any("settings"),
        mode: fields.text("mode"),
        mounts: fields.list("mounts"),
        roles: fields.list("roles"),
        tags: fields.pairs("tags").map(Option::unwrap_or_default),
        credential_types: fields.list("credential_types"),
        order: fields.int("order"),
        severities: fields.pairs("severities").map(Option::unwrap_or_default),
        rules_off: fields.list("rules_off"),
        deny_at: fields.text("deny_at"),
        on_failure: fields.pairs("on_failure").map(Option::unwrap_or_default),
        fuel: fields.int("fuel"),
        wall_time_ms: fields.int("wall_time_ms"),
        memory_bytes: fields.int("memory_bytes"),
        sees_actor: fields.bool("sees_actor"),
        sees_time: fields.bool("sees_time"),
    }
}

/// JSON that is stored, as it is.
fn raw(text: &str) -> Result<Json, ApiError> {
    RawValue::from_string(text.to_owned()).map_err(|error| ApiError::unwritable(&error))
}

/// A guardrail as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    origin: &'static str,
    /// 0 where nothing was written.
    version: u64,
    plugin: String,
    plugin_digest: Option<&'a str>,
    settings: Option<&'a RawValue>,
    mode: &'static str,
    mounts: &'a [String],
    roles: &'a [String],
    tags: &'a BTreeMap<String, String>,
    credential_types: Vec<&'static str>,
    order: i32,
    severities: BTreeMap<&'a str, &'static str>,
    rules_off: Vec<&'a str>,
    deny_at: &'static str,
    on_failure: BTreeMap<&'a str, &'static str>,
    fuel: Option<u64>,
    wall_time_ms: Option<u64>,
    memory_bytes: Option<u64>,
    sees_actor: bool,
    sees_time: bool,
    suspended: Option<Suspended<'a>>,
    /// Why it cannot be used and fails.
    problem: Option<&'a str>,
    configured_mode: Option<&'static str>,
    written_at: Option<String>,
    written_by: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(facts: &'a GuardrailFacts) -> Self {
        let binding = &facts.binding;
        let (origin, version, at, by, configured) = match &facts.origin {
            Origin::Configuration => ("configuration", 0, None, None, Some(binding.mode)),
            Origin::Written { version, at, by, configured } => {
                ("written", *version, Some(at.rfc3339()), Some(by.as_str()), *configured)
            }
        };
        let kinds = binding.scope.credential_types.iter();
        let severities = binding.severities.iter();
        let rules = binding.on_failure.0.iter();
        Self {
            name: facts.name.as_str(),
            origin,
            version,
            plugin: binding.plugin.to_string(),
            plugin_digest: facts.digest.as_ref().map(crate::model::PluginDigest::as_str),
            settings: serde_json::from_str(&binding.settings).ok(),
            mode: binding.mode.as_str(),
            mounts: &binding.scope.mounts,
            roles: &binding.scope.roles,
            tags: &binding.scope.tags,
            credential_types: kinds.map(|kind| kind.as_str()).collect(),
            order: binding.order,
            severities: severities.map(|(rule, one)| (rule.as_str(), one.as_str())).collect(),
            rules_off: binding.rules_off.iter().map(String::as_str).collect(),
            deny_at: binding.deny_at.map_or("", crate::model::Severity::as_str),
            on_failure: rules.map(|(kind, action)| (kind.as_str(), action.as_str())).collect(),
            fuel: binding.limits.fuel,
            wall_time_ms: binding.limits.wall_time_ms,
            memory_bytes: binding.limits.memory_bytes,
            sees_actor: binding.sees_actor,
            sees_time: binding.sees_time,
            suspended: facts.suspension.as_ref().map(Suspended::new),
            problem: facts.problem.as_deref(),
            configured_mode: configured.map(crate::model::Mode::as_str),
            written_at: at,
            written_by: by,
        }
    }
}

/// A suspension as it is shown.
#[derive(Serialize)]
struct Suspended<'a> {
    since: String,
    until: String,
    reason: &'a str,
    by: &'a str,
}

impl<'a> Suspended<'a> {
    fn new(suspension: &'a Suspension) -> Self {
        Self {
            since: suspension.since.rfc3339(),
            until: suspension.until.rfc3339(),
            reason: &suspension.reason,
            by: &suspension.by,
        }
    }
}

/// A kept verdict as it is shown.
#[derive(Serialize)]
struct Kept<'a> {
    digest: &'a str,
    reached_at: String,
    verdict: Json,
    input: Json,
    engine: &'a str,
    guardrails: Vec<Judge<'a>>,
}

/// A guardrail that judged.
#[derive(Serialize)]
struct Judge<'a> {
    name: &'a str,
    #[serde(flatten)]
    binding: &'a Binding,
    suspended_until: Option<String>,
}

impl<'a> Kept<'a> {
    fn new(kept: &'a KeptVerdict, spec: &'a SetSpec) -> Result<Self, ApiError> {
        let judges = spec.members.iter().map(|member| Judge {
            name: member.name.as_str(),
            binding: &member.binding,
            suspended_until: member.suspension.as_ref().map(|one| Timestamp::rfc3339(one.until)),
        });
        Ok(Self {
            digest: &kept.digest,
            reached_at: kept.reached_at.rfc3339(),
            verdict: raw(&kept.verdict)?,
            input: raw(&kept.input)?,
            engine: &spec.engine,
            guardrails: judges.collect(),
        })
    }
}
