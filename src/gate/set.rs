//! All guardrails that judge together. A set is never changed: a change makes a new one, which takes the old one's place
//! at once, while calls in flight finish on the old one. The same members give the same digest, and with it the same
//! verdicts. A member that cannot be used stays in it as one that fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guardrail_host::{Host, Plugin};
use iam_policy::Catalogue;
use serde::{Deserialize, Serialize};

use super::bounds::Bounds;
use super::component::{Broken, Component};
use super::digest::{Digest, Fields};
use super::guardrail::{Bound, Trouble};
use super::rules::BuiltIn;
use super::shipped::shipped_digest;
use super::subject::Subject;
use super::{Trigger, binding};
use crate::model::{
    Binding, GuardrailName, LoweredLimits, Mode, PluginDigest, PluginRef, Suspension,
};

/// Raises when the same input may give another verdict; the crate's version does, between releases.
const ENGINE: &str = concat!("leasehold ", env!("CARGO_PKG_VERSION"), " gate 3");

/// One guardrail of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name, the first part of its rules' ids.
    pub name: GuardrailName,
    /// What it is.
    pub binding: Binding,
    /// Until when it is not asked, if it is suspended.
    pub suspension: Option<Suspension>,
}

/// A set in words, as it is kept beside a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSpec {
    /// Names the engine, its WebAssembly runtime and the action catalogue, and the limits that are not as by default.
    pub engine: String,
    /// The mode of the rules built in where no member is stricter.
    pub default_mode: Mode,
    /// Every plugin by its digest.
    pub members: Vec<Member>,
}

/// Guardrails that judge together.
#[derive(Debug)]
pub struct Set {
    pub(super) bound: Vec<Bound>,
    default_mode: Mode,
    digest: Digest,
    spec: Arc<str>,
    plugins: Vec<PluginDigest>,
    broken: Vec<(String, String)>,
    total_time: Duration,
}

impl Set {
    /// Binds every member to its component, or to why there is none. Asks plugins about their settings: not for a
    /// worker of a runtime.
    pub(super) fn new(
        members: Vec<Member>,
        default_mode: Mode,
        bounds: &Bounds,
        plugin: impl Fn(&PluginDigest) -> Result<Plugin, String>,
    ) -> Self {
        let mut members: Vec<Member> = members.into_iter().map(by_digest).collect();
        members.sort_by(|one, other| {
            (one.binding.order, &one.name).cmp(&(other.binding.order, &other.name))
        });
        let mut plugins = Vec::new();
        let mut broken = Vec::new();
        let bound = members.iter().map(|member| {
            let PluginRef::Digest(digest) = &member.binding.plugin else {
                let detail = format!("{} does not ship with this release", member.binding.plugin);
                broken.push((member.name.to_string(), detail.clone()));
                return failing(member, "load", detail);
            };
            plugins.push(digest.clone());
            match usable(member, plugin(digest)) {
                Ok(component) => {
                    Bound::new(Box::new(component), &member.binding, member.suspension.clone())
                }
                Err(Trouble { code, detail }) => {
                    broken.push((member.name.to_string(), format!("{code}: {detail}")));
                    failing(member, &code, detail)
                }
            }
        });
        let bound = bound.collect();
        let spec = SetSpec { engine: engine(bounds), default_mode, members };
        // Plain data with texts as keys: it can always be written.
        let spec = serde_json::to_string(&spec).unwrap_or_default();
        let total_time = bounds.total_time;
        Self { plugins, broken, total_time, ..Self::of(bound, default_mode, &spec) }
    }

    /// Of guardrails that are made already. `spec` is all that they are bound to, in words.
    pub(super) fn of(bound: Vec<Bound>, default_mode: Mode, spec: &str) -> Self {
        let engine = engine(&Bounds::default());
        let fields = Fields::new("guardrails").text(&engine).text(default_mode.as_str());
        let each = |fields: Fields, bound: &Bound| {
            let guardrail = &bound.guardrail;
            fields.text(guardrail.name()).text(&guardrail.identity()).text(bound.mode.as_str())
        };
        let digest = bound.iter().fold(fields.text(spec), each).finish();
        let (spec, total_time) = (Arc::from(spec), Bounds::default().total_time);
        let (plugins, broken) = (Vec::new(), Vec::new());
        Self { bound, default_mode, digest, spec, plugins, broken, total_time }
    }

    /// Over all that judges at this moment: the guardrails with what they are bound to, the catalogue, the engine. A
    /// suspension counts while it holds.
    pub(super) fn digest(&self, subject: &Subject) -> Digest {
        let holding: Vec<&str> = self
            .bound
            .iter()
            .filter(|bound| bound.suspended(subject).is_some())
            .map(|bound| bound.guardrail.name())
            .collect();
        if holding.is_empty() {
            return self.digest;
        }
        Fields::new("suspended").field(self.digest.as_bytes()).texts(holding.into_iter()).finish()
    }

