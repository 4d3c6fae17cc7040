//! `[guardrails]`: modes and settings of those that ship with the broker, and what all of them may use. Names its key where
//! a value cannot be. Whether a guardrail takes its settings is asked of the guardrail itself, by the gate.

use std::collections::BTreeMap;
use std::time::Duration;

use guardrail_kit::package::MAX_BYTES;
use serde_json::{Map, Value};

use super::file::{GuardrailFile, GuardrailsFile, LimitsFile};
use super::{ConfigError, Guardrails, invalid};
use crate::gate::{Bounds, Limits, Mode, SHIPPED, shipped};

/// Those that ship with the broker alone: an uploaded one is bound by a write to `sys/guardrails`.
pub(super) fn guardrails(file: GuardrailsFile, default: Mode) -> Result<Guardrails, ConfigError> {
    if let Some(unknown) = file.named.keys().find(|name| shipped(name).is_none()) {
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let help = format!("help: those that do: {}", names.join(", "));
        let problem = format!("no guardrail of this name ships with the broker\n{help}");
        return Err(invalid(&format!("guardrails.{unknown}"), problem));
    }
    let general = file.mode.unwrap_or(default);
    let (mut modes, mut settings) = (BTreeMap::new(), BTreeMap::new());
    for (name, section) in file.named {
        let key = format!("guardrails.{name}");
        let GuardrailFile { mode, settings: own } = section
            .try_into()
            .map_err(|error| invalid(&key, error.to_string().trim_end().to_owned()))?;
        if let Some(own) = own {
            let text = object(own).map_err(|problem| invalid(&format!("{key}.settings"), problem));
            settings.insert(name.clone(), Value::Object(text?).to_string());
        }
        modes.insert(name, mode.unwrap_or(general));
    }
    Ok(Guardrails { mode: general, modes, settings, bounds: bounds(&file.limits)? })
}

/// A table as the JSON object that a guardrail gets.
fn object(table: toml::Table) -> Result<Map<String, Value>, &'static str> {
    table.into_iter().map(|(name, value)| Ok((name, json(value)?))).collect()
}

fn json(value: toml::Value) -> Result<Value, &'static str> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(whether) => whether.into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect::<Result<_, _>>()?,
        toml::Value::Table(table) => object(table)?.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or("has a number that JSON does not have")?,
        // JSON has no dates; a schema that asks for one asks for its text.
        toml::Value::Datetime(date) => date.to_string().into(),
    })
}

/// A key of `[guardrails.limits]`.
struct Key {
    name: &'static str,
    sent: Option<u64>,
    get: fn(&Bounds) -> u64,
    set: fn(&mut Bounds, u64),
}

/// What guardrails may use; nothing above its top, and nothing that is nothing.
fn bounds(file: &LimitsFile) -> Result<Bounds, ConfigError> {
    let mut bounds = Bounds::default();
    let tops = Bounds { limits: Limits::tops(), total_time: Bounds::MOST_TOTAL_TIME };
    // What is uploaded is no larger.
    let component_bytes = tops.limits.component_bytes.min(MAX_BYTES);
    let tops = Bounds { limits: Limits { component_bytes, ..tops.limits }, ..tops };
    for Key { name, sent, get, set } in keys(file) {
        let Some(sent) = sent else { continue };
        let (top, key) = (get(&tops), format!("guardrails.limits.{name}"));
        if sent == 0 {
            return Err(invalid(
                &key,
                "is 0, and must be more\nhelp: leave it out for the default",
            ));
        }
        if sent > top {
            return Err(invalid(&key, format!("is {sent}, more than the {top} that may be")));
        }
        set(&mut bounds, sent);
    }
    Ok(bounds)
}

/// A key for a number, and for a time in milliseconds.
macro_rules! key {
    ($file:ident, $name:ident) => {
        Key {
            name: stringify!($name),
            sent: $file.$name,
            get: |bounds| u64::try_from(bounds.limits.$name).unwrap_or(u64::MAX),
            set: |bounds, sent| {
                bounds.limits.$name = sent.try_into().unwrap_or(bounds.limits.$name);
            },
        }
    };
    ($file:ident, $name:ident, ms of $($place:ident).+) => {
        Key {
            name: stringify!($name),
            sent: $file.$name,
            get: |bounds| milliseconds(bounds.$($place).+),
            set: |bounds, sent| bounds.$($place).+ = Duration::from_millis(sent),
        }
    };
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn keys(file: &LimitsFile) -> [Key; 18] {
    [
        key!(file, fuel),
        key!(file, wall_time_ms, ms of limits.wall_time),
        key!(file, total_time_ms, ms of total_time),
        key!(file, memory_bytes),
        key!(file, stack_bytes),
        key!(file, output_bytes),
        key!(file, findings),
        key!(file, message_bytes),
        key!(file, patch_bytes),
        key!(file, log_lines),
        key!(file, log_line_bytes),
        key!(file, host_calls),
        key!(file, expand_names),
        key!(file, concurrent_evaluations),
        key!(file, waiting_evaluations),
        key!(file, component_bytes),
        key!(file, compile_time_ms, ms of limits.compile_time),
        key!(file, compile_memory_bytes),
    ]
}
