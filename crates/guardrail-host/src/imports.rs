//! What a guest may call: the catalogue, the evaluator, the log. Each call is counted and charged in fuel, since no
//! meter of wasmtime's runs inside the host; nothing here does I/O or tells the guest anything that may change.
//! The contract is `plugins/wit/guardrail.wit`; the figures are in [`crate::limits`].

use iam_policy::decide::{Context, Outcome, decide};
use iam_policy::{Document, wildcard};
use wasmtime::component::{Linker, LinkerInstance};
use wasmtime::{Engine, Result, StoreContextMut, Trap};

use crate::bindings::{analysis, catalogue, log, types};
use crate::convert;
use crate::failure::LimitKind;
use crate::state::{LogLevel, State};

/// Fuel of one call (guardrails study, 3.2), and of each byte that crosses.
const CALL_FUEL: u64 = 2_000;
/// As above.
const BYTE_FUEL: u64 = 50;
/// Fuel of one condition, statement or pattern that the host looks at for a guest: about the instructions it takes.
const STEP_FUEL: u64 = 200;

type Caller<'a> = StoreContextMut<'a, State>;

/// Everything of the contract, and nothing else.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    // Only types: nothing to define, but the name must be there.
    linker.instance("leasehold:guardrail/types@1.0.0")?;
    catalogue_functions(&mut linker.instance("leasehold:guardrail/catalogue@1.0.0")?)?;
    analysis_functions(&mut linker.instance("leasehold:guardrail/analysis@1.0.0")?)?;
    log_functions(&mut linker.instance("leasehold:guardrail/log@1.0.0")?)?;
    Ok(linker)
}

fn catalogue_functions(interface: &mut LinkerInstance<'_, State>) -> Result<()> {
    interface.func_wrap("version", |mut caller: Caller<'_>, (): ()| {
        let version = caller.data().catalogue.version().to_owned();
        charge(&mut caller, version.len(), 0)?;
        Ok((version,))
    })?;
    interface.func_wrap("lookup", |mut caller: Caller<'_>, (action,): (String,)| {
        let found = caller.data().catalogue.lookup(&action).map(action_info);
        charge(&mut caller, action.len().saturating_add(found.as_ref().map_or(0, info_bytes)), 1)?;
        Ok((found,))
    })?;
    interface.func_wrap("expand", |mut caller: Caller<'_>, (pattern, limit): (String, u32)| {
        let State { catalogue, limits, .. } = caller.data();
        let expansion = catalogue.expand(&pattern, limit.min(limits.expand_names));
        let bytes = expansion
            .actions
            .iter()
            .fold(pattern.len(), |sum, name| sum.saturating_add(name.len()));
        charge(&mut caller, bytes, expansion.total)?;
        Ok((catalogue::Expansion { actions: expansion.actions, total: expansion.total },))
    })?;
    interface.func_wrap("matches", |mut caller: Caller<'_>, (pattern, text): (String, String)| {
        charge(&mut caller, pattern.len().saturating_add(text.len()), 1)?;
        // An action holds a colon and no other; everything else is compared with regard to case.
        let matched = if text.matches(':').count() == 1 && !text.starts_with("arn:") {
            wildcard::matches_action(&pattern, &text)
        } else {
            wildcard::matches(&pattern, &text)
        };
        Ok((matched,))
    })
}

fn analysis_functions(interface: &mut LinkerInstance<'_, State>) -> Result<()> {
    interface.func_wrap(
        "decide",
        |mut caller: Caller<'_>,
         (action, resource, context): (String, String, Vec<types::Property>)| {
            let bytes =
                context.iter().fold(action.len().saturating_add(resource.len()), |sum, one| {
                    sum.saturating_add(one.name.len()).saturating_add(one.value.len())
                });
            let Some(subject) = caller.data().subject.clone() else {
                return Err(wasmtime::format_err!(
                    "`decide` was called while there is no grant to judge"
                ));
            };
            let grant = subject.grant();
            let documents: Vec<&Document> =
                grant.documents.iter().map(|one| &*one.document).collect();
            let boundary = grant.boundary.as_ref().map(|one| &*one.document);
            // Before the work, which grows with the documents.
            charge(&mut caller, bytes, steps(documents.iter().copied().chain(boundary)))?;
            let context = Context::from_pairs(context.into_iter().map(|one| (one.name, one.value)));
            let decision = decide(&documents, boundary, &action, &resource, &context);
            Ok((analysis::Decision {
                outcome: match decision.outcome {
                    Outcome::Allowed => analysis::Outcome::Allowed,
                    Outcome::ConditionallyAllowed => analysis::Outcome::ConditionallyAllowed,
                    Outcome::ExplicitlyDenied => analysis::Outcome::ExplicitlyDenied,
                    Outcome::NotAllowed => analysis::Outcome::NotAllowed,
                },
                statements: decision.statements.into_iter().map(location).collect::<Result<_>>()?,
            },))
        },
    )
}

fn log_functions(interface: &mut LinkerInstance<'_, State>) -> Result<()> {
    interface.func_wrap("log", |mut caller: Caller<'_>, (level, message): (log::Level, String)| {
        charge(&mut caller, message.len(), 0)?;
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        caller.data_mut().write_log(level, &message);
        Ok(())
    })
}

/// Counts one call and takes its fuel, or ends the guest.
fn charge(caller: &mut Caller<'_>, bytes: usize, steps: u32) -> Result<()> {
    let state = caller.data_mut();
    state.host_calls = state.host_calls.saturating_add(1);
    if state.host_calls > state.limits.host_calls {
        state.stopped = Some(LimitKind::HostCalls);
        return Err(Trap::Interrupt.into());
    }
    if !state.metered {
        return Ok(());
    }
    let cost = u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(BYTE_FUEL)
        .saturating_add(u64::from(steps).saturating_mul(STEP_FUEL))
        .saturating_add(CALL_FUEL);
    let left = caller.get_fuel()?.checked_sub(cost);
    caller.set_fuel(left.unwrap_or(0))?;
    if left.is_none() {
        caller.data_mut().stopped = Some(LimitKind::Fuel);
        return Err(Trap::OutOfFuel.into());
    }
    Ok(())
}

/// What `decide` looks at: every entry and condition of every statement.
fn steps<'a>(documents: impl Iterator<Item = &'a Document>) -> u32 {
    let entries = documents.flat_map(Document::statements).fold(0_usize, |sum, statement| {
        sum.saturating_add(statement.actions.len())
            .saturating_add(statement.not_actions.len())
            .saturating_add(statement.resources.len())
            .saturating_add(statement.not_resources.len())
            .saturating_add(statement.conditions.iter().map(|one| one.values.len()).sum())
    });
    u32::try_from(entries).unwrap_or(u32::MAX)
}

fn location((document, pointer): (usize, String)) -> Result<types::Location> {
    Ok(types::Location { document: u32::try_from(document)?, pointer })
}

fn action_info(action: iam_policy::catalogue::Action<'_>) -> catalogue::ActionInfo {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    catalogue::ActionInfo {
        levels: convert::levels(action.levels),
        traits: convert::traits(action.traits),
        resource_types: owned(action.resource_types),
        condition_keys: owned(action.condition_keys),
        depends_on: owned(action.depends_on),
        name: action.name,
    }
}

fn info_bytes(info: &catalogue::ActionInfo) -> usize {
    [&info.resource_types, &info.condition_keys, &info.depends_on]
        .into_iter()
        .flatten()
        .fold(info.name.len(), |sum, name| sum.saturating_add(name.len()))
}