    /// Over the members as they are written down.
    pub fn id(&self) -> String {
        self.digest.hex()
    }

    /// The set in words: JSON of [`SetSpec`].
    pub fn spec(&self) -> &Arc<str> {
        &self.spec
    }

    /// The components that it works with.
    pub fn plugins(&self) -> &[PluginDigest] {
        &self.plugins
    }

    /// Members that cannot be used and fail, with the reason.
    pub fn broken(&self) -> &[(String, String)] {
        &self.broken
    }

    /// Whether any of its verdicts may depend on who asks.
    pub(super) fn sees_actor(&self) -> bool {
        self.bound.iter().any(|bound| bound.mode != Mode::Off && bound.guardrail.sees_actor())
    }

    /// Whether its verdict on a grant may depend on the time: where one that has a say about it is bound to see it.
    pub(super) fn sees_time(&self, subject: &Subject) -> bool {
        let sees = |bound: &Bound| bound.mode != Mode::Off && bound.guardrail.sees_time();
        self.bound.iter().any(|bound| sees(bound) && bound.takes(subject))
    }

    /// What its guardrails together may take for one request.
    pub(super) const fn total_time(&self) -> Duration {
        self.total_time
    }

    /// Whether a member has something to say when a grant is judged for this reason.
    pub(super) fn wants(&self, name: &GuardrailName, trigger: Trigger) -> bool {
        let own = |bound: &&Bound| bound.guardrail.name() == name.as_str();
        self.bound.iter().find(own).is_none_or(|bound| bound.guardrail.wants_trigger(trigger))
    }

    /// The place of each guardrail among the others.
    pub(super) fn orders(&self) -> BTreeMap<&str, i32> {
        self.bound.iter().map(|bound| (bound.guardrail.name(), bound.order)).collect()
    }

    /// The rules built in stand beside any guardrails, as strict as the strictest that has a say: a document that cannot
    /// be read was not judged by that one either.
    pub(super) fn built_in(&self, subject: &Subject) -> Bound {
        let has_say = |bound: &&Bound| bound.takes(subject) && bound.suspended(subject).is_none();
        let modes = self.bound.iter().filter(has_say).map(|bound| bound.mode);
        Bound::everywhere(Box::new(BuiltIn), modes.fold(self.default_mode, Mode::max))
    }
}

/// What else verdicts depend on: this release, its WebAssembly runtime, its action catalogue, its own rules, and the
/// limits that are not as by default.
pub(super) fn engine(bounds: &Bounds) -> String {
    let catalogue = Catalogue::bundled().version();
    let (runtime, rules) = (Host::engine_version(), BuiltIn::VERSION);
    let engine = format!("{ENGINE}, {runtime}, catalogue {catalogue}, {rules}");
    match bounds.changed() {
        None => engine,
        Some(changed) => format!("{engine}, {changed}"),
    }
}

/// With the digest of a component that ships with the broker in the place of its name.
fn by_digest(mut member: Member) -> Member {
    if let PluginRef::Shipped(name) = &member.binding.plugin
        && let Some(digest) = shipped_digest(name)
    {
        member.binding.plugin = PluginRef::Digest(digest.clone());
    }
    member
}

fn usable(member: &Member, plugin: Result<Plugin, String>) -> Result<Component, Trouble> {
    let load = |detail| Trouble { code: "load".to_owned(), detail };
    let plugin = limited(plugin.map_err(load)?, member.binding.limits);
    let settings = |detail| Trouble { code: "failure/settings".to_owned(), detail };
    match binding::check_settings(&plugin, &member.binding.settings) {
        Ok(issues) => match issues.first() {
            Some(issue) => Err(settings(format!("`{}` {}", issue.pointer, issue.message))),
            None => Ok(Component::new(member.name.to_string(), plugin, member.binding.clone())),
        },
        Err(trouble) => Err(trouble),
    }
}

/// With what the guardrail may use; the host keeps it below what every guardrail may.
fn limited(plugin: Plugin, lowered: LoweredLimits) -> Plugin {
    let mut limits = *plugin.limits();
    limits.fuel = lowered.fuel.unwrap_or(limits.fuel);
    limits.wall_time = lowered.wall_time_ms.map_or(limits.wall_time, Duration::from_millis);
    let memory = lowered.memory_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    limits.memory_bytes = memory.unwrap_or(limits.memory_bytes);
    plugin.with_limits(&limits)
}

fn failing(member: &Member, code: &str, detail: String) -> Bound {
    let trouble = Trouble { code: code.to_owned(), detail };
    let broken = Broken { name: member.name.to_string(), trouble };
    Bound::new(Box::new(broken), &member.binding, member.suspension.clone())
}
