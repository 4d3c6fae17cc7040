//! Reads one statement: which elements it has, and the action and resource lists.
//! Decides the branch first (`Action` or `NotAction`?), so that one mistake gives one message.
//! Word forms are in `form`, conditions in `conditions`, the top of the policy in `read`.

use super::read::Reader;
use super::{Condition, Effect, Entry, Statement, conditions, form};
use crate::json::{JsonRef, JsonType, element_pointer, member_pointer};

const ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Which kind of entry a list holds.
#[derive(Clone, Copy)]
enum List {
    Actions,
    Resources,
}

/// What was found of each element, before the statement is put together.
#[derive(Default)]
struct Found {
    sid: Option<String>,
    effect: Option<Effect>,
    actions: Option<Vec<Entry>>,
    not_actions: Option<Vec<Entry>>,
    resources: Option<Vec<Entry>>,
    not_resources: Option<Vec<Entry>>,
    conditions: Vec<Condition>,
    /// Elements that are there or were meant by a misspelt name: not reported as missing.
    meant: Vec<&'static str>,
}

pub(super) fn statement(
    reader: &mut Reader<'_>,
    pointer: String,
    value: JsonRef<'_>,
) -> Option<Statement> {
    if value.json_type() != JsonType::Object {
        reader.wrong_type(&pointer, "a statement", "an object", value);
        return None;
    }
    let mut found = Found { meant: Vec::with_capacity(ELEMENTS.len()), ..Found::default() };
    for (name, element) in value.members() {
        let at = member_pointer(&pointer, name);
        member(reader, &mut found, &at, name, element);
    }
    one_of(reader, &found, &pointer, ["Action", "NotAction"]);
    one_of(reader, &found, &pointer, ["Resource", "NotResource"]);
    if !found.meant.contains(&"Effect") {
        let help = Some("add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`".to_owned());
        reader.report(
            "missing-element",
            &pointer,
            "the statement has no `Effect`".to_owned(),
            help,
        );
    }
    Some(Statement {
        pointer,
        sid: found.sid,
        effect: found.effect?,
        actions: found.actions.unwrap_or_default(),
        not_actions: found.not_actions.unwrap_or_default(),
        resources: found.resources.unwrap_or_default(),
        not_resources: found.not_resources.unwrap_or_default(),
        principals: Vec::new(),
        not_principals: Vec::new(),
        conditions: found.conditions,
    })
}

fn member(reader: &mut Reader<'_>, found: &mut Found, at: &str, name: &str, value: JsonRef<'_>) {
    if let Some(known) = ELEMENTS.into_iter().find(|known| *known == name) {
        found.meant.push(known);
    }
    match name {
        "Sid" => found.sid = sid(reader, at, value),
        "Effect" => found.effect = effect(reader, at, value),
        "Action" => found.actions = Some(entries(reader, at, name, List::Actions, value)),
        "NotAction" => found.not_actions = Some(entries(reader, at, name, List::Actions, value)),
        "Resource" => found.resources = Some(entries(reader, at, name, List::Resources, value)),
        "NotResource" => {
            found.not_resources = Some(entries(reader, at, name, List::Resources, value));
        }
        "Condition" => found.conditions = conditions::conditions(reader, at, value),
        "Principal" | "NotPrincipal" => {
            let message = format!("`{name}` does not belong in an identity policy");
            let help = "remove it: the policy is about the user that it is attached to";
            reader.report_name("unknown-element", at, message, Some(help.to_owned()));
        }
        unknown => found.meant.extend(reader.unknown("statement", at, unknown, &ELEMENTS)),
    }
}

/// Exactly one of the two must be there.
fn one_of(reader: &mut Reader<'_>, found: &Found, pointer: &str, [plain, negated]: [&str; 2]) {
    match (found.meant.contains(&plain), found.meant.contains(&negated)) {
        (true, true) => {
            let message = format!("the statement has both `{plain}` and `{negated}`");
            let help = Some("keep one of them".to_owned());
            let at = member_pointer(pointer, negated);
            reader.report_name("exclusive-elements", &at, message, help);
        }
        (false, false) => {
            let message = format!("the statement has no `{plain}`");
            let help = Some(format!("add `{plain}` (or, to name what is left out, `{negated}`)"));
            reader.report("missing-element", pointer, message, help);
        }
        (true, false) | (false, true) => {}
    }
}

fn sid(reader: &mut Reader<'_>, at: &str, value: JsonRef<'_>) -> Option<String> {
    let Some(text) = value.as_str() else {
        reader.wrong_type(at, "`Sid`", "a string", value);
        return None;
    };
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!(
            "the Sid `{}` has characters other than letters and digits",
            text.escape_debug()
        );
        let help = Some("IAM takes A-Z, a-z and 0-9 here".to_owned());
        reader.report("invalid-sid", at, message, help);
    }
    Some(text.to_owned())
}

fn effect(reader: &mut Reader<'_>, at: &str, value: JsonRef<'_>) -> Option<Effect> {
    let Some(text) = value.as_str() else {
        reader.wrong_type(at, "`Effect`", "a string", value);
        return None;
    };
    match text {
        "Allow" => Some(Effect::Allow),
        "Deny" => Some(Effect::Deny),
        other => {
            let message = format!("`{}` is not an effect", other.escape_debug());
            let help = "write `Allow` or `Deny`, with a capital letter";
            reader.report("invalid-effect", at, message, Some(help.to_owned()));
            None
        }
    }
}

fn entries(
    reader: &mut Reader<'_>,
    at: &str,
    name: &str,
    list: List,
    value: JsonRef<'_>,
) -> Vec<Entry> {
    match value.json_type() {
        JsonType::String => entry(reader, at.to_owned(), name, list, value).into_iter().collect(),
        JsonType::Array => {
            let read: Vec<Entry> = value
                .children()
                .enumerate()
                .filter_map(|(index, element)| {
                    entry(reader, element_pointer(at, index), name, list, element)
                })
                .collect();
            if value.children().next().is_none() {
                let help = Some(format!(
                    "name at least one, or remove the statement; an empty `{name}` matches nothing"
                ));
                reader.report("empty-list", at, format!("`{name}` is an empty list"), help);
            }
            read
        }
        JsonType::Null | JsonType::Boolean | JsonType::Number | JsonType::Object => {
            reader.wrong_type(at, &format!("`{name}`"), "a string or a list of strings", value);
            Vec::new()
        }
    }
}

fn entry(
    reader: &mut Reader<'_>,
    pointer: String,
    name: &str,
    list: List,
    value: JsonRef<'_>,
) -> Option<Entry> {
    let Some(text) = value.as_str() else {
        reader.wrong_type(&pointer, &format!("an entry of `{name}`"), "a string", value);
        return None;
    };
    let checked = match list {
        List::Actions => form::action(text),
        List::Resources => form::resource(text),
    };
    if let Err(fault) = checked {
        reader.report(fault.rule, &pointer, fault.message, fault.help);
    }
    Some(Entry { text: text.to_owned(), pointer })
}
