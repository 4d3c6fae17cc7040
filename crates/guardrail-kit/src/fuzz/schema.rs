//! Made-up settings out of a plugin's own JSON Schema: enough of the schema's words to come by settings that pass it, and
//! the validator to drop what does not. Never claims that settings are valid without having asked.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::random::Random;

/// Settings inside settings inside settings: no person writes more.
const DEEPEST: usize = 6;
/// Times that what the validator points at is taken out.
const ROUNDS: usize = 8;
/// Words that settings are likely made of.
const WORDS: [&str; 14] = [
    "",
    "a",
    "s3:GetObject",
    "iam:*",
    "s3",
    "us-east-1",
    "eu-central-1",
    "arn:aws:s3:::reports/*",
    "123456789012",
    "team",
    "^[a-z]+$",
    "high",
    "iam_user",
    "/team/",
];

/// Makes settings.
pub(super) struct Settings<'a> {
    schema: &'a Value,
    validator: &'a Validator,
    /// Settings of the plugin's own vectors: what its author had in mind.
    examples: &'a [Value],
}

impl<'a> Settings<'a> {
    pub(super) fn new(schema: &'a Value, validator: &'a Validator, examples: &'a [Value]) -> Self {
        Self { schema, validator, examples }
    }

    /// Settings that the schema takes, or none.
    pub(super) fn valid(&self, random: &mut Random) -> Option<Value> {
        let made = match random.pick(self.examples) {
            Some(example) if random.chance(30) => example.clone(),
            Some(_) | None => self.value(self.schema, random, 0),
        };
        self.pruned(made)
    }

    /// Settings that were valid before something in them was changed.
    pub(super) fn broken(&self, random: &mut Random) -> Value {
        let mut settings = self.valid(random).unwrap_or_else(|| json!({}));
        super::grants::break_somewhere(&mut settings, random);
        settings
    }

    /// Without what the validator says is wrong, as long as that helps.
    fn pruned(&self, mut settings: Value) -> Option<Value> {
        for _ in 0..ROUNDS {
            let wrong = self.validator.iter_errors(&settings).next();
            let Some(pointer) = wrong.map(|error| error.instance_path().to_string()) else {
                return Some(settings);
            };
            remove(&mut settings, &pointer)?;
        }
        None
    }

    fn value(&self, schema: &Value, random: &mut Random, depth: usize) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|at| self.schema.pointer(at));
            return match target {
                Some(target) if depth < DEEPEST => {
                    self.value(target, random, depth.saturating_add(1))
                }
                Some(_) | None => Value::Null,
            };
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        for list in ["enum", "examples"] {
            let one = schema.get(list).and_then(Value::as_array).and_then(|all| random.pick(all));
            if let Some(one) = one {
                return one.clone();
            }
        }
        for list in ["oneOf", "anyOf", "allOf"] {
            let one = schema.get(list).and_then(Value::as_array).and_then(|all| random.pick(all));
            if let Some(one) = one {
                return self.value(one, random, depth.saturating_add(1));
            }
        }
        match kind(schema, random) {
            "object" => self.object(schema, random, depth),
            "array" => self.array(schema, random, depth),
            "string" => random.word(&WORDS).into(),
            "integer" | "number" => number(schema, random),
            "boolean" => random.chance(50).into(),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, random: &mut Random, depth: usize) -> Value {
        let mut members = Map::new();
        if depth >= DEEPEST {
            return members.into();
        }
        let inner = depth.saturating_add(1);
        let required: Vec<&str> = strings(schema.get("required"));
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if required.contains(&name.as_str()) || random.chance(50) {
                members.insert(name.clone(), self.value(property, random, inner));
            }
        }
        if let Some(others) = schema.get("additionalProperties").filter(|one| one.is_object()) {
            for _ in 0..random.below(4) {
                let name = match schema.get("propertyNames") {
                    Some(names) => self.value(names, random, inner),
                    None => random.word(&WORDS).into(),
                };
                if let Value::String(name) = name {
                    members.insert(name, self.value(others, random, inner));
                }
            }
        }
        members.into()
    }

    fn array(&self, schema: &Value, random: &mut Random, depth: usize) -> Value {
        if depth >= DEEPEST {
            return json!([]);
        }
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let bound = |name: &str| bound(name).and_then(|bound| usize::try_from(bound).ok());
        let low = bound("minItems").unwrap_or(0);
        let most = if random.chance(5) { 200 } else { low.saturating_add(4) };
        let count = random.between(low, most.min(bound("maxItems").unwrap_or(most)));
        let anything = json!({"type": "string"});
        let items = schema.get("items").unwrap_or(&anything);
        (0..count).map(|_| self.value(items, random, depth.saturating_add(1))).collect()
    }
}

/// The type that a schema names, or that its words are about.
fn kind<'s>(schema: &'s Value, random: &mut Random) -> &'s str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => random.pick(kinds).and_then(Value::as_str).unwrap_or("string"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn number(schema: &Value, random: &mut Random) -> Value {
    let bound =
        |names: [&str; 2]| names.iter().find_map(|name| schema.get(name)).and_then(Value::as_i64);
    let low = bound(["minimum", "exclusiveMinimum"]).unwrap_or(0);
    let high = bound(["maximum", "exclusiveMaximum"]).unwrap_or(i64::MAX);
    let near = i64::try_from(random.below(1_000)).unwrap_or(0);
    match random.below(4) {
        0 => json!(low),
        1 => json!(high),
        _ => json!(low.saturating_add(near).min(high)),
    }
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// Takes out what stands at a pointer; nothing can be done about the whole.
fn remove(value: &mut Value, pointer: &str) -> Option<()> {
    let (parent, last) = pointer.rsplit_once('/')?;
    let name = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent)? {
        Value::Object(members) => {
            members.remove(&name)?;
        }
        Value::Array(elements) => {
            let index: usize = name.parse().ok().filter(|index| *index < elements.len())?;
            elements.remove(index);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_schema_pass_it_and_use_all_of_it() {
        let text = include_str!("../../../../plugins/least-privilege/src/settings.schema.json");
        let schema: Value = serde_json::from_str(text).unwrap();
        let validator = crate::settings::validator(text).unwrap();
        let settings = Settings::new(&schema, &validator, &[]);
        let made: Vec<Value> =
            (0..200).filter_map(|case| settings.valid(&mut Random::of(3, case))).collect();
        assert!(made.len() > 150, "{}", made.len());
        assert!(made.iter().all(|one| validator.is_valid(one)));
        for member in ["rules_off", "severities", "allowed_actions"] {
            let filled = |one: &&Value| {
                let part = one.get(member);
                part.is_some_and(|part| *part != json!([]) && *part != json!({}))
            };
            assert!(made.iter().filter(filled).count() > 5, "{member} is hardly used");
        }
        let broken = (0..200).map(|case| settings.broken(&mut Random::of(3, case)));
        assert!(broken.filter(|one| !validator.is_valid(one)).count() > 100);
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let text = r##"{"type":"object","properties":{"in":{"$ref":"#"}},"required":["in"]}"##;
        let schema: Value = serde_json::from_str(text).unwrap();
        let validator = crate::settings::validator(text).unwrap();
        assert_eq!(Settings::new(&schema, &validator, &[]).valid(&mut Random::of(1, 1)), None);
    }
}
